"""The difference across a layer in equilibrium with its neighbours: by its definition, and where it vanishes."""

import numpy as np
import pytest

from potential_differences import local_equilibrium_difference
from tammann.errors import DataError
from tammann.thermo import load_phases, local_equilibrium_differences
from tammann.thermo.local_equilibrium import difference_across_layers


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


def test_local_equilibrium_meets_both_neighbours(phases):
    T = 1250.0
    g, x, i = phases.gibbs(T), phases.atom_fractions, phases.index
    d = local_equilibrium_difference(phases, "BaO", "TiO2", "BaTiO3", T)
    dG = g[i("BaTiO3")] - 0.4 * g[i("BaO")] - 0.6 * g[i("TiO2")]
    assert dG < 0
    assert x[i("BaTiO3")] @ d == pytest.approx(0.0, abs=1e-12)
    assert x[i("BaO")] @ d == pytest.approx(-dG / 0.4, abs=1e-12)
    assert x[i("TiO2")] @ d == pytest.approx(dG / 0.6, abs=1e-12)
    # Swapping the two sides turns the vector round; a multiple of the product changes nothing.
    np.testing.assert_allclose(local_equilibrium_difference(phases, "TiO2", "BaO", "BaTiO3", T), -d, atol=1e-12)
    np.testing.assert_allclose(local_equilibrium_difference(phases, "BaO", "TiO2", {"BaTiO3": 7}, T), d, atol=1e-12)


def test_local_equilibrium_vanishes_with_the_driving_force(phases):
    layers = [("BaTiO3", "Ba6Ti17O40", "BaTi2O5")]
    below, at, above = local_equilibrium_differences(phases, layers, [1450.0, 1473.0, 1500.0])[:, 0]
    x = phases.atom_fractions[phases.index("BaTiO3")]
    np.testing.assert_allclose(at, 0.0, atol=1e-9)
    assert x @ below > 1e-5 and x @ above < -1e-5


def test_local_equilibrium_with_a_gas_given_off(phases):
    gas = {"CO2": 40.5}
    d = local_equilibrium_difference(phases, "BaCO3", "TiO2", "BaTiO3", 1100.0, partial_pressure_Pa=gas)
    assert phases.atom_fractions[phases.index("BaTiO3")] @ d == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(DataError, match="cannot be"):
        local_equilibrium_difference(phases, "BaCO3", "TiO2", "BaTiO3", 1100.0)


def test_a_layer_of_two_phases(phases):
    # 2 BaO + 2 TiO2 -> Ba2TiO4 + TiO2 ... as a layer of BaTiO3's composition made of Ba2TiO4 and BaTi2O5.
    mixture = {"Ba2TiO4": 1.0, "BaTi2O5": 1.0}
    d = local_equilibrium_difference(phases, "BaO", "TiO2", mixture, 1250.0)
    single = local_equilibrium_difference(phases, "BaO", "TiO2", "BaTiO3", 1250.0)
    ratio = d[d != 0] / single[d != 0]
    np.testing.assert_allclose(ratio, ratio[0])
    assert 0 < ratio[0] < 1  # the same direction, a smaller drop: the mixture is less stable


def test_it_is_the_shortest_of_those_that_meet_both_sides():
    """Against the pseudo-inverse, for random layers of five elements of which gases settle one."""
    rng = np.random.default_rng(1)
    first, layer, free = rng.random((6, 5)), rng.random((6, 5)), rng.normal(size=(5, 4))
    found = difference_across_layers(first, layer, free)
    for d, x, p in zip(found, first, layer, strict=True):
        expected = free @ np.linalg.pinv(np.stack([p @ free, x @ free])) @ [0.0, 1.0]
        np.testing.assert_allclose(d, expected, rtol=1e-9)
    assert np.isnan(difference_across_layers(first, 2.0 * first, free)).all()
