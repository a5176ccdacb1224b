"""Driving force and lead, by hand."""

import numpy as np
import pytest

from tammann.synthesis import precursor_sets
from tammann.synthesis.driving_force import (
    competing_forces,
    driving_force_eV_per_atom,
    lead_error_eV_per_atom,
    lead_eV_per_atom,
    pairs_of,
)
from tammann.synthesis.exchange import OpenSystem
from tammann.synthesis.interface import interface_reactions
from tammann.thermo import load_phases
from tammann.units import BOLTZMANN_EV_PER_K, KJ_PER_MOL_IN_EV


def test_oxides_by_hand(toy):
    """SrO + TiO2: -1.0 eV over 5 atoms; Sr2TiO4 -1.26 eV over 7; the lead is 20 meV/atom, below the rule's 60."""
    one = precursor_sets(toy, "SrTiO3", candidates=["SrO", "TiO2"])[0]
    assert driving_force_eV_per_atom(one) == pytest.approx(0.200)
    system = OpenSystem(toy, one.surroundings)
    forces, phases, _ = competing_forces(system, one, [interface_reactions(system, *pair) for pair in pairs_of(one)])
    assert [toy[int(i)].formula for i in phases] == ["Sr2TiO4"]
    assert lead_eV_per_atom(0.200, forces) == pytest.approx(0.020)


def test_error_of_a_lead_by_hand(toy):
    """0.01 eV per atom: SrO 2/5 - 4/7, TiO2 3/5 - 3/7 of the atoms, SrTiO3 and Sr2TiO4 all of them."""
    one = precursor_sets(toy, "SrTiO3", candidates=["SrO", "TiO2"])[0]
    system = OpenSystem(toy, one.surroundings)
    _, _, amounts = competing_forces(system, one, [interface_reactions(system, *pair) for pair in pairs_of(one)])
    shares = np.array([2 / 5 - 4 / 7, 3 / 5 - 3 / 7, 1.0, 1.0])
    assert lead_error_eV_per_atom(system, one, amounts[0]) == pytest.approx(0.01 * np.sqrt((shares**2).sum()))
    assert lead_error_eV_per_atom(system, one, None) == pytest.approx(one.standard_error_eV_per_target / 5)


def test_carbonate_by_hand(toy):
    """SrCO3 + TiO2 -> SrTiO3 + CO2: -1.0 + 0.5 + kT ln p eV over 8 atoms."""
    one = precursor_sets(toy, "SrTiO3", candidates=["SrCO3", "TiO2"], partial_pressure_Pa={"CO2": 40.0, "O2": 2e4})[0]
    gas = BOLTZMANN_EV_PER_K * 1300.0 * np.log(40.0 / 1e5)
    assert driving_force_eV_per_atom(one) == pytest.approx((0.5 - gas) / 8)
    system = OpenSystem(toy, one.surroundings)
    forces, _, _ = competing_forces(system, one, [interface_reactions(system, *pair) for pair in pairs_of(one)])
    assert forces == pytest.approx([(1.26 - 2 * 0.5 - 2 * gas) / 13])


def test_nothing_else_forms():
    assert lead_eV_per_atom(0.1, np.array([-0.2])) == pytest.approx(0.1)
    assert lead_eV_per_atom(0.1, np.zeros(0)) == pytest.approx(0.1)


def test_errors_that_solids_share_cancel_in_a_driving_force():
    """Spinel from its oxides is known as the reaction was measured, 0.6 kJ per mole of atoms, not as the oxides are."""
    (one,) = precursor_sets(load_phases("measured:Mg-Al-O"), "MgAl2O4", candidates=["MgO", "Al2O3"])
    assert one.standard_error_eV_per_target == pytest.approx(7 * 0.6 * KJ_PER_MOL_IN_EV)
