"""The command transport: options that reach the reader of trajectories."""

import json

import numpy as np


def test_positions_that_were_never_folded(call, tmp_path):
    """Steps of more than half the cell are right as they are, and cannot be told from shorter ones otherwise."""
    rng = np.random.default_rng(3)
    steps = rng.normal(scale=1.5, size=(3000, 16, 3))
    file = tmp_path / "run.npz"
    np.savez(file, positions=steps.cumsum(axis=0), cells=10.0 * np.eye(3), symbols=["Na", "Cl"] * 8)
    words = ["--temperature-K", 1000, "--frame-interval-ps", 0.1, "--no-figures", "--frame", "laboratory"]
    refused = call("transport", file, *words, "--out", tmp_path / "a")
    assert refused.status == 2 and "run.npz: frame" in refused.err and "--unwrapped" in refused.err
    assert call("transport", file, *words, "--unwrapped", "--out", tmp_path / "b").status == 0
    record = json.loads((tmp_path / "b" / "transport.json").read_text())
    expected = 1.5**2 / (2 * 0.1) * 1e-8  # sigma^2 / (2 dt) in Å^2/ps, in m^2/s
    for symbol in ("Na", "Cl"):
        assert abs(record["D_m2_per_s"][symbol] / expected - 1) < 0.1
