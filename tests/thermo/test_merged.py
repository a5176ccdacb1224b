import math

import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.thermo.gases import gas
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.merged import merged, phase_key
from tammann.thermo.phase import Phase, Phases, energy_set_of


def system(name, energies, *, melting=1500.0, grid=TEMPERATURES_K):
    phases = [Phase(f, parse_formula(f), volume_A3_per_atom=12.0, melting_point_K=melting) for f in energies]
    columns = [(np.full(len(grid), value), 0.01, name, False) for value in energies.values()]
    elements = tuple(sorted({e for p in phases for e in p.composition}))
    one = energy_set_of(name, "", grid, columns)
    return Phases("-".join(elements), elements, tuple(phases), {name: one}, name, (f"said of {name}",))


def test_the_first_counts_and_the_second_adds():
    joint = merged(system("mine", {"MgO": -3.0}), system("library", {"Mg2O2": -2.0, "Al2O3": -3.4}))
    assert [phase.formula for phase in joint] == ["MgO", "Al2O3"]
    assert joint.default_energies == "mine" and joint.elements == ("Al", "Mg", "O") and joint.system == "Al-Mg-O"
    assert joint.gibbs(1000.0) == pytest.approx([-3.0, -3.4])
    assert joint.energy_set().source == ("mine", "library")
    assert joint.warnings == ("said of mine", "said of library")


def test_what_the_first_does_not_know_comes_from_the_second():
    joint = merged(system("mine", {"MgO": -3.0}, melting=math.nan), system("library", {"MgO": -2.0}, melting=3105.0))
    assert joint["MgO"].melting_point_K == 3105.0


def test_a_gas_is_not_the_solid_of_its_composition():
    assert phase_key(gas("CO2")[0]) != phase_key(Phase("CO2", {"C": 1, "O": 2}))
    assert phase_key(Phase("S2", {"S": 2}, "gas")) != phase_key(Phase("S8", {"S": 8}, "gas"))
    assert phase_key(Phase("S8", {"S": 8})) == phase_key(Phase("S", {"S": 1}))


def test_a_coarser_grid_is_interpolated_and_a_shorter_one_refused():
    coarse = system("library", {"Al2O3": -3.4}, grid=np.array([300.0, 2000.0]))
    assert merged(system("mine", {"MgO": -3.0}), coarse).gibbs(777.0) == pytest.approx([-3.0, -3.4])
    short = system("library", {"Al2O3": -3.4}, grid=np.array([300.0, 1000.0]))
    with pytest.raises(DataError, match=r"'library' are for 300 to 1000 K, expected 300 to 2000 K"):
        merged(system("mine", {"MgO": -3.0}), short)
