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


_TOKEN = re.compile(r"([A-Z][a-z]?)(\d*)|(\()|(\))(\d*)")


@lru_cache(maxsize=4096)
def _parse(formula: str) -> tuple[tuple[str, int], ...]:
    wrong = DataError(
        f"formula {formula!r} cannot be read: expected symbols and whole numbers, such as Ba4Ti13O30 or Ba(OH)2"
    )
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
