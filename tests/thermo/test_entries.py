import numpy as np

from own_energies import HEADER, write
from tammann.thermo import energy_above_hull, load_phases
from tammann.thermo.csv_table import read_csv
from tammann.thermo.equilibrium import decomposition_temperature


def test_gases_that_a_system_needs_are_added(tmp_path):
    text = HEADER + "SrO,-3.07,17.1,2938,0.03\nSrCO3,-2.55,13.0,1770,0.03\nO2,0,10,50,0\n"
    phases = load_phases(write(tmp_path, text))
    assert [p.formula for p in phases if p.state == "gas"] == ["O2", "CO2"]
    assert any("gases from tables: O2, CO2 (in place of the entries for O2)" in w for w in phases.warnings)


def test_a_measured_melting_point_fills_an_empty_cell(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "BaO,-2.82,21.2,,\nBaTiO3,-3.49,13.0,,\n"))
    assert phases["BaO"].melting_point_K == 2286.0 and phases["BaO"].melting_point_source.startswith("measured")


def test_what_nobody_measured_is_estimated_and_said(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "Sr3Ti5O13,-3.5,,,\n"))
    phases.require_melting_points()
    phase = phases["Sr3Ti5O13"]
    assert 1500.0 < phase.melting_point_K < 3000.0 and 10.0 < phase.volume_A3_per_atom < 15.0
    assert phase.melting_point_source.startswith("estimated") and phase.volume_source.startswith("estimated")
    assert np.isfinite(energy_above_hull(phases, 1000.0)).all()
    said = [w for w in phases.warnings if "of Sr3Ti5O13: estimated" in w]
    assert [w.split(" of ")[0] for w in said] == ["volumes", "melting points"]


def test_measured_enthalpies_need_no_correction_of_their_anions(tmp_path):
    lines = "CaCO3,-1207.6,92\nCaO,-635.1,38\n"
    measured = read_csv(
        write(tmp_path, "formula,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol\n" + lines)
    )
    assert not any("correction" in w for w in measured.warnings)
    assert 1050.0 < decomposition_temperature(measured, "CaCO3") < 1300.0
    computed = read_csv(write(tmp_path, HEADER + "CaCO3,-2.5,12.3,,\nCaO,-3.29,13.9,,\n"))
    assert any("no correction of the anion was applied" in w for w in computed.warnings)


def test_a_volume_of_a_cell_is_refused(tmp_path):
    text = HEADER + "MgO,-3.05,9.4,3105,\nMgAl2O4,-3.35,18.9,2408,\n"
    phases = read_csv(write(tmp_path, text))
    assert "MgAl2O4" not in phases
    assert any("line 3: volume_A3_per_atom is 18.9 for MgAl2O4, 1.9" in w and "cell" in w for w in phases.warnings)
