"""The reactions that happen where two precursors touch, in any ratio: the interface reaction hull."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tammann.composition import parse_formula
from tammann.reactions import balanced_combinations
from tammann.synthesis.exchange import HALOGENS, VOLATILE, OpenSystem


@dataclass(frozen=True, eq=False)
class InterfaceReactions:
    """All balanced reactions of two solids to one or two others, gases coming and going.

    Energies per atom of the two solids are functions of the ratio alone, whatever gas is exchanged: a straight line in
    ``fraction`` is a mixture of two reactions.

    Attributes:
        first, second: The two solids.
        fraction: Share of the atoms of the two that ``second`` brings, shape (R,).
        energy_eV_per_atom: Gibbs energy per atom of the two solids, shape (R,).
        products: Positions of the solids formed among the phases, shape (R, 2), -1 where there is one.
        amounts: Formula units per atom of the two solids: of the first and the second, negative, and of the products,
            shape (R, 4).
    """

    first: str
    second: str
    fraction: np.ndarray
    energy_eV_per_atom: np.ndarray
    products: np.ndarray
    amounts: np.ndarray

    def __len__(self) -> int:
        return len(self.fraction)

    def forming(self, position: int) -> np.ndarray:
        """Return which reactions form a phase, shape (R,), bool."""
        return (self.products == position).any(axis=1)


def interface_reactions(
    system: OpenSystem, first: str, second: str, *, stays: Iterable[str] = ()
) -> InterfaceReactions:
    """Return the reactions between two solids that both of them are needed for.

    A reaction a A + b B (+ gases) -> c C (+ d D) (+ gases) counts where its coefficients are unique in the elements
    that no gas carries; the decomposition of one of the solids alone does not count, since it competes with nothing.
    All solids of the system with an energy may form, but a reaction may take up only gases that the atmosphere holds.

    Args:
        system: Phases and gases.
        first: A solid with an energy.
        second: Another.
        stays: Halogens that no gas carries away.

    Example:
        >>> from tammann.synthesis.exchange import Surroundings
        >>> from tammann.thermo import load_phases
        >>> system = OpenSystem(load_phases("Ba-Ti-O"), Surroundings(1300.0, {"O2": 21000.0}))
        >>> found = interface_reactions(system, "BaO", "TiO2")
        >>> system.phases[int(found.products[found.energy_eV_per_atom.argmin(), 0])].formula
        'BaTiO3'
    """
    ends = [system.solid_units(formula)[0] for formula in (first, second)]
    volatile = tuple(e for e in VOLATILE if not (e in HALOGENS and e in set(stays)))
    held = set().union(*(parse_formula(g) for g in system.surroundings.partial_pressure_Pa))
    mine = set(parse_formula(first)) | set(parse_formula(second))
    outside = [i for i, e in enumerate(system.elements) if e not in mine | held]
    staying = [i for i, e in enumerate(system.elements) if e in mine and e not in volatile]
    others = [
        i
        for i in system.solids
        if i not in ends and not system.matrix[i, outside].any() and system.matrix[i, staying].any()
    ]
    places = np.array([*ends, *others])
    rows = system.matrix[places]
    coefficients, products, energies = [], [], []
    for closed in (False,) if "O2" in system.surroundings.partial_pressure_Pa else (False, True):
        reduced = system.reduced(rows, volatile, closed=closed)
        for number in (1, 2):
            some = np.array(list(combinations(range(2, len(places)), number)), dtype=np.int64).reshape(-1, number)
            members, nu = balanced_combinations(
                reduced, np.column_stack([np.broadcast_to([0, 1], (len(some), 2)), some])
            )
            nu = nu * -np.sign(nu[:, :1])
            good = (nu[:, :2] < 0).all(axis=1) & (nu[:, 2:] > 0).all(axis=1)
            members, nu = members[good], nu[good]
            over = -np.einsum("rk,rke->re", nu, rows[members])
            names, amounts, allowed = system.exchanged(over, volatile)
            members, nu, amounts = members[allowed], nu[allowed], amounts[allowed]
            energy = (nu * system.gibbs_eV[places[members]]).sum(axis=1)
            energy += amounts @ np.array([system.potential_eV(g) for g in names]).reshape(len(names))
            coefficients.append(np.pad(nu, ((0, 0), (0, 2 - number))))
            products.append(np.pad(places[members[:, 2:]], ((0, 0), (0, 2 - number)), constant_values=-1))
            energies.append(energy)
    nu, formed, energy = np.concatenate(coefficients), np.concatenate(products), np.concatenate(energies)
    _, once = np.unique(np.column_stack([formed, nu]), axis=0, return_index=True)
    nu, formed, energy = nu[once], formed[once], energy[once]
    atoms = system.matrix.sum(axis=1)
    used = -nu[:, :2] * atoms[ends]
    total = used.sum(axis=1)
    return InterfaceReactions(first, second, used[:, 1] / total, energy / total, formed, nu / total[:, None])


def lower_hull(fraction: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Return the corners of the lower hull of points and of the two ends, (0, 0) and (1, 0), shape (V, 2).

    Points above zero do not count. The corners are in order of the fraction, the ends with them.

    Example:
        >>> import numpy as np
        >>> lower_hull(np.array([0.5, 0.7]), np.array([-1.0, -0.1])).tolist()
        [[0.0, 0.0], [0.5, -1.0], [1.0, 0.0]]
    """
    below = [(float(x), float(e)) for x, e in zip(fraction, energy, strict=True) if e < 0]
    points = sorted({(0.0, 0.0), (1.0, 0.0), *below})
    corners: list[tuple[float, float]] = []
    for point in points:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 1e-12:
            corners.pop()
        corners.append(point)
    return np.array(corners)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
