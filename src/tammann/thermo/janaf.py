"""The crystals of the NIST-JANAF tables, which ship with the package."""

import math
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from tammann.composition import composition_key, elements_of, parse_formula
from tammann.systems import read_rows
from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.gibbs import TEMPERATURES_K

SOURCE = "NIST-JANAF tables, 4th ed. (1998)"
STANDARD_ERROR_KJ_PER_MOL_ATOMS = 2.0
"""The tables in text state no errors; printed ones are mostly below this."""
_COLUMNS = tuple(f"{T:g}" for T in TEMPERATURES_K)


@cache
def _rows() -> tuple[tuple[frozenset[str], dict[str, str]], ...]:
    return tuple((elements_of(row["formula"]), row) for row in read_rows("measured/janaf.csv"))


@cache
def _better_melting_points() -> Mapping[tuple[tuple[str, int], ...], tuple[float, str]]:
    return {
        composition_key(row["formula"]): (float(row["melting_point_K"]), row["melting_point_source"])
        for row in read_rows("measured/melting_points.csv")
    }


def janaf_solids(elements: Iterable[str]) -> Mapping[tuple[tuple[str, int], ...], MeasuredSolid]:
    """Return the crystals of NIST-JANAF made of some elements, by ``composition_key``; the elements are among them.

    An element is zero where its solid or liquid is stable at 1 bar, and positive above its boiling point. A few melting
    points are replaced by those of ``data/measured/melting_points.csv``: the tables let metastable quartz melt.

    Args:
        elements: Symbols; a crystal may hold any of them, and no other.

    Reference:
        Chase, NIST-JANAF Thermochemical Tables, 4th ed., J. Phys. Chem. Ref. Data Monograph 9 (1998).

    Example:
        >>> [solid.formula for solid in janaf_solids(["Mg", "C", "O"]).values()]
        ['C', 'Mg', 'Mg2C3', 'MgC2', 'MgCO3', 'MgO']
    """
    wanted = frozenset(elements)
    found = {}
    for held, row in _rows():
        if held <= wanted:
            key = composition_key(row["formula"])
            melts = float(row["melting_point_K"] or "nan")
            stated = (melts, f"measured: {SOURCE}" if math.isfinite(melts) else "")
            atoms = sum(parse_formula(row["formula"]).values())
            ends = float(row["table_ends_K"])
            source = f"{SOURCE}, {row['tables'].replace(' ', ', ')}"
            if ends < TEMPERATURES_K[-1]:
                source += f", extrapolated above {ends:g} K"
            found[key] = MeasuredSolid(
                row["formula"],
                np.array([float(row[T]) for T in _COLUMNS]),
                STANDARD_ERROR_KJ_PER_MOL_ATOMS * atoms if len(held) > 1 else 0.0,
                source,
                *_better_melting_points().get(key, stated),
            )
    return found
