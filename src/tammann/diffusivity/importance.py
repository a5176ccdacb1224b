"""Which features a model leans on: how much worse it gets when one is shuffled, on compositions it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.diffusivity.models import make_model
from tammann.diffusivity.table import DiffusivityTable
from tammann.diffusivity.validation import fold_numbers

if TYPE_CHECKING:
    import pandas as pd


def permutation_importance(
    table: DiffusivityTable, model: str, *, folds: int = 5, repeats: int = 5, seed: int = 0
) -> pd.DataFrame:
    """Return by how much the error of ln D grows when a feature is shuffled among the rows that are tested.

    Folds are drawn by composition, so a feature counts for what it tells of compositions that are new. Features that
    say the same share their importance: shuffling one leaves the other.

    Args:
        table: N rows.
        model: Of ``MODELS``.
        folds: Their number.
        repeats: Shuffles of each feature in each fold.
        seed: Of all draws.

    Returns:
        Columns ``feature``, ``importance`` (growth of the root mean square error of ln D), and ``spread`` (standard
        deviation over shuffles), largest first.

    Raises:
        DataError: As ``cross_validate``.

    Reference:
        Breiman, Mach. Learn. 2001, 45, 5, doi 10.1023/A:1010933404324.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    numbers = fold_numbers(table, folds=folds, seed=seed)
    squares = np.zeros((repeats, len(table.names)))
    base = 0.0
    for k in range(folds):
        test = numbers == k
        fitted = make_model(model, table.names, seed=seed).fit(table.features[~test], table.ln_D[~test])
        X, truth = table.features[test], table.ln_D[test]
        base += float(((fitted.predict(X) - truth) ** 2).sum())
        for j in range(len(table.names)):
            for r in range(repeats):
                shuffled = X.copy()
                shuffled[:, j] = rng.permutation(shuffled[:, j])
                squares[r, j] += float(((fitted.predict(shuffled) - truth) ** 2).sum())
    growth = np.sqrt(squares / table.n_rows) - np.sqrt(base / table.n_rows)
    spread = growth.std(axis=0, ddof=1) if repeats > 1 else np.zeros(len(table.names))
    frame = pd.DataFrame({"feature": table.names, "importance": growth.mean(axis=0), "spread": spread})
    return frame.sort_values("importance", ascending=False, ignore_index=True)
