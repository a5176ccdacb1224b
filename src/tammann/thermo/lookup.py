"""Volume and melting point of a compound that its source does not state: measured where known, estimated otherwise."""

import math
from collections.abc import Mapping
from functools import cache

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.systems import SYSTEMS, read_rows
from tammann.thermo.estimates import estimated_melting_point, estimated_volume
from tammann.thermo.experiment import GRAPH_NETWORK_SOURCE, library_properties, measured_properties
from tammann.thermo.handbook import SOURCE as HANDBOOK
from tammann.thermo.handbook import handbook_properties
from tammann.thermo.janaf import janaf_solids

ESTIMATED = "estimated"
"""How the source of an estimate begins."""


@cache
def _estimated_melting_points() -> Mapping[tuple[tuple[str, int], ...], float]:
    return {composition_key(r["formula"]): float(r["melting_point_ml_K"]) for r in read_rows(SYSTEMS["Ba-Ti-O"].phases)}


def measured_melting_point(composition: Mapping[str, int]) -> tuple[float, str]:
    """Return a measured melting or decomposition point, K, and its source; NaN where there is none.

    It is that of the NIST-JANAF tables, of those that ship with the package, or of the handbook that the optional
    package ``chemicals`` carries.

    Example:
        >>> measured_melting_point({"Mg": 1, "O": 1})[0]
        3105.0
    """
    janaf = janaf_solids(composition).get(composition_key(composition))
    if janaf is not None and math.isfinite(janaf.melting_point_K):
        return janaf.melting_point_K, janaf.melting_point_source
    for measured in (measured_properties(composition), library_properties(composition)):
        if measured is not None and math.isfinite(measured.melting_point_K):
            return measured.melting_point_K, measured.melting_point_source
    handbook = handbook_properties(composition)
    if handbook is not None and math.isfinite(handbook.melting_point_K):
        return handbook.melting_point_K, f"measured, {handbook.name}: {HANDBOOK}"
    return math.nan, ""


def measured_volume(composition: Mapping[str, int]) -> tuple[float, str]:
    """Return a measured volume, Angstrom^3 per atom, and its source; NaN where there is none."""
    for measured in (measured_properties(composition), library_properties(composition)):
        if measured is not None and math.isfinite(measured.volume_A3_per_atom):
            return measured.volume_A3_per_atom, f"measured, {measured.structure}: {measured.volume_source}"
    handbook = handbook_properties(composition)
    if handbook is not None and math.isfinite(handbook.volume_A3_per_atom):
        return handbook.volume_A3_per_atom, f"measured, {handbook.name}: {HANDBOOK}"
    return math.nan, ""


def find_melting_point(
    composition: Mapping[str, int], formation_energy_eV_per_atom: float, volume_A3_per_atom: float
) -> tuple[float, str]:
    """Return a melting or decomposition point, K, and its source: measured, or estimated; NaN for an element unknown.

    Args:
        composition: Atoms by element.
        formation_energy_eV_per_atom: From the elements.
        volume_A3_per_atom: Angstrom^3 per atom.

    Example:
        >>> find_melting_point({"Mg": 7, "Si": 5, "O": 17}, -3.2, 10.4)[1][:24]
        'estimated by a regressio'
    """
    known, source = measured_melting_point(composition)
    if math.isfinite(known):
        return known, source
    key = composition_key(composition)
    if key in _estimated_melting_points():
        return _estimated_melting_points()[key], GRAPH_NETWORK_SOURCE
    if len(composition) == 1:
        return math.nan, ""
    try:
        value, _, source = estimated_melting_point(composition, formation_energy_eV_per_atom, volume_A3_per_atom)
    except DataError:
        return math.nan, ""
    return value, source


def find_volume(composition: Mapping[str, int]) -> tuple[float, str]:
    """Return a volume, Angstrom^3 per atom, and its source: measured, or estimated.

    Raises:
        DataError: None is known, and an element has no increment to estimate it from.

    Example:
        >>> round(find_volume({"Ti": 1, "O": 2})[0], 1)
        10.4
    """
    known, source = measured_volume(composition)
    if math.isfinite(known):
        return known, source
    value, _, source = estimated_volume(composition)
    return value, source
