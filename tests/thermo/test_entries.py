import numpy as np
import pytest

from own_energies import HEADER, write
from tammann.errors import DataError
from tammann.thermo import energy_above_hull, load_phases
from tammann.thermo.csv_table import read_csv


def test_gases_that_a_system_needs_are_added(tmp_path):
    text = HEADER + "SrO,-3.07,17.1,2938,0.03\nSrCO3,-2.55,13.0,1770,0.03\nO2,0,10,50,0\n"
    phases = load_phases(write(tmp_path, text))
    assert [p.formula for p in phases if p.state == "gas"] == ["O2", "CO2"]
    assert any("gases from tables: O2, CO2 (in place of the entries for O2)" in w for w in phases.warnings)


def test_a_measured_melting_point_fills_an_empty_cell(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "BaO,-2.82,21.2,,\nBaTiO3,-3.49,13.0,,\n"))
    assert phases["BaO"].melting_point_K == 2286.0 and phases["BaO"].melting_point_source.startswith("measured")
    unknown = read_csv(write(tmp_path, HEADER + "SrTiO3,-3.5,12.0,,\n"))
    assert np.isnan(unknown["SrTiO3"].melting_point_K) and np.isfinite(energy_above_hull(unknown, 1000.0)).all()
    with pytest.raises(DataError, match=r"SrTiO3 has no melting point.*melting_point_K"):
        unknown.require_melting_points()
