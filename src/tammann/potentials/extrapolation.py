"""Extrapolation grades: a number on every environment that says how far it lies outside the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tammann.potentials.selection import maxvol

UNKNOWN = 1e-4
"""Size of the environment that stands for each function by itself, in units of what functions usually reach."""
SMALL = 1e-4
"""Functions that reach less than this, in units of the largest, do not count to the usual ones."""


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """The environments of one element that span its training data best.

    Attributes:
        inverse: A^-1, shape (K + 1, K + 1): inverse of the matrix whose rows are the chosen environments: their K
            invariant functions, and a column of ones, since the energy of an atom has a constant too.
        thresholds: Grades above which a configuration is collected and a run is stopped.
    """

    inverse: np.ndarray
    thresholds: tuple[float, float] = (5.0, 100.0)


def grades(functions: np.ndarray, active: ActiveSet) -> np.ndarray:
    """Return the extrapolation grade of environments, shape (N,).

    gamma = max_k | (b A^-1)_k |: the largest coefficient with which the environments of the active set have to be
    combined to give the functions b of this one. Up to 1 it lies between them; above 1 the linear energy is
    extrapolated.

    Args:
        functions: Invariant functions, shape (N, K); b has a 1 besides.
        active: A^-1.

    Reference:
        Podryabinkin and Shapeev, Comput. Mater. Sci. 2017, 140, 171, doi 10.1016/j.commatsci.2017.08.031;
        Lysogorskiy et al., Phys. Rev. Mater. 2023, 7, 043801, doi 10.1103/PhysRevMaterials.7.043801.

    Example:
        >>> import numpy as np
        >>> line = make_active_set(np.array([[1.0], [3.0], [2.0]]))  # between 1 and 3 it knows
        >>> grades(np.array([[2.0], [3.0], [7.0]]), line)
        array([0.5, 1. , 3. ])
    """
    return np.abs(combinations(functions, active)).max(axis=1, initial=0.0)


def combinations(functions: np.ndarray, active: ActiveSet) -> np.ndarray:
    """Return the coefficients b A^-1, shape (N, K + 1), of which the grade is the largest."""
    return np.asarray(functions @ active.inverse[:-1] + active.inverse[-1])


def make_active_set(functions: np.ndarray, *, thresholds: tuple[float, float] = (5.0, 100.0)) -> ActiveSet:
    """Return the active set of environments of one element by MaxVol.

    Besides the data, one environment for each function competes, in which that function alone is excited, to a
    ten-thousandth of what it reaches in the data or of what functions usually reach, whichever is more. They are chosen
    where the data do not tell functions apart, so that whatever excites such a function or combination has a high
    grade. What functions usually reach is the measure where one has reached next to nothing, as those of a pair that
    has only just come within the cutoff: measured by itself, the next hundredth of an Å would have any grade.

    Args:
        functions: Invariant functions of all environments of the element in the training data, shape (N, K).
        thresholds: Grades above which a configuration is collected and a run is stopped.
    """
    k = functions.shape[1]
    scale = np.abs(functions).max(axis=0, initial=0.0)
    largest = scale.max(initial=0.0)
    scale = np.maximum(scale, np.median(scale[scale > SMALL * largest]) if largest > 0.0 else 1.0)
    rows = np.hstack([functions / scale, np.ones((len(functions), 1))])
    single = np.hstack([UNKNOWN * np.eye(k), np.zeros((k, 1))])
    only = np.zeros((1, k + 1))
    only[0, -1] = UNKNOWN  # for an element without any environment
    found = maxvol(np.vstack([rows, single, only]))
    inverse = found.inverse.copy()
    inverse[:-1] /= scale[:, None]
    return ActiveSet(inverse, thresholds)
