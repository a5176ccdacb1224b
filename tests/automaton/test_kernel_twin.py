"""The compiled kernel and its plain-Python twin give the same history, to the last bit."""

import importlib

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automaton import naive, toys
from histories import assert_same
from tammann.automaton import kernel as kernel

# the package's name simulate is the function
engine = importlib.import_module("tammann.automaton.engine")

GRIDS = [(4, 1), (7, 1), (8, 2), (10, 2)]


def random_case(seed, size, per_axis):
    rng = np.random.default_rng(seed)
    rates = toys.random_rates(rng)
    codes = len(rates.phases) + 1
    full = np.concatenate([[0.0], rng.uniform(0.5, 2.0, codes - 1)])
    tables = toys.tables(
        rates,
        full,
        step=float(rng.choice([0.3, 1.0])),
        minimum_fill=float(rng.choice([0.125, 0.3, 1.0])),
        capacity=float(rng.choice([0.0, 0.6, 3.0])),
    )
    phase = rng.integers(1, codes, size**3)
    phase[rng.random(size**3) < rng.choice([0.0, 0.02, 0.4])] = 0
    fill = rng.uniform(0.1, 1.0, size**3) if rng.random() < 0.5 else 1.0
    start = toys.state(phase, full[phase] * fill, rates, per_axis**3)
    return toys.blocks(size, per_axis), start, tables, np.uint64(rng.integers(2**64, dtype=np.uint64))


def assert_states_equal(one, other):
    for name, left, right in zip(one._fields, one, other, strict=True):
        np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.mark.parametrize(("size", "per_axis"), GRIDS)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_twin_gives_the_same_history(size, per_axis, seed):
    blocks, start, tables, key = random_case(seed, size, per_axis)
    fast, slow = toys.copy(start), toys.copy(start)
    cycles = max(2, 6000 // size**3)
    for first in (0, cycles):  # going on from where the first call ended
        kernel.run_cycles(cycles, first, key, blocks, fast, tables)
        naive.run_cycles(cycles, first, key, blocks, slow, tables)
        assert_states_equal(fast, slow)


def test_twin_was_shown_every_kind_of_event():
    """The cases above are worth something only if among them are gas, refusals, saturation, ledgers and moves."""
    seen = {"events": 0, "refused": 0, "saturated": 0, "stored": 0, "served": 0, "gas": 0, "voids filled": 0}
    for seed in range(60):
        blocks, start, tables, key = random_case(seed, 8, 2)
        fast = toys.copy(start)
        most = 0.0
        for cycle in range(12):
            kernel.run_cycles(1, cycle, key, blocks, fast, tables)
            held = fast.ledger[:, 0].sum()
            seen["stored"] += held > most
            seen["served"] += held < most
            most = held
        seen["events"] += fast.counters[:, 0].sum()
        seen["refused"] += fast.counters[:, 1].sum()
        seen["saturated"] += fast.counters[:, 2].sum()
        seen["gas"] += np.count_nonzero(fast.gas)
        seen["voids filled"] += np.count_nonzero((start.phase == 0) & (fast.phase > 0))
    assert min(seen.values()) >= 10, seen


@pytest.mark.parametrize("seed", [1, 4, 12, 13])
def test_blocks_of_one_colour_may_be_taken_in_any_order(seed):
    blocks, start, tables, key = random_case(seed, 16, 4)
    fast, slow = toys.copy(start), toys.copy(start)
    kernel.run_cycles(3, 5, key, blocks, fast, tables)
    naive.run_cycles(3, 5, key, blocks, slow, tables, backwards=True)
    assert fast.counters[:, 0].sum() > 100
    assert_states_equal(fast, slow)


@pytest.fixture
def two_threads():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("numba was given one thread")
    before = numba.get_num_threads()
    numba.set_num_threads(2)
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize("per_axis", [4, 8])
def test_two_threads_give_the_same_history(two_threads, per_axis):
    for seed in (7, 12):
        blocks, start, tables, key = random_case(seed, 48, per_axis)
        one, two = toys.copy(start), toys.copy(start)
        kernel.run_cycles(8, 0, key, blocks, one, tables)
        kernel.run_cycles_parallel(8, 0, key, blocks, two, tables)
        assert_states_equal(one, two)
        assert one.counters[:, 0].sum() > 1000


@pytest.mark.parametrize("seed", range(20))
def test_counts_of_the_grid(seed):
    size, per_axis = GRIDS[seed % len(GRIDS)]
    _, start, tables, _ = random_case(seed, size, per_axis)
    width = len(tables.full)
    start.ledger[:] = np.random.default_rng(seed).random(start.ledger.shape)
    for fast, slow in zip(
        kernel.inventory(start.phase, start.amount, start.ledger),
        naive.inventory(start.phase, start.amount, start.ledger),
        strict=True,
    ):
        np.testing.assert_allclose(fast[1:], slow[1:], rtol=1e-14)
    found = kernel.contacts(start.phase, size, width)
    np.testing.assert_array_equal(found, naive.contacts(start.phase, size, width))
    assert found.sum() == 6 * size**3
    np.testing.assert_array_equal(kernel.count_cells(start.phase, width), naive.count_cells(start.phase, width))


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_cells(seed):
    _, start, _, key = random_case(seed, 5, 1)
    fast, slow = toys.copy(start), toys.copy(start)
    kernel.shuffle_cells(fast.phase, fast.amount, key)
    naive.shuffle_cells(slow.phase, slow.amount, key)
    assert_states_equal(fast, slow)
    assert not np.array_equal(fast.amount, start.amount)


def test_random_numbers_are_those_published():
    """SplitMix64 from the state 1234567: the list of Rosetta Code, which agrees with Vigna's C code."""
    random = naive.SplitMix64(0, 0, 0)
    random.state, random.step = 1234567, naive.GOLDEN
    assert [random.next() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.slow
def test_simulate_with_the_twin_in_place_of_the_kernel(monkeypatch):
    """All of a run but the kernel: its tables, time steps, regrinding, ledgers, and the figures it records."""
    rates = toys.rate_table(
        {**toys.OXIDES, "BaCO3": 45.8e-6},
        {
            "BaO + TiO2 -> BaTiO3": [0.1, 0.6],
            "2 BaO + TiO2 -> Ba2TiO4": [0.3, 0.2],
            "Ba2TiO4 + TiO2 -> 2 BaTiO3": 0.5,
            "BaTiO3 + TiO2 -> BaTi2O5": [0.0, 0.3],
            "3 BaTiO3 -> Ba2TiO4 + BaTi2O5": [0.02, 0.0],
            "BaCO3 -> BaO + CO2": [0.0, 0.5],
            "BaCO3 + TiO2 -> BaTiO3 + CO2": 0.2,
            "BaO + CO2 -> BaCO3": [0.3, 0.0],
        },
        gases=("CO2",),
        exchange={"BaTiO3": 0.05},
        temperature_K=(1000.0, 1400.0),
    )
    recipe = toys.recipe(
        {"BaO": 1, "TiO2": 2, "BaCO3": 0.7},
        size=7,
        temperature_K=1000.0,
        packing_fraction=0.9,
        steps=[
            {"temperature_K": 1100, "ramp_K_per_min": 20, "hold_h": 0.1},
            {"temperature_K": 1400, "ramp_K_per_min": 50, "hold_h": 0.05, "regrind": True},
        ],
    )
    fast = engine.simulate(recipe, rates, realizations=2)
    monkeypatch.setattr(engine, "compile_kernel", lambda parallel: naive.run_cycles)
    for name in ("contacts", "count_cells", "shuffle_cells"):
        monkeypatch.setattr(kernel, name, getattr(naive, name))
    slow = engine.simulate(recipe, rates, realizations=2)
    assert np.count_nonzero(fast.extent[:, 1] > 0) > 8
    assert_same(fast, slow)
