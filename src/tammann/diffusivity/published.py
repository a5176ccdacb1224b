"""The published protocol, number by number: what a table as the published one gives with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.diffusivity.models import make_model
from tammann.diffusivity.scikit_learn import published_folds, published_split
from tammann.diffusivity.table import DiffusivityTable
from tammann.diffusivity.validation import leaked_share, scores
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    import pandas as pd

SEED = 62


@dataclass(frozen=True, eq=False, repr=False)
class PublishedProtocol(ShownAsTable):
    """Errors of a model by the published protocol.

    Attributes:
        model: Its name.
        ordered: RMSE of D in each of five folds in the order of the training rows, m²/s.
        shuffled: The same with folds that a seed of 62 shuffles.
        test: RMSE of D of the 15 % that were left out, m²/s.
        leaked: Share of these whose composition is in the training set.
        test_rows: Their numbers.
        test_predicted: ln D (m²/s) predicted for them.
    """

    model: str
    ordered: np.ndarray
    shuffled: np.ndarray
    test: float
    leaked: float
    test_rows: np.ndarray
    test_predicted: np.ndarray

    def table(self) -> pd.DataFrame:
        """Return the means over folds, their standard deviation (n) and the error of the test set, m²/s."""
        import pandas as pd

        rows = {
            "five folds in order": self.ordered,
            "five folds, shuffled": self.shuffled,
            "test": np.array([self.test]),
        }
        return pd.DataFrame([{"rows": k, "rmse_D_m2_per_s": v.mean(), "spread": v.std()} for k, v in rows.items()])

    def __repr__(self) -> str:
        return f"PublishedProtocol({self.model}: {1e8 * self.shuffled.mean():.3f}e-8 m²/s over folds)"


def published_protocol(table: DiffusivityTable, model: str) -> PublishedProtocol:
    """Return the errors of a model by the published protocol, which draws by rows.

    85 % of the rows are drawn for training (``random_state`` 62), five folds of these give the error that is quoted, as
    the mean over folds; the rest is the test set. The compositions of nearly all test rows are in the training set at
    other temperatures, so that these errors say little about compositions that are new; see ``cross_validate``.

    Raises:
        DataError: An unknown model, or scikit-learn is not installed.

    Reference:
        Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2.
    """
    train, test = published_split(table.n_rows, seed=SEED)

    def rmse(fitted_on: np.ndarray, tested_on: np.ndarray) -> tuple[float, np.ndarray]:
        fitted = make_model(model, table.names, seed=SEED).fit(table.features[fitted_on], table.ln_D[fitted_on])
        predicted = fitted.predict(table.features[tested_on])
        return scores(table.ln_D[tested_on], predicted).rmse_D_m2_per_s, predicted

    folds = {
        seed: np.array([rmse(train[a], train[b])[0] for a, b in published_folds(len(train), seed=seed)])
        for seed in (None, SEED)
    }
    error, predicted = rmse(train, test)
    return PublishedProtocol(model, folds[None], folds[SEED], error, leaked_share(table, train, test), test, predicted)
