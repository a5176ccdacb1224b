"""Growth constants of reactions with two products, and of decompositions."""

import numpy as np
import pytest

from kinetics.recipes import column, recipe
from potential_differences import closest_difference, local_equilibrium_difference
from tammann.kinetics import KineticsOptions, growth_constant, rate_table
from tammann.kinetics.channels import _across_local_equilibria, _geometry, growth_of_channels, layers_of
from tammann.kinetics.score import sigma2
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import reaction_energy

FALLS_APART, FORMS = "11 BaTi2O5 -> Ba6Ti17O40 + 5 BaTiO3", "Ba6Ti17O40 + 5 BaTiO3 -> 11 BaTi2O5"


def growth_at(reactions, transport, equation, T, options=None):
    """K_D of one reaction at one temperature in an inert furnace."""
    chosen = options or KineticsOptions()
    row = [reaction.equation for reaction in reactions].index(equation)
    pool, at = reactions.take(np.array([row])), np.array([T])
    furnace = FurnaceConditions(reactions.phases.default_energies, at, (), {})
    found = layers_of(transport, reactions.phases, chosen)
    return growth_of_channels(pool, reaction_energy(pool, at), found, transport, furnace, chosen)[0, 0]


def test_decomposition_opens_where_its_products_are_stable(reactions, transport):
    hot = rate_table(reactions, transport, recipe(top=1600.0))
    c = column(hot, FALLS_APART)
    downhill = hot.dG_eV_per_atom[:, c] < 0
    assert ((hot.score[:, c] > 0) == downhill).all()
    assert hot.temperature_K[downhill].min() == pytest.approx(1473.0, abs=30.0)
    off = rate_table(reactions, transport, recipe(top=1600.0), options=KineticsOptions(decomposition=False))
    assert (off.reactants[:, 1] >= 0).all()


@pytest.mark.parametrize(
    ("equation", "layer", "T"),
    [("BaO + TiO2 -> BaTiO3", ("BaO", "TiO2", "BaTiO3"), 1250.0), (FORMS, ("Ba6Ti17O40", "BaTiO3", "BaTi2O5"), 1400.0),
     (FALLS_APART, ("Ba6Ti17O40", "BaTiO3", "BaTi2O5"), 1600.0)],
)  # fmt: skip
def test_growth_and_decomposition_are_driven_by_the_difference_between_local_equilibria(
    reactions, transport, equation, layer, T
):
    phases = reactions.phases
    drive = dict(zip(phases.elements, local_equilibrium_difference(phases, *layer, T), strict=True))
    product = phases[layer[2]]
    options = KineticsOptions(nearest_temperature=True)
    expected = growth_constant(
        transport.at(product.formula, 250.0 * round(T / 250.0)), drive, volume_A3_per_atom=product.volume_A3_per_atom
    )
    assert growth_at(reactions, transport, equation, T, options) == pytest.approx(expected, rel=1e-9)


def test_formation_and_decomposition_balance_where_neither_is_favoured(reactions, transport):
    """S/|dG| of 11 BaTi2O5 = 5 BaTiO3 + Ba6Ti17O40 tends to one finite value from both sides of 1473 K.

    Both have the same layer with the same drive. What is left between them are the onset (Ba6Ti17O40 melts before
    BaTi2O5) and the few kelvin that lie between.
    """
    off = [9.0, 3.0, 1.0, 0.3]
    steps = sorted({1473.0 + sign * d for sign in (-1.0, 1.0) for d in off})
    one = recipe(kinetics={"contact_area": "each"}).with_options(
        programme=[{"temperature_K": T, "hold_h": 1} for T in steps]
    )
    rates = rate_table(reactions, transport, one)
    ratio = {}
    for equation, sign in ((FORMS, -1.0), (FALLS_APART, 1.0)):
        c = column(rates, equation)
        at = [int(np.abs(rates.temperature_K - (1473.0 + sign * d)).argmin()) for d in off]
        assert (rates.dG_eV_per_atom[at, c] < 0).all()
        ratio[equation] = rates.score[at, c] / -rates.dG_eV_per_atom[at, c]
        np.testing.assert_allclose(ratio[equation], ratio[equation][-1], rtol=0.15)
    melting = [rates.melting_point_K[[rates.phases.index(f) for f in names]].min() for names in (
        ("Ba6Ti17O40", "BaTiO3"), ("BaTi2O5",))]  # fmt: skip
    onset = sigma2(1473.0 / np.array(melting))
    assert ratio[FORMS][-1] / onset[0] == pytest.approx(ratio[FALLS_APART][-1] / onset[1], rel=0.02)


def test_a_metastable_reactant_reacts_to_its_own_decomposition_products(reactions, transport):
    """Its domain is theirs, so that the difference between the domains is zero although the reaction is downhill."""
    options = {"smallest_score": 0.0, "metastable_limit_eV_per_atom": None}
    one = recipe(energies="materials-project")
    for choice, some_stand_still in (("reactants", True), ("local-equilibrium", False)):
        rates = rate_table(reactions, transport, one, options=KineticsOptions(potential_difference=choice, **options))
        downhill = (rates.dG_eV_per_atom < -1e-9) & ~rates.fallback
        assert downhill.sum() > 1000
        assert (rates.growth_constant_m2_per_s[downhill] < 1e-20).any() == some_stand_still


def test_what_passes_the_layer_of_one_solid_that_turns_into_another_is_the_gas(reactions, transport):
    """BaCO3 -> BaO + CO2: a layer of BaO, on one side of it BaCO3, with a CO2 potential that is higher by -dG."""
    row = [reaction.equation for reaction in reactions].index("BaCO3 -> BaO + CO2")
    pool = reactions.take(np.array([row]))
    d = _across_local_equilibria(pool, np.array([0]), _geometry(pool), np.array([[-0.3]]))[0, 0]
    of = dict(zip(reactions.phases.elements, d, strict=True))
    assert of["Ba"] + of["O"] == pytest.approx(0.0, abs=1e-12)
    assert of["C"] + 2 * of["O"] == pytest.approx(0.3, abs=1e-12)


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
        options = KineticsOptions(two_products=choice, potential_difference="reactants")
        layers = layers_of(transport, phases, options)
        K = growth_of_channels(
            pool, dG, layers, transport, FurnaceConditions(phases.default_energies, T, (), {}), options
        )
        assert K[0, 0] == pytest.approx(expected, rel=1e-9)
