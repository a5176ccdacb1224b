"""Recipes with energies of a user: what is asked of the file, and gases of the atmosphere that it does not list."""

import gzip

import pytest

from own_energies import HEADER, write
from tammann import Recipe
from tammann.errors import DataError, RecipeError
from tammann.workflows.furnace import prepare

LIME = HEADER + "CaO,-3.2912,13.9,2886,\nCaSO4,-2.4772,12.7,{},\nCaS,-2.4,14,{},\n"


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
    assert any(w.startswith("melting points of Ca3S2O9: estimated") for w in prepared.warnings)
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
