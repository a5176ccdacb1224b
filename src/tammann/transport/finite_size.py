"""Correction of self-diffusion coefficients for the finite size of a periodic box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.units import BOLTZMANN_J_PER_K

YEH_HUMMER_CONSTANT = 2.837297
"""Lattice sum of a cubic periodic cell (Yeh & Hummer 2004, eq. 13; Hasimoto's constant)."""


@dataclass(frozen=True, eq=False)
class FiniteSizeCorrection:
    """Self-diffusion coefficients of an infinite box, and the correction.

    Attributes:
        D_m2_per_s: Corrected, shape as given, m^2/s.
        D_stderr: Standard errors of both terms together, m^2/s, or None where those of D were not given. The
            correction is common to all species, so their errors are correlated.
        correction_m2_per_s: What was added to every D, m^2/s.
        correction_stderr: Its standard error from that of the viscosity, m^2/s.
        box_length_A: Edge of the cube, Angstrom.
        notes: Remarks, one sentence each.
    """

    D_m2_per_s: np.ndarray
    D_stderr: np.ndarray | None
    correction_m2_per_s: float
    correction_stderr: float
    box_length_A: float
    notes: tuple[str, ...] = ()


def correct_finite_size(
    D_m2_per_s: ArrayLike,
    *,
    cell_A: ArrayLike,
    temperature_K: float,
    viscosity_Pa_s: float,
    viscosity_stderr: float,
    D_stderr: ArrayLike | None = None,
) -> FiniteSizeCorrection:
    """Return self-diffusion coefficients corrected for hydrodynamic interaction with the periodic images.

    D_inf = D_pbc + xi kB T / (6 pi eta L), with xi = 2.837297, D_pbc = ``D_m2_per_s``, eta = ``viscosity_Pa_s`` and L
    the edge of the cube ``cell_A``. It holds for a fluid in a cubic cell, and only for self-diffusion.

    Args:
        D_m2_per_s: Any shape, m^2/s.
        cell_A: Edge of the cube, or lattice vectors as rows, shape (3, 3) or (F, 3, 3), Angstrom; their mean is used.
        temperature_K: K.
        viscosity_Pa_s: Shear viscosity of the same model at the same temperature, Pa s; it does not depend on the
            size of the box. Infinite for a solid.
        viscosity_stderr: Its standard error, Pa s.
        D_stderr: Standard errors of D, m^2/s.

    Raises:
        DataError: A cell that is not cubic within 1 %, or a viscosity that is not above zero or has no error.

    Reference:
        Yeh & Hummer, J. Phys. Chem. B 2004, 108, 15873, doi 10.1021/jp0477147.

    Example:
        >>> water = correct_finite_size(2.3e-9, cell_A=18.6, temperature_K=298.15,
        ...                             viscosity_Pa_s=0.89e-3, viscosity_stderr=0.01e-3)
        >>> float(water.D_m2_per_s.round(12))
        2.674e-09
    """
    D = np.array(D_m2_per_s, dtype=float)
    if not np.isfinite(temperature_K) or temperature_K <= 0:
        raise DataError(f"temperature_K is {temperature_K}, expected a number above 0 K.")
    if not viscosity_Pa_s > 0:
        raise DataError(f"viscosity_Pa_s is {viscosity_Pa_s}, expected a number above 0 Pa s; measure it first.")
    if viscosity_stderr is None or not (np.isfinite(viscosity_stderr) and viscosity_stderr >= 0):
        raise DataError(
            f"viscosity_stderr is {viscosity_stderr}, expected the standard error of the viscosity in Pa s."
        )
    length = _cube_edge(np.asarray(cell_A, dtype=float))
    added = YEH_HUMMER_CONSTANT * BOLTZMANN_J_PER_K * temperature_K / (6 * np.pi * viscosity_Pa_s * length * 1e-10)
    added_error = added * viscosity_stderr / viscosity_Pa_s
    error = None if D_stderr is None else np.hypot(np.asarray(D_stderr, dtype=float), added_error)
    if error is not None and error.shape != D.shape:
        raise DataError(f"D_stderr has shape {error.shape}, expected that of D_m2_per_s, {D.shape}.")
    notes = []
    if added > 0:
        notes.append(
            f"{added:.3g} m^2/s was added to every self-diffusion coefficient for the periodic images (Yeh and Hummer, "
            f"viscosity {viscosity_Pa_s:.3g} +- {viscosity_stderr:.2g} Pa s); L is left as it was measured."
        )
    if D.size and added > np.min(np.abs(D)):
        notes.append("The correction is larger than a coefficient it was added to; simulate a larger box.")
    return FiniteSizeCorrection(D + added, error, float(added), float(added_error), length, tuple(notes))


def _cube_edge(cell: np.ndarray) -> float:
    if cell.ndim == 0:
        if not cell > 0:
            raise DataError(f"cell_A is {float(cell)}, expected the edge of a cube above 0 Angstrom.")
        return float(cell)
    if cell.shape[-2:] != (3, 3) or cell.ndim > 3:
        raise DataError(f"cell_A has shape {cell.shape}, expected an edge, (3, 3) or (frames, 3, 3).")
    rows = cell.reshape(-1, 3, 3).mean(axis=0)
    edges = np.linalg.norm(rows, axis=1)
    if not edges.all():
        raise DataError("cell_A has a lattice vector of length zero; give the cell of the simulation.")
    angles = np.degrees(np.arccos([rows[i] @ rows[j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]))
    mean = edges.mean()
    if np.abs(edges / mean - 1).max() > 0.01 or np.abs(angles / 90 - 1).max() > 0.01:
        raise DataError(
            f"cell_A has edges {', '.join(f'{x:.2f}' for x in edges)} Angstrom and angles "
            f"{', '.join(f'{x:.1f}' for x in angles)} degrees, expected a cube within 1 %; "
            "the correction for other cells is another, so use a cubic cell."
        )
    return float(mean)
