import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from own_energies import HEADER, write
from tammann.errors import DataError
from tammann.thermo import equilibrium, load_phases


@pytest.fixture(scope="module")
def phases():
    return load_phases("Ba-Ti-O")


@given(
    st.dictionaries(
        st.sampled_from(["BaO", "TiO2", "BaTiO3", "BaCO3", "Ba2TiO4"]), st.floats(1e-3, 1e3), min_size=1, max_size=4
    ),
    st.floats(300.0, 2000.0),
)
@settings(max_examples=40, deadline=None)
def test_equilibrium_conserves_elements_and_obeys_the_phase_rule(amounts, T):
    phases = load_phases("Ba-Ti-O")
    made = equilibrium(phases, amounts, T)
    before = sum(n * phases.composition_matrix[phases.index(f)] for f, n in amounts.items())
    after = sum(n * phases.composition_matrix[phases.index(f)] for f, n in made.items())
    np.testing.assert_allclose(after, before, atol=1e-6 * max(amounts.values()))
    assert 1 <= len(made) <= 4


def test_equilibrium_scales_with_the_amounts(phases):
    one = equilibrium(phases, {"BaO": 1.0, "TiO2": 2.5}, 1300.0)
    many = equilibrium(phases, {"BaO": 1e6, "TiO2": 2.5e6}, 1300.0)
    assert {f: pytest.approx(1e6 * n) for f, n in one.items()} == many


def test_known_equilibria(phases):
    assert set(equilibrium(phases, {"BaO": 1, "TiO2": 1}, 1300.0)) == {"BaTiO3"}
    assert set(equilibrium(phases, {"BaO": 3, "TiO2": 1}, 1300.0)) == {"BaO", "Ba2TiO4"}
    assert set(equilibrium(phases, {"BaO": 1, "TiO2": 2}, 1400.0)) == {"BaTi2O5"}
    assert set(equilibrium(phases, {"BaO": 1, "TiO2": 2}, 1550.0)) == {"BaTiO3", "Ba6Ti17O40"}
    cold = equilibrium(phases, {"BaTiO3": 1, "CO2": 1}, 500.0)
    assert "BaCO3" in cold and "BaTiO3" not in cold


def test_carbonate_gives_off_its_gas_into_a_closed_furnace_only_when_hot(phases):
    assert equilibrium(phases, {"BaCO3": 1.0}, 1000.0) == {"BaCO3": pytest.approx(1.0)}
    assert equilibrium(phases, {"BaCO3": 1.0}, 1900.0) == {"BaO": pytest.approx(1.0), "CO2": pytest.approx(1.0)}


def test_a_reservoir_is_not_listed(phases):
    assert set(equilibrium(phases, {"BaCO3": 1, "TiO2": 1}, 1300.0, partial_pressure_Pa={"CO2": 40.5})) == {"BaTiO3"}


def test_candidates_limit_what_forms(phases):
    made = equilibrium(phases, {"BaO": 1, "TiO2": 2}, 1400.0, candidates=["BaTiO3", "TiO2"])
    assert made == {"BaTiO3": pytest.approx(1.0), "TiO2": pytest.approx(1.0)}
    with pytest.raises(DataError, match="holds the elements"):
        equilibrium(phases, {"BaO": 1, "TiO2": 2}, 1400.0, candidates=["BaTiO3"])


@pytest.mark.parametrize("amount", [-1.0, float("nan"), "two"])
def test_amounts_that_are_none_are_refused(phases, amount):
    with pytest.raises(DataError, match="amount of BaO"):
        equilibrium(phases, {"BaO": amount}, 1000.0)
    with pytest.raises(DataError, match="all zero"):
        equilibrium(phases, {"BaO": 0.0}, 1000.0)


def test_a_gas_that_would_deposit_without_end_is_refused(tmp_path):
    table = write(tmp_path, HEADER + "NaCl,-2.13,22.4,1074,\nNa2O,-1.44,15.7,1405,\nNaCl(g),,,,\n")
    phases = load_phases(table)
    held = {"NaCl(g)": 1.0}  # rock salt has this vapour pressure near 800 K
    assert "NaCl" not in equilibrium(phases, {"NaCl": 1, "Na2O": 1}, 1300.0, partial_pressure_Pa=held)
    with pytest.raises(DataError, match="cannot be held: the gases would .* deposit"):
        equilibrium(phases, {"NaCl": 1, "Na2O": 1}, 400.0, partial_pressure_Pa=held)
