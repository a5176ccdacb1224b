"""Recipes with energies of a user: what is asked of the file, and gases of the atmosphere that it does not list."""

import gzip
import re

import pytest

from own_energies import HEADER, write
from tammann import Recipe
from tammann.errors import DataError, RecipeError
from tammann.workflows.furnace import plain_equilibrium, prepare

LIME = HEADER + "CaO,-3.2912,13.9,2886,\nCaSO4,-2.4772,12.7,{},\nCaS,-2.4,23.1,{},\n"


def recipe(energies, phase="CaSO4", **atmosphere):
    return Recipe(
        energies=str(energies),
        transport="none",
        precursors=[{"phase": "CaO", "ratio": 1}, {"phase": phase, "ratio": 1}],
        programme=[{"temperature_K": 1400, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": atmosphere} if atmosphere else "inert",
    )


def test_a_run_needs_no_melting_points_and_says_which_it_estimated(tmp_path):
    unknown = write(tmp_path, LIME.format("", "") + "Ca3S2O9,-2.7,,,\n")
    prepared = prepare(recipe(unknown))
    assert 2000.0 < prepared.phases["CaS"].melting_point_K < 3500.0
    assert any(re.match("melting points of .*Ca3S2O9: estimated", w) for w in prepared.warnings)
    known = tmp_path / "known.csv.gz"
    known.write_bytes(gzip.compress(LIME.format(1733, 2798).encode()))
    assert [p.formula for p in prepare(recipe(known)).phases] == ["CaO", "CaSO4", "CaS", "O2", "SO2"]


def test_a_gas_of_the_atmosphere_enters_from_the_tables(tmp_path):
    energies = write(tmp_path, LIME.format(1733, 2798))
    prepared = prepare(recipe(energies, SO2=1e-3, O2=1.0))
    assert prepared.phases["SO2"].state == "gas" and "SO2" in prepared.diffusion.system.gases
    with pytest.raises(DataError, match="XeF2 is not a gas that Ca-O-S knows"):
        prepare(recipe(energies, XeF2=1.0))


def test_a_phase_that_was_left_out_is_refused_with_the_reason(tmp_path):
    energies = write(tmp_path, LIME.format(1733, 2798) + "CaO2,-2.2,158,1000,\n")
    with pytest.raises(RecipeError, match=r"precursors\[1\].phase: phase 'CaO2' was left out.*line 5: volume"):
        prepare(recipe(energies, phase="CaO2"))
    assert "CaO2" not in prepare(recipe(energies)).phases


def test_computed_energies_fill_measured_ones(tmp_path):
    """A compound that nobody measured comes from a table beside the recipe, and the run says so."""
    table = "formula,formation_energy_eV_per_atom,volume_A3_per_atom\nMgO,-3.05,9.3\nAl2O3,-3.40,8.5\n"
    table += "MgTiO3,-3.30,10.2\nTiO2,-3.30,10.4\nMg2TiO4,-3.25,10.1\nMgAl8O13,-3.40,8.7\n"
    (tmp_path / "computed.csv").write_text(table)
    (tmp_path / "one.yaml").write_text(
        "precursors: [{phase: MgO, ratio: 1}, {phase: Al2O3, ratio: 4}]\nenergies: measured\ncomputed: computed.csv\n"
        "transport: none\nprogramme: [{temperature_K: 1500, hold_h: 1}]\n"
    )
    prepared = prepare(Recipe.from_file(tmp_path / "one.yaml"))
    assert "MgAl8O13" in prepared.solids and "MgAl2O4" in prepared.solids
    assert any("MgAl8O13" in note for note in prepared.warnings)


def test_equilibria_and_filling_are_keys_of_a_recipe(tmp_path):
    """Competitors that the user's table lacks come from measurements; a stated equilibrium then decides."""
    (tmp_path / "mine.csv").write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom\nMgO,-3.1176,9.34\nSiO2,-3.1463,12.56\n"
        "MgSiO3,-3.19,10.40\n"
    )
    (tmp_path / "known.yaml").write_text(
        "reference_temperature_K: 1600\nconstraints:\n  - on_hull: [MgSiO3]\n    temperature_K: [1400, 1700]\n"
        "    source: Bowen and Andersen 1914\n    margin_eV_per_atom: 0.001\n"
    )
    text = (
        "precursors: [{phase: MgO, ratio: 1}, {phase: SiO2, ratio: 1}]\nenergies: mine.csv\ntransport: none\n"
        "programme: [{temperature_K: 1700, hold_h: 4}]\n"
    )
    (tmp_path / "bare.yaml").write_text(text)
    (tmp_path / "full.yaml").write_text(text + "fill: true\nequilibria: known.yaml\n")
    bare, full = (prepare(Recipe.from_file(tmp_path / name)) for name in ("bare.yaml", "full.yaml"))
    assert "Mg2SiO4" not in bare.solids and "Mg2SiO4" in full.solids
    at_end = plain_equilibrium(full).query("temperature_K > 1699")
    assert at_end.set_index("phase").mole_fraction["MgSiO3"] > 0.99
