"""Corrections of anions, and what is said where there is none: the decomposition of calcite, measured at 1160 K."""

import math

import pytest

from own_energies import HEADER, computed, dump, write
from tammann.thermo import load_phases
from tammann.thermo.anions import anion_of
from tammann.thermo.equilibrium import decomposition_temperature

CALCITE = "CaO,-3.29119,13.9,2886,\nCaCO3,{},12.26,1612,\n"


@pytest.mark.parametrize(
    ("formation", "expected_K"),  # experiment; the Materials Project without and with a correction of carbonates
    [(-2.50174, 1220.0), (-2.69090, 1890.0), (-2.52490, 1300.0)],
)
def test_the_decomposition_that_energies_imply_is_said(tmp_path, formation, expected_K):
    phases = load_phases(write(tmp_path, HEADER + CALCITE.format(formation)))
    T = decomposition_temperature(phases, "CaCO3")
    assert T == pytest.approx(expected_K, abs=10.0)
    said = next(w for w in phases.warnings if "carbonate" in w)
    assert "no correction" in said and f"CaCO3 decomposes at {T:.0f} K" in said


def calcium(adjusted):
    """CaCO3 with the formation energy of the Materials Project, -2.691 eV per atom, with or without its corrections."""
    from pymatgen.entries.computed_entries import CompositionEnergyAdjustment

    entries = [computed(f, 0.0, volume_A3_per_atom=20.0) for f in ("Ca", "C", "O2")]
    entries += [
        computed("CaO", -3.29119, volume_A3_per_atom=13.9), computed("CaCO3", -2.69090, volume_A3_per_atom=12.26)
    ]  # fmt: skip
    for entry in entries:
        entry.parameters["run_type"] = "GGA"
    if adjusted:
        correction = CompositionEnergyAdjustment(-0.687, 3, name="MP2020 anion correction (oxide)")
        entries[-1] = computed("CaCO3", -2.69090 + 0.687 * 3 / 5, volume_A3_per_atom=12.26)
        entries[-1].parameters["run_type"] = "GGA"
        entries[-1].energy_adjustments.append(correction)
    return entries


def test_corrected_entries_get_the_correction_of_carbonates(tmp_path):
    phases = load_phases(dump(tmp_path, calcium(adjusted=True)))
    assert decomposition_temperature(phases, "CaCO3") == pytest.approx(1300.0, abs=10.0)
    assert any("0.83 eV per CO3 was added" in w and "decomposes at 129" in w for w in phases.warnings)
    without = load_phases(dump(tmp_path, calcium(adjusted=False), "raw.json"))
    assert decomposition_temperature(without, "CaCO3") == pytest.approx(1890.0, abs=10.0)
    assert any("no correction" in w for w in without.warnings)


@pytest.mark.parametrize(
    ("kind", "compositions"),
    [
        ("carbonate", [{"Ca": 1, "C": 1, "O": 3}, {"Mg": 3, "Ca": 1, "C": 4, "O": 12},
                       {"Na": 1, "H": 1, "C": 1, "O": 3}]),
        ("nitrate", [{"Na": 1, "N": 1, "O": 3}, {"Ba": 1, "N": 2, "O": 6}]),
        ("sulfate", [{"Ca": 1, "S": 1, "O": 4}, {"Ca": 1, "S": 1, "O": 6, "H": 4}]),
        ("peroxide", [{"Na": 2, "O": 2}, {"Ba": 1, "O": 2}]),
        ("superoxide", [{"K": 1, "O": 2}]),
        (None, [{"Ti": 1, "O": 2}, {"Li": 2, "O": 1}, {"Ca": 1, "C": 2, "O": 4}, {"Ca": 1, "C": 2}, {"C": 1, "O": 2},
                {"Na": 2, "S": 1}, {"Li": 1, "Fe": 1, "O": 2}, {"N": 2, "H": 4, "O": 3}, {"Ti": 1}]),
    ],
)  # fmt: skip
def test_anions_by_composition(kind, compositions):
    assert {anion_of(c) for c in compositions} == {kind}


def test_no_decomposition_is_none():
    phases = load_phases("Ba-Ti-O")
    assert math.isnan(decomposition_temperature(phases, "BaTiO3"))
    assert decomposition_temperature(phases, "BaO2") == pytest.approx(1070.0, abs=40.0)  # measured near 1070 K
