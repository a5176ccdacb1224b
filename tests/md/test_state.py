"""States of simulations: velocities that are drawn, ramps, files."""

import numpy as np
import pytest

from md.boxes import crystal
from tammann.errors import ResultError
from tammann.md.conditions import Conditions, Ramp
from tammann.md.state import ForceResult, initialize_state, load_state, save_state
from tammann.structures import Configuration

WARM = Conditions(700.0, thermostat="langevin")


def test_velocities_are_drawn_at_the_temperature_and_without_momentum():
    state = initialize_state(crystal(), WARM, rng=1)
    assert state.temperature_K == pytest.approx(700.0, rel=1e-12)
    np.testing.assert_allclose((state.masses * state.velocities_A_per_ps).sum(axis=0), 0.0, atol=1e-12)
    # kinetic energy in eV of u Å2/ps2, from the CODATA values of both units
    kinetic = (
        0.5 * (state.masses * 9648.533 * state.velocities_A_per_ps**2).sum() * 1.66053907e-27 * 1e4 / 1.602176634e-19
    )
    assert state.kinetic_eV == pytest.approx(kinetic, rel=1e-6)
    given = Configuration(crystal().symbols, crystal().positions_A, crystal().cell_A, np.ones((64, 3)))
    assert (initialize_state(given, WARM, rng=1).velocities_A_per_ps == 1.0).all()


def test_a_ramp_is_linear_and_ends():
    state = initialize_state(crystal(), WARM, ramp=Ramp(1700.0, 200), rng=1)
    seen = []
    for state.step in (0, 50, 200, 900):
        seen.append(state.target_temperature_K)
    assert seen == [700.0, 950.0, 1700.0, 1700.0]


def test_a_file_holds_all_of_it(tmp_path):
    """Random numbers too: both copies draw the same next ones."""
    state = initialize_state(crystal(rattle=0.1), WARM, rng=1)
    state.result, state.step, state.strain_per_ps = ForceResult(0.0, np.zeros((64, 3)), None), 7, 0.5
    state.chain_per_ps[:] = 1.0, 2.0, 3.0
    save_state(state, tmp_path / "s.bin")
    again = load_state(tmp_path / "s.bin", crystal(), WARM, step=7)
    for name in (
        "positions_A",
        "velocities_A_per_ps",
        "cell_A",
        "chain_per_ps",
        "strain_chain_per_ps",
        "strain_per_ps",
    ):
        np.testing.assert_array_equal(getattr(again, name), getattr(state, name))
    assert again.rng.normal() == state.rng.normal()
    with pytest.raises(ResultError, match="holds step 7; was it renamed"):
        load_state(tmp_path / "s.bin", crystal(), WARM, step=8)
    with pytest.raises(ResultError, match="holds other elements"):
        load_state(tmp_path / "s.bin", crystal("Ca"), WARM, step=7)
    with pytest.raises(ResultError, match="holds 64 atoms, expected 8"):
        load_state(tmp_path / "s.bin", crystal(repeats=1), WARM, step=7)
