"""Scattering amplitudes of atoms: X-ray form factors and neutron scattering lengths, from the package periodictable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from tammann.errors import DataError

Radiation = Literal["xray", "neutron"]

LARGEST_B_A2 = 100.0
"""Displacement parameters beyond are a mistake of units."""


def scattering_amplitudes(
    species: Sequence[str], q_per_A: np.ndarray, *, radiation: Radiation = "xray"
) -> dict[str, np.ndarray]:
    """Return what one atom of each element scatters.

    X-rays: f(Q) of the neutral atom in electrons, five Gaussians and a constant, valid to 75 per Å; anomalous
    dispersion is left out. Neutrons: the bound coherent scattering length b of the natural element, fm, real part.

    Args:
        species: Symbols of elements.
        q_per_A: Shape (K,), Q = 4 pi sin(theta)/lambda, 1/Å.
        radiation: ``xray`` or ``neutron``.

    Returns:
        Symbol to amplitude, shape (K,), electrons or fm.

    Raises:
        DataError: An unknown radiation, or an element without a tabulated amplitude.

    Reference:
        Waasmaier and Kirfel, Acta Cryst. A 1995, 51, 416, doi 10.1107/S0108767394013292; Rauch and Waschkowski in
        Neutron Data Booklet, 2nd ed. (2003), both as carried by periodictable (public domain).

    Example:
        >>> zirconium = scattering_amplitudes(["Zr"], np.array([0.0, 3.0]))["Zr"]
        >>> zirconium.round(2).tolist()
        [39.98, 29.65]
        >>> scattering_amplitudes(["S"], np.zeros(1), radiation="neutron")["S"].tolist()
        [2.847]
    """
    from periodictable import elements
    from periodictable.cromermann import fxrayatq

    if radiation not in get_args(Radiation):
        raise DataError(f"radiation is {radiation!r}, expected 'xray' or 'neutron'.")
    q = np.asarray(q_per_A, dtype=float)
    found: dict[str, np.ndarray] = {}
    for symbol in species:
        try:
            if radiation == "xray":
                amplitude = fxrayatq(symbol, q)
            else:
                length = elements.symbol(symbol).neutron.b_c
                if length is None:
                    raise ValueError
                amplitude = np.full(q.shape, length)
        except (KeyError, ValueError):
            known = "form factor" if radiation == "xray" else "scattering length"
            raise DataError(f"element {symbol!r} has no tabulated {known}; rename or leave out its atoms.") from None
        found[symbol] = np.asarray(amplitude, dtype=float)
    return found


def debye_waller(
    species: Sequence[str],
    q_per_A: np.ndarray,
    *,
    b_iso_A2: Mapping[str, float] | float | None = None,
    u_iso_A2: Mapping[str, float] | float | None = None,
) -> dict[str, np.ndarray]:
    """Return the factor by which thermal motion lowers the amplitude of each element.

    T(Q) = exp(-U Q²/2) = exp(-B Q²/(16 pi²)), U the mean square displacement along one direction, B = 8 pi² U.

    Args:
        species: Symbols of elements.
        q_per_A: Shape (K,), 1/Å.
        b_iso_A2: B, Å², of each element or of all; elements not named do not move.
        u_iso_A2: U, Å², in its place.

    Returns:
        Symbol to factor, shape (K,).

    Raises:
        DataError: Both are given, an element that the structure lacks, or a value below 0 or beyond B = 100 Å².

    Example:
        >>> debye_waller(["Ba"], np.array([0.0, 4.0]), u_iso_A2=0.01)["Ba"].round(4).tolist()
        [1.0, 0.9231]
    """
    if b_iso_A2 is not None and u_iso_A2 is not None:
        raise DataError("b_iso_A2 and u_iso_A2 are both given, expected one: B = 8 pi² U.")
    name, given = ("b_iso_A2", b_iso_A2) if u_iso_A2 is None else ("u_iso_A2", u_iso_A2)
    per = dict(given) if isinstance(given, Mapping) else dict.fromkeys(species, given or 0.0)
    strange = sorted(set(per) - set(species))
    if strange:
        raise DataError(f"{name} names {', '.join(strange)}, expected elements of the structure: {', '.join(species)}.")
    scale = 1.0 if name == "b_iso_A2" else 8.0 * np.pi**2
    for symbol, value in per.items():
        if not 0.0 <= value * scale <= LARGEST_B_A2:
            raise DataError(f"{name} of {symbol} is {value:g} Å², expected B = 8 pi² U between 0 and {LARGEST_B_A2:g}.")
    squared = np.asarray(q_per_A, dtype=float) ** 2
    return {symbol: np.exp(-scale * per.get(symbol, 0.0) * squared / (16.0 * np.pi**2)) for symbol in species}
