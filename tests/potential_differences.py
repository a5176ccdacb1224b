"""Differences in chemical potential across a layer: of one pair, and of local equilibria by their definition."""

from collections.abc import Mapping

import numpy as np

from tammann.errors import DataError
from tammann.thermo import closest_differences
from tammann.thermo.open_gases import gas_frame


def closest_difference(phases, first, second, temperature_K, **options):
    """Return ``closest_differences`` for one pair and temperature, shape (E,); refuse a phase without an energy."""
    d = closest_differences(phases, [(first, second)], temperature_K, **options)
    if not np.isfinite(d).all():
        raise DataError(f"energies {options.get('energies')!r} lack {first} or {second}")
    return d[0, 0]


def local_equilibrium_difference(phases, first, second, product, temperature_K, **options):
    """Return ``local_equilibrium_differences`` for one layer and temperature, shape (E,); refuse what is no layer."""
    d = local_equilibrium_differences(phases, [(first, second, product)], temperature_K, **options)[0, 0]
    if not np.isfinite(d).all():
        raise DataError(f"a layer of {product} between {first} and {second} cannot be: expected a mixture of the two")
    return d


def local_equilibrium_differences(phases, layers, temperature_K, *, energies=None, partial_pressure_Pa=None):
    """Return the difference in chemical potential across layers that are in equilibrium with their neighbours.

    At the boundary first | product both phases' potentials are met, x_first . mu = g_first and x_product . mu =
    g_product, and the same at product | second. The difference d = mu(first side) - mu(second side) therefore has

        x_product . d = 0   and   x_first . d = -dG / alpha,

    with x atom fractions, product = alpha first + beta second by atoms, and dG the reaction's Gibbs energy per atom of
    product. Of the family of d in a system of more than two elements the shortest is returned; NaN where the product is
    no mixture of the two phases and the open gases.

    Returns:
        eV per atom of each element, shape (nT, n_layers, E).
    """
    temperatures = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    matrix = phases.composition_matrix.astype(float)
    weights = np.zeros((len(layers), len(phases)))
    ends = np.zeros((len(layers), 2), dtype=np.int64)
    for k, (first, second, product) in enumerate(layers):
        ends[k] = [i if isinstance(i, (int, np.integer)) else phases.index(i) for i in (first, second)]
        parts = product if isinstance(product, Mapping) else {product: 1.0}
        for name, moles in parts.items():
            i = int(name) if isinstance(name, (int, np.integer)) else phases.index(name)
            weights[k, i] += moles * matrix[i].sum()
        weights[k] /= weights[k].sum()
    gibbs = phases.gibbs(temperatures, energies=energies)
    fractions = phases.atom_fractions
    result = np.full((len(temperatures), len(layers), len(phases.elements)), np.nan)
    for t, T in enumerate(temperatures):
        frame = gas_frame(phases, gibbs[t], T, partial_pressure_Pa)
        x = fractions @ frame.matrix
        g = gibbs[t] - fractions @ frame.offset
        used = weights > 0.0
        x_product = weights @ x
        g_product = (weights * np.where(used, g, 0.0)).sum(axis=1)
        at_first = x[ends[:, 0]]
        sides = np.stack([at_first, x[ends[:, 1]]], axis=2)
        amounts = np.einsum("lij,lj->li", np.linalg.pinv(sides), x_product)
        fits = np.abs(np.einsum("lij,lj->li", sides, amounts) - x_product).max(axis=1, initial=0.0) < 1e-9
        fits &= amounts.min(axis=1) > 1e-9
        alpha = np.where(fits, amounts[:, 0], np.nan)
        dG = g_product - alpha * g[ends[:, 0]] - amounts[:, 1] * g[ends[:, 1]]
        conditions = np.stack([x_product, at_first], axis=1)
        targets = np.stack([np.zeros(len(layers)), -dG / alpha], axis=1)
        result[t] = np.einsum("lij,lj->li", np.linalg.pinv(conditions), targets) @ frame.matrix.T
    return result
