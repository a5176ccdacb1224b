"""Whole runs whose outcome is known: limits, conservation, seeds, arrest.

Statistical tests allow four standard errors: about once in 15,000 other seeds they would fail by chance.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from automaton import toys
from tammann.automaton import simulate
from tammann.errors import RecipeError
from tammann.kinetics import RateTable

SIGMAS = 4.0
EXACT = 1e-10


def final(history):
    """{formula: moles} at the end, mean of the realizations."""
    return dict(zip(history.phases, history.moles[:, -1].mean(axis=0), strict=True))


# Nothing happens.


def test_one_phase_alone_stays():
    rates = toys.all_pairs()
    history = simulate(toys.recipe({"BaTiO3": 2}, sweeps=500), rates)
    assert_array_equal(history.moles[0], np.tile([0, 0, 2.0, 0, 0], (history.lattice.sweep.size, 1)))
    assert not history.lattice.arrested.any()
    assert history.reactive_fraction == 0
    assert history.lattice.sweep[-1] == pytest.approx(500)


@pytest.mark.parametrize("exchange", [0.0, 1.0])
@pytest.mark.parametrize("scores", [{}, {"BaTiO3 + BaO -> Ba2TiO4": 1.0}, {"BaO + TiO2 -> BaTiO3": 0.0}])
def test_an_inert_mixture_stays_inert(scores, exchange):
    rates = toys.rate_table(toys.OXIDES, scores, exchange=dict.fromkeys(toys.OXIDES, exchange))
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 3}), rates)
    np.testing.assert_allclose(history.moles[0], np.tile([1, 3, 0, 0, 0], (history.lattice.sweep.size, 1)), rtol=1e-12)
    assert not history.extent.any()
    assert not history.lattice.arrested.any()
    assert history.reactive_fraction == 0
    assert history.element_drift < EXACT


def test_nothing_happens_below_the_onset():
    rates = toys.rate_table(toys.OXIDES, {"BaO + TiO2 -> BaTiO3": [0, 0, 1.0]}, temperature_K=(500.0, 1000.0, 1500.0))
    steps = [{"temperature_K": 1500, "ramp_K_per_min": 10, "hold_h": 0}]
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, temperature_K=500, steps=steps), rates)
    made = history.moles[0, :, history.phases.index("BaTiO3")]
    assert not made[history.temperature_K <= 1000].any()
    assert np.all(np.diff(made[history.temperature_K >= 1050]) >= 0)
    assert made[-1] > 0.3


# Known rates.


def test_initial_rate_in_a_random_mixture():
    """d n(BaTiO3)/dt = 2 S x(BaO) x(TiO2) x moles in a full cell, x the shares of cells; whatever the time step."""
    rates = toys.rate_table(toys.ALIKE, {"BaO + TiO2 -> BaTiO3": 0.05})
    sweeps, size, ratio = 0.1, 20, 3.0
    share = ratio / (1 + ratio)
    cells = size**3
    for minimum_fill in (1.0, 0.125):
        recipe = toys.recipe({"BaO": 1, "TiO2": ratio}, size=size, sweeps=sweeps, minimum_fill=minimum_fill)
        history = simulate(recipe, rates, realizations=60)
        events = history.extent.sum() * cells / (1 + ratio)
        expected = 2 * 0.05 * share * (1 - share) * sweeps * cells**2 / (cells - 1) * 60
        assert abs(events - expected) < SIGMAS * np.sqrt(expected) + 0.01 * expected
        assert history.lattice.saturated_fraction.max() == 0 or minimum_fill < 1


def test_decay_is_exponential_in_time():
    rates = toys.rate_table({"BaCO3": 4.6e-5, "BaO": 2.7e-5}, {"BaCO3 -> BaO + CO2": 0.02}, gases=("CO2",))
    history = simulate(toys.recipe({"BaCO3": 1}, size=30, sweeps=150), rates, realizations=4)
    left = history.moles[:, :, 0].mean(axis=0)
    expected = np.exp(-0.02 * history.lattice.sweep)
    error = np.sqrt(expected * (1 - expected) / (4 * 30**3))
    assert np.all(np.abs(left - expected) <= SIGMAS * error + 1e-12)
    np.testing.assert_allclose(history.gas_moles[:, :, 0], 1 - history.moles[:, :, 0], atol=1e-12)
    assert history.element_drift.max() < EXACT


def test_decay_through_a_ramp_follows_the_temperature():
    """-ln(n/n0) is the integral of the score over the programme, which the table gives linearly between its points."""
    rates = toys.rate_table(
        {"BaCO3": 4.6e-5, "BaO": 2.7e-5}, {"BaCO3 -> BaO + CO2": [0, 0.015, 0.045]}, gases=("CO2",),
        temperature_K=(1000.0, 1200.0, 1400.0),
    )  # fmt: skip
    steps = [
        {"temperature_K": 1400, "ramp_K_per_min": 8, "hold_h": 0.25},
        {"temperature_K": 1100, "ramp_K_per_min": 20, "hold_h": 0.1},
    ]
    recipe = toys.recipe({"BaCO3": 1}, size=24, temperature_K=1000, steps=steps)
    history = simulate(recipe, rates, realizations=6)
    hours = np.array([0, 200, 400]) / 8 / 60
    assert history.lattice.sweep[-1] == pytest.approx(100 * (hours[-1] + 0.25 + 300 / 20 / 60 + 0.1))
    mean_up = 0.5 * (0.0075 + 0.03)  # over each half of the way up
    integral = {
        "top": 100 * hours[-1] * mean_up,
        "held": 100 * (hours[-1] * mean_up + 0.25 * 0.045),
        # down from 1400 to 1200 K in 10 min, to 1100 K in 5, then the hold at 1100 K
        "end": 100 * (hours[-1] * mean_up + 0.25 * 0.045 + 0.03 / 6 + 0.01125 / 12 + 0.1 * 0.0075),
    }
    frame = {
        "top": int(np.flatnonzero(history.temperature_K == 1400)[0]),
        "held": int(np.flatnonzero(history.stage == 0)[-1]),
        "end": -1,
    }
    for name, k in frame.items():
        left, expected = history.moles[:, k, 0].mean(), np.exp(-integral[name])
        assert abs(left - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / (6 * 24**3)), name


@pytest.mark.slow
def test_a_well_stirred_mixture_follows_the_rate_equation():
    """dx/dt = -2 S x^2 for equal shares x of both reactants: x = x0 / (1 + 2 S x0 t).

    Exchange is 100 times as fast as the reaction; what is left of the structure slows it by about a percent.
    """
    S = 0.004
    rates = toys.rate_table(
        toys.ALIKE, {"BaO + TiO2 -> BaTiO3": S}, exchange=dict.fromkeys(("BaO", "TiO2", "BaTiO3"), 1.0)
    )
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=20, sweeps=800), rates, realizations=4)
    left = history.moles[:, :, 0].mean(axis=0)
    expected = 1 / (1 + S * history.lattice.sweep)
    np.testing.assert_allclose(left, expected, rtol=0.035)
    assert left[-1] < 0.26


def test_minimum_fill_changes_nothing_for_full_cells():
    """Only the length of a time step depends on it: the course of a decay and of a reaction is the same."""
    rates = toys.rate_table(
        toys.ALIKE, {"BaO + TiO2 -> BaTiO3": 0.5, "BaTiO3 -> Ba2TiO4": 0.1, "Ba2TiO4 -> BaTiO3": 0.3}
    )
    ends, visits = [], []
    for minimum_fill in (1.0, 0.05):
        recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=16, sweeps=6, minimum_fill=minimum_fill)
        history = simulate(recipe, rates, realizations=40)
        ends.append(history.moles[:, -1])
        visits.append(history.lattice.visits[0])
    assert visits[1] >= 3 * visits[0]
    spread = np.sqrt(sum(end.var(axis=0, ddof=1) / 40 for end in ends))
    assert np.all(np.abs(ends[0].mean(axis=0) - ends[1].mean(axis=0))[:3] < SIGMAS * spread[:3] + 0.004)


def test_a_contact_converts_what_the_smaller_cell_holds():
    """Full cells of unequal content: the event of score S carries the extent that both allow, at the rate S."""
    rates = toys.rate_table({"BaO": 30e-6, "TiO2": 10e-6, "BaTiO3": 40e-6}, {"BaO + TiO2 -> BaTiO3": 0.05})
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=24, sweeps=0.2), rates, realizations=30)
    share = 0.75  # of the cells are BaO's, each with a third of what a cell of TiO2 holds
    expected = 2 * 0.05 * share * (1 - share) * 0.2 * 24**3 * 30
    events = history.extent.sum() * share * 24**3
    assert abs(events - expected) < SIGMAS * np.sqrt(expected) + 0.01 * expected


# Arrest and the geometric null.


@pytest.mark.slow
def test_equal_scores_arrest_at_the_known_fractions():
    """With all reactions alike and nothing that moves, 1:1 ends at 68.7/15.3/15.6 mol%: geometry, not selectivity."""
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=30, sweeps=1000), toys.all_pairs(), realizations=4)
    shares = 100 * history.fractions()[:, -1].mean(axis=0)
    assert dict(zip(history.phases, shares, strict=True)) == pytest.approx(
        {"BaO": 0, "TiO2": 0, "BaTiO3": 68.7, "Ba2TiO4": 15.3, "BaTi2O5": 15.6}, abs=1.2
    )
    assert history.lattice.arrested.all()
    # the two minor phases would still react if they met, and so would the last of the reactants
    atoms = history.moles[:, -1] * history.composition.sum(axis=1)
    assert np.all(history.reactive_fraction >= 1 - atoms[:, 2] / atoms.sum(axis=1))
    assert history.element_drift.max() < EXACT


def test_stirring_or_grinding_undoes_the_arrest():
    still = final(simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=16, sweeps=600), toys.all_pairs()))
    moving = toys.all_pairs(exchange=dict.fromkeys(toys.OXIDES, 0.5))
    stirred = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=16, sweeps=600), moving)
    assert final(stirred)["BaTiO3"] > 0.95 > 0.8 > still["BaTiO3"]
    assert not stirred.lattice.arrested.any()
    steps = [{"temperature_K": 1300, "hold_h": 2.0, "regrind": k > 0} for k in range(4)]
    ground = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=16, steps=steps), toys.all_pairs())
    ends = [ground.moles[0, np.flatnonzero(ground.stage == k)[-1], 2] for k in range(4)]
    assert np.all(np.diff(ends) > 0.01)
    assert ground.element_drift < EXACT


def test_a_mixture_that_is_done_is_not_called_arrested():
    rates = toys.rate_table(toys.OXIDES, {"BaO + TiO2 -> BaTiO3": 1.0}, exchange={"BaO": 0.5, "TiO2": 0.5})
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 2}, size=10, sweeps=2000), rates)
    assert final(history)["BaO"] == 0
    assert not history.lattice.arrested.any()
    assert history.reactive_fraction == 0


def test_an_arrested_stretch_costs_nothing():
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=8, sweeps=100_000), toys.all_pairs())
    assert history.lattice.arrested.all()
    assert history.lattice.visits[0] < 0.2 * 100_000 * 8 * 8**3


def test_coarser_grains_react_more_slowly():
    made = []
    for grain in (1.0, 3.0, 6.0):
        recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=24, sweeps=3, grain_cells=grain)
        made.append(final(simulate(recipe, toys.all_pairs(score=0.3), realizations=2))["BaTiO3"])
    assert made[0] > 1.4 * made[1] > 1.4**2 * made[2] > 0


# Conservation.


@st.composite
def chemistries(draw):
    """Balanced reactions of every kind between made-up phases of X, Y and Z, with a gas of Z; volumes at random."""
    small = st.integers(0, 4)
    made_of = draw(st.lists(st.tuples(small, small, small), min_size=3, max_size=6, unique=True))
    assume(all(x + y for x, y, _ in made_of))
    made_of = [(1, 0, 1), (0, 1, 2), *(p for p in made_of if p not in ((1, 0, 1), (0, 1, 2)))]
    made_of = made_of[:6]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    number, channels = len(made_of), []
    xy = [(Fraction(x), Fraction(y)) for x, y, _ in made_of]

    def solve(a, b, target):
        """Coefficients of phases a and b that make up X and Y of the target, or None."""
        det = xy[a][0] * xy[b][1] - xy[a][1] * xy[b][0]
        if det == 0:
            return None
        return (
            (target[0] * xy[b][1] - target[1] * xy[b][0]) / det,
            (xy[a][0] * target[1] - xy[a][1] * target[0]) / det,
        )

    for a, c in itertools.permutations(range(number), 2):
        if xy[a][0] * xy[c][1] == xy[a][1] * xy[c][0]:  # one to one, with gas taken up or given off
            ratio = sum(xy[a]) / sum(xy[c])
            channels.append(((a, -1), (1, 0), (c, -1), (ratio, 0)))
        for b in range(a + 1, number):
            need = solve(a, b, xy[c])
            if need and min(need) > 0 and c != b:
                channels.append(((a, b), need, (c, -1), (1, 0)))
                channels.append(((c, -1), (1, 0), (a, b), need))
    for a, b, c, d in itertools.permutations(range(number), 4):
        if a < b and c < d:
            share = Fraction(int(rng.integers(1, 5)), int(rng.integers(1, 5)))
            total = (xy[a][0] + share * xy[b][0], xy[a][1] + share * xy[b][1])
            make = solve(c, d, total)
            if make and min(make) > 0:
                channels.append(((a, b), (1, share), (c, d), make))
    assume(channels)
    order = rng.permutation(len(channels))[:40]
    channels = [channels[k] for k in order]
    z = [Fraction(p[2]) for p in made_of]
    gas = [
        sum(n * z[p] for p, n in zip(r, need, strict=True) if p >= 0)
        - sum(n * z[p] for p, n in zip(q, make, strict=True) if p >= 0)
        for r, need, q, make in channels
    ]
    count = len(channels)
    rates = RateTable(
        phases=tuple(f"P{k}" for k in range(number)),
        elements=("X", "Y", "Z"),
        composition=np.array(made_of, dtype=float),
        molar_volume_m3=rng.uniform(1e-5, 6e-5, number),
        molar_mass_kg=np.ones(number),
        melting_point_K=np.full(number, 2000.0),
        gases=("Z",),
        gas_composition=np.array([[0.0, 0.0, 1.0]]),
        temperature_K=np.array([1300.0]),
        reactants=np.array([c[0] for c in channels]),
        reactant_coefficients=np.array([c[1] for c in channels], dtype=float),
        products=np.array([c[2] for c in channels]),
        product_coefficients=np.array([c[3] for c in channels], dtype=float),
        gas_coefficients=np.array(gas, dtype=float).reshape(count, 1),
        score=rng.choice([0.0, 0.05, 1.0], (1, count)) * rng.random((1, count)),
        dG_eV_per_atom=np.full((1, count), -0.1),
        growth_constant_m2_per_s=np.full((1, count), np.nan),
        fallback=np.zeros(count, dtype=bool),
        equations=tuple(map(str, range(count))),
        exchange=rng.choice([0.0, 0.3], (1, number)),
    )
    start = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=3, unique=True))
    amounts = draw(st.lists(st.floats(0.2, 30.0), min_size=len(start), max_size=len(start)))
    grid = {
        "size": draw(st.sampled_from([6, 9])),
        "packing_fraction": draw(st.sampled_from([1.0, 0.8])),
        "minimum_fill": draw(st.sampled_from([1.0, 0.125])),
    }
    return rates, dict(zip(start, amounts, strict=True)), grid


class Recipe:
    """A recipe whose phases need no names that a chemist would know."""

    def __init__(self, charge, **grid):
        steps = [{"temperature_K": 1300, "hold_h": 0.2}, {"temperature_K": 1300, "hold_h": 0.1, "regrind": True}]
        self._inner = toys.recipe({"BaO": 1}, steps=steps, **grid)
        self.precursors = [
            self._inner.precursors[0].model_copy(update={"phase": f"P{k}", "ratio": n}) for k, n in charge.items()
        ]

    def __getattr__(self, name):
        return getattr(self._inner, name)


@settings(max_examples=60)
@given(chemistries())
def test_every_element_is_conserved(case):
    rates, charge, grid = case
    recipe = Recipe(charge, **grid)
    try:
        history = simulate(recipe, rates)
    except RecipeError as error:
        assume("too few" not in str(error))
        raise
    assert history.element_drift.max() < EXACT
    # the figure it reports is the one that follows from what it reports
    atoms = history.moles @ history.composition + history.gas_moles @ history.gas_composition
    start = np.zeros(len(rates.phases))
    start[list(charge)] = list(charge.values())
    before = start @ rates.composition
    np.testing.assert_allclose(atoms, np.broadcast_to(before, atoms.shape), rtol=1e-10, atol=1e-13 * before.max())
    # amounts follow from the extents, channel by channel
    change = np.zeros((len(rates.equations), len(rates.phases) + 1))
    for c in range(len(rates.equations)):
        np.subtract.at(change[c], rates.reactants[c], rates.reactant_coefficients[c])
        np.add.at(change[c], rates.products[c], rates.product_coefficients[c])
    end = start + (history.extent.sum(axis=1) @ change)[0, :-1]
    np.testing.assert_allclose(history.moles[0, -1], end, rtol=1e-9, atol=1e-9 * start.sum())
    assert np.all(history.moles >= 0)
    assert np.all(history.lattice.ledger_moles >= 0)
    assert np.all(history.lattice.ledger_moles <= history.moles + 1e-12)


# Seeds and threads.


def test_same_seed_same_history():
    rates, recipe = toys.all_pairs(score=0.4), toys.recipe({"BaO": 1, "TiO2": 1}, size=10, sweeps=20)
    one, other = (simulate(recipe, rates, realizations=2, rng=5) for _ in range(2))
    assert_array_equal(one.moles, other.moles)
    assert_array_equal(one.lattice.snapshots, other.lattice.snapshots)
    assert_array_equal(one.extent, other.extent)
    assert not np.array_equal(one.moles[0], one.moles[1])
    different = simulate(recipe, rates, realizations=2, rng=6)
    assert not np.array_equal(one.moles, different.moles)
    # the recipe's seed is the default one, and realizations do not depend on how many there are
    assert_array_equal(simulate(recipe.with_options(seed=5), rates).moles[0], one.moles[0])
    assert one.metadata["entropy"] == 5


@pytest.mark.parametrize(
    "rng", [lambda: np.random.default_rng(3), lambda: np.random.SeedSequence(3), lambda: 3, lambda: np.int64(3)]
)
def test_a_seed_may_be_given_in_any_of_its_forms(rng):
    rates, recipe = toys.all_pairs(score=0.4), toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=5)
    one, other = (simulate(recipe, rates, rng=rng()) for _ in range(2))
    assert_array_equal(one.moles, other.moles)
    again = simulate(recipe, rates, rng=one.metadata["entropy"])
    assert_array_equal(one.moles, again.moles)


@pytest.mark.slow
def test_threads_do_not_change_the_history():
    rates = toys.all_pairs(score=0.4, exchange={"BaTiO3": 0.1})
    recipe = toys.recipe({"BaO": 1, "TiO2": 2}, size=64, sweeps=1)
    one, two = (simulate(recipe, rates, threads=threads) for threads in (1, 2))
    assert_array_equal(one.moles, two.moles)
    assert_array_equal(one.lattice.snapshots, two.lattice.snapshots)
    assert_array_equal(one.extent, two.extent)


# What is recorded.


def test_time_is_in_hours_only_where_it_is_calibrated():
    rates = toys.all_pairs(score=0.1)
    plain = toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=40)
    data = plain.model_dump() | {"calibration": {"hours_per_sweep": 0.02, "observation": "made up"}}
    dated = simulate(type(plain)(**data), rates)
    assert simulate(plain, rates).time_h is None
    assert dated.time_h[-1] == pytest.approx(0.4)
    assert dated.lattice.sweep[-1] == pytest.approx(20)


def test_progress_is_told_and_rises():
    told = []
    rates, recipe = toys.all_pairs(score=0.1), toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=40)
    simulate(recipe, rates, realizations=2, progress=lambda *news: told.append(news))
    parts = [part for part, _, _ in told]
    assert parts == sorted(parts)
    assert 0 <= parts[0] < parts[-1] <= 1
    assert {text.split(", ")[1] for _, text, _ in told if ", " in text} == {"mixing the powder", "step 1"}
    assert {kelvin for _, _, kelvin in told} == {1300.0, None}


def test_a_table_for_every_realization():
    slow, fast = toys.all_pairs(score=0.01), toys.all_pairs(score=1.0)
    history = simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=8, sweeps=2), [slow, fast], rng=1)
    assert history.realizations == 2
    assert history.moles[0, -1, 0] > 0.9 > history.moles[1, -1, 0]


def test_refusals():
    rates = toys.all_pairs()
    with pytest.raises(RecipeError, match=r"precursors\[1\].phase: 'Ba3TiO5'"):
        simulate(toys.recipe({"BaO": 1, "Ba3TiO5": 1}), rates)
    with pytest.raises(RecipeError, match=r"grid.size: 4\^3 cells are too few"):
        simulate(toys.recipe({"BaO": 1, "TiO2": 1000}, size=4), rates)
    with pytest.raises(RecipeError, match="realizations"):
        simulate(toys.recipe({"BaO": 1, "TiO2": 1}), rates, realizations=0)
    with pytest.raises(RecipeError, match="seed of 0 or more"):
        simulate(toys.recipe({"BaO": 1, "TiO2": 1}), rates, rng=-1)
