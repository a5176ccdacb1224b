"""Formulas and atomic masses: what a chemist's shorthand says of atoms."""

import math
import re
from collections.abc import Mapping
from functools import cache, lru_cache

from tammann.errors import DataError
from tammann.systems import read_rows


@cache
def atomic_masses() -> Mapping[str, float]:
    """Return the standard molar masses of the elements, g/mol, by symbol.

    Example:
        >>> round(atomic_masses()["O"], 2)
        16.0
    """
    return {row["element"]: float(row["molar_mass_g_per_mol"]) for row in read_rows("elements/atomic_masses.csv")}


_SYMBOL = re.compile(r"[A-Z][a-z]?")
_PLAIN = re.compile(r"([A-Z][a-z]?)(\d*)")
_TOKEN = re.compile(r"([A-Z][a-z]?)(\d*)|(\()|(\))(\d*)")


@lru_cache(maxsize=4096)
def _parse(formula: str) -> tuple[tuple[str, int], ...]:
    wrong = DataError(
        f"formula {formula!r} cannot be read: expected symbols and whole numbers, such as Ba4Ti13O30 or Ba(OH)2"
    )
    counts: dict[str, int] = {}
    symbols = _PLAIN.findall(formula)
    if "".join(map("".join, symbols)) == formula:  # without brackets, as most are: read at once
        for element, count in symbols:
            if count.startswith("0") or element not in atomic_masses():
                break  # said below
            counts[element] = counts.get(element, 0) + int(count or 1)
        else:
            if counts:
                return tuple(counts.items())
    stack: list[dict[str, int]] = [{}]
    position = 0
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None:
            raise wrong
        element, count, opening, closing, times = match.groups()
        if (count or "").startswith("0"):
            raise DataError(
                f"formula {formula!r} has the number {count}: expected whole numbers from 1; is the letter O meant?"
            )
        if element:
            if element not in atomic_masses():
                raise DataError(f"formula {formula!r} has {element!r}, which is not an element; check its spelling")
            stack[-1][element] = stack[-1].get(element, 0) + int(count or 1)
        elif opening:
            stack.append({})
        elif closing:
            if len(stack) == 1:
                raise wrong
            for symbol, amount in stack.pop().items():
                stack[-1][symbol] = stack[-1].get(symbol, 0) + amount * int(times or 1)
        position = match.end()
    if len(stack) != 1 or not stack[0] or min(stack[0].values()) < 1:
        raise wrong
    return tuple(stack[0].items())


def parse_formula(formula: str) -> dict[str, int]:
    """Count the atoms of one formula unit, as the formula is written; ``(g)`` at its end marks a gas.

    Raises:
        DataError: Anything else than element symbols, whole numbers and matched brackets.

    Example:
        >>> parse_formula("Ba4Ti13O30")
        {'Ba': 4, 'Ti': 13, 'O': 30}
        >>> parse_formula("Ba(OH)2")
        {'Ba': 1, 'O': 2, 'H': 2}
        >>> parse_formula("P4O10(g)")
        {'P': 4, 'O': 10}
    """
    return dict(_parse(formula.strip().removesuffix("(g)")))


def elements_of(formula: str) -> frozenset[str]:
    """Return the symbols in a formula that is known to be right, without reading it closely.

    Example:
        >>> sorted(elements_of("Ba(OH)2"))
        ['Ba', 'H', 'O']
    """
    return frozenset(_SYMBOL.findall(formula))


def composition_key(composition: str | Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return a key that is the same for all multiples and spellings of one formula.

    Args:
        composition: A formula, or how many atoms of each element it holds.

    Raises:
        DataError: The formula cannot be read.

    Example:
        >>> composition_key("Ti2O4") == composition_key({"O": 2, "Ti": 1})
        True
    """
    return _key(_parse(composition.strip()) if isinstance(composition, str) else tuple(composition.items()))


@lru_cache(maxsize=4096)
def _key(counts: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    divisor = math.gcd(*(count for _, count in counts))
    return tuple(sorted((element, count // divisor) for element, count in counts))


_ORDER = (
    "Cs Rb K Na Li Ra Ba Sr Ca Mg Be La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Ac Th Pa U Np Pu Am Y Sc Tl Ag Au Hg "
    "Cd Pb Zn Cu Pd Pt Ni Rh Ir Co Ru Os Mn Re Tc Fe In Ga Al Cr V Ti Zr Hf Nb Ta Mo W Bi Sb As Sn Ge Si B P C N Te Se "
    "S At I Br Cl O F"
).split()
_RANK = {element: n for n, element in enumerate(_ORDER)}
_NONMETALS = frozenset("B P C N Te Se S I Br Cl O F H Si As Sb Ge".split())
_OXYANIONS = {"S": 4, "P": 4, "C": 3, "N": 3}


def conventional_formula(composition: Mapping[str, int]) -> str:
    """Spell a formula as chemists do: metals first, hydroxides and salts of oxyacids with brackets.

    Args:
        composition: Atoms per formula unit, which stays as large as it is.

    Example:
        >>> [conventional_formula(parse_formula(f)) for f in ("TiSrO3", "CaH2O2", "O12S3Fe2", "H4NCl", "HAlO2")]
        ['SrTiO3', 'Ca(OH)2', 'Fe2(SO4)3', 'NH4Cl', 'AlOOH']
    """
    atoms = {e: composition[e] for e in sorted(composition, key=lambda e: (_RANK.get(e, -1), e)) if e != "H"}
    metals = {e: n for e, n in atoms.items() if e not in _NONMETALS}
    rest = {e: n for e, n in atoms.items() if e in _NONMETALS}
    hydrogen = {"H": composition["H"]} if "H" in composition else {}
    n_hydrogen, oxygen = hydrogen.get("H", 0), rest.get("O", 0)
    if not metals and n_hydrogen and n_hydrogen == 4 * rest.get("N", 0):
        return _grouped("NH4", rest.pop("N")) + _joined(rest)
    if not metals and hydrogen and oxygen:  # an acid
        return _joined({**hydrogen, **rest})
    if metals and hydrogen and rest.keys() == {"O"} and oxygen >= n_hydrogen:
        left = {"O": oxygen - n_hydrogen} if oxygen > n_hydrogen else {}
        return _joined({**metals, **left}) + _grouped("OH", n_hydrogen)
    if metals and not hydrogen and len(rest) == 2 and oxygen:
        centre = next(iter(rest))
        if rest[centre] > 1 and oxygen == _OXYANIONS.get(centre, 0) * rest[centre]:
            return _joined(metals) + _grouped(f"{centre}O{_OXYANIONS[centre]}", rest[centre])
    if oxygen or rest.keys() & {"F", "Cl", "Br", "I"}:
        return _joined({**metals, **hydrogen, **rest})
    return _joined({**metals, **rest, **hydrogen})


def _joined(counts: Mapping[str, int]) -> str:
    return "".join(f"{e}{n if n > 1 else ''}" for e, n in counts.items())


def _grouped(group: str, n: int) -> str:
    return f"({group}){n}" if n > 1 else group
