import numpy as np
import pytest

from own_energies import computed, dump, write
from tammann.errors import DataError
from tammann.thermo import load_phases
from tammann.thermo.fill import filled, with_computed
from tammann.thermo.measured import measured_phases
from tammann.units import KJ_PER_MOL_IN_EV

SPINEL = "formula,formation_enthalpy_298K_kJ_per_mol\nMgAl2O4,-2250.0\nMg3Al2O6,-3480.0\n"


def entries(tmp_path, shift=0.1, ternary=True):
    """Computed energies that are all off by as much per atom of oxygen, references and a compound nobody measured."""
    library = measured_phases(["Mg", "Al", "O"])
    rows = [computed("Mg", 0.0), computed("Al", 0.0), computed("O2", 0.0)]
    enthalpy = {"MgO": -601.6, "Al2O3": -1675.7, "MgAl2O4": -2299.1} | ({"Mg3Al2O6": -3500.0} if ternary else {})
    for formula, kilojoules in enthalpy.items():
        n = sum(library[formula].composition.values()) if formula in library else 11
        oxygen = {"MgO": 1, "Al2O3": 3, "MgAl2O4": 4, "Mg3Al2O6": 6}[formula]
        rows.append(computed(formula, kilojoules / 96.485 / n + shift * oxygen / n, volume_A3_per_atom=9.4))
    return dump(tmp_path, rows)


def test_the_users_own_measurement_counts_and_competitors_are_listed(tmp_path):
    joint = filled(load_phases(write(tmp_path, SPINEL)))
    assert {"MgO", "Al2O3", "MgAl2O4", "Mg3Al2O6", "O2"} <= {phase.formula for phase in joint}
    library = measured_phases(["Mg", "Al", "O"])
    less_negative = 49.1 * KJ_PER_MOL_IN_EV / 7  # than the measured enthalpy, -2299.1 kJ/mol
    difference = joint.gibbs(1000.0)[joint.index("MgAl2O4")] - library.gibbs(1000.0)[library.index("MgAl2O4")]
    assert difference == pytest.approx(less_negative, abs=0.01)
    (said,) = [w for w in joint.warnings if w.startswith("added from the library of measured energies: ")]
    assert "MgO" in said and "Al2O3" in said and "MgAl2O4" not in said
    assert joint.default_energies == "mine" and joint.system == "Al-Mg-O"


def test_filling_changes_no_energy_of_the_library(tmp_path):
    library = measured_phases(["Mg", "Al", "O"])
    joint = load_phases(entries(tmp_path), fill=True)
    for phase in library:
        there = joint.gibbs([500.0, 1700.0])[:, joint.index(phase.formula)]
        np.testing.assert_array_equal(there, library.gibbs([500.0, 1700.0])[:, library.index(phase.formula)])
    assert any("measured energies in place of the computed ones: MgO, Al2O3, MgAl2O4" in w for w in joint.warnings)


@pytest.mark.parametrize("shift", [-0.2, 0.0, 0.3])
def test_a_shift_of_all_computed_energies_does_not_matter(tmp_path, shift):
    usual, moved = (load_phases(entries(tmp_path, s), fill=True) for s in (0.0, shift))
    i = usual.index("Mg3Al2O6")
    assert moved.gibbs(1000.0)[i] == pytest.approx(usual.gibbs(1000.0)[i], abs=2e-3)
    assert "measured" in moved.energy_set().source[i]


def test_computed_energies_beside_measured_ones_are_the_same_system(tmp_path):
    file = entries(tmp_path)
    one = load_phases("measured:Mg-Al-O", computed=file)
    other = load_phases(file, fill=True)
    assert one.default_energies == "measured" and {p.formula for p in one} == {p.formula for p in other}
    i, j = one.index("Mg3Al2O6"), other.index("Mg3Al2O6")
    assert one.gibbs(1000.0)[i] == pytest.approx(other.gibbs(1000.0)[j], abs=1e-12)
    assert bool(one.energy_set().is_computed[i]) and not one.energy_set().is_computed[one.index("MgO")]


def test_computed_energies_of_other_elements_are_refused(tmp_path):
    file = entries(tmp_path)
    with pytest.raises(DataError, match=r"computed energies 'entries' have no compound of .*: they are of Al, Mg, O"):
        load_phases("measured:Ti-N", computed=file)
    with pytest.raises(DataError, match=r"computed .* goes with measured: .*set fill"):
        load_phases(file, computed=file)
    with pytest.raises(DataError, match=r"fill cannot go with Ba-Ti-O, which ships with its competitors"):
        load_phases("Ba-Ti-O", fill=True)


def test_only_phases_of_the_elements_are_taken(tmp_path):
    file = entries(tmp_path)
    joint = with_computed(measured_phases(["Mg", "O"]), load_phases(file))
    assert "MgO" in joint and "Al2O3" not in joint
