"""Growth constants of reactions with two products, and of decompositions."""

import numpy as np
import pytest

from kinetics.recipes import column, recipe
from potential_differences import closest_difference, local_equilibrium_differences
from tammann.kinetics import KineticsOptions, growth_constant, rate_table
from tammann.kinetics.channels import _across_decomposing, _geometry, growth_of_channels, layers_of
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import reaction_energy


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
    shape = _geometry(reactions.take(np.array([row])))
    layer, ends = int(shape.layers[0].argmax()), shape.ends[0].tolist()
    unit = _across_decomposing(reactions.coefficients[row], layer, ends[0], phases)
    per_reaction = reaction_energy(reactions.take(np.array([row])), [1600.0])[0, 0] * 11 * 8
    theirs = local_equilibrium_differences(phases, [(*ends, layer)], [1600.0])[0, 0]
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
        K = growth_of_channels(
            pool, dG, layers, transport, FurnaceConditions(phases.default_energies, T, (), {}), options
        )
        assert K[0, 0] == pytest.approx(expected, rel=1e-9)
