"""Which grain boundaries to compute: blocks of a plan, and the planes that they stand for in a crystal."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from tammann.errors import DataError, RecipeError, TammannError
from tammann.md.load import engines_for
from tammann.potentials import load_potential
from tammann.recipe_blocks import number_field
from tammann.strict import Block, Document
from tammann.structures import Configuration
from tammann.structures.coincidence import (
    EXACT,
    BoundaryPlane,
    Coincidence,
    boundary_planes,
    find_coincidences,
    symmetric_tilt,
)
from tammann.structures.crystals import load_crystal

PERIODS_A = 60.0, 150.0
"""Up to which periods planes of a coincidence are looked for, the second where the first has none."""
SEARCHED_STRAIN = 0.02
"""Strain of the whole common plane up to which coincidences are looked for. Only that of the boundary is applied: a
symmetric tilt often needs none."""
Integer = Annotated[int, Field(strict=True, ge=-200, le=200)]
Steps = Annotated[int, Field(strict=True, ge=1, le=50)]
Vector = tuple[Integer, Integer, Integer]


class Boundary(Block):
    """One boundary: a symmetric tilt by about an angle, or a plane of a coincidence.

    Example:
        >>> Boundary(angle_deg=9.5).name((0, 0, 1)), Boundary(sigma=5, plane=(2, 1, 0)).name((0, 0, 1))
        ('tilt 9.5 about 0 0 1', 'sigma 5 about 0 0 1 on 2 1 0')
    """

    angle_deg: Annotated[float, number_field("an angle from 0 to 180 degrees", ge=0, le=180)] | None = None
    sigma: Annotated[int, number_field("a whole number from 1 to 200", ge=1, le=200)] | None = None
    axis: Vector | None = Field(None, description="a lattice vector of three integers, such as [0, 0, 1]")
    plane: Vector | None = Field(
        None, description="Miller indices of the plane in one of the grains, such as [2, 1, 0]"
    )
    tolerance_deg: Annotated[float, number_field("an angle from 0.001 to 5 degrees", ge=0.001, le=5)] = 0.25

    @model_validator(mode="after")
    def _check(self) -> Boundary:
        if self.angle_deg is None and self.sigma is None:
            raise ValueError("expected an angle_deg of a tilt or the sigma of a coincidence, got neither; add one")
        if self.sigma is None and self.plane is not None:
            raise ValueError("expected a plane only with the sigma of a coincidence; remove it or add sigma")
        return self

    def name(self, axis: Vector) -> str:
        """Return what tells this boundary from others, where the plan has an axis."""
        words = [f"tilt {self.angle_deg:g}" if self.sigma is None else f"sigma {self.sigma}"]
        if self.sigma is not None and self.angle_deg is not None:
            words.append(f"{self.angle_deg:g}")
        words.append("about {} {} {}".format(*(self.axis or axis)))
        return " ".join([*words, *(["on {} {} {}".format(*self.plane)] if self.plane else [])])

    def find(self, crystal: Configuration, axis: Vector, *, largest_strain: float) -> BoundaryPlane:
        """Return the plane in a crystal.

        Of a coincidence it is the one nearest to ``angle_deg``, or else with the least strain; of its planes the tilt
        of the shortest period, symmetric ones first, unless ``plane`` says which; planes that the symmetry of the
        lattice about the axis makes equivalent are one.

        Raises:
            DataError: There is none, or it needs a larger strain.
        """
        turned, name = self.axis or axis, self.name(axis)
        if self.sigma is None:
            assert self.angle_deg is not None
            found = symmetric_tilt(crystal.cell_A, turned, angle_deg=self.angle_deg, tolerance_deg=self.tolerance_deg)
        else:
            coincidence = self._coincidence(crystal.cell_A, turned, max(largest_strain, SEARCHED_STRAIN), name)
            found = self._plane(crystal.cell_A, coincidence, name)
        if found.strain > largest_strain + EXACT:
            raise DataError(
                f"{name}: needs a strain of {100 * found.strain:.3g} %; allow it with largest_strain or choose a plane."
            )
        return found

    def _coincidence(self, cell: np.ndarray, axis: Vector, strain: float, name: str) -> Coincidence:
        assert self.sigma is not None
        every = _coincidences(tuple(map(tuple, cell.tolist())), axis, self.sigma, strain)
        wanted = self.angle_deg
        options = [
            c
            for c in every
            if c.sigma == self.sigma and (wanted is None or abs(c.angle_deg - wanted) <= self.tolerance_deg)
        ]
        if not options:
            raise DataError(
                f"{name}: no such coincidence needs a strain of at most {100 * strain:g} %; 'tammann structure "
                "coincidences' lists those there are."
            )
        return min(options, key=lambda c: c.strain if wanted is None else abs(c.angle_deg - wanted))

    def _plane(self, cell: np.ndarray, coincidence: Coincidence, name: str) -> BoundaryPlane:
        alike = None if self.plane is None else _equivalents(cell, coincidence.axis, self.plane)
        planes: tuple[BoundaryPlane, ...] = ()
        for period_A in PERIODS_A:
            planes = boundary_planes(cell, coincidence, largest_period_A=period_A)
            chosen = [p for p in planes if alike is None or not alike.isdisjoint({p.miller_1, p.miller_2})]
            if chosen:
                return min(chosen, key=lambda p: (p.kind == "twist", p.kind != "symmetric tilt", p.period_A))
        known = ", ".join("({} {} {})".format(*p.miller_1) for p in planes[:8])
        raise DataError(f"{name}: expected a plane of this coincidence, such as {known}; choose one of them.")


class GrainBoundaryPlan(Document):
    r"""Which boundaries of which crystal, how to look for their best translations, and with which potential.

    Example:
        >>> text = "crystal: BaZrS3\npotential: pedone-2006\nboundaries: [{angle_deg: 9.5}]"
        >>> try:
        ...     GrainBoundaryPlan.from_text(text)
        ... except RecipeError as error:
        ...     print("S" in str(error))
        True
    """

    ERROR: ClassVar[type[TammannError]] = RecipeError

    crystal: Annotated[str, Field(strict=True, min_length=1, max_length=1000)] = Field(
        description="a crystal of the package, or a file"
    )
    potential: Annotated[str, Field(strict=True, min_length=1, max_length=1000)] = Field(
        description="a potential by name, file or module:callable"
    )
    boundaries: tuple[Boundary, ...] = Field(
        min_length=1, max_length=100, description="a list of boundaries, such as [{angle_deg: 9.5}, {sigma: 25}]"
    )
    engine: Literal["lammps", "ase", "torch-sim"] = Field("ase", description="lammps, ase or torch-sim")
    axis: Vector = Field((0, 0, 1), description="a lattice vector of three integers, such as [0, 0, 1]")
    thickness_A: Annotated[float, number_field("a thickness of each grain from 3 to 1000 Å", ge=3, le=1000)] = 20.0
    translations: tuple[Steps, Steps] = Field((4, 4), description="two numbers of steps from 1 to 50, such as [4, 4]")
    gaps_A: tuple[Annotated[float, Field(strict=True, ge=-5, le=20)], ...] = Field(
        (0.0,), min_length=1, max_length=20, description="spaces added at each boundary, Å, such as [0, 0.5]"
    )
    largest_strain: Annotated[float, number_field("a strain from 0 to 0.1", ge=0, le=0.1)] = 0.0
    relax: Annotated[int, number_field("a number from 1 to 10000, or null for all", ge=1, le=10_000)] | None = 3
    steps: Annotated[int, number_field("a number of steps from 0 to 100000", ge=0, le=100_000)] = 500
    force_eV_per_A: Annotated[float, number_field("a force from 1e-5 to 1 eV/Å", ge=1e-5, le=1)] = 0.05

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files of a crystal and a potential relative to a directory."""
        for key in ("crystal", "potential"):
            if isinstance(data.get(key), str) and Path(directory, data[key]).is_file():
                data = data | {key: str(Path(directory, data[key]))}
        return data

    @model_validator(mode="after")
    def _check(self) -> GrainBoundaryPlan:
        try:
            crystal = load_crystal(self.crystal)
            potential = load_potential(self.potential)
            potential.check(set(crystal.symbols), formula=_formula(crystal))
            names = [name for name, _ in self.planes(crystal)]
        except TammannError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        if len(set(names)) != len(names) or len(set(self.gaps_A)) != len(self.gaps_A):
            raise ValueError("expected each boundary and each of gaps_A once; remove the repeated one")
        if self.engine not in (engines := engines_for(potential)):
            raise ValueError(
                f"engine: expected {' or '.join(engines)} with the potential {self.potential}, got {self.engine}; "
                "choose another engine or potential"
            )
        return self

    def planes(self, crystal: Configuration) -> list[tuple[str, BoundaryPlane]]:
        """Return the name and the plane of every boundary in a crystal.

        Raises:
            DataError: There is no such boundary, or it needs a larger strain.
        """
        strain = self.largest_strain
        return [
            (each.name(self.axis), each.find(crystal, self.axis, largest_strain=strain)) for each in self.boundaries
        ]


def _formula(crystal: Configuration) -> str:
    return "".join(f"{symbol}{number}" for symbol, number in Counter(crystal.symbols).items())


@cache
def _coincidences(
    cell: tuple[tuple[float, ...], ...], axis: Vector, sigma: int, strain: float
) -> tuple[Coincidence, ...]:
    return find_coincidences(cell, axis, largest_sigma=sigma, largest_strain=strain)


def _equivalents(cell: np.ndarray, axis: Vector, plane: Vector) -> set[tuple[int, ...]]:
    """Return the Miller indices of the planes that the symmetry of the lattice about an axis takes a plane to."""
    metric = cell @ cell.T
    changes = np.array(list(product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    kept = np.abs(changes @ metric @ changes.transpose(0, 2, 1) - metric).max(axis=(1, 2)) < 1e-4 * metric.max()
    turned = np.array(axis) @ changes
    kept &= np.abs(np.cross(turned, axis)).max(axis=1) == 0
    return {tuple(image) for image in (changes[kept] @ np.array(plane)).tolist()}
