"""Models of diffusivities by name: as published, and better ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.diffusivity import scikit_learn, xgboost
from tammann.diffusivity.regressor import Regressor, check_fitted, named_columns
from tammann.diffusivity.symbolic import LinearLaw, SymbolicRegression
from tammann.errors import DataError

UNIT_M2_PER_S = 1e-7
"""Models of D itself are fitted in 1e-3 cm²/s, the published unit, for which ``reg_alpha`` is stated."""
SMALLEST_M2_PER_S = 1e-13
"""In the place of a predicted D that is not positive."""
FARTHEST_ROOT = 2.0
"""The root of D is at most this many times that of the law, or this part of it."""


class HybridRegression(Regressor):
    """A symbolic law with trees on what it leaves: the law carries beyond the data, the trees add what is local.

    Args:
        names: Of the columns of X; those of a data frame, or x0, x1, ..., where empty.
        size: Terms of the law.
        residual: What is fitted to the residuals, any estimator of scikit-learn; extra trees where None.
        seed: Of the trees.
        root: Whether the residuals are those of exp(y/2), the square root of D, rather than of y = ln D, so that fast
            ions weigh more: sqrt(D) = sqrt(D_law) + residual. A root stays within a factor of two of that of the law,
            which alone decides where D is much smaller than in the data.

    Attributes:
        trend_: The fitted ``SymbolicRegression``.
        residual_: What was fitted to its residuals.

    Example:
        >>> import pytest; _ = pytest.importorskip("sklearn")
        >>> rng = np.random.default_rng(1)
        >>> X = rng.normal(size=(80, 3))
        >>> y = X[:, 0] - 2 * X[:, 1] + np.sin(3 * X[:, 2])
        >>> HybridRegression(("a", "b", "c"), size=2).fit(X, y).score(X, y) > 0.95
        True
    """

    trend_: SymbolicRegression
    residual_: Any

    def __init__(
        self, names: tuple[str, ...] = (), size: int = 4, residual: Any = None, seed: int = 0, root: bool = False
    ) -> None:
        self.names, self.size, self.residual, self.seed, self.root = names, size, residual, seed, root

    def fit(self, X: Any, y: Any) -> HybridRegression:
        """Fit the law, then the rest."""
        array, target = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        self.trend_ = SymbolicRegression(named_columns(X, self.names), self.size).fit(array, target)
        self.residual_ = self._residual()
        law = self.trend_.predict(array)
        self.residual_.fit(array, np.exp(target / 2) - np.exp(law / 2) if self.root else target - law)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return y, shape (N,), from the sum of both."""
        check_fitted(self, "residual_")
        array = np.asarray(X, dtype=float)
        law, rest = self.trend_.predict(array), np.asarray(self.residual_.predict(array), dtype=float)
        if not self.root:
            return law + rest
        return law + 2 * np.log(np.clip(1 + rest * np.exp(-law / 2), 1 / FARTHEST_ROOT, FARTHEST_ROOT))

    def _residual(self) -> Any:
        if self.residual is None:
            return scikit_learn.extra_trees(trees=200, seed=self.seed, min_samples_leaf=2, max_features=1.0)
        return scikit_learn.unfitted(self.residual)


class OfDiffusivity(Regressor):
    """A model of D itself with ln D (m²/s) as its target, as all others have.

    Args:
        model: Estimator of D in units of 1e-3 cm²/s.

    Attributes:
        model_: The fitted one.
    """

    model_: Any

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any) -> OfDiffusivity:
        """Fit to D = exp(y)."""
        self.model_ = scikit_learn.unfitted(self.model)
        # rounded, so that the last digit of a logarithm decides no split of a tree
        D = np.round(np.exp(np.asarray(y, dtype=float)) / UNIT_M2_PER_S, 12)
        self.model_.fit(np.asarray(X, dtype=float), D)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return ln D, m²/s, shape (N,)."""
        check_fitted(self, "model_")
        D = np.asarray(self.model_.predict(np.asarray(X, dtype=float)), dtype=float) * UNIT_M2_PER_S
        return np.log(np.maximum(D, SMALLEST_M2_PER_S))


@dataclass(frozen=True)
class ModelKind:
    """A model by name.

    Attributes:
        name: As in commands.
        description: What it is.
        make: Returns the estimator of ln D (m²/s) from columns of these names, with a seed.
    """

    name: str
    description: str
    make: Callable[[tuple[str, ...], int], Any]


def _hybrid(size: int, residual: Callable[[int], Any] | None) -> Callable[[tuple[str, ...], int], Any]:
    def make(names: tuple[str, ...], seed: int) -> Any:
        return HybridRegression(names, size, None if residual is None else residual(seed), seed)

    return make


def _trees_and_kernel(names: tuple[str, ...], seed: int) -> Any:
    if "temperature_K" not in names:
        raise DataError("hybrid-root: expected temperature_K among the names of the columns, got none; name them.")
    trees = scikit_learn.extra_trees(trees=200, seed=seed, min_samples_leaf=2, max_features=1.0)
    process = scikit_learn.gaussian_process(
        len(names), names.index("temperature_K"), length=6.0, noise=0.15, farthest=4.0
    )
    return HybridRegression(names, 4, scikit_learn.mean_of(trees=trees, process=process), seed, root=True)


def _published_boosting(seed: int) -> Any:
    return xgboost.boosted_trees(trees=100, depth=4, learning_rate=0.1, seed=seed, reg_alpha=0.8)


def _slow_boosting(seed: int) -> Any:
    return xgboost.boosted_trees(trees=200, depth=4, learning_rate=0.05, seed=seed, subsample=0.7, colsample_bytree=0.5)


MODELS = {
    kind.name: kind
    for kind in (
        ModelKind(
            "symbolic",
            "the best linear law of four features, ln D",
            lambda names, seed: SymbolicRegression(names, 4),
        ),
        ModelKind(
            "forest",
            "random forest of 100 trees on D, as published",
            lambda names, seed: OfDiffusivity(scikit_learn.random_forest(trees=100, seed=seed)),
        ),
        ModelKind(
            "boosting",
            "gradient boosting on D, as published: 100 trees of depth 4, learning rate 0.1, reg_alpha 0.8",
            lambda names, seed: OfDiffusivity(_published_boosting(seed)),
        ),
        ModelKind("hybrid", "a law of four features and extra trees on its residual, ln D", _hybrid(4, None)),
        ModelKind("hybrid-3", "the same with a law of three features", _hybrid(3, None)),
        ModelKind("hybrid-5", "the same with a law of five features", _hybrid(5, None)),
        ModelKind(
            "hybrid-half",
            "as hybrid, each split of the trees among half of the features",
            _hybrid(4, lambda s: scikit_learn.extra_trees(trees=200, seed=s, min_samples_leaf=2, max_features=0.5)),
        ),
        ModelKind(
            "hybrid-boosting", "a law of four features and boosted trees on its residual", _hybrid(4, _slow_boosting)
        ),
        ModelKind(
            "hybrid-kernel",
            "a law of four features and support vectors on its residual",
            _hybrid(4, lambda s: scikit_learn.support_vectors(C=1.0, gamma=0.01, epsilon=0.03)),
        ),
        ModelKind(
            "hybrid-root",
            "a law of four features and the mean of extra trees and a Gaussian process on its residual in sqrt(D)",
            _trees_and_kernel,
        ),
    )
}
"""Models by name. How many more were tried on the published table is told on the page of learned diffusivities."""


def make_model(name: str, names: tuple[str, ...], *, seed: int = 0) -> Any:
    """Return an estimator of ln D (m²/s), not fitted yet, with the interface of scikit-learn.

    Args:
        name: Of ``MODELS``.
        names: Of the columns of X.
        seed: Of what is drawn.

    Raises:
        DataError: No model has this name, or a package is not installed.

    Example:
        >>> make_model("symbolic", ("temperature_K", "PF")).size
        4
    """
    if name not in MODELS:
        raise DataError(f"model: expected one of {', '.join(MODELS)}, got {name!r}.")
    return MODELS[name].make(tuple(names), seed)


def law_of(model: Any) -> LinearLaw | None:
    """Return the symbolic law in a fitted model, or None where it has none."""
    trend = getattr(model, "trend_", model)
    return trend.law_ if isinstance(trend, SymbolicRegression) else None
