"""Samples: every arrangement as likely as any other, Boltzmann weights of Monte Carlo, no ordering twice."""

import numpy as np
import pytest

from disordered_hosts import HOST
from tammann.errors import DataError
from tammann.structures.ordering import (
    canonical_arrangements,
    enumerate_orderings,
    ewald_energies,
    ordering_block,
    sample_by_energy,
    sample_orderings,
    with_ewald,
)
from tammann.structures.ordering.sampling import _exchange, random_arrangements
from tammann.units import BOLTZMANN_EV_PER_K

BLOCK = ordering_block(HOST)


def test_random_arrangements_meet_orderings_by_their_degeneracy():
    exact = enumerate_orderings(BLOCK)
    drawn, _ = canonical_arrangements(BLOCK, random_arrangements(BLOCK, 60_000, rng=1))
    names = {row.tobytes(): k for k, row in enumerate(exact.arrangements)}
    met = np.bincount([names[row.tobytes()] for row in drawn], minlength=len(exact))
    expected = 60_000 * exact.degeneracies / exact.count.raw
    chi2 = ((met - expected) ** 2 / expected).sum()
    assert abs(chi2 - (len(exact) - 1)) < 5 * np.sqrt(2 * (len(exact) - 1))


def test_a_sample_has_no_ordering_twice_and_its_own_degeneracies():
    exact, found = enumerate_orderings(BLOCK), sample_orderings(BLOCK, 300, rng=2)
    known = {row.tobytes(): int(g) for row, g in zip(exact.arrangements, exact.degeneracies, strict=True)}
    keys = [row.tobytes() for row in found.arrangements]
    assert len(set(keys)) == len(found) == 300
    assert [known[key] for key in keys] == found.degeneracies.tolist()
    assert found.fraction_covered == found.degeneracies.sum() / 11088
    assert not found.exact


def test_large_blocks_and_seeds():
    block = ordering_block(HOST, (2, 2, 2))
    one, same, other = (sample_orderings(block, 20, rng=seed) for seed in (1, 1, 2))
    assert (one.arrangements == same.arrangements).all()
    assert (one.arrangements != other.arrangements).any()
    assert 0.0 < one.fraction_covered < 1e-30
    counts = [np.bincount(row[slice(*s.sites)]).tolist() for row in one.arrangements for s in block.sublattices]
    assert counts == [list(s.counts) for _ in range(20) for s in block.sublattices]


def test_metropolis_follows_boltzmann():
    """Mean energy and its spread at three temperatures against sums over all arrangements."""
    exact, energies = with_ewald(enumerate_orderings(BLOCK)), ewald_energies(BLOCK)
    e, g = exact.energies_eV, exact.degeneracies
    group = np.repeat(np.arange(3), [s.n_sites for s in BLOCK.sublattices])
    ends = np.array([s.sites for s in BLOCK.sublattices])[group]
    for T in (20_000.0, 60_000.0):
        beta = 1.0 / (BOLTZMANN_EV_PER_K * T)
        weight = g * np.exp(-beta * (e - e.min()))
        mean = (weight @ e) / weight.sum()
        spread = np.sqrt((weight @ (e - mean) ** 2) / weight.sum())
        rng = np.random.default_rng(4)
        path = _exchange(
            random_arrangements(BLOCK, 1, rng)[0], ends, energies.charges_e, energies.field_eV_per_e,
            energies.matrix_eV_per_e2, np.full(20_500, beta), 500, rng,
        )  # fmt: skip
        found = energies.energies_eV(path)
        blocks = found.reshape(20, -1).mean(axis=1)
        assert abs(found.mean() - mean) < 5 * blocks.std() / np.sqrt(19)
        assert found.std() == pytest.approx(spread, rel=0.05)


def test_monte_carlo_finds_the_ground_state():
    exact = with_ewald(enumerate_orderings(BLOCK))
    found = sample_by_energy(BLOCK, temperature_K=5000, chains=4, rng=1)
    assert found.energies_eV[0] == pytest.approx(exact.energies_eV.min(), abs=1e-9)
    assert (np.diff(found.energies_eV) > -1e-8).all()
    assert with_ewald(found).energies_eV == pytest.approx(found.energies_eV)
    hot = sample_by_energy(BLOCK, chains=4, rng=1)  # at the default there is more than the ground state
    assert "at 10000 K" in hot.origin and np.ptp(hot.energies_eV) > 0.1
    lowest = exact.lowest(10)
    assert "the 10 lowest of 1448" in repr(lowest)


def test_orderings_alike_in_energy_are_drawn():
    """In and Y, Br and Cl have the same charges: 532 orderings share the lowest energy, and any of them may come."""
    exact = with_ewald(enumerate_orderings(BLOCK))
    alike = int((exact.energies_eV < exact.energies_eV.min() + 1e-6).sum())
    assert alike > 100
    drawn = [exact.lowest(10, rng=seed) for seed in (1, 1, 2)]
    assert (drawn[0].arrangements == drawn[1].arrangements).all()
    assert (drawn[0].arrangements != drawn[2].arrangements).any()
    assert np.ptp(drawn[2].energies_eV) < 1e-6


def test_numbers_out_of_range():
    with pytest.raises(DataError, match="number: expected 1 or more"):
        sample_orderings(BLOCK, 0)
    with pytest.raises(DataError, match="temperature_K: expected a number above 0"):
        sample_by_energy(BLOCK, temperature_K=0)
    with pytest.raises(DataError, match="start_temperature_K, sweeps"):
        sample_by_energy(BLOCK, temperature_K=300, start_temperature_K=200)
    with pytest.raises(DataError, match="expected orderings with energies"):
        sample_orderings(BLOCK, 3, rng=1).lowest(1)
