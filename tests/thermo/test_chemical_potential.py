import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from potential_differences import closest_difference
from tammann.errors import DataError
from tammann.thermo import (
    EnergySet,
    Phase,
    Phases,
    chemical_potential_diagram,
    closest_differences,
    load_phases,
    parse_formula,
)
from tammann.thermo._closest import closest_in_faces
from tammann.units import BOLTZMANN_EV_PER_K


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


def system(energies: dict[str, float]) -> Phases:
    """Solids with temperature-independent Gibbs energies, eV per atom."""
    made = tuple(Phase(f, parse_formula(f), volume_A3_per_atom=10.0, melting_point_K=2000.0) for f in energies)
    n = len(made)
    T = np.array([300.0, 2000.0])
    values = np.tile(np.array(list(energies.values())), (2, 1))
    one = EnergySet("made", "", T, values, np.zeros(n), ("",) * n, np.ones(n, bool), np.zeros(n), np.zeros(n))
    elements = tuple(sorted({e for p in made for e in p.composition}))
    return Phases("made", elements, made, {"made": one}, "made")


def naive(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Slow twin: shortest a^T u - b^T w over convex weights, by heavily weighted non-negative least squares."""
    heavy = 1e5
    matrix = np.vstack(
        [
            np.hstack([a.T, -b.T]),
            heavy * np.hstack([np.ones(len(a)), np.zeros(len(b))]),
            heavy * np.hstack([np.zeros(len(a)), np.ones(len(b))]),
        ]
    )
    weights, _ = nnls(matrix, np.concatenate([np.zeros(a.shape[1]), [heavy, heavy]]), maxiter=10000)
    u, w = weights[: len(a)], weights[len(a) :]
    return a.T @ (u / u.sum()) - b.T @ (w / w.sum())


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=150, deadline=None)
def test_kernel_finds_the_shortest_vector_of_random_polytopes(seed, K, na, nb):
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(size=(na, K)), rng.normal(size=(nb, K)) + rng.normal(size=K)])
    a, b = points[:na], points[na:]
    starts = np.array([0, na, na + nb])
    d = closest_in_faces(points, starts, np.arange(na + nb), np.array([[0, 1]]))[0]
    assert np.linalg.norm(d) == pytest.approx(np.linalg.norm(naive(a, b)), abs=1e-5)
    # Optimality: no corner of the difference lies nearer along d.
    assert (a @ d).min() - (b @ d).max() >= d @ d - 1e-7


def test_a_binary_by_hand():
    # One compound AB at -1 eV/atom between two elements: its domain runs from (-2, 0) to (0, -2).
    made = system({"Mg": 0.0, "O": 0.0, "MgO": -1.0})
    diagram = chemical_potential_diagram(made, 1000.0)
    np.testing.assert_allclose(sorted(map(tuple, diagram.domain("MgO"))), [(-2.0, 0.0), (0.0, -2.0)], atol=1e-9)
    # The domain of Mg is the ray mu_Mg = 0, mu_O <= -2: it touches that of MgO.
    np.testing.assert_allclose(closest_difference(made, "Mg", "MgO", 1000.0), 0.0, atol=1e-9)
    # Mg and O: from (0, -2) to (-2, 0).
    np.testing.assert_allclose(closest_difference(made, "Mg", "O", 1000.0), [2.0, -2.0], atol=1e-9)


def test_closest_points_are_not_always_corners(phases):
    name = "materials-project"
    diagram = chemical_potential_diagram(phases, 1250.0, energies=name)
    keep = [i for i, e in enumerate(diagram.elements) if e != "C"]
    a, b = diagram.domain("BaO")[:, keep], diagram.domain("BaTi2O5")[:, keep]
    corners = min(np.linalg.norm(x - y) for x in a for y in b)
    d = closest_difference(phases, "BaO", "BaTi2O5", 1250.0, energies=name)
    assert np.linalg.norm(d) == pytest.approx(1.685, abs=0.002)
    assert corners > np.linalg.norm(d) + 0.1


def test_agrees_with_pymatgens_diagram(phases):
    cpd = pytest.importorskip("pymatgen.analysis.chempot_diagram")
    from pymatgen.analysis.phase_diagram import PDEntry
    from pymatgen.core import Composition

    T, name = 1250.0, "materials-project"
    gibbs = phases.gibbs(T, energies=name)
    entries = [
        PDEntry(Composition(p.formula), g * p.n_atoms)
        for p, g in zip(phases, gibbs, strict=True)
        if np.isfinite(g) and "C" not in p.composition
    ]
    theirs = cpd.ChemicalPotentialDiagram(entries, formal_chempots=False)
    order = [[str(e) for e in theirs.elements].index(e) if e != "C" else -1 for e in phases.elements]
    for first, second in itertools.combinations(["BaO", "Ba2TiO4", "BaTi2O5", "TiO2"], 2):
        d = naive(theirs.domains[first], theirs.domains[second])
        expected = [d[i] if i >= 0 else 0.0 for i in order]
        ours = closest_difference(phases, first, second, T, energies=name)
        np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_points_lie_in_the_two_domains(phases):
    # With d the difference of two points of P, x_first . d >= 0 >= x_second . d where both are stable.
    T = 1300.0
    for first, second in [("BaO", "TiO2"), ("BaTiO3", "TiO2"), ("BaO", "BaTi2O5")]:
        d = closest_difference(phases, first, second, T)
        assert phases.atom_fractions[phases.index(first)] @ d >= -1e-9
        assert phases.atom_fractions[phases.index(second)] @ d <= 1e-9


def test_neighbours_touch_and_order_reverses(phases):
    for first, second in [("BaO", "Ba2TiO4"), ("Ba2TiO4", "BaTiO3"), ("BaTiO3", "BaTi2O5")]:
        np.testing.assert_allclose(closest_difference(phases, first, second, 1300.0), 0.0, atol=1e-7)
    forth = closest_difference(phases, "BaO", "TiO2", 1300.0)
    np.testing.assert_allclose(closest_difference(phases, "TiO2", "BaO", 1300.0), -forth, atol=1e-8)


def test_a_metastable_phase_has_the_domain_it_would_have_were_it_stable(phases):
    # Its decomposition products coexist there.
    assert chemical_potential_diagram(phases, 1300.0).energy_above_hull_eV_per_atom[phases.index("Ba3TiO5")] > 0
    for partner in ("BaO", "Ba2TiO4"):
        np.testing.assert_allclose(closest_difference(phases, "Ba3TiO5", partner, 1300.0), 0.0, atol=1e-7)
    # Lowered to just below the hull, its domain shrinks onto the same place.
    chosen = phases.energy_set()
    table = chosen.gibbs_eV_per_atom.copy()
    above = chemical_potential_diagram(phases, 1300.0).energy_above_hull_eV_per_atom
    table[:, phases.index("Ba3TiO5")] -= above[phases.index("Ba3TiO5")] + 1e-7
    from dataclasses import replace

    lowered = phases.with_energies(replace(chosen, name="lowered", gibbs_eV_per_atom=table), default=True)
    np.testing.assert_allclose(
        closest_difference(lowered, "Ba3TiO5", "TiO2", 1300.0),
        closest_difference(phases, "Ba3TiO5", "TiO2", 1300.0),
        atol=1e-4,
    )


def test_the_bulk_form_is_the_single_form(phases):
    pairs = [("BaO", "TiO2"), ("BaO2", "Ti2O3"), ("BaCO3", "TiO2"), ("BaTi6O12", "BaO")]
    temperatures = [700.0, 1500.0]
    many = closest_differences(phases, pairs, temperatures)
    assert many.shape == (2, 4, len(phases.elements))
    for t, T in enumerate(temperatures):
        for k, pair in enumerate(pairs):
            np.testing.assert_allclose(many[t, k], closest_difference(phases, *pair, T), atol=1e-12)
    by_position = [tuple(phases.index(f) for f in pair) for pair in pairs]
    np.testing.assert_array_equal(many, closest_differences(phases, by_position, temperatures))


def test_a_multiple_of_every_formula_changes_nothing():
    one = system({"MgO": -3.0, "Al2O3": -3.3, "MgAl2O4": -3.3, "Mg": 0.0, "Al": 0.0, "O2": 0.0})
    two = system({"Mg2O2": -3.0, "Al6O9": -3.3, "Mg4Al8O16": -3.3, "Mg": 0.0, "Al": 0.0, "O2": 0.0})
    d = closest_difference(one, "MgO", "Al2O3", 1000.0)
    np.testing.assert_allclose(closest_difference(two, "Mg2O2", "Al6O9", 1000.0), d, atol=1e-10)
    assert np.linalg.norm(d) > 0.01


def test_carbonate_under_its_gas_is_the_oxide_shifted(phases):
    T, pressure = 1100.0, 101325.0
    gibbs = phases.gibbs(T)
    keep = [p.formula for p in phases if "C" not in p.composition and p.formula != "BaO"]
    gas = 3 * gibbs[phases.index("CO2")] + BOLTZMANN_EV_PER_K * T * np.log(pressure / 1e5)
    shifted = (5 * gibbs[phases.index("BaCO3")] - gas) / 2
    assert shifted < gibbs[phases.index("BaO")]
    twin = system({"BaO": shifted} | {f: gibbs[phases.index(f)] for f in keep})
    for other in ("TiO2", "BaTiO3", "BaTi2O5"):
        d = closest_difference(phases, "BaCO3", other, T, partial_pressure_Pa={"CO2": pressure})
        expected = closest_difference(twin, "BaO", other, T)
        free = [phases.elements.index(e) for e in twin.elements]
        np.testing.assert_allclose(d[free], expected, atol=1e-7)
        # The gas ties carbon to oxygen: mu_C + 2 mu_O is the same on both sides.
        assert d[phases.elements.index("C")] == pytest.approx(-2 * d[phases.elements.index("O")], abs=1e-9)


def test_oxide_and_carbonate_are_one_at_the_decomposition_pressure(phases):
    T = 1250.0
    G = phases.gibbs(T) * phases.composition_matrix.sum(axis=1)
    i = phases.index
    pressure = 1e5 * np.exp((G[i("BaCO3")] - G[i("BaO")] - G[i("CO2")]) / (BOLTZMANN_EV_PER_K * T))
    gas = {"CO2": float(pressure)}
    np.testing.assert_allclose(
        closest_difference(phases, "BaCO3", "TiO2", T, partial_pressure_Pa=gas),
        closest_difference(phases, "BaO", "TiO2", T, partial_pressure_Pa=gas),
        atol=1e-6,
    )


def test_a_held_element_has_one_potential_everywhere(phases):
    d = closest_difference(phases, "BaO", "TiO2", 1300.0, partial_pressure_Pa={"O2": 21228.0, "CO2": 40.5})
    assert d[phases.elements.index("O")] == 0.0 and d[phases.elements.index("C")] == 0.0
    diagram = chemical_potential_diagram(phases, 1300.0, partial_pressure_Pa={"O2": 21228.0})
    expected = 0.5 * BOLTZMANN_EV_PER_K * 1300.0 * np.log(0.21228)
    np.testing.assert_allclose(diagram.vertices_eV[:, phases.elements.index("O")], expected, atol=1e-12)


def test_the_order_of_gases_does_not_matter(phases):
    one = closest_difference(phases, "BaCO3", "TiO2", 1000.0, partial_pressure_Pa={"O2": 1.0, "CO2": 40.5})
    two = closest_difference(phases, "BaCO3", "TiO2", 1000.0, partial_pressure_Pa={"CO2": 40.5, "O2": 1.0})
    np.testing.assert_array_equal(one, two)


def test_a_set_without_a_phase_says_so(phases):
    d = closest_differences(phases, [("BaCO3", "TiO2"), ("BaO", "TiO2")], 1000.0, energies="materials-project")
    assert np.isnan(d[0, 0]).all() and np.isfinite(d[0, 1]).all()
    with pytest.raises(DataError, match="'materials-project' lack BaCO3"):
        closest_difference(phases, "BaCO3", "TiO2", 1000.0, energies="materials-project")


def test_all_elements_but_one_or_all_of_them_held(phases):
    air = {"O2": 21228.0, "CO2": 40.5}
    # One free element: every barium compound without titanium meets the stable one in the same point.
    np.testing.assert_allclose(closest_difference(phases, "BaO", "BaCO3", 1200.0, partial_pressure_Pa=air), 0.0)
    # Of a titanium and a barium phase, each has its own element settled and the other's free to be low.
    d = closest_difference(phases, "BaO", "TiO2", 1200.0, partial_pressure_Pa=air)
    assert d[phases.elements.index("Ba")] > 1.0 and d[phases.elements.index("Ti")] < -1.0
    np.testing.assert_array_equal(closest_difference(phases, "O2", "CO2", 1200.0, partial_pressure_Pa=air), 0.0)


def test_an_atmosphere_that_cannot_last_is_refused(phases):
    # Oxygen so scarce that CO2 would deposit graphite.
    with pytest.raises(DataError, match="cannot be held"):
        closest_difference(phases, "BaO", "TiO2", 500.0, partial_pressure_Pa={"CO2": 1e5, "O2": 1e-300})
    # More than 1 bar of a gas is no such case.
    closest_difference(phases, "BaO", "TiO2", 500.0, partial_pressure_Pa={"CO2": 1e5, "O2": 1e6})


def test_without_its_gas_an_element_has_no_highest_potential():
    phases = load_phases("Ba-Ti-O")
    oxygen = phases.elements.index("O")
    assert chemical_potential_diagram(phases, 1300.0).vertices_eV[:, oxygen].max() == pytest.approx(0.0, abs=1e-9)
    alone = chemical_potential_diagram(phases, 1300.0, without=["O2"])
    assert alone.vertices_eV[:, oxygen].max() > 10.0
    # The peroxide, which gives off oxygen at this temperature, is stable where it cannot.
    at = phases.index("BaO2")
    assert chemical_potential_diagram(phases, 1300.0).energy_above_hull_eV_per_atom[at] > 0.01
    assert alone.energy_above_hull_eV_per_atom[at] == 0.0
    with pytest.raises(DataError, match="SrO"):
        chemical_potential_diagram(phases, 1300.0, without=["SrO"])
