"""The plan of ``tammann potential report``: which potentials are judged, against what, and how long.

A plan is YAML, one key a line, with the unit in the key; only ``potentials`` is required. What is left out is not done:
without ``dataset`` there are no errors, without ``melts`` no dynamics.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from tammann.errors import DataError, TammannError
from tammann.md.conditions import Conditions
from tammann.md.watched import Limits
from tammann.potentials.evaluate import Alignment
from tammann.recipe_blocks import Formula, number_field
from tammann.strict import Block, Document

Kelvin = Annotated[float, number_field("a temperature from 1 to 6000 K", ge=1, le=6000)]
Picoseconds = Annotated[float, number_field("a time from 0.01 to 1e6 ps", ge=0.01, le=1e6)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=300)]


class CrystalTask(Block):
    """A crystal: its equation of state and, with a supercell, its phonons."""

    crystal: Name = Field(description="a crystal of the package, such as BaTiO3-cubic, or a file (CIF, POSCAR)")
    phonons: tuple[Annotated[int, Field(strict=True, ge=1, le=10)], ...] | None = Field(
        None, min_length=3, max_length=3, description="three repeats of the cell, such as [2, 2, 2]"
    )

    @property
    def name(self) -> str:
        """Name in tables: that of the crystal, or of its file without the ending."""
        return Path(self.crystal).stem if os.sep in self.crystal else self.crystal


class MeltTask(Block):
    """A melt in which all potentials start from the same configuration."""

    formula: Formula
    temperature_K: Kelvin = 2000.0
    atoms: Annotated[int, number_field("a number from 8 to 10000", ge=8, le=10_000)] = 96
    volume_per_atom_A3: Annotated[float | None, number_field("a volume from 1 to 1000 Å3", ge=1, le=1000)] = None
    duration_ps: Picoseconds = 20.0
    reference_ps: Annotated[
        float | None, number_field("a time from 0.01 to 1e6 ps, of the run of the reference", ge=0.01, le=1e6)
    ] = None
    settle_ps: Picoseconds = 2.0
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0

    @property
    def name(self) -> str:
        """Name in tables, such as ``BaTiO3 2000 K``."""
        return f"{self.formula} {self.temperature_K:g} K"

    def conditions(self) -> Conditions:
        """Return the conditions of its runs."""
        return Conditions(self.temperature_K, self.timestep_fs, "nose-hoover", 100.0)


class DriftTask(Block):
    """Runs at constant energy with several time steps."""

    timesteps_fs: tuple[Annotated[float, Field(strict=True, gt=0, le=10)], ...] = Field(
        (2.0, 1.0, 0.5), min_length=2, max_length=6, description="two to six time steps, fs, such as [2, 1, 0.5]"
    )
    sample_fs: Annotated[float, number_field("a time from 0.1 to 100 fs", ge=0.1, le=100)] = 4.0
    duration_ps: Picoseconds = 1.0
    temperature_K: Kelvin = 1000.0


class StopBlock(Block):
    """What ends a run (``tammann.md.watched.Limits``)."""

    closest_A: Annotated[float, number_field("a distance from 0.1 to 3 Å", ge=0.1, le=3)] = 1.0
    loneliest_A: Annotated[float, number_field("a distance from 2 to 50 Å", ge=2, le=50)] = 5.0
    grade: Annotated[float | None, number_field("an extrapolation grade above 1", gt=1)] = 100.0

    def limits(self) -> Limits:
        """Return them as the run takes them."""
        return Limits(closest_A=self.closest_A, loneliest_A=self.loneliest_A, grade=self.grade)


class PotentialReportPlan(Document):
    r"""Potentials to judge.

    Example:
        >>> plan = PotentialReportPlan.from_text("potentials: [pedone-2006]\nmelts: [{formula: BaTiO3}]")
        >>> plan.potentials, plan.melts[0].name
        (('pedone-2006',), 'BaTiO3 2000 K')
    """

    ERROR: ClassVar[type[TammannError]] = DataError

    potentials: tuple[Name, ...] = Field(
        min_length=1, max_length=20, description="a list of potentials, names or files, such as [mine.ace.npz]"
    )
    reference: Name | None = Field(None, description="the potential that made the labels, such as chgnet")
    dataset: tuple[Name, ...] = Field((), max_length=100, description="a list of files of labelled frames")
    align_energies: Alignment = Field("elements", description="none, constant or elements")
    title: Annotated[str, Field(strict=True, max_length=200)] = Field("", description="a title")
    consistency: bool = Field(True, strict=True, description="true or false")
    drift: DriftTask | None = Field(DriftTask(), description="a block, or null for none")
    crystals: tuple[CrystalTask, ...] = Field((), max_length=50, description="a list of blocks with crystal")
    melts: tuple[MeltTask, ...] = Field((), max_length=50, description="a list of blocks with formula")
    stop: StopBlock = Field(StopBlock(), description="a block on what ends a run")
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 1

    @model_validator(mode="after")
    def _check(self) -> PotentialReportPlan:
        names = [short_name(name) for name in self.potentials]
        for key, values in (("potentials", names), ("crystals", [c.name for c in self.crystals]),
                            ("melts", [m.name for m in self.melts])):  # fmt: skip
            if twice := {value for value in values if values.count(value) > 1}:
                raise ValueError(f"{key}: expected each name once, got {sorted(twice)[0]} again; rename or remove one")
        return self

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the names of files that exist beside the plan made relative to its directory."""

        def placed(name: Any) -> Any:
            beside = Path(directory) / name if isinstance(name, str) else None
            return str(beside) if beside is not None and beside.is_file() else name

        known = dict(data)
        for key in ("potentials", "dataset"):
            if isinstance(known.get(key), list):
                known[key] = [placed(name) for name in known[key]]
        if "reference" in known:
            known["reference"] = placed(known["reference"])
        if isinstance(known.get("crystals"), list):
            known["crystals"] = [
                one | {"crystal": placed(one["crystal"])} if isinstance(one, dict) and "crystal" in one else one
                for one in known["crystals"]
            ]
        return known


def short_name(potential: str) -> str:
    """Return a potential's name in tables and folders: of a file its name without the folder.

    Example:
        >>> short_name("fits/general.ace.npz"), short_name("ase.calculators.emt:EMT")
        ('general.ace.npz', 'ase.calculators.emt:EMT')
    """
    return potential.replace("\\", "/").rpartition("/")[2]


def folder_name(text: str) -> str:
    """Return a text as the name of a folder.

    Example:
        >>> folder_name("ase.calculators.emt:EMT")
        'ase.calculators.emt-EMT'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
