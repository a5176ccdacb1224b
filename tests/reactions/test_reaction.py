"""Thermodynamic identities that reaction energies must satisfy."""

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.reactions import Reaction, Reactions, enumerate_reactions, reaction_energy
from tammann.thermo import load_phases
from tammann.units import BOLTZMANN_EV_PER_K


@pytest.fixture(scope="module")
def reactions():
    return enumerate_reactions(load_phases("Ba-Ti-O"))


def find(reactions, equation):
    return [reaction.equation for reaction in reactions].index(equation)


def per_formula(reactions, row, T, **pressure):
    """eV per reaction as written."""
    atoms = reactions.phases.composition_matrix.sum(axis=1)
    one = reactions.take(np.array([row]))
    return float(reaction_energy(one, T, **pressure)[0] * (np.maximum(-one.coefficients, 0) @ atoms)[0])


def test_equations_read_as_a_chemist_writes_them(reactions):
    row = find(reactions, "TiO2 + BaCO3 -> BaTiO3 + CO2")
    assert reactions[row ^ 1].equation == "BaTiO3 + CO2 -> TiO2 + BaCO3"
    assert str(Reaction((("A", 1), ("B", 3)), (("C", 2),))) == "A + 3 B -> 2 C"
    assert reactions[2:5][0].equation == reactions[2].equation


@pytest.mark.parametrize("T", [400.0, 1000.0, 1833.0])
def test_reverse_negates(reactions, T):
    energy = reaction_energy(reactions, T, partial_pressure_Pa={"CO2": 40.0, "O2": 2.1e4})
    known = np.isfinite(energy[0::2])
    np.testing.assert_allclose(energy[0::2][known], -energy[1::2][known], rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(T=st.floats(300, 2000), pressure=st.floats(1e-3, 1e6))
def test_hess(reactions, cycle, T, pressure):
    steps = [per_formula(reactions, row, T, partial_pressure_Pa={"CO2": pressure}) for row in cycle]
    assert steps[2] == pytest.approx(steps[0] + steps[1], abs=1e-10)


@pytest.fixture(scope="module")
def cycle(reactions):
    """Two steps and the whole."""
    equations = ("BaCO3 -> BaO + CO2", "BaO + TiO2 -> BaTiO3", "TiO2 + BaCO3 -> BaTiO3 + CO2")
    return [find(reactions, equation) for equation in equations]


def test_pressure_enters_per_molecule(reactions):
    row = find(reactions, "BaCO3 -> BaO + CO2")
    T = 1100.0
    low = per_formula(reactions, row, T, partial_pressure_Pa={"CO2": 1.0})
    high = per_formula(reactions, row, T, partial_pressure_Pa={"CO2": 1e5})
    assert high - low == pytest.approx(BOLTZMANN_EV_PER_K * T * np.log(1e5), rel=1e-10)


def test_carbonate_equilibria_of_the_tables(reactions):
    """BaCO3 + BaTiO3 = Ba2TiO4 + CO2 near 1315 K under 1 atm, 922 K under 400 ppm (fits to FREED)."""
    row = find(reactions, "BaTiO3 + BaCO3 -> Ba2TiO4 + CO2")
    grid = np.arange(700.0, 1500.0, 5.0)
    for pressure, expected in ((101325.0, 1315.0), (40.5, 922.0)):
        one = reactions.take(np.array([row]))
        energy = reaction_energy(one, grid, energies="experiment-anchored", partial_pressure_Pa={"CO2": pressure})[:, 0]
        assert np.interp(0.0, -energy, grid) == pytest.approx(expected, abs=20.0)


def test_shapes_and_gaps(reactions):
    assert reaction_energy(reactions, 1000.0).shape == (len(reactions),)
    energy = reaction_energy(reactions, [900.0, 1000.0], energies="materials-project")
    assert energy.shape == (2, len(reactions))
    with_carbonate = reactions.coefficients[:, reactions.phases.index("BaCO3")] != 0
    assert np.isnan(energy[:, with_carbonate]).all()
    assert np.isfinite(energy[:, ~with_carbonate]).all()


def test_refusals(reactions):
    with pytest.raises(DataError, match="BaO is not a gas"):
        reaction_energy(reactions, 1000.0, partial_pressure_Pa={"BaO": 1.0})
    with pytest.raises(DataError, match="above 0 Pa"):
        reaction_energy(reactions, 1000.0, partial_pressure_Pa={"CO2": 0.0})
    with pytest.raises(DataError, match="formulas differ"):
        Reactions(phases=reactions.phases, coefficients=reactions.coefficients).of(list(reactions.phases)[:3])


def test_shown_in_one_line_and_a_short_table(reactions):
    assert repr(reactions) == "Reactions(33954 reactions between 32 phases of Ba-Ti-O)"
    row = find(reactions, "BaO + TiO2 -> BaTiO3")
    assert repr(reactions[row]) == "Reaction(BaO + TiO2 -> BaTiO3)"
    start = time.perf_counter()
    assert len(reactions._repr_html_()) < 5_000
    assert time.perf_counter() - start < 3.0
    table = reactions.take(np.array([row, row + 1])).table(1000.0)
    assert table["equation"].tolist() == ["BaO + TiO2 -> BaTiO3", "BaTiO3 -> BaO + TiO2"]
    assert table["energy_eV_per_atom"].tolist() == pytest.approx([-0.320, 0.320], abs=0.01)  # measured
    assert list(reactions[:2].table().columns) == ["equation"]
