"""The table of published measurements: its rows against calorimetry, the other collections, and its own balance."""

import numpy as np
import pytest

from tammann.composition import atomic_masses, composition_key, conventional_formula, parse_formula
from tammann.systems import read_rows
from tammann.thermo.freed import _text, freed_solids
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.janaf import janaf_solids
from tammann.thermo.literature import gibbs_of_formation, literature_solids

ROWS = read_rows("measured/literature.csv")


def coefficients(row):
    return [float(row[f"cp_{letter}"] or 0.0) for letter in "abcde"]


def test_a_constant_heat_capacity_integrates_by_hand():
    T, Cp, S = 1000.0, 50.0, 30.0
    curve = gibbs_of_formation({"Ti": 1}, 0.0, S, [Cp, 0, 0, 0, 0])
    rutile = gibbs_of_formation({"Ti": 1}, 0.0, 0.0, [0.0] * 5)  # minus the element alone
    by_hand = 1e-3 * (Cp * (T - 298.15) - T * (S + Cp * np.log(T / 298.15)))
    at = list(TEMPERATURES_K).index(T)
    assert curve[at] - rutile[at] == pytest.approx(by_hand, abs=1e-9)


def test_beyond_its_fit_a_heat_capacity_stays():
    through = gibbs_of_formation({"Ti": 1}, 0.0, 30.0, [50.0, 0, 0, 0, 0])
    ended = gibbs_of_formation({"Ti": 1}, 0.0, 30.0, [50.0, 0, 0, 0, 0], 600.0)
    assert np.allclose(through, ended, atol=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['formula']}" for n, row in enumerate(ROWS)])
def test_every_row_is_a_crystal_with_a_source(row):
    composition = parse_formula(row["formula"])
    n, T = sum(composition.values()), 298.15
    a, b, c, d, e = coefficients(row)
    heat_capacity = (a + b * T + c / T**2 + d / T**0.5 + e * T**2) / n
    assert 14.0 < heat_capacity < 26.0, "J/(K mol) of atoms: below Dulong and Petit, above that of carbonates"
    end = float(row["cp_to_K"])
    assert (a + b * end + c / end**2 + d / end**0.5 + e * end**2) / n < 38.0
    assert 10.0 < float(row["entropy_J_per_K_per_mol"]) / n < 50.0
    assert len(row["source"]) > 20 and any(year in row["source"] for year in ("19", "20"))
    assert row["formula"] == conventional_formula(composition) or "(CO3)" in row["formula"]
    assert composition_key(composition) not in janaf_solids(composition), "NIST-JANAF has it"


@pytest.mark.skipif(not _text(), reason="the package reaction-network, which carries FREED, is not installed")
def test_rows_agree_with_freed():
    solids, _ = freed_solids(atomic_masses())
    known = literature_solids(atomic_masses())
    shared = [key for key in known if key in solids]
    assert len(shared) > 30
    for key in shared:
        ours, theirs = known[key], solids[key]
        difference = ours.gibbs_kJ_per_mol[:8] / ours.n_atoms - theirs.gibbs_kJ_per_mol[:8] / theirs.n_atoms
        assert np.abs(difference).max() < 2.5, (ours.formula, difference)
