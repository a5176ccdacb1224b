"""The plan of ``tammann electrolyte``: a disordered host, its compositions, and how to compute each stage.

A plan is YAML, with the unit in the key. Compositions are ordered, relaxed, compared and set in motion; or structures
that are ordered already are only set in motion.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tammann.composition import composition_key, conventional_formula
from tammann.errors import DataError, RecipeError, TammannError
from tammann.md.conditions import Conditions
from tammann.md.load import engines_for
from tammann.potentials import load_potential
from tammann.recipe_blocks import Formula, number_field
from tammann.strict import Block, Document
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.structures.ordering import DisorderedStructure, OrderingBlock, ordering_block, read_disordered
from tammann.structures.ordering.disordered import element_of
from tammann.structures.ordering.sampling import SAMPLING_TEMPERATURE_K

Times = tuple[Annotated[int, Field(strict=True, ge=1, le=20)], ...]
Share = Annotated[float, number_field("an occupancy from 0 to 1", ge=0, le=1)]
Picoseconds = Annotated[float, number_field("a time from 0 to 1e6 ps", ge=0, le=1e6)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$")]
REFERENCE = "reference-"
"""How names of structures that compete begin in a folder."""
UpTo = Annotated[int, number_field("a whole number from 1 to 100000000", ge=1, le=100_000_000)]


class CompositionBlock(Block):
    """One composition of the host: what is on the sites of some labels."""

    name: Name | None = Field(None, description="a name of letters and digits for folders and tables")
    occupancies: dict[str, dict[str, Share]] = Field(
        {}, description="occupancies from 0 to 1 of species by label, such as {X: {Br: 0.5, Cl: 0.5}}"
    )


class OrderingsBlock(Block):
    """How the orderings of a composition are found, and how many are kept."""

    keep: Annotated[int, number_field("a number from 1 to 10000", ge=1, le=10_000)] = 10
    enumerate_up_to: UpTo = 1_000_000
    sampling: Literal["energy", "random"] = Field("energy", description="energy or random")
    samples: UpTo = 2000
    sampling_temperature_K: Annotated[float, number_field("a temperature from 1 to 1e6 K", ge=1, le=1e6)] = (
        SAMPLING_TEMPERATURE_K
    )


class RelaxationBlock(Block):
    """How structures are relaxed."""

    force_eV_per_A: Annotated[float, number_field("a force from 1e-4 to 1 eV/Å", ge=1e-4, le=1)] = 0.02
    steps: Annotated[int, number_field("a number of steps from 1 to 100000", ge=1, le=100_000)] = 500
    cell: Annotated[bool, Field(strict=True, description="true or false")] = True
    rattle_A: Annotated[float, number_field("a displacement from 0 to 0.5 Å", ge=0, le=0.5)] = 0.02


class SelectionBlock(Block):
    """Which relaxed orderings are set in motion: the lowest of each composition, and others by Boltzmann weight."""

    structures: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        None, description="how many of all compositions, from 1 to 10000; the lowest of each by default"
    )
    temperature_K: Annotated[float, number_field("a temperature from 1 to 1e5 K", ge=1, le=1e5)] = 800.0
    per: Literal["atom", "formula"] = Field("atom", description="atom or formula")
    degeneracy: Annotated[bool, Field(strict=True, description="true or false")] = False
    end_members: tuple[Formula, ...] | None = Field(
        None, description="formulas of compositions or references, such as [Li3InCl6, Li3YCl6]"
    )


class DynamicsBlock(Block):
    """Molecular dynamics of a structure at a temperature; times are those of Deng et al. 2025 by default."""

    repeat: Times = Field(
        (1, 1, 1), min_length=3, max_length=3, description="three numbers of cells, such as [1, 1, 2]"
    )
    replicas: Annotated[int, number_field("a number from 1 to 100", ge=1, le=100)] = 1
    hot_K: Annotated[float, number_field("a temperature from 0 to 1e5 K", ge=0, le=1e5)] = 800.0
    hot_ps: Picoseconds = 500.0
    hot_drop_ps: Picoseconds = 100.0
    cold_ps: Picoseconds = 1000.0
    cold_drop_ps: Picoseconds = 200.0
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0
    thermostat: Literal["nose-hoover", "langevin", "berendsen"] = Field(
        "nose-hoover", description="nose-hoover, langevin or berendsen"
    )
    damping_fs: Annotated[float, number_field("a time from 0.01 to 1e6 fs", ge=0.01, le=1e6)] = 100.0
    frame_fs: Annotated[float, number_field("a time from 0.01 to 1e6 fs", ge=0.01, le=1e6)] = 100.0
    volume_scale: Annotated[float, number_field("a multiple from 0.5 to 2", ge=0.5, le=2)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> DynamicsBlock:
        for kind in ("hot", "cold"):
            whole, drop = getattr(self, f"{kind}_ps"), getattr(self, f"{kind}_drop_ps")
            if whole - drop < 20.0 * self.frame_fs / 1000.0:
                raise ValueError(
                    f"{kind}_drop_ps: expected 20 frames of {self.frame_fs:g} fs or more after it, got {drop:g} of "
                    f"{whole:g} ps"
                )
        if abs(self.frame_fs / self.timestep_fs - round(self.frame_fs / self.timestep_fs)) > 1e-6:
            raise ValueError(
                f"frame_fs: expected a multiple of timestep_fs {self.timestep_fs:g}, got {self.frame_fs:g}"
            )
        return self

    def times_ps(self, temperature_K: float) -> tuple[float, float]:
        """Return the length of a run and how much of it is dropped, ps.

        Example:
            >>> DynamicsBlock().times_ps(800.0), DynamicsBlock().times_ps(600.0)
            ((500.0, 100.0), (1000.0, 200.0))
        """
        hot = temperature_K >= self.hot_K
        return (self.hot_ps, self.hot_drop_ps) if hot else (self.cold_ps, self.cold_drop_ps)


class PathwaysBlock(Block):
    """How the density of the mobile ion is computed, and what is a site (``find_sites``)."""

    spacing_A: Annotated[float, number_field("a distance from 0.05 to 2 Å", ge=0.05, le=2)] = 0.25
    smoothing_A: Annotated[float, number_field("a distance from 0 to 2 Å", ge=0, le=2)] = 0.25
    depth_kT: Annotated[float, number_field("a number from 0 to 20", ge=0, le=20)] = 1.0
    least_ions: Annotated[float, number_field("a number from 0 to 1", ge=0, le=1)] = 0.01
    within_A: Annotated[float, number_field("a distance from 0 to 5 Å", ge=0, le=5)] = 1.2


class ElectrolytePlan(Document):
    """What to compute of which electrolytes.

    Example:
        >>> plan = ElectrolytePlan(structures=["BaTiO3-cubic"], mobile="O", potential="pedone-2006", engine="ase")
        >>> plan.names, plan.dynamics.times_ps(1000.0)
        (('BaTiO3-cubic',), (500.0, 100.0))
    """

    ERROR: ClassVar[type[TammannError]] = RecipeError

    host: Annotated[str, Field(strict=True, max_length=1000)] = Field(
        "", description="a CIF with partial occupancies, or a structure file"
    )
    compositions: tuple[CompositionBlock, ...] = Field(
        (), max_length=1000, description="a list of blocks with the key occupancies"
    )
    structures: tuple[Text, ...] = Field(
        (), max_length=1000, description="files of ordered structures, or crystals of the package"
    )
    references: tuple[Text, ...] = Field(
        (), max_length=1000, description="files of structures that compete, or crystals of the package"
    )
    repeat: Times = Field(
        (1, 1, 1), min_length=3, max_length=3, description="three numbers of cells, such as [1, 1, 2]"
    )
    charges: dict[str, Annotated[float, Field(strict=True, ge=-10, le=10)]] | None = Field(
        None, description="the charge of each element in e, such as {Li: 1}"
    )
    mobile: Text = Field("Li", description="an element")
    potential: Text = Field(description="a potential by name, file or module:callable")
    dynamics_potential: Text | None = Field(
        None, description="a potential for molecular dynamics, by default that for energies; its file may be made later"
    )
    engine: Literal["lammps", "ase", "torch-sim"] = Field("ase", description="lammps, ase or torch-sim")
    temperatures_K: tuple[Annotated[float, Field(strict=True, ge=1, le=6000)], ...] = Field(
        (600.0, 700.0, 800.0, 900.0, 1000.0),
        min_length=1,
        max_length=100,
        description="temperatures from 1 to 6000 K in a list, such as [600, 800, 1000]",
    )
    conductivity_at_K: Annotated[float, number_field("a temperature from 1 to 6000 K", ge=1, le=6000)] = 300.0
    orderings: OrderingsBlock = Field(OrderingsBlock(), description="a block on orderings")
    relaxation: RelaxationBlock = Field(RelaxationBlock(), description="a block on relaxations")
    selection: SelectionBlock = Field(SelectionBlock(), description="a block on the choice of structures")
    dynamics: DynamicsBlock = Field(DynamicsBlock(), description="a block on molecular dynamics")
    pathways: PathwaysBlock = Field(PathwaysBlock(), description="a block on densities and sites")
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 1

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files in it relative to a directory."""

        def placed(value: Any) -> Any:
            if isinstance(value, str) and value and Path(directory, value).is_file():
                return str(Path(directory, value))
            return [placed(each) for each in value] if isinstance(value, list) else value

        files = ("host", "potential", "structures", "references")
        data = data | {key: placed(data[key]) for key in files if key in data}
        moving = data.get("dynamics_potential")
        if isinstance(moving, str) and _is_file_name(moving):  # it may be trained only once the first stages are done
            data = data | {"dynamics_potential": str(Path(directory, moving))}
        return data

    @model_validator(mode="after")
    def _check(self) -> ElectrolytePlan:
        if bool(self.host) == bool(self.structures):
            raise ValueError("expected either a disordered host or structures that are ordered; give one of the two")
        if bool(self.host) != bool(self.compositions):
            raise ValueError("compositions: expected one or more of a host; [{}] takes the host as it is")
        if len(set(self.temperatures_K)) != len(self.temperatures_K):
            raise ValueError("temperatures_K: expected each temperature once; remove the repeated one")
        try:
            elements = [self.composition(name) for name in self.names]
            elements += [_atoms(load_crystal(text)) for text in self.references]
            self._check_names()
            self._check_end_members(elements)
            for name, own in zip(self.names, elements, strict=False):
                if self.mobile not in own or len(own) < 2:
                    raise DataError(f"mobile: expected an element that {name} holds beside others, got {self.mobile}")
            for text in dict.fromkeys((self.potential, self.moving_potential)):
                if text == self.dynamics_potential and not self.can_move:
                    continue
                potential = load_potential(text)
                for own in elements:
                    potential.check(set(own), formula="".join(f"{s}{n}" for s, n in own.items()))
        except TammannError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        if self.can_move and self.engine not in (engines := engines_for(load_potential(self.moving_potential))):
            raise ValueError(
                f"engine: expected {' or '.join(engines)} with the potential {self.moving_potential}, got "
                f"{self.engine}; choose another engine or potential"
            )
        return self

    def composition(self, name: str) -> dict[str, int]:
        """Return the atoms by element of a composition or structure."""
        if self.host:
            return _by_element(self.blocks[name])
        return _atoms(load_crystal(self.structures[self.names.index(name)]))

    def _check_names(self) -> None:
        for kind, names in (("structures", self.names), ("references", self.reference_names)):
            if twice := [name for name in names if names.count(name) > 1]:
                raise DataError(f"{kind}: expected names of files that differ, got {twice[0]} again; rename one")
        for name in self.names:
            if name.startswith(REFERENCE):
                raise DataError(f"name {name!r}: expected one that does not begin with {REFERENCE}; rename it")

    def _check_end_members(self, there: Sequence[Mapping[str, int]]) -> None:
        keys = [composition_key(own) for own in there]
        for formula in self.selection.end_members or ():
            if composition_key(formula) not in keys:
                listed = ", ".join(dict.fromkeys(conventional_formula(dict(key)) for key in keys))
                raise DataError(
                    f"selection.end_members: expected formulas of compositions or references ({listed}), got {formula}"
                )

    @property
    def moving_potential(self) -> str:
        """Potential of molecular dynamics."""
        return self.dynamics_potential or self.potential

    @property
    def can_move(self) -> bool:
        """Whether the potential of molecular dynamics is there; that of a file may be trained later."""
        return not _is_file_name(self.moving_potential) or Path(self.moving_potential).is_file()

    @cached_property
    def hosts(self) -> dict[str, DisorderedStructure]:
        """The disordered structure of each composition by name."""
        if not self.host:
            return {}
        host = read_disordered(self.host)
        if self.charges:
            host = host.with_charges(self.charges)
        found: dict[str, DisorderedStructure] = {}
        for k, each in enumerate(self.compositions):
            try:
                own = host.with_occupancies(each.occupancies) if each.occupancies else host
                formula = _formula(own, self.repeat)
            except DataError as error:
                raise DataError(f"compositions[{k}]: {error}") from None
            name = each.name or formula
            if name in found:
                raise DataError(f"compositions: expected each once, got {name} again; remove it or give it a name.")
            found[name] = own
        return found

    @cached_property
    def blocks(self) -> dict[str, OrderingBlock]:
        """The block to be ordered of each composition by name."""
        return {name: ordering_block(own, self.repeat) for name, own in self.hosts.items()}

    @cached_property
    def formula_units(self) -> int | None:
        """Formula units in the block of every composition alike; None of structures that are ordered already."""
        return max(block.formula_units for block in self.blocks.values()) if self.host else None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the compositions, or of the structures that are ordered already."""
        if self.host:
            return tuple(self.hosts)
        return tuple(Path(each).stem if Path(each).is_file() else each for each in self.structures)

    def placed(self) -> ElectrolytePlan:
        """Return the plan with an absolute name of a potential for molecular dynamics that may be made later."""
        moving = self.dynamics_potential
        if moving is None or not _is_file_name(moving):
            return self
        return self.model_copy(update={"dynamics_potential": str(Path(moving).resolve())})

    @property
    def reference_names(self) -> tuple[str, ...]:
        """Names of the structures that compete."""
        return tuple(Path(each).stem if Path(each).is_file() else each for each in self.references)

    def conditions(self, temperature_K: float) -> Conditions:
        """Return the conditions of molecular dynamics at a temperature."""
        d = self.dynamics
        return Conditions(temperature_K, d.timestep_fs, d.thermostat, d.damping_fs)


def _atoms(configuration: Configuration) -> dict[str, int]:
    return {s: configuration.symbols.count(s) for s in dict.fromkeys(configuration.symbols)}


def _is_file_name(potential: str) -> bool:
    return Path(potential).suffix != "" and ":" not in potential


def _formula(host: DisorderedStructure, repeat: Times) -> str:
    """Return the reduced formula of a block of a disordered structure."""
    return conventional_formula(dict(composition_key(_by_element(ordering_block(host, repeat)))))


def _by_element(block: OrderingBlock) -> dict[str, int]:
    """Return the atoms of a block by element, those of Fe2+ and Fe3+ together."""
    counts: dict[str, int] = {}
    for species, n in block.composition.items():
        counts[element_of(species)] = counts.get(element_of(species), 0) + n
    return counts
