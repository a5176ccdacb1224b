"""The table of rates: balance, scale, forms of the score, the null."""

from dataclasses import replace

import numpy as np
import pytest

from kinetics.recipes import LINE, column, recipe
from tammann.kinetics import PUBLIC_CODE, KineticsOptions, rate_table, reference_scale
from tammann.kinetics.channels import growth_of_channels, layers_of
from tammann.kinetics.score import driving_factor, reduced_growth, sigma2
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import enumerate_reactions, reaction_energy
from tammann.recipe import Recipe
from tammann.thermo import (
    draw_energies,
    load_phases,
)
from tammann.transport import draw_transport


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
    furnace = FurnaceConditions(phases.default_energies, T, (), {})
    growth = growth_of_channels(pool, dG, layers_of(transport, phases, options), transport, furnace, options)
    x = reduced_growth(growth, dG, 1100.0, scale=s, local_equilibrium=True)
    assert np.nanmax(x) == pytest.approx(1.0)


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
    assert (literal.reactants[:, 1] >= 0).all()
    everything = {"score": "literal", "decomposition": True}
    literal = rate_table(reactions, transport, recipe(kinetics=everything))
    filtered = rate_table(reactions, transport, recipe(kinetics=everything | {"metastable_limit_eV_per_atom": 0.067}))
    assert set(filtered.equations) < set(literal.equations)
    code = rate_table(reactions, transport, recipe(), options=PUBLIC_CODE)
    assert code.score.max() <= 20.0
    preset = rate_table(reactions, transport, recipe(kinetics={"preset": "public-code"}))
    assert preset.equations == code.equations and np.array_equal(preset.score, code.score)


def test_uphill_reactions_of_the_literal_score_are_slow(reactions, transport):
    """The thermodynamic score above 0.01 eV/atom; without that gate they have the floor of sigma1."""
    energies = "materials-project"
    literal = rate_table(reactions, transport, recipe(energies=energies, kinetics={"score": "literal"}))
    uphill = literal.dG_eV_per_atom > 0.01
    onset = literal.score[uphill] / (0.5 * driving_factor(literal.dG_eV_per_atom[uphill]))
    assert uphill.sum() > 100 and literal.score[uphill].min() > 0
    melting = literal.melting_point_K[literal.reactants].min(axis=1)
    expected = np.broadcast_to(sigma2(literal.temperature_K[:, None] / melting), uphill.shape)[uphill]
    np.testing.assert_allclose(onset, expected, rtol=1e-9)
    gate = {"constants": {"thermodynamic_above_eV_per_atom": None}}
    open_ = rate_table(reactions, transport, recipe(energies=energies, kinetics={"score": "literal", **gate}))
    far = open_.dG_eV_per_atom > 0.02
    assert far.any() and open_.score[far].max() > 20 * literal.score[literal.dG_eV_per_atom > 0.02].max()


@pytest.mark.parametrize("null", [False, True])
def test_the_reactions_of_a_contact_share_its_area(reactions, transport, null):
    """A contact reacts as fast as its fastest reaction, in the proportions of all; more phases do not matter."""
    shared, each = (
        rate_table(
            reactions,
            transport,
            recipe(kinetics={"contact_area": choice, "constants": {"smallest_score": 0.0}}),
            null=null,
        )
        for choice in ("shared", "each")
    )
    assert shared.equations == each.equations
    pairs, contact = np.unique(np.sort(each.reactants, axis=1), axis=0, return_inverse=True)
    assert len(pairs) < len(contact)
    for n in range(len(pairs)):
        mine = contact == n
        np.testing.assert_allclose(shared.score[:, mine].sum(axis=1), each.score[:, mine].max(axis=1), rtol=1e-12)
        total = each.score[:, mine].sum(axis=1, keepdims=True)
        expected = shared.score[:, mine].sum(axis=1, keepdims=True) * each.score[:, mine]
        np.testing.assert_allclose(shared.score[:, mine] * total, expected, rtol=1e-12)


def test_nucleation_barrier_slows(reactions, transport, rates):
    slow = rate_table(reactions, transport, recipe(kinetics={"nucleation_barrier_J_per_m2": 0.05}))
    c, d = column(rates, "BaO + TiO2 -> BaTiO3"), column(slow, "BaO + TiO2 -> BaTiO3")
    assert 0 < slow.score[-1, d] < rates.score[-1, c]


def test_null_is_geometry_alone(reactions, transport):
    each = {"contact_area": "each"}
    null = rate_table(reactions, transport, recipe(kinetics=each), null=True)
    assert set(null.phases) == LINE
    assert (null.reactants[:, 1] >= 0).all() and (null.products[:, 1] < 0).all()
    melting = null.melting_point_K[null.reactants].min(axis=1)
    np.testing.assert_allclose(null.score, sigma2(null.temperature_K[:, None] / melting))
    # Of eleven phases on a line, every two that are not neighbours make each one between them.
    assert len(null.equations) == 11 * 10 * 9 // 6
    for other in draw_energies(reactions.phases, rng=1), reactions.phases:
        again = rate_table(reactions.of(other), None, recipe(kinetics=each), null=True)
        assert np.array_equal(again.score, null.score)


def test_null_of_a_carbonate_gives_off_its_gas(reactions, transport):
    null = rate_table(reactions, transport, recipe("BaCO3", atmosphere="air"), null=True)
    assert null.gases == ("CO2",)
    assert "TiO2 + BaCO3 -> BaTiO3 + CO2" in null.equations


def test_exchange(rates, reactions, transport):
    assert ((rates.exchange >= 0) & (rates.exchange <= 1)).all()
    # Cold solids stay where they are, and so a mixture can arrest.
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
