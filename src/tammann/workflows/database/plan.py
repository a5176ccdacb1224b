"""The plan of ``tammann database``: which compositions are melted, quenched and measured, and what is kept of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tammann.diffusivity.composition_features import composition_features
from tammann.errors import RecipeError, TammannError
from tammann.potentials import load_potential
from tammann.potentials.lammps_commands import LammpsCommands
from tammann.recipe_blocks import Formula, number_field
from tammann.strict import Document
from tammann.structures.crystals import load_crystal
from tammann.workflows.melt.plan import Femtoseconds, Kelvin, MeltPlan, Picoseconds, UpToHundred, VolumeSearch

KEYS_OF_MELTS = (
    "temperatures_K potential engine atoms volume_per_atom_A3 replicas production_ps timestep_fs thermostat damping_fs "
    "frame_fs stress_fs melt_K melt_ps cool_ps settle_ps volume seed"
).split()
"""Keys that go on to the melts as they are."""
LARGEST_TARGET = 1.0


class DatabasePlan(Document):
    r"""Compositions of a database of disordered structures and their diffusivities.

    Example:
        >>> plan = DatabasePlan.from_text("compositions: [Li2O, Li2TiO3]\ntemperatures_K: [1500, 2000]")
        >>> plan.ion, plan.melt_K, plan.melts().melts
        ('Li', 5000.0, ('Li2O', 'Li2TiO3'))
    """

    ERROR: ClassVar[type[TammannError]] = RecipeError

    compositions: tuple[Formula, ...] = Field(
        min_length=1, max_length=10_000, description="a list of formulas, such as [Li3PS4, Li2SiO3]"
    )
    ion: Annotated[str, Field(strict=True, pattern=r"^[A-Z][a-z]?$")] = Field(
        "Li", description="the symbol of the mobile ion"
    )
    temperatures_K: tuple[Annotated[float, Field(strict=True, ge=300, le=6000)], ...] = Field(
        (1000.0, 1500.0, 2000.0, 2500.0),
        min_length=1,
        max_length=100,
        description="temperatures from 300 to 6000 K in a list, such as [1500, 2000]",
    )
    potential: Annotated[str, Field(strict=True, min_length=1, max_length=200)] = Field(
        "pedone-2006", description="a potential by name, file or module:callable"
    )
    engine: Literal["lammps", "ase", "torch-sim"] = Field("lammps", description="lammps, ase or torch-sim")
    atoms: Annotated[int, number_field("a number from 20 to 100000", ge=20, le=100_000)] = 100
    volume_per_atom_A3: Annotated[
        float | None, number_field("a volume from 1 to 1000 Å3, from which the search starts", ge=1, le=1000)
    ] = None
    replicas: UpToHundred = 1
    production_ps: Picoseconds = 50.0
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0
    thermostat: Literal["nose-hoover", "langevin", "berendsen"] = Field(
        "nose-hoover", description="nose-hoover, langevin or berendsen"
    )
    damping_fs: Femtoseconds = 100.0
    frame_fs: Femtoseconds = 100.0
    stress_fs: Femtoseconds = 20.0
    melt_K: Kelvin = 5000.0
    melt_ps: Picoseconds = 5.0
    cool_ps: Picoseconds = 10.0
    settle_ps: Picoseconds = 5.0
    volume: VolumeSearch = Field(VolumeSearch(), description="a block on the search for the volume")
    frames: Annotated[int, number_field("a number of frames kept of each run from 1 to 1000", ge=1, le=1000)] = 10
    crystals: tuple[Annotated[str, Field(strict=True, min_length=1, max_length=1000)], ...] = Field(
        (), max_length=1000, description="crystals of the hull, by name or file, such as [Li2O.cif, SiO2.cif]"
    )
    relax_steps: Annotated[int, number_field("a number of steps from 0 to 100000", ge=0, le=100_000)] = 0
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 1

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files of a potential and of crystals relative to a directory."""

        def there(name: Any) -> Any:
            return str(Path(directory, name)) if isinstance(name, str) and Path(directory, name).is_file() else name

        found = dict(data)
        if "potential" in found:
            found["potential"] = there(found["potential"])
        if isinstance(found.get("crystals"), list):
            found["crystals"] = [there(name) for name in found["crystals"]]
        return found

    @model_validator(mode="after")
    def _check(self) -> DatabasePlan:
        try:
            for formula in self.compositions:
                composition_features(formula, ion=self.ion)
            for name in self.crystals:
                load_crystal(name)
            self.melts()
            if self.crystals and isinstance(load_potential(self.potential), LammpsCommands):
                raise RecipeError(
                    f"crystals: expected a potential that gives energies of crystals, got the LAMMPS commands "
                    f"{self.potential}; leave the crystals out or take another potential."
                )
        except TammannError as error:
            text = str(error).removesuffix(".").replace("melts: ", "compositions: ", 1)
            raise ValueError(text) from None
        return self

    def melts(self) -> MeltPlan:
        """Return the plan of the melts of this one.

        Raises:
            RecipeError: They cannot be made as they are asked for.
        """
        return MeltPlan(
            melts=self.compositions,
            target_error=LARGEST_TARGET,
            **self.model_dump(include=set(KEYS_OF_MELTS)),
        )
