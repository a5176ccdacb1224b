"""Calibration of the time scale: how many hours a sweep stands for, from one named observation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tammann.automaton import simulate
from tammann.errors import RecipeError
from tammann.parallel import Progress, available_cores
from tammann.recipe import Recipe
from tammann.strict import shown
from tammann.workflows.furnace import PreparedRecipe, prepare

LONGEST_SWEEPS = 300_000.0
"""Sweeps of the longest programme that is tried."""
STEP = 4.0
"""Factor by which the bracket of hours per sweep is widened."""
TOLERANCE = 0.01
"""Width of the final bracket in ln(hours per sweep)."""


@dataclass(frozen=True)
class TimeScale:
    """The hours that a sweep stands for, from one observation.

    Attributes:
        hours_per_sweep: Hours of the programme per sweep.
        relative_error: Standard error of ln(hours_per_sweep), dimensionless, from the spread over realizations and the
            slope of the mole fraction; the uncertainty of the observation itself is not in it.
        mole_fraction: Median over realizations at the end of the calibrated recipe.
        observation: The words to cite; a recipe's ``calibration.observation``.
    """

    hours_per_sweep: float
    relative_error: float
    mole_fraction: float
    observation: str


def calibrate(
    recipe: Recipe | PreparedRecipe,
    *,
    phase: str,
    mole_fraction: float,
    observation: str,
    realizations: int = 4,
    progress: Progress | None = None,
) -> TimeScale:
    """Find the hours per sweep with which a recipe ends where an experiment did.

    Bisection in ln(hours per sweep) until the median mole fraction of ``phase`` at the end of the programme is
    ``mole_fraction``, with the central values of energies and transport. The observation is used up: leave it out of
    any validation.

    Args:
        recipe: The experiment, with its programme in hours.
        phase: The phase that was measured; its amount must grow with time.
        mole_fraction: Of formula units over all condensed phases at the end, between 0 and 1.
        observation: Who measured it, to be stored with the result.
        realizations: Independent runs behind each median, at least 2.
        progress: Called after each trial.

    Raises:
        RecipeError: The fraction is not reached by any length of the programme, or is passed by the shortest.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1300, "hold_h": 1}],
        ...     start_temperature_K=1300,
        ...     grid={"size": 10},
        ... )
        >>> scale = calibrate(recipe, phase="BaTiO3", mole_fraction=0.5, observation="an example", realizations=2)
        >>> 0.45 < scale.mole_fraction < 0.55
        True
    """
    prepared = recipe if isinstance(recipe, PreparedRecipe) else prepare(recipe)
    if phase not in prepared.solids:
        raise RecipeError(f"phase: expected one of {', '.join(prepared.solids)}, got {phase!r}")
    if phase in [precursor.phase for precursor in prepared.recipe.precursors]:
        raise RecipeError(f"phase: expected a product, whose amount grows with time, got the precursor {phase!r}")
    if not observation.strip() or not observation.isprintable() or len(observation) > 1000:
        raise RecipeError(f"observation: expected who measured it, in one line of text, got {shown(observation)}")
    if not 0.0 < mole_fraction < 1.0:
        raise RecipeError(f"mole_fraction: expected a number between 0 and 1, got {mole_fraction}")
    column = prepared.solids.index(phase)
    rates = prepared.rates
    assert rates is not None
    tried: dict[float, np.ndarray] = {}

    def ends_with(log_hours: float) -> float:
        if log_hours not in tried:
            untimed = prepared.recipe.model_dump(exclude={"calibration"})
            timed = Recipe(**{**untimed, "sweeps_per_hour": math.exp(-log_hours)})
            history = simulate(timed, rates, realizations=max(2, realizations), threads=available_cores())
            tried[log_hours] = history.fractions()[:, -1, column]
            if progress is not None:
                progress(min(0.99, len(tried) / 16), f"trying {math.exp(log_hours):.3g} h per sweep", None)
        return float(np.median(tried[log_hours]))

    duration = prepared.recipe.duration_h
    slow = fast = math.log(prepared.recipe.hours_per_sweep)
    while ends_with(slow) > mole_fraction:  # too many sweeps: let each stand for more hours
        slow += math.log(STEP)
        if duration / math.exp(slow) < 1e-3:
            raise RecipeError(f"mole_fraction: {phase} passes {mole_fraction} at once; observe an earlier stage")
    while ends_with(fast) < mole_fraction:
        fast -= math.log(STEP)
        if duration / math.exp(fast) > LONGEST_SWEEPS:
            reached = float(np.median(next(reversed(tried.values()))))
            raise RecipeError(
                f"mole_fraction: {phase} reaches {reached:.3f} and not {mole_fraction} within "
                f"{LONGEST_SWEEPS:.0f} sweeps; this recipe cannot be calibrated on it"
            )
    while slow - fast > TOLERANCE:
        middle = 0.5 * (slow + fast)
        slow, fast = (slow, middle) if ends_with(middle) > mole_fraction else (middle, fast)
    found = 0.5 * (slow + fast)
    last = ends_with(found)
    slope = abs(ends_with(found - 0.2) - last) / 0.2
    spread = float(np.std(tried[found], ddof=1)) / math.sqrt(tried[found].size)
    return TimeScale(
        hours_per_sweep=math.exp(found),
        relative_error=spread / slope if slope > 0 else math.inf,
        mole_fraction=last,
        observation=observation,
    )
