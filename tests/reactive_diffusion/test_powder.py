"""Powders have the ratios and sizes stated, whatever spreads, and keep their elements when ground."""

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.reactive_diffusion.powder import mix, mix_grains, regrind

VOLUMES = np.array([2.5e-5, 1.9e-5, 4.0e-5])


def radii(powder):
    """Radius of the core of every particle, m."""
    return [chain.edges_m[np.flatnonzero(np.diff(chain.layer))[0] + 1] for chain in powder.particles]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_spreads_leave_the_mixture_as_stated(seed):
    rng = None if seed is None else np.random.default_rng(seed)
    powder = mix([1.0, 3.0], [0, 1], VOLUMES, [1e-7, 2e-7], size_spread=0.3, mixing_spread=0.2, rng=rng)
    total = sum(content.sum(axis=0) for content in powder.contents)
    np.testing.assert_allclose(total, [1.0, 3.0, 0.0], rtol=1e-12)
    r = radii(powder)
    assert len(r) == 4 and np.sqrt(r[0] * r[1]) == pytest.approx(1e-7) and np.sqrt(r[2] * r[3]) == pytest.approx(2e-7)
    if seed is None:
        assert np.log(r[0] / r[1]) == pytest.approx(0.6)
    for chain, content in zip(powder.particles, powder.contents, strict=True):
        np.testing.assert_allclose(content @ VOLUMES / chain.volume_m3, (content @ VOLUMES / chain.volume_m3)[0])


def test_ratios_spread_as_stated():
    """Standard deviation of ln of the core's moles over the others' is the mixing that was asked for."""
    rng = np.random.default_rng(0)
    logs = []
    for _ in range(400):
        powder = mix([1.0, 1.0], [0, 1], VOLUMES, [1e-7, 1e-7], mixing_spread=0.1, rng=rng, cells=10)
        first, second = (content.sum(axis=0) for content in powder.contents[:2])
        logs += [np.log(first[0] / first[1]), np.log(second[0] / second[1])]
    assert np.std(logs) == pytest.approx(0.1, rel=0.15)


def test_grinding_keeps_amounts_and_volumes():
    powder = mix([1.0, 1.0], [0, 1], VOLUMES, [1e-7, 1e-7], size_spread=0.3)
    part = powder.contents[0]
    part[:, 2] += 0.3 * part[:, 0]
    part[:, 0] *= 0.4
    part[3, 2] += 1e-9
    before = [content @ VOLUMES for content in powder.contents]
    ground = regrind(powder, VOLUMES, np.random.default_rng(1))
    total = [sum(content.sum(axis=0) for content in each.contents) for each in (powder, ground)]
    np.testing.assert_allclose(total[1], total[0], rtol=1e-12)
    after = [content @ VOLUMES for content in ground.contents]
    np.testing.assert_allclose([v.sum() for v in after], [v.sum() for v in before], rtol=1e-12)
    shares = [content.sum(axis=0) / content.sum() for content in ground.contents]
    np.testing.assert_allclose(shares, np.broadcast_to(shares[0], (4, 3)), rtol=1e-12)


def test_grains_have_the_sizes_and_amounts_stated():
    grains = mix_grains([1.0, 1.0], [2, 0], VOLUMES, [1e-7, 2e-7], size=40, voxels_per_grain=6, rng=1)
    share = np.bincount(grains.solid.ravel(), minlength=3) / 40**3
    expected = np.array([2.5, 0.0, 4.0]) / 6.5
    np.testing.assert_allclose(share, expected, atol=1e-4)
    assert grains.voxel_m == pytest.approx(2e-7 / 6) and 40 % grains.block == 0 and grains.block <= 6


@pytest.mark.parametrize(
    "options, words", [({"size": 33}, "even"), ({"size": 32, "voxels_per_grain": 20.0}, "no room")]
)
def test_cubes_that_do_not_fit_are_refused(options, words):
    with pytest.raises(RecipeError, match=words):
        mix_grains([1.0, 1.0], [0, 1], VOLUMES, [1e-7, 1e-7], **options)


def test_a_particle_is_a_core_as_often_as_its_neighbours_are_others():
    """Equal volumes at radii 3:1 are 1 coarse particle to 27 fine ones, so 27/28 lie around coarse cores."""
    powder = mix([1.0, 1.0], [0, 1], np.array([2e-5, 2e-5]), [3e-7, 1e-7], cells=20)
    around = [content.sum(axis=0) for content in powder.contents]
    np.testing.assert_allclose(around, [[27 / 28] * 2, [1 / 28] * 2])


def test_larger_cores_have_more_around_them_in_one_half_and_less_in_the_other():
    powder = mix([1.0, 1.0], [0, 1], np.array([2e-5, 2e-5]), [1e-7, 1e-7], size_spread=0.3, mixing_spread=0.1)
    np.testing.assert_allclose(radii(powder), 1e-7 * np.exp([0.3, -0.3, 0.3, -0.3]), rtol=1e-9)
    held = [content.sum(axis=0) for content in powder.contents]
    ratio = [held[0][1] / held[0][0], held[1][1] / held[1][0], held[2][0] / held[2][1], held[3][0] / held[3][1]]
    assert ratio[0] > 1 > ratio[1] and ratio[2] < 1 < ratio[3]
