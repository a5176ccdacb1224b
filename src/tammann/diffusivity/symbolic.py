"""Best-subset regression: the linear law of a few features, or of what operators make of them, found exhaustively."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.diffusivity.expressions import OPERATORS, Expression, expand_features
from tammann.diffusivity.regressor import Regressor, check_fitted, named_columns
from tammann.errors import DataError
from tammann.units import BOLTZMANN_EV_PER_K

INVERSE = "1/kBT"
"""The feature that stands for the temperature in linear models, 1/eV."""
TOLERANCE = 1e-8
MOST_SUBSETS = 2e9


@dataclass(frozen=True)
class LinearLaw:
    """y = intercept + sum_k c_k x_k.

    Attributes:
        terms: The columns x_k.
        coefficients: c_k, in the order of the terms.
        intercept: As y.
        rmse: Root mean square of the residuals of the fit, as y.
        n_subsets: How many subsets it is the best of.
    """

    terms: tuple[Expression, ...]
    coefficients: tuple[float, ...]
    intercept: float
    rmse: float
    n_subsets: int

    def __str__(self) -> str:
        words = [f"{c:+.6g} {term}" for c, term in zip(self.coefficients, self.terms, strict=True)]
        return " ".join([*words, f"{self.intercept:+.6g}"])

    def predict(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        """Return y, shape (N,), from features by name, each of shape (N,)."""
        values = [c * term.evaluate(columns) for c, term in zip(self.coefficients, self.terms, strict=True)]
        return np.asarray(self.intercept + np.sum(values, axis=0))


PUBLISHED_LAW = LinearLaw(
    tuple(Expression(name=name) for name in (INVERSE, "LNC", "LLB", "PF")),
    (-0.33394, -0.10646, 0.11243, -1.94623),
    -3.55039 - 4.0 * math.log(10.0),
    0.3645,
    123_410,
)
"""ln D (m²/s) of Li in disordered solids, as published (there in cm²/s): Zheng et al., npj Comput. Mater. 2024, 10,
295, doi 10.1038/s41524-024-01469-2. It needs neither the table nor scikit-learn."""


def best_laws(
    expressions: Sequence[Expression], X: np.ndarray, y: np.ndarray, *, size: int, keep: int = 1
) -> list[LinearLaw]:
    """Return the best least-squares laws of ``size`` columns out of F, looking at every subset.

    The residual sum of squares of every subset follows from the Gram matrix of all columns, of which added columns take
    out their direction: 123,410 subsets of four of 43 columns take some hundredths of a second.

    Args:
        expressions: The columns, F of them.
        X: Shape (N, F).
        y: Shape (N,).
        size: Columns of a law.
        keep: How many laws.

    Raises:
        DataError: Fewer columns or rows than a law needs, or more subsets than can be looked at.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> X = rng.normal(size=(50, 6))
        >>> names = [Expression(name=name) for name in "abcdef"]
        >>> print(best_laws(names, X, 2 * X[:, 1] - 3 * X[:, 4] + 1, size=2)[0])
        +2 b -3 e +1
    """
    from tammann.diffusivity.subset_kernels import best_subsets  # numba is slow to import

    n, columns = X.shape
    if not 1 <= size <= min(columns, n - 2):
        raise DataError(f"size: expected 1 to {min(columns, n - 2)} columns of a law, got {size}.")
    if math.comb(columns, size) > MOST_SUBSETS:
        raise DataError(
            f"size: {size} of {columns} columns are {math.comb(columns, size):.1e} subsets, expected at most "
            f"{MOST_SUBSETS:g}; screen more, or take a smaller size."
        )
    spread = X.std(axis=0)
    usable = np.flatnonzero(spread > 1e-12 * np.abs(X).max(axis=0))
    if len(usable) < size:
        raise DataError(f"size: expected at least {size} columns that vary, got {len(usable)}.")
    Z = (X[:, usable] - X[:, usable].mean(axis=0)) / spread[usable]
    target = y - y.mean()
    subsets, _ = best_subsets(
        np.ascontiguousarray(Z.T @ Z), Z.T @ target, float(target @ target), size, keep, TOLERANCE
    )
    if not len(subsets):
        raise DataError(f"size: expected {size} columns that are independent of each other, found none.")
    laws = []
    for subset in subsets:
        chosen = usable[subset]
        # the Gram matrix has found them; the coefficients come from the columns themselves
        design = np.column_stack([Z[:, subset], np.ones(n)])
        scaled, _, _, _ = np.linalg.lstsq(design, y, rcond=None)
        c = scaled[:-1] / spread[chosen]
        intercept = float(scaled[-1] - c @ X[:, chosen].mean(axis=0))
        rmse = float(np.sqrt(np.mean((design @ scaled - y) ** 2)))
        laws.append(
            LinearLaw(
                tuple(expressions[k] for k in chosen), tuple(map(float, c)), intercept, rmse, math.comb(columns, size)
            )
        )
    return sorted(laws, key=lambda law: law.rmse)


class SymbolicRegression(Regressor):
    """Best-subset linear regression with the interface of scikit-learn; the temperature enters as 1/(kB T).

    With ``depth`` 0 every subset of ``size`` features is looked at. With operators the columns are screened first: in
    ``size`` rounds those most correlated with what the best law so far leaves are added, ``screened`` in each.

    Args:
        names: Of the columns of X; those of a data frame, or x0, x1, ..., where empty.
        size: Terms of the law.
        depth: How often operators are applied to the features.
        operators: Of ``OPERATORS``.
        screened: Columns added in each round of screening, with a depth above 0.

    Attributes:
        law_: The law, after ``fit``.
        names_: Of the columns it was fitted to.

    Reference:
        Ouyang et al., Phys. Rev. Mater. 2018, 2, 083802, doi 10.1103/PhysRevMaterials.2.083802.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> X = np.column_stack([rng.uniform(1000, 2500, 60), rng.normal(size=(60, 3))])
        >>> y = -0.3 / (8.617333262e-5 * X[:, 0]) + 2 * X[:, 2] - 5
        >>> print(SymbolicRegression(("temperature_K", "a", "b", "c"), size=2).fit(X, y).law_)
        -0.3 1/kBT +2 b -5
    """

    law_: LinearLaw
    names_: tuple[str, ...]

    def __init__(
        self,
        names: tuple[str, ...] = (),
        size: int = 4,
        depth: int = 0,
        operators: tuple[str, ...] = OPERATORS,
        screened: int = 20,
    ) -> None:
        self.names, self.size, self.depth = names, size, depth
        self.operators, self.screened = operators, screened

    def columns(self, X: Any) -> dict[str, np.ndarray]:
        """Return the columns of X by name, with 1/(kB T) in the place of the temperature."""
        array = np.asarray(X, dtype=float)
        if array.ndim != 2 or array.shape[1] != len(self.names_):
            raise DataError(f"X: expected the shape (N, {len(self.names_)}) of the names given, got {array.shape}.")
        found = {name: array[:, k] for k, name in enumerate(self.names_)}
        return {
            INVERSE if name == "temperature_K" else name: 1.0 / (BOLTZMANN_EV_PER_K * v)
            if name == "temperature_K"
            else v
            for name, v in found.items()
        }

    def fit(self, X: Any, y: Any) -> SymbolicRegression:
        """Find the best law."""
        self.names_ = named_columns(X, self.names)
        columns, target = self.columns(X), np.asarray(y, dtype=float)
        names, values = list(columns), np.column_stack(list(columns.values()))
        if not isinstance(self.size, int | np.integer) or self.size < 1:
            raise DataError(f"size: expected 1 or more columns of a law, got {self.size}.")
        if not self.depth:
            expressions = [Expression(name=name) for name in names]
            self.law_ = best_laws(expressions, values, target, size=self.size)[0]
            return self
        expressions, made = expand_features(names, values, depth=self.depth, operators=self.operators)
        centred = made - made.mean(axis=0)
        centred /= np.linalg.norm(centred, axis=0)
        chosen: list[int] = []
        residual = target - target.mean()
        for size in range(1, self.size + 1):
            order = np.argsort(-np.abs(centred.T @ residual), kind="stable")
            chosen += [int(k) for k in order if k not in set(chosen)][: self.screened]
            found = best_laws([expressions[k] for k in chosen], made[:, chosen], target, size=size)[0]
            residual = target - found.predict(columns)
        self.law_ = found
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return y, shape (N,); NaN where an operator has no value."""
        check_fitted(self, "law_")
        return self.law_.predict(self.columns(X))
