"""Gases that come and go: which, how much, at what price."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.synthesis.exchange import OpenSystem, Surroundings, carriers
from tammann.thermo import load_phases
from tammann.units import BOLTZMANN_EV_PER_K


def given_off(system, **atoms):
    return system.row(atoms)[None]


@pytest.fixture(scope="module")
def air():
    return OpenSystem(load_phases("Ba-Ti-O"), Surroundings(1300.0, {"O2": 21000.0, "CO2": 40.0}))


def moles(found):
    names, amounts, allowed = found
    return {g: n for g, n in zip(names, amounts[0], strict=True) if n}, bool(allowed[0])


def test_atoms_leave_as_the_gases_of_the_textbook(air):
    volatile = ("O", "C", "H", "N", "F", "Cl", "Br", "I")
    assert moles(air.exchanged(given_off(air, C=1, O=2), volatile)) == ({"CO2": 1}, True)
    assert moles(air.exchanged(given_off(air, H=2, O=1), volatile)) == ({"H2O": 1}, True)
    assert moles(air.exchanged(given_off(air, N=2, O=5), volatile)) == ({"NO2": 2, "O2": 0.5}, True)
    # 2 C and 6 H of an acetate burn: 2 CO2 + 3 H2O take 7 O, of which 2 are in it
    assert moles(air.exchanged(given_off(air, C=2, H=3, O=2), volatile)) == ({"CO2": 2, "H2O": 1.5, "O2": -1.75}, True)
    assert moles(air.exchanged(given_off(air, N=1, H=4, O=1), volatile, ammonium=True)) == (
        {"NH3": 1, "H2O": 0.5, "O2": 0.25},
        True,
    )


def test_a_halogen_leaves_with_hydrogen_where_there_is_some(air):
    volatile = ("O", "H", "Cl")
    assert moles(air.exchanged(given_off(air, Cl=2, O=-1), volatile)) == ({"Cl2": 1, "O2": -0.5}, True)
    assert moles(air.exchanged(given_off(air, Cl=2, H=2), volatile)) == ({"HCl": 2}, True)
    steam = OpenSystem(air.phases, Surroundings(1300.0, {"H2O": 1e4}))
    assert moles(steam.exchanged(given_off(steam, Cl=2, O=-1), volatile)) == ({"HCl": 2, "H2O": -1}, True)


def test_a_gas_that_is_not_held_cannot_be_taken_up(air):
    inert = OpenSystem(air.phases, Surroundings(1300.0))
    assert not moles(inert.exchanged(given_off(inert, O=-2), ("O",)))[1]
    assert moles(inert.exchanged(given_off(inert, O=2), ("O",)))[1]
    assert not moles(air.exchanged(given_off(air, Ba=1), ("O",)))[1]


def test_potentials_follow_the_pressure(air):
    per_decade = BOLTZMANN_EV_PER_K * 1300.0 * np.log(10.0)
    hundredth = OpenSystem(air.phases, Surroundings(1300.0, {"O2": 210.0}))
    assert air.potential_eV("O2") - hundredth.potential_eV("O2") == pytest.approx(2 * per_decade)
    assert air.potential_eV("NO2") == pytest.approx(
        OpenSystem(air.phases, Surroundings(1300.0, {"NO2": 1.0})).potential_eV("NO2")
    )


def test_nitrogen_leaves_as_n2_where_it_is_held():
    assert carriers(["N", "O"], held=["N2"]) == [{"N": "N2", "O": "O2"}]


def test_pressures_are_checked():
    with pytest.raises(DataError, match="expected a pressure above 0 Pa"):
        Surroundings(1300.0, {"O2": 0.0})
