"""Displacement correlations: the naive twin, frames of reference, and what must change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.trajectory import Trajectory
from tammann.transport import correlations_of_stretches, displacement_correlations, in_frame, species_masses
from transport.walks import COUNTS, correlated_walk, moved

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def naive(trajectory, frame):
    """Slow twin: loops over lags and origins, as the definitions are written."""
    species = displacement_correlations(trajectory, frame=frame).species
    groups = [[k for k, symbol in enumerate(trajectory.symbols) if symbol == name] for name in species]
    paths = np.array(trajectory.positions)
    if frame == "barycentric":
        masses = species_masses(trajectory.symbols)
        paths -= (np.einsum("a,fax->fx", masses, paths) / masses.sum())[:, None]
    elif frame != "laboratory":
        paths -= paths[:, groups[species.index(frame)]].mean(axis=1)[:, None]
    frames = len(paths)
    alone = np.zeros((len(species), 6, frames))
    together = np.zeros((len(species), len(species), 6, frames))
    for lag in range(1, frames):
        for origin in range(frames - lag):
            d = paths[origin + lag] - paths[origin]
            sums = [d[group].sum(axis=0) for group in groups]
            for c, (a, b) in enumerate(VOIGT):
                for i, group in enumerate(groups):
                    alone[i, c, lag] += (d[group, a] * d[group, b]).mean()
                    for j in range(len(groups)):
                        together[i, j, c, lag] += (sums[i][a] * sums[j][b] + sums[i][b] * sums[j][a]) / 2
        alone[..., lag] /= frames - lag
        together[..., lag] /= frames - lag
    return alone, together


@pytest.fixture(scope="module")
def walk() -> Trajectory:
    return correlated_walk(np.random.default_rng(2), 60)


@pytest.mark.parametrize("frame", ["laboratory", "barycentric", "Cl"])
def test_curves_are_those_of_the_naive_twin(walk, frame):
    curves = displacement_correlations(walk, frame=frame)
    alone, together = naive(walk, frame)
    assert np.abs(curves.self_A2 - alone).max() < 1e-12 * np.abs(alone).max()
    assert np.abs(curves.collective_A2 - together).max() < 1e-12 * np.abs(together).max()


def test_atoms_in_several_chunks_give_the_same(walk, monkeypatch):
    whole = displacement_correlations(walk)
    monkeypatch.setattr("tammann.transport.correlations.CHUNK_BYTES", 1.0)
    parts = displacement_correlations(walk)
    assert parts.self_A2 == pytest.approx(whole.self_A2, abs=1e-11)
    assert parts.collective_A2 == pytest.approx(whole.collective_A2, abs=1e-11)


def test_positions_on_disk_give_the_same(walk, monkeypatch, tmp_path):
    there = np.memmap(tmp_path / "positions", dtype=float, mode="w+", shape=walk.positions.shape)
    there[:] = walk.positions
    stored = moved(walk, there)
    assert isinstance(stored.positions, np.memmap)
    whole = displacement_correlations(walk)
    for most in (1.0, 5e3, 5e8):
        monkeypatch.setattr("tammann.transport.correlations.FETCH_BYTES", most)
        monkeypatch.setattr("tammann.transport.correlations.CHUNK_BYTES", 4e3)
        parts = displacement_correlations(stored)
        assert parts.self_A2 == pytest.approx(whole.self_A2, abs=1e-11)
        assert all(a == pytest.approx(b, abs=1e-11) for a, b in zip(parts.ion_A2, whole.ion_A2, strict=True))


def test_single_ions_are_kept_at_some_lags(walk):
    curves = displacement_correlations(walk)
    for i, each in enumerate(curves.ion_A2):
        assert each.shape == (curves.counts[i], len(curves.ion_lags))
        assert each.mean(axis=0) == pytest.approx(curves.self_part()[i, curves.ion_lags], abs=1e-10)


def test_barycentric_collective_displacements_carry_no_mass(walk):
    curves = displacement_correlations(walk, frame="barycentric")
    masses = species_masses(curves.species)
    weighted = np.einsum("j,ijcn->icn", masses, curves.collective_A2)
    assert np.abs(weighted).max() < 1e-9 * np.abs(curves.collective_A2).max() * masses.max()


def test_a_species_in_its_own_frame_goes_nowhere_together(walk):
    curves = displacement_correlations(walk, frame="Cl")
    k = curves.species.index("Cl")
    assert np.abs(curves.collective_A2[k]).max() < 1e-9 * np.abs(curves.collective_A2).max()
    assert curves.frame == "Cl" and curves.self_part()[k, -1] > 0


def test_drift_does_nothing_in_the_barycentric_frame(walk):
    drift = np.linspace(0, 500, walk.n_frames)[:, None, None] * np.array([1.0, -2.0, 0.5])
    still, drifting = (displacement_correlations(t) for t in (walk, moved(walk, walk.positions + drift)))
    assert drifting.collective_A2 == pytest.approx(still.collective_A2, abs=1e-7)
    assert drifting.self_A2 == pytest.approx(still.self_A2, abs=1e-7)


@pytest.mark.parametrize(("old", "new"), [("laboratory", "barycentric"), ("barycentric", "Cl"), ("Cl", "Na+Cl")])
def test_another_frame_is_what_the_positions_give(walk, old, new):
    changed = in_frame(displacement_correlations(walk, frame=old), new)
    anew = displacement_correlations(walk, frame=new)
    assert changed.frame == anew.frame == new
    assert changed.collective_A2 == pytest.approx(anew.collective_A2, abs=1e-8)
    assert changed.self_A2 == pytest.approx(anew.self_A2, abs=1e-8)
    for some, others in zip(changed.ion_A2, anew.ion_A2, strict=True):
        assert some.mean(axis=0) == pytest.approx(others.mean(axis=0), abs=1e-8)
    with pytest.raises(DataError, match="compute them anew"):
        in_frame(anew, "laboratory")


def test_the_time_origin_and_the_place_change_nothing(walk):
    there = displacement_correlations(moved(walk, walk.positions + np.array([100.0, -30.0, 7.0])), frame="laboratory")
    here = displacement_correlations(walk, frame="laboratory")
    assert there.collective_A2 == pytest.approx(here.collective_A2, abs=1e-9)
    backwards = displacement_correlations(moved(walk, walk.positions[::-1]), frame="laboratory")
    assert backwards.collective_A2 == pytest.approx(here.collective_A2, abs=1e-9)


def test_the_order_of_atoms_changes_nothing(walk):
    order = np.random.default_rng(0).permutation(walk.n_atoms)
    mixed = Trajectory(
        tuple(walk.symbols[k] for k in order), walk.positions[:, order], walk.cells, walk.frame_interval_ps
    )
    one, other = displacement_correlations(walk), displacement_correlations(mixed)
    assert one.species == other.species == ("Na", "Cl")
    assert other.collective_A2 == pytest.approx(one.collective_A2, abs=1e-10)


def test_two_copies_side_by_side(walk):
    """A supercell of copies: the same per ion, the collective correlation grows with the square of the copies."""
    twice = Trajectory(
        walk.symbols * 2,
        np.concatenate([walk.positions, walk.positions + np.array([20.0, 0.0, 0.0])], axis=1),
        walk.cells * np.array([[2.0], [1.0], [1.0]]),
        walk.frame_interval_ps,
    )
    one, two = displacement_correlations(walk), displacement_correlations(twice)
    assert two.self_A2 == pytest.approx(one.self_A2, abs=1e-9)
    # copies move in step, so their sums add before they are squared
    assert two.collective_A2 == pytest.approx(4 * one.collective_A2, abs=1e-8)
    assert two.volume_A3 == pytest.approx(2 * one.volume_A3)


def test_a_rotation_changes_no_trace(walk):
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turned = moved(walk, walk.positions @ turn)
    one, other = displacement_correlations(walk), displacement_correlations(turned)
    assert other.collective_part() == pytest.approx(one.collective_part(), abs=1e-9)


@given(st.integers(2, 40), st.integers(1, 60))
def test_fewer_lags_are_the_first_of_all(frames, most):
    walk = correlated_walk(np.random.default_rng(frames), frames)
    every = displacement_correlations(walk)
    some = displacement_correlations(walk, max_lag_ps=most * 0.1)
    kept = some.self_A2.shape[-1]
    assert kept == min(frames, most + 1)
    assert some.self_A2 == pytest.approx(every.self_A2[..., :kept], abs=1e-10)


def test_stretches_are_separate_pieces():
    walk = correlated_walk(np.random.default_rng(8), 203)
    pieces = correlations_of_stretches(walk, stretches=4)
    assert [piece.n_frames for piece in pieces] == [50] * 4
    second = displacement_correlations(walk.frames(50, 100), max_lag_ps=2.5)
    assert pieces[1].collective_A2 == pytest.approx(second.collective_A2, abs=1e-10)
    assert correlations_of_stretches(walk, stretches=11) == []


def test_what_is_said_of_bad_input(walk):
    with pytest.raises(DataError, match="'K', expected barycentric, laboratory or one of .*Na, Cl"):
        displacement_correlations(walk, frame="K")
    with pytest.raises(DataError, match="max_lag_ps is 0.01"):
        displacement_correlations(walk, max_lag_ps=0.01)
    assert sum(COUNTS) == walk.n_atoms
