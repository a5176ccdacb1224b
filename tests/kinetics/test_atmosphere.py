"""Gases that come with the atmosphere, and that the solids give off, over tables that name none of them.

Enthalpies of formation are those of the CRC Handbook at 298 K, kJ/mol; volumes come from densities.
"""

from pathlib import Path

import numpy as np
import pytest

from tammann.errors import DataError, RecipeError
from tammann.kinetics import rate_table, with_atmosphere
from tammann.reactions import enumerate_reactions
from tammann.recipe import Recipe
from tammann.thermo import load_phases
from tammann.units import KJ_PER_MOL_IN_EV
from tammann.workflows.furnace import plain_equilibrium, prepare

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
SOLIDS = {
    "Fe2O3": (-824.2, 5, 10.1, 1838), "Fe3O4": (-1118.4, 7, 10.6, 1870), "FeO": (-272.0, 2, 10.0, 1650),
    "Fe": (0.0, 1, 11.8, 1811), "ZnSO4": (-982.8, 6, 12.6, 953), "ZnO": (-350.5, 2, 11.9, 2247),
    "ZnS": (-206.0, 2, 19.8, 2100), "ZnCl2": (-415.1, 3, 25.9, 556), "Zn": (0.0, 1, 15.2, 693),
    "MgO": (-601.6, 2, 9.4, 3100), "Al2O3": (-1675.7, 5, 8.5, 2345), "MgAl2O4": (-2299.0, 7, 9.4, 2408),
}  # fmt: skip
IRON = ("Fe2O3", "Fe3O4", "FeO", "Fe")


@pytest.fixture
def recipe_of(tmp_path):
    def recipe(solids, precursor, atmosphere, top=1300.0):
        path = tmp_path / "mine.csv"
        rows = [(f, kJ * KJ_PER_MOL_IN_EV / n, v, m) for f, (kJ, n, v, m) in SOLIDS.items() if f in solids]
        path.write_text(HEADER + "".join(f"{f},{e},{v},{m},0.01\n" for f, e, v, m in rows))
        return Recipe(
            engine="automaton",
            precursors=[{"phase": phase, "ratio": 1} for phase in precursor],
            programme=[{"temperature_K": top, "hold_h": 1}],
            energies=str(path),
            atmosphere=atmosphere if isinstance(atmosphere, str) else {"partial_pressure_Pa": atmosphere},
        )

    return recipe


def gases(prepared):
    return {phase.formula for phase in prepared.phases if phase.state == "gas"}


@pytest.mark.parametrize("atmosphere", ["inert", "air", "CO2", "vacuum"])
def test_the_shipped_system_keeps_its_phases(atmosphere):
    phases = load_phases("Ba-Ti-O")
    recipe = Recipe(
        engine="automaton",
        precursors=[{"phase": "BaCO3", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1750, "hold_h": 1}],
        atmosphere=atmosphere,
    )
    assert with_atmosphere(phases, recipe) is phases


def test_the_library_gives_the_same_rates_as_the_command(recipe_of):
    recipe = recipe_of(IRON, ["Fe2O3"], {"H2": 1e5})
    phases = with_atmosphere(load_phases(recipe.energies), recipe)
    rates, prepared = rate_table(enumerate_reactions(phases), None, recipe), prepare(recipe)
    assert rates.equations == prepared.rates.equations
    np.testing.assert_array_equal(rates.score, prepared.rates.score)


def test_a_sulfate_gives_off_sulfur_dioxide(recipe_of):
    """ZnSO4 -> ZnO + SO2 + O2/2: 335.5 kJ/mol and 284 J/(K mol), so 785 K where both gases leave against 1 Pa.

    The error of the descriptor that gives solids their thermal part, some 50 meV per atom, is 70 K.
    """
    prepared = prepare(recipe_of(("ZnSO4", "ZnO"), ["ZnSO4"], "inert"))
    assert gases(prepared) == {"O2", "SO2"}
    assert "2 ZnSO4 -> 2 ZnO + O2 + 2 SO2" in prepared.rates.equations
    balance = plain_equilibrium(prepared)
    assert balance[balance.phase == "ZnO"].temperature_K.min() == pytest.approx(785, abs=100)


def test_a_sulfide_is_roasted(recipe_of):
    prepared = prepare(recipe_of(("ZnS", "ZnSO4", "ZnO"), ["ZnS"], "air"))
    assert "2 ZnS + 3 O2 -> 2 ZnO + 2 SO2" in prepared.rates.equations


def test_steam_hydrolyses_a_chloride(recipe_of):
    """ZnCl2 + H2O -> ZnO + 2 HCl."""
    prepared = prepare(recipe_of(("ZnCl2", "ZnO"), ["ZnCl2"], {"H2O": 1e3}, top=600.0))
    assert {"H2O", "HCl"} <= gases(prepared) and "ZnCl2 + H2O -> ZnO + 2 HCl" in prepared.rates.equations


def test_the_carbon_dioxide_of_air_still_takes_no_part(recipe_of):
    prepared = prepare(recipe_of(IRON, ["Fe3O4", "FeO"], "air"))
    assert gases(prepared) == {"O2"}
    assert prepared.rates.important_warnings[0].startswith("The CO2 of air takes no part")


def test_carbon_dioxide_alone_oxidizes(recipe_of):
    prepared = prepare(recipe_of(IRON, ["FeO"], "CO2"))
    assert "3 FeO + CO2 -> Fe3O4 + CO" in prepared.rates.equations


@pytest.mark.parametrize("gas", ["H2", "CO2"])
def test_a_gas_that_no_reaction_contains_is_refused(recipe_of, gas):
    with pytest.raises(RecipeError, match=f"no phase of Al-Mg-O can take up or give off {gas}"):
        prepare(recipe_of(("MgO", "Al2O3", "MgAl2O4"), ["MgO", "Al2O3"], {gas: 1e5}))


def test_carbon_monoxide_reduces_as_far_as_it_deposits_no_carbon(recipe_of):
    """2 CO -> C + CO2 of NIST-JANAF: 56.8 kJ at 1300 K, 520 Pa of CO2 over 1 bar; FeO is reduced above some 980 K."""
    prepared = prepare(recipe_of(IRON, ["Fe2O3"], {"CO": 1e5}))
    assert (
        "FeO + CO -> Fe + CO2" in prepared.rates.equations or "Fe2O3 + 3 CO -> 2 Fe + 3 CO2" in prepared.rates.equations
    )
    (said,) = prepared.rates.important_warnings
    assert "CO -> CO2 + C" in said and "against 5.2e+02 Pa at 1300 K" in said
    balance = plain_equilibrium(prepared)
    assert balance[balance.phase == "Fe"].temperature_K.min() == pytest.approx(980, abs=80)


def test_a_stated_gas_that_does_nothing_is_named():
    mixture = [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}]
    recipe = Recipe(
        engine="automaton",
        precursors=mixture,
        programme=[{"temperature_K": 1300, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": {"CO2": 1e-90}},
    )
    assert prepare(recipe).rates.important_warnings == (
        "The CO2 of the atmosphere takes part in no reaction that opens here.",
    )


def test_melting_points_are_asked_of_what_takes_part_alone(recipe_of, monkeypatch):
    monkeypatch.setattr("tammann.thermo.entries.find_melting_point", lambda *_: (float("nan"), ""))
    recipe = recipe_of(("ZnO", "ZnSO4", "Al2O3"), ["ZnSO4"], "inert")
    table = Path(recipe.energies)
    table.write_text(table.read_text().replace(",2345,", ",,"))
    assert prepare(recipe).rates.equations
    table.write_text(table.read_text().replace(",2247,", ",,"))
    with pytest.raises(DataError, match="^ZnO has no melting point, which"):
        prepare(recipe)


def test_gases_that_burn_are_refused(recipe_of):
    with pytest.raises(RecipeError, match=r"H2 and O2 cannot be held at 1300 K, where H2 \+ O2 -> H2O"):
        prepare(recipe_of(IRON, ["Fe2O3"], {"H2": 5e4, "O2": 5e4}))


def test_a_vapour_is_refused_above_its_saturation(recipe_of):
    """Zinc has 100 Pa at 750 K and 1 kPa at 852 K (CRC Handbook)."""
    solids = ("ZnO", "Zn", "Al2O3")
    with pytest.raises(RecipeError, match=r"Zn\(g\) cannot be held at 800 K, where Zn\(g\) -> Zn"):
        prepare(recipe_of(solids, ["ZnO"], {"Zn(g)": 1e3}, top=800.0))
    said = prepare(recipe_of(solids, ["ZnO"], {"Zn(g)": 100.0}, top=800.0)).rates.important_warnings
    assert any("deposit a solid up to 7" in warning and "Zn(g) -> Zn" in warning for warning in said)


@pytest.mark.parametrize("mixture", [{"H2": 5e4, "CO2": 1e3}, {"CO": 2e4, "CO2": 2e4}, {"CO": 9e4}])
def test_gases_that_react_with_each_other_beside_transport_data(mixture):
    recipe = Recipe(
        engine="automaton",
        precursors=[{"phase": "BaCO3", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": mixture},
    )
    rates = prepare(recipe).rates
    assert {"BaCO3 + TiO2 -> BaTiO3 + CO2", "TiO2 + BaCO3 -> BaTiO3 + CO2"} & set(rates.equations)
    assert rates.important_warnings[0].startswith(
        ("The gases of the atmosphere would react with each other", "The gases of the atmosphere would deposit a solid")
    )


def test_a_gas_alone_opens_nothing_in_the_null():
    recipe = Recipe(
        engine="automaton",
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1400, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": {"HCl": 100}},
    )
    prepared = prepare(recipe)
    assert not any("HCl" in e for e in rate_table(prepared.reactions, prepared.transport, recipe, null=True).equations)


def test_all_gases_of_one_equilibrium_cannot_be_stated():
    recipe = Recipe(
        engine="automaton",
        precursors=[{"phase": "BaO", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": {"H2": 1e3, "H2O": 1e3, "CO2": 1e4, "CO": 1e3}},
    )
    with pytest.raises(DataError, match="depend on one another: leave one of them out"):
        prepare(recipe)


@pytest.mark.parametrize("carbon", [False, True])
def test_water_gas_over_iron_oxide_does_not_hang_on_a_row_of_carbon(recipe_of, carbon):
    """K of H2 + CO2 = CO + H2O is 0.70 at 1000 K: 13 kPa each of 5 kPa and 50 kPa; carbon is far from depositing."""
    recipe = recipe_of(IRON, ["Fe2O3"], {"H2": 5e3, "CO2": 5e4}, top=1000.0)
    if carbon:
        with open(recipe.energies, "a", encoding="utf-8") as table:
            table.write("C,0.0,5.7,3900,0.001\n")
    prepared = prepare(recipe)
    assert "H2O" in prepared.rates.important_warnings[0] and "1.3e+04 Pa" in prepared.rates.important_warnings[0]
    balance = plain_equilibrium(prepared)
    assert set(balance[balance.temperature_K == 1000.0].phase) == {"Fe3O4"}


def test_ammonia_beside_nitrogen_is_held(recipe_of):
    prepared = prepare(recipe_of(("ZnO", "Zn"), ["ZnO"], {"NH3": 1e3, "Ar": 9e4}, top=700.0))
    assert "NH3" in prepared.rates.metadata["atmosphere_Pa"]


def test_an_atom_is_not_its_molecule(recipe_of):
    with pytest.raises(DataError, match="H is another molecule than the H2 of the tables"):
        prepare(recipe_of(IRON, ["Fe2O3"], {"H": 100.0}))


def test_carbon_monoxide_leaves_a_contact_rich_in_carbon(recipe_of):
    recipe = recipe_of(IRON, ["Fe2O3"], "inert", top=1200.0)
    with open(recipe.energies, "a", encoding="utf-8") as table:
        table.write("C,0.0,5.7,3900,0.001\n")
    mixed = recipe.with_options(precursors=[{"phase": "Fe2O3", "ratio": 1}, {"phase": "C", "ratio": 1}])
    assert {"CO", "CO2"} <= {phase.formula for phase in prepare(mixed).phases}
