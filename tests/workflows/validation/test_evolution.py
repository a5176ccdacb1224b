"""When and whether an observation holds in a run."""

import numpy as np
import pytest

from example import example_history
from tammann import Recipe
from tammann.composition import parse_formula
from tammann.workflows.furnace import plain_equilibrium, prepare
from tammann.workflows.validation import PhaseEvolution, When
from workflows.validation.made import MOLES, PHASES, WEIGHTS, evolution, holds, observation, still


@pytest.mark.parametrize(
    ("when", "moments"),
    [
        ({}, [9]),
        ({"step": 1}, [4]),
        ({"step": 2}, [9]),
        ({"temperature_K": 650}, [1]),
        ({"temperature_K": 825}, [1.5]),  # in passing, on the way up
        ({"temperature_K": 1000}, [4]),  # the end of the hold, not its beginning
        ({"temperature_K": 1000, "step": 2}, [6 + 5 / 9]),  # the other time
        ({"temperature_K": 1200}, [9]),
        ({"temperature_K": 300}, [0]),
        ({"hold_h": 0, "step": 1}, [2]),
        ({"hold_h": 0.5, "step": 1}, [2.5]),
        ({"hold_h": 2, "step": 1}, [4]),
        ({"hold_h": 0.75, "step": 2}, [8.5]),
        ({"from_temperature_K": 475, "to_temperature_K": 825, "step": 1}, [0.5, 1, 1.5]),
        ({"from_temperature_K": 1100}, [6 + 7 / 9, 7, 8, 9]),
        ({"temperature_K": 300, "step": 2}, [5]),
        ({"from_temperature_K": 1100, "step": 1}, []),
        ({"to_temperature_K": 650}, [0, 1, 5, 5 + 7 / 9]),
        ({"from_conversion_percent": 50, "to_conversion_percent": 80, "conversion_of": "BaO"}, [2.5, 3, 4, 5, 6]),
        ({"from_conversion_percent": 50, "conversion_of": "BaO", "step": 1}, [2.5, 3, 4]),
        ({"to_conversion_percent": 10, "conversion_of": "TiO2"}, [0, 1]),
        ({"to_conversion_percent": 10}, [0, 0.5]),  # BaO is used up the furthest
        ({"from_conversion_percent": 99.5, "conversion_of": "TiO2"}, []),
    ],
)
def test_when(when, moments):
    (found,) = evolution().moments(When(**when))
    assert found.tolist() == pytest.approx(moments)


def test_each_realization_has_its_own_conversion():
    slow = MOLES.copy()
    slow[:, 0] = (1 + MOLES[:, 0]) / 2
    both = evolution(np.stack([MOLES, slow]))
    first, second = both.moments(When(from_conversion_percent=90, conversion_of="BaO"))
    assert first.tolist() == pytest.approx([6.5, 7, 8, 9])
    assert second.tolist() == []
    claim = observation(absent="Ba2TiO4", when={"from_conversion_percent": 90, "conversion_of": "BaO"})
    # nothing is seen, but the second never comes there: that is no success
    assert both.holds(claim, detection_limit_mass_percent=100, basis="mole", target=None).tolist() == [True, False]


def test_amounts_between_frames_are_linear():
    amounts = evolution().percent(0, np.array([0.0, 2.5]), "mole")
    assert amounts[0].tolist() == [50, 50, 0, 0]
    middle = (MOLES[2] + MOLES[3]) / 2
    assert amounts[1] == pytest.approx(100 * middle / middle.sum())
    mass = evolution().percent(0, np.array([9.0]), "mass")[0]
    assert mass == pytest.approx(100 * MOLES[9] * WEIGHTS["mass"] / (MOLES[9] @ WEIGHTS["mass"]))


LIMITED = {"BaTiO3": 0.95 / 233.2, "Ba2TiO4": 0.05 / 386.5}  # 5 % of the mass is Ba2TiO4


@pytest.mark.parametrize(
    ("claim", "limit", "true"),
    [
        ({"present": "Ba2TiO4"}, 4.999, True),
        ({"present": "Ba2TiO4"}, 5.0, False),  # the limit itself is not seen
        ({"absent": "Ba2TiO4"}, 4.999, False),
        ({"absent": "Ba2TiO4"}, 5.0, True),
        ({"present": ["BaTiO3", "Ba2TiO4"]}, 4.9, True),
        ({"present": ["BaTiO3", "BaO"]}, 4.9, False),
        ({"present": "BaTi2O5"}, 0.0, False),  # a phase that the model never made
        ({"absent": ["BaO", "BaTi2O5"]}, 0.0, True),
        ({"only": "BaTiO3"}, 5.0, True),
        ({"only": "BaTiO3"}, 4.9, False),
        ({"only": ["BaTiO3", "Ba2TiO4"]}, 4.9, True),
        ({"only": ["BaTiO3", "BaO"]}, 5.0, False),
        ({"major": "BaTiO3"}, 1.0, True),
        ({"major": "Ba2TiO4"}, 1.0, False),
        ({"main_impurity": "Ba2TiO4"}, 4.9, True),
        ({"main_impurity": "Ba2TiO4"}, 5.0, False),  # not seen at all
        ({"more": ["BaTiO3", "Ba2TiO4", "BaO"]}, 1.0, True),
        ({"more": ["Ba2TiO4", "BaTiO3"]}, 1.0, False),
        ({"more": ["BaTiO3", "BaO", "TiO2"]}, 1.0, False),  # equal amounts are in no order
        ({"more": ["BaTiO3", "Ba2TiO4"]}, 95.1, False),  # the first is not seen
    ],
)
def test_claims_at_their_limits(claim, limit, true):
    assert holds(observation(**claim), still(**LIMITED), limit=limit) is true


WITH_BATI2O5 = {
    "phases": (*PHASES, "BaTi2O5"),
    "weights": {"mole": np.ones(5), "mass": np.append(WEIGHTS["mass"], 313.0)},
}


def still_by_mass(**percent: float) -> PhaseEvolution:
    mass = np.array([percent.get(name, 0.0) for name in WITH_BATI2O5["phases"]])
    return evolution(np.tile(mass / WITH_BATI2O5["weights"]["mass"], (10, 1)), **WITH_BATI2O5)


@pytest.mark.parametrize("limit", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(
    ("claim", "first", "second"),
    [
        ({"major": "Ba2TiO4"}, "Ba2TiO4", "BaTi2O5"),
        ({"main_impurity": "Ba2TiO4"}, "Ba2TiO4", "BaTi2O5"),
        ({"more": ["BaO", "Ba2TiO4"]}, "BaO", "Ba2TiO4"),
    ],
)
def test_a_lead_below_the_detection_limit_is_a_tie(claim, first, second, limit):
    for lead, true in ((0.0, False), (limit - 0.01, False), (limit, False), (limit + 0.01, True)):
        run = still_by_mass(**{first: 35 + lead, second: 35, "BaTiO3": 30 - lead})
        assert holds(observation(**claim), run, limit=limit, basis="mass") is true


def test_the_margin_of_a_lead_in_moles_is_a_mass():
    # 1 % of the mass is 2.0 mol% of TiO2 (79.9 g/mol) here, and 0.7 mol% of BaTiO3 (233.2 g/mol)
    assert holds(observation(more=["TiO2", "BaTiO3"]), still(TiO2=51.2, BaTiO3=48.8))
    assert not holds(observation(more=["TiO2", "BaTiO3"]), still(TiO2=50.9, BaTiO3=49.1))
    assert holds(observation(more=["BaTiO3", "TiO2"]), still(TiO2=49.1, BaTiO3=50.9))
    assert not holds(observation(more=["BaTiO3", "TiO2"]), still(TiO2=49.7, BaTiO3=50.3))


def test_equal_impurities_are_no_main_impurity():
    # as mass balance has it in a closed 1:1 mixture, up to round-off
    mole = np.array([0, 0, 0.68, 0.16, 0.16 * (1 + 3e-16)])
    assert mole[4] > mole[3]
    run = evolution(np.tile(mole, (10, 1)), **WITH_BATI2O5)
    for impurity in ("Ba2TiO4", "BaTi2O5"):
        for limit in (0.0, 1.0):
            assert not holds(observation(main_impurity=impurity), run, limit=limit)


@pytest.mark.parametrize(
    ("bounds", "true"),
    [
        ({"at_least_percent": 25}, True),
        ({"at_least_percent": 25.001}, False),
        ({"at_most_percent": 25}, True),
        ({"at_most_percent": 24.999}, False),
        ({"at_least_percent": 20, "at_most_percent": 30}, True),
        ({"at_least_percent": 26, "at_most_percent": 30}, False),
    ],
)
def test_bounds_belong_to_the_claim(bounds, true):
    assert holds(observation(amounts=[{"phase": "Ba2TiO4", **bounds}]), still(BaTiO3=3, Ba2TiO4=1)) is true


def test_basis_of_amounts():
    three_to_one = still(BaTiO3=3, Ba2TiO4=1)
    for basis in ("mole", "mass", "volume"):
        share = 100 * WEIGHTS[basis][3] / (3 * WEIGHTS[basis][2] + WEIGHTS[basis][3])
        for slack, true in ((-1e-6, True), (1e-6, False)):
            claim = observation(amounts=[{"phase": "Ba2TiO4", "at_least_percent": share + slack}])
            assert holds(claim, three_to_one, basis=basis) is true
    # one Ba2TiO4 to 1.5 BaTiO3: less in moles, more in mass
    close = still(BaTiO3=1.5, Ba2TiO4=1)
    assert holds(observation(major="BaTiO3"), close) and holds(observation(major="Ba2TiO4"), close, basis="mass")


def test_bounds_of_nothing():
    assert holds(observation(amounts=[{"phase": "BaTi2O5", "at_most_percent": 0}]), still(BaTiO3=1))
    assert not holds(observation(amounts=[{"phase": "BaTi2O5", "at_least_percent": 0.1}]), still(BaTiO3=1))


def test_precursors_are_no_impurity():
    assert holds(observation(main_impurity="Ba2TiO4"), still(BaO=5, TiO2=5, BaTiO3=1, Ba2TiO4=0.5))
    assert not holds(observation(major="BaTiO3"), still(BaO=5, TiO2=5, BaTiO3=1, Ba2TiO4=0.5))


def test_throughout_and_sometime():
    # BaTiO3 is there from frame 3 on, and makes 5 % of the moles at frame 2 + 5/7
    whole = {"from_temperature_K": 900, "step": 1}
    assert not holds(observation(present="BaTiO3", when=whole))
    assert holds(observation(present="BaTiO3", when={**whole, "sometime": True}))
    assert not holds(observation(absent="BaTiO3", when=whole))
    assert holds(observation(absent="BaTiO3", when={**whole, "sometime": True}))
    # all claims at the same moment: never BaTiO3 without Ba2TiO4
    both = observation(present="BaTiO3", absent="Ba2TiO4", when={"from_temperature_K": 300, "sometime": True})
    assert not holds(both)


def test_order_of_appearance():
    ever = {"from_temperature_K": 300}
    assert holds(observation(sooner=["Ba2TiO4", "BaTiO3"], when=ever))
    assert not holds(observation(sooner=["BaTiO3", "Ba2TiO4"], when=ever))
    assert holds(observation(sooner=["BaTiO3", "BaTi2O5"], when=ever))  # the other never comes
    assert not holds(observation(sooner=["BaTi2O5", "BaTiO3"], when=ever))
    assert not holds(observation(sooner=["BaO", "TiO2"], when=ever))  # at the same time
    assert not holds(observation(sooner=["BaTi2O5", "BaTi4O9"], when=ever))  # neither ever comes
    assert holds(observation(sooner=["BaTiO3", "BaTi2O5", "BaTi4O9"], when=ever))  # both others are late


def test_growing_and_shrinking():
    second = {"from_temperature_K": 750, "step": 2}
    assert holds(observation(grows="BaTiO3", shrinks="Ba2TiO4", when=second))
    assert not holds(observation(grows="Ba2TiO4", when=second))
    assert not holds(observation(shrinks="BaTiO3", when=second))
    mass = evolution().percent(0, np.array([6.0, 9.0]), "mass")[:, 2]
    change = float(mass[1] - mass[0])
    assert holds(observation(grows="BaTiO3", when=second), limit=change - 1e-6)
    assert not holds(observation(grows="BaTiO3", when=second), limit=change + 1e-6)
    assert holds(observation(shrinks="Ba2TiO4", when=second)) and not holds(
        observation(shrinks="Ba2TiO4", when=second), limit=60
    )
    assert not holds(observation(grows="BaTiO3", when={"from_temperature_K": 300}), still(BaTiO3=1))


def test_a_run_becomes_an_evolution():
    history = example_history(realizations=3, carbonate=True)
    recipe = Recipe(
        precursors=[{"phase": "BaCO3", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1100, "hold_h": 2}, {"temperature_K": 1500, "hold_h": 2}],
    )
    run = PhaseEvolution.of_run(history, recipe)
    assert len(run.moles) == 3 and run.precursors == ("BaCO3", "TiO2")
    assert run.time_h == pytest.approx(history.time_h)
    assert run.step.tolist() == (history.stage + 1).tolist()
    used = 100 * (1 - history.moles[:, :, history.phases.index("BaCO3")])
    assert run.conversion("BaCO3") == pytest.approx(used)
    for r, moments in enumerate(run.moments(When(to_conversion_percent=40, conversion_of="BaCO3"))):
        assert np.interp(moments, np.arange(used.shape[1]), used[r]).max() == pytest.approx(40)


def test_ground_powder_starts_cold():
    history = example_history(realizations=2)
    ground = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1100, "hold_h": 2}, {"temperature_K": 1500, "hold_h": 2, "regrind": True}],
    )
    run = PhaseEvolution.of_run(history, ground)
    k = int(np.flatnonzero(run.step == 2)[0])
    assert run.temperature_K.size == history.temperature_K.size + 1
    assert run.temperature_K[k - 1 : k + 1].tolist() == [1100.0, 300.0]
    assert run.time_h[k] == run.time_h[k - 1] and (run.moles[:, k] == run.moles[:, k - 1]).all()
    (again, *_) = run.moments(When(temperature_K=1100, step=2))
    (once, *_) = run.moments(When(temperature_K=1100))
    assert once.tolist() == [k - 1] and again[0] > k


@pytest.fixture(scope="module")
def carbonate():
    """A charge of BaCO3 + TiO2 that is never runs."""
    return prepare(
        Recipe(
            precursors=[{"phase": "BaCO3", "ratio": 2}, {"phase": "TiO2", "ratio": 3}],
            atmosphere="CO2",
            programme=[{"temperature_K": 1400, "hold_h": 1}],
            grid={"size": 4},
        )
    )


def test_equilibrium_becomes_an_evolution(carbonate):
    frames = np.array([300.0, 310.0, 1300.0, 1400.0])
    like = evolution(np.ones((4, 4)), temperature_K=frames, step=np.ones(4, dtype=int), time_h=np.arange(4.0))
    balance = PhaseEvolution.of_equilibrium(plain_equilibrium(carbonate), carbonate.recipe, carbonate.phases, like)
    assert len(balance.moles) == 1 and balance.precursors == ("BaCO3", "TiO2")
    kept = {name: [name.count("Ba") and _atoms(name, "Ba"), _atoms(name, "Ti")] for name in balance.phases}
    cations = balance.moles[0] @ np.array([kept[name] for name in balance.phases])
    assert cations == pytest.approx(np.tile([2.0, 3.0], (4, 1)))  # whatever left as gas
    # 300 and 310 K have the same neighbour in a table every 25 K
    assert balance.percent(0, np.array([0.0]), "mole") == pytest.approx(balance.percent(0, np.array([1.0]), "mole"))
    assert balance.conversion("BaCO3")[0, -1] == pytest.approx(100)
    assert balance.holds(observation(absent="BaCO3"), detection_limit_mass_percent=0, basis="mole", target=None).all()


def _atoms(formula: str, symbol: str) -> int:

    return parse_formula(formula).get(symbol, 0)


def test_parts_that_exchange_nothing_add_up():
    """Each in the amounts of its recipe, whatever the scale of its run; phases that one lacks are zero there."""
    more, less = (
        Recipe(
            precursors=[{"phase": "BaO", "ratio": ratio}, {"phase": "TiO2", "ratio": 1.0}],
            programme=[{"temperature_K": 1000, "hold_h": 2}, {"temperature_K": 1200, "hold_h": 1}],
        )
        for ratio in (3.0, 1.0)
    )
    other = evolution(phases=("BaO", "TiO2", "BaTiO3", "BaTi2O5"))
    both = PhaseEvolution.together([evolution(2.0 * MOLES), other], [more, less])
    assert both.phases == ("BaO", "TiO2", "BaTiO3", "Ba2TiO4", "BaTi2O5")
    assert both.moles[0, -1] == pytest.approx([0.0, 0.04, 3.92, 0.03, 0.01])
    assert both.start[0] == pytest.approx([4.0, 4.0, 0.0, 0.0, 0.0])
    assert PhaseEvolution.together([other], [less]) is other
