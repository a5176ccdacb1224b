"""How far a structure lies from those that a model has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tammann.errors import DataError

NEAREST = 5
"""Over how many of the nearest compositions distances are averaged."""
FAR = 0.95
"""Share of the training compositions that lie nearer to the others than what is called far."""


@dataclass(frozen=True, eq=False)
class Applicability:
    """Distances to a training set, and how those of the set itself are distributed.

    d(x) = mean over the ``NEAREST`` nearest compositions of the smallest root mean square difference of standardized
    features to one of their rows. The reference are the distances of every training row to the other compositions.

    Attributes:
        mean: Of the features in training, shape (F,).
        spread: Their standard deviations, shape (F,).
        rows: Standardized training rows, shape (N, F).
        groups: Composition of each row, from 0, shape (N,).
        own: Distances of the training rows to the other compositions, ascending, shape (N,).
    """

    mean: np.ndarray
    spread: np.ndarray
    rows: np.ndarray
    groups: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, groups: np.ndarray) -> Applicability:
        """Return the applicability of a training set, from features (N, F) and the composition of each row (N,).

        Raises:
            DataError: Fewer than two compositions.

        Example:
            >>> known = Applicability.of(np.array([[0.0], [1.0], [2.0]]), np.arange(3))
            >>> known.percentile(known.distance(np.array([[1.0], [50.0]]))).tolist()
            [0.0, 100.0]
        """
        if len(np.unique(groups)) < 2:
            raise DataError("expected two or more compositions to learn from, got one.")
        mean, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 1e-12 * np.abs(features).max(axis=0, initial=1e-300), spread, 1.0)
        rows = (features - mean) / spread
        own = _distances(rows, rows, groups, skip=groups)
        return cls(mean, spread, rows, groups, np.sort(own))

    def distance_within(self) -> np.ndarray:
        """Return the distance of each training row from the other compositions, shape (N,)."""
        return _distances(self.rows, self.rows, self.groups, skip=self.groups)

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Return the distance of structures from the training set, in standard deviations, from (M, F), shape (M,)."""
        return _distances((features - self.mean) / self.spread, self.rows, self.groups, skip=None)

    def percentile(self, distance: np.ndarray) -> np.ndarray:
        """Return the share of the training rows that lie nearer to the other compositions, %, shape (M,)."""
        return 100.0 * np.searchsorted(self.own, distance, side="left") / len(self.own)

    @property
    def far_distance(self) -> float:
        """The distance beyond which structures are far: that within which 95 % of the training rows lie."""
        return float(self.own[min(math.floor(FAR * len(self.own) + 1e-9), len(self.own) - 1)])

    def is_far(self, distance: np.ndarray) -> np.ndarray:
        """Return whether distances are beyond those of 95 % of the training rows, shape (M,)."""
        return np.asarray(distance) > self.far_distance


def _distances(points: np.ndarray, rows: np.ndarray, groups: np.ndarray, skip: np.ndarray | None) -> np.ndarray:
    squares = (points**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1) - 2.0 * points @ rows.T
    squares = np.maximum(squares, 0.0) / rows.shape[1]
    number = int(groups.max()) + 1
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(number))
    nearest = np.sqrt(np.minimum.reduceat(squares[:, order], starts, axis=1))
    if skip is not None:
        nearest[np.arange(len(points)), skip] = np.inf
    k = min(NEAREST, number - (skip is not None))
    return np.partition(nearest, k - 1, axis=1)[:, :k].mean(axis=1)
