"""Oxidation states from a formula alone: what estimates need, not a chemist's last word.

`anions.py` asks which oxyanions a compound holds; here every element gets one state, which may be a mean.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import combinations, product

from tammann.composition import composition_key
from tammann.systems import read_rows

_NONMETALS = {"C": (4, -4, 2, -1, 3, -2), "N": (-3, 5, 3, 1, -1), "S": (-2, 6, 4, -1, 2, 5), "O": (-2, -1)}
"""States of the elements that the table leaves to the oxyanions, commonest first."""
_ANIONS = {e: rank for rank, e in enumerate("F O Cl N Br I S Se C Te P H As B Si Ge Sb".split())}
"""Elements that can be anions, the most electronegative first (Pauling's scale as revised by Allred, 1961)."""
_SELDOM_ANION, _INVERTED = 3, 5


def oxidation_states(composition: Mapping[str, int]) -> dict[str, float]:
    """Return the likeliest oxidation state of each element, zero for all in an element or an alloy.

    The most electronegative element is the anion. Of the states that balance, the commonest win; where none does
    (Fe3O4), the metal that has the most states takes the mean that balances; in a suboxide all metals share it.

    Args:
        composition: Atoms by element, any multiple of the formula.

    Example:
        >>> oxidation_states({"Ca": 1, "Ti": 1, "O": 3}), oxidation_states({"Y": 1, "O": 1, "Cl": 1})
        ({'Ca': 2, 'Ti': 4, 'O': -2}, {'Y': 3, 'O': -2, 'Cl': -1})
        >>> round(oxidation_states({"Fe": 3, "O": 4})["Fe"], 2)
        2.67
    """
    states = dict(_states(composition_key(composition)))
    return {element: states[element] for element in composition}


@lru_cache(maxsize=8192)
def _states(key: tuple[tuple[str, int], ...]) -> tuple[tuple[str, float], ...]:
    counts = dict(key)
    anion = min(counts, key=lambda e: _ANIONS.get(e, len(_ANIONS)))
    if len(counts) == 1 or anion not in _ANIONS:
        return tuple((e, 0.0) for e in counts)
    table = _table()
    options = [list(_options(e, table.get(e, (3, 2, 4)), e == anion)) for e in counts]
    best: tuple[int, tuple[tuple[str, float], ...]] | None = None
    for choice in product(*options):
        states = dict(zip(counts, (state for state, _ in choice), strict=True))
        if sum(n * states[e] for e, n in counts.items()) == 0:
            cost = sum(extra for _, extra in choice) + _INVERTED * _inversions(states)
            if best is None or cost < best[0]:
                best = cost, tuple(states.items())
    return best[1] if best is not None else tuple(_mean_valence(counts, anion, table).items())


@cache
def known_states() -> Mapping[str, tuple[int, ...]]:
    """Return the oxidation states of each element of the shipped table, commonest first; C, N, S and O are not in it.

    Example:
        >>> known_states()["Ti"][0]
        4
    """
    rows = read_rows("elements/oxidation_states.csv")
    return {row["element"]: tuple(int(state) for state in row["states"].split()) for row in rows}


@cache
def _table() -> dict[str, tuple[int, ...]]:
    return {**known_states(), **_NONMETALS}


def _options(element: str, states: tuple[int, ...], is_anion: bool) -> Iterator[tuple[int, int]]:
    """Yield the states that an element may have, each with its cost."""
    if not is_anion:
        yield from ((state, rank) for rank, state in enumerate(states))
        return
    negative = [state for state in states if state < 0] or [-4 if element in ("Si", "Ge") else -1]
    yield from ((state, _SELDOM_ANION * rank) for rank, state in enumerate(negative))


def _inversions(states: Mapping[str, float]) -> int:
    """Count the pairs whose anion is the less electronegative of the two."""
    pairs = combinations(states.items(), 2)
    signed = [(a, b) if p < 0 < q else (b, a) for (a, p), (b, q) in pairs if p * q < 0]
    return sum(_ANIONS.get(negative, 99) > _ANIONS.get(positive, 99) for negative, positive in signed)


def _mean_valence(counts: Mapping[str, int], anion: str, table: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """Return states where single ones do not balance: the metal with most states takes what is left."""
    states: dict[str, float] = {}
    for e in counts:
        negative = [state for state in table.get(e, ()) if state < 0]
        if negative and (e == anion or e in ("O", "F", "Cl", "Br", "I")):
            states[e] = negative[0]
    metals = sorted((e for e in counts if e not in states), key=lambda e: -len(table.get(e, (3, 2, 4))))
    if not states or not metals:
        return dict.fromkeys(counts, 0.0)
    charge = -sum(counts[e] * z for e, z in states.items())
    usual = {e: float(table.get(e, (3,))[0]) for e in metals[1:]}
    rest = (charge - sum(counts[e] * z for e, z in usual.items())) / counts[metals[0]]
    if rest > 0.0:
        return states | usual | {metals[0]: rest}
    return states | dict.fromkeys(metals, charge / sum(counts[e] for e in metals))
