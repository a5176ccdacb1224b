"""Reactions where two precursors touch."""

import numpy as np
import pytest

from tammann.composition import composition_key
from tammann.reactions import enumerate_reactions, reaction_energy
from tammann.synthesis.exchange import OpenSystem, Surroundings
from tammann.synthesis.interface import interface_reactions, lower_hull
from tammann.thermo import load_phases

AIR = Surroundings(1300.0, {"O2": 21000.0, "CO2": 40.0})


def names(system, reactions):
    return [tuple(system.phases[int(i)].formula for i in row if i >= 0) for row in reactions.products]


def test_by_hand(toy):
    system = OpenSystem(toy, AIR)
    found = interface_reactions(system, "SrO", "TiO2")
    table = dict(zip(names(system, found), zip(found.fraction, found.energy_eV_per_atom, strict=True), strict=True))
    assert table["SrTiO3",] == pytest.approx((3 / 5, -1.0 / 5))  # 2 atoms of SrO, 3 of TiO2
    assert table["Sr2TiO4",] == pytest.approx((3 / 7, -1.26 / 7))
    assert set(table) == {("SrTiO3",), ("Sr2TiO4",)}


def test_turned_round(toy):
    system = OpenSystem(toy, AIR)
    one, other = (interface_reactions(system, *pair) for pair in (("SrO", "TiO2"), ("TiO2", "SrO")))
    np.testing.assert_allclose(np.sort(one.fraction), np.sort(1 - other.fraction))
    np.testing.assert_allclose(np.sort(one.energy_eV_per_atom), np.sort(other.energy_eV_per_atom))


def test_the_same_as_enumerated_reactions():
    phases = load_phases("Ba-Ti-O")
    system = OpenSystem(phases, AIR)
    found = interface_reactions(system, "BaO", "TiO2")
    # with oxygen at its pressure in air, and CO2 out of play
    every = enumerate_reactions(phases, reactants=["BaO", "TiO2"], gases=["O2"])
    energy = reaction_energy(every, 1300.0, partial_pressure_Pa={"O2": 21000.0})
    known = {
        frozenset(composition_key(f) for f, _ in reaction.products if f != "O2"): (reaction, float(e))
        for reaction, e in zip(every, energy, strict=True)
        if "O2" not in dict(reaction.reactants) and len([f for f, _ in reaction.products if f != "O2"]) == 1
    }
    compared = 0
    for formulas, mine in zip(names(system, found), found.energy_eV_per_atom, strict=True):
        key = frozenset(composition_key(f) for f in formulas)
        if key in known:
            assert mine == pytest.approx(known[key][1], abs=1e-9)
            compared += 1
    assert compared > 8


def test_a_carbonate_alone_is_no_reaction_of_two(toy):
    system = OpenSystem(toy, AIR)
    assert ("SrO",) not in names(system, interface_reactions(system, "SrCO3", "TiO2"))


def test_lower_hull_is_convex():
    rng = np.random.default_rng(3)
    hull = lower_hull(rng.random(50), rng.normal(size=50))
    slopes = np.diff(hull[:, 1]) / np.diff(hull[:, 0])
    assert (np.diff(slopes) > 0).all() and tuple(hull[0]) == (0.0, 0.0) and tuple(hull[-1]) == (1.0, 0.0)
