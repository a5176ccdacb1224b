"""A user's table beside the library: gross slips are found, honest differences stay."""

import pytest

from own_energies import write
from tammann.errors import DataError
from tammann.recipe import Recipe
from tammann.thermo import load_phases, measured_phases
from tammann.workflows.prepared import prepare

HEADER = "formula,formation_enthalpy_298K_kJ_per_mol,melting_point_K,standard_error_kJ_per_mol\n"
ALUMINA = "Al2O3,-1675.7,2327,2\nMgAl2O4,-2299.1,2408,3\n"


@pytest.mark.parametrize("enthalpy", ["601.6", "-3.1", "-60.16", "-6016"])
def test_slips_of_sign_unit_and_digits_are_left_out_by_name(tmp_path, enthalpy):
    phases = load_phases(write(tmp_path, HEADER + f"MgO,{enthalpy},3105,2\n" + ALUMINA))
    assert "MgO" not in phases and "MgAl2O4" in phases
    assert any(warning.startswith("left out as unusable") and "MgO" in warning for warning in phases.warnings)


def test_other_measurements_and_the_library_itself_stay(tmp_path):
    """An enthalpy 20 kJ/mol off is another measurement, not a slip."""
    phases = load_phases(write(tmp_path, HEADER + "MgO,-581.6,3105,2\n" + ALUMINA))
    assert "MgO" in phases and not phases.left_out
    assert not any("far from what the library" in warning for warning in phases.warnings)


@pytest.mark.parametrize("kelvin", ["20.72", "2852", "1800"])
def test_melting_points_that_are_far_off_are_said(tmp_path, kelvin):
    phases = load_phases(write(tmp_path, HEADER + ALUMINA.replace("2327", kelvin)))
    (said,) = [warning for warning in phases.warnings if "melting point" in warning and "far from" in warning]
    assert said.startswith(f"Al2O3: melting point {float(kelvin):g} K") and "2327 K" in said
    near = load_phases(write(tmp_path, HEADER + ALUMINA.replace("2327", "2200")))
    assert not any("far from" in warning for warning in near.warnings)


def test_melting_points_beside_measured_energies_are_compared_too(tmp_path):
    stated = write(tmp_path, "formula,melting_point_K,source\nMgO,2852,in Celsius\nAl2O3,2320,a book\n", "melting.csv")
    phases = load_phases("measured:Mg-Al-O", melting_points=stated)
    said = [warning for warning in phases.warnings if "far from" in warning]
    assert said == []  # 2852 is within 15 % of 3105
    stated = write(tmp_path, "formula,melting_point_K,source\nMgO,20.72,a slip\n", "melting.csv")
    (said,) = [w for w in load_phases("measured:Mg-Al-O", melting_points=stated).warnings if "far from" in w]
    assert said.startswith("MgO: melting point 20.72 K")


def test_a_computed_energy_far_above_its_competitors_is_refused(tmp_path):
    """Nobody has measured Ca3Ti2O7 beside the library; with the sign lost it lies 6 eV per atom above perovskite."""
    for energy, fits in (("3.45", False), ("-3.40", True)):
        own = write(tmp_path, f"formula,formation_energy_eV_per_atom\nCa3Ti2O7,{energy}\n", "own.csv")
        if fits:
            assert "Ca3Ti2O7" in load_phases("measured:Ca-Ti-O", computed=own)
        else:
            with pytest.raises(DataError, match="Ca3Ti2O7: [+]3.*check sign and unit"):
                load_phases("measured:Ca-Ti-O", computed=own)


def test_computed_energies_without_corrections_stay(tmp_path):
    """GGA binds O2 by some 0.4 eV per atom too much: oxides come out that much too high, which corrections mend."""
    library = measured_phases(["Mg", "O", "Al"])
    high = float(library.gibbs(300.0)[library.index("MgO")]) + 0.35
    table = f"formula,formation_energy_eV_per_atom\nMgO,{high:.3f}\nAl2O3,-3.2\n"
    phases = load_phases(write(tmp_path, table))
    assert {"MgO", "Al2O3"} <= {phase.formula for phase in phases}


@pytest.mark.parametrize("cp_a, fits", [("0.048", False), ("48.0", True), ("480", False)])
def test_heat_capacities_are_those_of_solids(tmp_path, cp_a, fits):
    header = "formula,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol,cp_a\n"
    phases = load_phases(write(tmp_path, header + f"CaO,-635.1,38.2,{cp_a}\nMgO,-601.6,26.9,45\n"))
    assert ("CaO" in phases) == fits
    if not fits:
        assert "are they in J/(K mol), and T in K?" in phases.left_out["CaO"]


def test_a_negative_standard_error_is_reported_with_the_run(tmp_path):
    table = write(tmp_path, HEADER + "MgO,-601.6,3105,-2\n" + ALUMINA)
    recipe = Recipe(
        precursors=[{"phase": "MgO", "ratio": 1}, {"phase": "Al2O3", "ratio": 1}],
        programme=[{"temperature_K": 1500, "hold_h": 1}], energies=str(table), fill=True, transport="none",
    )  # fmt: skip
    said = prepare(recipe).important_warnings
    assert any("standard_error_kJ_per_mol is -2 for MgO, expected 0 or more" in warning for warning in said)
