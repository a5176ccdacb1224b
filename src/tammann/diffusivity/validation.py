"""How well a model predicts compositions that it has not seen: folds by composition, seeds, nested choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.diffusivity.models import make_model
from tammann.diffusivity.table import DiffusivityTable
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress

if TYPE_CHECKING:
    import pandas as pd

Make = Callable[[tuple[str, ...], int], Any]


def fold_numbers(table: DiffusivityTable, *, folds: int = 5, seed: int = 0, grouped: bool = True) -> np.ndarray:
    """Return the fold of each row, shape (N,), drawn by compositions, or by rows.

    Args:
        table: N rows.
        folds: Their number; as many compositions, or rows, in each as can be.
        seed: Of the draw.
        grouped: All rows of a composition in one fold. Drawn by rows, nearly every row is tested on a model that has
            seen its composition at another temperature.

    Raises:
        DataError: Fewer than two folds, or more than compositions.
    """
    groups = table.groups if grouped else np.arange(table.n_rows)
    n = int(groups.max()) + 1
    if n < 2:
        raise DataError(f"table: expected two or more {'compositions' if grouped else 'rows'} for folds, got {n}.")
    if not 2 <= folds <= n:
        raise DataError(
            f"folds: expected 2 to {n}, the number of {'compositions' if grouped else 'rows'}, got {folds}."
        )
    numbers = np.empty(n, dtype=np.int64)
    numbers[np.random.default_rng(seed).permutation(n)] = np.arange(n) % folds
    return numbers[groups]


def leaked_share(table: DiffusivityTable, train: np.ndarray, test: np.ndarray) -> float:
    """Return the share of test rows whose composition is in the training set; ``train`` and ``test`` number rows."""
    groups = table.groups
    return float(np.isin(groups[test], groups[train]).mean())


@dataclass(frozen=True)
class Scores:
    """Errors of predictions.

    Attributes:
        rmse_D_m2_per_s: Root mean square error of D, m²/s.
        rmse_ln_D: Of ln D.
        mae_ln_D: Mean absolute error of ln D.
        r2_D: R² of D.
        r2_ln_D: R² of ln D.
    """

    rmse_D_m2_per_s: float
    rmse_ln_D: float
    mae_ln_D: float
    r2_D: float
    r2_ln_D: float


def scores(ln_D: np.ndarray, predicted: np.ndarray) -> Scores:
    """Return the errors of predicted ln D (m²/s), both of shape (N,).

    Example:
        >>> scores(np.log([1e-9, 2e-9]), np.log([1e-9, 1e-9])).rmse_D_m2_per_s
        7.07...e-10
    """
    D, guess = np.exp(ln_D), np.exp(predicted)

    def r2(truth: np.ndarray, values: np.ndarray) -> float:
        return float(1.0 - ((truth - values) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())

    return Scores(
        float(np.sqrt(np.mean((D - guess) ** 2))),
        float(np.sqrt(np.mean((ln_D - predicted) ** 2))),
        float(np.abs(ln_D - predicted).mean()),
        r2(D, guess),
        r2(ln_D, predicted),
    )


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(ShownAsTable):
    """Predictions of every row by models that have not seen it, for several draws of the folds.

    Attributes:
        model: Its name.
        table_of: What was predicted.
        grouped: Whether the folds were drawn by compositions.
        folds: Their number.
        seeds: Of the draws, S of them.
        predicted: ln D (m²/s), shape (S, N).
        leaked: Share of test rows whose composition was in training.
    """

    model: str
    table_of: DiffusivityTable
    grouped: bool
    folds: int
    seeds: tuple[int, ...]
    predicted: np.ndarray
    leaked: float

    def __repr__(self) -> str:
        mean, spread = self.mean("rmse_D_m2_per_s")
        how = "by composition" if self.grouped else "by row"
        return f"CrossValidation({self.model}, {how}: RMSE of D {1e8 * mean:.3f} ± {1e8 * spread:.3f} e-8 m²/s)"

    def scores(self) -> list[Scores]:
        """Return the errors of each draw."""
        return [scores(self.table_of.ln_D, row) for row in self.predicted]

    def mean(self, name: str) -> tuple[float, float]:
        """Return the mean of a score over the draws, and its standard deviation (n - 1; zero for one)."""
        values = np.array([getattr(one, name) for one in self.scores()])
        return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0

    def table(self) -> pd.DataFrame:
        """Return one row for each draw with its scores."""
        import pandas as pd

        return pd.DataFrame([{"seed": s, **vars(one)} for s, one in zip(self.seeds, self.scores(), strict=True)])


def cross_validate(
    table: DiffusivityTable,
    model: str,
    *,
    folds: int = 5,
    seeds: Sequence[int] = (0,),
    grouped: bool = True,
    progress: Progress | None = None,
) -> CrossValidation:
    """Predict every row of a table by a model fitted to the other folds, for several draws of the folds.

    All that the model chooses, such as the terms of a symbolic law, is chosen within the training folds.

    Args:
        table: N rows.
        model: Of ``MODELS``.
        folds: Their number.
        seeds: One for each draw; also of the model.
        grouped: Whether rows of a composition stay together.
        progress: Called with the fraction done.

    Raises:
        DataError: An unknown model, a package that is missing, or more folds than compositions.
    """
    predicted = np.empty((len(seeds), table.n_rows))
    leaked = []
    for s, seed in enumerate(seeds):
        numbers = fold_numbers(table, folds=folds, seed=seed, grouped=grouped)
        for k in range(folds):
            test = numbers == k
            fitted = make_model(model, table.names, seed=seed).fit(table.features[~test], table.ln_D[~test])
            predicted[s, test] = fitted.predict(table.features[test])
            leaked.append(leaked_share(table, np.flatnonzero(~test), np.flatnonzero(test)))
            if progress is not None:
                progress((s * folds + k + 1) / (len(seeds) * folds), f"{model}, fold {k + 1}", None)
    return CrossValidation(model, table, grouped, folds, tuple(seeds), predicted, float(np.mean(leaked)))


@dataclass(frozen=True, eq=False)
class NestedChoice:
    """A model chosen among several within each outer fold, and the errors of the choice on the fold that it never saw.

    Attributes:
        candidates: The models tried.
        chosen: That of each outer fold, by draw, shape (S, folds).
        predicted: ln D (m²/s) of every row, shape (S, N).
        scores: Of each draw.
    """

    candidates: tuple[str, ...]
    chosen: tuple[tuple[str, ...], ...]
    predicted: np.ndarray
    scores: tuple[Scores, ...]


def nested_choice(
    table: DiffusivityTable,
    candidates: Sequence[str],
    *,
    folds: int = 5,
    inner_folds: int = 5,
    seeds: Sequence[int] = (0,),
    score: str = "rmse_D_m2_per_s",
    progress: Progress | None = None,
) -> NestedChoice:
    """Choose a model by grouped cross-validation within the training part of each fold, and test the choice.

    Comparing models on folds and quoting the best is optimistic the more models there are; here each choice is tested
    on compositions that took no part in it.

    Args:
        table: N rows.
        candidates: Names of models.
        folds: Outer ones.
        inner_folds: Within each training part.
        seeds: Of the draws.
        score: The smallest of it is chosen.
        progress: Called with the fraction done.

    Raises:
        DataError: As ``cross_validate``.
    """
    predicted = np.empty((len(seeds), table.n_rows))
    chosen = []
    for s, seed in enumerate(seeds):
        numbers = fold_numbers(table, folds=folds, seed=seed)
        names = []
        for k in range(folds):
            test = numbers == k
            inner = table.take(~test)
            found = {
                name: cross_validate(inner, name, folds=inner_folds, seeds=(seed + 1000,)).mean(score)[0]
                for name in candidates
            }
            best = min(found, key=found.__getitem__)
            names.append(best)
            fitted = make_model(best, table.names, seed=seed).fit(inner.features, inner.ln_D)
            predicted[s, test] = fitted.predict(table.features[test])
            if progress is not None:
                progress((s * folds + k + 1) / (len(seeds) * folds), f"nested, fold {k + 1}: {best}", None)
        chosen.append(tuple(names))
    return NestedChoice(
        tuple(candidates), tuple(chosen), predicted, tuple(scores(table.ln_D, row) for row in predicted)
    )
