"""The programme as stretches of one temperature, and the precursors as moles and grains."""

import numpy as np
import pytest

from automaton import toys
from tammann.automaton.programme import precursor_amounts, timeline
from tammann.errors import RecipeError
from tammann.recipe import Recipe


def test_stretches_add_up_to_the_programme():
    """From 300 K at 10 K/min to 1300 K, 2 h, reground, at 5 K/min to 1500 K, 1 h: 100/60 + 2 + 40/60 + 1 hours."""
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        start_temperature_K=300,
        programme=[
            {"temperature_K": 1300, "ramp_K_per_min": 10, "hold_h": 2},
            {"temperature_K": 1500, "ramp_K_per_min": 5, "hold_h": 1},
        ],
        sweeps_per_hour=100,
    )
    stretches = timeline(recipe)
    assert sum(s.sweeps for s in stretches) == pytest.approx(100 * (100 / 60 + 2 + 40 / 60 + 1))
    assert [s.stage for s in stretches] == sorted(s.stage for s in stretches)
    assert stretches[-1].end_K == 1500 and stretches[0].temperature_K == pytest.approx(305)
    ramp = [s for s in stretches if s.temperature_K < 1300]
    assert np.ptp([s.sweeps for s in ramp]) < 1e-9 and len(ramp) == 100
    hold = [s.sweeps for s in stretches if s.temperature_K == 1300]
    assert sum(hold) == pytest.approx(200) and np.allclose(np.diff(hold), np.diff(hold)[0])  # ends go as k^2


def test_grains_go_as_the_radii_of_their_powders():
    rates = toys.rate_table(toys.OXIDES, {"BaO + TiO2 -> BaTiO3": 0.1})
    recipe = toys.recipe({"BaO": 1, "TiO2": 2}, size=8, sweeps=1, grain_cells=2)
    coarse = recipe.model_dump()
    coarse["precursors"][0]["particle_radius_um"] = 3 * recipe.particle_radius_um
    moles, grains = precursor_amounts(Recipe(**coarse), rates)
    assert moles.tolist() == [1, 2, 0, 0, 0]
    assert grains[:2] == pytest.approx([6, 2])
    foreign = toys.rate_table({"BaO": 26.7e-6, "BaTiO3": 40.9e-6}, {"BaO -> BaTiO3": 0.1})
    with pytest.raises(RecipeError, match=r"precursors\[1\].phase: 'TiO2'"):
        precursor_amounts(recipe, foreign)
