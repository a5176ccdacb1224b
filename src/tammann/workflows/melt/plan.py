"""The plan of ``tammann melt``: compositions, temperatures, lengths, numbers of replicas.

A plan is YAML, one key a line, with the unit in the key; only ``melts`` is required. Reading is strict: an unknown key,
a number out of range or a composition that the potential has no parameters for is refused with one sentence.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.equation_of_state import longest_search_ps
from tammann.md.load import engines_for
from tammann.potentials import load_potential
from tammann.recipe_blocks import Formula, number_field
from tammann.strict import Block, Document, shown

Kelvin = Annotated[float, number_field("a temperature from 300 to 6000 K", ge=300, le=6000)]
Picoseconds = Annotated[float, number_field("a time from 0.001 to 1e6 ps", ge=0.001, le=1e6)]
Femtoseconds = Annotated[float, number_field("a time from 0.01 to 1e6 fs", ge=0.01, le=1e6)]
UpToHundred = Annotated[int, number_field("a whole number from 1 to 100", ge=1, le=100)]
MOST_ATOM_STEPS = 1e15
"""Steps times atoms that a plan may ask for: 70 years of one core, 100,000 times the shipped table of Ba-Ti-O."""
ATOM_STEPS_PER_SECOND = 4.6e5
"""Measured on one core with ``pedone-2006`` and LAMMPS: 200 atoms, steps of 2 fs, 300 ps in 65 s."""


class VolumeSearch(Block):
    """The search for the volume of each melt (see ``tammann.md.equation_of_state``)."""

    method: Literal["equation-of-state", "npt"] = Field("equation-of-state", description="equation-of-state or npt")
    scales: tuple[Annotated[float, Field(strict=True, ge=0.3, le=3)], ...] = Field(
        (0.8, 1.0, 1.2), min_length=3, max_length=12, description="three or more multiples from 0.3 to 3"
    )
    scale_ps: Picoseconds = 4.0
    hold_ps: Picoseconds = 20.0
    attempts: UpToHundred = 8
    pressure_GPa: Annotated[float, number_field("a pressure, -1 to 50 GPa", ge=-1, le=50)] = 0.0
    pressure_tolerance_GPa: Annotated[float, number_field("a pressure above 0 and at most 10 GPa", gt=0, le=10)] = 0.1
    energy_tolerance_eV_per_atom: Annotated[
        float, number_field("an energy above 0 and at most 1 eV per atom", gt=0, le=1)
    ] = 0.01


class MeltPlan(Document):
    r"""Melts to compute.

    Example:
        >>> plan = MeltPlan.from_text("melts: [BaTiO3]\ntemperatures_K: [2000]")
        >>> plan.melts, plan.replicas, plan.production_ps
        (('BaTiO3',), 3, 300.0)
    """

    melts: tuple[Formula, ...] = Field(
        min_length=1, max_length=1000, description="a list of formulas, such as [BaTiO3, Ba2TiO4]"
    )
    temperatures_K: tuple[Annotated[float, Field(strict=True, ge=300, le=6000)], ...] = Field(
        (1500.0, 1750.0, 2000.0),
        min_length=1,
        max_length=100,
        description="temperatures from 300 to 6000 K in a list, such as [1500, 1750]",
    )
    potential: Annotated[str, Field(strict=True, min_length=1, max_length=200)] = Field(
        "pedone-2006", description="pedone-2006, chgnet, module:callable or the file of a trained potential"
    )
    engine: Literal["lammps", "ase", "torch-sim"] = Field("lammps", description="lammps, ase or torch-sim")
    atoms: Annotated[int, number_field("a number from 20 to 100000", ge=20, le=100_000)] = 200
    volume_per_atom_A3: Annotated[
        float | None, number_field("a volume from 1 to 1000 Å3, from which the search starts", ge=1, le=1000)
    ] = None
    minimum_distances_A: dict[str, Annotated[float, Field(strict=True, ge=0, le=10)]] | None = Field(
        None, description="distances from 0 to 10 Å by pair, such as {Ba-O: 2.0}"
    )
    replicas: UpToHundred = 3
    production_ps: Picoseconds = 300.0
    longest_ps: Annotated[float, Field(strict=True, ge=0.001, le=1e6)] | None = Field(
        None, description="a time in ps, at least production_ps, up to which productions may be made longer"
    )
    target_error: Annotated[float, number_field("a relative standard error above 0 and at most 1", gt=0, le=1)] = 0.2
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0
    thermostat: Literal["nose-hoover", "langevin", "berendsen"] = Field(
        "nose-hoover", description="nose-hoover, langevin or berendsen"
    )
    damping_fs: Femtoseconds = 100.0
    frame_fs: Femtoseconds = 100.0
    stress_fs: Femtoseconds = 20.0
    melt_K: Kelvin = 3000.0
    melt_ps: Picoseconds = 5.0
    cool_ps: Picoseconds = 10.0
    settle_ps: Picoseconds = 10.0
    volume: VolumeSearch = Field(VolumeSearch(), description="a block on the search for the volume")
    end_members: tuple[Formula, Formula] | None = Field(
        None, description="two formulas, the reactants of the series, such as [BaO, TiO2]"
    )
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 1

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the file of a potential relative to a directory."""
        name = data.get("potential")
        if isinstance(name, str) and Path(directory, name).is_file():
            return data | {"potential": str(Path(directory, name))}
        return data

    @model_validator(mode="after")
    def _check(self) -> MeltPlan:
        self._check_compositions()
        self._check_distances()
        self._check_end_members()
        if len(set(self.temperatures_K)) != len(self.temperatures_K):
            raise ValueError("temperatures_K: expected each temperature once; remove the repeated one")
        self._check_times()
        if (atom_steps := self.cost().atom_steps_at_most) > MOST_ATOM_STEPS:
            raise ValueError(
                f"the plan asks for {atom_steps:.1e} steps times atoms, expected at most "
                f"{MOST_ATOM_STEPS:g}; take fewer atoms, melts or replicas, or shorter times"
            )
        return self

    def _check_compositions(self) -> None:
        seen: dict[Any, str] = {}
        for formula in self.melts:
            key = composition_key(formula)
            if key in seen:
                raise ValueError(f"melts: expected each composition once, got {seen[key]} and {formula}; remove one")
            seen[key] = formula
        try:
            potential = load_potential(self.potential)
            for formula in self.melts:
                potential.check(parse_formula(formula), formula=formula)
        except DataError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        engines = engines_for(potential)
        if self.engine not in engines:
            raise ValueError(
                f"engine: expected {' or '.join(engines)} with the potential {self.potential}, got {self.engine}; "
                "choose another engine or potential"
            )

    def _check_end_members(self) -> None:
        if self.end_members is None:
            return
        first, second = (parse_formula(formula) for formula in self.end_members)
        if composition_key(self.end_members[0]) == composition_key(self.end_members[1]):
            raise ValueError(f"end_members: expected two compositions, got {self.end_members[0]} twice; name another")
        for formula in self.melts:
            if foreign := sorted({*parse_formula(formula)} - {*first} - {*second}):
                raise ValueError(
                    f"end_members: expected reactants of all melts, got {' and '.join(self.end_members)}, which "
                    f"hold no {foreign[0]} for {formula}; name others, or leave the key out"
                )

    def _check_times(self) -> None:
        samples, frames = self.stress_fs / self.timestep_fs, self.frame_fs / self.timestep_fs
        if abs(samples - round(samples)) > 1e-6 or round(samples) < 1:
            raise ValueError(
                f"stress_fs: expected a multiple of timestep_fs {self.timestep_fs:g}, got {self.stress_fs:g}"
            )
        if abs(frames - round(frames)) > 1e-6 or round(frames) % round(samples):
            raise ValueError(f"frame_fs: expected a multiple of stress_fs {self.stress_fs:g}, got {self.frame_fs:g}")
        if self.longest_ps is not None and self.longest_ps < self.production_ps:
            raise ValueError(
                f"longest_ps: expected at least production_ps {self.production_ps:g}, got {self.longest_ps:g}"
            )
        if self.frame_fs > 1000 * self.production_ps:
            raise ValueError(f"production_ps: expected at least one frame of {self.frame_fs:g} fs, got less")

    def _check_distances(self) -> None:
        seen = set()
        for key in self.minimum_distances_A or {}:
            pair = tuple(key.split("-"))
            if len(pair) != 2 or not all(pair):
                raise ValueError(f"minimum_distances_A: expected two elements such as Ba-O, got {shown(key)}")
            if not any({*pair} <= {*parse_formula(formula)} for formula in self.melts):
                raise ValueError(f"minimum_distances_A: expected elements of one melt, got {key}; remove it")
            if frozenset(pair) in seen:
                raise ValueError(f"minimum_distances_A: expected each pair once, got {key} again; remove one")
            seen.add(frozenset(pair))

    def conditions(self, temperature_K: float) -> Conditions:
        """Return the conditions of molecular dynamics at a temperature."""
        return Conditions(temperature_K, self.timestep_fs, self.thermostat, self.damping_fs)

    def distances_A(self, formula: str) -> dict[tuple[str, str], float]:
        """Return the smallest distances in the packing of one of its melts, by pair, Å.

        Example:
            >>> MeltPlan(melts=("BaO", "TiO2"), minimum_distances_A={"Ba-O": 2.0}).distances_A("TiO2")
            {}
        """
        pairs = {(*key.split("-"),): distance for key, distance in (self.minimum_distances_A or {}).items()}
        return {(a, b): distance for (a, b), distance in pairs.items() if {a, b} <= {*parse_formula(formula)}}

    def lengths_ps(self) -> tuple[float, ...]:
        """Return the lengths that productions may reach, ps, each twice the one before, up to ``longest_ps``.

        Example:
            >>> MeltPlan(melts=("BaTiO3",), production_ps=300.0, longest_ps=1000.0).lengths_ps()
            (300.0, 600.0, 1000.0)
        """
        lengths = [self.production_ps]
        while self.longest_ps is not None and lengths[-1] < self.longest_ps:
            lengths.append(min(2.0 * lengths[-1], self.longest_ps))
        return tuple(lengths)

    def steps_to_find_volume(self) -> int:
        """Return the steps that finding the volume of one state takes at most.

        Example:
            >>> MeltPlan(melts=("BaTiO3",)).steps_to_find_volume()
            352447
        """
        search = self.volume
        if search.method == "equation-of-state":
            search_ps = longest_search_ps(search.scales, search.scale_ps, search.hold_ps, search.attempts)
        else:
            search_ps = search.attempts * search.hold_ps
        return self.conditions(self.melt_K).steps(self.melt_ps + search_ps)

    def steps_before(self, replica: int) -> int:
        """Return the steps of melting, cooling and settling before a replica, from 1 on, is recorded."""
        return self.conditions(self.melt_K).steps(replica * self.melt_ps + self.cool_ps + self.settle_ps)

    def cost(self) -> MeltCost:
        """Return what the plan asks for, in steps of molecular dynamics.

        Example:
            >>> MeltPlan(melts=("BaTiO3",), temperatures_K=(2000.0,), replicas=1).cost().steps_of_production
            150000
        """
        states, steps = len(self.melts) * len(self.temperatures_K), self.conditions(self.melt_K).steps
        prepare = self.steps_to_find_volume() + sum(self.steps_before(n + 1) for n in range(self.replicas))
        produce, longest = (self.replicas * steps(length) for length in (self.production_ps, self.lengths_ps()[-1]))
        atom_steps = states * (prepare + longest) * self.atoms
        timed = self.engine == "lammps" and self.potential == "pedone-2006"
        hours = atom_steps / ATOM_STEPS_PER_SECOND / 3600.0 if timed else None
        return MeltCost(states, self.replicas, states * prepare, states * produce, states * longest, atom_steps, hours)


@dataclass(frozen=True)
class MeltCost:
    """What a plan asks for: steps of all replicas, steps times atoms, and hours on one core where that was timed."""

    states: int
    replicas: int
    steps_to_prepare_at_most: int
    steps_of_production: int
    steps_of_production_at_most: int
    atom_steps_at_most: int
    core_hours_at_most: float | None
