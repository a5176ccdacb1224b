"""The library of measured energies against equilibria with known answers."""

import math

import numpy as np
import pytest

from tammann.thermo import measured_phases
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.units import KJ_PER_MOL_IN_EV


def reaction_kJ(phases, coefficients, T):
    """Gibbs energy of a reaction, kJ/mol, and its standard error; coefficients by formula."""
    gibbs, errors = phases.gibbs(T), phases.energy_set().standard_error_eV_per_atom
    moles = {phases.index(f): n for f, n in coefficients.items()}
    balance = sum(n * phases.composition_matrix[i] for i, n in moles.items())
    assert not np.abs(balance).max() > 1e-12, "the reaction does not balance"
    per_formula = {i: n * phases[i].n_atoms / KJ_PER_MOL_IN_EV for i, n in moles.items()}
    total = sum(n * gibbs[..., i] for i, n in per_formula.items())
    return total, math.sqrt(sum((n * errors[i]) ** 2 for i, n in per_formula.items()))


DECOMPOSITIONS = [  # temperature at which the gas reaches 1 bar, measured
    ("CaCO3", {"CaO": 1, "CO2": 1}, 1161, "Ca-C-O", "Smyth and Adams 1923; Baker 1962"),
    ("MgCO3", {"MgO": 1, "CO2": 1}, 673, "Mg-C-O", "Harker and Tuttle 1955"),
    ("SrCO3", {"SrO": 1, "CO2": 1}, 1465, "Sr-C-O", "between 1423 and 1508 K, Rhodes et al. 2015"),
    ("BaCO3", {"BaO": 1, "CO2": 1}, 1705, "Ba-C-O", "Lander 1951"),
    ("Ca(OH)2", {"CaO": 1, "H2O": 1}, 785, "Ca-H-O", "Halstead and Moore 1957"),
    ("Mg(OH)2", {"MgO": 1, "H2O": 1}, 540, "Mg-H-O", "Barnes and Ernst 1963"),
    ("CuO", {"Cu2O": 0.5, "O2": 0.25}, 1395, "Cu-O", "Smyth and Roberts 1920"),
    ("Co3O4", {"CoO": 3, "O2": 0.5}, 1240, "Co-O", "Oku and Sato 1992; O'Neill 1985"),
    ("Mn2O3", {"Mn3O4": 2 / 3, "O2": 1 / 6}, 1250, "Mn-O", "Hahn and Muan 1960"),
    ("Ag2O", {"Ag": 2, "O2": 0.5}, 463, "Ag-O", "Otto 1966"),
]


@pytest.mark.parametrize(("solid", "products", "measured_K", "system", "source"), DECOMPOSITIONS)
def test_solids_decompose_at_one_bar_where_they_were_seen_to(solid, products, measured_K, system, source):
    phases = measured_phases(system.split("-"))
    coefficients = {solid: -1.0, **products}
    energies, error = reaction_kJ(phases, coefficients, TEMPERATURES_K)
    assert np.all(np.diff(energies[:12]) < 0.0), "gas is given off: its entropy drives the reaction"
    computed = float(np.interp(0.0, -energies, TEMPERATURES_K))
    slope = (energies[-1] - energies[0]) / (TEMPERATURES_K[-1] - TEMPERATURES_K[0])
    assert abs(computed - measured_K) < max(2.0 * error / abs(slope), 15.0), (computed, error / abs(slope), source)
