"""The settings that a recipe is judged over: the inputs that nobody knows, each at several values."""

from __future__ import annotations

from itertools import product

from tammann.recipe import Recipe
from tammann.workflows.validation.observations import Range

AS_WRITTEN = "as written"
"""The setting of the recipe itself, which is run with all realizations; the others have one each."""
COARSE_GRID = 16
"""Most cells per edge of the automaton's grid away from the recipe as written."""
OF_THE_RANGE = "the range of time scales"
"""In place of the observation of a calibration, for factors on the time."""


def settings(recipe: Recipe, limits: Range | None) -> dict[str, Recipe]:
    """Return the recipe at every setting of a range, by words for the setting; first the recipe as written.

    Reactive diffusion: all combinations of size, mixing and time. A radius times f is a time over f^2, exactly, so that
    the two together span a wider range of either. The automaton knows one of them, how many visits the programme takes:
    its settings are times, or sweeps per hour where it has no calibration. Settings other than the recipe as written
    are run once, with central energies and transport, the automaton on coarser grids.

    Args:
        recipe: With the engine and conductivities of a model.
        limits: The range, or None for the recipe as written only.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 0.2}],
        ... )
        >>> found = settings(recipe, Range(particle_size=[1.0, 2.0], mixing=[0.02], time=[1.0]))
        >>> list(found), found["size x2, mixing 0.02, time x1"].particle_radius_um
        (['as written', 'size x2, mixing 0.02, time x1'], 0.2)
    """
    found = {AS_WRITTEN: recipe}
    if limits is None:
        return found
    if recipe.engine == "automaton":
        edge = min(recipe.grid.size, COARSE_GRID)
        coarse = recipe.with_options(realizations=1, size=edge)
        if recipe.calibrated:
            return found | {f"time x{time:.3g}": _timed(coarse, time) for time in limits.time if time != 1.0}
        return found | {
            f"{sweeps:g} sweeps per hour": coarse.with_options(sweeps_per_hour=sweeps)
            for sweeps in limits.sweeps_per_hour
            if sweeps != recipe.sweeps_per_hour
        }
    once = recipe.with_options(realizations=1)
    for size, mixing, time in product(limits.particle_size, limits.mixing, limits.time):
        if (size, mixing, time) != (1.0, recipe.mixing, 1.0):
            words = f"size x{size:g}, mixing {mixing:g}, time x{time:.3g}"
            found[words] = _timed(_sized(once, size), time).with_options(mixing=mixing)
    return found


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
