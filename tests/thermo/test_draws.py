"""Draws of energies: what is known holds in each, what is assumed varies, and the shipped set is their mean."""

import numpy as np
import pytest

from tammann.thermo import assess, draw_energies, load_constraints, load_phases, mean_of_draws
from tammann.thermo.phase import Constraint
from thermo.known import binary, check_known_equilibria


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


@pytest.fixture(scope="module")
def draws(phases):
    rng = np.random.default_rng(7)
    return [draw_energies(phases, rng=rng) for _ in range(40)]


def reaction(phases, T, **moles):
    """Gibbs energy, meV per atom of what reacts; reactants are negative."""
    G, atoms = phases.gibbs(T), phases.composition_matrix.sum(axis=1)
    total = sum(n * atoms[phases.index(f)] * G[phases.index(f)] for f, n in moles.items())
    return 1e3 * total / sum(-n * atoms[phases.index(f)] for f, n in moles.items() if n < 0)


def test_every_draw_satisfies_every_known_equilibrium(draws):
    for drawn in draws:
        assert drawn.default_energies == "assessed"
        check_known_equilibria(drawn)


def test_what_decides_between_bati2o5_and_its_neighbours_varies(draws):
    """Ba6Ti17O40 lies below 5 BaTiO3 + 4 Ba4Ti13O30 by an unknown margin, not by one and the same in most draws."""
    dG = np.array([reaction(d, 1400.0, Ba4Ti13O30=-1, BaTiO3=-5, BaTi2O5=9) for d in draws])
    assert (dG < 0.0).all()
    low, high = np.percentile(dG, [10.0, 90.0])
    assert high - low > 1.0
    assert np.diff(np.sort(dG)).min() > 1e-9
    # Where the balance lies is known, how fast it tips is not.
    tips = [reaction(d, 1300.0, BaTi2O5=-11, BaTiO3=5, Ba6Ti17O40=1) for d in draws]
    assert min(tips) > 0.0 and max(tips) > 3.0 * min(tips)


def test_margins_are_exponential_and_entropies_keep_their_mean():
    """Of a compound far above the line every draw lies at its margin, and a reaction entropy of 2 at its own."""
    phases = binary(1e-6)
    sides = {"left": (("Mg3O2", 1.0),), "right": (("MgO", 2.0), ("Mg", 1.0))}
    stated = {"entropy_J_per_K_per_mol_atoms": 2.0, "entropy_origin": "made up", "entropy_spread": 0.5}
    constraint = Constraint("left-stable", (1000.0,), "made up", margin_eV_per_atom=0.002, **sides, **stated)
    phases = phases.with_energies(assess(phases, [constraint], reference_temperature_K=1000.0), default=True)
    rng = np.random.default_rng(0)
    drawn = [draw_energies(phases, rng=rng) for _ in range(400)]
    margin, hotter = (np.array([reaction(d, T, Mg3O2=-1, MgO=2, Mg=1) for d in drawn]) for T in (1000.0, 1100.0))
    assert margin.min() > 0.0
    assert margin.mean() == pytest.approx(2.0, rel=0.15) and margin.std() == pytest.approx(2.0, rel=0.2)
    entropy = (margin - hotter) / 100.0 * 96.48533
    assert entropy.min() > 0.0 and entropy.mean() == pytest.approx(2.0, rel=0.1)
    assert np.log(entropy).std() == pytest.approx(0.5, rel=0.15)


def test_margins_and_entropies_that_contradict_each_other_are_drawn_again(phases):
    """Ba2Ti9O20 is stable at 1373 K and not at 1323 K, which some of the entropies do not allow."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        drawn = draw_energies(phases, rng=rng)
        assert reaction(drawn, 1323.0, Ba2Ti9O20=-1, BaTi4O9=1, BaTi5O11=1) <= 1e-6
        assert reaction(drawn, 1373.0, Ba2Ti9O20=-1, BaTi4O9=1, BaTi5O11=1) >= -1e-6


@pytest.mark.slow
def test_the_shipped_set_is_the_mean_of_its_draws(phases):
    check_known_equilibria(phases)
    pairs = 60
    again = mean_of_draws(phases, pairs=pairs, rng=11)
    shipped = phases.energy_set()
    # The error of the mean of that many draws; most draws of a phase move it by less than its standard error.
    error = shipped.standard_error_eV_per_atom / np.sqrt(2 * pairs)
    assert (np.abs(again.shifts_eV_per_atom - shipped.shifts_eV_per_atom) <= 3.0 * error).all()
    smallest = assess(phases, load_constraints("Ba-Ti-O")[0], energies="experiment-anchored",
                      reference_temperature_K=shipped.reference_temperature_K)  # fmt: skip
    assert np.abs(smallest.shifts_eV_per_atom - shipped.shifts_eV_per_atom).max() > 0.005


def test_a_plain_set_is_its_own_mean(phases):
    one = mean_of_draws(phases, energies="materials-project", pairs=1)
    assert one is phases.energy_set("materials-project")


def test_draws_of_a_plain_set_scatter_by_its_standard_errors(phases):
    name = "experiment-anchored"
    mean, error = phases.gibbs(1000.0, energies=name), phases.energy_set(name).standard_error_eV_per_atom
    rng = np.random.default_rng(3)
    draws = np.array([draw_energies(phases, energies=name, rng=rng).gibbs(1000.0) for _ in range(400)])
    np.testing.assert_allclose(draws.std(axis=0), error, rtol=0.15, atol=1e-12)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=4 * 0.04 / 20)
    # One draw moves a phase by the same amount at all temperatures.
    one = draw_energies(phases, energies=name, rng=1)
    cold, hot = (one.gibbs(T) - phases.gibbs(T, energies=name) for T in (500.0, 1700.0))
    np.testing.assert_allclose(cold, hot, atol=1e-12)


def test_the_same_seed_gives_the_same_draw(phases):
    np.testing.assert_array_equal(draw_energies(phases, rng=5).gibbs(900.0), draw_energies(phases, rng=5).gibbs(900.0))
    assert not np.array_equal(
        draw_energies(phases, rng=5).gibbs(900.0), draw_energies(phases, rng=6).gibbs(900.0), equal_nan=True
    )
