"""Onsager transport coefficients of one phase at one temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e50
"""1/(J m s); ions of a dense gas at 1 K, flying freely, stay far below."""

HOTTEST_K = 1e5


@dataclass(frozen=True, eq=False, repr=False)
class OnsagerCoefficients(ShownAsTable):
    """The linear response of a phase: fluxes of its ions to gradients of their chemical potentials.

    J_i = -sum_j L_ij grad mu_j, with J in particles per m² and s, mu in J per particle, L = ``L``; the self part of
    L_ii is ``L_self``, and D_i = L_self_i kB T / c_i with the concentration c_i per m³.

    Attributes:
        formula: Composition of the (non-crystalline) phase.
        temperature_K: Temperature of the simulation, K.
        species: The S ions, in the order of the arrays.
        L: As measured, shape (S, S), 1/(J m s), symmetric, centre-of-mass frame. Noise may make an eigenvalue negative;
            fluxes are computed with ``dissipative``, correlation factors from ``L`` itself.
        L_self: Shape (S,), 1/(J m s), not negative.
        L_stderr: Standard errors of ``L``, shape (S, S), 1/(J m s), or None where none are known.
        L_self_stderr: Standard errors of ``L_self``, shape (S,), 1/(J m s), or None.
        volume_A3: Volume of the simulation cell, cubic Angstrom, or None where it is not known.
        source: Where the figures come from.

    Raises:
        DataError: Shapes that do not fit, values that are not finite, or an ``L`` that is not symmetric.

    Example:
        >>> import numpy as np
        >>> ions = OnsagerCoefficients("BaO", 1500.0, ("Ba", "O"), np.diag([1.0, 2.0]), np.array([2.0, 2.0]))
        >>> ions.correlation_factor.tolist()
        [-0.5, 0.0]
    """

    formula: str
    temperature_K: float
    species: tuple[str, ...]
    L: np.ndarray
    L_self: np.ndarray
    L_stderr: np.ndarray | None = None
    L_self_stderr: np.ndarray | None = None
    volume_A3: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        where = f"{self.formula} at {self.temperature_K:g} K"
        n = len(self.species)
        if not 0 < self.temperature_K <= HOTTEST_K:
            raise DataError(
                f"temperature_K of {self.formula} is {self.temperature_K:g}, expected a number above 0 K and up "
                f"to {HOTTEST_K:g}."
            )
        if self.volume_A3 is not None and not 0 < self.volume_A3 < np.inf:
            raise DataError(f"the cell volume of {where} is {self.volume_A3:g} Å³, expected a number above 0.")
        if len(set(self.species)) != n or n == 0:
            raise DataError(f"species of {where} are {list(self.species)}, expected distinct symbols, at least one.")
        shapes = {"L": (n, n), "L_self": (n,), "L_stderr": (n, n), "L_self_stderr": (n,)}
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None:
                continue
            array = np.array(value, dtype=float)
            if array.shape != shape:
                raise DataError(f"{name} of {where} has shape {array.shape}, expected {shape} for {n} species.")
            if not np.isfinite(array).all():
                raise DataError(f"{name} of {where} has a value that is not finite; give numbers.")
            if (np.abs(array) > LARGEST).any():
                raise DataError(
                    f"{name} of {where} has a value of {np.abs(array).max():g} 1/(J m s), expected at most "
                    f"{LARGEST:g}; check the unit."
                )
            if name != "L" and (array < 0).any():
                raise DataError(f"{name} of {where} has a negative value; expected 0 or more.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not np.allclose(self.L, self.L.T, rtol=1e-8, atol=1e-12 * np.abs(self.L).max(initial=0.0)):
            raise DataError(f"L of {where} is not symmetric, as Onsager's relations ask; give L_ij = L_ji.")

    def __repr__(self) -> str:
        factors = ", ".join(f"f_{ion} {f:+.2f}" for ion, f in zip(self.species, self.correlation_factor, strict=True))
        return f"OnsagerCoefficients({self.formula} {self.temperature_K:g} K: {factors})"

    def table(self) -> pd.DataFrame:
        """Return one row for each ion: its L_ij, L_self and their standard errors, 1/(J m s), and f."""
        import pandas as pd

        frame = pd.DataFrame({"ion": self.species, "L_self": self.L_self, "f": self.correlation_factor})
        for j, ion in enumerate(self.species):
            frame[f"L_{ion}"] = self.L[:, j]
            if self.L_stderr is not None:
                frame[f"L_{ion}_stderr"] = self.L_stderr[:, j]
        if self.L_self_stderr is not None:
            frame["L_self_stderr"] = self.L_self_stderr
        return frame

    @property
    def correlation_factor(self) -> np.ndarray:
        """f_i = L_ii / L_self_i - 1, shape (S,): 0 for ions that move independently."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.diag(self.L) / self.L_self - 1.0)

    @property
    def distinct(self) -> np.ndarray:
        """L_ii - L_self_i, shape (S,), 1/(J m s)."""
        return np.diag(self.L) - self.L_self

    @cached_property
    def dissipative(self) -> np.ndarray:
        """The positive semidefinite matrix nearest to ``L``, shape (S, S), 1/(J m s): no flux makes entropy vanish."""
        return nearest_positive_semidefinite(self.L)

    @property
    def smallest_eigenvalue_ratio(self) -> float:
        """Smallest over largest eigenvalue of ``L``; below zero, ``dissipative`` differs from it."""
        values = np.linalg.eigvalsh(self.L)
        return float(values[0] / np.abs(values).max()) if values.any() else 0.0

    @property
    def centre_of_mass_deviation(self) -> float:
        """The largest of |sum_j m_j L_ij| / sum_j |m_j L_ij| over the ions i; 0 in an exact barycentric frame."""
        weighted = self.L * species_masses(self.species)
        scale = np.abs(weighted).sum(axis=1)
        return float(np.max(np.abs(weighted.sum(axis=1)) / np.where(scale > 0, scale, 1.0)))


def nearest_positive_semidefinite(matrix: np.ndarray) -> np.ndarray:
    """Return the positive semidefinite matrix nearest to a symmetric one (Frobenius norm).

    Its eigenvalues below zero are replaced by zero.

    Args:
        matrix: Shape (S, S), symmetric.

    Reference:
        Higham, Linear Algebra Appl. 1988, 103, 103, doi 10.1016/0024-3795(88)90223-6.

    Example:
        >>> import numpy as np
        >>> nearest_positive_semidefinite(np.diag([2.0, -1.0])).tolist()
        [[2.0, 0.0], [0.0, 0.0]]
    """
    symmetric = (matrix + matrix.T) / 2.0
    values, vectors = np.linalg.eigh(symmetric)
    if values[0] >= 0:
        return symmetric
    return (vectors * np.maximum(values, 0.0)) @ vectors.T


def species_masses(species: tuple[str, ...]) -> np.ndarray:
    """Return the atomic masses of some elements in g/mol, shape (S,).

    Raises:
        DataError: A symbol that is not an element.

    Example:
        >>> species_masses(("O",)).round(2).tolist()
        [16.0]
    """
    try:
        return np.array([atomic_masses()[symbol] for symbol in species])
    except KeyError as error:
        raise DataError(f"species: {error.args[0]!r} is not an element whose mass is known; use its symbol.") from None
