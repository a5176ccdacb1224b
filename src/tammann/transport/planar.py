"""Diffusion along the axes of a crystal: along its lattice vectors, within a plane, and across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.transport.measurement import OnsagerMeasurement


@dataclass(frozen=True, eq=False, repr=False)
class PlanarDiffusion(ShownAsTable):
    """Tracer diffusion of an ion by direction; errors are standard errors, all m²/s.

    Attributes:
        ion: The element.
        temperature_K: K.
        along: D along each lattice vector, shape (3,).
        along_stderr: Shape (3,).
        normal: Of the plane, a unit vector, shape (3,).
        in_plane: D within the plane: half of the trace of its tensor.
        in_plane_stderr: Its error.
        across: D along the normal.
        across_stderr: Its error.
        in_plane_tensor: Along two orthogonal directions of the plane, the principal ones, shape (2, 2), diagonal.
        in_plane_axes: These, unit vectors, shape (2, 3).
    """

    ion: str
    temperature_K: float
    along: np.ndarray
    along_stderr: np.ndarray
    normal: np.ndarray
    in_plane: float
    in_plane_stderr: float
    across: float
    across_stderr: float
    in_plane_tensor: np.ndarray
    in_plane_axes: np.ndarray

    def __repr__(self) -> str:
        return (
            f"PlanarDiffusion({self.ion} {self.temperature_K:g} K: {self.in_plane:.3g} in the plane, {self.across:.3g} "
            "m²/s across)"
        )

    def table(self):  # type: ignore[no-untyped-def]
        """Return one row for each direction: D and its standard error, m²/s."""
        import pandas as pd

        values = [*self.along, self.in_plane, self.across]
        errors = [*self.along_stderr, self.in_plane_stderr, self.across_stderr]
        directions = ["a", "b", "c", "in plane", "across"]
        return pd.DataFrame({"direction": directions, "D_m2_per_s": values, "D_stderr": errors})


def planar_diffusion(
    measurement: OnsagerMeasurement, ion: str, cell_A: ArrayLike, *, normal: ArrayLike | None = None
) -> PlanarDiffusion:
    """Return the diffusivities of an ion along the lattice vectors, within a plane, and across it.

    D(n) = n . D n with the tensor D = ``measurement.D_tensor_m2_per_s``. The measured error of its trace is shared out
    as for a Gaussian process: Cov(n D n, m D m) = 2 k (n D m)², k so that D itself keeps its error. Along an axis of
    rare hops it is the counting of these that matters: with m = 2 D(n) t N / d² of them, d the mean distance of atoms,
    the error is at least 1/sqrt(m) of the value. Axes that are nearly equal come out a little apart by chance, so that
    principal values are biased away from each other.

    Args:
        measurement: Of ``measure_onsager``.
        ion: Element.
        cell_A: Lattice vectors in rows, Å, shape (3, 3).
        normal: Of the plane, Cartesian, shape (3,); c* = a x b where None.

    Raises:
        DataError: An element that is not there, or a normal of no length.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> walk = Trajectory.example()
        >>> measured = measure_onsager(displacement_correlations(walk, frame="laboratory"))
        >>> planar = planar_diffusion(measured, "Mg", walk.cells[0])
        >>> bool(abs(planar.across - 1.25e-10) < 4 * planar.across_stderr)
        True
    """
    if ion not in measurement.species:
        raise DataError(f"there is no {ion!r} in {measurement.formula}; name one of {', '.join(measurement.species)}.")
    k = measurement.species.index(ion)
    tensor = np.asarray(measurement.D_tensor_m2_per_s[k])
    cell = np.asarray(cell_A, dtype=float)
    up = np.cross(cell[0], cell[1]) if normal is None else np.asarray(normal, dtype=float)
    if up.shape != (3,) or not np.isfinite(up).all() or not np.linalg.norm(up) > 0:
        raise DataError(f"normal is {up.tolist()}, expected three numbers, not all of them 0.")
    up = up / np.linalg.norm(up)
    mean = float(np.trace(tensor)) / 3.0
    assert measurement.apparent.L_self_stderr is not None
    stderr = float(measurement.apparent.L_self_stderr[k] * measurement.kT_over_c[k])
    # Var(tr D / 3) = 2 k sum_ab D_ab² / 9
    squares = float((tensor**2).sum())
    share = 9.0 * stderr**2 / (2.0 * squares) if squares > 0 else 0.0

    assert measurement.apparent.volume_A3 is not None
    site_m2 = (measurement.apparent.volume_A3 / measurement.counts.sum()) ** (2.0 / 3.0) * 1e-20
    counting = site_m2 / (2.0 * measurement.duration_ps * 1e-12 * measurement.counts[k])  # error² over value, m²/s

    def error(weight: np.ndarray) -> float:
        """Standard error of sum_ab weight_ab D_ab, for a symmetric weight."""
        gaussian = 2.0 * share * np.einsum("ab,bc,cd,da", weight, tensor, weight, tensor)
        rare = counting * np.einsum("ab,bc,ca", weight, weight, tensor)
        return float(np.sqrt(max(gaussian, rare, 0.0)))

    directions = cell / np.linalg.norm(cell, axis=1, keepdims=True)
    along = np.einsum("na,ab,nb->n", directions, tensor, directions)
    plane = np.eye(3) - np.outer(up, up)
    basis = np.linalg.svd(plane)[0][:, :2].T
    values, vectors = np.linalg.eigh(basis @ tensor @ basis.T)
    order = np.argsort(-values)
    return PlanarDiffusion(
        ion=ion,
        temperature_K=measurement.temperature_K,
        along=along,
        along_stderr=np.array([error(np.outer(n, n)) for n in directions]),
        normal=up,
        in_plane=0.5 * (3.0 * mean - float(up @ tensor @ up)),
        in_plane_stderr=error(plane / 2.0),
        across=float(up @ tensor @ up),
        across_stderr=error(np.outer(up, up)),
        in_plane_tensor=np.diag(values[order]),
        in_plane_axes=(vectors.T @ basis)[order],
    )
