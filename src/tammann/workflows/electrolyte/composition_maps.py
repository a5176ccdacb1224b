"""Where the compositions of a campaign lie between their end members, and figures of what is known of them there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.plot.orderings import plot_composition_line, plot_composition_map, plot_formation_energies
from tammann.structures.ordering.disordered import element_of
from tammann.thermo.composition_hull import CompositionHull, composition_hull
from tammann.thermo.oxidation_states import oxidation_states
from tammann.workflows.electrolyte.plan import REFERENCE, ElectrolytePlan
from tammann.workflows.electrolyte.results import ElectrolyteResult
from tammann.workflows.electrolyte.structures import composition_of, own_end_members

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PROPORTIONAL = 1e-6


def exchanged_elements(plan: ElectrolytePlan) -> list[tuple[str, ...]]:
    """Return the elements that take each other's places from composition to composition, such as In and Y, Br and Cl.

    Of a host they share sites; of ordered structures they have one charge, and nothing else varies.

    Example:
        >>> exchanged_elements(ElectrolytePlan(structures=["BaO", "BaTiO3-cubic"], mobile="O", potential="pedone-2006"))
        []
    """
    groups = _sharing_sites(plan) if plan.host else _of_one_charge(plan)
    return [group for group in groups if len({_shares(plan.composition(name), group) for name in plan.names}) > 1]


def _sharing_sites(plan: ElectrolytePlan) -> list[tuple[str, ...]]:
    """Return the elements found on the sites of a label; those of labels with an element in common are one group."""
    by_label: dict[str, list[str]] = {}
    for host in plan.hosts.values():
        for label, occupancy in zip(host.labels, host.occupancies, strict=True):
            by_label.setdefault(label, []).extend(filter(None, map(element_of, occupancy)))
    groups: list[list[str]] = []
    for elements in by_label.values():
        same = [group for group in groups if set(group) & set(elements)]
        joined = list(dict.fromkeys([each for group in same for each in group] + elements))
        groups = [group for group in groups if group not in same] + [joined]
    return [tuple(group) for group in groups]


def _of_one_charge(plan: ElectrolytePlan) -> list[tuple[str, ...]]:
    rows = [plan.composition(name) for name in plan.names]
    by_charge: dict[float, list[str]] = {}
    known: dict[str, float] = {}
    for row in rows:
        charges = plan.charges or oxidation_states(row)
        for element in row:
            if known.setdefault(element, charges.get(element, math.nan)) != charges.get(element):
                return []
    for element, charge in known.items():
        group = [element] if element == plan.mobile else by_charge.setdefault(charge, [])
        if element not in group:
            group.append(element)
    groups = [tuple(group) for group in by_charge.values()]
    # of every group, and of the mobile ion, there must be as many in each formula unit
    totals = np.array([[sum(row.get(e, 0) for e in group) for group in [(plan.mobile,), *groups]] for row in rows])
    parts = totals / totals.sum(axis=1, keepdims=True)
    return groups if np.ptp(parts, axis=0).max() < PROPORTIONAL else []


def _shares(counts: Mapping[str, int], group: Sequence[str]) -> tuple[float, ...]:
    total = sum(counts.get(element, 0) for element in group)
    return tuple(round(counts.get(element, 0) / total, 6) if total else math.nan for element in group)


def composition_figures(result: ElectrolyteResult) -> list[tuple[str, Axes]]:
    """Return figures of stability and conductivity over the compositions, each with a sentence; none for one alone.

    Of two elements that take each other's places the axis is the share of one, of three a triangle, of two pairs a
    square. A system of more has no figure.
    """
    groups = exchanged_elements(result.plan)
    sizes = sorted(map(len, groups))
    if result.hull is None or sizes not in ([2], [3], [2, 2]):
        return []
    rows = _lowest(result, groups)
    if len(rows) < 2:
        return []
    found = [] if sizes == [3] else _formation(result, groups)
    points = np.array([point for point, _, _ in rows])
    above = np.array([energy for _, energy, _ in rows])
    sigma = np.array([values for _, _, values in rows])
    at = f"{result.plan.conductivity_at_K:g} K"
    if sizes == [2]:
        if np.isfinite(sigma[:, 0]).any():
            caption = f"Conductivity at {at} over the composition, with its 95 % band. Filled: stable; open: metastable"
            (a, b), low, high = groups[0], sigma[:, 1], sigma[:, 2]
            found.append((caption, plot_composition_line(
                points[:, 0], sigma[:, 0], above, label=f"{b} / ({a} + {b})", value_label=f"σ({at}) (S/cm)",
                band=(low, high),
            )))  # fmt: skip
        return found
    labels = groups[0] if sizes == [3] else tuple(f"{b} / ({a} + {b})" for a, b in groups)
    caption = "Compositions, with energies above the hull in meV/atom"
    with np.errstate(invalid="ignore", divide="ignore"):
        logarithm = np.log10(sigma[:, 0])
    try:
        drawn = plot_composition_map(
            points, above, labels=labels, values=logarithm, value_label=rf"$\log_{{10}}\,\sigma$({at}) (S/cm)"
        )
        found.append((f"{caption} and contours of the conductivity at {at}", drawn))
    except DataError:  # too few conductivities for contours
        found.append((caption, plot_composition_map(points, above, labels=labels)))
    return found


def _lowest(
    result: ElectrolyteResult, groups: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[float, ...], float, tuple[float, float, float]]]:
    """Return place, energy above the hull (eV/atom) and conductivity with its band (S/cm) of the lowest structures."""
    assert result.hull is not None
    measured = result.table().set_index("structure")
    lowest: dict[tuple[float, ...], tuple[float, str]] = {}
    for row in result.hull.to_dict("records"):
        name = str(row["structure"])
        if name.startswith(REFERENCE):
            continue
        counts = result.plan.composition(composition_of(result.plan, name))
        parts = [_shares(counts, group) for group in groups]
        place = parts[0] if len(parts[0]) == 3 else tuple(part[1] for part in parts)
        energy = float(row["above_hull_eV_per_atom"])
        if place not in lowest or energy < lowest[place][0]:
            lowest[place] = energy, name
    found = []
    for place, (energy, name) in sorted(lowest.items()):
        values = [math.nan] * 3
        if name in measured.index:
            columns = [f"sigma_NE{part}_S_per_cm" for part in ("", "_low", "_high")]
            values = [float(measured.loc[name, column]) for column in columns]
        found.append((place, energy, (values[0], values[1], values[2])))
    return found


def _formation(result: ElectrolyteResult, groups: Sequence[tuple[str, ...]]) -> list[tuple[str, Axes]]:
    hull, own = _hull(result)
    (_, b), *others = groups
    series = (others[0][1], others[0]) if others else None
    chosen = [k for k in own if bool(result.hull["selected"].iloc[k])]  # type: ignore[index]
    try:
        drawn = plot_formation_energies(hull, (b, groups[0]), series=series, kept=chosen, which=own)
    except DataError:  # no composition is a mixture of the end members
        return []
    return [
        ("Energies of formation from the end members; a line joins the lowest, a cross marks those selected", drawn)
    ]


def _hull(result: ElectrolyteResult) -> tuple[CompositionHull, list[int]]:
    """Return the hull that was written, and the numbers of the structures that are not references."""
    assert result.hull is not None
    rows = [parse_formula(str(formula)) for formula in result.hull["formula"]]
    energies = [e * sum(row.values()) for e, row in zip(result.hull["energy_eV_per_atom"], rows, strict=True)]
    names = [str(name) for name in result.hull["structure"]]
    ends = result.plan.selection.end_members or own_end_members(names, rows, np.array(energies))
    hull = composition_hull(rows, np.array(energies), end_members=ends)
    return hull, [k for k, name in enumerate(names) if not name.startswith(REFERENCE)]
