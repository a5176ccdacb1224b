"""Coefficients that a model predicted: how they are told from measured ones, and what must be said of them."""

from __future__ import annotations

from collections.abc import Iterable

from tammann.composition import composition_key
from tammann.transport.onsager import OnsagerCoefficients
from tammann.transport.table import TransportTable

LEARNED = "learned"
"""First word of the source of every coefficient that no molecular dynamics has measured."""


def is_learned(entry: OnsagerCoefficients) -> bool:
    """Return whether coefficients are predictions of a learned model.

    Example:
        >>> import numpy as np
        >>> one = np.eye(1)
        >>> is_learned(OnsagerCoefficients("Li", 1000.0, ("Li",), one, one[0], source="learned: Li by hybrid"))
        True
    """
    return entry.source.startswith(LEARNED)


def learned_warnings(
    table: TransportTable | None, formulas: Iterable[str], *, coldest_K: float, hottest_K: float
) -> tuple[str, ...]:
    """Return what changes the answer of a run where learned coefficients serve its phases, as sentences.

    These are the table's own warnings of what is learned, and which learned compositions it has to carry beyond its
    temperatures.

    Args:
        table: Of the run, or None.
        formulas: Phases that may occur.
        coldest_K: Lowest temperature of the run, K.
        hottest_K: Highest, K.
    """
    present = {composition_key(formula) for formula in formulas}
    known: dict[str, list[float]] = {}
    for entry in table.entries if table is not None else ():
        if is_learned(entry) and composition_key(entry.formula) in present:
            known.setdefault(entry.formula, []).append(entry.temperature_K)
    if table is None or not known:
        return ()
    said = [warning for warning in table.warnings if warning.casefold().startswith(LEARNED)]
    beyond = [
        f"{formula} ({min(T):g} K)" if len(T) == 1 else f"{formula} ({min(T):g} to {max(T):g} K)"
        for formula, T in known.items()
        if coldest_K < min(T) - 1e-6 or hottest_K > max(T) + 1e-6
    ]
    if beyond:
        said.append(
            f"Between {coldest_K:g} and {hottest_K:g} K learned transport is carried beyond the temperatures of its "
            f"table: {', '.join(beyond)}."
        )
    return tuple(said)
