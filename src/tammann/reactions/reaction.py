"""A reaction, many reactions, and the Gibbs energy they release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    import pandas as pd

    from tammann.thermo import Phases


@dataclass(frozen=True)
class Reaction:
    """A balanced reaction with the smallest whole coefficients.

    Attributes:
        reactants: Pairs of formula and coefficient (formula units, positive).
        products: The same for the other side.

    Example:
        >>> reaction = Reaction(reactants=(("BaO", 2), ("TiO2", 1)), products=(("Ba2TiO4", 1),))
        >>> reaction
        Reaction(2 BaO + TiO2 -> Ba2TiO4)
    """

    reactants: tuple[tuple[str, int], ...]
    products: tuple[tuple[str, int], ...]

    @property
    def equation(self) -> str:
        """The reaction as a chemist writes it."""
        return f"{_side(self.reactants)} -> {_side(self.products)}"

    def __str__(self) -> str:
        return self.equation

    def __repr__(self) -> str:
        return f"Reaction({self.equation})"


def _side(terms: tuple[tuple[str, int], ...]) -> str:
    return " + ".join(formula if coefficient == 1 else f"{coefficient} {formula}" for formula, coefficient in terms)


@dataclass(frozen=True, eq=False)
class Reactions(ShownAsTable, Sequence[Reaction]):
    """Reactions of one set of phases, as one matrix.

    Attributes:
        phases: The phases (n of them) with their energies.
        coefficients: Formula units, shape (R, n), dtype int64; reactants negative, products positive.

    Example:
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.thermo import load_phases
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"), reactants=["BaO", "TiO2"])
        >>> reactions
        Reactions(32 reactions between 32 phases of Ba-Ti-O)
        >>> reactions.table(1300.0).nsmallest(1, "energy_eV_per_atom")["equation"].tolist()
        ['BaO + TiO2 -> BaTiO3']
    """

    phases: Phases
    coefficients: np.ndarray

    @overload
    def __getitem__(self, index: int) -> Reaction: ...
    @overload
    def __getitem__(self, index: slice) -> Reactions: ...
    def __getitem__(self, index: int | slice) -> Reaction | Reactions:
        if isinstance(index, slice):
            return Reactions(phases=self.phases, coefficients=self.coefficients[index])
        row = self.coefficients[index]
        there = np.flatnonzero(row)
        # Gases come last on their side, as a chemist writes them.
        order = there[np.argsort(self.phases.is_gas[there], kind="stable")].tolist()
        terms = [(self.phases.phases[p].formula, int(row[p])) for p in order]
        return Reaction(
            reactants=tuple((formula, -n) for formula, n in terms if n < 0),
            products=tuple((formula, n) for formula, n in terms if n > 0),
        )

    def __len__(self) -> int:
        return len(self.coefficients)

    def __iter__(self) -> Iterator[Reaction]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Reactions({len(self)} reactions between {len(self.phases)} phases of {self.phases.system})"

    def table(self, temperature_K: float | None = None) -> pd.DataFrame:
        """Return the reactions as a table.

        The columns are ``equation`` and, at a temperature in K, ``energy_eV_per_atom`` as ``reaction_energy`` has it.
        """
        import pandas as pd

        frame = pd.DataFrame({"equation": [reaction.equation for reaction in self]})
        if temperature_K is not None:
            frame["energy_eV_per_atom"] = reaction_energy(self, float(temperature_K))
        return frame

    def take(self, indices: np.ndarray) -> Reactions:
        """Return some of the reactions, in the order of ``indices``."""
        return Reactions(phases=self.phases, coefficients=self.coefficients[indices])

    def of(self, phases: Phases) -> Reactions:
        """Return the same reactions with other energies of the same phases (one draw of an ensemble).

        Raises:
            DataError: The formulas differ.
        """
        if [phase.formula for phase in phases] != [phase.formula for phase in self.phases]:
            raise DataError("phases: the formulas differ from those of the reactions; enumerate the reactions again.")
        return Reactions(phases=phases, coefficients=self.coefficients)


def reaction_energy(
    reactions: Reactions,
    temperature_K: ArrayLike,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, ArrayLike] | None = None,
) -> np.ndarray:
    """Return the Gibbs energy of every reaction in eV per atom.

    dG_r = [sum_p nu_rp (n_p g_p + kB T ln(p_p / 1 bar))] / sum_{p reactant} |nu_rp| n_p, with nu ``coefficients``, n_p
    the atoms per formula unit, g_p ``phases.gibbs`` (eV per atom), and the logarithm for gases only; a gas that is not
    in ``partial_pressure_Pa`` stands at 1 bar. The atoms of an absorbed gas count among those of the reactants.

    Args:
        reactions: R reactions of n phases.
        temperature_K: One temperature or nT of them.
        energies: Name of an energy set of ``reactions.phases``, the default set if None.
        partial_pressure_Pa: Gas formula to Pa, one value or one a temperature.

    Returns:
        Shape (nT, R), or (R,) for a single temperature; NaN where a phase has no energy in that set.

    Raises:
        DataError: A gas that is not among the phases, or a pressure that is not positive.

    Example:
        >>> from tammann.thermo import load_phases
        >>> from tammann.reactions import enumerate_reactions, reaction_energy
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
        >>> row = [reaction.equation for reaction in reactions].index("BaO + TiO2 -> BaTiO3")
        >>> reaction_energy(reactions, [1000.0, 1300.0])[:, row].round(3).tolist()
        [-0.32, -0.311]
    """
    phases = reactions.phases
    temperature = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    atoms = np.asarray(phases.composition_matrix).sum(axis=1)
    per_formula = np.reshape(phases.gibbs(temperature, energies=energies), (len(temperature), len(phases))) * atoms
    for formula, pressure in (partial_pressure_Pa or {}).items():
        index = phases.index(formula)
        if not phases.is_gas[index]:
            raise DataError(f"partial_pressure_Pa: {formula} is not a gas of {phases.system}; name a gas.")
        if not np.all(np.asarray(pressure) > 0):
            raise DataError(f"partial_pressure_Pa: {formula} is {pressure!r}, expected a pressure above 0 Pa.")
        per_formula[:, index] += BOLTZMANN_EV_PER_K * temperature * np.log(np.asarray(pressure) / STANDARD_PRESSURE_PA)
    missing = np.isnan(per_formula).any(axis=0)
    nu = reactions.coefficients.astype(float)
    atoms_of_reaction = np.maximum(-nu, 0.0) @ atoms
    with np.errstate(invalid="ignore", divide="ignore"):
        # Contiguous, so that sums have the order, and seeded runs the last bit, that they always had.
        energy = np.where(missing, 0.0, per_formula) @ np.ascontiguousarray(nu.T) / atoms_of_reaction
    energy[:, (nu[:, missing] != 0).any(axis=1)] = np.nan
    return energy[0] if np.ndim(temperature_K) == 0 else energy
