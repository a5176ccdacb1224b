"""A programme of ramps, holds and grinding as stretches, each of which ends with a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tammann.units import SECONDS_PER_HOUR

RAMP_STEP_K = 10.0
"""Longest part of a ramp between two frames."""
HOLD_FRAMES = 24
"""Frames of a hold, at times that go as the square of their number: a layer grows as the root of time."""


@dataclass(frozen=True)
class Stretch:
    """A part of the programme that ends with a frame.

    Attributes:
        start_K: Temperature at its start, K.
        end_K: At its end, K; linear between.
        seconds: Its length, s.
        stage: Index of the programme's step.
        regrind: Whether the powder is ground and mixed before it.
    """

    start_K: float
    end_K: float
    seconds: float
    stage: int
    regrind: bool = False


def ramp_and_hold(
    start_K: float, end_K: float, ramp_K_per_min: float, hold_h: float, *, stage: int = 0, regrind: bool = False
) -> list[Stretch]:
    """Return the stretches of one step of a programme.

    Args:
        start_K: Temperature before it, K.
        end_K: Temperature it goes to and holds, K.
        ramp_K_per_min: Rate of the ramp, above zero.
        hold_h: Length of the hold, h.
        stage: Index of the step.
        regrind: Whether the powder is ground before.

    Example:
        >>> parts = ramp_and_hold(300.0, 325.0, 5.0, 1.0)
        >>> len(parts), round(sum(part.seconds for part in parts))
        (27, 3900)
    """
    count = int(np.ceil(abs(end_K - start_K) / RAMP_STEP_K))
    edges = np.linspace(start_K, end_K, count + 1)
    pieces = [(float(a), float(b), abs(b - a) / ramp_K_per_min * 60.0) for a, b in zip(edges, edges[1:], strict=False)]
    if hold_h > 0:
        times = (np.arange(HOLD_FRAMES + 1) / HOLD_FRAMES) ** 2 * hold_h * SECONDS_PER_HOUR
        pieces += [(end_K, end_K, part) for part in np.diff(times)]
    return [Stretch(a, b, float(s), stage, regrind and k == 0) for k, (a, b, s) in enumerate(pieces)]


def table_temperatures(stretches: Sequence[Stretch], own_K: np.ndarray) -> np.ndarray:
    """Return temperatures to tabulate at: those of the energies' own table within the programme, and every 10 K.

    Example:
        >>> table_temperatures([Stretch(300.0, 320.0, 1.0, 0)], np.array([0.0, 305.0, 400.0])).tolist()
        [300.0, 305.0, 310.0, 320.0]
    """
    ends = [T for stretch in stretches for T in (stretch.start_K, stretch.end_K)]
    low, high = min(ends), max(ends)
    high = max(high, low + 1e-3)
    inside = own_K[(own_K > low) & (own_K < high)]
    return np.unique(np.concatenate([np.arange(low, high, RAMP_STEP_K), [high], inside]))
