"""Gases of the atmosphere: those that act, those that are inert, and those the data cannot speak of."""

import pytest

from tammann.errors import RecipeError
from tammann.kinetics import rate_table
from tammann.reactions import enumerate_reactions
from tammann.recipe import Recipe
from tammann.thermo import load_phases

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"


@pytest.fixture(scope="module")
def reactions():
    return enumerate_reactions(load_phases("Ba-Ti-O"))


def rates(reactions, atmosphere, precursors=("BaO", "TiO2"), **more):
    recipe = Recipe(
        precursors=[{"phase": phase, "ratio": 1} for phase in precursors],
        programme=[{"temperature_K": 1500, "hold_h": 1}],
        atmosphere=atmosphere if isinstance(atmosphere, str) else {"partial_pressure_Pa": atmosphere},
        **more,
    )
    return rate_table(reactions, None, recipe)


@pytest.mark.parametrize("gas", ["H2", "XeF2", "NH3", "Cl2"])
def test_a_gas_that_no_phase_can_exchange_is_refused(reactions, gas):
    with pytest.raises(
        RecipeError, match=rf"no phase of Ba-Ti-O can take up or give off {gas}; leave it out"
    ) as caught:
        rates(reactions, {gas: 1e5})
    assert "O2" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("gas", ["Ar", "N2", "He"])
def test_an_inert_gas_is_said_once(reactions, gas):
    table = rates(reactions, {gas: 1e5})
    assert [w for w in table.warnings if gas in w] == [f"The {gas} of the atmosphere is inert and takes no part."]
    assert table.important_warnings == ()
    assert table.equations == rates(reactions, "inert").equations


@pytest.fixture
def spinel(tmp_path):
    path = tmp_path / "spinel.csv"
    path.write_text(HEADER + "MgO,-3.05,9.4,3100,0.02\nAl2O3,-3.42,8.7,2345,0.02\nMgAl2O4,-3.38,9.5,2408,0.02\n")
    return path


def test_what_an_atmosphere_with_a_name_lacks_comes_first(spinel):
    reactions = enumerate_reactions(load_phases(spinel))
    table = rates(reactions, "air", ("MgO", "Al2O3"), energies=str(spinel))
    (said,) = table.important_warnings
    assert said.startswith("The CO2 of air takes no part") and table.warnings[0] == said
    assert table.metadata["atmosphere_Pa"] == {"O2": pytest.approx(21228, rel=1e-3)}


def test_an_atmosphere_of_which_nothing_acts_is_refused(spinel):
    reactions = enumerate_reactions(load_phases(spinel))
    with pytest.raises(RecipeError, match=r"^atmosphere: CO2: no phase of Al-Mg-O .* CO2; write inert"):
        rates(reactions, "CO2", ("MgO", "Al2O3"), energies=str(spinel))


def test_a_solid_is_no_gas(reactions):
    with pytest.raises(RecipeError, match=r"partial_pressure_Pa: TiO2 is a solid of Ba-Ti-O"):
        rates(reactions, {"TiO2": 1e5})
