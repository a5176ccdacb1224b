from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tammann.errors import DataError
from tammann.thermo import (
    Constraint,
    assess,
    energy_above_hull,
    load_constraints,
    load_phases,
    shifts_table,
)
from tammann.thermo.assessment import _smallest
from thermo.known import binary, check_known_equilibria, on_hull


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


def test_the_assessed_set_satisfies_every_known_equilibrium(phases):
    check_known_equilibria(phases)


def test_without_the_assessment_they_do_not_hold(phases):
    with pytest.raises(AssertionError):
        check_known_equilibria(replace(phases, default_energies="experiment-anchored"))
    with pytest.raises(AssertionError):
        check_known_equilibria(replace(phases, default_energies="materials-project"))


def test_shifts_are_small_computed_only_and_listed(phases):
    chosen = phases.energy_set("assessed")
    table = shifts_table(phases)
    assert (chosen.shifts_eV_per_atom[~chosen.is_computed] == 0).all()
    assert (table["standard_errors"].abs() < 1.0).all()
    shifted = table[table["shift_meV_per_atom"].abs() > 1e-6]
    told = {"BaTi2O5", "Ba6Ti17O40", "Ba4Ti13O30", "BaTi4O9", "Ba2Ti9O20", "BaTi5O11"}
    assert told <= set(shifted["phase"])
    # Others only as far as they would take the place of these in some draws.
    others = shifted[~shifted["phase"].isin(told)]
    assert (others["shift_meV_per_atom"].abs() < 5.0).all()
    assert (table["shift_meV_per_atom"].abs().diff().dropna() <= 1e-12).all()
    for constraint in chosen.constraints:
        assert constraint.source
        assert constraint.entropy_J_per_K_per_mol_atoms is None or constraint.entropy_origin


def test_the_assessed_table_is_the_base_with_its_shifts(phases):
    chosen, base = phases.energy_set("assessed"), phases.energy_set("experiment-anchored")
    expected = (
        base.gibbs_eV_per_atom
        + chosen.shifts_eV_per_atom
        - chosen.entropy_shifts_eV_per_K_per_atom * (base.temperature_K[:, None] - chosen.reference_temperature_K)
    )
    np.testing.assert_allclose(chosen.gibbs_eV_per_atom, expected, atol=1e-12)


def test_nothing_is_shifted_where_nothing_is_asked_or_all_holds(phases):
    nothing = assess(phases, [], energies="experiment-anchored")
    np.testing.assert_array_equal(nothing.shifts_eV_per_atom, 0.0)
    known, _ = load_constraints("Ba-Ti-O")
    again = assess(phases, [c for c in known if c.kind == "on-hull"], energies="assessed", name="again")
    np.testing.assert_allclose(again.shifts_eV_per_atom, 0.0, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_solver_finds_the_shortest_vector(seed):
    """Against a general optimiser on random problems that have a solution."""
    rng = np.random.default_rng(seed)
    n, ne, ni = int(rng.integers(2, 7)), int(rng.integers(0, 3)), int(rng.integers(0, 9))
    ne = min(ne, n - 1)
    E, G = rng.normal(size=(ne, n)), rng.normal(size=(ni, n))
    inside = rng.normal(size=n)
    f, h = E @ inside, G @ inside - rng.exponential(size=ni)
    u = _smallest(E, f, G, h)
    assert u is not None
    np.testing.assert_allclose(E @ u, f, atol=1e-8)
    assert (G @ u >= h - 1e-8).all()
    conditions = [{"type": "eq", "fun": lambda v: E @ v - f}] if ne else []
    conditions += [{"type": "ineq", "fun": lambda v: G @ v - h}] if ni else []
    other = minimize(
        lambda v: v @ v,
        inside,
        method="SLSQP",
        jac=lambda v: 2 * v,
        constraints=conditions,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert u @ u <= other.x @ other.x + 1e-5


def test_the_solver_says_where_there_is_no_solution():
    row = np.array([[1.0, 0.0]])
    assert _smallest(np.zeros((0, 2)), np.zeros(0), np.vstack([row, -row]), np.array([1.0, 1.0])) is None
    assert _smallest(np.vstack([row, row]), np.array([1.0, 2.0]), np.zeros((0, 2)), np.zeros(0)) is None


@pytest.mark.parametrize("error", [0.01, 0.04])
def test_a_shift_by_hand(error):
    phases = binary(error)
    # x(Mg3O2) = 4/5 of the atoms from MgO and 1/5 from Mg: the line lies at -2.4.
    made = assess(phases, [Constraint("on-hull", (1000.0,), "made up", phases=("Mg3O2",), margin_eV_per_atom=0.002)])
    assert made.shifts_eV_per_atom == pytest.approx([0.0, 0.0, -0.102, 0.0], abs=1e-9)
    assert energy_above_hull(phases.with_energies(made, default=True), 500.0)[2] == 0.0


def test_a_stated_entropy_turns_the_balance_at_the_stated_temperature():
    constraint = Constraint(
        "equality",
        (1200.0,),
        "made up",
        left=(("Mg3O2", 1.0),),
        right=(("MgO", 2.0), ("Mg", 1.0)),
        entropy_J_per_K_per_mol_atoms=2.0,
        entropy_origin="made up",
    )
    phases = binary()
    phases = phases.with_energies(assess(phases, [constraint], reference_temperature_K=1200.0), default=True)

    def dG(T):
        g = phases.gibbs(T)
        return 0.8 * g[1] + 0.2 * g[0] - g[2]

    assert dG(1200.0) == pytest.approx(0.0, abs=1e-12)
    assert (dG(1100.0) - dG(1300.0)) / 200 * 96485.33 == pytest.approx(2.0, rel=1e-4)


def test_contradictions_are_refused():
    phases = binary()
    sides = {"left": (("Mg3O2", 1.0),), "right": (("MgO", 2.0), ("Mg", 1.0))}
    stable = Constraint("left-stable", (1000.0,), "one", margin_eV_per_atom=0.01, **sides)
    unstable = Constraint("right-stable", (1000.0,), "other", margin_eV_per_atom=0.01, **sides)
    with pytest.raises(DataError, match="contradict.*Mg3O2 = 2 MgO \\+ Mg"):
        assess(phases, [stable, unstable])
    # Measured energies are not for moving.
    measured = {"left": (("MgO", 2.0),), "right": (("Mg", 2.0), ("O2", 1.0)), "margin_eV_per_atom": 5.0}
    with pytest.raises(DataError, match="contradict"):
        assess(phases, [Constraint("left-stable", (1000.0,), "x", **measured)])


def test_an_equilibrium_must_balance_and_be_known(phases):
    wrong = Constraint("equality", (1000.0,), "x", left=(("BaTi2O5", 1.0),), right=(("BaTiO3", 1.0),))
    with pytest.raises(DataError, match="does not balance in O|does not balance in Ti"):
        assess(phases, [wrong])
    with pytest.raises(DataError, match="'SrO' is not in"):
        assess(phases, [replace(wrong, left=(("SrO", 1.0),))])
    with pytest.raises(DataError, match="2500"):
        assess(phases, [Constraint("on-hull", (2500.0,), "x", phases=("BaTiO3",))])
    with pytest.raises(DataError, match="lack BaCO3"):
        constraint = Constraint("equality", (1000.0,), "x", left=(("BaCO3", 1),), right=(("BaO", 1), ("CO2", 1)))
        assess(phases, [constraint], energies="materials-project")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constraints: 3", "no list"),
        ("a: [", "cannot be read"),
        ("colour: red\nconstraints: []", "'colour'"),
        ("constraints:\n  - equilibrium: BaO = BaO\n    colour: red", "unknown key 'colour'"),
        ("constraints:\n  - kind: equality", "either 'equilibrium' or 'on_hull'"),
        ("constraints:\n  - equilibrium: BaO = BaO\n    kind: maybe\n    temperature_K: 1\n    source: x", "'maybe'"),
        ("constraints:\n  - equilibrium: BaO\n    kind: equality\n    temperature_K: 1\n    source: x", "one ="),
        (
            "constraints:\n  - equilibrium: x BaO = BaO\n    kind: equality\n    temperature_K: 1\n    source: x",
            "'x BaO'",
        ),
        ("constraints:\n  - on_hull: [BaO]\n    temperature_K: 1000", "'source'"),
        ("constraints:\n  - on_hull: [BaO]\n    temperature_K: hot\n    source: x", "'hot'"),
        (
            "constraints:\n  - equilibrium: BaO = BaO\n    kind: equality\n    temperature_K: 1\n    source: x\n"
            "    entropy_J_per_K_per_mol_atoms: 1",
            "entropy_origin",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_a_sentence(tmp_path, text, message):
    path = tmp_path / "known.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load_constraints(path)
    assert "\n" not in str(caught.value)


def test_a_users_own_file(tmp_path, phases):
    path = tmp_path / "known.yaml"
    path.write_text(
        """reference_temperature_K: 1200
constraints:
  - equilibrium: 3/2 BaO + 1/2 Ba2TiO4 = 1/2 Ba3TiO5 + BaO
    kind: right-stable
    temperature_K: [1000, 1400]
    margin_eV_per_atom: 0.001
    source: imagination
"""
    )
    constraints, reference = load_constraints(path)
    assert reference == 1200.0 and constraints[0].left == (("BaO", 1.5), ("Ba2TiO4", 0.5))
    made = phases.with_energies(assess(phases, constraints, reference_temperature_K=reference), default=True)
    assert on_hull(made, "Ba3TiO5", 1000.0) and not on_hull(phases, "Ba3TiO5", 1000.0)
