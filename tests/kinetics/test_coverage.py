"""What is said where the transport data do not reach."""

from dataclasses import replace

import numpy as np
import pytest

from kinetics.recipes import LINE, column, outside_data, part_of, recipe
from tammann.errors import DataError
from tammann.kinetics import rate_table


def test_warnings_name_what_is_missing(reactions, transport, rates):
    assert any("750 K" in warning for warning in rates.warnings)
    carbonate = rate_table(reactions, transport, recipe("BaCO3", atmosphere="air"))
    assert carbonate.fallback.any()
    assert any("BaCO3" in warning and "thermodynamic score" in warning for warning in carbonate.warnings)
    bare = rate_table(reactions, None, recipe())
    assert bare.fallback.all()
    assert any("No transport data" in warning for warning in bare.warnings)
    argon = rate_table(reactions, transport, recipe(atmosphere={"partial_pressure_Pa": {"Ar": 1e5}}))
    assert any("Ar" in warning and "no part" in warning for warning in argon.warnings)
    assert set(argon.phases) == LINE


def test_each_composition_continues_from_its_own_lowest_temperature(reactions, transport):
    three = part_of(transport, BaTiO3=(1000, 1250), Ba2TiO4=(1250, 1500), BaTi2O5=(1250, 1500))
    missing, below, above = outside_data(rate_table(reactions, three, recipe(top=1400)))
    assert "mine has no data of Ba2Ti9O20, Ba3TiO5" in missing and "BaTiO3" not in missing
    assert below.startswith("Below 1000 K (BaTiO3) and 1250 K (Ba2TiO4, BaTi2O5), where mine has no data, growth")
    assert "continue along the line" in below
    assert above == "Above 1250 K (BaTiO3), where mine has no data, growth constants are held."
    _, held, _ = outside_data(rate_table(reactions, three, recipe(top=1400, kinetics={"below_range": "hold"})))
    assert held == below.replace("continue along the line of ln K_D against 1/T", "are held")
    nearest = rate_table(reactions, three, recipe(top=1400, kinetics={"nearest_temperature": True}))
    assert outside_data(nearest)[1] == held
    # A product that no reaction of the recipe makes is not spoken of.
    more = part_of(transport, BaTiO3=(1000, 1250), Ba4TiO6=(1500, 1750))
    _, below, _ = outside_data(rate_table(reactions, more, recipe(top=1400)))
    assert below.startswith("Below 1000 K, where")


def test_ions_that_are_no_slower_when_colder_are_named(reactions, transport):
    """Noise between the lowest two temperatures leaves no barrier: growth is held below, and that is said."""
    two = part_of(transport, BaTiO3=(1250, 1500), Ba2TiO4=(1250, 1500))
    fast = [replace(e, L=100 * e.L) if (e.formula, e.temperature_K) == ("BaTiO3", 1250.0) else e for e in two.entries]
    assert not any("no slower" in warning for warning in rate_table(reactions, two, recipe()).warnings)
    said = [w for w in rate_table(reactions, replace(two, entries=tuple(fast)), recipe()).warnings if "no slower" in w]
    assert len(said) == 1 and "growth of BaTiO3 is no slower" in said[0]
    held = recipe(kinetics={"below_range": "hold"})
    assert not any("no slower" in w for w in rate_table(reactions, replace(two, entries=tuple(fast)), held).warnings)


def test_one_temperature_gives_no_line(reactions, transport):
    """Held over a whole programme, its value would make a cold solid as fast as a hot melt: it counts as no data."""
    both = part_of(transport, BaTiO3=(1000, 1250, 1500), Ba2TiO4=(1500,))
    without = part_of(transport, BaTiO3=(1000, 1250, 1500))
    rates, other = (rate_table(reactions, table, recipe()) for table in (both, without))
    np.testing.assert_array_equal(rates.score, other.score)
    np.testing.assert_array_equal(rates.fallback, other.fallback)
    assert rates.metadata["scale_per_s_eV"] == other.metadata["scale_per_s_eV"]
    missing, _, alone = outside_data(rates)
    assert "and one temperature only of Ba2TiO4 for the layer" in missing
    assert alone == (
        "A single temperature in mine gives no line to continue below it: Ba2TiO4 (1500 K) counts as without data, "
        "unless kinetics.below_range is hold."
    )
    held = rate_table(reactions, both, recipe(kinetics={"below_range": "hold"}))
    K = held.growth_constant_m2_per_s[:, column(held, "BaO + BaTiO3 -> Ba2TiO4")]
    assert np.isfinite(K).all() and "Below 1000 K (BaTiO3) and 1500 K (Ba2TiO4)" in outside_data(held)[1]
    with pytest.raises(DataError, match="outside the transport data"):
        rate_table(reactions, both, recipe(kinetics={"below_range": "refuse"}))


def test_one_temperature_serves_from_there_upwards(reactions, transport):
    hot = recipe(start_temperature_K=1500.0, top=1700.0)
    rates = rate_table(reactions, part_of(transport, BaTiO3=(1500,)), hot)
    c = column(rates, "BaO + TiO2 -> BaTiO3")
    assert not rates.fallback[c] and np.isfinite(rates.growth_constant_m2_per_s[:, c]).all()
    assert not any("single temperature" in warning for warning in rates.warnings)
    # Of nothing but single temperatures the scale is set by what they hold, not left at 1.
    assert rates.metadata["scale_per_s_eV"] > 1e6 and rates.score[-1, c] < 100


def test_a_table_of_another_chemistry_is_named(reactions, transport):
    other = part_of(transport, Ba4TiO6=(1000, 1250))
    rates = rate_table(reactions, other, recipe())
    assert rates.fallback.all()
    (warning,) = outside_data(rates)
    assert warning.startswith("The transport table mine has none of the products (Ba2Ti9O20, Ba2TiO4,")
    assert warning.endswith("BaTiO3): every reaction goes by the thermodynamic score.")
