"""The convex hull between two end members."""

import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.plot import plot_hull
from tammann.plot.hull import end_members, hull_line
from tammann.thermo import EnergySet, Phase, Phases


def few_phases(energies, *, system="Ba-Ti-O", gases=(), errors=None):
    """Phases of the given Gibbs energies, eV per atom, at all temperatures."""
    phases = tuple(
        Phase(name, parse_formula(name), state="gas" if name in gases else "solid", melting_point_K=2000.0)
        for name in energies
    )
    n = len(phases)
    known = EnergySet(
        name="by hand",
        description="",
        temperature_K=np.array([300.0, 2000.0]),
        gibbs_eV_per_atom=np.tile(list(energies.values()), (2, 1)),
        standard_error_eV_per_atom=np.zeros(n) if errors is None else np.array(errors),
        source=("",) * n,
        is_computed=np.zeros(n, dtype=bool),
        shifts_eV_per_atom=np.zeros(n),
        entropy_shifts_eV_per_K_per_atom=np.zeros(n),
    )
    elements = tuple(sorted({element for phase in phases for element in phase.composition}))
    return Phases(system, elements, phases, {"by hand": known}, "by hand")


def test_hull_line_by_hand():
    phases = few_phases({"BaO": -3.0, "TiO2": -3.5, "BaTiO3": -3.6, "Ba2TiO4": -3.3, "Ti": 0.0, "BaTi2O5": -3.55})
    line = hull_line(phases, 1000.0)
    assert line["phase"].tolist() == ["BaO", "Ba2TiO4", "BaTiO3", "BaTi2O5", "TiO2"]
    np.testing.assert_allclose(line["x"], [0, 1 / 3, 1 / 2, 2 / 3, 1])
    np.testing.assert_allclose(line["z"], [0, 3 / 7, 3 / 5, 6 / 8, 1])
    # BaTiO3: -3.6 - (2 * -3.0 + 3 * -3.5)/5 = -0.3
    np.testing.assert_allclose(line["energy_eV_per_atom"][2], -0.3)
    # Ba2TiO4 at -0.0857 against -0.214 on the line from BaO to BaTiO3; BaTi2O5 at -0.175 against -0.1875.
    assert line["stable"].tolist() == [True, False, True, False, True]
    ax = plot_hull(phases, [1000.0, 1200.0])
    assert ax.get_xlim() == (0, 1)
    assert "eV/atom" in ax.get_ylabel()
    with pytest.raises(DataError, match="'SrO' is not among the phases"):
        hull_line(phases, 1000.0, between=("SrO", "TiO2"))


def test_errors_are_those_of_the_phase_and_both_ends():
    phases = few_phases({"BaO": -3.0, "TiO2": -3.5, "BaTiO3": -3.6}, errors=[0.03, 0.01, 0.04])
    line = hull_line(phases, 1000.0)
    # z = 3/5: 0.04² + (0.4 * 0.03)² + (0.6 * 0.01)²
    np.testing.assert_allclose(line["standard_error_eV_per_atom"], [0.0, np.sqrt(1.78e-3), 0.0])
    ax = plot_hull(phases, 1000.0)
    (bars,) = ax.collections
    low, high = np.array(bars.get_segments())[1, :, 1]
    assert (low, high) == pytest.approx((-0.3 - 0.04219, -0.3 + 0.04219), abs=1e-5)
    assert [text.get_text() for text in ax.texts][-1] == "energies: by hand"


def test_ends_are_found_where_the_compositions_lie_on_a_line():
    names = ["SrTiO3", "TiO2", "Sr3Ti2O7", "SrO"]
    solids = few_phases(dict.fromkeys(names, -3.0), system="mine")
    assert end_members(solids) == ("TiO2", "SrO")
    with_gas = few_phases(dict.fromkeys([*names, "O2"], -3.0), system="mine", gases=["O2"])
    assert end_members(with_gas) == ("TiO2", "SrO")
    binary = few_phases({"MnO": -2.0, "Mn2O3": -2.1, "O2": 0.0, "Mn": 0.0}, system="oxides", gases=["O2"])
    assert end_members(binary) == ("O2", "Mn")
    with pytest.raises(DataError, match=r"--between: the compositions of mine do not lie on one line"):
        end_members(few_phases(dict.fromkeys([*names, "Ti2O3"], -3.0), system="mine"))
    with pytest.raises(DataError, match=r"between: expected two phases, got SrO twice"):
        hull_line(solids, 1000.0, between=("SrO", "SrO"))
