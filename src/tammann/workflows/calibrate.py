"""Calibration of the time scale from one named observation: of the conductivities, or of a sweep of the automaton."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tammann.automaton import simulate
from tammann.errors import RecipeError
from tammann.history import History
from tammann.parallel import Progress, available_cores
from tammann.recipe import Recipe
from tammann.strict import shown
from tammann.workflows.diffusion_runs import realize_diffusion
from tammann.workflows.prepared import PreparedRecipe, at_setting, prepare

LONGEST_SWEEPS = 300_000.0
"""Sweeps of the longest programme of the automaton that is tried."""
FARTHEST_FACTOR = 1e9
"""Largest factor on nominal conductivities that is tried, and one over the smallest."""
STEP = 4.0
"""Factor by which the bracket is widened."""
TOLERANCE = 0.01
"""Width of the final bracket in the logarithm of the time scale."""


@dataclass(frozen=True)
class TimeScale:
    """What turns a powder's time into hours, from one observation.

    Attributes:
        rate_factor: Reactive diffusion: factor on the nominal conductivities; None for the automaton.
        hours_per_sweep: The automaton: hours of the programme per sweep; None for reactive diffusion.
        relative_error: Standard error of the logarithm of that figure, dimensionless, from the spread over realizations
            and the slope of the mole fraction; the uncertainty of the observation itself is not in it.
        mole_fraction: Median over realizations at the end of the calibrated recipe.
        observation: The words to cite; a recipe's ``calibration.observation``.
    """

    rate_factor: float | None
    hours_per_sweep: float | None
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
    """Find the time scale with which a recipe ends where an experiment did.

    Bisection in the logarithm of the rate (the factor on nominal conductivities, or sweeps per hour) until the median
    mole fraction of ``phase`` at the end of the programme is ``mole_fraction``, with the central values of energies and
    transport. One scale for a chemistry and a powder: the recipe's radii, mixing and conductivities are part of what is
    calibrated. The observation is used up: leave it out of any validation.

    Args:
        recipe: The experiment, with its programme in hours, and the engine.
        phase: The phase that was measured; its amount must grow with time.
        mole_fraction: Of formula units over all condensed phases at the end, between 0 and 1.
        observation: Who measured it, to be stored with the result.
        realizations: Independent runs behind each median, at least 2; they differ in sizes and mixing, or in the grid.
        progress: Called after each trial.

    Raises:
        RecipeError: The fraction is not reached by any length of the programme, or is passed by the shortest.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1300, "hold_h": 1}],
        ...     start_temperature_K=1300,
        ... )
        >>> scale = calibrate(recipe, phase="BaTiO3", mole_fraction=0.5, observation="an example", realizations=2)
        >>> 0.49 < scale.mole_fraction < 0.51, 0.1 < scale.rate_factor < 1
        (True, True)
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
    tried: dict[float, np.ndarray] = {}

    def ends_with(log_rate: float) -> float:
        if log_rate not in tried:
            history = _run(prepared, math.exp(log_rate), max(2, realizations), observation)
            tried[log_rate] = history.fractions()[:, -1, history.phases.index(phase)]
            if progress is not None:
                progress(min(0.99, len(tried) / 16), _trying(prepared.recipe, math.exp(log_rate)), None)
        return float(np.median(tried[log_rate]))

    found = _bisect(ends_with, prepared.recipe, phase, mole_fraction)
    last = ends_with(found)
    slope = abs(last - ends_with(found - 0.2)) / 0.2
    spread = float(np.std(tried[found], ddof=1)) / math.sqrt(tried[found].size)
    automaton = prepared.recipe.engine == "automaton"
    return TimeScale(
        rate_factor=None if automaton else math.exp(found),
        hours_per_sweep=math.exp(-found) if automaton else None,
        relative_error=spread / slope if slope > 0 else math.inf,
        mole_fraction=last,
        observation=observation,
    )


def _run(prepared: PreparedRecipe, rate: float, realizations: int, observation: str) -> History:
    """Return a run at a rate (a factor on conductivities, or sweeps per hour) with the central energies and transport.

    Its realizations differ in sizes and mixing, or in the grid.
    """
    recipe = prepared.recipe
    if recipe.engine == "automaton":
        assert prepared.rates is not None
        untimed = recipe.model_dump(exclude={"calibration"})
        timed = Recipe(**{**untimed, "sweeps_per_hour": rate})
        return simulate(timed, prepared.rates, realizations=realizations, threads=available_cores())
    ensemble = {"realizations": realizations, "energies": False, "transport": False}
    calibration = {"rate_factor": rate, "observation": observation}
    timed = recipe.with_options(calibration=calibration, ensemble=ensemble)
    at_rate = at_setting(prepared, timed)
    return History.join([realize_diffusion(at_rate, number, False, 1, None) for number in range(realizations)])


def _bisect(ends_with: Callable[[float], float], recipe: Recipe, phase: str, mole_fraction: float) -> float:
    """Return the logarithm of the rate at which a run ends with a mole fraction."""
    automaton = recipe.engine == "automaton"
    start = math.log(1.0 / recipe.hours_per_sweep if automaton else recipe.rate_factor)
    slowest = math.log(1e-3 / recipe.duration_h if automaton else 1.0 / FARTHEST_FACTOR)
    fastest = math.log(LONGEST_SWEEPS / recipe.duration_h if automaton else FARTHEST_FACTOR)
    slow = fast = start
    while ends_with(slow) > mole_fraction:
        slow -= math.log(STEP)
        if slow < slowest:
            raise RecipeError(f"mole_fraction: {phase} passes {mole_fraction} at once; observe an earlier stage")
    while (reached := ends_with(fast)) < mole_fraction:
        fast += math.log(STEP)
        if fast > fastest:
            limit = f"{LONGEST_SWEEPS:.0f} sweeps" if automaton else f"{FARTHEST_FACTOR:g} times the nominal rate"
            raise RecipeError(
                f"mole_fraction: {phase} reaches {reached:.3f} and not {mole_fraction} within {limit}; this recipe "
                "cannot be calibrated on it"
            )
    while fast - slow > TOLERANCE:
        middle = 0.5 * (slow + fast)
        slow, fast = (slow, middle) if ends_with(middle) > mole_fraction else (middle, fast)
    return 0.5 * (slow + fast)


def _trying(recipe: Recipe, rate: float) -> str:
    if recipe.engine == "automaton":
        return f"trying {1.0 / rate:.3g} h per sweep"
    return f"trying {rate:.3g} times the nominal rate"
