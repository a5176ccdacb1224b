"""Sets of precursors: balanced to the atom, complete, independent of spelling, refused in one sentence."""

import time

import numpy as np
import pytest

from made_up import system
from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.reactions import enumerate_reactions, reaction_energy
from tammann.recipe import ATMOSPHERES
from tammann.synthesis import Precursor, load_precursors, precursor_sets
from tammann.thermo import load_phases

EXPERIMENT = {"energies": "experiment-anchored"}


@pytest.fixture(scope="module")
def barium():
    return load_phases("Ba-Ti-O")


@pytest.fixture(scope="module")
def exchange():
    """Metathesis: made up energies for Y-Mn-O with Na and Cl."""
    return system(
        "Y-Mn-O-Na-Cl-C",
        {
            "YMnO3": -14.0, "Y2O3": -18.0, "Mn2O3": -9.0, "YCl3": -9.0, "Na2CO3": -10.8, "NaCl": -4.0, "MnCl2": -4.5,
            "NaMnO2": -7.0, "CO2": -4.1, "O2": 0.0,
        },
    )  # fmt: skip


def equations(sets):
    return [one.reaction.equation for one in sets]


def atoms(side):
    total: dict[str, int] = {}
    for formula, n in side:
        for element, count in parse_formula(formula).items():
            total[element] = total.get(element, 0) + n * count
    return total


def test_the_textbook_sets_of_barium_titanate(barium):
    found = equations(precursor_sets(barium, "BaTiO3", **EXPERIMENT))
    assert {
        "BaCO3 + TiO2 -> BaTiO3 + CO2",
        "BaO + TiO2 -> BaTiO3",
        "Ba(OH)2 + TiO2 -> BaTiO3 + H2O",
        "2 Ba(NO3)2 + 2 TiO2 -> 2 BaTiO3 + 4 NO2 + O2",
        "2 BaO2 + 2 TiO2 -> 2 BaTiO3 + O2",
        "Ba(CH3COO)2 + TiO2 + 4 O2 -> BaTiO3 + 4 CO2 + 3 H2O",
        "2 BaC2O4 + 2 TiO2 + O2 -> 2 BaTiO3 + 4 CO2",
    } <= set(found)


@pytest.mark.parametrize("target", ["BaTiO3", "Ba2TiO4", "Ba4Ti13O30", "BaO"])
@pytest.mark.parametrize("atmosphere", ["air", "inert"])
def test_both_sides_have_the_same_atoms(barium, target, atmosphere):
    for one in precursor_sets(barium, target, atmosphere=atmosphere, uphill=True, **EXPERIMENT):
        for reaction in (one.reaction, one.solid_reaction):
            assert atoms(reaction.reactants) == atoms(reaction.products)
            numbers = [n for _, n in (*reaction.reactants, *reaction.products)]
            assert np.gcd.reduce(numbers) == 1 and min(numbers) > 0


def test_metathesis_leaves_a_salt(exchange):
    sets = precursor_sets(exchange, "YMnO3", kinds=["oxide", "carbonate", "halide", "mixed-oxide"], uphill=True)
    found = {one.reaction.equation: one.by_product for one in sets}
    assert found["2 YCl3 + Mn2O3 + 3 Na2CO3 -> 2 YMnO3 + 6 NaCl + 3 CO2"] == "NaCl"
    assert found["Y2O3 + Mn2O3 -> 2 YMnO3"] is None
    assert not any(one.by_product for one in precursor_sets(exchange, "YMnO3", metathesis=False, uphill=True))


def test_no_precursor_can_be_left_out(barium):
    names = [frozenset(p.formula for p in one.precursors) for one in precursor_sets(barium, "BaTiO3", **EXPERIMENT)]
    assert len(set(names)) == len(names)
    assert not any(a < b for a in names for b in names)


def test_redox_without_a_gas():
    manganese = system("Y-Mn-O", {"YMnO3": -16.0, "Y2O3": -18.0, "MnO": -4.0, "MnO2": -6.9, "O2": 0.0})
    only = {"candidates": ["Y2O3", "MnO", "MnO2"]}
    inert = precursor_sets(manganese, "YMnO3", atmosphere="inert", **only)
    assert equations(inert) == ["2 Y2O3 + 4 MnO2 -> 4 YMnO3 + O2"]  # against 1 Pa that is downhill
    closed = precursor_sets(manganese, "YMnO3", atmosphere="inert", release_pressure_Pa=1e9, temperature_K=1900, **only)
    assert "Y2O3 + MnO + MnO2 -> 2 YMnO3" in equations(closed)
    assert "2 Y2O3 + 4 MnO + O2 -> 4 YMnO3" in equations(precursor_sets(manganese, "YMnO3", uphill=True, **only))


def test_energies_are_those_of_the_reaction(barium):
    """Hess: the same as the enumerated reaction at the pressures of the furnace, per formula unit."""
    air = ATMOSPHERES["air"]
    one = precursor_sets(barium, "BaTiO3", candidates=["BaCO3", "TiO2"], temperature_K=1200, **EXPERIMENT)[0]
    reactions = enumerate_reactions(barium, reactants=["BaCO3", "TiO2"])
    row = [set(reaction.products) for reaction in reactions].index({("BaTiO3", 1), ("CO2", 1)})
    energy = reaction_energy(reactions, 1200.0, partial_pressure_Pa={"CO2": air["CO2"]}, **EXPERIMENT)[row]
    assert one.gibbs_eV_per_target == pytest.approx(8 * energy, abs=1e-9)
    assert sum(one.atoms_of_precursors) == 8


def test_hess_between_sets(barium):
    """Carbonate less oxide is the decomposition of the carbonate, whatever the target."""
    difference = []
    for target, barium_atoms in (("BaTiO3", 1), ("Ba2TiO4", 2), ("BaTi4O9", 1)):
        oxide, carbonate = (
            precursor_sets(barium, target, candidates=[source, "TiO2"], uphill=True, **EXPERIMENT)[0]
            for source in ("BaO", "BaCO3")
        )
        difference.append((carbonate.gibbs_eV_per_target - oxide.gibbs_eV_per_target) / barium_atoms)
    assert np.ptp(difference) < 1e-9


def test_multiples_and_order_change_nothing(barium):
    first = precursor_sets(barium, "BaTiO3", candidates=["BaCO3", "TiO2"], **EXPERIMENT)[0]
    second = precursor_sets(barium, "Ba2Ti2O6", candidates=["Ti2O4", "Ba2C2O6"], **EXPERIMENT)[0]
    assert second.gibbs_eV_per_target == pytest.approx(first.gibbs_eV_per_target, abs=1e-12)
    assert sum(second.atoms_of_precursors) == sum(first.atoms_of_precursors)
    assert second.reaction.equation == "Ba2C2O6 + Ti2O4 -> 2 BaTiO3 + 2 CO2"


def test_what_has_no_energy_reacts_as_what_it_turns_into(barium):
    sets = {one.name: one for one in precursor_sets(barium, "BaTiO3", **EXPERIMENT)}
    assert sets["Ba(CH3COO)2 + TiO2"].reacts_as == ("BaCO3", "TiO2")
    assert sets["Ba(CH3COO)2 + TiO2"].solid_reaction == sets["BaCO3 + TiO2"].reaction
    assert sets["BaO + Ti2O3"].reacts_as == ("BaO", "TiO2")  # which air makes of it


def test_lithium_acetate_brings_half_a_carbonate():
    lithium = system("Li-Co-O-C", {"LiCoO2": -7.0, "Li2CO3": -12.0, "Co3O4": -9.0, "CO2": -4.1, "O2": 0.0})
    sets = precursor_sets(lithium, "LiCoO2", uphill=True, kinds=["acetate", "oxide", "carbonate"])
    one = next(one for one in sets if one.name == "LiCH3COO + Co3O4")
    assert one.reaction.equation == "12 LiCH3COO + 4 Co3O4 + 25 O2 -> 12 LiCoO2 + 24 CO2 + 18 H2O"
    assert one.solid_reaction.equation == "6 Li2CO3 + 4 Co3O4 + O2 -> 12 LiCoO2 + 6 CO2"
    # by hand: per LiCoO2 half a carbonate, a third of Co3O4, half a CO2 at 1 Pa and a twelfth of O2 in air
    kT = 8.617333262e-5 * 1300.0
    air = ATMOSPHERES["air"]
    gases = 0.5 * (-4.1 + kT * np.log(air["CO2"] / 1e5)) - kT * np.log(air["O2"] / 1e5) / 12
    assert one.gibbs_eV_per_target == pytest.approx(-7.0 + 6.0 + 3.0 + gases, abs=1e-9)


def test_uphill_sets_are_kept_only_if_asked_for(toy):
    with pytest.raises(DataError, match="SrCO3: .* each would have to take up Gibbs energy"):
        precursor_sets(toy, "SrCO3", candidates=["SrO"], temperature_K=1900, partial_pressure_Pa={"CO2": 1e-3})
    kept = precursor_sets(
        toy, "SrCO3", candidates=["SrO"], temperature_K=1900, partial_pressure_Pa={"CO2": 1e-3}, uphill=True
    )
    assert equations(kept) == ["SrO + CO2 -> SrCO3"] and kept[0].gibbs_eV_per_target > 0


def test_a_carbonate_that_has_become_the_target(barium):
    """Above its decomposition temperature BaCO3 counts as BaO, unless BaO is what it is to make."""
    one = precursor_sets(barium, "BaO", candidates=["BaCO3"], temperature_K=1900, **EXPERIMENT)[0]
    assert one.solid_reaction.equation == "BaCO3 -> BaO + CO2" and one.gibbs_eV_per_target < 0


def test_two_precursors_that_become_one_solid():
    """MnO and MnO2 without oxygen, where both fall to Mn2O3: its atoms count once."""
    manganese = system("Y-Mn-O", {"YMnO3": -16.0, "Y2O3": -18.0, "MnO": -4.0, "Mn2O3": -11.0, "O2": 0.0})
    mine = [Precursor("Y2O3", "oxide"), Precursor("MnO", "oxide"), Precursor("MnO2", "oxide", "Mn2O3")]
    sets = precursor_sets(manganese, "YMnO3", candidates=mine, atmosphere="inert", uphill=True)
    for one in sets:
        assert sum(one.atoms_of_precursors) == pytest.approx(
            sum(n * sum(parse_formula(f).values()) for f, n in one.solid_reaction.reactants if f != "O2")
            / dict(one.solid_reaction.products)["YMnO3"]
        )


def test_fast(barium):
    start = time.perf_counter()
    precursor_sets(barium, "BaTiO3", kinds={one.kind for one in load_precursors()})
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            {"target": "BaZrO3"},
            "no energy in the set 'assessed' at 1300 K: give it one in a table of your own",
        ),
        ({"target": "Ba5TiO3"}, "no oxidation states of its elements add up to zero: check the formula"),
        ({"target": "BaTiO3", "candidates": ["BaO"]}, "no precursor brings Ti"),
        ({"target": "BaTiO3", "kinds": ["soot"]}, "'soot' is not on the list: expected oxide"),
        ({"target": "BaTiO3", "atmosphere": "smoke"}, "'smoke' has no name here: expected inert, air"),
        ({"target": "BaTiO3", "candidates": ["BaO", "TiO"], "atmosphere": "inert"}, "without taking up O2"),
        ({"target": "CO2"}, "CO2"),
    ],
)
def test_bad_input_gets_one_sentence(barium, words, sentence):
    with pytest.raises(DataError) as refused:
        precursor_sets(barium, **words)
    assert sentence in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_a_hydroxide_needs_steam():
    calcium = system("Ca-O-H", {"CaO": 0.0, "Ca(OH)2": -2.0, "CaCO3": -1.0, "H2O": 0.0, "CO2": 0.0, "O2": 0.0})
    with pytest.raises(DataError, match="holds H, which precursors lose .* add a pressure of H2O"):
        precursor_sets(calcium, "Ca(OH)2", kinds=["oxide", "carbonate"])
    steam = precursor_sets(calcium, "Ca(OH)2", kinds=["oxide"], partial_pressure_Pa={"H2O": 1e5})
    assert "CaO + H2O -> Ca(OH)2" in equations(steam)


def test_a_set_without_energies_is_refused_by_name():
    bare = system("Sr-Ti-O", {"SrTiO3": -1.0, "TiO2": 0.0, "O2": 0.0})
    with pytest.raises(DataError, match="sets of precursors balance, but none has energies"):
        precursor_sets(bare, "SrTiO3", kinds=["oxide"])


def test_the_target_is_no_precursor_of_itself(barium):
    sets = precursor_sets(barium, "BaTiO3", kinds=["oxide", "mixed-oxide"], **EXPERIMENT)
    assert not any(composition_key(p.composition) == composition_key("BaTiO3") for one in sets for p in one.precursors)
