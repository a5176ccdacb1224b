"""Melting points and volumes of inorganic compounds from the CRC Handbook, as the package ``chemicals`` carries them.

The package is optional and its tables are read as files, without importing it. They name compounds in words and by CAS
number, but density times molar volume is the molar mass, which together with the names of the elements tells the
formula.
"""

import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tammann.composition import atomic_masses, composition_key
from tammann.units import A3_IN_M3, AVOGADRO_PER_MOL

SOURCE = "CRC Handbook of Chemistry and Physics, as carried by chemicals"
_CONSTANTS = ("Misc", "Physical Constants of Inorganic Compounds.csv")
_VOLUMES = ("Density", "CRC Solid Inorganic Constant Densities.tsv")
_MASS_TOLERANCE = 5e-4  # atomic masses of different years
_LARGEST_MULTIPLE = 4  # mercury(I) chloride is Hg2Cl2
_STEMS = {
    "Li": "lithium", "Be": "beryl", "Na": "sodium", "Mg": "magnes", "Al": "alumin", "Si": "silic", "P": "phosph",
    "S": "sulf", "K": "potassium", "Ca": "calcium", "Sc": "scandium", "Ti": "titan", "V": "vanad", "Cr": "chrom",
    "Mn": "mangan", "Fe": "iron ferr", "Co": "cobalt", "Ni": "nickel", "Cu": "copper cupr", "Zn": "zinc",
    "Ga": "gall", "Ge": "german", "As": "arsen", "Se": "selen", "Br": "brom", "Rb": "rubidium", "Sr": "stront",
    "Y": "yttr", "Zr": "zircon", "Nb": "niob", "Mo": "molybd", "Ru": "ruthen", "Rh": "rhod", "Pd": "pallad",
    "Ag": "silver", "Cd": "cadmium", "In": "indium", "Sn": "tin stann", "Sb": "antimon stib", "Te": "tellur",
    "I": "iod", "Cs": "cesium", "Ba": "barium", "La": "lanthan", "Ce": "ceri", "Pr": "praseo", "Nd": "neodym",
    "Sm": "samar", "Eu": "europ", "Gd": "gadolin", "Tb": "terb", "Dy": "dyspros", "Ho": "holm", "Er": "erb",
    "Tm": "thul", "Yb": "ytterb", "Lu": "lutet", "Hf": "hafn", "Ta": "tantal", "W": "tungst", "Re": "rhen",
    "Os": "osm", "Ir": "irid", "Pt": "platin", "Au": "gold aur", "Hg": "mercur", "Tl": "thall", "Pb": "lead plumb",
    "Bi": "bismuth", "Th": "thor", "U": "uran", "Cl": "chlor", "F": "fluor", "B": "bor",
    "N": "nitr azid ammon cyan amid", "C": "carb cyan graphite diamond cementite",
}  # fmt: skip


_HYDROGEN = ("hydr", "ammon", "acid", "borane", "silane", "amide", "imide", "phosphine")


class HandbookProperties(NamedTuple):
    """Melting point and volume of a compound; NaN where the handbook gives none."""

    name: str
    melting_point_K: float
    volume_A3_per_atom: float


class _Row(NamedTuple):
    name: str
    molar_mass: float  # g/mol
    melting_point_K: float
    molar_volume: float  # m3/mol


def is_installed() -> bool:
    """Tell whether the package that carries the handbook is installed, with its tables."""
    return bool(_rows())


@cache
def _rows() -> tuple[_Row, ...]:
    """Read both tables, in the order of molar mass; nothing where the package is not installed."""
    found = find_spec("chemicals")
    if found is None or found.origin is None:
        return ()
    folder = Path(found.origin).parent
    volumes = {cells[0]: float(cells[2]) for cells in _cells(folder.joinpath(*_VOLUMES)) if cells[2]}
    rows = []
    for cas, name, melts, _, density in _cells(folder.joinpath(*_CONSTANTS)):
        if cas in volumes and density:
            mass = 1e3 * volumes[cas] * float(density)
            rows.append(_Row(name.lower(), mass, float(melts or "nan"), volumes[cas]))
    return tuple(sorted(rows, key=lambda row: row.molar_mass))


def _cells(path: Path) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:  # another version of the package
        return []
    return [line.split("\t") for line in lines[1:]]


@cache
def _by_tenth() -> Mapping[int, list[_Row]]:
    """Return the rows by molar mass in steps of 0.1 g/mol."""
    found: dict[int, list[_Row]] = {}
    for row in _rows():
        found.setdefault(round(10.0 * row.molar_mass), []).append(row)
    return found


def handbook_properties(composition: Mapping[str, int]) -> HandbookProperties | None:
    """Return melting point and volume of a compound or element, or None where the handbook lacks it.

    Of several forms the one with a melting point counts, then the one without a form in its name, then the densest.

    Example:
        >>> known = handbook_properties({"Y": 2, "O": 3})
        >>> known is None or (2700 < known.melting_point_K < 2720 and 14 < known.volume_A3_per_atom < 15.5)
        True
    """
    return _properties(composition_key(composition))


@cache
def _properties(key: tuple[tuple[str, int], ...]) -> HandbookProperties | None:
    unit = dict(key)
    n_atoms = sum(unit.values())
    mass = sum(count * atomic_masses()[element] for element, count in unit.items())
    found = []
    for multiple in range(1, 2 if len(unit) == 1 else _LARGEST_MULTIPLE + 1):
        tenth = round(10.0 * multiple * mass)
        for row in (row for near in range(tenth - 3, tenth + 4) for row in _by_tenth().get(near, ())):
            if abs(row.molar_mass / (multiple * mass) - 1.0) < _MASS_TOLERANCE and _names(row.name, unit):
                volume = row.molar_volume / (A3_IN_M3 * AVOGADRO_PER_MOL * multiple * n_atoms)
                order = (math.isfinite(row.melting_point_K), "(" not in row.name.split(" ", 1)[-1], -volume)
                found.append((order, HandbookProperties(row.name, row.melting_point_K, volume)))
    return max(found)[1] if found else None


def _names(name: str, unit: Mapping[str, int]) -> bool:
    """Tell whether a name holds every element of a formula but oxygen and hydrogen, and begins no word with another.

    Hydrates, hydroxides and oxides have to hold what they say.
    """
    if ("hydr" in name and "H" not in unit) or ("O" not in unit and ("ox" in name or "acid" in name)):
        return False
    if "H" in unit and not any(stem in name for stem in _HYDROGEN):
        return False
    stems = (_STEMS.get(element, "-").split() for element in unit if element not in ("O", "H"))
    words = re.findall(r"[a-z]+", name)
    foreign = (stem for element, text in _STEMS.items() if element not in unit for stem in text.split())
    return all(any(stem in name for stem in alternatives) for alternatives in stems) and not any(
        word.startswith(stem) for stem in foreign for word in words
    )
