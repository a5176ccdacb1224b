"""What a recipe asks of the grid: its programme as stretches of one temperature, its precursors as moles and grains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import RecipeError

if TYPE_CHECKING:
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

RAMP_STEP_K = 10.0
"""Widest stretch of a ramp that is run at one temperature."""
HOLD_FRAMES = 24
"""Frames recorded in a hold, at times that go as the square of their number: a layer grows as the root of time."""


@dataclass(frozen=True)
class Stretch:
    """A part of the programme that is run at one temperature and ends with a frame.

    Attributes:
        stage: Index of the programme's step.
        temperature_K: Mean temperature, at which it is run, K.
        end_K: Temperature at its end, K.
        sweeps: Length.
        grind: Whether the powder is ground before it.
    """

    stage: int
    temperature_K: float
    end_K: float
    sweeps: float
    grind: bool


def timeline(recipe: Recipe) -> list[Stretch]:
    """Return the stretches of a recipe's programme, in order."""
    stretches = []
    for segment in recipe.segments(max_step_K=RAMP_STEP_K):
        mean = 0.5 * (segment.temperature_start_K + segment.temperature_end_K)
        sweeps = segment.duration_h / recipe.hours_per_sweep
        frames = 1 if segment.ramp else HOLD_FRAMES
        parts = np.diff((np.arange(frames + 1) / frames) ** 2) * sweeps
        stretches += [
            Stretch(segment.stage, mean, segment.temperature_end_K, float(part), segment.regrind and k == 0)
            for k, part in enumerate(parts)
        ]
    return stretches


def precursor_amounts(recipe: Recipe, rates: RateTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the moles of every phase put in and the diameter of its grains in cells, each of shape (phases,).

    The finest powder has grains of ``grid.grain_cells``, a coarser one has them in proportion to its radius.

    Raises:
        RecipeError: A precursor is not among the phases of the table of rates.
    """
    moles = np.zeros(len(rates.phases))
    radius = np.full(len(rates.phases), np.nan)
    for k, precursor in enumerate(recipe.precursors):
        if precursor.phase not in rates.phases:
            raise RecipeError(
                f"precursors[{k}].phase: {precursor.phase!r} has no place in the table of rates; expected one of "
                + ", ".join(rates.phases)
            )
        index = rates.phases.index(precursor.phase)
        moles[index] += precursor.ratio
        radius[index] = precursor.particle_radius_um or recipe.particle_radius_um
    return moles, np.nan_to_num(radius / np.nanmin(radius), nan=1.0) * recipe.grid.grain_cells
