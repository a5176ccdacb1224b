"""What scikit-learn asks of an estimator, without importing it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from tammann.errors import DataError


def named_columns(X: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names given, or where there are none those of the columns of a data frame, or x0, x1, ...

    Example:
        >>> named_columns(np.zeros((5, 2)), ())
        ('x0', 'x1')
    """
    if len(names):
        return tuple(names)
    columns = getattr(X, "columns", None)
    return tuple(map(str, columns)) if columns is not None else tuple(f"x{k}" for k in range(np.shape(X)[-1]))


def check_fitted(model: Any, attribute: str) -> None:
    """Refuse an estimator that has not been fitted.

    Raises:
        DataError: It lacks the attribute that fitting gives.
    """
    if not hasattr(model, attribute):
        raise DataError(f"{type(model).__name__}: expected a fitted model, got one that has learned nothing; fit it.")


class Regressor(ABC):
    """An estimator that ``sklearn.base.clone``, ``cross_val_score`` and pipelines take.

    The arguments of ``__init__`` are its parameters, each kept under its own name.
    """

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with ``deep`` also those of estimators among them, as ``outer__inner``."""
        found: dict[str, Any] = {}
        for name in self._names():
            value = found[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found |= {f"{name}__{key}": inner for key, inner in value.get_params().items()}
        return found

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters, those of an inner estimator as ``outer__inner``."""
        for name, value in parameters.items():
            outer, _, inner = name.partition("__")
            if outer not in self._names():
                raise ValueError(f"{outer}: expected one of {', '.join(self._names())}")
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, outer, value)
        return self

    @abstractmethod
    def fit(self, X: Any, y: Any) -> Self:
        """Fit to columns X, shape (N, F), and a target, shape (N,)."""

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Return the target, shape (N,), of columns of shape (N, F)."""

    def score(self, X: Any, y: Any) -> float:
        """Return R²."""
        target = np.asarray(y, dtype=float)
        left = float(((target - self.predict(X)) ** 2).sum())
        return 1.0 - left / float(((target - target.mean()) ** 2).sum())

    def __sklearn_tags__(self) -> Any:
        from tammann.diffusivity.scikit_learn import regressor_tags

        return regressor_tags()

    def __repr__(self) -> str:
        inside = ", ".join(
            f"{name}={value!r}" for name, value in self.get_params(deep=False).items() if name != "names"
        )
        return f"{type(self).__name__}({inside})"
