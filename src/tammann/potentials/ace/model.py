"""A linear atomic cluster expansion: what it is made of, its energies and forces, and its file."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase.data import atomic_numbers

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import digest, json_safe, whole_path
from tammann.potentials.ace import kernel
from tammann.potentials.ace.basis import AceBasis
from tammann.potentials.ace.neighbours import Neighbours, find_neighbours
from tammann.potentials.extrapolation import ActiveSet, grades

FORMAT = 1
SUFFIX = ".ace.npz"


class AceResult(NamedTuple):
    """What an expansion gives for one configuration.

    Attributes:
        energies_eV: Shape (N,), energy of each atom.
        forces_eV_per_A: Shape (N, 3).
        virial_eV: Shape (3, 3); divided by the volume it is the stress.
        functions: Shape (N, K), invariant functions of each atom, or (0, K) where they were not asked for.
        inside: Shape (N,), whether an atom has a neighbour nearer than the inner radius, where no function sees it.
    """

    energies_eV: np.ndarray
    forces_eV_per_A: np.ndarray
    virial_eV: np.ndarray
    functions: np.ndarray
    inside: np.ndarray


@dataclass(frozen=True, eq=False)
class Radii:
    """Lengths of an expansion by pair of elements, Å; arrays have shape (S, S) and are symmetric.

    Attributes:
        cutoff: Neighbours farther than this do not count.
        scales: Where radial functions vary most: the usual distance of neighbours.
        inner: Where they vanish at short range.
        width: Over which they rise there.
        repulsion_starts: Below this the screened nuclear repulsion acts in full.
        repulsion_ends: Beyond this it is off.
    """

    cutoff: float
    scales: np.ndarray
    inner: np.ndarray
    width: float
    repulsion_starts: np.ndarray
    repulsion_ends: np.ndarray


@dataclass(frozen=True, eq=False)
class AceModel:
    """A linear atomic cluster expansion over a repulsive pair potential.

    E = sum_i [ E0(z_i) + sum_k c_k(z_i) B_k(i) ] + sum of pair repulsions (Ziegler, Biersack and Littmark).

    Attributes:
        basis: Invariant functions B.
        radii: Lengths.
        coefficients: c, shape (S, K), eV.
        reference_energies_eV: E0, shape (S,), eV.
        active_sets: For each element its set of environments, or an empty tuple.
        provenance: Data, settings and errors of the fit, and the version of this package, in the form of JSON.
        digest: SHA-256 of the file that it was read from, or an empty string.

    Reference:
        Drautz, Phys. Rev. B 2019, 99, 014104, doi 10.1103/PhysRevB.99.014104.
    """

    basis: AceBasis
    radii: Radii
    coefficients: np.ndarray
    reference_energies_eV: np.ndarray
    active_sets: tuple[ActiveSet, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        basis = self.basis
        s, k = len(basis.elements), len(basis)
        if self.coefficients.shape != (s, k) or self.reference_energies_eV.shape != (s,):
            raise DataError(
                f"coefficients: expected shape ({s}, {k}) and {s} reference energies, got "
                f"{self.coefficients.shape} and {self.reference_energies_eV.shape}."
            )
        # what the kernel reads, made once: c_k summed onto the products, and where species and orders begin
        folded = np.zeros((s, len(basis.products)))
        owner = np.repeat(np.arange(k), np.diff(basis.rows))
        for z in range(s):
            np.add.at(folded[z], basis.columns, basis.values * self.coefficients[z, owner])
        begin = np.searchsorted(basis.a_species, np.arange(s + 1)).astype(np.int64)
        ends = np.searchsorted(basis.orders, [1, 2, 3, 4], side="right").astype(np.int64)
        numbers = np.array([float(atomic_numbers[e]) for e in basis.elements])
        object.__setattr__(self, "_kernel", (folded, begin, ends, numbers))

    def __repr__(self) -> str:
        graded = "with" if self.active_sets else "without"
        return f"AceModel({'-'.join(self.elements)}, {len(self.basis)} functions per element, {graded} active set)"

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements that it knows."""
        return self.basis.elements

    @property
    def cutoff_A(self) -> float:
        """Cutoff, Å."""
        return self.radii.cutoff

    def species(self, symbols: Sequence[str]) -> np.ndarray:
        """Return the species of atoms, shape (N,).

        Raises:
            DataError: An element that was not in the training data.
        """
        place = {symbol: k for k, symbol in enumerate(self.elements)}
        unknown = sorted(set(symbols) - set(place))
        if unknown:
            raise DataError(
                f"potential knows {', '.join(self.elements)} and not {', '.join(unknown)}; train it on them."
            )
        return np.array([place[symbol] for symbol in symbols], dtype=np.int64)

    def evaluate(
        self,
        positions_A: np.ndarray,
        cell_A: np.ndarray,
        species: np.ndarray,
        neighbours: Neighbours,
        *,
        functions: bool,
    ) -> AceResult:
        """Return energies, forces and virial, and the invariant functions where asked for.

        Args:
            positions_A: Shape (N, 3), Å, in the images for which the neighbours were found.
            cell_A: Shape (3, 3), Å.
            species: Shape (N,), as ``species`` returns them.
            neighbours: List that holds every pair nearer than the cutoff.
            functions: Whether the invariant functions are wanted.
        """
        basis, radii = self.basis, self.radii
        folded, begin, ends, numbers = self._kernel  # type: ignore[attr-defined]
        shifts = neighbours.images @ cell_A
        energies, forces, virial, values = kernel.evaluate(
            positions_A, species, neighbours.first, neighbours.indices, shifts,
            radii.scales, radii.inner, radii.width, radii.cutoff, basis.n_radial, basis.l_max, kernel.NORMS,
            begin, basis.a_radial, basis.a_harmonic, basis.products, ends, folded,
            basis.rows, basis.columns, basis.values, functions,
        )  # fmt: skip
        inside = np.zeros(len(species), dtype=np.bool_)
        kernel.fill_repulsion(
            positions_A, species, numbers, neighbours.first, neighbours.indices, shifts,
            radii.repulsion_starts, radii.repulsion_ends, radii.inner, energies, forces, virial, inside,
        )  # fmt: skip
        return AceResult(energies + self.reference_energies_eV[species], forces, virial, values, inside)

    def single(
        self, symbols: Sequence[str], positions_A: np.ndarray, cell_A: np.ndarray, *, functions: bool
    ) -> AceResult:
        """Return what ``evaluate`` returns for a configuration by itself."""
        positions = np.ascontiguousarray(positions_A, dtype=float)
        cell = np.ascontiguousarray(cell_A, dtype=float)
        neighbours = find_neighbours(positions, cell, self.cutoff_A)
        return self.evaluate(positions, cell, self.species(symbols), neighbours, functions=functions)

    def grades(self, result: AceResult, species: np.ndarray) -> np.ndarray:
        """Return the extrapolation grade of each atom, shape (N,); see ``extrapolation.grades``.

        An atom with a neighbour nearer than the inner radius, where no function sees it, has an infinite one.

        Raises:
            DataError: The model holds no active set.
        """
        if not self.active_sets:
            raise DataError("potential has no active set, so no grade; train it with active_set: true.")
        found = np.zeros(len(species))
        for z, active in enumerate(self.active_sets):
            here = species == z
            if here.any():
                found[here] = grades(result.functions[here], active)
        found[result.inside] = np.inf
        return found

    def save(self, path: str | os.PathLike[str]) -> AceModel:
        """Write the potential to a file that ends in .ace.npz and return it with the digest of that file.

        Raises:
            DataError: Another ending.
        """
        if not os.fspath(path).endswith(SUFFIX):
            raise DataError(f"{path}: expected a name that ends in {SUFFIX}.")
        basis, radii = self.basis, self.radii
        head = {
            "format": FORMAT, "elements": basis.elements, "n_radial": basis.n_radial, "l_max": basis.l_max,
            "cutoff_A": radii.cutoff, "width_A": radii.width,
            "active_sets": [{"thresholds": a.thresholds, "n": len(a.inverse)} for a in self.active_sets],
            "provenance": {"tammann": __version__, **self.provenance},
        }  # fmt: skip
        arrays = {f"basis_{name}": getattr(basis, name) for name in _BASIS_ARRAYS}
        arrays |= {f"radii_{name}": getattr(radii, name) for name in _RADII_ARRAYS}
        for z, active in enumerate(self.active_sets):
            arrays[f"active_{z}_inverse"] = active.inverse
        with whole_path(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file,
                head=np.frombuffer(json.dumps(json_safe(head)).encode(), dtype=np.uint8),
                coefficients=self.coefficients,
                reference_energies=self.reference_energies_eV,
                **arrays,
            )
        return replace(self, digest=digest(Path(path)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> AceModel:
        """Read a potential from a file that ``save`` wrote.

        Raises:
            DataError: The file cannot be read, or a later version wrote it.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                head = json.loads(bytes(data["head"]).decode())
                if head["format"] > FORMAT:
                    raise DataError(f"{path}: written by a later version of tammann; update it.")
                basis = AceBasis(
                    elements=tuple(head["elements"]), n_radial=head["n_radial"], l_max=head["l_max"],
                    **{name: data[f"basis_{name}"] for name in _BASIS_ARRAYS},
                )  # fmt: skip
                radii = Radii(
                    cutoff=head["cutoff_A"], width=head["width_A"],
                    **{name: data[f"radii_{name}"] for name in _RADII_ARRAYS},
                )  # fmt: skip
                sets = tuple(
                    ActiveSet(data[f"active_{z}_inverse"], tuple(entry["thresholds"]))
                    for z, entry in enumerate(head["active_sets"])
                )
                return cls(
                    basis, radii, data["coefficients"], data["reference_energies"], sets, head["provenance"],
                    digest(Path(path)),
                )  # fmt: skip
        except FileNotFoundError:
            raise DataError(f"{path}: there is no such file.") from None
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as reason:
            raise DataError(
                f"{path}: expected a potential written by tammann ({SUFFIX}), cannot read it ({reason})."
            ) from None


_BASIS_ARRAYS = (
    "a_species", "a_radial", "a_harmonic", "products", "orders", "rows", "columns", "values", "function_orders",
    "degrees",
)  # fmt: skip
_RADII_ARRAYS = ("scales", "inner", "repulsion_starts", "repulsion_ends")
