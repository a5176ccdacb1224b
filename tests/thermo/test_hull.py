import numpy as np
import pytest

from tammann.errors import DataError
from tammann.thermo import energy_above_hull, equilibrium, load_phases
from tammann.units import BOLTZMANN_EV_PER_K

LINE = ("BaO", "BaO2", "Ba3TiO5", "Ba2TiO4", "BaTiO3", "BaTi2O5", "BaTi4O9", "BaTi5O11", "TiO2", "BaCO3")
SETS = ("materials-project", "experiment-anchored", "assessed")


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


@pytest.mark.parametrize("energies", SETS)
@pytest.mark.parametrize("T", [300.0, 1050.0, 1700.0])
def test_agrees_with_pymatgens_hull(phases, energies, T):
    diagram = pytest.importorskip("pymatgen.analysis.phase_diagram")
    from pymatgen.core import Composition

    gibbs = phases.gibbs(T, energies=energies)
    entries = {
        p.formula: diagram.PDEntry(Composition(p.formula), g * p.n_atoms)
        for p, g in zip(phases, gibbs, strict=True)
        if np.isfinite(g)
    }
    entries["C"] = diagram.PDEntry(Composition("C"), 0.0)
    theirs = diagram.PhaseDiagram(list(entries.values()))
    ours = energy_above_hull(phases, T, energies=energies)
    for formula, entry in entries.items():
        if formula != "C":
            assert ours[phases.index(formula)] == pytest.approx(theirs.get_e_above_hull(entry), abs=1e-8)


@pytest.mark.parametrize("gas", [None, {"O2": 21228.0}, {"CO2": 40.5}, {"O2": 1.0, "CO2": 101325.0}])
def test_the_hull_is_what_the_equilibrium_programme_finds(phases, gas):
    """Two independent routes: dual polyhedron, and a linear programme over amounts."""
    T = 1180.0
    gibbs = phases.gibbs(T)
    above = energy_above_hull(phases, T, partial_pressure_Pa=gas)
    atoms = phases.composition_matrix.sum(axis=1)
    potential = {}
    for name, pressure in (gas or {}).items():
        i = phases.index(name)
        potential[name] = gibbs[i] * atoms[i] + BOLTZMANN_EV_PER_K * T * np.log(pressure / 1e5)
    for phase in phases:
        # Reduced phases would take the oxygen of CO2 and leave graphite, which is in the hull but no phase of the list.
        if phase.state == "gas" or (gas == {"CO2": 40.5} and phase.formula not in LINE):
            continue
        i = phases.index(phase.formula)
        made = equilibrium(phases, {phase.formula: 1.0}, T, partial_pressure_Pa=gas)
        exchanged = phases.composition_matrix[i] - sum(
            n * phases.composition_matrix[phases.index(f)] for f, n in made.items()
        )
        gases = np.zeros(0)
        cost = 0.0
        if potential:
            columns = np.array([phases.composition_matrix[phases.index(f)] for f in potential]).T
            gases = np.linalg.lstsq(columns, exchanged, rcond=None)[0]
            np.testing.assert_allclose(columns @ gases, exchanged, atol=1e-8)
            cost = float(gases @ np.array(list(potential.values())))
        else:
            np.testing.assert_allclose(exchanged, 0.0, atol=1e-8)
        final = sum(n * gibbs[phases.index(f)] * phases[f].n_atoms for f, n in made.items()) + cost
        assert (gibbs[i] * atoms[i] - final) / atoms[i] == pytest.approx(above[i], abs=1e-7)


@pytest.mark.parametrize(
    ("gas", "message"),
    [
        ({"BaO": 1.0}, "is a solid"),
        ({"O2": -1.0}, "above zero"),
        ({"N2": 1.0}, "'N2' is not in Ba-Ti-O"),
    ],
)
def test_gases_that_are_none_are_refused(phases, gas, message):
    with pytest.raises(DataError, match=message):
        energy_above_hull(phases, 1000.0, partial_pressure_Pa=gas)
