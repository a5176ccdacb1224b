"""The table of rates: balance, reach, scale, limits, and the file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from potential_differences import closest_difference, local_equilibrium_differences
from tammann.errors import DataError, RecipeError, ResultError
from tammann.kinetics import PUBLIC_CODE, KineticsOptions, RateTable, growth_constant, rate_table, reference_scale
from tammann.kinetics.channels import _across_decomposing, _geometry, growth_of_channels, layers_of
from tammann.kinetics.score import reduced_growth, sigma2
from tammann.reactions import enumerate_reactions, reaction_energy
from tammann.recipe import Recipe
from tammann.thermo import (
    draw_energies,
    energy_above_hull,
    load_phases,
)
from tammann.transport import draw_transport, load_transport

LINE = {
    "BaO", "TiO2", "Ba2TiO4", "Ba3TiO5", "BaTiO3", "BaTi2O5", "Ba6Ti17O40", "Ba4Ti13O30", "BaTi4O9", "Ba2Ti9O20",
    "BaTi5O11",
}  # fmt: skip


@pytest.fixture(scope="module")
def reactions():
    return enumerate_reactions(load_phases("Ba-Ti-O"))


@pytest.fixture(scope="module")
def transport():
    return load_transport("karan-2026")


def recipe(first="BaO", second="TiO2", top=1500.0, ratio=1, **more):
    return Recipe(
        precursors=[{"phase": first, "ratio": ratio}, {"phase": second, "ratio": 1}],
        programme=[{"temperature_K": top, "hold_h": 1}],
        **more,
    )


@pytest.fixture(scope="module")
def rates(reactions, transport):
    return rate_table(reactions, transport, recipe())


def column(rates, equation):
    return rates.equations.index(equation)


def amounts(indices, coefficients, composition):
    there = indices >= 0
    return np.einsum("ck,cke->ce", np.where(there, coefficients, 0.0), composition[np.where(there, indices, 0)])


@pytest.mark.parametrize("atmosphere", ["inert", "air", "vacuum", "CO2"])
def test_every_channel_balances(reactions, transport, atmosphere):
    rates = rate_table(reactions, transport, recipe("BaCO3", atmosphere=atmosphere, top=1400.0))
    left = amounts(rates.reactants, rates.reactant_coefficients, rates.composition)
    right = amounts(rates.products, rates.product_coefficients, rates.composition)
    np.testing.assert_array_equal(left, right + rates.gas_coefficients @ rates.gas_composition)
    assert "CO2" in rates.gases
    if atmosphere in ("inert",):
        assert (rates.gas_coefficients >= 0).all()
    assert rates.molar_mass_kg[rates.phases.index("TiO2")] == pytest.approx(0.079866, rel=1e-4)


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


def test_rates_vanish_uphill_and_only_there_are_they_zero_at_equilibrium(rates):
    assert (rates.score[rates.dG_eV_per_atom >= 0] == 0).all()
    assert (rates.score >= 0).all() and np.isfinite(rates.score).all()
    assert (rates.score > 1e-9).any(axis=0).all()


def test_reverse_channels_are_never_open_together(rates):
    for number, equation in enumerate(rates.equations):
        left, right = equation.split(" -> ")
        back = f"{right} -> {left}"
        if back in rates.equations:
            assert (rates.score[:, number] * rates.score[:, column(rates, back)] == 0).all()


def test_the_scale_is_the_convention(reactions, transport):
    """The largest x over the products of BaO + TiO2 is 1 at 1100 K for 1e-7 m, and s is a few times 1e8."""
    options = KineticsOptions()
    s = reference_scale(reactions, transport)
    assert 1e8 < s < 1e9
    phases = reactions.phases
    pool = reactions.take(
        np.flatnonzero(
            (reactions.coefficients[:, [phases.index("BaO"), phases.index("TiO2")]] < 0).all(axis=1)
            & ((reactions.coefficients > 0).sum(axis=1) == 1)
        )
    )
    T = np.array([1100.0])
    dG = reaction_energy(pool, T)
    growth = growth_of_channels(
        pool, dG, T, layers_of(transport, phases, options), transport, options, energies=None, partial_pressure_Pa={}
    )
    assert np.nanmax(reduced_growth(growth, dG, 1100.0, scale=s)) == pytest.approx(1.0)


def test_one_scale_for_a_whole_ensemble(reactions, transport, rates):
    s = rates.metadata["scale_per_s_eV"]
    phases = draw_energies(reactions.phases, rng=3)
    drawn = rate_table(reactions.of(phases), draw_transport(transport, relative_error=0.3, rng=4), recipe(), scale=s)
    assert drawn.metadata["scale_per_s_eV"] == s
    assert not np.array_equal(drawn.score.max(), rates.score.max())


def test_a_common_factor_of_the_table_changes_nothing(reactions, transport, rates):
    more = replace(
        transport, entries=tuple(replace(e, L=e.L * 1e-6, L_self=e.L_self * 1e-6) for e in transport.entries)
    )
    again = rate_table(reactions, more, recipe())
    assert again.equations == rates.equations
    np.testing.assert_allclose(again.score, rates.score, rtol=1e-9)


def test_particle_radius(reactions, transport, rates):
    """x goes as 1/r0²; where x is small, so does the score. A precursor's own radius overrides the recipe's."""
    c = column(rates, "BaO + TiO2 -> BaTiO3")
    coarse = rate_table(reactions, transport, recipe(particle_radius_um=10.0))
    at = coarse.equations.index("BaO + TiO2 -> BaTiO3")
    t = 20
    fine = rate_table(reactions, transport, recipe(particle_radius_um=20.0))
    also = fine.equations.index("BaO + TiO2 -> BaTiO3")
    assert fine.score[t, also] == pytest.approx(coarse.score[t, at] / 4, rel=1e-3)
    assert rates.score[t, c] > 100 * coarse.score[t, at]
    one = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1, "particle_radius_um": 10.0}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1500, "hold_h": 1}],
    )
    mixed = rate_table(reactions, transport, one)
    np.testing.assert_allclose(mixed.score[:, column(mixed, "BaO + TiO2 -> BaTiO3")], coarse.score[:, at])


def test_decomposition_runs_on_local_equilibria(reactions, transport):
    """BaTi2O5 decomposes above 1473 K and not below; its drive is that of thermo's own function."""
    hot = rate_table(reactions, transport, recipe(top=1600.0))
    c = column(hot, "11 BaTi2O5 -> Ba6Ti17O40 + 5 BaTiO3")
    downhill = hot.dG_eV_per_atom[:, c] < 0
    assert ((hot.score[:, c] > 0) == downhill).all()
    assert hot.temperature_K[downhill].min() == pytest.approx(1473.0, abs=30.0)
    off = rate_table(reactions, transport, recipe(top=1600.0), options=KineticsOptions(decomposition=False))
    assert (off.reactants[:, 1] >= 0).all()

    phases = reactions.phases
    names = [reaction.equation for reaction in reactions]
    row = names.index("11 BaTi2O5 -> Ba6Ti17O40 + 5 BaTiO3")
    shape = _geometry(reactions.take(np.array([row])))[0]
    unit = _across_decomposing(reactions.coefficients[row], shape, phases)
    per_reaction = reaction_energy(reactions.take(np.array([row])), [1600.0])[0, 0] * 11 * 8
    theirs = local_equilibrium_differences(phases, [(*shape.ends, shape.layers[0])], [1600.0])[0, 0]
    mine = unit * per_reaction
    assert min(np.abs(mine - theirs).max(), np.abs(mine + theirs).max()) < 1e-9


def test_two_products_share_one_flux(reactions, transport):
    """K_D of a layer of two phases is their harmonic mean, weighted by volume; or the largest."""
    phases, T = reactions.phases, np.array([1500.0])
    row = [reaction.equation for reaction in reactions].index("BaO2 + BaTi6O12 -> BaTi2O5 + BaTi4O9")
    pool = reactions.take(np.array([row]))
    dG = reaction_energy(pool, T)
    difference = closest_difference(phases, "BaO2", "BaTi6O12", 1500.0)
    drive = dict(zip(phases.elements, difference, strict=True))
    two = [phases["BaTi2O5"], phases["BaTi4O9"]]
    each = [
        growth_constant(transport.at(p.formula, 1500.0), drive, volume_A3_per_atom=p.volume_A3_per_atom) for p in two
    ]
    volume = [p.molar_volume_m3_per_mol for p in two]
    for choice, expected in (
        ("harmonic", sum(volume) / sum(v / K for v, K in zip(volume, each, strict=True))),
        ("largest", max(each)),
    ):
        options = KineticsOptions(two_products=choice)
        layers = layers_of(transport, phases, options)
        K = growth_of_channels(pool, dG, T, layers, transport, options, energies=None, partial_pressure_Pa={})
        assert K[0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mode", ["full", "self", "none"])
@pytest.mark.parametrize("form", ["paper", "signed", "electroneutral"])
def test_every_mode_and_form(reactions, transport, mode, form):
    rates = rate_table(reactions, transport, recipe(), options=KineticsOptions(transport=mode, form=form))
    assert "BaO + TiO2 -> BaTiO3" in rates.equations
    assert (rates.score[rates.dG_eV_per_atom >= 0] == 0).all()
    if mode == "none":
        assert rates.score.max() <= sigma2(1500.0 / rates.melting_point_K.min()) + 1e-12
        assert np.isnan(rates.growth_constant_m2_per_s).all() and not rates.fallback.any()
        assert rates.metadata["scale_per_s_eV"] is None


def test_end_members_give_every_product_the_same_drive(reactions, transport):
    one = recipe(kinetics={"potential_difference": "end-members", "end_members": ["BaO", "TiO2"]})
    rates = rate_table(reactions, transport, one)
    makes = rates.products[:, 0] == rates.phases.index("BaTiO3")
    pairs = makes & (rates.reactants[:, 1] >= 0) & (rates.products[:, 1] < 0)
    K = rates.growth_constant_m2_per_s[-1, pairs]
    assert len(K) > 5
    np.testing.assert_allclose(K, K[0])


def test_literal_score_and_public_code(reactions, transport):
    literal = rate_table(reactions, transport, recipe(kinetics={"score": "literal"}))
    uphill = literal.dG_eV_per_atom > 0
    assert (literal.score[uphill] > 0).any()
    stated = {"score": "literal", "metastable_limit_eV_per_atom": 0.067, "coupled_release": False}
    filtered = rate_table(reactions, transport, recipe(kinetics=stated))
    assert set(filtered.equations) < set(literal.equations)
    code = rate_table(reactions, transport, recipe(), options=PUBLIC_CODE)
    assert code.score.max() <= 20.0
    assert len(code.equations) > len(filtered.equations)
    preset = rate_table(reactions, transport, recipe(kinetics={"preset": "public-code"}))
    assert preset.equations == code.equations and np.array_equal(preset.score, code.score)


def test_nucleation_barrier_slows(reactions, transport, rates):
    slow = rate_table(reactions, transport, recipe(kinetics={"nucleation_barrier_J_per_m2": 0.05}))
    c, d = column(rates, "BaO + TiO2 -> BaTiO3"), column(slow, "BaO + TiO2 -> BaTiO3")
    assert 0 < slow.score[-1, d] < rates.score[-1, c]


def test_null_is_geometry_alone(reactions, transport):
    null = rate_table(reactions, transport, recipe(), null=True)
    assert set(null.phases) == LINE
    assert (null.reactants[:, 1] >= 0).all() and (null.products[:, 1] < 0).all()
    melting = null.melting_point_K[null.reactants].min(axis=1)
    np.testing.assert_allclose(null.score, sigma2(null.temperature_K[:, None] / melting))
    # Of eleven phases on a line, every two that are not neighbours make each one between them.
    assert len(null.equations) == 11 * 10 * 9 // 6
    for other in draw_energies(reactions.phases, rng=1), reactions.phases:
        again = rate_table(reactions.of(other), None, recipe(), null=True)
        assert np.array_equal(again.score, null.score)


def test_null_of_a_carbonate_gives_off_its_gas(reactions, transport):
    null = rate_table(reactions, transport, recipe("BaCO3", atmosphere="air"), null=True)
    assert null.gases == ("CO2",)
    assert "TiO2 + BaCO3 -> BaTiO3 + CO2" in null.equations


def test_exchange(rates, reactions, transport):
    assert ((rates.exchange >= 0) & (rates.exchange <= 1)).all()
    # Cold solids stay where they are, and so a mixture can come to rest.
    assert (rates.exchange > 0).all()  # the tail of the sigmoid never ends
    cut = rate_table(reactions, transport, recipe(kinetics={"constants": {"melt_exchange_above": 0.8}}))
    cold = cut.temperature_K[:, None] <= 0.8 * cut.melting_point_K
    assert cold.any() and (cut.exchange[cold] == 0).all() and (cut.exchange[~cold] > 0).all()
    assert (np.diff(rates.exchange, axis=0) >= 0).all()
    public = rate_table(reactions, transport, recipe(), options=PUBLIC_CODE)
    assert (public.exchange > 0).all()
    still = rate_table(reactions, transport, recipe(grid={"melt_exchange_per_sweep": 0.0}))
    assert not still.exchange.any()
    creeping = rate_table(
        reactions, transport, recipe(grid={"melt_exchange_per_sweep": 0.0, "solid_exchange_per_sweep": 0.1})
    )
    np.testing.assert_allclose(
        creeping.exchange, 0.1 * sigma2(creeping.temperature_K[:, None] / creeping.melting_point_K)
    )


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


def part_of(transport, **temperatures_K):
    """Of the table some compositions, each at some temperatures."""
    kept = [entry for entry in transport.entries if entry.temperature_K in temperatures_K.get(entry.formula, ())]
    return replace(transport, name="mine", entries=tuple(kept), warnings=())


def outside_data(rates):
    return [warning for warning in rates.warnings if "mine" in warning]


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


def test_a_chemistry_nobody_prepared(tmp_path):
    """Only a CSV and no transport data: everything falls back, says so, and still vanishes at equilibrium."""
    path = tmp_path / "spinel.csv"
    path.write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
        "MgO,-3.05,9.4,3100,0.02\nAl2O3,-3.42,8.7,2345,0.02\nMgAl2O4,-3.38,9.5,2408,0.02\n",
        encoding="utf-8",
    )
    one = Recipe(
        precursors=[{"phase": "MgO", "ratio": 1}, {"phase": "Al2O3", "ratio": 1}],
        programme=[{"temperature_K": 1700, "hold_h": 1}],
        energies=str(path),
    )
    rates = rate_table(enumerate_reactions(load_phases(path)), None, one)
    assert "MgO + Al2O3 -> MgAl2O4" in rates.equations
    assert rates.fallback.all() and any("No transport data" in warning for warning in rates.warnings)
    assert (rates.score[rates.dG_eV_per_atom >= 0] == 0).all()


def test_round_trip_is_exact(rates, tmp_path):
    path = tmp_path / "rates.json"
    rates.save(path)
    again = RateTable.open(path)
    for name in RateTable.__dataclass_fields__:
        one, other = getattr(rates, name), getattr(again, name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name
    assert again.equations == rates.equations and again.phases == rates.phases and again.warnings == rates.warnings
    assert again.metadata["scale_per_s_eV"] == rates.metadata["scale_per_s_eV"]
    assert [p.name for p in tmp_path.iterdir()] == ["rates.json"]
    # A person can read it: one channel a line.
    assert sum('"equations"' in line for line in path.read_text(encoding="utf-8").splitlines()) == len(rates.equations)


def test_round_trip_with_gas_and_gaps(reactions, transport, tmp_path):
    rates = rate_table(reactions, transport, recipe("BaCO3", atmosphere="air"))
    rates.save(tmp_path / "r.json")
    again = RateTable.open(tmp_path / "r.json")
    assert np.array_equal(again.growth_constant_m2_per_s, rates.growth_constant_m2_per_s, equal_nan=True)
    assert np.array_equal(again.gas_coefficients, rates.gas_coefficients)


@pytest.mark.parametrize("spoil", ["cut", "foreign", "missing", "negative", "pointer"])
def test_spoilt_files_are_refused(rates, tmp_path, spoil):
    path = tmp_path / "rates.json"
    rates.save(path)
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    if spoil == "cut":
        path.write_text(text[: len(text) // 2], encoding="utf-8")
    elif spoil == "foreign":
        path.write_text("{}", encoding="utf-8")
    else:
        if spoil == "missing":
            del data["channels"][3]["score"]
        elif spoil == "negative":
            data["channels"][3]["score"][0] = -1.0
        else:
            data["channels"][3]["reactants"][0] = 99
        path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ResultError, match="rate table") as caught:
        RateTable.open(path)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(ResultError, match="cannot be read"):
        RateTable.open(Path(tmp_path) / "none.json")
