"""Shares of the features in each prediction, by SHAP."""

from __future__ import annotations

from typing import Any

import numpy as np

from tammann.diffusivity.models import UNIT_M2_PER_S, HybridRegression, OfDiffusivity
from tammann.diffusivity.symbolic import INVERSE, SymbolicRegression
from tammann.errors import DataError


def shap_values(fitted: Any, X: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the Shapley values of the features of a fitted model, exactly.

    prediction = base + sum_k value_k. A linear law gives c_k (x_k - <x_k>), trees what TreeSHAP finds; a hybrid the sum
    of both. Values of a law are about the rows given, those of trees about the rows they were grown on.

    Args:
        fitted: A fitted symbolic law without operators, a hybrid with trees, or a forest or boosted trees of D.
        X: Shape (N, F).

    Returns:
        Shape (N, F), and the base; as ln D, or as D in m²/s of models of D itself (``forest``, ``boosting``).

    Raises:
        DataError: Another kind of model, or shap is not installed.

    Reference:
        Lundberg et al., Nat. Mach. Intell. 2020, 2, 56, doi 10.1038/s42256-019-0138-9.
    """
    if isinstance(fitted, OfDiffusivity):
        values, base = _of_trees(fitted.model_, X)
        return UNIT_M2_PER_S * values, UNIT_M2_PER_S * base
    trend = getattr(fitted, "trend_", fitted)
    if not isinstance(trend, SymbolicRegression) or trend.depth:
        raise DataError(
            "SHAP: expected a symbolic law without operators, a hybrid, a forest or boosted trees, got "
            f"{type(fitted).__name__}."
        )
    values, base = _of_law(trend, X)
    if isinstance(fitted, HybridRegression):
        if fitted.root:
            raise DataError(
                "SHAP: expected a sum of a law and trees, got a hybrid in sqrt(D), where they do not add up."
            )
        more, rest = _of_trees(fitted.residual_, X)
        values, base = values + more, base + rest
    return values, base


def _of_trees(trees: Any, X: np.ndarray) -> tuple[np.ndarray, float]:
    try:
        import shap
    except ImportError:
        raise DataError("SHAP values of trees need shap: pip install 'tammann[learn]'.") from None
    try:
        explainer = shap.TreeExplainer(trees)
    except Exception as error:  # shap raises a kind of its own
        raise DataError(f"SHAP: expected trees, got {type(trees).__name__}.") from error
    values = np.asarray(explainer.shap_values(X, check_additivity=False), dtype=float)
    return values, float(np.ravel(explainer.expected_value)[0])


def _of_law(trend: SymbolicRegression, X: np.ndarray) -> tuple[np.ndarray, float]:
    columns = trend.columns(X)
    values, base = np.zeros(X.shape), trend.law_.intercept
    for coefficient, term in zip(trend.law_.coefficients, trend.law_.terms, strict=True):
        name = "temperature_K" if term.name == INVERSE else term.name
        column = columns[term.name]
        values[:, trend.names_.index(name)] = coefficient * (column - column.mean())
        base += coefficient * float(column.mean())
    return values, base
