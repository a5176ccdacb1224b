"""Extrapolation grades: a number on every environment that says how far it lies outside the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tammann.potentials.selection import maxvol


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """The environments of one element that span its training data best.

    Attributes:
        inverse: A^-1, shape (K, K): inverse of the matrix whose rows are the invariant functions of the chosen
            environments.
        used: Shape (K,), indices of the functions that the grade sees, among all functions of the potential.
        thresholds: Grades above which a configuration is collected and a run is stopped.
    """

    inverse: np.ndarray
    used: np.ndarray
    thresholds: tuple[float, float] = (5.0, 100.0)

    @property
    def environments(self) -> np.ndarray:
        """Invariant functions of the chosen environments, shape (K, K)."""
        return np.asarray(np.linalg.inv(self.inverse))


def grades(functions: np.ndarray, active: ActiveSet) -> np.ndarray:
    """Return the extrapolation grade of environments, shape (N,).

    gamma = max_k | (b A^-1)_k |: the largest coefficient with which the environments of the active set have to be
    combined to give the functions b of this one. Up to 1 it lies between them; above 1 the linear energy is
    extrapolated.

    Args:
        functions: b, shape (N, number of functions of the potential).
        active: A^-1.

    Reference:
        Podryabinkin and Shapeev, Comput. Mater. Sci. 2017, 140, 171, doi 10.1016/j.commatsci.2017.08.031;
        Lysogorskiy et al., Phys. Rev. Mater. 2023, 7, 043801, doi 10.1103/PhysRevMaterials.7.043801.

    Example:
        >>> import numpy as np
        >>> corners = make_active_set(np.array([[1.0, 0.0], [0.0, 2.0], [0.3, 0.3]]))
        >>> grades(np.array([[0.5, 0.5], [3.0, 0.0]]), corners)
        array([0.5, 3. ])
    """
    chosen = functions if len(active.used) == functions.shape[1] else functions[:, active.used]
    return np.abs(chosen @ active.inverse).max(axis=1, initial=0.0)


def make_active_set(functions: np.ndarray, *, thresholds: tuple[float, float] = (5.0, 100.0)) -> ActiveSet:
    """Return the active set of environments of one element by MaxVol.

    Functions that the data do not tell apart from others are left out of the grade.

    Args:
        functions: Invariant functions of all environments of the element in the training data, shape (N, K).
        thresholds: Grades above which a configuration is collected and a run is stopped.
    """
    from scipy.linalg import qr

    # scaled, so that rounding means the same for every function; the grade does not depend on the scale
    scale = np.abs(functions).max(axis=0)
    alive = np.flatnonzero(scale > 0)
    _, triangle, order = qr(functions[:, alive] / scale[alive], mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    rank = int((diagonal > 1e-10 * diagonal[0]).sum())
    used = np.sort(alive[order[:rank]])
    found = maxvol(functions[:, used] / scale[used])
    return ActiveSet(found.inverse / scale[used][:, None], used, thresholds)
