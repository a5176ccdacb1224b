"""Differences in chemical potential across one layer at one temperature."""

import numpy as np

from tammann.errors import DataError
from tammann.thermo import closest_differences, local_equilibrium_differences


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
