"""One way to a target: its precursors, the reaction they are weighed in for, and the energy it releases."""

from __future__ import annotations

from dataclasses import dataclass, field

from tammann.composition import parse_formula
from tammann.reactions import Reaction
from tammann.synthesis.exchange import HALOGENS, Surroundings
from tammann.synthesis.precursor_list import Precursor


@dataclass(frozen=True)
class PrecursorSet:
    """Precursors that make a target, and the reaction by which they do.

    Attributes:
        target: Its formula, as the system writes it.
        precursors: In the order of the list.
        reaction: From what is weighed in, with the gases taken up and given off, in the smallest whole numbers.
        reacts_as: For each precursor the solid whose energy is known: itself, or what it has turned into.
        solid_reaction: From these solids: the reaction whose energy is known.
        by_product: The salt that metathesis leaves, if any.
        gibbs_eV_per_target: Gibbs energy of ``solid_reaction``, eV per formula unit of the target.
        standard_error_eV_per_target: Its standard error, with the errors that the solids share.
        surroundings: Temperature and gases of the furnace.

    Example:
        >>> from tammann.synthesis import precursor_sets
        >>> from tammann.thermo import load_phases
        >>> precursor_sets(load_phases("Ba-Ti-O"), "BaTiO3", candidates=["BaCO3", "TiO2"])
        (PrecursorSet(BaCO3 + TiO2 -> BaTiO3 + CO2),)
        >>> precursor_sets(load_phases("Ba-Ti-O"), "Ba2TiO4", candidates=["BaCO3", "TiO2"])[0].amounts
        {'BaCO3': 2, 'TiO2': 1}
    """

    target: str
    precursors: tuple[Precursor, ...]
    reaction: Reaction
    reacts_as: tuple[str, ...]
    solid_reaction: Reaction
    by_product: str | None
    gibbs_eV_per_target: float
    standard_error_eV_per_target: float
    surroundings: Surroundings = field(compare=False)

    def __repr__(self) -> str:
        return f"PrecursorSet({self.reaction.equation})"

    @property
    def name(self) -> str:
        """The precursors as a chemist lists them."""
        return " + ".join(precursor.formula for precursor in self.precursors)

    @property
    def amounts(self) -> dict[str, int]:
        """Moles of formula units to weigh in, by formula, in the smallest whole numbers."""
        numbers = dict(self.reaction.reactants)
        return {precursor.formula: numbers[precursor.formula] for precursor in self.precursors}

    @property
    def halogens(self) -> frozenset[str]:
        """Halogens that the target or the by-product keeps, so that no gas carries them away."""
        kept = {*parse_formula(self.target), *(parse_formula(self.by_product) if self.by_product else ())}
        return frozenset(kept.intersection(HALOGENS))

    @property
    def atoms_of_precursors(self) -> tuple[float, ...]:
        """Atoms of each solid that reacts, once where two precursors have become it, per formula unit of the target."""
        made = dict(self.solid_reaction.products)[self.target]
        side = dict(self.solid_reaction.reactants)
        once = dict.fromkeys(self.reacts_as)
        return tuple(side[formula] * sum(parse_formula(formula).values()) / made for formula in once)
