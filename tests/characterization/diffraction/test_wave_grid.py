import numpy as np
import pytest

from tammann.characterization.diffraction.wave_grid import shell_sums, wave_amplitudes


def block(most: np.ndarray) -> np.ndarray:
    axes = [np.arange(-most[0], most[0] + 1), np.arange(-most[1], most[1] + 1), np.arange(most[2] + 1)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def test_amplitudes_agree_with_the_sum_over_atoms():
    points, most = np.random.default_rng(1).random((400, 3)) * 3.0 - 1.0, np.array([17, 5, 11])
    m = block(most)
    exact = np.exp(-2j * np.pi * (m @ points.T)).sum(axis=-1)
    within = ((m / most) ** 2).sum(axis=-1) <= 1.0
    error = np.abs(wave_amplitudes(points, most) - exact)[within] / np.sqrt(len(points))
    assert error.max() < 2e-5
    assert np.sqrt((error**2).mean()) < 2e-6


def test_agrees_with_finufft():
    finufft = pytest.importorskip("finufft")
    points, most = np.random.default_rng(2).random((300, 3)), np.array([9, 12, 8])
    angles = 2.0 * np.pi * (points - 0.5)
    shape = tuple((2 * most + 1).tolist())
    m = block(most)
    peer = finufft.nufft3d1(*angles.T.copy(), np.ones(300, dtype=complex), shape, isign=-1, eps=1e-12)
    peer = peer[:, :, most[2] :] * np.exp(-1j * np.pi * m.sum(axis=-1))
    within = ((m / most) ** 2).sum(axis=-1) <= 1.0
    assert np.abs(wave_amplitudes(points, most) - peer)[within].max() < 2e-5 * np.sqrt(300)


def test_shells_hold_every_vector_once():
    reciprocal = np.array([[1.0, 0.0, 0.0], [0.1, 1.2, 0.0], [0.0, 0.2, 0.9]])
    waves = np.ones((1, 7, 7, 4), dtype=np.complex64)
    g = np.linalg.norm(np.indices((7, 7, 7)).reshape(3, -1).T @ reciprocal - 3 * reciprocal.sum(axis=0), axis=1)
    sums = shell_sums(waves, reciprocal, 0.01, 1000, 0.0)[0]
    g = g[g > 1e-9]
    assert sums.sum() == pytest.approx((1.0 / g**2).sum(), rel=1e-10)
    places = 0.01 * np.arange(1000)
    assert sums @ np.cos(3.0 * places) == pytest.approx((np.cos(3.0 * g) / g**2).sum(), rel=1e-6)
