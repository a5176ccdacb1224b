"""The powder before it is fired: exact amounts, grains of the size asked for, no seam at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import ndimage, stats

from tammann.automaton import mix_powders, regrind
from tammann.errors import RecipeError

VOLUMES = np.array([26.7e-6, 18.8e-6, 40.9e-6])


@given(
    moles=st.lists(st.floats(0.05, 20.0), min_size=1, max_size=3),
    size=st.integers(6, 14),
    grain=st.sampled_from([1.0, 2.5]),
    packing=st.sampled_from([1.0, 0.6]),
    seed=st.integers(0, 2**32),
)
def test_amounts_are_exact_and_volumes_as_near_as_cells_allow(moles, size, grain, packing, seed):
    n = np.array(moles + [0.0] * (3 - len(moles)))
    volume = n * VOLUMES
    wanted = volume / volume.sum() * round(size**3 * packing)
    if np.any((n > 0) & (wanted < 2)):
        return
    grid = mix_powders(n, VOLUMES, size=size, grain_cells=grain, packing_fraction=packing, rng=seed)
    np.testing.assert_allclose(grid.moles(), n, rtol=1e-12)
    cells = np.bincount(grid.phase, minlength=4)
    assert cells[0] == size**3 - round(size**3 * packing)
    assert np.all(np.abs(cells[1:] - wanted) < 1)
    assert not grid.amount[grid.phase == 0].any()
    # all cells of a phase hold the same, close to what fills a cell
    for k in np.flatnonzero(n) + 1:
        held = grid.amount[grid.phase == k]
        assert np.ptp(held) == 0
        assert held[0] / grid.full[k] == pytest.approx(wanted[k - 1] / cells[k])
    # a full cell has one volume, whatever fills it
    assert np.ptp(grid.full[1:] * VOLUMES) < 1e-12 * grid.full[1] * VOLUMES[0]


def test_a_random_mixture_has_no_structure():
    """Contacts between unlike cells as often as chance has it, in each direction."""
    size = 30
    unlike = []
    for seed in range(20):
        phase = mix_powders([1, 1], [1e-5, 1e-5], size=size, rng=seed).phase.reshape((size,) * 3)
        unlike.append([np.mean(phase != np.roll(phase, 1, axis)) for axis in range(3)])
    expected = 0.5 * size**3 / (size**3 - 1)
    error = 0.5 / np.sqrt(size**3 * 20)
    assert np.all(np.abs(np.mean(unlike, axis=0) - expected) < 4 * error)


def mean_chord(phase, code):
    """Mean length of the runs of one phase along the three axes of a periodic grid, in cells."""
    inside = phase == code
    starts = sum(np.count_nonzero(inside & ~np.roll(inside, 1, axis)) for axis in range(3))
    return 3 * np.count_nonzero(inside) / starts


def bodies(phase, code):
    """Number of connected bodies of one phase; those cut by the edges of the grid count once."""
    labels, _ = ndimage.label(np.pad(phase == code, phase.shape[0] // 2, mode="wrap"))
    middle = slice(phase.shape[0] // 2, phase.shape[0] // 2 + phase.shape[0])
    return np.unique(labels[middle, middle, middle]).size - 1


@pytest.mark.parametrize(("diameter", "size"), [(3.0, 32), (5.0, 40), (8.0, 48)])
def test_grains_have_the_size_asked_for(diameter, size):
    """A rare phase is made of lone grains: as many as spheres of diameter d, with their mean chord 2 d / 3."""
    share = 0.02
    chords, found = [], 0
    for seed in range(2):
        phase = mix_powders([share, 1 - share], [1e-5, 1e-5], size=size, grain_cells=diameter, rng=seed).phase
        phase = phase.reshape((size,) * 3)
        chords.append(mean_chord(phase, 1))
        found += bodies(phase, 1)
    assert np.mean(chords) == pytest.approx(2 / 3 * diameter, rel=0.12)
    # some touch and some are cut in two, but not many
    assert found == pytest.approx(2 * share * size**3 / (np.pi / 6 * diameter**3), rel=0.35)


@pytest.mark.slow
def test_grains_of_a_dense_mixture_grow_as_asked():
    chords = [
        mean_chord(mix_powders([1, 1], [1e-5, 1e-5], size=40, grain_cells=d, rng=2).phase.reshape((40,) * 3), 1)
        for d in (1.0, 3.0, 6.0, 12.0)
    ]
    assert chords[0] == pytest.approx(2.0, rel=0.03)  # a random mixture of halves: 1/(1 - 1/2)
    assert chords[2] / chords[1] == pytest.approx(2.0, rel=0.2)
    assert chords[3] / chords[2] == pytest.approx(2.0, rel=0.25)


def test_each_phase_has_a_grain_size_of_its_own():
    chords = {}
    for own, others in [(6.0, 2.0), (2.0, 6.0)]:
        grid = mix_powders([0.02, 0.98], [1e-5, 1e-5], size=40, grain_cells=[own, others], rng=3)
        chords[own] = mean_chord(grid.phase.reshape((40,) * 3), 1)
        np.testing.assert_allclose(grid.moles(), [0.02, 0.98])
    assert chords[6.0] == pytest.approx(4.0, rel=0.2)
    assert chords[2.0] < 0.6 * chords[6.0]  # of a few cells each, and so a little longer than spheres' 4/3


def test_spread_makes_grains_unequal_at_the_same_median():
    sizes = {}
    for spread in (0.0, 0.5):
        grid = mix_powders([0.03, 0.97], [1e-5, 1e-5], size=40, grain_cells=4, grain_spread=spread, rng=8)
        labels, _ = ndimage.label(grid.phase.reshape((40,) * 3) == 1)
        sizes[spread] = np.log(np.bincount(labels.ravel())[1:])
    assert sizes[0.5].std() > 1.3 * sizes[0.0].std()


def test_grains_wrap_round_the_edges():
    """No layer of the grid can be told from another: contacts across the seam are as frequent as elsewhere."""
    size, unlike = 24, []
    for seed in range(15):
        phase = mix_powders([1, 1], [1e-5, 1e-5], size=size, grain_cells=6, rng=seed).phase.reshape((size,) * 3)
        unlike.append([np.mean(phase != np.roll(phase, 1, axis), axis=tuple({0, 1, 2} - {axis})) for axis in range(3)])
    by_layer = np.array(unlike)  # seed, axis, layer: entry 0 is the seam
    seam, inside = by_layer[:, :, 0].ravel(), by_layer[:, :, 1:].mean(axis=2).ravel()
    assert stats.ttest_rel(seam, inside).pvalue > 1 / 15_000
    assert seam.mean() < 0.35  # a cut through unrelated grains would give a half


def test_pores_are_scattered():
    grid = mix_powders([1, 1], [1e-5, 1e-5], size=30, grain_cells=4, packing_fraction=0.7, rng=1)
    empty = (grid.phase == 0).reshape((30,) * 3)
    assert empty.mean() == pytest.approx(0.3, abs=1e-3)
    assert np.mean(empty & np.roll(empty, 1, 0)) == pytest.approx(0.09, abs=0.01)


def test_same_seed_same_powder():
    one, other, different = (
        mix_powders([1, 2], [1e-5, 2e-5], size=12, grain_cells=3, grain_spread=0.3, rng=seed) for seed in (1, 1, 2)
    )
    assert_array_equal(one.phase, other.phase)
    assert not np.array_equal(one.phase, different.phase)


def test_a_precursor_without_a_cell_is_refused():
    with pytest.raises(RecipeError, match=r"grid\.size: 5\^3 cells are too few"):
        mix_powders([1, 1000], [1e-5, 1e-5], size=5, rng=1)


def test_grains_larger_than_the_grid_still_give_every_phase_its_amount():
    grid = mix_powders([1, 3], [1e-5, 1e-5], size=8, grain_cells=40, rng=1)
    np.testing.assert_allclose(grid.moles(), [1, 3], rtol=1e-12)


def test_grinding_keeps_what_every_cell_holds_and_leaves_no_structure():
    grid = mix_powders([1, 1], [1e-5, 1e-5], size=30, grain_cells=8, rng=1)
    phase, amount = grid.phase.copy(), grid.amount * np.random.default_rng(2).random(grid.amount.size)
    before = sorted(zip(phase.tolist(), amount.tolist(), strict=True))
    regrind(phase, amount, np.random.default_rng(3))
    assert sorted(zip(phase.tolist(), amount.tolist(), strict=True)) == before
    cube = phase.reshape((30,) * 3)
    for axis in range(3):
        assert np.mean(cube != np.roll(cube, 1, axis)) == pytest.approx(0.5, abs=4 * 0.5 / 30**1.5)


def test_grinding_takes_every_order_alike():
    orders = {}
    rng = np.random.default_rng(0)
    for _ in range(12_000):
        phase, amount = np.arange(4, dtype=np.uint8), np.arange(4.0)
        regrind(phase, amount, rng)
        assert_array_equal(phase, amount)
        orders[tuple(phase.tolist())] = orders.get(tuple(phase.tolist()), 0) + 1
    assert len(orders) == 24
    assert stats.chisquare(list(orders.values())).pvalue > 1 / 15_000
