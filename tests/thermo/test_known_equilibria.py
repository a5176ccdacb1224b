from pathlib import Path

import numpy as np
import pytest

from own_energies import write
from tammann.errors import DataError
from tammann.thermo import draw_energies, energy_above_hull, equilibrium, load_phases
from tammann.thermo.equilibrium import decomposition_temperature

OWN = Path(__file__).parents[2] / "examples" / "own-chemistry"
ENSTATITE = OWN / "mg-si-o-equilibria.yaml"
LIMESTONE = """
reference_temperature_K: 1170
constraints:
  - equilibrium: CaCO3 = CaO + CO2
    kind: equality
    temperature_K: 1150
    source: made up for this test
"""


def test_a_file_beside_a_table_does_what_assess_does():
    before, known = load_phases(OWN / "mg-si-o.csv"), load_phases(OWN / "mg-si-o.csv", equilibria=ENSTATITE)
    i = known.index("MgSiO3")
    assert energy_above_hull(before, 1700.0)[i] > 1e-4 and energy_above_hull(known, 1700.0)[i] == 0.0
    assert known.default_energies == "mg-si-o" and list(known.energy_sets) == ["mg-si-o before equilibria", "mg-si-o"]
    assert "MgSiO3" in equilibrium(known, {"MgO": 1, "SiO2": 1}, 1700.0)


def test_draws_keep_what_is_known():
    known = load_phases(OWN / "mg-si-o.csv", equilibria=ENSTATITE)
    for seed in range(5):
        drawn = draw_energies(known, rng=seed)
        assert energy_above_hull(drawn, 1300.0)[drawn.index("MgSiO3")] == 0.0


def test_measured_energies_move_within_their_errors_and_say_so(tmp_path):
    known = load_phases("measured:Ca-C-O", equilibria=write(tmp_path, LIMESTONE, "known.yaml"))
    assert decomposition_temperature(known, "CaCO3") == pytest.approx(1150.0, abs=1.0)
    energies = known.energy_set()
    assert known.default_energies == "measured" and np.abs(energies.shifts_eV_per_atom).max() > 0.0
    assert np.abs(energies.shifts_eV_per_atom / np.maximum(energies.standard_error_eV_per_atom, 1e-9)).max() < 2.0
    (said,) = [w for w in energies.warnings if w.startswith("measured energies moved to satisfy known equilibria")]
    assert "CaCO3 by " in said
    assert not energies.is_computed[known.index("CaO")]
    assert energies.shifts_eV_per_atom[known.is_gas] == pytest.approx(0.0, abs=3e-4)


def test_an_equilibrium_far_from_the_energies_is_said(tmp_path):
    text = LIMESTONE.replace("1150", "1080")
    known = load_phases("measured:Ca-C-O", equilibria=write(tmp_path, text, "known.yaml"))
    assert any("more than two standard errors" in w for w in known.energy_set().warnings)


def test_an_equilibrium_that_the_energies_cannot_mean_is_refused(tmp_path):
    """Limestone that decomposes at 300 K is off by some 1.3 eV per CO2: a slip of the digits, no assessment."""
    file = write(tmp_path, LIMESTONE.replace("1150", "300"), "known.yaml")
    with pytest.raises(
        DataError, match=r"'known.yaml' would move .* meV/atom, \d+ standard errors.*CaCO3 = CaO [+] CO2"
    ):
        load_phases("measured:Ca-C-O", equilibria=file)


@pytest.mark.parametrize("equation", ["CO2 = CO2", "CaO + CO2 = CO2 + CaO", "2 CaO + CO2 = CaO + CO2 + CaO"])
def test_an_equilibrium_of_a_phase_with_itself_is_refused(tmp_path, equation):
    file = write(tmp_path, LIMESTONE.replace("CaCO3 = CaO + CO2", equation), "known.yaml")
    with pytest.raises(DataError, match=r"constraints\[0\].equilibrium is '.*', the same on both sides"):
        load_phases("measured:Ca-C-O", equilibria=file)


def test_a_phase_that_is_not_there_is_named_with_its_file(tmp_path):
    file = write(tmp_path, LIMESTONE.replace("CaCO3 = CaO + CO2", "SrCO3 = SrO + CO2"), "known.yaml")
    with pytest.raises(DataError, match=r"equilibria file 'known.yaml': phase 'SrCO3' is not in"):
        load_phases("measured:Ca-C-O", equilibria=file)


def test_the_shipped_system_has_its_own():
    with pytest.raises(DataError, match="cannot go with Ba-Ti-O, which ships with its own"):
        load_phases("Ba-Ti-O", equilibria=ENSTATITE)
