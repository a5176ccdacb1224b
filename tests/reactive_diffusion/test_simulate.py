"""A powder to a history: elements, gases, grinding, what the record of the engine holds; saved, opened, joined."""

from dataclasses import fields, replace

import numpy as np
import pytest

from reactive_diffusion.systems import SALTS, phases_of, prepare
from tammann import load_phases, load_transport
from tammann.history import DiffusionRecord, History
from tammann.reactive_diffusion.programme import ramp_and_hold
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.thermo import equilibrium

PROGRAMME = [*ramp_and_hold(800.0, 1200.0, 10.0, 1.0), *ramp_and_hold(1200.0, 1500.0, 10.0, 4.0, stage=1, regrind=True)]


@pytest.fixture(scope="module")
def history():
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, PROGRAMME, transport=load_transport("Ba-Ti-O"))
    return simulate_powder(case.powder, case.system, case.conduct, PROGRAMME, rng=1, metadata={"name": "test"})


def test_amounts_and_energies(history):
    record = history.diffusion
    assert history.element_drift[0] < 1e-12 and history.lattice is None
    np.testing.assert_allclose(history.moles[0, 0].sum(), 2.0, rtol=1e-12)
    left = record.gibbs_left_eV_per_atom[0]
    assert left[0] > 0.05 and (left > -1e-12).all() and left[-1] < 0.2 * left[0]
    holds = (history.temperature_K[1:] == history.temperature_K[:-1]) & (np.diff(history.stage) == 0)
    assert (np.diff(left)[holds] <= 1e-9).all()
    assert record.dissipated_eV_per_atom.min() >= 0.0 and 0.0 <= record.without_data_fraction[0] <= 1.0
    frames, particles = len(history.temperature_K), 2
    assert record.sites.shape[:2] == (particles, frames) and record.sites.dtype == np.float32
    assert record.edges_m.shape == (particles, frames, record.sites.shape[2] + 1)
    assert history.clock[0] == "programme_h"


def test_saved_and_opened(history, tmp_path):
    history.save(tmp_path / "history.npz")
    again = History.open(tmp_path / "history.npz")
    for field in fields(DiffusionRecord):
        np.testing.assert_array_equal(getattr(again.diffusion, field.name), getattr(history.diffusion, field.name))
    np.testing.assert_array_equal(again.moles, history.moles)
    assert again.metadata == history.metadata


def test_joined(history):
    other = replace(history, phases=history.phases[::-1], moles=history.moles[:, :, ::-1])
    joined = History.join([history, other])
    assert joined.realizations == 2 and joined.diffusion.gibbs_left_eV_per_atom.shape[0] == 2
    np.testing.assert_allclose(joined.moles[1], history.moles[0])
    np.testing.assert_array_equal(joined.diffusion.sites, history.diffusion.sites)
    with pytest.raises(ValueError, match="different engines"):
        History.join([history, replace(history, diffusion=None)])


@pytest.mark.parametrize("gas", [{}, {"CO2": 40.0}, {"CO2": 1e5}], ids=["inert", "air", "pure CO2"])
def test_a_carbonate_gives_its_gas_off(gas):
    """Held or not, the CO2 that leaves is what the solids no longer hold, and it does not come back where not held."""
    phases = load_phases("Ba-Ti-O")
    stretches = [*ramp_and_hold(600.0, 1500.0, 10.0, 500.0), *ramp_and_hold(1500.0, 700.0, 10.0, 1.0, stage=1)]
    case = prepare(phases, {"BaCO3": 1.0, "TiO2": 1.0}, stretches, gas=gas, cells=30)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    assert history.element_drift[0] < 1e-12
    released = history.gas_moles[0].sum(axis=1)
    assert released[0] == 0.0
    hot = int(np.flatnonzero(history.stage == 0)[-1])
    left = equilibrium(phases, {"BaCO3": 1.0, "TiO2": 1.0}, 1500.0, partial_pressure_Pa=gas or None,
                       release_pressure_Pa=None if gas else {"CO2": 1.0})  # fmt: skip
    assert released[hot] == pytest.approx(1.0 - left.get("BaCO3", 0.0), abs=0.02)
    if not gas:
        assert (np.diff(released) >= -1e-12).all()


def test_a_metathesis_runs_to_a_history(tmp_path):
    stretches = ramp_and_hold(600.0, 850.0, 10.0, 200.0)
    case = prepare(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, stretches, cells=16)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    assert history.element_drift[0] < 1e-12 and history.diffusion.without_data_fraction[0] == pytest.approx(1.0)
    assert history.fractions()[0, -1, history.phases.index("LiF")] > 0.0
