"""Series of the FREED database: what is told from a solid, and what is refused. Made-up series need no package."""

import math

import numpy as np
import pytest

from tammann.composition import composition_key, parse_formula
from tammann.thermo.freed import _Series, _text, examined, freed_solids
from tammann.thermo.gibbs import TEMPERATURES_K, elemental_gibbs_energies
from tammann.thermo.janaf import janaf_solids
from tammann.units import KJ_PER_MOL_IN_EV

T = TEMPERATURES_K
carried = pytest.mark.skipif(not _text(), reason="the package reaction-network, which carries FREED, is not installed")


def series(formula="TiO2", *, entropy=15.0, added=None):
    """A crystal of constant heat capacity, 27 J/(K mol) of atoms, with an entropy per mole of atoms at 300 K."""
    composition = parse_formula(formula)
    n = sum(composition.values())
    own = -600.0 - 1e-3 * n * (entropy * (T - 300.0) + 27.0 * (T * np.log(T / 300.0) - (T - 300.0)))
    own += 0.0 if added is None else n * added
    energies = elemental_gibbs_energies()
    elements = sum(count * energies[e] for e, count in composition.items()) / KJ_PER_MOL_IN_EV
    return _Series(formula, composition, own - elements)


def test_a_smooth_series_is_taken_as_it_is():
    given = series()
    solid = examined(given, math.nan)
    assert np.allclose(solid.gibbs_kJ_per_mol, given.gibbs_kJ_per_mol, atol=1e-9)
    assert solid.standard_error_kJ_per_mol == 9.0 and "extrapolated" not in solid.source


def test_beyond_its_melting_point_the_solid_continues():
    melted = np.where(T > 1450.0, -1e-3 * 12.0 * (T - 1450.0), 0.0)  # entropy of melting, J/(K mol) of atoms
    given = series(added=melted)
    for melting_point in (1450.0, math.nan):  # told, or found from the jump
        solid = examined(given, melting_point)
        assert "extrapolated above 1400 K" in solid.source
        assert np.allclose(solid.gibbs_kJ_per_mol, series().gibbs_kJ_per_mol, atol=0.05)


def test_a_transition_between_crystals_is_kept():
    transition = np.where(T > 500.0, -1e-3 * 7.0 * (T - 500.0), 0.0)
    given = series(added=transition)
    assert np.allclose(examined(given, 2100.0).gibbs_kJ_per_mol, given.gibbs_kJ_per_mol, atol=1e-9)
    assert "extrapolated above 500 K" in examined(given, math.nan).source  # it may have melted


def test_another_state_of_matter_ends_the_solid():
    gas = np.where(T > 1850.0, 200.0, 0.0)
    assert "extrapolated above 1800 K" in examined(series(added=gas), math.nan).source


def test_slips_are_refused_in_a_sentence():
    slip = np.where(T > 750.0, 1e-3 * 10.0 * (T - 750.0), 0.0)  # the entropy falls: no substance does that
    assert "falls by" in examined(series(added=slip), math.nan)
    assert "too small" in examined(series("NaAlSiO4", entropy=1.0), math.nan)


def test_a_molecule_is_no_solid():
    assert examined(series("AlO", entropy=110.0), math.nan) is None
    assert examined(series("GeCl4", entropy=72.0), math.nan) is None


@carried
def test_most_series_agree_with_the_tables_of_janaf():
    solids, refused = freed_solids(elemental_gibbs_energies())
    janaf = janaf_solids(elemental_gibbs_energies())
    differences = np.array(
        [
            solid.gibbs_kJ_per_mol[2] / solid.n_atoms - janaf[key].gibbs_kJ_per_mol[2] / janaf[key].n_atoms
            for key, solid in solids.items()
            if key in janaf
        ]
    )
    assert len(differences) > 250
    assert np.median(np.abs(differences)) < 0.5
    assert np.mean(np.abs(differences) < 3.0) > 0.85
    assert {"NaAlSiO4", "Ca3B2O6", "Li2B4O7", "BaFe2O4"} <= set(refused)
    assert composition_key("SrTiO3") in solids
