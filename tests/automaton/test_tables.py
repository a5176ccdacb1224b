"""The kernel's tables against ones written down independently, and how the grid is cut."""

import numpy as np
import pytest

from automaton import toys
from tammann.automaton import tables


def test_tables_of_a_run_are_those_written_down_by_hand():
    rng = np.random.default_rng(5)
    for _ in range(20):
        rates = toys.random_rates(rng)
        full = np.concatenate([[0.0], rng.uniform(0.5, 2.0, len(rates.phases))])
        ours = toys.tables(rates, full)
        channels = tables.arrange_channels(rates, full, capacity=2.0)
        theirs = tables.cycle_tables(channels, *tables.rates_at(rates, 1000.0), sweeps=1.0)
        for name in set(theirs._fields) - {"full_cell_score", "max_probability"}:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
        for name in ("full_cell_score", "max_probability"):  # sums in another order
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-14, err_msg=name)


@pytest.mark.parametrize("size", [4, 7, 8, 9, 15, 31, 32, 33, 63, 64, 65, 100, 127, 128, 200])
def test_blocks_cover_the_grid_and_colours_keep_apart(size):
    """An event changes cells up to two beyond its block: blocks of one colour must lie at least four cells apart."""
    blocks = tables.cut_blocks(size)
    per_axis = blocks.cuts.size - 1
    ours = toys.blocks(size, per_axis)
    np.testing.assert_array_equal(np.sort(blocks.colours, axis=None), np.arange(per_axis**3))
    assert (blocks.cuts[0], blocks.cuts[-1]) == (0, size)
    widths = np.diff(blocks.cuts)
    assert widths.max() - widths.min() <= 1
    assert widths.max() < 2048  # the kernel draws a coordinate from 11 bits
    if per_axis == 1:
        return
    assert widths.min() >= 4
    np.testing.assert_array_equal(blocks.colours, ours.colours)


def test_rates_between_two_temperatures_lie_on_a_line_and_beyond_are_held():
    rates = toys.rate_table(
        toys.OXIDES, {"BaO + TiO2 -> BaTiO3": (0.1, 0.5)}, exchange={"BaO": (0.0, 0.4)}, temperature_K=(1000.0, 1400.0)
    )
    for temperature, score, exchange in [(900, 0.1, 0.0), (1000, 0.1, 0.0), (1100, 0.2, 0.1), (1500, 0.5, 0.4)]:
        found = tables.rates_at(rates, temperature)
        np.testing.assert_allclose(found[0], [score])
        np.testing.assert_allclose(found[1], [0, exchange, 0, 0, 0, 0])


def test_what_can_appear_goes_by_generations():
    """TiO2 and BaO give BaTiO3, that with BaO gives Ba2TiO4; BaTi2O5 has no way there."""
    rates = toys.rate_table(
        toys.OXIDES, {"BaO + TiO2 -> BaTiO3": 0.1, "BaO + BaTiO3 -> Ba2TiO4": 0.1, "BaTi2O5 + BaO -> 2 BaTiO3": 0.1}
    )
    channels = tables.arrange_channels(rates, np.ones(6))
    start = np.array([False, True, True, False, False, False])
    score = rates.score[0]
    assert tables.reachable(start, channels, score, generations=1).tolist() == [True, True, True, True, False, False]
    assert tables.reachable(start, channels, score).tolist() == [True, True, True, True, True, False]
    assert tables.reachable(start, channels, 0 * score).tolist() == [True, True, True, False, False, False]
