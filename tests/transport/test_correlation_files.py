"""Displacement correlations in a small file."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.transport import displacement_correlations, load_correlations, measure_onsager, save_correlations
from transport.test_regime import curves as regime_curves
from transport.walks import correlated_walk


def test_measured_again_it_is_the_same_within_a_part_of_the_error(tmp_path):
    rng = np.random.default_rng(2)
    original = [displacement_correlations(correlated_walk(rng, 3000), frame="barycentric") for _ in range(3)]
    for k, curves in enumerate(original):
        save_correlations(tmp_path / f"{k}.npz", curves)
        assert (tmp_path / f"{k}.npz").stat().st_size < 40_000
    loaded = [load_correlations(tmp_path / f"{k}.npz") for k in range(3)]
    for regime in (None, (1.0, 20.0), (5.0, 60.0)):
        one, other = (measure_onsager(c, temperature_K=1200.0, regime_ps=regime) for c in (original, loaded))
        assert one.regime_ps == other.regime_ps and one.diffusive and other.diffusive
        assert np.all(np.abs(other.apparent.L - one.apparent.L) < 0.15 * one.apparent.L_stderr)
        assert np.all(np.abs(other.apparent.L_self - one.apparent.L_self) < 0.15 * one.apparent.L_self_stderr)
        assert other.apparent.L_stderr == pytest.approx(one.apparent.L_stderr, rel=0.05)
        assert other.D_stderr == pytest.approx(one.D_stderr, rel=0.05)


def test_uneven_ions_are_still_seen(tmp_path):
    jumps = regime_curves("jumps", 1, 2000, 30)
    save_correlations(tmp_path / "j.npz", jumps)
    one, other = (
        measure_onsager(c, temperature_K=1000.0, regime_ps=(8.0, 49.0))
        for c in (jumps, load_correlations(tmp_path / "j.npz"))
    )
    assert other.apparent.L_self_stderr == pytest.approx(one.apparent.L_self_stderr, rel=0.1)
    assert any("Gaussian walkers" in note for note in other.notes)


def test_what_is_stored_comes_back(tmp_path):
    walk = correlated_walk(np.random.default_rng(3), 400)
    curves = displacement_correlations(walk, frame="Cl", max_lag_ps=5.0)
    save_correlations(tmp_path / "c.npz", curves)
    loaded = load_correlations(tmp_path / "c.npz")
    for name in ("formula", "species", "frame", "frame_interval_ps", "n_frames", "volume_A3", "temperature_K", "notes"):
        assert getattr(loaded, name) == getattr(curves, name), name
    assert loaded.counts.tolist() == curves.counts.tolist()
    assert loaded.self_A2.shape == (2, 6, 51)
    # all of the first lags are stored, to single precision
    assert loaded.collective_A2[..., :6] == pytest.approx(curves.collective_A2[..., :6], rel=1e-6, abs=1e-6)


def test_what_is_no_such_file(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("no")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(DataError, match="holds no displacement correlations"):
            load_correlations(tmp_path / name)
