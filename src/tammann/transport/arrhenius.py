"""Between tabulated temperatures: what goes as exp(-Q / kB T) is interpolated as its logarithm against 1/T."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError

__all__ = ["arrhenius_weights", "interpolate_arrhenius"]


def arrhenius_weights(
    tabulated_K: ArrayLike,
    temperature_K: ArrayLike,
    *,
    below: Literal["continue", "hold", "refuse"] = "continue",
    above: Literal["hold", "refuse"] = "hold",
    nearest: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two tabulated temperatures that bracket each temperature, and its weight between them in 1/T.

    w = (1/T_lower - 1/T) / (1/T_lower - 1/T_upper): 0 at the lower, 1 at the upper, negative below the table where
    ``below`` is ``"continue"``.

    Args:
        tabulated_K: Ascending, shape (n,), n of 1 or more.
        temperature_K: Shape (nT,).
        below: Below the lowest: continue the line, hold the lowest, or refuse.
        above: Above the highest: hold it, or refuse.
        nearest: Take the nearest tabulated temperature and no line at all.

    Returns:
        Indices of the lower and of the upper temperature, and the weights, each of shape (nT,).

    Raises:
        DataError: A temperature outside the table where that is refused.

    Example:
        >>> lower, upper, weight = arrhenius_weights([1000.0, 1250.0], [1000.0, 1250.0, 1400.0])
        >>> weight.tolist()
        [0.0, 1.0, 1.0]
    """
    table = np.atleast_1d(np.asarray(tabulated_K, dtype=float))
    temperature = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    outside = ((temperature < table[0] - 1e-9) & (below == "refuse")) | (
        (temperature > table[-1] + 1e-9) & (above == "refuse")
    )
    if outside.any():
        raise DataError(
            f"temperature_K {temperature[outside][0]:g} is outside the transport data; "
            f"expected {table[0]:g} to {table[-1]:g} K."
        )
    if nearest or len(table) == 1:
        index = np.abs(temperature[:, None] - table).argmin(axis=1)
        return index, index, np.zeros(len(temperature))
    upper = np.clip(np.searchsorted(table, temperature), 1, len(table) - 1)
    lower = upper - 1
    weight = (1.0 / table[lower] - 1.0 / temperature) / (1.0 / table[lower] - 1.0 / table[upper])
    return lower, upper, np.clip(weight, -np.inf if below == "continue" else 0.0, 1.0)


def interpolate_arrhenius(lower: ArrayLike, upper: ArrayLike, weight: ArrayLike) -> np.ndarray:
    """Return exp[(1 - w) ln(lower) + w ln(upper)], zero where either is zero.

    Where the weight is negative, below the table, a value that would rise on cooling is held at ``lower``: noise
    between the lowest two temperatures must not make a cold solid fast.

    Args:
        lower: Values of 0 or more at the lower tabulated temperature.
        upper: The same at the upper one.
        weight: From ``arrhenius_weights``; all three broadcast.

    Example:
        >>> interpolate_arrhenius(1.0, 100.0, [0.0, 0.5, 1.0]).round(6).tolist()
        [1.0, 10.0, 100.0]
    """
    w = np.asarray(weight, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.log(np.asarray(lower, dtype=float)), np.log(np.asarray(upper, dtype=float))
        step = np.where(w < 0.0, np.maximum(high - low, 0.0), high - low)
        value = np.exp(low + w * step)
    value = np.where(np.isneginf(low) | np.isneginf(high), 0.0, value)
    # At a tabulated temperature the value there, even beside a zero.
    value = np.where(w == 0.0, lower, value)
    return np.where(w == 1.0, upper, value)
