"""Jumps of ions that hop with rates that are known."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from hopping import attempt, hopping, hopping_D, vectors_of
from tammann.characterization import find_jumps, find_sites, ion_density, lowest_path, percolation_thresholds
from tammann.characterization.density import mean_density
from tammann.characterization.ion_paths import ion_paths
from tammann.characterization.jumps import join_jumps
from tammann.errors import DataError
from tammann.trajectory import Trajectory
from tammann.transport import displacement_correlations, ion_conduction, measure_onsager
from tammann.transport.arrhenius import fit_arrhenius

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


def test_links_are_those_along_which_ions_jumped_often_enough():
    """Either way along a link counts for it; another image of the same site is another link; two jumps are too few."""
    _, jumps = jumps_of((0.1, 0, 0), ions=6)
    rows = np.array(
        [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], *[[0, 1, -1, 0, 0]] * 2, *[[2, 2, 0, 0, -1]] * 3]
    )
    few = replace(
        jumps, ions=0 * rows[:, 0], frames=np.arange(8), origins=rows[:, 0], targets=rows[:, 1], cells=rows[:, 2:]
    )
    assert few.links().tolist() == [[0, 1, 0, 0, 0], [2, 2, 0, 0, 1]]
    assert few.links(2).tolist() == [[0, 1, -1, 0, 0], [0, 1, 0, 0, 0], [2, 2, 0, 0, 1]]
    assert few.dimension()[1].tolist() == [[0, 0, 1]] and few.dimension(2)[0] == 1
    assert few.returned == pytest.approx(2 / 7)


SLANTED = [[3.0, 0.0, 0.0], [1.0, 3.2, 0.0], [-0.9, 0.7, 3.4]]


def test_a_slanted_lattice_and_its_supercell():
    """Directions, distances, rates and sum d² / 6 N t in a triclinic cell of unlike repeats."""
    rates = (0.1, 0.0, 0.05)
    walk, jumps = jumps_of(rates, spacing_A=SLANTED, repeats=(3, 2, 4), ions=10)
    assert len(jumps.sites) == 24
    found, directions = jumps.dimension()
    assert found == 2 and not directions[:, 1].any()
    total = 2 * sum(rates)
    row = jumps.rates().iloc[0]
    assert abs(row.rate_per_ps - total / (1 + 0.2 * total)) < 4 * row.rate_stderr
    lengths = np.linalg.norm(vectors_of(SLANTED)[[0, 2]], axis=1)
    shares = np.array([np.abs(jumps.distances_A - length) < 0.15 for length in lengths]).mean(axis=1)
    assert shares.sum() > 0.97 and shares[0] == pytest.approx(2 / 3, abs=4 * np.sqrt(2 / 9 / len(jumps)))
    D = hopping_D(rates, spacing_A=SLANTED).mean()
    assert jumps.jump_diffusivity_m2_per_s() == pytest.approx(D, rel=4 / np.sqrt(len(jumps)))
    threshold = percolation_thresholds(jumps.sites)[1]
    assert threshold.dimension == 2 and not threshold.directions[:, 1].any()


def test_jumps_of_replicas_are_those_of_one_larger_crystal():
    """Two replicas have the rates of both, of better statistics; what ion jumped, and the time at sites, are kept."""
    walks = [hopping((0.1, 0.05, 0.0), frames=2000, seed=seed) for seed in (1, 2)]
    sites = find_sites(mean_density([ion_density(walk, "Li") for walk in walks]))
    parts = [find_jumps(walk, sites) for walk in walks]
    both = join_jumps(parts)
    assert len(both) == sum(map(len, parts)) and both.n_ions == 24 and both.duration_ps == parts[0].duration_ps
    assert both.stays_ps.sum() == pytest.approx(sum(p.stays_ps.sum() for p in parts))
    rows = [p.rates().iloc[0] for p in (*parts, both)]
    assert rows[2].rate_per_ps == pytest.approx(np.mean([r.rate_per_ps for r in rows[:2]]), rel=0.01)
    assert rows[2].rate_stderr < 0.85 * min(r.rate_stderr for r in rows[:2])
    D = [p.jump_diffusivity_m2_per_s() for p in (*parts, both)]
    assert D[2] == pytest.approx((D[0] + D[1]) / 2) and both.dimension()[0] == 2
    back = sum(p.returned * (len(p) - len(set(p.ions.tolist()))) for p in parts)
    assert both.returned * (len(both) - 24) == pytest.approx(back)
    with pytest.raises(DataError, match="same number of frames"):
        join_jumps([parts[0], find_jumps(walks[1].frames(0, 500), sites)])
    with pytest.raises(DataError, match="among the same sites"):
        join_jumps([])


def test_errors_of_rates_are_widened_where_ions_jump_in_bursts():
    """Ions that hop only in half of the run have rates that are less sure than the count of their jumps says."""
    calm, busy = (hopping((rate, 0, 0), frames=1500, seed=3) for rate in (1e-9, 0.2))
    last = busy.positions[-1:, :12] - calm.positions[:1, :12]
    moved = np.concatenate([calm.positions[:, :12] + np.round(last / 3.0) * 3.0, calm.positions[:, 12:]], axis=1)
    walk = Trajectory(busy.symbols, np.concatenate([busy.positions, moved]), busy.cells, 0.1, temperature_K=800.0)
    row = find_jumps(walk, find_sites(ion_density(walk, "Li"))).rates().iloc[0]
    assert row.rate_stderr > 3 * row.rate_per_ps / np.sqrt(row.jumps)


@pytest.mark.slow
def test_rates_diffusivities_and_barriers_are_as_sure_as_they_say():
    """Over many walks at three temperatures what is known lies within one standard error about 68 % of the time."""
    T = np.array([600.0, 750.0, 1000.0])
    rates = [3 * (attempt(t, 0.25, 2.0),) for t in T]
    D = np.array([hopping_D(r, transit_ps=0.2).mean() for r in rates])
    pulls: dict[str, list[float]] = {"rate": [], "D": [], "haven": [], "Ea": [], "cold": []}
    for seed in range(30):
        measured = []
        for t, r, true in zip(T, rates, D, strict=True):
            walk = hopping(r, frames=4000, transit_ps=0.2, ions=18, temperature_K=t, seed=1000 * seed + int(t))
            jumps = find_jumps(walk, find_sites(ion_density(walk, "Li")))
            assert jumps.dimension()[0] == 3 and len(jumps.sites) == 27
            row, total = jumps.rates().iloc[0], 2 * sum(r)
            pulls["rate"].append((row.rate_per_ps - total / (1 + 0.2 * total)) / row.rate_stderr)
            m = measure_onsager(displacement_correlations(walk, frame="Cl"))
            k = m.species.index("Li")
            pulls["D"].append((m.D_m2_per_s[k] - true) / m.D_stderr[k])
            pulls["haven"].append(m.correlation_factor[k] / m.correlation_factor_stderr[k])
            measured.append(m)
        conduction = ion_conduction(measured, "Li", charges={"Li": 1.0, "Cl": -1.0})
        fit = conduction.diffusion
        # transit bends the law a little: what is compared is the line that the same weights draw through the true D
        exact = fit_arrhenius(T, D, D * fit.stderr / fit.values)
        pulls["Ea"].append((fit.activation_energy_eV - exact.activation_energy_eV) / fit.activation_energy_stderr_eV)
        cold, error = fit.predict(300.0)
        pulls["cold"].append(np.log(cold / exact.predict(300.0)[0]) / (error / cold))
    for name, values in pulls.items():
        x = np.array(values)
        inside = (np.abs(x) < 1).mean()
        assert abs(inside - 0.683) < 0.05 + 3 * np.sqrt(0.22 / len(x)), (name, inside)
        assert abs(x.mean()) < 0.15 + 3 / np.sqrt(len(x)), (name, x.mean())
        assert (np.abs(x) < 2).mean() > 0.85, name


def test_gemdat_sees_the_same_jumps():
    """GEMDAT, given our sites, tells of the same jumps of the same ions, but for some of an ion that turns half way."""
    gemdat = pytest.importorskip("gemdat")
    from pymatgen.core import Lattice, Species, Structure

    walk, jumps = jumps_of((0.1, 0.06, 0.0))
    paths = np.concatenate([part for _, part in ion_paths(walk, "Li")])
    lattice = Lattice(walk.cells[0])
    other = gemdat.Trajectory(
        species=[Species("Li", 1)] * 12, coords=paths % 1.0, lattice=lattice, time_step=1e-13,
        metadata={"temperature": 800.0},
    )  # fmt: skip
    sites = jumps.sites.basins.fractional % 1.0
    known = Structure(lattice, ["Li"] * 27, sites, labels=["A"] * 27)
    found = other.transitions_between_sites(sites=known, floating_specie="Li").jumps().data
    columns = ("atom index", "start site", "destination site")
    theirs = Counter(zip(*(found[c].astype(int).tolist() for c in columns), strict=True))
    ours = Counter(zip(*(x.tolist() for x in (jumps.ions, jumps.origins, jumps.targets)), strict=True))
    assert max((ours - theirs).total(), (theirs - ours).total()) < 0.003 * len(jumps)


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
    wider = hopping((0.05, 0, 0), ions=6, frames=50, spacing_A=(3.0, 3.0, 4.0))
    with pytest.raises(DataError, match="lattice vectors"):
        find_jumps(wider, jumps.sites)


def test_two_frames_are_too_few_and_no_error():
    walk = hopping((0.1, 0, 0), frames=2)
    jumps = find_jumps(walk, find_sites(ion_density(walk, "Li")))
    assert len(jumps) == 0 and jumps.rates().empty and jumps.dimension()[0] == 0
    assert jumps.jump_diffusivity_m2_per_s() == 0.0 and not percolation_thresholds(jumps.sites)
    with pytest.raises(DataError, match="run longer"):
        lowest_path(jumps.sites)
