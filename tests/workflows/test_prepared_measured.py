"""Recipes on measured energies, for elements that no shipped system has, and for Ba-Ti-O."""

from importlib.util import find_spec

import pytest

from own_energies import write
from tammann.errors import DataError, RecipeError
from tammann.recipe import Recipe
from tammann.workflows.prepared import phases_for, prepare


def recipe(*precursors, T=1300, **keys):
    return Recipe(
        precursors=[{"phase": phase, "ratio": ratio} for phase, ratio in precursors],
        programme=[{"temperature_K": T, "ramp_K_per_min": 10, "hold_h": 1}],
        energies="measured",
        **{"transport": "none", **keys},
    )


@pytest.mark.parametrize(
    ("precursors", "atmosphere", "expected"),
    [
        ([("SrCO3", 1), ("TiO2", 1)], "air", {"SrTiO3", "Sr2TiO4", "SrO", "CO2", "O2"}),
        ([("Li2CO3", 3), ("Co3O4", 2)], "air", {"LiCoO2", "CoO", "Li2O", "CO2", "O2"}),
        ([("MgO", 1), ("Al2O3", 1)], "inert", {"MgAl2O4"}),
        ([("CaO", 1), ("SiO2", 1)], "CO2", {"CaSiO3", "Ca2SiO4", "CaCO3"}),
    ],
)
def test_recipes_of_any_elements_are_prepared(precursors, atmosphere, expected):
    prepared = prepare(recipe(*precursors, atmosphere=atmosphere))
    assert prepared.energies == "measured"
    assert expected <= {phase.formula for phase in prepared.phases}


def test_a_gas_brings_its_elements_and_nitrogen_none():
    wet = recipe(("MgO", 1), ("Al2O3", 1), atmosphere={"partial_pressure_Pa": {"H2O": 1e4, "N2": 9e4}})
    formulas = {phase.formula for phase in phases_for(wet)}
    assert "Mg(OH)2" in formulas and "AlN" not in formulas


def test_barium_titanate_from_measured_energies_beside_the_shipped_sets():
    measured = prepare(recipe(("BaO", 1), ("TiO2", 1), transport="karan-2026"))
    shipped = prepare(
        recipe(("BaO", 1), ("TiO2", 1), transport="karan-2026").model_copy(update={"energies": "assessed"})
    )
    T = 1300.0
    for formula in ("BaTiO3", "Ba2TiO4", "BaO", "TiO2"):
        ours = measured.phases.gibbs(T, energies="measured")[measured.phases.index(formula)]
        theirs = shipped.phases.gibbs(T, energies="assessed")[shipped.phases.index(formula)]
        assert ours == pytest.approx(theirs, abs=0.02), formula  # as the errors have it


@pytest.mark.skipif(find_spec("rxn_network") is None, reason="Ca3Si2O7 is in FREED only")
@pytest.mark.parametrize("atmosphere", ["air", "inert"])
def test_warnings_are_about_what_occurs(atmosphere):
    """No metal and no lower oxide forms of SrCO3 and TiO2; calcium silicates do, and one of them is estimated."""
    said = " ".join(prepare(recipe(("SrCO3", 1), ("TiO2", 1), T=1400, atmosphere=atmosphere)).warnings)
    assert "Molten" not in said and "Ti4O7" not in said and "Sr2TiO4, SrTiO3" in said
    silicates = prepare(recipe(("CaO", 1), ("SiO2", 1), T=1400, atmosphere=atmosphere))
    assert "volumes of Ca3Si2O7 are estimated" in silicates.warnings
    assert "volumes of Ca3Si2O7 are estimated" not in silicates.phases.warnings  # there with all others
    hot = prepare(recipe(("Li2CO3", 3), ("Co3O4", 2), T=1100, atmosphere=atmosphere))
    assert any(warning.startswith("Molten") and "Li2CO3" in warning for warning in hot.warnings)


LIMESTONE = """
constraints:
  - {equilibrium: CaCO3 = CaO + CO2, kind: equality, temperature_K: 1080, source: made up for this test}
"""


def test_what_changes_the_answer_is_important(tmp_path):
    """Energies that known equilibria move far, and computed ones that nothing measured corrects, in both engines."""
    limestone = (("CaCO3", 1), ("SiO2", 1))
    assert prepare(recipe(*limestone)).important_warnings == ()
    known = write(tmp_path, LIMESTONE, "known.yaml")
    for engine in ("reactive-diffusion", "automaton"):
        moved = prepare(recipe(*limestone, equilibria=str(known), engine=engine))
        assert any("moved by more than two standard errors" in w for w in moved.important_warnings)
    own = write(tmp_path, "formula,formation_energy_eV_per_atom\nCa3Ti2O7,-3.45\n", "own.csv")
    computed = prepare(recipe(("CaO", 3), ("TiO2", 2), computed=str(own)))
    assert any(w.startswith("Ca3Ti2O7: computed, not corrected") for w in computed.important_warnings)


def test_what_nobody_measured_is_refused_in_a_sentence():
    with pytest.raises(RecipeError, match=r"precursors\[0\].phase: phase 'YMnO3' is not in"):
        prepare(recipe(("YMnO3", 1)))
    with pytest.raises((RecipeError, DataError), match="no compound of He"):
        prepare(recipe(("He", 1)))
