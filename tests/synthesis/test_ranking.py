"""Criteria side by side."""

import time
from importlib.util import find_spec

import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.synthesis import CRITERIA, precursor_sets, rank_precursors
from tammann.synthesis.ranking import pareto_rank
from tammann.thermo import load_phases, measured_phases
from tammann.transport import load_transport

EXPERIMENT = {"energies": "experiment-anchored"}


@pytest.fixture(scope="module")
def barium():
    return load_phases("Ba-Ti-O")


def test_by_hand(toy):
    """SrO + TiO2: 200 meV/atom, Sr2TiO4 180 at 3/7 beside the target at 3/5: see the tests of each criterion."""
    table = rank_precursors(toy, precursor_sets(toy, "SrTiO3", candidates=["SrO", "TiO2"]))
    row = table.iloc[0]
    assert row["driving_force_meV_per_atom"] == pytest.approx(200.0)
    assert row["lead_meV_per_atom"] == pytest.approx(20.0)
    assert row["primary_competition_meV_per_atom"] == pytest.approx(-20.0)
    # the line from (0, 0) to the target is at 200 (3/7) / (3/5) there
    assert row["secondary_competition_meV_per_atom"] == pytest.approx(180.0 - 200.0 * 5 / 7)
    # from Sr2TiO4 to (1, 0)
    assert row["inverse_hull_energy_meV_per_atom"] == pytest.approx(200.0 - 180.0 * (2 / 5) / (4 / 7))
    assert row["competing_phases"] == 1 and row["strongest_competitor"] == "Sr2TiO4"
    # 0.01 eV per atom on 2, 3 and 5 atoms
    assert row["driving_force_error_meV_per_atom"] == pytest.approx(10 * np.sqrt(4 + 9 + 25) / 5)
    assert not row["thermodynamic_control"] and np.isnan(row["K_D_m2_per_s"]) and np.isnan(row["nucleation_barrier_eV"])


def test_order_of_candidates_and_multiples_change_nothing(barium):
    lists = (["BaO", "BaCO3", "TiO2"], ["Ti2O4", "Ba2C2O6", "Ba3O3"])
    tables = [rank_precursors(barium, precursor_sets(barium, "BaTiO3", candidates=c)) for c in lists]
    for name in CRITERIA:
        np.testing.assert_allclose(tables[0][name], tables[1][name], atol=1e-9)


def test_the_carbonate_is_the_gentler_way_to_barium_titanate(barium):
    """A smaller driving force leaves less for Ba2TiO4 and the like to gain; in air the oxide is carbonate by then."""
    three = {"candidates": ["BaO", "BaCO3", "TiO2"], "temperature_K": 1100}
    in_air = precursor_sets(barium, "BaTiO3", **three)
    assert {one.reacts_as for one in in_air} == {("BaCO3", "TiO2")}
    sets = precursor_sets(barium, "BaTiO3", atmosphere="oxygen", **three)
    table = rank_precursors(barium, sets).set_index("precursors")
    oxide, carbonate = table.loc["BaO + TiO2"], table.loc["BaCO3 + TiO2"]
    assert carbonate["driving_force_meV_per_atom"] < oxide["driving_force_meV_per_atom"]
    assert carbonate["secondary_competition_meV_per_atom"] < oxide["secondary_competition_meV_per_atom"]
    assert carbonate["pareto_rank"] == 1


@pytest.mark.skipif(find_spec("rxn_network") is None, reason="Na2TiO3 is in FREED only")
@pytest.mark.parametrize("T", [873.0, 1073.0])
def test_the_metathesis_that_mcdermott_et_al_found(T):
    """BaCl2 + Na2TiO3, which made BaTiO3 faster and purer than BaCO3 + TiO2, is ahead in all that selects."""
    phases = measured_phases(["Ba", "Ti", "O", "C", "Na", "Cl"])
    candidates = ["BaO", "BaCO3", "TiO2", "BaCl2", "Na2TiO3"]
    sets = precursor_sets(phases, "BaTiO3", candidates=candidates, temperature_K=T)
    table = rank_precursors(phases, sets).set_index("precursors")
    found = table.loc["BaCl2 + Na2TiO3"]
    for usual in ("BaCO3 + TiO2", "BaO + TiO2"):
        assert found["lead_meV_per_atom"] > table.loc[usual, "lead_meV_per_atom"]
        assert found["primary_competition_meV_per_atom"] < table.loc[usual, "primary_competition_meV_per_atom"]
        assert found["secondary_competition_meV_per_atom"] <= table.loc[usual, "secondary_competition_meV_per_atom"]
    assert found["thermodynamic_control"] and found["by_product"] == "NaCl" and found["pareto_rank"] == 1


def test_errors_of_energies_are_below_the_differences_that_are_claimed(barium):
    three = {"candidates": ["BaO", "BaCO3", "TiO2"], "temperature_K": 1100, "atmosphere": "oxygen"}
    sets = precursor_sets(barium, "BaTiO3", **three, **EXPERIMENT)
    table = rank_precursors(barium, sets, **EXPERIMENT)
    assert table["driving_force_error_meV_per_atom"].between(1, 15).all()
    assert np.ptp(table["driving_force_meV_per_atom"]) > 5 * table["driving_force_error_meV_per_atom"].max()


def test_three_precursors_have_a_lead_over_pairs_and_no_competition():
    from made_up import system

    phases = system("A-B-C", {"LiNbTiO5": -3.0, "Li2O": 0.0, "Nb2O5": 0.0, "TiO2": 0.0, "LiNbO3": -1.0, "O2": 0.0})
    sets = precursor_sets(phases, "LiNbTiO5", candidates=["Li2O", "Nb2O5", "TiO2"])
    row = rank_precursors(phases, sets).iloc[0]
    # LiNbTiO5 of 8 atoms: 1.5 + 3.5 + 3; LiNbO3 of 5
    assert row["driving_force_meV_per_atom"] == pytest.approx(3000 / 8)
    assert row["lead_meV_per_atom"] == pytest.approx(3000 / 8 - 1000 / 5) and row["thermodynamic_control"]
    assert np.isnan(row["primary_competition_meV_per_atom"])


@pytest.mark.slow  # pymatgen compiles for ten seconds
def test_transport_and_structures_where_there_are_any(barium):
    sets = precursor_sets(barium, "BaTiO3", candidates=["BaO", "BaCO3", "TiO2"], temperature_K=1500)
    a = 4.0
    target = Configuration(
        ("Ba", "Ti", "O", "O", "O"),
        a * np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]), a * np.eye(3),
    )  # fmt: skip
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    sites = 5.54 * np.concatenate([corners, corners + [0.5, 0, 0]])
    oxide = Configuration(("Ba",) * 4 + ("O",) * 4, sites, 5.54 * np.eye(3))
    table = rank_precursors(
        barium, sets, transport=load_transport("karan-2026"), structures={"BaTiO3": target, "BaO": oxide}
    ).set_index("precursors")
    assert (table["K_D_m2_per_s"] > 0).all()
    assert table.loc["BaO + TiO2", "nucleation_barrier_eV"] > 0
    assert np.isnan(table.loc["BaCO3 + TiO2", "nucleation_barrier_eV"])


def test_pareto_ranks():
    values = np.array([[3.0, 1.0], [1.0, 3.0], [2.0, 0.5], [0.5, 0.5], [3.0, np.nan]])
    assert pareto_rank(values).tolist() == [1, 1, 2, 3, 1]
    assert pareto_rank(np.full((3, 2), np.nan)).tolist() == [1, 1, 1]


def test_what_cannot_be_ranked(barium, toy):
    with pytest.raises(DataError, match="sets of precursors of one target"):
        rank_precursors(barium, [])


LIBRARY = ("SrTiO3", "LiCoO2", "MgAl2O4", "CaTiO3", "ZnFe2O4", "CaSiO3", "Na2WO4", "BaZrO3", "CaAl2Si2O8", "Li2SiO3")


@pytest.mark.parametrize("target", LIBRARY)
def test_what_holds_for_every_target(target):
    """Identities between the criteria, and balances, over the whole list of precursors."""
    elements = {*parse_formula(target), *"O C H N F Cl Br I Li Na K".split()}
    phases = measured_phases(sorted(elements))
    if target not in phases:
        pytest.skip("its energy is in a package that is not installed")
    sets = precursor_sets(phases, target, temperature_K=1100)
    for one in sets:
        change: dict[str, int] = {}
        for sign, side in ((-1, one.reaction.reactants), (1, one.reaction.products)):
            for formula, n in side:
                for element, count in parse_formula(formula).items():
                    change[element] = change.get(element, 0) + sign * n * count
        assert not any(change.values()), one
    table = rank_precursors(phases, sets)
    force, lead = table["driving_force_meV_per_atom"], table["lead_meV_per_atom"]
    assert (force > 0).all() and (lead <= force + 1e-9).all()
    pairs = table[table["primary_competition_meV_per_atom"].notna()]
    C1, inverse = pairs["primary_competition_meV_per_atom"], pairs["inverse_hull_energy_meV_per_atom"]
    assert (C1 >= -pairs["lead_meV_per_atom"] - 1e-9).all()  # all competing phases are in competing reactions
    assert (inverse >= -C1 - 1e-9).all()  # the hull is nowhere below its lowest corner
    assert (pairs["secondary_competition_meV_per_atom"] >= -1e-9).all()
    assert (table["pareto_rank"] == 1).any() and table["pareto_rank"].min() == 1


def test_fast(barium):
    start = time.perf_counter()
    rank_precursors(barium, precursor_sets(barium, "BaTiO3"))
    assert time.perf_counter() - start < 2.0
