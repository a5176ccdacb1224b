"""Rigid ions with partial charges: potentials that need no training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.systems import read_rows
from tammann.units import COULOMB_EV_A


@dataclass(frozen=True)
class MorseRepulsion:
    """Short-range interaction of two ions: U = D {[1 - exp(-a (r - r0))]**2 - 1} + C/r**12.

    Attributes:
        depth_eV: D, eV.
        stiffness_per_A: a, 1/Å.
        distance_A: r0, Å.
        repulsion_eV_A12: C, eV Å**12; prevents the collapse of ions at short distances.
    """

    depth_eV: float
    stiffness_per_A: float
    distance_A: float
    repulsion_eV_A12: float


@dataclass(frozen=True)
class RigidIons:
    """A pair potential of charged ions: U = q_i q_j e2/(4 pi eps0 r) + the short-range part of the pair.

    Attributes:
        name: Name in plans and messages.
        charges: Partial charge of every element with parameters, in elementary charges.
        pairs: Short-range part by pair of elements; other pairs interact by their charges only.
        cutoff_A: Distance at which the short-range part has been switched off, Å.
        source: Reference.
    """

    name: str
    charges: Mapping[str, float] = field(repr=False)
    pairs: Mapping[tuple[str, str], MorseRepulsion] = field(repr=False)
    cutoff_A: float
    source: str

    def check(self, elements: Iterable[str], *, formula: str = "") -> None:
        """Refuse elements without parameters and, with a formula, charges that do not cancel.

        Raises:
            DataError: An element without parameters, or a charge per formula unit.

        Example:
            >>> pedone_2006().check(["Ba", "Ti", "O"], formula="Ba4Ti13O30")
        """
        unknown = sorted(set(elements) - set(self.charges))
        if unknown:
            raise DataError(
                f"{formula or 'structure'}: potential {self.name} has no parameters for {', '.join(unknown)}, only for "
                f"{', '.join(self.charges)}; choose another potential or composition."
            )
        if formula:
            refuse_charge(formula, self.charges, self.name)

    def short_range(self, first: str, second: str, r_A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energy, eV, and force -dU/dr, eV/Å, of the short-range part at distances of any shape, Å.

        Both are switched off smoothly over the last half Å before the cutoff.
        """
        pair = self.pairs.get((first, second)) or self.pairs.get((second, first))
        r = np.asarray(r_A, dtype=float)
        if pair is None:
            return np.zeros_like(r), np.zeros_like(r)
        x = np.exp(-pair.stiffness_per_A * (r - pair.distance_A))
        energy = pair.depth_eV * ((1.0 - x) ** 2 - 1.0) + pair.repulsion_eV_A12 / r**12
        force = -2.0 * pair.depth_eV * pair.stiffness_per_A * (1.0 - x) * x + 12.0 * pair.repulsion_eV_A12 / r**13
        # quintic: two derivatives vanish at either end
        u = np.clip((r - self.cutoff_A) / SWITCH_A + 1.0, 0.0, 1.0)
        switch = 1.0 - u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
        slope = -30.0 * u**2 * (1.0 - u) ** 2 / SWITCH_A
        return energy * switch, force * switch - energy * slope

    def real_space(self, first: str, second: str, r_A: np.ndarray, screening: float) -> tuple[np.ndarray, np.ndarray]:
        """Return ``short_range`` plus the real-space Ewald part, q_i q_j e2 erfc(s r)/(4 pi eps0 r), s in 1/Å."""
        from scipy.special import erfc

        energy, force = self.short_range(first, second, r_A)
        product = COULOMB_EV_A * self.charges[first] * self.charges[second]
        screened = erfc(screening * r_A) / r_A
        slope = screened / r_A + 2.0 * screening / math.sqrt(math.pi) * np.exp(-((screening * r_A) ** 2)) / r_A
        return energy + product * screened, force + product * slope


SWITCH_A = 0.5


def refuse_charge(formula: str, charges: Mapping[str, float], name: str) -> None:
    """Refuse a composition with a net charge; ``name`` is that of the potential.

    Raises:
        DataError: A net charge per formula unit.

    Example:
        >>> refuse_charge("MgO", {"Mg": 2.0, "O": -2.0}, "full charges")
    """
    counts = parse_formula(formula)
    charge = sum(count * charges[element] for element, count in counts.items())
    if abs(charge) > 1e-6:
        parts = ", ".join(f"{element} {charges[element]:+g}" for element in counts)
        raise DataError(
            f"{formula}: its charges with {name} ({parts}) sum to {charge:+.2g} per formula unit instead of "
            "0; write a composition in which the oxidation states cancel."
        )


def pedone_2006() -> RigidIons:
    """Return the potential of Pedone et al. for silicates and oxides, restricted to ten elements.

    U = q_i q_j e2/(4 pi eps0 r) + D {[1 - exp(-a (r - r0))]**2 - 1} + C/r**12; the second and third term act between
    cations and oxygen and between oxygens.

    Reference:
        Pedone, Malavasi, Menziani, Cormack, Segre, J. Phys. Chem. B 2006, 110, 11780, doi 10.1021/jp0611018.

    Example:
        >>> pedone_2006().charges["Ti"]
        2.4
    """
    rows = read_rows("potentials/pedone-2006.csv")
    constants = [{key: float(text) for key, text in row.items() if key != "element"} for row in rows]
    charges = {row["element"]: numbers.pop("charge_e") for row, numbers in zip(rows, constants, strict=True)}
    return RigidIons(
        name="pedone-2006",
        charges=charges,
        pairs={(element, "O"): MorseRepulsion(**row) for element, row in zip(charges, constants, strict=True)},
        cutoff_A=8.0,
        source="Pedone et al., J. Phys. Chem. B 2006, 110, 11780, doi 10.1021/jp0611018",
    )
