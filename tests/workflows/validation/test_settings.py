"""The settings that a recipe is judged over."""

import numpy as np
import pytest

from tammann import Recipe
from tammann.workflows.validation import Range
from tammann.workflows.validation.settings import AS_WRITTEN, COARSE_GRID, settings, spreads, uneven

PRECURSORS = [{"phase": "BaO", "ratio": 1, "particle_radius_um": 0.4}, {"phase": "TiO2", "ratio": 1}]
RECIPE = Recipe(
    precursors=PRECURSORS, programme=[{"temperature_K": 1300, "hold_h": 1}], engine="reactive-diffusion", mixing=0.07
)
AUTOMATON = RECIPE.with_options(engine="automaton")
WRITTEN = {"observation": "Nobody 1999"}


def test_without_a_range_there_is_the_recipe_as_written():
    assert settings(RECIPE, None) == {AS_WRITTEN: (RECIPE,)}


def test_all_combinations_for_reactive_diffusion():
    found = settings(RECIPE, Range())
    # the recipe's own mixing is none of the four, so that it adds one
    assert len(found) == 37 and found[AS_WRITTEN] == (RECIPE,)
    (varied,) = found["size x2, mixing 0.05, time x0.333"]
    assert varied.particle_radius_um == pytest.approx(0.2) and varied.mixing == 0.05
    assert [p.particle_radius_um for p in varied.precursors] == [pytest.approx(0.8), None]
    assert varied.rate_factor == pytest.approx(1 / 3) and varied.ensemble.realizations == 1
    assert len(settings(RECIPE.with_options(mixing=0.05), Range())) == 36


def test_times_are_factors_on_a_calibration():
    timed = RECIPE.with_options(calibration={"rate_factor": 5.0, **WRITTEN})
    found = settings(timed, Range(particle_size=[1.0], mixing=[0.07], time=[0.5, 1.0, 2.0]))
    assert {words: r.rate_factor for words, (r,) in found.items()} == {
        AS_WRITTEN: 5.0,
        "size x1, mixing 0.07, time x0.5": 2.5,
        "size x1, mixing 0.07, time x2": 10.0,
    }
    assert all(recipe.calibration.observation == "Nobody 1999" for (recipe,) in found.values())


def test_the_automaton_counts_sweeps():
    found = settings(AUTOMATON, Range(mixing=[0.0]))
    assert [round(1 / r.hours_per_sweep) for (r,) in found.values()] == [100, 30, 160, 300, 1000]
    assert [r.grid.size for (r,) in found.values()] == [AUTOMATON.grid.size, *[COARSE_GRID] * 4]
    timed = AUTOMATON.with_options(calibration={"hours_per_sweep": 0.02, **WRITTEN})
    paced = settings(timed, Range(mixing=[0.0], time=[0.5, 1.0, 2.0]))
    assert [r.hours_per_sweep for (r,) in paced.values()] == [0.02, 0.04, 0.01]


def test_the_automaton_is_unevenly_mixed_in_two_halves():
    found = settings(AUTOMATON, Range(sweeps_per_hour=[100.0, 300.0]))
    assert len(found) == 2 * 4 and [len(parts) for parts in found.values()] == [1, 1, 2, 2, 2, 2, 2, 2]
    assert round(1 / found["mixing 0.05, 100 sweeps per hour"][0].hours_per_sweep) == 100


def test_uneven_halves_have_the_ratio_of_the_recipe():
    """With the local ratios a standard deviation apart on either side, in the logarithm."""
    halves = uneven(RECIPE.with_options(precursors=[{**PRECURSORS[0], "ratio": 3}, PRECURSORS[1]]), 0.2)
    ratios = np.array([[p.ratio for p in half.precursors] for half in halves])
    assert ratios.sum(axis=0) == pytest.approx([3.0, 1.0], rel=1e-14)
    assert np.diff(np.log(ratios[::-1, 1] / ratios[::-1, 0])) == pytest.approx(0.4)
    assert uneven(RECIPE, 0.0) == (RECIPE,)


def test_grinding_evens_out():
    ground = RECIPE.with_options(
        programme=[{"temperature_K": 1300, "hold_h": 1, "regrind": again} for again in (False, True)]
    )
    assert spreads(ground, Range()) == (0.0,) and list(spreads(RECIPE, Range())) == [0.0, 0.02, 0.05, 0.1]


def test_small_grids_stay_small():
    small = AUTOMATON.with_options(size=6)
    assert {r.grid.size for parts in settings(small, Range()).values() for r in parts} == {6}
