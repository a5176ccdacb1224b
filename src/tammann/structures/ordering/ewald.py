"""Electrostatic energy of orderings through one matrix: each energy is then a product with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.special import erfc

from tammann.errors import DataError
from tammann.structures.ordering.block import OrderingBlock
from tammann.structures.ordering.orderings import Orderings
from tammann.units import COULOMB_EV_A

LOST = 1e-15
"""Of a pair's energy, where either sum is cut."""
CHUNK = 65536


def ewald_matrix(fractional: ArrayLike, cell_A: ArrayLike) -> np.ndarray:
    """Return the matrix of which the electrostatic energy of point charges is half a quadratic form.

    E = (1/2) sum_ij q_i M_ij q_j, with M_ij = e2/(4 pi eps0) [sum_n erfc(a r_ijn)/r_ijn
    + (4 pi/V) sum_k exp(-k²/4a²) cos(k.r_ij)/k² - pi/(V a²) - delta_ij 2a/sqrt(pi)]: a background neutralises a cell
    that is charged, and conducting surroundings cancel its dipole. The result does not depend on a, chosen such that
    both sums are equally long.

    Args:
        fractional: Coordinates of the N sites, shape (N, 3).
        cell_A: Shape (3, 3), Å.

    Returns:
        Shape (N, N), symmetric, eV per squared elementary charge.

    Raises:
        DataError: Two sites coincide.

    Example:
        >>> salt = [[0, 0, 0], [0.5, 0.5, 0.5]]  # Madelung's constant of CsCl is 1.76267
        >>> m = ewald_matrix(salt, np.eye(3))
        >>> round(float(-(m[0, 0] - m[0, 1]) / COULOMB_EV_A * 3**0.5 / 2), 5)
        1.76267
    """
    at, cell = np.asarray(fractional, dtype=float).reshape(-1, 3), np.asarray(cell_A, dtype=float)
    n, volume = len(at), abs(float(np.linalg.det(cell)))
    screening = math.sqrt(math.pi) / volume ** (1 / 3)
    reach = math.sqrt(-math.log(LOST))
    inverse = np.linalg.inv(cell)
    real = _shifts(reach / screening, 1.0 / np.linalg.norm(inverse, axis=0))
    apart = at[:, None] - at[None]
    apart -= np.round(apart)
    matrix = np.zeros((n, n))
    farthest = reach / screening + np.linalg.norm(apart @ cell, axis=-1).max()
    real = real[len(real) // 2 :]  # what is at -n of one site has it at n: of the two one, and zero
    for shift in real[np.linalg.norm(real @ cell, axis=1) <= farthest]:
        distance = np.linalg.norm((apart + shift) @ cell, axis=-1)
        if not shift.any():
            np.fill_diagonal(distance, np.inf)
        if distance.min(initial=np.inf) < 1e-6:
            i, j = np.unravel_index(int(distance.argmin()), distance.shape)
            raise DataError(f"sites {int(i)} and {int(j)} coincide, expected different places; remove one of them.")
        pairs = erfc(screening * distance) / distance
        matrix += pairs + pairs.T if shift.any() else pairs
    waves = _shifts(2.0 * screening * reach, 2.0 * math.pi / np.linalg.norm(cell, axis=1))
    waves = waves[len(waves) // 2 + 1 :]  # of k and -k one, without zero in their middle
    k = 2.0 * math.pi * waves @ inverse.T
    k2 = (k**2).sum(axis=1)
    waves, k2 = waves[k2 <= (2.0 * screening * reach) ** 2], k2[k2 <= (2.0 * screening * reach) ** 2]
    weight = 8.0 * math.pi / volume * np.exp(-k2 / (4.0 * screening**2)) / k2
    phase = np.exp(2j * math.pi * (at @ waves.T))
    matrix += ((phase * weight) @ phase.conj().T).real
    matrix -= math.pi / (volume * screening**2)
    matrix[np.diag_indices(n)] -= 2.0 * screening / math.sqrt(math.pi)
    return np.asarray(COULOMB_EV_A * (matrix + matrix.T) / 2.0)


def _shifts(length: float, heights: np.ndarray) -> np.ndarray:
    """Return all integer vectors needed for a sphere of a radius about any place of the cell."""
    most = np.ceil(length / heights + 0.5).astype(int)
    return np.array(list(product(*(range(-m, m + 1) for m in most))))


@dataclass(frozen=True, eq=False, repr=False)
class EwaldEnergies:
    """Electrostatic energies of the arrangements of a block.

    E = constant + h.q + q.J.q/2, with q the charges on the M disordered sites, h the potential of the fixed ions there
    and J the matrix of the disordered sites.

    Attributes:
        block: The block.
        constant_eV: Energy of the fixed ions, eV.
        field_eV_per_e: h, shape (M,), eV/e.
        matrix_eV_per_e2: J, shape (M, M), eV/e².
        charges_e: Charge of each species on each site, by its number, shape (M, K), e.
    """

    block: OrderingBlock
    constant_eV: float
    field_eV_per_e: np.ndarray
    matrix_eV_per_e2: np.ndarray
    charges_e: np.ndarray

    def __repr__(self) -> str:
        return f"EwaldEnergies({self.block!r})"

    def energies_eV(self, arrangements: ArrayLike) -> np.ndarray:
        """Return the energy of each arrangement, eV per block, shape (n,).

        Args:
            arrangements: Numbers of species, shape (n, M).

        Raises:
            DataError: Another number of sites.
        """
        codes = np.asarray(arrangements)
        if codes.ndim != 2 or codes.shape[1] != self.block.n_sites:
            raise DataError(f"arrangements: expected shape (n, {self.block.n_sites}), got {codes.shape}.")
        out = np.empty(len(codes))
        for start in range(0, len(codes), CHUNK):
            out[start : start + CHUNK] = _quadratic(
                codes[start : start + CHUNK].astype(np.int8), self.charges_e, self.field_eV_per_e, self.matrix_eV_per_e2
            )
        return np.asarray(out + self.constant_eV)


@njit(cache=True, fastmath=True)
def _quadratic(codes, charges, field, matrix):  # type: ignore[no-untyped-def]
    n, m = codes.shape
    out = np.empty(n)
    q = np.empty(m)
    for a in range(n):
        for i in range(m):
            q[i] = charges[i, codes[a, i]]
        energy = 0.0
        for i in range(m):
            if q[i] == 0.0:
                continue
            total = 0.0
            for j in range(i):
                total += matrix[i, j] * q[j]
            energy += q[i] * (field[i] + total + 0.5 * matrix[i, i] * q[i])
        out[a] = energy
    return out


def ewald_energies(block: OrderingBlock) -> EwaldEnergies:
    """Return what the electrostatic energies of a block follow from: its charges and the Ewald matrix of its sites.

    Raises:
        DataError: Sites coincide, or no species has a charge.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, ordering_block
        >>> sites = {"M": ({"Na": 0.5, "K": 0.5}, (0, 0, 0)), "X": ({"Cl": 1}, (0.5, 0.5, 0.5))}
        >>> block = ordering_block(disordered_crystal("Fm-3m", (6, 6, 6, 90, 90, 90), sites))
        >>> ewald_energies(block).energies_eV([[0, 0, 1, 1], [0, 1, 0, 1]]).round(3).tolist()
        [-33.552, -33.552]
    """
    if not any(block.charges.values()):
        raise DataError(f"{block!r}: expected charges of its species, got none; name them (with_charges).")
    m = block.n_sites
    matrix = ewald_matrix(np.vstack([block.fractional, block.fixed_fractional]), block.cell_A)
    fixed = np.array([block.charges[species] for species in block.fixed])
    most = max((len(s.species) for s in block.sublattices), default=1)
    charges = np.zeros((m, most))
    for s in block.sublattices:
        charges[slice(*s.sites), : len(s.species)] = [block.charges[species] for species in s.species]
    constant = 0.5 * float(fixed @ matrix[m:, m:] @ fixed)
    return EwaldEnergies(block, constant, matrix[:m, m:] @ fixed, np.ascontiguousarray(matrix[:m, :m]), charges)


def with_ewald(orderings: Orderings, energies: EwaldEnergies | None = None) -> Orderings:
    """Return orderings with their electrostatic energies, eV per block.

    Args:
        orderings: Of one block.
        energies: Of that block, computed where None.

    Raises:
        DataError: As ``ewald_energies``.
    """
    found = energies or ewald_energies(orderings.block)
    return replace(orderings, energies_eV=found.energies_eV(orderings.arrangements))
