"""The settings that a recipe is judged over: the inputs that nobody knows, each at several values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from tammann.recipe import Recipe
from tammann.workflows.validation.observations import Range

AS_WRITTEN = "as written"
"""The setting of the recipe itself, which is run with all realizations; the others have one each."""
COARSE_GRID = 16
"""Most cells per edge of the automaton's grid away from the recipe as written."""
OF_THE_RANGE = "the range of time scales"
"""In place of the observation of a calibration, for factors on the time."""


def settings(recipe: Recipe, limits: Range | None) -> dict[str, tuple[Recipe, ...]]:
    """Return the recipe at every setting of a range, by words for the setting; first the recipe as written.

    Reactive diffusion: all combinations of size, mixing and time. A radius times f is a time over f^2, exactly, so that
    the two together span a wider range of either. The automaton knows one of them, how many visits the programme takes:
    its settings are times, or sweeps per hour where it has no calibration, with mixing. Its grid is evenly mixed, so
    that an uneven powder is two, run apart and counted together (``uneven``). Settings other than the recipe as written
    are run once, with central energies and transport, the automaton on coarser grids.

    Args:
        recipe: With the engine and conductivities of a model.
        limits: The range, or None for the recipe as written only.

    Returns:
        The recipes whose amounts add up to the powder of each setting.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 0.2}],
        ... )
        >>> found = settings(recipe, Range(particle_size=[1.0, 2.0], mixing=[0.02], time=[1.0]))
        >>> list(found), found["size x2, mixing 0.02, time x1"][0].particle_radius_um
        (['as written', 'size x2, mixing 0.02, time x1'], 0.2)
    """
    found: dict[str, tuple[Recipe, ...]] = {AS_WRITTEN: (recipe,)}
    if limits is None:
        return found
    if recipe.engine == "automaton":
        edge = min(recipe.grid.size, COARSE_GRID)
        coarse = recipe.with_options(realizations=1, size=edge)
        for mixing in spreads(recipe, limits):
            if recipe.calibrated:
                paces = {f"time x{time:.3g}": (time == 1.0, _timed(coarse, time)) for time in limits.time}
            else:
                paces = {
                    f"{rate:g} sweeps per hour": (
                        rate == recipe.sweeps_per_hour,
                        coarse.with_options(sweeps_per_hour=rate),
                    )
                    for rate in limits.sweeps_per_hour
                }
            for words, (own, paced) in paces.items():
                if mixing > 0.0 or not own:
                    found[f"mixing {mixing:g}, {words}"] = uneven(paced, mixing)
        return found
    once = recipe.with_options(realizations=1)
    for size, mixing, time in product(limits.particle_size, limits.mixing, limits.time):
        if (size, mixing, time) != (1.0, recipe.mixing, 1.0):
            words = f"size x{size:g}, mixing {mixing:g}, time x{time:.3g}"
            found[words] = (_timed(_sized(once, size), time).with_options(mixing=mixing),)
    return found


def spreads(recipe: Recipe, limits: Range | None) -> Sequence[float]:
    """Return the spreads of the local ratio that models without particles are judged at, evenly mixed among them.

    Grinding evens a powder out, so that one that is ground on the way is evenly mixed for them.
    """
    ground = any(step.regrind for step in recipe.programme[1:])
    return (0.0,) if limits is None or ground or len(recipe.precursors) < 2 else sorted({0.0, *limits.mixing})


def uneven(recipe: Recipe, spread: float) -> tuple[Recipe, ...]:
    """Return the two halves of an unevenly mixed powder, one standard deviation to either side; itself if even.

    As in the powders of reactive diffusion: equal moles of the first precursor in both, and of the others in proportion
    to exp(+-spread), so that the whole has the ratios of the recipe.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 2}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 0.2}],
        ... )
        >>> more, less = uneven(recipe, 0.1)
        >>> [round(precursor.ratio, 3) for precursor in (*more.precursors, *less.precursors)]
        [0.5, 1.1, 0.5, 0.9]
    """
    if spread == 0.0:
        return (recipe,)
    halves = []
    for sign in (1.0, -1.0):
        share = math.exp(sign * spread) / (math.exp(spread) + math.exp(-spread))
        precursors = [p.model_dump() for p in recipe.precursors]
        for k, precursor in enumerate(precursors):
            precursor["ratio"] *= share if k > 0 else 0.5
        halves.append(recipe.with_options(precursors=precursors))
    return tuple(halves)


def _sized(recipe: Recipe, factor: float) -> Recipe:
    """Return the recipe with all radii times a factor."""
    precursors = [p.model_dump() for p in recipe.precursors]
    for precursor in precursors:
        if precursor.get("particle_radius_um") is not None:
            precursor["particle_radius_um"] *= factor
    return recipe.with_options(particle_radius_um=recipe.particle_radius_um * factor, precursors=precursors)


def _timed(recipe: Recipe, factor: float) -> Recipe:
    """Return the recipe with everything faster by a factor: as much happens in an hour as in so many before."""
    known = recipe.calibration
    observation = known.observation if known is not None else OF_THE_RANGE
    if recipe.engine == "automaton":
        figures = {"hours_per_sweep": recipe.hours_per_sweep / factor}
    else:
        figures = {"rate_factor": (known.rate_factor if known and known.rate_factor else 1.0) * factor}
    return recipe.with_options(calibration={**figures, "observation": observation})
