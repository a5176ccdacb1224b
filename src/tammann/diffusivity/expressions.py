"""Columns made from columns by operators, up to a chosen depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tammann.errors import DataError

UNARY = ("sqrt", "square", "inverse", "log")
BINARY = ("+", "-", "*", "/")
OPERATORS = UNARY + BINARY
SAME = 1e-9
"""Columns whose correlation differs from one by less are one column."""
MOST = 200_000
"""Columns that may be made, before any are thrown out."""


@dataclass(frozen=True)
class Expression:
    """A column: a feature, or an operator applied to one or two expressions.

    Attributes:
        operator: One of ``OPERATORS``, or empty for a feature.
        name: Of the feature, or empty.
        arguments: What the operator takes.
    """

    operator: str = ""
    name: str = ""
    arguments: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        if not self.operator:
            return self.name
        words = [str(argument) for argument in self.arguments]
        if self.operator in BINARY:
            return f"({words[0]} {self.operator} {words[1]})"
        return {"square": "{}²", "inverse": "1/{}"}.get(self.operator, self.operator + "({})").format(words[0])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features in it, each once."""
        if not self.operator:
            return (self.name,)
        return tuple(dict.fromkeys(name for argument in self.arguments for name in argument.features))

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the column, shape (N,), from features by name, each of shape (N,); NaN where it has no value.

        Example:
            >>> x = Expression(name="x")
            >>> Expression("/", arguments=(x, Expression("square", arguments=(x,)))).evaluate({"x": np.array([2.0])})
            array([0.5])
        """
        if not self.operator:
            return columns[self.name]
        with np.errstate(all="ignore"):
            return _apply(self.operator, *[argument.evaluate(columns) for argument in self.arguments])


def _apply(operator: str, first: np.ndarray, second: np.ndarray | None = None) -> np.ndarray:
    with np.errstate(all="ignore"):
        if second is not None:
            value = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[operator](first, second)
        else:
            value = {"sqrt": np.sqrt, "square": np.square, "inverse": np.reciprocal, "log": np.log}[operator](first)
    return np.where(np.isfinite(value), value, np.nan)


def expand_features(
    names: Sequence[str], X: np.ndarray, *, depth: int, operators: Sequence[str] = OPERATORS
) -> tuple[list[Expression], np.ndarray]:
    """Return the features and everything that operators make of them, applied ``depth`` times.

    Columns that are not finite in every row, that hardly vary, or that are a multiple of an earlier one plus a constant
    are left out.

    Args:
        names: F features.
        X: Shape (N, F).
        depth: How often operators are applied; 0 for the features alone.
        operators: Of ``OPERATORS``.

    Returns:
        E expressions and their columns, shape (N, E).

    Raises:
        DataError: An unknown operator, a negative depth, or more columns than memory should hold.

    Reference:
        Ouyang et al., Phys. Rev. Mater. 2018, 2, 083802, doi 10.1103/PhysRevMaterials.2.083802.

    Example:
        >>> X = np.array([[1.0, 2.0], [2.0, 5.0], [4.0, 7.0]])
        >>> [str(e) for e in expand_features(["a", "b"], X, depth=1, operators=["/", "square"])[0]]
        ['a', 'b', '(a / b)', '(b / a)', 'a²', 'b²']
    """
    for operator in operators:
        if operator not in OPERATORS:
            raise DataError(f"operators: expected some of {' '.join(OPERATORS)}, got {operator!r}.")
    if depth < 0:
        raise DataError(f"depth: expected 0 or more, got {depth}.")
    expressions = [Expression(name=name) for name in names]
    columns = [np.asarray(X[:, k], dtype=float) for k in range(X.shape[1])]
    expressions, columns = _distinct(expressions, columns)
    for _ in range(depth):
        n = len(expressions)
        pairs = sum(operator in BINARY for operator in operators)
        if n + n * len(operators) + pairs * n * n > MOST:
            raise DataError(
                f"depth: applying {len(operators)} operators to {n} columns makes more than {MOST}; take fewer "
                "features or operators, or a smaller depth."
            )
        more, values = list(expressions), list(columns)
        for operator in operators:
            if operator in UNARY:
                for one, column in zip(expressions, columns, strict=True):
                    more.append(Expression(operator, arguments=(one,)))
                    values.append(_apply(operator, column))
                continue
            for a, b in combinations(range(n), 2):
                for i, j in ((a, b), (b, a))[: 2 if operator == "/" else 1]:
                    more.append(Expression(operator, arguments=(expressions[i], expressions[j])))
                    values.append(_apply(operator, columns[i], columns[j]))
        expressions, columns = _distinct(more, values)
    return expressions, np.column_stack(columns)


def _distinct(expressions: list[Expression], columns: list[np.ndarray]) -> tuple[list[Expression], list[np.ndarray]]:
    """Leave out what is not finite, what does not vary, and what is a linear image of an earlier column."""
    kept: list[int] = []
    seen: set[bytes] = set()
    for k, column in enumerate(columns):
        if not np.isfinite(column).all():
            continue
        centred = column - column.mean()
        norm = float(np.linalg.norm(centred))
        if norm <= 1e-10 * max(float(np.abs(column).max()), 1e-300) * len(column) ** 0.5:
            continue
        unit = centred / norm
        unit *= np.sign(unit[int(np.abs(unit).argmax())])
        key = np.round(unit / (10.0 * SAME)).astype(np.int64).tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(k)
    return [expressions[k] for k in kept], [columns[k] for k in kept]
