"""Conditions of a run: what is refused, and the mean of the pressure tensor."""

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.md.conditions import Conditions, MDRun, explosion
from tammann.structures import Configuration


@pytest.mark.parametrize(
    "options",
    [
        {"temperature_K": 0.0},
        {"temperature_K": float("nan")},
        {"timestep_fs": -1.0},
        {"timestep_fs": 1e-300},
        {"temperature_K": 1e9},
        {"damping_fs": float("inf")},
        {"thermostat": "andersen"},
        {"pressure_GPa": 1.0, "thermostat": "langevin"},
    ],
)
def test_impossible_conditions(options):
    with pytest.raises(RecipeError):
        Conditions(**{"temperature_K": 300.0, **options})


def test_a_run_says_itself_in_a_line():
    pressure = np.array([[3.0, 4.0, 5.0, 9.0, 9.0, 9.0]] * 2)
    box = Configuration(("Mg", "O"), np.zeros((2, 3)), 4.0 * np.eye(3))
    run = MDRun(box, 0.5, np.array([300.0, 310.0]), np.zeros(2), pressure, np.full(2, 64.0))
    assert run.isotropic_pressure_GPa().tolist() == [4.0, 4.0]
    assert repr(run) == "MDRun(Configuration(MgO, 2 atoms, 64.0 Å3), 0.5 ps, mean temperature 305 K)"


def test_explosions_are_one_sentence():
    text = str(explosion(Conditions(900.0, timestep_fs=3.0), "far too hot"))
    assert text.startswith("the run at 900 K has exploded (far too hot); take a step shorter than 3 fs")
