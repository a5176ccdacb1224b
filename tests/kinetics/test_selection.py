"""Which reactions elements, atmosphere and equilibrium leave open in Ba-Ti-O."""

import numpy as np
import pytest

from kinetics.recipes import LINE, column, recipe
from tammann.errors import RecipeError
from tammann.kinetics import KineticsOptions, rate_table
from tammann.reactions import reaction_energy
from tammann.recipe import Recipe
from tammann.thermo import (
    energy_above_hull,
)


def test_closed_oxides_stay_on_their_line(rates):
    """Without oxygen to come or go there is no peroxide and no reduced titanate."""
    assert set(rates.phases) == LINE
    assert rates.gases == ()
    assert not rates.fallback.any()


def test_neither_limit_nor_release_is_needed_for_that(reactions, transport):
    bold = KineticsOptions(metastable_limit_eV_per_atom=None, coupled_release=True)
    assert set(rate_table(reactions, transport, recipe(), options=bold).phases) == LINE


def test_what_lies_too_far_above_the_hull_does_not_form(reactions, transport):
    """BaTi5O11 rises above a limit of 2 meV per atom on the way to 1700 K and forms below only."""
    strict = KineticsOptions(metastable_limit_eV_per_atom=0.002)
    rates = rate_table(reactions, transport, recipe(top=1700.0), options=strict)
    index = reactions.phases.index("BaTi5O11")
    above = np.array([energy_above_hull(reactions.phases, T)[index] for T in rates.temperature_K])
    makes = (rates.products == rates.phases.index("BaTi5O11")).any(axis=1)
    assert (above > 0.002).any() and (above < 0.002).any()
    assert (rates.score[above > 0.002][:, makes] == 0).all()
    assert (rates.score[above < 0.002][:, makes] > 0).any()


def test_air_does_not_reduce_titanates(reactions, transport):
    rates = rate_table(reactions, transport, recipe(atmosphere="air"))
    assert set(rates.phases) <= LINE | {"BaCO3", "BaO2"}


@pytest.mark.parametrize("bar", [0.2, 1.0, 1.01, 1.01325, 10.0])
def test_a_gas_leaves_where_equilibrium_lets_it(reactions, bar):
    """BaO2 gives off its oxygen above the temperature of its equilibrium, at any pressure, and only there."""
    pressure = {"O2": bar * 1e5}
    alone = Recipe(
        precursors=[{"phase": "BaO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
        atmosphere={"partial_pressure_Pa": pressure},
    )
    rates = rate_table(reactions, None, alone)
    assert set(rates.equations) == {"2 BaO2 -> 2 BaO + O2", "2 BaO + O2 -> 2 BaO2"}
    row = [reaction.equation for reaction in reactions].index("2 BaO2 -> 2 BaO + O2")
    dG = reaction_energy(reactions.take(np.array([row])), rates.temperature_K, partial_pressure_Pa=pressure)[:, 0]
    assert (dG < 0).any() and (dG > 0).any()
    np.testing.assert_array_equal(rates.score[:, column(rates, "2 BaO2 -> 2 BaO + O2")] > 0, dG < 0)
    np.testing.assert_array_equal(rates.score[:, column(rates, "2 BaO + O2 -> 2 BaO2")] > 0, dG > 0)


@pytest.mark.parametrize("atmosphere", ["inert", "air", "oxygen"])
def test_a_peroxide_loses_no_more_oxygen_than_it_has_to_spare(reactions, atmosphere):
    rates = rate_table(reactions, None, recipe("BaO2", atmosphere=atmosphere))
    assert "BaO2" in rates.phases and "O2" in rates.gases
    assert set(rates.phases) <= LINE | {"BaO2", "BaCO3"}


def test_carbonate_in_gas(reactions, transport):
    """Under 1 atm of CO2 Ba2TiO4 + BaCO3 cannot form below 1315 K; in air it can above 922 K."""
    equation = "BaTiO3 + BaCO3 -> Ba2TiO4 + CO2"
    for atmosphere, onset in (("CO2", 1315.0), ("air", 922.0)):
        rates = rate_table(reactions, transport, recipe("BaCO3", top=1450.0, atmosphere=atmosphere))
        open_at = rates.temperature_K[rates.score[:, column(rates, equation)] > 0]
        assert open_at.min() == pytest.approx(onset, abs=40.0)


def test_refusals(reactions, transport):
    with pytest.raises(RecipeError, match=r"precursors\[0\].phase"):
        rate_table(reactions, transport, recipe("SrO"))
    with pytest.raises(RecipeError, match="is a gas"):
        rate_table(reactions, transport, recipe("CO2"))
    with pytest.raises(RecipeError, match="materials-project.*BaCO3"):
        rate_table(reactions, transport, recipe("BaCO3", energies="materials-project"))
    with pytest.raises(RecipeError, match="no-such-set"):
        rate_table(reactions, transport, recipe(energies="no-such-set"))
