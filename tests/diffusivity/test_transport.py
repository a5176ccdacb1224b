"""Learned transport: coefficients from diffusivities, flags, errors that a furnace draws within."""

import numpy as np
import pytest

from tammann.diffusivity.model import train_model
from tammann.diffusivity.transport import fill_transport, learned_transport
from tammann.errors import DataError
from tammann.transport import draw_transport, load_transport, save_transport
from tammann.transport.learned import is_learned
from tammann.units import BOLTZMANN_J_PER_K

from .made_up_table import made_up_table
from .test_local_features import antifluorite, rock_salt


@pytest.fixture(scope="module")
def model():
    return train_model(made_up_table(noise=0.2), "symbolic")


def test_coefficients_are_those_of_independent_ions(model):
    T = [1500.0, 2000.0]
    table = learned_transport(model, [antifluorite(), rock_salt()], temperatures_K=T)
    entry = table.at("Li2O", 1500.0)
    _, X = model.features({"Li2O": antifluorite()}, T)
    predicted = model.predict(X)
    at = entry.species.index("Li")
    c = 8 / (entry.volume_A3 * 1e-30)
    assert entry.L_self[at] * BOLTZMANN_J_PER_K * 1500.0 / c == pytest.approx(predicted.D_m2_per_s[0])
    assert entry.L[at, at] == entry.L_self[at] and entry.correlation_factor[at] == pytest.approx(0.0)
    assert entry.L_self_stderr[at] / entry.L_self[at] == pytest.approx(predicted.stderr[0])
    other = entry.species.index("O")
    assert entry.L[other].tolist() == [0.0, 0.0]


def test_it_says_that_it_is_learned(model, tmp_path):
    table = learned_transport(model, [antifluorite()], temperatures_K=[300.0, 1500.0])
    assert all(is_learned(entry) for entry in table.entries) and table.source.startswith("learned")
    assert table.warnings[0].startswith("Learned, not measured: L of Li2O")
    assert any("O in Li2O" in w and "immobile" in w for w in table.warnings)
    assert any("temperature outside" in w and "300 K" in w for w in table.warnings)
    save_transport(table, tmp_path / "table.json")
    again = load_transport(tmp_path / "table.json")
    assert again.warnings == table.warnings and all(is_learned(entry) for entry in again.entries)
    drawn = draw_transport(again, rng=1)
    assert drawn.entries[0].L_self.max() != again.entries[0].L_self.max()


def test_measured_compositions_stay_measured(model):
    measured = load_transport("karan-2026")
    learned = learned_transport(model, [antifluorite()], temperatures_K=[1500.0])
    both = fill_transport(measured, learned)
    assert len(both.entries) == len(measured.entries) + 1 and "learned" in both.source
    assert fill_transport(both, learned) is both
    assert sum(is_learned(entry) for entry in both.entries) == 1


def test_errors(model):
    with pytest.raises(DataError, match="mobile ion of Li in it"):
        learned_transport(model, [rock_salt(cation="Na")], temperatures_K=[1000.0])
    with pytest.raises(DataError, match="one for each ion"):
        learned_transport([model, model], [rock_salt()], temperatures_K=[1000.0])


def test_means_over_structures_of_one_composition(model):
    one = learned_transport(model, [antifluorite(4.6), antifluorite(4.7)], temperatures_K=[1500.0])
    assert len(one.entries) == 1 and one.entries[0].volume_A3 == pytest.approx(np.mean([4.6**3, 4.7**3]))
