"""Anions whose computed energies err beside measured gases: carbonates, nitrates, sulfates, peroxides, superoxides.

A generalised-gradient functional binds C, N and S in their oxyanions, and oxygen in peroxides, otherwise than in the
binary oxides that corrections of oxygen are fitted to. Beside CO2, NO2, SO2 and O2 from measured tables the errors do
not cancel: uncorrected, CaCO3 decomposes some 700 K too high.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, product

from tammann.composition import composition_key
from tammann.thermo.equilibrium import decomposition_temperature
from tammann.thermo.oxidation_states import known_states
from tammann.thermo.phase import Phases

CARBONATE_CORRECTION_EV = 0.830
"""eV per CO3, to be added to energies of the Materials Project (MP2020 corrections included) beside measured CO2.

Fitted to measured enthalpies in the package reaction-network (data/fit_carbonate_correction.ipynb).
"""

Groups = Mapping[str, float]
"""How many groups of each kind a formula unit holds."""

_CENTRES = {
    # oxyanion, its O per centre, and oxidation states with their cost: the oxyanion's own first
    "C": ("carbonate", 3, {4: 0, -4: 1, 3: 3, 2: 5, 0: 5, -1: 5}),
    "N": ("nitrate", 3, {5: 0, -3: 0, 3: 3}),
    "S": ("sulfate", 4, {6: 0, -2: 0, 4: 3, 2: 3, 3: 5, 5: 5, -1: 5}),
}
_ODD = 5  # cost of an element as anion that is one seldom: hydride, phosphide
_MIXED = 20  # cost of an element in several states; more than those of single states
_NOT_CATIONS = frozenset({"H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"})
_HOLES = frozenset({"Mn", "Fe", "Co", "Ni", "Cu", "Ru", "Rh", "Pd", "Ag", "Os", "Ir", "Pt", "Au"})
"""Metals whose oxides may hold holes in place of peroxide."""


def anion_groups(composition: Mapping[str, int]) -> list[Groups]:
    """Return the groups that need a correction in a compound, by the balance of charge; several where it leaves open.

    Cations take the states of the shipped table, C, N and S those of their common anions (N that of ammonium, too), and
    oxygen is O2-; a balance with the commonest states is preferred, mixed valence comes last. Only what no cation can
    balance is peroxide, then superoxide, then ozonide. Where two balances are equally good, both are returned.

    Args:
        composition: Atoms by element, in a formula unit or any multiple.

    Returns:
        Groups per formula unit as given: ``carbonate``, ``nitrate``, ``sulfate``, ``pyrosulfate`` (S2O7), ``peroxide``
        (O2 2-), ``superoxide`` (O2 -), ``ozonide`` (O3 -), or ``peroxosulfate`` and the like where oxygen of the group
        itself is peroxide; an empty mapping where there are none.

    Example:
        >>> from tammann.composition import parse_formula
        >>> [anion_groups(parse_formula(f)) for f in ("CaCO3", "Al4O4C", "BaO2", "TiO2")]
        [[{'carbonate': 1.0}], [{}], [{'peroxide': 1.0}], [{}]]
    """
    key = composition_key(composition)
    units = sum(composition.values()) / sum(n for _, n in key)
    return [{kind: n * units for kind, n in groups} for groups in _groups(key)]


@lru_cache(maxsize=4096)
def _groups(key: tuple[tuple[str, int], ...]) -> list[tuple[tuple[str, float], ...]]:
    elements = dict(key)
    salt = set(elements) - _NOT_CATIONS or ("N" in elements and elements.get("H", 0) >= 4)  # of a metal or ammonium
    if "O" not in elements or not salt or not set(elements) <= {*known_states(), *_CENTRES, "O"}:
        return [()]
    found: dict[tuple[tuple[str, float], ...], tuple[int, ...]] = {}
    for units in (1, 2):  # a peroxide group may be shared by two formula units
        if any(not odd for odd, *_ in found.values()):
            break
        for groups, (odd, excess, cost) in _balances({e: n * units for e, n in elements.items()}):
            shared = tuple((kind, n / units) for kind, n in groups.items() if n)
            rank = (odd, units, excess, cost)
            found[shared] = min(rank, found.get(shared, rank))
    best = min(found.values(), default=(0, 0, 0, 0))
    likely = sorted((groups for groups, rank in found.items() if rank == best), reverse=True)
    holes = best[2] > 0 and bool(_HOLES & set(elements))
    return likely + [()] * (not likely or (holes and () not in likely))


def _balances(elements: Mapping[str, int]) -> Iterator[tuple[dict[str, int], tuple[bool, int, int]]]:
    """Yield groups that balance the charges, and their rank.

    It is whether C, N or S has odd states, by how much the charge of O2- alone would exceed that of all others, and the
    cost of the states.
    """
    cations = {0: 0}  # lowest cost of each total charge
    for element in elements.keys() - _CENTRES.keys() - {"O"}:
        options = _options(elements[element], known_states()[element])
        cations = _cheapest((q + p, cost + extra) for q, cost in cations.items() for p, extra in options.items())
    for choice in _choices(elements):
        groups = {_CENTRES[e][0]: n for e, (n, *_) in choice.items()}
        free = elements["O"] - sum(_CENTRES[e][1] * n for e, (n, *_) in choice.items())
        if free < 0 and -2 * free <= groups.get("sulfate", 0):  # each O that is lacking bridges two sulfate groups
            groups |= {"sulfate": groups["sulfate"] + 2 * free, "pyrosulfate": -free}
            free = 0
        reduced = any(n < elements[e] for e, (n, *_) in choice.items() if e != "N")
        oxidising = "N" in choice and choice["N"][1] > -3 * elements["N"]  # nitrate or nitrite
        if free < 0 or (reduced and oxidising):
            continue
        states = sum(cost for *_, cost in choice.values())
        total = 2 * elements["O"] - sum(charge for _, charge, _ in choice.values())
        # no peroxide beside what it would oxidise
        for charge in cations if states <= len(choice) else {total} & set(cations):
            for peroxo in _peroxo(total - charge, free, [kind for kind, n in groups.items() if n]):
                yield groups | peroxo, (states >= _MIXED, total - charge, cations[charge] + states)


def _choices(elements: Mapping[str, int]) -> Iterator[dict[str, tuple[int, int, int]]]:
    """Yield the states of C, N and S, of which one at most is odd: as ``_of_centre``, by element."""
    options = {e: list(_of_centre(e, elements)) for e in _CENTRES if e in elements}
    usual = {e: [state for state in states if state[2] < _MIXED] for e, states in options.items()}
    for odd in (None, *options):
        lists = usual if odd is None else usual | {odd: [s for s in options[odd] if s not in usual[odd]]}
        yield from (dict(zip(options, choice, strict=True)) for choice in product(*lists.values()))


def _options(n: int, states: tuple[int, ...]) -> dict[int, int]:
    """Return the lowest cost of each total charge that n atoms can have."""
    low = min((s for s in states if s > 0), default=0)
    mixed = ((q, _MIXED) for q in range(n * low, n * max(states) if len(states) > 1 else 0))
    single = ((n * s, rank + _ODD * (s < 0 < rank)) for rank, s in enumerate(states))
    return _cheapest(chain(single, mixed))


def _cheapest(options: Iterator[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for charge, cost in options:
        found[charge] = min(cost, found.get(charge, cost))
    return found


def _of_centre(element: str, elements: Mapping[str, int]) -> Iterator[tuple[int, int, int]]:
    """Yield how many atoms of a centre may be in its oxyanion, the charge of all its atoms, and the cost."""
    n, costs = elements[element], _CENTRES[element][2]
    top = next(iter(costs))
    for state, cost in costs.items():
        yield n * (state == top), n * state, cost
        for some in range(1, n) if state != top else ():
            yield some, some * top + (n - some) * state, _MIXED
    for charge in range(n * min(costs) + 1, n * top):
        yield 0, charge, _MIXED
    for ammonium in range(1, min(n, elements.get("H", 0) // 4) + 1) if element == "N" else ():
        for state, cost in costs.items():
            rest = n - ammonium
            yield rest * (state == top), rest * state - 3 * ammonium, cost + 1


def _peroxo(excess: int, free: int, oxyanions: list[str]) -> list[dict[str, int]]:
    """Return the groups of oxygen that take up an excess of negative charge; none if nothing does."""
    if excess <= 0:
        return [{}] * (excess == 0)
    pairs, odd = divmod(excess, 2)
    if excess <= free and not odd:
        return [{"peroxide": pairs}]
    if free < excess and oxyanions and not odd:
        return [dict.fromkeys(oxyanions, 0) | {f"peroxo{oxyanions[-1]}": pairs}]
    if free < excess <= 1.5 * free and free % 2 == 0:
        return [{"peroxide": free // 2 - (excess - free), "superoxide": excess - free}]
    return [{"ozonide": free // 3}] * (0 < 3 * excess == 5 * free)


def named(groups: Groups) -> str:
    """Return groups in words.

    Example:
        >>> named({"carbonate": 1.0, "sulfate": 2.0}), named({})
        ('carbonate and 2 sulfate', 'none of these')
    """
    return " and ".join(kind if n == 1 else f"{n:g} {kind}" for kind, n in groups.items()) or "none of these"


def anion_correction(composition: Mapping[str, int], adjustments: str) -> tuple[float, str | None]:
    """Return what to add to a computed energy for the anions, eV per formula as given, and how they are corrected.

    Args:
        composition: Atoms by element.
        adjustments: Names, in lower case, of the corrections that the energy has: of pymatgen's scheme of 2020.

    Returns:
        The energy, and a sentence on all corrections of anions in it; None where there is none.
    """
    likely = anion_groups(composition)
    groups = likely[0] if len(likely) == 1 else {}
    energy, corrected = 0.0, {}
    for kind in ("peroxide", "superoxide", "ozonide"):
        if kind in groups and f"({kind})" in adjustments:
            corrected[kind] = f"the correction of {kind}s of the Materials Project (2020) is in the energies"
    if "carbonate" in groups and "carbonate" in adjustments:
        corrected["carbonate"] = "the entries carry a correction of carbonates"
    elif "carbonate" in groups and "mp2020" in adjustments:
        energy = CARBONATE_CORRECTION_EV * groups["carbonate"]
        corrected["carbonate"] = (
            f"{CARBONATE_CORRECTION_EV:.2f} eV per CO3 was added to the computed energies, as fitted to measured ones "
            "in the package reaction-network"
        )
    if "sulfate" in groups and "(s)" in adjustments:
        corrected["sulfate"] = "the correction of sulfides is in the energies, which sulfates should not have"
    others = {kind: n for kind, n in groups.items() if kind not in corrected}
    if corrected and others:
        corrected["others"] = f"no correction of {named(others)} was applied"
    return energy, "; ".join(corrected.values()) or None


def anion_warnings(phases: Phases, corrections: Mapping[str, str | None]) -> list[str]:
    """Return what should be said of anions, corrected in words or not (None) by formula, and of what follows."""
    kinds, unclear = {}, []
    for formula in corrections:
        likely = anion_groups(phases[formula].composition)
        if len(likely) > 1:
            unclear.append(f"{formula} ({', or '.join(map(named, likely))})")
        elif likely[0]:
            kinds[formula] = named(likely[0])
    found = []
    if unclear:
        found.append(
            f"anions that the composition leaves open, which were not corrected: {', '.join(unclear)}; check that the "
            "energies have the right correction"
        )
    for correction in sorted({corrections[f] or "" for f in kinds}):
        formulas = [f for f in kinds if (corrections[f] or "") == correction]
        names = ", ".join(f"{f} ({kinds[f]})" for f in formulas)
        size = f", of carbonates about -{CARBONATE_CORRECTION_EV:.2f} eV per CO3" if "carbonate" in names else ""
        what = correction or (
            f"no correction of the anion was applied; computed energies of such anions err beside measured gases{size}"
        )
        ends = [(f, decomposition_temperature(phases, f)) for f in formulas[:10]]
        told = ", ".join(f"{f} decomposes at {T:.0f} K" for f, T in ends if math.isfinite(T))
        found.append(f"{names}: {what}" + (f"; as it stands, with gases at 1 bar, {told}" if told else ""))
    return found
