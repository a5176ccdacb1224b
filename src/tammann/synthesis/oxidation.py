"""Whether the oxidation states of a compound's elements can add up to zero."""

from __future__ import annotations

from collections.abc import Mapping

from tammann.thermo.oxidation_states import known_states

_NON_METALS = frozenset({"C", "N", "S", "O"})
_RANGES = {"C": (-4, 4), "N": (-3, 5), "S": (-2, 6), "O": (-2, -1)}


def states_balance(composition: Mapping[str, int]) -> bool:
    """Tell whether sum_e n_e z_e = 0 is possible with every z_e between an element's lowest and highest state.

    Mixed valence is allowed, peroxide too; halogens are positive only, and hydrogen is, beside oxygen. A metal alone or
    with other metals is always balanced, and so is what has an element without known states.

    Args:
        composition: Atoms by element.

    Example:
        >>> states_balance({"Sr": 1, "Ti": 1, "O": 3}), states_balance({"Na": 1, "Ti": 1, "O": 9})
        (True, False)
    """
    states = known_states()
    if not all(element in states or element in _NON_METALS for element in composition):
        return True
    low = high = 0
    negative = False
    for element, n in composition.items():
        lowest, highest = _RANGES.get(element) or (min(states[element]), max(states[element]))
        if "O" not in composition and element in ("F", "Cl", "Br", "I"):
            highest = -1
        elif "O" in composition and element == "H":
            lowest = 1
        negative = negative or lowest < 0
        low, high = low + n * lowest, high + n * highest
    return not negative or low <= 0 <= high
