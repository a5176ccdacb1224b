"""The plan of ``tammann potential active``: what to explore, when to collect and stop, how many rounds.

A plan is YAML, one key a line, with the unit in the key; only ``compositions`` is required. Reading is strict.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.recipe_blocks import Formula, number_field
from tammann.strict import Block, Document
from tammann.structures.crystals import crystal_names
from tammann.workflows.active_learning.explore import Watch

Count = Annotated[int, number_field("a whole number from 0 to 1000", ge=0, le=1000)]
Kelvin = Annotated[float, Field(strict=True, ge=1, le=10_000)]
Path_ = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
FILES = ("initial", "test")
"""Keys that name files."""
COMMITTEE_THRESHOLDS = {"select_above": 0.5, "stop_above": 5.0}
"""What a plan has for graph networks, whose grade is a deviation of forces in eV/Å."""


class Proposals(Block):
    """How many runs of each kind a round has: of every composition, of every crystal, or of every pair of them."""

    searches: Count = Field(10, description="a whole number of random cells of each composition, from 0 to 1000")
    melts: Count = Field(1, description="a whole number of melts of each composition, from 0 to 1000")
    quenches: Count = Field(1, description="a whole number of quenches of each composition, from 0 to 1000")
    crystals: Count = Field(1, description="a whole number of strained cells of each crystal, from 0 to 1000")
    interfaces: Count = Field(
        1, description="a whole number of interfaces of each crystal with one composition, from 0 to 1000"
    )


class Criterion(Block):
    """When active learning has converged: judged on a round's molecular dynamics, searches left out."""

    share_above: Annotated[float, number_field("a share from 0 to 1 of the steps", ge=0, le=1)] = 0.01
    stopped: Annotated[int, number_field("a number of runs, 0 or more", ge=0, le=10_000)] = 0


class ActiveLearningPlan(Document):
    r"""Active learning of a potential.

    Example:
        >>> plan = ActiveLearningPlan.from_text("compositions: [BaTiO3]\nrounds: 2")
        >>> plan.rounds, plan.select_above, plan.temperature_K(7)
        (2, 5.0, 2000.0)
    """

    compositions: tuple[Formula, ...] = Field(
        min_length=1, max_length=100, description="a list of formulas, such as [BaTiO3, Ba2TiO4]"
    )
    crystals: tuple[Path_, ...] = Field((), max_length=100, description="a list of names of crystals or of files")
    initial: Path_ | None = Field(None, description="a file of labelled frames to begin with")
    test: Path_ | None = Field(None, description="a file of labelled frames for errors, in no round trained on")
    test_fraction: Annotated[float, number_field("a share between 0 and 0.5", gt=0, le=0.5)] = 0.1
    labeller: Path_ = Field("chgnet", description="a potential by name or file, or a module:callable")
    architecture: Literal["ace", "mace", "sevennet", "chgnet"] = Field(
        "ace", description="ace, mace, sevennet or chgnet"
    )
    training: dict[str, Any] = Field(default_factory=dict, description="a block of settings of the training")
    atoms: Annotated[int, number_field("a number from 8 to 1000", ge=8, le=1000)] = 100
    search_atoms: Annotated[int, number_field("a number from 2 to 100", ge=2, le=100)] = 16
    temperatures_K: tuple[Kelvin, ...] = Field(
        (2000.0,), min_length=1, max_length=100, description="a list of temperatures, one a round, the last repeated"
    )
    crystal_temperature_K: Annotated[float, number_field("a temperature from 1 to 10000 K", ge=1, le=1e4)] = 1000.0
    quench_to_K: Annotated[float, number_field("a temperature from 1 to 10000 K", ge=1, le=1e4)] = 300.0
    picoseconds: Annotated[float, number_field("a time from 0.001 to 1e5 ps", ge=0.001, le=1e5)] = 100.0
    crystal_picoseconds: Annotated[float, number_field("a time from 0.001 to 1e5 ps", ge=0.001, le=1e5)] = 10.0
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0
    thermostat: Literal["nose-hoover", "langevin", "berendsen"] = Field(
        "nose-hoover", description="nose-hoover, langevin or berendsen"
    )
    damping_fs: Annotated[float, number_field("a time from 0.1 to 1e6 fs", ge=0.1, le=1e6)] = 100.0
    relax_steps: Annotated[int, number_field("a whole number from 0 to 10000", ge=0, le=10_000)] = 200
    strain: Annotated[float, number_field("a strain from 0 to 0.2", ge=0, le=0.2)] = 0.03
    rattle_A: Annotated[float, number_field("a length from 0 to 1 Å", ge=0, le=1)] = 0.05
    volume_spread: Annotated[float, number_field("a share from 0 to 0.5", ge=0, le=0.5)] = 0.1
    proposals: Proposals = Field(Proposals(), description="a block of numbers of runs")
    select_above: Annotated[float, number_field("a grade above 0; for networks in eV/Å, by default 0.5", gt=0)] = 5.0
    stop_above: Annotated[
        float, number_field("a grade above select_above; for networks in eV/Å, by default 5", gt=0)
    ] = 100.0
    spacing_fs: Annotated[float, number_field("a time above 0 and at most 1e5 fs", gt=0, le=1e5)] = 100.0
    most_per_run: Annotated[int, number_field("a whole number from 1 to 1000", ge=1, le=1000)] = 40
    closest_A: Annotated[float, number_field("a distance from 0.1 to 3 Å", ge=0.1, le=3)] = 1.0
    frames_per_round: Annotated[int, number_field("a whole number from 1 to 10000", ge=1, le=10_000)] = 50
    largest_force_eV_per_A: Annotated[float, number_field("a force above 0 eV/Å", gt=0)] = 50.0
    rounds: Annotated[int, number_field("a whole number from 1 to 100", ge=1, le=100)] = 4
    criterion: Criterion = Field(Criterion(), description="a block with share_above and stopped")
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 1

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the names of files made relative to a directory."""
        return _renamed(data, lambda name: os.path.join(directory, name))

    @model_validator(mode="before")
    @classmethod
    def _thresholds(cls, data: Any) -> Any:
        """Give thresholds that are left out the unit of the grade, which the architecture decides."""
        if not isinstance(data, dict) or data.get("architecture", "ace") == "ace":
            return data
        left_out = {key: value for key, value in COMMITTEE_THRESHOLDS.items() if key not in data}
        return data | left_out

    @model_validator(mode="after")
    def _check(self) -> ActiveLearningPlan:
        try:
            self.watch()
            Conditions(self.temperatures_K[0], self.timestep_fs, self.thermostat, self.damping_fs)
        except DataError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        for name in self.crystals:
            if name not in crystal_names() and not Path(name).is_file():
                raise ValueError(f"crystals: expected {', '.join(crystal_names())}, or a file, got {name!r}")
        seen = set()
        for formula in self.compositions:
            key = composition_key(parse_formula(formula))
            if key in seen:
                raise ValueError(f"compositions: expected each once, got {formula} again; remove it")
            seen.add(key)
        runs = self.proposals
        if not (runs.searches or runs.melts or runs.quenches or (self.crystals and (runs.crystals or runs.interfaces))):
            raise ValueError("proposals: expected at least one run a round, got none; ask for melts or searches")
        return self

    def placed(self) -> ActiveLearningPlan:
        """Return the plan with absolute names of its files."""
        return self.model_copy(update=_renamed(dict(self), lambda name: str(Path(name).resolve())))

    def relative_to(self, folder: Path) -> ActiveLearningPlan:
        """Return the plan with names of its files as seen from a folder, with which they may move elsewhere."""
        return self.model_copy(
            update=_renamed(dict(self), lambda name: os.path.relpath(Path(name).resolve(), folder.resolve()))
        )

    def watch(self) -> Watch:
        """Return when to collect a configuration and when to stop a run."""
        return Watch(self.select_above, self.stop_above, self.spacing_fs, self.most_per_run, self.closest_A)

    def temperature_K(self, number: int) -> float:
        """Return the temperature of the melts of a round, numbered from 1 on, K.

        Example:
            >>> ActiveLearningPlan(compositions=("TiO2",), temperatures_K=(1000.0, 1500.0)).temperature_K(3)
            1500.0
        """
        return self.temperatures_K[min(number, len(self.temperatures_K)) - 1]

    def conditions(self, temperature_K: float) -> Conditions:
        """Return the conditions of molecular dynamics at a temperature."""
        return Conditions(temperature_K, self.timestep_fs, self.thermostat, self.damping_fs)


def _renamed(data: dict[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    """Return the data of a plan, read or not checked yet, with its files renamed; crystals of the package are none."""
    data, known = dict(data), crystal_names()
    for key in FILES:
        if isinstance(data.get(key), str):
            data[key] = rename(data[key])
    crystals = data.get("crystals")
    if isinstance(crystals, (list, tuple)):
        named = (rename(each) if isinstance(each, str) and each not in known else each for each in crystals)
        data["crystals"] = type(crystals)(named)
    return data
