"""Jumps of ions that hop with rates that are known."""

import numpy as np
import pytest

from hopping import hopping, hopping_D
from tammann.characterization import find_jumps, find_sites, ion_density, lowest_path, percolation_thresholds
from tammann.errors import DataError
from tammann.transport import displacement_correlations, measure_onsager

WAYS = {1: (0.1, 0.0, 0.0), 2: (0.1, 0.06, 0.0), 3: (0.1, 0.06, 0.04)}


def jumps_of(rates, **more):
    walk = hopping(rates, frames=6000, **more)
    return walk, find_jumps(walk, find_sites(ion_density(walk, "Li")))


@pytest.fixture(scope="module", params=[1, 2, 3])
def known(request):
    return request.param, *jumps_of(WAYS[request.param])


def test_the_dimension_of_the_network(known):
    dimension, _, jumps = known
    found, directions = jumps.dimension()
    assert found == dimension
    assert not directions[:, dimension:].any()
    thresholds = percolation_thresholds(jumps.sites)
    assert len(thresholds) >= dimension and not thresholds[dimension - 1].directions[:, dimension:].any()


def test_rates_within_their_errors(known):
    """n / t = rate / (1 + rate x transit), as half of the transit is spent on either side."""
    dimension, _, jumps = known
    total = 2 * sum(WAYS[dimension])
    row = jumps.rates().iloc[0]
    assert abs(row.rate_per_ps - total / (1 + 0.2 * total)) < 4 * row.rate_stderr
    assert row.rate_stderr < 0.05 * row.rate_per_ps and row.distance_A == pytest.approx(3.0, abs=0.02)
    each = jumps.rates("site")
    assert each["jumps"].sum() == len(jumps)
    expected = np.repeat(WAYS[dimension], 2) / (1 + 0.2 * total)
    x = each["rate_per_ps"].to_numpy()
    chances = np.unique(expected[expected > 0])
    assert (np.abs(x[:, None] - chances).min(axis=1) < 4.5 * each["rate_stderr"].to_numpy()).all()


def test_independent_jumps_give_the_tracer_diffusivity(known):
    """Of independent jumps sum d² / 6 N t is D, which the transport room measures within its errors."""
    dimension, walk, jumps = known
    D = hopping_D(WAYS[dimension]).mean()
    assert jumps.jump_diffusivity_m2_per_s() == pytest.approx(D, rel=4 / np.sqrt(len(jumps)))
    measured = measure_onsager(displacement_correlations(walk, frame="Cl"))
    k = measured.species.index("Li")
    assert abs(measured.D_m2_per_s[k] - D) < 4 * measured.D_stderr[k]
    # of a random walk one jump in 2 d goes back
    rates = np.repeat(WAYS[dimension], 2) / (2 * sum(WAYS[dimension]))
    assert jumps.returned == pytest.approx((rates**2).sum(), abs=4 * 0.5 / np.sqrt(len(jumps)))


def test_rattling_across_a_boundary_is_no_jump():
    """Ions that never leave their sites have no jumps, though they cross the boundaries some forty times."""
    walk = hopping((1e-9, 0, 0), rattle_A=0.4, ions=27, frames=3000)
    sites = find_sites(ion_density(walk, "Li"))
    assert len(sites) == 27
    jumps = find_jumps(walk, sites)
    assert len(jumps) == 0 and jumps.dimension()[0] == 0 and np.isnan(jumps.returned) and jumps.rates().empty


@pytest.mark.parametrize("known", [1], indirect=True)  # one direction has one barrier
def test_the_free_energy_of_the_way(known):
    """On the way rho = (jumps per link and time) x transit / spacing, over the section of the Gaussian."""
    _, _, jumps = known
    density, path = jumps.sites.density, lowest_path(jumps.sites)
    width = 0.25**2 + density.smoothing_A**2 + 0.25**2 / 6
    rate = 0.1 / (1 + 0.2 * 0.2)
    line, waiting = 2 * rate * 0.2 / 3.0, 1 - 2 * rate * 0.2
    expected = -density.kT_eV() * np.log(
        line * np.sqrt(2 * np.pi * width) / (waiting + line * np.sqrt(2 * np.pi * width))
    )
    assert path.barrier_eV == pytest.approx(expected, abs=0.03)
    assert path.distance_A[-1] == pytest.approx(9.0, abs=0.3) and len(path.sites) == 4
    assert path.free_energy_eV.min() == 0.0
    assert path.barrier_eV == pytest.approx(percolation_thresholds(jumps.sites)[0].barrier_eV, abs=0.03)


def test_bad_input_is_told():
    walk, jumps = jumps_of((0.05, 0, 0), ions=6)
    with pytest.raises(DataError, match="core"):
        find_jumps(walk, jumps.sites, core=0.7)
    with pytest.raises(DataError, match="name or site"):
        jumps.rates("kind")
    with pytest.raises(DataError, match="sites are those of 6"):
        find_jumps(hopping((0.05, 0, 0), ions=7, frames=50), jumps.sites)
