"""Gradient-boosted trees, by XGBoost."""

from __future__ import annotations

from typing import Any

from tammann.errors import DataError


def boosted_trees(*, trees: int, depth: int, learning_rate: float, seed: int, **options: Any) -> Any:
    """Return an ``XGBRegressor`` on one thread.

    Args:
        trees: Their number.
        depth: Of each.
        learning_rate: Share of each that is added.
        seed: Of what is drawn.
        options: Further ones of XGBoost, such as ``reg_alpha``.

    Raises:
        DataError: XGBoost is not installed.
    """
    try:
        from xgboost import XGBRegressor
    except ImportError:
        raise DataError("gradient boosting needs XGBoost: pip install 'tammann[learn]'.") from None
    return XGBRegressor(
        n_estimators=trees, max_depth=depth, learning_rate=learning_rate, random_state=seed, n_jobs=1, **options
    )
