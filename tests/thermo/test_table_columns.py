"""Every spelling of one compound gives the same phases, and every slip one sentence."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from own_energies import write
from tammann.errors import DataError
from tammann.thermo.csv_table import read_csv
from tammann.thermo.gibbs import TEMPERATURES_K, bartel_gibbs
from tammann.thermo.literature import gibbs_of_formation
from tammann.thermo.table_columns import ENERGY_UNITS, einstein_gibbs, gibbs_curve, read_header
from tammann.units import KJ_PER_MOL_IN_EV

ATOMS = 7  # MgAl2O4
ENERGY = -2299.1 * KJ_PER_MOL_IN_EV / ATOMS
VALUES = {
    "eV_per_atom": ENERGY, "eV_per_formula": ENERGY * ATOMS, "kJ_per_mol": -2299.1,
    "kJ_per_mol_of_atoms": -2299.1 / ATOMS,
}  # fmt: skip
MASS = 24.305 + 2 * 26.981538 + 4 * 15.9994
CELL = 9.43 * ATOMS
VOLUMES = {
    "volume_A3_per_atom": 9.43, "volume_A3_per_formula": CELL, "volume_cm3_per_mol": CELL * 0.602214076,
    "density_g_per_cm3": MASS / (CELL * 0.602214076),
}  # fmt: skip
SPINEL = (("Mg", 1), ("Al", 2), ("O", 4))


def read(tmp_path, text):
    return read_csv(write(tmp_path, text))


@pytest.mark.parametrize("quantity", ["formation_energy", "formation_enthalpy_298K"])
@pytest.mark.parametrize("unit", ENERGY_UNITS)
@pytest.mark.parametrize("volume", VOLUMES)
def test_units_of_one_compound_agree(tmp_path, quantity, unit, volume):
    text = f"formula,{quantity}_{unit},{volume},standard_error_{unit}\nMgAl2O4,{VALUES[unit]!r},{VOLUMES[volume]!r},"
    phases = read(tmp_path, text + f"{VALUES[unit] * -0.01!r}")
    energies, i = phases.energy_set(), phases.index("MgAl2O4")
    assert energies.gibbs_eV_per_atom[:, i] == pytest.approx(bartel_gibbs(dict(SPINEL), ENERGY, 9.43), abs=1e-6)
    assert energies.standard_error_eV_per_atom[i] == pytest.approx(-0.01 * ENERGY, rel=1e-9)
    assert phases[i].volume_A3_per_atom == pytest.approx(9.43, rel=1e-5 if volume.startswith("density") else 1e-9)
    assert bool(energies.is_computed[i]) is (quantity == "formation_energy")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_multiples_of_a_formula_are_the_same_compound(tmp_path, times):
    formula = f"Mg{times}Al{2 * times}O{4 * times}"
    header = "formula,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol,cp_a,volume_cm3_per_mol\n"
    line = f"{formula},{-2299.1 * times},{80.6 * times},{150.0 * times},{39.75 * times}"
    phases = read(tmp_path, header + line)
    expected = gibbs_of_formation(dict(SPINEL), -2299.1, 80.6, (150.0, 0, 0, 0, 0)) * KJ_PER_MOL_IN_EV / ATOMS
    assert phases.energy_set().gibbs_eV_per_atom[:, 0] == pytest.approx(expected, abs=1e-9)
    assert phases[0].volume_A3_per_atom == pytest.approx(39.75 / 0.602214076 / ATOMS, rel=1e-9)


@pytest.mark.parametrize("unit", ENERGY_UNITS)
def test_columns_of_temperatures_are_a_curve(tmp_path, unit):
    scale = VALUES[unit] / ENERGY
    curve = bartel_gibbs(dict(SPINEL), ENERGY, 9.43)
    header = ",".join(["formula", *(f"gibbs_{unit}_at_{T:g}K" for T in TEMPERATURES_K)])
    phases = read(tmp_path, header + "\nMgAl2O4," + ",".join(repr(float(g * scale)) for g in curve))
    assert phases.energy_set().gibbs_eV_per_atom[:, 0] == pytest.approx(curve, abs=1e-9)
    assert phases.energy_set().source[0] == "stated by the user"


def test_a_curve_is_extended_and_says_so(tmp_path):
    text = "formula,gibbs_kJ_per_mol_at_500K,gibbs_kJ_per_mol_at_1000K\nMgO,-548,-493\n"
    phases = read(tmp_path, text)
    slope = 55 / 500 * KJ_PER_MOL_IN_EV / 2
    assert np.diff(phases.energy_set().gibbs_eV_per_atom[:, 0]) == pytest.approx(100 * slope, rel=1e-9)
    assert phases.energy_set().source[0] == "stated by the user, extended from 500 K down and 1000 K"


def test_entropy_alone_stands_for_the_heat_capacity(tmp_path):
    """MgO, CaO, Al2O3 and SiO2 at 1000 K from 298 K enthalpy and entropy alone; NIST-JANAF, kJ/mol."""
    text = "formula,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol\n"
    lines = "MgO,-601.2,26.9\nCaO,-635.1,38.2\nAl2O3,-1675.7,50.9\nSrO,-592.0,\n"
    phases = read(tmp_path, text + lines)
    for formula, measured in (("MgO", -492.95), ("CaO", -530.6), ("Al2O3", -1361.4)):
        i = phases.index(formula)
        atoms = phases[i].n_atoms
        assert phases.gibbs(1000.0)[i] * atoms / KJ_PER_MOL_IN_EV == pytest.approx(measured, abs=1.5 * atoms)
    assert "Einstein solid" in phases.energy_set().source[0] and "Bartel" in phases.energy_set().source[3]


@pytest.mark.parametrize("entropy", [2.0, 13.5, 20.0, 45.0])
def test_an_einstein_solid_has_its_heat_capacity(entropy):
    """-T d2G/dT2 is the heat capacity: it rises to 3 R, and to less the stiffer the solid."""
    added = einstein_gibbs(entropy)
    capacity = -TEMPERATURES_K[1:-1] * np.diff(added, 2) / 100.0**2
    assert (np.diff(capacity) > -0.02).all() and (capacity < 3 * 8.3145 + 0.05).all()
    assert capacity[-1] > 0.85 * 3 * 8.3145
    assert added[0] == pytest.approx(0.0, abs=0.5)


def test_enthalpy_and_entropy_give_what_is_measured(tmp_path):
    """Periclase from Holland and Powell's numbers (1998) is -492.95 kJ/mol at 1000 K (NIST-JANAF)."""
    text = "formula,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol,cp_a,cp_b,cp_c,cp_d\n"
    phases = read(tmp_path, text + "MgO,-601.65,26.9,60.5,3.62e-3,-5.358e5,-299.2\n")
    assert phases.gibbs(1000.0)[0] * 2 / KJ_PER_MOL_IN_EV == pytest.approx(-492.95, abs=1.5)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "formula,formation_energy_kcal_per_mol",
            "unknown unit 'kcal_per_mol' of formation_energy: expected eV",
        ),
        (
            "formula,formation_energy_eV_per_atom,formation_energy_kJ_per_mol",
            "the same quantity in two units",
        ),
        ("formula,volume_A3_per_atom,density_g_per_cm3,formation_energy_eV_per_atom", "keep one of them"),
        ("formula,gibbs_kJ_per_mol_at_1000K", "G at one temperature only"),
        ("formula,gibbs_kJ_per_mol_at_1000K,gibbs_eV_per_atom_at_1000K", "both at 1000 K: keep one"),
        ("formula,gibbs_kJ_per_mol_at_5000K,gibbs_kJ_per_mol_at_1000K", "for 5000 K, expected 290 to 3000 K"),
        ("formula,gibbs_GJ_at_500K,gibbs_GJ_at_1000K", "unknown unit 'GJ' of gibbs"),
        ("formula,volume_A3_per_atom", "lacks the column formation_energy_eV_per_atom"),
        ("formula,formation_enthalpy_kJ_per_mol", "is formation_enthalpy_298K_kJ_per_mol meant"),
        ("formula,volume_per_atom,formation_energy_eV_per_atom", "is volume_A3_per_atom meant"),
        ("formula,source,source,formation_energy_eV_per_atom", "column source twice"),
    ],
)
def test_a_slip_in_the_header_is_one_sentence(header, message):
    with pytest.raises(DataError, match=message) as caught:
        read_header(header.split(","), "mine.csv")
    assert "\n" not in str(caught.value) and "'mine.csv'" in str(caught.value)


GIBBS = "gibbs_kJ_per_mol_at_300K,gibbs_kJ_per_mol_at_600K"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("formation_energy_eV_per_atom,formation_enthalpy_298K_kJ_per_mol\nMgO,-3.05,-601", "MgO has two energies"),
        ("formation_energy_eV_per_atom," + GIBBS + "\nMgO,-3,-569,-536", "two energies"),
        (GIBBS + "\nMgO,-569,-5.36", "entropy that no formation of a solid has"),
        (GIBBS + "\nMgO,-569000,-569000", "enthalpy of formation is -2949 eV per atom for MgO"),
        (GIBBS + "\nMgO,-569,", "G is given at 1 temperature, expected two"),
        ("formation_energy_eV_per_atom\nMgO,-601.6", "eV per atom; is it in kJ/mol or per formula"),
        ("formation_enthalpy_298K_kJ_per_mol,cp_a\nMgO,-601.6,50", "without entropy_298K_J_per_K_per_mol: give both"),
        ("formation_energy_eV_per_atom,entropy_298K_J_per_K_per_mol\nMgO,-3.1,27", "without formation_enthalpy_298K"),
        ("formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol\nMgO,-601.6,0.027", "is it in J/"),
        ("formation_energy_eV_per_atom,density_g_per_cm3\nMgO,-3.05,3580", "volume_A3_per_atom is"),
        ("formation_energy_eV_per_atom,density_g_per_cm3\nMgO,-3.05,0", "volume_A3_per_atom is 0"),
        ("formation_energy_eV_per_atom,volume_A3_per_formula\nMgO,-3.05,74.7", "is it that of a cell"),
    ],
)  # fmt: skip
def test_a_slip_in_a_line_is_one_sentence(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, f"formula,{text}\n")
    assert "\n" not in str(caught.value)


def test_a_slip_of_a_digit_is_found_in_a_curve():
    T = np.arange(300.0, 1501.0, 200.0)
    good = dict(zip(T, -2.95 + 5.6e-4 * (T - 300.0), strict=True))
    gibbs_curve(good, "line 2")
    with pytest.raises(DataError, match=r"line 2: G is not smooth near [79]00 K"):
        gibbs_curve(good | {900.0: good[900.0] + 0.05}, "line 2")


def test_apparent_energies_are_not_taken_for_those_of_formation():
    """Relative to the elements at 298 K, G falls with T; of formation it rises."""
    with pytest.raises(DataError, match="from the elements at the same temperature"):
        gibbs_curve({300.0: -3.16, 1000.0: -3.5}, "line 2")


ALL = (
    "formula,formation_energy_eV_per_atom,formation_enthalpy_298K_kJ_per_mol,entropy_298K_J_per_K_per_mol,cp_a,cp_b,cp_c,"
    "cp_d,cp_e,density_g_per_cm3,melting_point_K,standard_error_kJ_per_mol\n"
)
CURVE = "formula,gibbs_kJ_per_mol_at_300K,gibbs_kJ_per_mol_at_700K,gibbs_kJ_per_mol_at_1100K,volume_cm3_per_mol\n"
odd = ["", "0", "-1e300", "1e-300", "nan", "-600", "30", "1e9", "x"]
cells = st.one_of(st.sampled_from(odd), st.floats().map(repr))


@given(st.sampled_from([ALL, CURVE]), st.lists(cells, min_size=12, max_size=12))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_numbers_are_read_or_refused_in_a_sentence(tmp_path, header, values):
    width = header.count(",")
    try:
        phases = read(tmp_path, header + "MgO," + ",".join(values[:width]))
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert np.abs(phases.energy_set().gibbs_eV_per_atom).max() < 20.0
