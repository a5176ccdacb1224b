import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.thermo.gibbs import TEMPERATURES_K, bartel_gibbs, elemental_gibbs_energies, reduced_mass
from tammann.units import GAS_CONSTANT_J_PER_MOL_K, KJ_PER_MOL_IN_EV


def test_reduced_mass_of_two_elements_by_hand():
    # (1 + 2) m M / (m + M) / (1 * 3) for TiO2 is just m M / (m + M).
    assert reduced_mass({"Ti": 1, "O": 2}) == pytest.approx(47.867 * 15.9994 / (47.867 + 15.9994), rel=1e-9)


@pytest.mark.parametrize("formula", ["BaTiO3", "Ba4Ti13O30", "TiO2"])
def test_a_multiple_of_the_formula_changes_nothing(formula):
    one = parse_formula(formula)
    five = {e: 5 * n for e, n in one.items()}
    np.testing.assert_allclose(bartel_gibbs(one, -3.5, 13.0), bartel_gibbs(five, -3.5, 13.0), rtol=0, atol=1e-14)


def test_the_formation_energy_is_added_as_it_is():
    composition = parse_formula("BaTiO3")
    difference = bartel_gibbs(composition, -3.5, 13.0) - bartel_gibbs(composition, -3.4, 13.0)
    np.testing.assert_allclose(difference, -0.1, atol=1e-14)


def test_a_larger_volume_stabilises_in_proportion_to_temperature():
    composition = parse_formula("TiO2")
    gain = bartel_gibbs(composition, -3.49, 17.08) - bartel_gibbs(composition, -3.49, 10.41)
    m = reduced_mass(composition)
    slope = -2.48e-4 * np.log(17.08 / 10.41) - 8.94e-5 * m * (1 / 17.08 - 1 / 10.41)
    np.testing.assert_allclose(gain, slope * TEMPERATURES_K, atol=1e-12)
    assert gain[-1] < 0.0


def test_an_element_is_its_own_reference():
    np.testing.assert_array_equal(bartel_gibbs({"Ti": 1}, 0.0, 17.0), 0.0)


def test_entropy_of_oxygen_from_the_elements_table():
    # -dG/dT of O2 at 1000 K is its entropy, 243.6 J/(mol K) in NIST-JANAF.
    oxygen = elemental_gibbs_energies()["O"]
    i = int(np.flatnonzero(TEMPERATURES_K == 1000.0)[0])
    entropy = -2 * (oxygen[i + 1] - oxygen[i - 1]) / 200.0 / KJ_PER_MOL_IN_EV * 1e3
    assert entropy == pytest.approx(243.6, abs=1.0)
    assert GAS_CONSTANT_J_PER_MOL_K < entropy


def test_agrees_with_measured_rutile_within_the_descriptors_error():
    # Measured enthalpy of formation -944.0 kJ/mol and Gibbs energy -762.3 kJ/mol at 1000 K.
    computed = 3 * bartel_gibbs(parse_formula("TiO2"), -944.0 * KJ_PER_MOL_IN_EV / 3, 10.41, 1000.0)
    assert computed / KJ_PER_MOL_IN_EV == pytest.approx(-762.3, abs=3 * 0.06 / KJ_PER_MOL_IN_EV)


def test_agrees_with_pymatgen():
    computed_entries = pytest.importorskip("pymatgen.entries.computed_entries")
    from pymatgen.core import Lattice, Structure

    cell = Structure(Lattice.cubic(4.08), ["Ba", "Ti", "O", "O", "O"], np.random.default_rng(0).random((5, 3)))
    theirs = computed_entries.GibbsComputedStructureEntry(cell, -3.49, temp=1200).energy / 5
    ours = bartel_gibbs(parse_formula("BaTiO3"), -3.49, cell.volume / 5, 1200.0)
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_what_the_descriptor_cannot_do_is_refused():
    with pytest.raises(DataError, match="element Po"):
        bartel_gibbs({"Po": 1, "O": 2}, -1.0, 15.0)
    with pytest.raises(DataError, match="volume_A3_per_atom"):
        bartel_gibbs({"Ti": 1, "O": 2}, -3.0, 0.0)
