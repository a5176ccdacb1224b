"""Precursors that a laboratory has, and what they turn into when they are heated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.systems import read_rows

USUAL_KINDS = ("oxide", "carbonate", "hydroxide", "nitrate", "halide", "acetate", "oxalate", "ammonium")
"""Kinds that are tried where none are asked for."""


@dataclass(frozen=True)
class Precursor:
    """A compound that can be weighed in.

    Attributes:
        formula: Without crystal water.
        kind: ``oxide``, ``carbonate``, ``hydroxide``, ``nitrate``, ``halide``, ``acetate``, ``oxalate``, ``ammonium``,
            ``mixed-oxide``, ``element``, ``nitride``, ``sulfide`` or ``other``.
        decomposes_to: The next solid when it is heated in air, empty where it stays what it is.

    Example:
        >>> Precursor("SrCO3", "carbonate", "SrO").elements == {"Sr", "C", "O"}
        True
    """

    formula: str
    kind: str
    decomposes_to: str = ""

    @property
    def composition(self) -> dict[str, int]:
        """Atoms per formula unit."""
        return parse_formula(self.formula)

    @property
    def elements(self) -> frozenset[str]:
        """Symbols of its elements."""
        return frozenset(self.composition)


@cache
def load_precursors() -> tuple[Precursor, ...]:
    """Return the list that ships with the package.

    The header of ``data/measured/precursors.csv`` says where it is from.

    Example:
        >>> names = {precursor.formula: precursor for precursor in load_precursors()}
        >>> names["SrCO3"].decomposes_to, names["Sr(CH3COO)2"].decomposes_to
        ('SrO', 'SrCO3')
    """
    rows = read_rows("measured/precursors.csv")
    return tuple(Precursor(row["formula"], row["kind"], row["decomposes_to"]) for row in rows)


@cache
def _by_composition() -> Mapping[object, Precursor]:
    return {composition_key(precursor.composition): precursor for precursor in load_precursors()}


def choose_precursors(
    elements: Iterable[str], *, kinds: Iterable[str] = USUAL_KINDS, candidates: Iterable[str | Precursor] | None = None
) -> tuple[Precursor, ...]:
    """Return the precursors that hold none but the given elements.

    Args:
        elements: Symbols.
        kinds: Kinds of the shipped list.
        candidates: Formulas or precursors to choose from instead, whatever their kind; a formula that is on the list
            has its kind and decomposition from there.

    Raises:
        DataError: There is no such kind, or a formula cannot be read.

    Example:
        >>> [precursor.formula for precursor in choose_precursors({"Ba", "O", "C"}, kinds=["oxide", "carbonate"])]
        ['BaO', 'BaCO3', 'BaO2']
    """
    allowed = set(elements)
    if candidates is not None:
        chosen = [one if isinstance(one, Precursor) else _named(one) for one in candidates]
        return tuple(one for one in chosen if one.elements <= allowed)
    known = dict.fromkeys(precursor.kind for precursor in load_precursors())
    wanted = set(kinds)
    for kind in wanted:
        if kind not in known:
            raise DataError(f"kind of precursor {kind!r} is not on the list: expected {', '.join(known)}.")
    return tuple(one for one in load_precursors() if one.kind in wanted and one.elements <= allowed)


def _named(formula: str) -> Precursor:
    known = _by_composition().get(composition_key(parse_formula(formula)))
    return Precursor(formula, known.kind if known else "other", known.decomposes_to if known else "")


def decomposition_chain(precursor: Precursor) -> tuple[str, ...]:
    """Return the precursor and the solids it turns into one after the other.

    Example:
        >>> decomposition_chain(Precursor("Sr(CH3COO)2", "acetate", "SrCO3"))
        ('Sr(CH3COO)2', 'SrCO3', 'SrO')
    """
    chain = [precursor.formula]
    following = precursor.decomposes_to
    while following and following not in chain:
        chain.append(following)
        known = _by_composition().get(composition_key(following))
        following = known.decomposes_to if known is not None else ""
    return tuple(chain)
