"""Onsager coefficients of walks with known answers, and whether the stated errors are true."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory import Trajectory, trajectory_from_arrays
from tammann.transport import (
    block_errors,
    correlations_of_stretches,
    displacement_correlations,
    measure_onsager,
)
from transport.walks import ALONE, COUNTS, OMEGA, correlated_walk, in_SI, independent_walk, own_diffusion

T = 1200.0
V = 20.0**3
L_TRUE = in_SI(OMEGA, temperature_K=T, volume_A3=V)
D_TRUE = own_diffusion() * 1e-8


def measured(trajectory, *, frame="laboratory", regime_ps=(1.0, 20.0), temperature_K=T):
    return measure_onsager(
        displacement_correlations(trajectory, frame=frame, threads=1), temperature_K=temperature_K, regime_ps=regime_ps
    )


def test_a_long_walk_gives_the_matrix_put_in():
    result = measured(correlated_walk(np.random.default_rng(1), 60000))
    L = result.coefficients
    assert pytest.approx(L_TRUE, rel=0.15) == L.L
    assert np.all(np.abs(L.L - L_TRUE) < 4 * L.L_stderr)
    assert np.all(np.abs(result.D_m2_per_s - D_TRUE) < 4 * result.D_stderr)
    assert L.L_self == pytest.approx(result.D_m2_per_s * np.array(COUNTS) / (V * 1e-30) / (1.380649e-23 * T))
    factors = L_TRUE.diagonal() / in_SI(np.array(COUNTS) * own_diffusion(), temperature_K=T, volume_A3=V) - 1
    assert np.all(np.abs(result.correlation_factor - factors) < 4 * result.correlation_factor_stderr)
    assert result.haven_ratio == pytest.approx(1 / (1 + result.correlation_factor))
    assert result.diffusive and result.regime.rule == "given"


def coverage(repeats, frames, regime_ps, seed, *, replicas=1):
    """How often the truth lies within 1.96 stated errors of L, D and the correlation factor."""
    rng = np.random.default_rng(seed)
    factor = L_TRUE.diagonal() / in_SI(np.array(COUNTS) * own_diffusion(), temperature_K=T, volume_A3=V) - 1
    inside = {"L": np.zeros((2, 2)), "D": np.zeros(2), "f": np.zeros(2)}
    for _ in range(repeats):
        walks = [correlated_walk(rng, frames) for _ in range(replicas)]
        curves = [displacement_correlations(walk, frame="laboratory", threads=1) for walk in walks]
        result = measure_onsager(curves, temperature_K=T, regime_ps=regime_ps)
        inside["L"] += np.abs(result.apparent.L - L_TRUE) < 1.96 * result.apparent.L_stderr
        D = result.apparent.L_self * result.kT_over_c
        inside["D"] += np.abs(D - D_TRUE) < 1.96 * result.apparent.L_self_stderr * result.kT_over_c
        f = np.diag(result.apparent.L) / result.apparent.L_self - 1
        inside["f"] += np.abs(f - factor) < 1.96 * result.correlation_factor_stderr
    return {name: value / repeats for name, value in inside.items()}


@pytest.mark.slow
def test_stated_errors_cover_the_truth_where_the_rule_finds_the_regime():
    for name, share in coverage(2000, 1200, None, 12).items():
        assert np.all((share > 0.93) & (share < 0.97)), (name, share)


@pytest.mark.slow
@pytest.mark.parametrize(("frames", "regime_ps", "replicas"), [(1000, (3.0, 25.0), 1), (700, (3.0, 17.0), 3)])
def test_stated_errors_cover_the_truth(frames, regime_ps, replicas):
    """Of 2,500 repeats, 95 % intervals hold the truth in 93 to 97 % (the spread of that share is 0.44 %)."""
    for name, share in coverage(2500, frames, regime_ps, 11, replicas=replicas).items():
        assert np.all((share > 0.93) & (share < 0.97)), (name, share)


@pytest.mark.slow
def test_stated_errors_cover_the_truth_in_a_few_repeats():
    """The same at a glance: 120 repeats, 95 % give or take three of the 2 % by which such a share varies."""
    for name, share in coverage(120, 600, (1.0, 12.0), 3).items():
        assert np.all(share > 0.89), (name, share)


def test_ordinary_least_squares_would_state_a_far_smaller_error():
    curves = displacement_correlations(correlated_walk(np.random.default_rng(4), 4000), frame="laboratory", threads=1)
    lags = np.arange(10, 400)
    y = curves.self_part()[0, lags]
    x = lags * curves.frame_interval_ps
    (slope, _), scatter = np.polyfit(x, y, 1, cov=True)
    result = measure_onsager(curves, temperature_K=T, regime_ps=(1.0, 40.0))
    assert np.sqrt(scatter[0, 0]) / slope < 0.1 * result.D_stderr[0] / result.D_m2_per_s[0]


def test_replicas_shrink_the_error_as_the_root_of_their_number():
    rng = np.random.default_rng(6)
    curves = [displacement_correlations(correlated_walk(rng, 3000), frame="laboratory") for _ in range(16)]
    one = measure_onsager(curves[0], temperature_K=T, regime_ps=(1.0, 20.0))
    many = measure_onsager(curves, temperature_K=T, regime_ps=(1.0, 20.0))
    assert many.n_replicas == 16 and many.duration_ps == pytest.approx(16 * one.duration_ps)
    assert one.D_stderr / many.D_stderr == pytest.approx(4.0, rel=0.25)
    # two independent ways to the same error; the spread of 16 is itself known to 18 %
    assert many.L_replica_stderr == pytest.approx(many.apparent.L_stderr, rel=0.6)
    assert many.D_replica_stderr == pytest.approx(many.D_stderr, rel=0.6)


def test_replicas_of_unequal_length_weigh_by_what_they_know():
    rng = np.random.default_rng(7)
    long, short = (
        displacement_correlations(correlated_walk(rng, frames), frame="laboratory") for frames in (20000, 500)
    )
    together, alone = (measure_onsager(c, temperature_K=T, regime_ps=(1.0, 10.0)) for c in ([long, short], long))
    assert together.D_m2_per_s == pytest.approx(alone.D_m2_per_s, rel=0.02)
    assert np.all(together.D_stderr < alone.D_stderr)


def test_blocks_agree_with_the_stated_errors():
    walk = correlated_walk(np.random.default_rng(8), 40000)
    result = measured(walk, regime_ps=(1.0, 10.0))
    blocks = block_errors(correlations_of_stretches(walk, stretches=16, frame="laboratory"), result)
    assert blocks.blocks == 16
    assert blocks.L_stderr == pytest.approx(result.apparent.L_stderr, rel=0.6)
    assert blocks.D_stderr == pytest.approx(result.D_stderr, rel=0.6)
    few = correlations_of_stretches(walk, stretches=2, frame="laboratory")
    assert block_errors(few, result) is None


def unsteady(rng, frames):
    """Ions that are all fast for 10 ps and all slow for the next, at random: D = 0.02 Å²/ps on the mean."""
    pace = np.repeat(rng.gamma(2.0, 0.5, size=-(-frames // 100)), 100)[:frames]
    steps = rng.normal(size=(frames, 30, 3)) * np.sqrt(2 * 0.02 * 0.1 * pace)[:, None, None]
    return trajectory_from_arrays(
        np.cumsum(steps, axis=0), 20.0 * np.eye(3), ["Na"] * 30, frame_interval_ps=0.1, wrapped=False
    )


@pytest.mark.slow
def test_a_melt_that_is_now_fast_and_now_slow_gets_its_true_error():
    """What all ions do together, no theory of independent ions sees; the spread over stretches or replicas does."""
    rng = np.random.default_rng(31)
    plain, checked, values = [], [], []
    for _ in range(40):
        walk = unsteady(rng, 3000)
        curves = displacement_correlations(walk, frame="laboratory", threads=1)
        pieces = correlations_of_stretches(walk, stretches=8, frame="laboratory", threads=1)
        for errors, stretches in ((plain, ()), (checked, pieces)):
            m = measure_onsager(curves, temperature_K=T, regime_ps=(0.5, 5.0), stretches=stretches)
            errors.append(m.D_stderr[0])
        values.append(m.D_m2_per_s[0])
    scatter = np.std(values, ddof=1)
    assert np.mean(plain) < 0.4 * scatter
    assert 0.75 * scatter < np.mean(checked) < 1.3 * scatter
    assert any("lie further apart" in note for note in m.notes)
    many = [displacement_correlations(unsteady(rng, 1500), frame="laboratory", threads=1) for _ in range(6)]
    replicas = measure_onsager(many, temperature_K=T, regime_ps=(0.5, 5.0))
    assert replicas.D_stderr == pytest.approx(replicas.D_replica_stderr)


@pytest.mark.slow
def test_chance_hardly_ever_widens_errors():
    """Of 100 sound walks about one in a hundred, for each of four spreads."""
    rng = np.random.default_rng(32)
    widened = 0
    for _ in range(100):
        walk = correlated_walk(rng, 800)
        curves = displacement_correlations(walk, frame="laboratory", threads=1)
        pieces = correlations_of_stretches(walk, stretches=8, frame="laboratory", threads=1)
        m = measure_onsager(curves, temperature_K=T, regime_ps=(0.5, 4.0), stretches=pieces)
        widened += any("lie further apart" in note for note in m.notes)
    assert widened <= 10, widened


def test_barycentric_rows_balance_and_the_matrix_is_dissipative():
    result = measured(correlated_walk(np.random.default_rng(9), 20000), frame="barycentric")
    assert result.apparent.centre_of_mass_deviation < 1e-9
    assert result.apparent.smallest_eigenvalue_ratio > -1e-9
    assert result.frame == "barycentric"


def test_the_frame_changes_with_the_known_rule():
    """L' = A L A^T, A = 1 - N m^T / M takes the laboratory matrix to the barycentric one."""
    from tammann.transport import species_masses

    walk = correlated_walk(np.random.default_rng(10), 5000)
    here, there = (measured(walk, frame=frame).apparent.L for frame in ("laboratory", "barycentric"))
    N, m = np.array(COUNTS, dtype=float), species_masses(("Na", "Cl"))
    A = np.eye(2) - np.outer(N, m) / (N @ m)
    # slopes differ a little in their weights, which look at how ions move before they diffuse
    assert there == pytest.approx(A @ here @ A.T, rel=2e-3)


@pytest.mark.parametrize("change", ["origin", "rotation", "order", "reversed"])
def test_what_changes_nothing(change):
    walk = correlated_walk(np.random.default_rng(12), 3000)
    positions, symbols = walk.positions, walk.symbols
    if change == "origin":
        positions = positions + np.array([3.0, 4.0, 5.0])
    elif change == "rotation":
        positions = positions @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    elif change == "order":
        order = np.random.default_rng(1).permutation(len(symbols))
        positions, symbols = positions[:, order], tuple(symbols[k] for k in order)
    else:
        positions = positions[::-1]
    other = measured(Trajectory(symbols, positions, walk.cells, walk.frame_interval_ps))
    one = measured(walk)
    assert other.apparent.L == pytest.approx(one.apparent.L, rel=1e-7)
    assert other.apparent.L_stderr == pytest.approx(one.apparent.L_stderr, rel=1e-7)
    assert other.D_stderr == pytest.approx(one.D_stderr, rel=1e-7)


def test_frames_further_apart_give_the_same_within_errors():
    walk = correlated_walk(np.random.default_rng(13), 40000)
    one, thinned = (measured(t, regime_ps=(1.0, 20.0)) for t in (walk, walk.frames(step=5)))
    assert np.all(np.abs(one.apparent.L - thinned.apparent.L) < 2.5 * one.apparent.L_stderr)
    assert thinned.apparent.L_stderr == pytest.approx(one.apparent.L_stderr, rel=0.25)


def test_a_bounded_sum_is_not_diffusion_however_ions_wander():
    """Ions that walk while their sum comes back, so that L_ii is 0: the early slope of the sum is no coefficient."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(3)
    steps = rng.normal(size=(4000, 16, 3))
    steps -= steps.mean(axis=1, keepdims=True)
    decay = np.exp(-0.1 / 20.0)
    together = lfilter([1.0], [1.0, -decay], rng.normal(size=(4000, 1, 3)), axis=0) / 4.0
    bounded = trajectory_from_arrays(
        np.cumsum(steps, axis=0) * 0.1 + together,
        20.0 * np.eye(3),
        ["Na"] * 16,
        frame_interval_ps=0.1,
        wrapped=False,
    )
    result = measure_onsager(displacement_correlations(bounded, frame="laboratory"), temperature_K=T)
    assert not result.diffusive


def test_replicas_of_another_state_are_refused():
    rng = np.random.default_rng(17)
    walks = [correlated_walk(rng, 300) for _ in range(2)]
    other = Trajectory(walks[1].symbols, walks[1].positions, 1.2 * walks[1].cells, 0.1)
    one, two = (displacement_correlations(w, frame="laboratory") for w in (walks[0], other))
    with pytest.raises(DataError, match="volumes 8000 and 13824"):
        measure_onsager([one, two], temperature_K=T)
    hot, cold = (
        displacement_correlations(Trajectory(w.symbols, w.positions, w.cells, 0.1, K))
        for w, K in zip(walks, (1000.0, 1100.0), strict=True)
    )
    with pytest.raises(DataError, match="temperatures 1000 and 1100 K"):
        measure_onsager([hot, cold])


def test_a_short_replica_does_not_shorten_the_regime():
    rng = np.random.default_rng(18)
    long, short = (displacement_correlations(correlated_walk(rng, n), frame="laboratory") for n in (20000, 60))
    one, both = (measure_onsager(c, temperature_K=T) for c in (long, [long, short]))
    assert both.regime.to_ps == pytest.approx(one.regime.to_ps)
    assert both.D_m2_per_s == pytest.approx(one.D_m2_per_s, rel=0.02)


def test_a_narrow_regime_takes_the_replicas_that_hold_it():
    rng = np.random.default_rng(23)
    long, short = (displacement_correlations(correlated_walk(rng, n), frame="laboratory") for n in (400, 60))
    result = measure_onsager([long, short], temperature_K=T, regime_ps=(25.0, 35.0))
    assert result.n_replicas == 1 and any("1 replica was left out" in note for note in result.notes)


def test_stretches_too_short_to_tell_leave_the_scatter_of_ions():
    """Rare jumps are seen from the ions themselves where the stretches do not hold the regime."""
    rng = np.random.default_rng(24)
    jumps = rng.poisson(0.002, size=(4000, 40, 1)) * rng.normal(size=(4000, 40, 3)) * 2.5
    walk = trajectory_from_arrays(
        np.cumsum(jumps, axis=0), 20.0 * np.eye(3), ["Li"] * 40, frame_interval_ps=0.1, wrapped=False
    )
    curves = displacement_correlations(walk, frame="laboratory", threads=1)
    pieces = correlations_of_stretches(walk, stretches=8, frame="laboratory", threads=1)
    one, other = (
        measure_onsager(curves, temperature_K=T, regime_ps=(20.0, 100.0), stretches=some) for some in (pieces, ())
    )
    assert other.apparent.L_self_stderr == pytest.approx(one.apparent.L_self_stderr)
    assert any("Gaussian walkers" in note for note in one.notes)


def test_rare_jumps_widen_the_error_of_the_sum_by_as_much_as_they_scatter_it():
    """The sum over ions has the excess of the ions: Var(L) = Var(Gaussian) + N Var(beyond of an ion)."""
    rng = np.random.default_rng(25)
    values, stated = [], []
    for _ in range(150):
        jumps = rng.poisson(0.002, size=(1500, 8, 1)) * rng.choice([-1.0, 1.0], size=(1500, 8, 3)) * 2.0
        walk = trajectory_from_arrays(
            np.cumsum(jumps, axis=0), 20.0 * np.eye(3), ["Li"] * 8, frame_interval_ps=0.1, wrapped=False
        )
        curves = displacement_correlations(walk, frame="laboratory", threads=1)
        m = measure_onsager(curves, temperature_K=T, regime_ps=(0.2, 2.0)).apparent
        values.append(m.L[0, 0])
        stated.append(m.L_stderr[0, 0])
    # the spread of 150 skewed numbers is known to a tenth or so; errors that scatter are compared by their squares
    assert np.std(values) == pytest.approx(np.sqrt(np.mean(np.square(stated))), rel=0.3)


def test_what_the_frame_makes_zero_is_zero():
    walk = independent_walk(np.random.default_rng(19), 2000, counts=(8,), D=(0.02,), symbols=("Li",))
    result = measure_onsager(displacement_correlations(walk), temperature_K=T)
    assert result.apparent.L.tolist() == [[0.0]] and result.apparent.L_stderr.tolist() == [[0.0]]
    assert result.correlation_factor.tolist() == [-1.0] and result.D_m2_per_s[0] > 0
    assert any("no collective motion" in note for note in result.notes)


def test_ions_on_places_of_two_kinds_are_no_noise():
    """Four fast and twelve slow ions, the same in every run: their difference is no error of the mean."""
    rng = np.random.default_rng(20)
    pace = np.array([9.0] * 4 + [1.0] * 12)[:, None]
    values, stated = [], []
    for _ in range(30):
        steps = rng.normal(size=(3000, 16, 3)) * np.sqrt(2 * 0.01 * 0.1 * pace)
        walk = trajectory_from_arrays(
            np.cumsum(steps, axis=0), 20.0 * np.eye(3), ["Li"] * 16, frame_interval_ps=0.1, wrapped=False
        )
        curves = displacement_correlations(walk, frame="laboratory", threads=1)
        pieces = correlations_of_stretches(walk, stretches=8, frame="laboratory", threads=1)
        m = measure_onsager(curves, temperature_K=T, regime_ps=(0.5, 5.0), stretches=pieces)
        values.append(m.D_m2_per_s[0])
        stated.append(m.D_stderr[0])
    # wider than the mean of all would have, as the fast ions count most, but not by their difference
    assert np.mean(stated) < 2.0 * np.std(values)
    assert np.mean(stated) > 0.6 * np.std(values)


def test_the_diffusion_tensor_of_a_layered_conductor():
    rng = np.random.default_rng(21)
    steps = rng.normal(size=(5000, 20, 3)) * np.sqrt(2 * 0.1 * 0.1) * np.array([1.0, 1.0, 0.0])
    walk = trajectory_from_arrays(
        np.cumsum(steps, axis=0), 20.0 * np.eye(3), ["Li"] * 20, frame_interval_ps=0.1, wrapped=False
    )
    m = measure_onsager(displacement_correlations(walk, frame="laboratory"), temperature_K=T)
    assert np.diag(m.D_tensor_m2_per_s[0]) == pytest.approx([1e-9, 1e-9, 0.0], rel=0.05, abs=1e-15)
    assert np.trace(m.D_tensor_m2_per_s[0]) / 3 == pytest.approx(m.D_m2_per_s[0])


def test_nernst_einstein_of_few_ions_in_step_has_its_error():
    """Self parts of two species share noise where the species move together."""
    from tammann.transport import ionic_conductivity

    rng = np.random.default_rng(22)
    found = []
    for _ in range(150):
        curves = displacement_correlations(correlated_walk(rng, 600), frame="laboratory", threads=1)
        m = measure_onsager(curves, temperature_K=T, regime_ps=(0.5, 6.0))
        sigma = ionic_conductivity(m, charges={"Na": 1, "Cl": -0.6})
        found.append(
            [sigma.nernst_einstein_S_per_m, sigma.nernst_einstein_stderr, sigma.haven_ratio, sigma.haven_stderr]
        )
    NE, NE_error, H, H_error = np.array(found).T
    # the spread of 150 is known to 6 %
    assert np.std(NE) == pytest.approx(NE_error.mean(), rel=0.2)
    assert np.std(H) == pytest.approx(H_error.mean(), rel=0.2)


def test_what_is_said_of_bad_input():
    rng = np.random.default_rng(15)
    curves = displacement_correlations(correlated_walk(rng, 200), frame="laboratory")
    with pytest.raises(DataError, match="temperature_K is not known"):
        measure_onsager(curves)
    with pytest.raises(DataError, match="temperature_K is -3"):
        measure_onsager(curves, temperature_K=-3.0)
    with pytest.raises(DataError, match="regime_ps is 5 to 1 ps"):
        measure_onsager(curves, temperature_K=T, regime_ps=(5.0, 1.0))
    with pytest.raises(DataError, match="regime_ps is 1 to 500 ps"):
        measure_onsager(curves, temperature_K=T, regime_ps=(1.0, 500.0))
    with pytest.raises(DataError, match="no trajectory"):
        measure_onsager([], temperature_K=T)
    with pytest.raises(DataError, match="hold a Trajectory, expected what displacement_correlations"):
        measure_onsager([correlated_walk(rng, 50)], temperature_K=T)
    for bad in ((5.0,), (1.0, 2.0, 3.0), (float("nan"), 3.0)):
        with pytest.raises(DataError, match="expected two times in ps"):
            measure_onsager(curves, temperature_K=T, regime_ps=bad)
    other = displacement_correlations(correlated_walk(rng, 200, counts=(4, 4)), frame="laboratory")
    with pytest.raises(DataError, match="different ions, Na3 Cl5 and Na4 Cl4"):
        measure_onsager([curves, other], temperature_K=T)
    frame = displacement_correlations(correlated_walk(rng, 200), frame="barycentric")
    with pytest.raises(DataError, match="frames laboratory and barycentric"):
        measure_onsager([curves, frame], temperature_K=T)
    denser = displacement_correlations(correlated_walk(rng, 200, interval_ps=0.05), frame="laboratory")
    with pytest.raises(DataError, match="0.1 and 0.05 ps between frames"):
        measure_onsager([curves, denser], temperature_K=T)


def test_the_walks_are_what_they_say():
    """The twin of the fixtures: the covariance of single steps."""
    walk = correlated_walk(np.random.default_rng(16), 50000)
    steps = np.diff(walk.positions, axis=0)
    sums = np.stack([steps[:, :3].sum(axis=1), steps[:, 3:].sum(axis=1)])
    assert np.einsum("ifx,jfx->ij", sums, sums) / (3 * 2 * 0.1 * len(steps)) == pytest.approx(OMEGA, rel=0.03)
    own = np.array([(steps[:, :3] ** 2).mean(), (steps[:, 3:] ** 2).mean()]) / 0.2
    assert own == pytest.approx(own_diffusion(), rel=0.03)
    assert np.all(ALONE < own_diffusion())
