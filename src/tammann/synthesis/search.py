"""All balanced sets of precursors of one target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.reactions import Reaction, balanced_combinations
from tammann.synthesis.exchange import HALOGENS, VOLATILE, OpenSystem
from tammann.synthesis.heating import solids_when_hot
from tammann.synthesis.precursor_list import Precursor
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.thermo import Phase

SALT_CATIONS = ("Li", "Na", "K")
"""Cations of by-products in metathesis: their halides wash out with water."""

_SALT_SOURCES = frozenset({"carbonate", "mixed-oxide", "other"})
"""Kinds of precursor that bring them: carbonates, and oxides that bring an element of the target as well."""
_MOST_COMBINATIONS = 50_000


@dataclass(frozen=True, eq=False)
class Search:
    """The sets of precursors of one target, in a system open to the gases of a furnace.

    Attributes:
        system: Phases and gases.
        position: Where the target is among the phases.
    """

    system: OpenSystem
    position: int
    _hot: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def target(self) -> Phase:
        """The target."""
        return self.system.phases[self.position]

    @cached_property
    def key(self) -> tuple[tuple[str, int], ...]:
        """Its composition, whatever the multiple."""
        return composition_key(self.target.composition)

    @cached_property
    def elements(self) -> frozenset[str]:
        """Symbols of its elements."""
        return frozenset(self.target.composition)

    @cached_property
    def volatile(self) -> tuple[str, ...]:
        """Elements that gases may carry: not the halogens of the target."""
        return tuple(e for e in VOLATILE if not (e in HALOGENS and e in self.elements))

    @cached_property
    def metals(self) -> tuple[str, ...]:
        """Elements of the target that stay in solids."""
        return tuple(e for e in self.system.elements if e in self.elements and e not in self.volatile)

    def with_gases(self, there: Sequence[Precursor], size: int) -> Iterator[PrecursorSet | None]:
        """Yield the sets whose other products are gases, None for one without energies."""
        allowed = {*self.elements, *self.volatile}
        chosen = [one for one in there if one.elements <= allowed and one.elements & set(self.metals)]
        has = {metal: [metal in one.elements for one in chosen] for metal in self.metals}
        ways = (False,) if "O2" in self.system.surroundings.partial_pressure_Pa else (False, True)
        complete: list[frozenset[str]] = []
        seen: set[frozenset[str]] = set()
        # the elements that stay, and the oxygen where it is closed off, fix the ratio of one more solid than there are
        for k in range(1, min(size, len(self.metals) + len(ways) - 1) + 1):
            subsets = _covering(len(chosen), k, list(has.values()))
            for closed in ways:
                for one, formulas in self._balanced(chosen, subsets, self.volatile, None, closed=closed):
                    if formulas not in seen and not any(less <= formulas for less in complete):
                        seen.add(formulas)
                        if one is None or one.gibbs_eV_per_target < 0:
                            complete.append(formulas)
                        yield one

    def with_salts(self, there: Sequence[Precursor], size: int | None, *, named: bool) -> Iterator[PrecursorSet | None]:
        """Yield the sets that leave an alkali halide, None for one without energies.

        From the list it is a chloride, and its cation comes from an oxide, carbonate or the like; with powders that
        are ``named`` it is any halide, and its cation may come with another halogen (NaF).
        """
        halogens = HALOGENS if named else ("Cl",)
        for cation in SALT_CATIONS:
            for halogen in halogens:
                salt = cation + halogen
                if self.elements & {cation, halogen} or self.system.solid(salt) is None:
                    continue
                volatile = tuple(e for e in self.volatile if e not in HALOGENS)
                allowed = {*self.elements, *volatile, cation, halogen}
                chosen = [
                    one
                    for one in there
                    if one.elements <= allowed
                    and one.elements & {*self.metals, cation}
                    and not {cation, halogen} <= one.elements
                    and (named or cation not in one.elements or one.kind in _SALT_SOURCES)
                ]
                needs = [[e in one.elements for one in chosen] for e in (*self.metals, cation, halogen)]
                for k in range(2, min(size or len(self.metals) + 1, len(self.metals) + 1) + 1):
                    subsets = _covering(len(chosen), k, needs)
                    yield from (one for one, _ in self._balanced(chosen, subsets, volatile, salt))

    def _balanced(
        self,
        chosen: Sequence[Precursor],
        subsets: np.ndarray,
        volatile: Sequence[str],
        salt: str | None,
        *,
        closed: bool = False,
    ) -> Iterator[tuple[PrecursorSet | None, frozenset[str]]]:
        """Yield the subsets that balance with the furnace's gases, and the formulas of their precursors."""
        if not len(subsets):
            return
        made = [self.target.composition] + ([self.system.phases[salt].composition] if salt else [])
        rows = np.array([self.system.row(c) for c in (*(one.composition for one in chosen), *made)])
        products = np.arange(len(chosen), len(rows))
        whole = np.column_stack([subsets, np.broadcast_to(products, (len(subsets), len(products)))])
        members, nu = balanced_combinations(self.system.reduced(rows, volatile, closed=closed), whole)
        nu = nu * np.sign(nu[:, -1:])
        k = subsets.shape[1]
        good = (nu[:, :k] < 0).all(axis=1) & (nu[:, k:] > 0).all(axis=1)
        for row, coefficients in zip(members[good], nu[good], strict=True):
            order = sorted(range(k), key=lambda i: self._place(chosen[row[i]]))
            row, coefficients = np.r_[row[order], row[k:]], np.r_[coefficients[order], coefficients[k:]]
            precursors = tuple(chosen[i] for i in row[:k])
            if _mixed_nitrogen(precursors):
                continue
            reactants = [(p.formula, Fraction(-int(n))) for p, n in zip(precursors, coefficients, strict=False)]
            solids = [(self.target.formula, Fraction(int(coefficients[k])))]
            solids += [(salt, Fraction(int(coefficients[k + 1])))] if salt else []
            reaction = self._reaction(
                reactants, solids, volatile, ammonium=any(p.kind == "ammonium" for p in precursors)
            )
            if reaction is not None:
                found = self._set(precursors, reaction[0], reactants, solids, volatile, salt)
                yield found, frozenset(p.formula for p in precursors)

    def _place(self, one: Precursor) -> int:
        """Return where a precursor stands in a set: in the order of the target's elements, a source of salt last."""
        metals = [element for element in self.target.composition if element in self.metals]
        return min((i for i, element in enumerate(metals) if element in one.elements), default=len(metals))

    def _reaction(
        self,
        reactants: Sequence[tuple[str, Fraction]],
        solids: Sequence[tuple[str, Fraction]],
        volatile: Sequence[str],
        *,
        ammonium: bool = False,
    ) -> tuple[Reaction, dict[str, Fraction]] | None:
        """Return a reaction with its gases and these per unit of the coefficients, None where a gas is lacking."""
        scale = math.lcm(*(n.denominator for _, n in (*reactants, *solids)))
        over = np.zeros((1, len(self.system.elements)), dtype=np.int64)
        for sign, terms in ((1, reactants), (-1, solids)):
            for formula, n in terms:
                over[0] += sign * int(n * scale) * self.system.row(parse_formula(formula))
        names, amounts, allowed = self.system.exchanged(over, volatile, ammonium=ammonium)
        if not allowed[0]:
            return None
        gases = {g: Fraction(float(n)) / scale for g, n in zip(names, amounts[0], strict=True) if n}
        left = [*reactants, *((g, -n) for g, n in gases.items() if n < 0)]
        right = [*solids, *((g, n) for g, n in gases.items() if n > 0)]
        numbers = [n for _, n in (*left, *right)]
        unit = Fraction(1, math.lcm(*(n.denominator for n in numbers)))
        whole = math.gcd(*(int(n / unit) for n in numbers))
        sides = (tuple((f, int(n / unit) // whole) for f, n in side) for side in (left, right))
        return Reaction(*sides), gases

    def _set(
        self,
        precursors: tuple[Precursor, ...],
        reaction: Reaction,
        reactants: Sequence[tuple[str, Fraction]],
        solids: Sequence[tuple[str, Fraction]],
        volatile: Sequence[str],
        salt: str | None,
    ) -> PrecursorSet | None:
        """Return the set with its energy, None where no energy is known."""
        system = self.system
        replaced = [self._with_energy(p, n, volatile) for p, (_, n) in zip(precursors, reactants, strict=True)]
        known = [one for one in replaced if one is not None]
        terms = [(formula, sum((n for f, n in known if f == formula), Fraction())) for formula in dict(known)]
        solid = self._reaction(terms, solids, volatile) if len(known) == len(replaced) else None
        if solid is None:
            return None
        total, moles = 0.0, np.zeros(len(system.phases))
        for sign, side in ((-1, terms), (1, solids)):
            for formula, n in side:
                i, units = system.solid_units(formula)
                total += sign * float(n) * units * system.gibbs_eV[i]
                moles[i] += sign * float(n) * units
        total += sum(float(n) * system.potential_eV(g) for g, n in solid[1].items())
        made = float(solids[0][1])
        return PrecursorSet(
            self.target.formula, precursors, reaction, tuple(f for f, _ in known), solid[0], salt,
            total / made, system.error_eV(moles / made), system.surroundings,
        )  # fmt: skip

    def _with_energy(self, one: Precursor, n: Fraction, volatile: Sequence[str]) -> tuple[str, Fraction] | None:
        """Return the solid that a precursor stands for in the furnace, and its moles; None without an energy."""
        if one.formula not in self._hot:
            self._hot[one.formula] = solids_when_hot(self.system, one)
        for solid in self._hot[one.formula]:
            composition = parse_formula(solid)
            stay = [e for e in one.composition if e not in volatile]
            ratios = {Fraction(one.composition[e], composition.get(e, 0) or -1) for e in stay}
            if len(ratios) == 1 and min(ratios) > 0 and composition_key(composition) != self.key:
                return solid, n * ratios.pop()
        return None

    def lacking_gas(self, there: Sequence[Precursor]) -> DataError | None:
        """Return the error of a target with an element that precursors lose as a gas and nothing gives back, if so."""
        furnace = self.system.surroundings
        for element, gas in (("H", "H2O"), ("C", "CO2"), ("N", "N2")):
            if element in self.elements and gas not in furnace.partial_pressure_Pa:
                if element == "C" and any(one.composition.keys() == {"C"} for one in there):
                    return DataError(
                        f"{self.target.formula} would take its carbon from the solid, but sets are balanced with gases "
                        "that carry carbon only; write the recipe by hand, with C among its precursors."
                    )
                return DataError(
                    f"{self.target.formula} holds {element}, which precursors lose on the way to "
                    f"{furnace.temperature_K:g} K and this atmosphere does not give back; add a pressure of {gas}, or "
                    "lower the temperature."
                )
        return None

    def no_set(self, there: Sequence[Precursor], *, named: bool) -> DataError:
        """Return the error of a target that no set of precursors balances; ``named`` where the user chose them."""
        name = self.target.formula
        for element in self.metals:
            if not any(element in one.elements for one in there):
                advice = "name one that does" if named else "name one that does, or other kinds of precursor"
                return DataError(f"{name}: no precursor brings {element}; {advice}.")
        if (lacking := self.lacking_gas(there)) is not None:
            return lacking
        if "O2" not in self.system.surroundings.partial_pressure_Pa:
            return DataError(
                f"{name}: no set of precursors balances without taking up O2, which this atmosphere does not hold: the "
                "oxidation states that they bring do not add up; choose air or oxygen, or other precursors."
            )
        if named:
            return DataError(
                f"{name}: {', '.join(one.formula for one in there)} make nothing of it that leaves only gases or one "
                "alkali halide beside it; name other precursors, or other gases."
            )
        return DataError(
            f"{name}: no set of these precursors balances; allow more kinds, more of them in a set, or other gases."
        )


def _mixed_nitrogen(precursors: Sequence[Precursor]) -> bool:
    """Whether nitrate and ammonium are together, which burn in a way that no balance tells."""
    return any(p.kind == "ammonium" for p in precursors) and any(p.kind == "nitrate" for p in precursors)


def _covering(n: int, k: int, needs: Sequence[Sequence[bool]]) -> np.ndarray:
    """Return the choices of k of n that have a member for each need, in lexicographic order, shape (C, k).

    Raises:
        DataError: There are too many to try.
    """
    has = [frozenset(b for b, need in enumerate(needs) if need[i]) for i in range(n)]
    found: set[tuple[int, ...]] = set()

    def extend(chosen: tuple[int, ...], lacking: frozenset[int]) -> None:
        if not lacking:
            others = [i for i in range(n) if i not in chosen]
            for rest in combinations(others, k - len(chosen)):
                found.add(tuple(sorted((*chosen, *rest))))
                if len(found) > _MOST_COMBINATIONS:
                    raise DataError(
                        f"precursors: more than {_MOST_COMBINATIONS} combinations of {k} among {n} to balance; name "
                        "fewer kinds or candidates, or fewer in a set."
                    )
        elif len(chosen) < k:
            first = min(lacking)
            for i in range(n):
                if first in has[i] and i not in chosen:
                    extend((*chosen, i), lacking - has[i])

    extend((), frozenset(range(len(needs))))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, k)
