"""Shares of the features in each prediction, by SHAP."""

from __future__ import annotations

from typing import Any

import numpy as np

from tammann.diffusivity.models import HybridRegression
from tammann.diffusivity.symbolic import INVERSE, SymbolicRegression
from tammann.errors import DataError


def shap_values(fitted: Any, X: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the Shapley values of the features of a fitted model, exactly.

    prediction = base + sum_k value_k. A linear law gives c_k (x_k - <x_k>), trees what TreeSHAP finds; a hybrid the sum
    of both. Values of a law are about the rows given, those of trees about the rows they were grown on.

    Args:
        fitted: A fitted symbolic law without operators, or a hybrid with trees.
        X: Shape (N, F).

    Returns:
        Shape (N, F), as ln D, and the base.

    Raises:
        DataError: Another kind of model, or shap is not installed.

    Reference:
        Lundberg et al., Nat. Mach. Intell. 2020, 2, 56, doi 10.1038/s42256-019-0138-9.
    """
    trend = getattr(fitted, "trend_", fitted)
    if not isinstance(trend, SymbolicRegression) or trend.depth:
        raise DataError(f"SHAP: expected a symbolic law without operators or a hybrid, got {type(fitted).__name__}.")
    values, base = _of_law(trend, X)
    if isinstance(fitted, HybridRegression):
        try:
            import shap
        except ImportError:
            raise DataError("SHAP values of trees need shap: pip install 'tammann[learn]'.") from None
        try:
            explainer = shap.TreeExplainer(fitted.residual_)
        except Exception as error:  # shap raises a kind of its own
            raise DataError(f"SHAP: expected trees on the residual, got {type(fitted.residual_).__name__}.") from error
        values = values + np.asarray(explainer.shap_values(X, check_additivity=False))
        base += float(np.ravel(explainer.expected_value)[0])
    return values, base


def _of_law(trend: SymbolicRegression, X: np.ndarray) -> tuple[np.ndarray, float]:
    columns = trend.columns(X)
    values, base = np.zeros(X.shape), trend.law_.intercept
    for coefficient, term in zip(trend.law_.coefficients, trend.law_.terms, strict=True):
        name = "temperature_K" if term.name == INVERSE else term.name
        column = columns[term.name]
        values[:, trend.names.index(name)] = coefficient * (column - column.mean())
        base += coefficient * float(column.mean())
    return values, base
