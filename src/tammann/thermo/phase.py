"""Phases, the named sets of their Gibbs energies, and the equilibria that an assessment is given.

Everything downstream reads phases from :class:`Phases`.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from tammann.composition import atomic_masses, composition_key, parse_formula
from tammann.errors import DataError
from tammann.notebook import ShownAsTable, html_table
from tammann.units import A3_IN_M3, AVOGADRO_PER_MOL

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
ELEMENT_GASES = ("O2", "N2", "H2", "F2", "Cl2")
"""Elements that are gases in their stable state: the reference of their energies."""
_PHASE_ARRAYS = (
    "gibbs_eV_per_atom", "standard_error_eV_per_atom", "is_computed", "shifts_eV_per_atom",
    "entropy_shifts_eV_per_K_per_atom",
)  # fmt: skip


@dataclass(frozen=True)
class Phase:
    """One phase: its composition, and the properties that do not depend on the choice of energies.

    Attributes:
        formula: As the user writes it; one mole of the phase is one mole of this formula.
        composition: Atoms per formula unit.
        state: "solid" or "gas".
        volume_A3_per_atom: Angstrom^3; NaN for a gas.
        melting_point_K: Melting or decomposition temperature; NaN for a gas, and where it is not known.
        melting_point_source: Who measured or estimated it.
        material_id: Identifier in the database it was taken from, if any.
        observed: Whether it has been made in the laboratory; None if unknown.
        volume_source: Where the volume is from.
    """

    formula: str
    composition: Mapping[str, int]
    state: str = "solid"
    volume_A3_per_atom: float = math.nan
    melting_point_K: float = math.nan
    melting_point_source: str = ""
    material_id: str | None = None
    observed: bool | None = None
    volume_source: str = ""

    @property
    def n_atoms(self) -> int:
        """Atoms per formula unit."""
        return sum(self.composition.values())

    @property
    def is_reference_gas(self) -> bool:
        """Whether it is an element that is a gas in its stable state."""
        return self.state == "gas" and self.formula in ELEMENT_GASES

    @property
    def molar_mass_kg_per_mol(self) -> float:
        """Mass of one mole of formula units, kg."""
        masses = atomic_masses()
        return 1e-3 * sum(count * masses[element] for element, count in self.composition.items())

    @property
    def molar_volume_m3_per_mol(self) -> float:
        """Volume of one mole of formula units, m^3; NaN for a gas."""
        return self.volume_A3_per_atom * self.n_atoms * A3_IN_M3 * AVOGADRO_PER_MOL


@dataclass(frozen=True)
class Constraint:
    """One known equilibrium, or phases known to be stable, at stated temperatures.

    With dG the Gibbs energy of ``left -> right`` per atom and m the margin:

    ============  =============================================
    equality      dG = 0
    left-stable   dG >= m
    right-stable  dG <= -m
    on-hull       each phase lies at least m below every mixture of the others
    ============  =============================================

    Attributes:
        kind: One of the above.
        temperature_K: Where it holds, K.
        source: Who observed it.
        left, right: Formulas and moles of formula units on both sides; empty for "on-hull".
        phases: Formulas, for "on-hull".
        margin_eV_per_atom: The margin m, a guess at how far the balance tips: central energies have it, draws one
            from an exponential distribution of this mean.
        entropy_J_per_K_per_mol_atoms: Reaction entropy of left -> right per mole of atoms; None leaves it as it is.
        entropy_origin: Why that entropy.
        entropy_spread: Standard deviation of the logarithm of its magnitude, from which draws take it; 0 if it is
            known.
    """

    kind: str
    temperature_K: tuple[float, ...]
    source: str
    left: tuple[tuple[str, float], ...] = ()
    right: tuple[tuple[str, float], ...] = ()
    phases: tuple[str, ...] = ()
    margin_eV_per_atom: float = 0.0
    entropy_J_per_K_per_mol_atoms: float | None = None
    entropy_origin: str = ""
    entropy_spread: float = 0.0

    @property
    def equation(self) -> str:
        """The reaction, or the phases, as a line of text."""
        sides = (" + ".join(f"{n:g} {f}" if n != 1 else f for f, n in terms) for terms in (self.left, self.right))
        return " = ".join(sides) if self.left else ", ".join(self.phases)


@dataclass(frozen=True, eq=False, repr=False)
class EnergySet:
    """Gibbs energies of formation of all phases of a system, under one name, with their standard errors.

    The energies refer to the elements in their stable state at the same temperature and 1 bar; a gas is pure, at 1 bar.

    Attributes:
        name: What a recipe calls it.
        description: One or two sentences on how it was made.
        temperature_K: Shape (nT,), ascending.
        gibbs_eV_per_atom: Shape (nT, n); NaN for a phase the set does not have.
        standard_error_eV_per_atom: Shape (n,).
        source: One string a phase.
        is_computed: Shape (n,), true where the energy is computed or estimated; an assessment may shift those.
        shifts_eV_per_atom: Shape (n,), added by an assessment at its reference temperature; zero otherwise.
        entropy_shifts_eV_per_K_per_atom: Shape (n,), entropies added by an assessment to give stated reaction
            entropies; they change the energies on both sides of the reference temperature.
        constraints: The equilibria given to an assessment.
        base: Name of the set that an assessment started from.
        reference_temperature_K: Where the shifts of an assessment are counted.
        warnings: What a reader of results should know.
        loadings_eV_per_atom: Shape (n, m), by how much each of m independent standard normal numbers moves each phase,
            where phases share errors; the standard errors are the lengths of its rows. None: all are independent.
    """

    name: str
    description: str
    temperature_K: FloatArray
    gibbs_eV_per_atom: FloatArray
    standard_error_eV_per_atom: FloatArray
    source: tuple[str, ...]
    is_computed: npt.NDArray[np.bool_]
    shifts_eV_per_atom: FloatArray
    entropy_shifts_eV_per_K_per_atom: FloatArray
    constraints: tuple[Constraint, ...] = ()
    base: str | None = None
    reference_temperature_K: float = 300.0
    warnings: tuple[str, ...] = ()
    loadings_eV_per_atom: FloatArray | None = None

    def __repr__(self) -> str:
        grid = self.temperature_K
        given = f", {len(self.constraints)} constraints" if self.constraints else ""
        return f"EnergySet({self.name!r}, {len(self.source)} phases, {grid[0]:g} to {grid[-1]:g} K{given})"

    def take(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> "EnergySet":
        """Return the energies of some of the phases, in the order of ``indices``."""
        which = np.asarray(indices, dtype=int)
        arrays = {name: getattr(self, name)[..., which] for name in _PHASE_ARRAYS}
        loadings = None if self.loadings_eV_per_atom is None else self.loadings_eV_per_atom[which]
        source = tuple(self.source[i] for i in which)
        return replace(self, source=source, loadings_eV_per_atom=loadings, **arrays)

    def loadings_with(self, errors: FloatArray, loadings: FloatArray | None = None) -> FloatArray | None:
        """Return the loadings of these phases and of others whose errors are independent of theirs, (n + q, m + k).

        Args:
            errors: Standard errors of the others, eV per atom, shape (q,).
            loadings: Theirs, shape (q, k), if they share some.
        """
        if self.loadings_eV_per_atom is None and loadings is None:
            return None
        own = self.loadings_eV_per_atom
        first = np.diag(self.standard_error_eV_per_atom) if own is None else own
        second = np.diag(errors) if loadings is None else loadings
        joint = np.zeros(np.add(first.shape, second.shape))
        joint[: len(first), : first.shape[1]] = first
        joint[len(first) :, first.shape[1] :] = second
        return joint

    def table(self) -> "pd.DataFrame":
        """Return one row a phase: standard error, whether it is computed, shift, source, and G at every temperature.

        Phases are in the order of the system; energies are in eV per atom, in columns named by the temperature in K.
        """
        import pandas as pd

        facts = {
            "standard_error_eV_per_atom": self.standard_error_eV_per_atom,
            "is_computed": self.is_computed,
            "shift_eV_per_atom": self.shifts_eV_per_atom,
            "source": self.source,
        }
        grid = zip(self.temperature_K, self.gibbs_eV_per_atom, strict=True)
        return pd.DataFrame(facts | {f"{T:g}": gibbs for T, gibbs in grid})

    def _repr_html_(self) -> str:
        return html_table(repr(self), self.table().iloc[:, :4])


@dataclass(frozen=True, eq=False, repr=False)
class Phases(ShownAsTable, Sequence[Phase]):
    """The phases of a chemical system with one or more named sets of energies.

    Attributes:
        system: Name of the system.
        elements: Symbols in alphabetical order; the columns of all element arrays.
        phases: The phases, in the order of all phase arrays.
        energy_sets: Energies by name.
        default_energies: The set used where none is named.
        warnings: What a reader of results should know about the phases themselves.
        left_out: Why entries of the source are not phases, by formula.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> phases["BaTiO3"].composition
        {'Ba': 1, 'Ti': 1, 'O': 3}
        >>> phases.gibbs(1000.0).shape == (len(phases),)
        True
    """

    system: str
    elements: tuple[str, ...]
    phases: tuple[Phase, ...]
    energy_sets: Mapping[str, EnergySet]
    default_energies: str
    warnings: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.phases)

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> Phase: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Phase, ...]: ...
    def __getitem__(self, key: Any) -> Any:
        return self.phases[self.index(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Phase]:
        return iter(self.phases)

    def __contains__(self, item: object) -> bool:
        try:
            return self.index(item) >= 0
        except DataError:
            return False

    def __repr__(self) -> str:
        gases = int(self.is_gas.sum())
        sets = ", ".join(self.energy_sets)
        return f"Phases({self.system!r}, {len(self) - gases} solids, {gases} gases, energies: {sets})"

    def table(self) -> "pd.DataFrame":
        """Return one row a phase: formula, state, volume, melting point and its source, and whether it was observed."""
        import pandas as pd

        columns = ["formula", "state", "volume_A3_per_atom", "melting_point_K", "melting_point_source", "observed"]
        return pd.DataFrame([[getattr(phase, name) for name in columns] for phase in self], columns=columns)

    def index(self, formula: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of a phase, given its formula or any multiple or spelling of it; ``(g)`` asks for a gas.

        Raises:
            DataError: There is no such phase; the message says why it was left out, or names the closest there is.

        Example:
            >>> from tammann.thermo import load_phases
            >>> phases = load_phases("Ba-Ti-O")
            >>> phases.index("TiO2") == phases.index("Ti2O4")
            True
        """
        formula = formula.formula if isinstance(formula, Phase) else str(formula)
        there = range(len(self))[start:stop]
        if self._index.get(formula) in there:
            return self._index[formula]
        key = _key_of(formula)
        for i in there:
            if composition_key(self[i].composition) == key and (self.is_gas[i] or not formula.endswith("(g)")):
                return i
        for name, reason in self.left_out.items():
            if name == formula or (key and _key_of(name) == key):
                raise DataError(f"phase {formula!r} was left out of {self.default_energies}: {reason}")
        formulas = [phase.formula for phase in self.phases]
        close = difflib.get_close_matches(formula, formulas, n=1, cutoff=0.5)
        hint = f"the closest is {close[0]}; " if close else ""
        raise DataError(f"phase {formula!r} is not in {self.system}: {hint}there are {', '.join(formulas)}")

    def require_melting_points(self, which: Iterable[int] | None = None) -> None:
        """Refuse solids without a melting point, which what computes rates needs.

        Args:
            which: Positions of the phases that take part, all if None.

        Raises:
            DataError: A solid has none; the message names the first twenty and the table that would give them.
        """
        chosen = self.phases if which is None else [self.phases[i] for i in sorted(set(which))]
        lacking = [p.formula for p in chosen if p.state == "solid" and not math.isfinite(p.melting_point_K)]
        if lacking:
            others = ", ".join(lacking[1:21]) + (", ..." if len(lacking) > 21 else "")
            more = f" (nor have {len(lacking) - 1} more: {others})" if others else ""
            raise DataError(
                f"{lacking[0]} has no melting point{more}, which sets where it becomes mobile; give melting_point_K, "
                "measured or estimated, with the energies, or in a CSV table with the columns formula, melting_point_K "
                "and source that the key melting_points names"
            )

    def require_volumes(self, which: Iterable[int]) -> None:
        """Refuse solids without a volume, which what follows layers needs.

        Args:
            which: Positions of the phases that take part.

        Raises:
            DataError: A solid has none; the message names the first and how many more there are.
        """
        chosen = [self.phases[i] for i in sorted(set(which))]
        lacking = [p.formula for p in chosen if p.state == "solid" and not math.isfinite(p.volume_A3_per_atom)]
        if lacking:
            more = f" (nor have {len(lacking) - 1} more)" if len(lacking) > 1 else ""
            raise DataError(
                f"{lacking[0]} has no volume{more}, measured or estimated; give it an energy and volume_A3_per_atom in "
                "a table of your own (energies: FILE.csv)"
            )

    @cached_property
    def _index(self) -> dict[str, int]:
        return {phase.formula: i for i, phase in enumerate(self.phases)}

    @cached_property
    def composition_matrix(self) -> npt.NDArray[np.int64]:
        """Atoms per formula unit, shape (n, E)."""
        matrix = np.array([[p.composition.get(e, 0) for e in self.elements] for p in self.phases], dtype=np.int64)
        matrix.flags.writeable = False
        return matrix

    @cached_property
    def atom_fractions(self) -> FloatArray:
        """Atom fractions, shape (n, E)."""
        matrix = self.composition_matrix / self.composition_matrix.sum(axis=1, keepdims=True)
        matrix.flags.writeable = False
        return matrix

    @cached_property
    def is_gas(self) -> npt.NDArray[np.bool_]:
        """Which phases are gases, shape (n,)."""
        return np.array([p.state == "gas" for p in self.phases])

    def energy_set(self, energies: str | None = None) -> EnergySet:
        """Return the energy set of that name, or the default.

        Raises:
            DataError: There is no set of that name.
        """
        name = self.default_energies if energies is None else energies
        if name not in self.energy_sets:
            raise DataError(f"energies {name!r} is not a set of {self.system}: there are {', '.join(self.energy_sets)}")
        return self.energy_sets[name]

    def gibbs(self, temperature_K: npt.ArrayLike, *, energies: str | None = None) -> FloatArray:
        """Return the Gibbs energies of formation of all phases at one or more temperatures.

        Linear between the tabulated temperatures (100 K apart in shipped sets, which is right to 0.3 meV/atom), so that
        Hess's law and the constraints of an assessment hold exactly at every temperature.

        Args:
            temperature_K: K, any shape (...).
            energies: Name of the set, the default set if None.

        Returns:
            eV per atom of formation from the elements at the same temperature and 1 bar, shape (..., n); NaN for phases
            the set does not have.

        Raises:
            DataError: A temperature lies outside the table.
        """
        chosen = self.energy_set(energies)
        T = np.asarray(temperature_K, dtype=float)
        grid = chosen.temperature_K
        wrong = T[~((T >= grid[0] - 1e-6) & (T <= grid[-1] + 1e-6))]
        if wrong.size:
            expected = f"expected {grid[0]:g} to {grid[-1]:g} K"
            raise DataError(f"temperature_K {wrong[0]:g} is outside energies {chosen.name!r}: {expected}")
        return interpolated(grid, chosen.gibbs_eV_per_atom, T)

    def take(self, indices: npt.NDArray[np.intp]) -> "Phases":
        """Return some of the phases, with all their energies, in the order of ``indices``.

        Example:
            >>> import numpy as np
            >>> from tammann.thermo import load_phases
            >>> [phase.formula for phase in load_phases("Ba-Ti-O").take(np.array([2, 1]))]
            ['Ba2Ti6O13', 'Ba2Ti13O22']
        """
        chosen = tuple(self.phases[i] for i in indices)
        elements = tuple(e for e in self.elements if any(e in phase.composition for phase in chosen))
        sets = {name: one.take(indices) for name, one in self.energy_sets.items()}
        return replace(self, elements=elements, phases=chosen, energy_sets=sets)

    def with_energies(self, energy_set: EnergySet, *, default: bool = False) -> "Phases":
        """Return the same phases with one more energy set, or with one replaced."""
        sets = {**self.energy_sets, energy_set.name: energy_set}
        return replace(self, energy_sets=sets, default_energies=energy_set.name if default else self.default_energies)


def energy_set_of(
    name: str,
    description: str,
    temperature_K: FloatArray,
    columns: Iterable[tuple[FloatArray, float, str, bool]],
    *,
    warnings: tuple[str, ...] = (),
) -> EnergySet:
    """Return an energy set from the Gibbs energies, standard error, source and ``is_computed`` of every phase."""
    tables, errors, sources, computed = zip(*columns, strict=True)
    zeros = np.zeros(len(sources))
    return EnergySet(
        name, description, temperature_K, np.column_stack(tables), np.array(errors), sources, np.array(computed),
        zeros, zeros.copy(), warnings=warnings,
    )  # fmt: skip


def interpolated(grid: FloatArray, table: FloatArray, T: FloatArray | float) -> FloatArray:
    """Return the rows of a table at temperatures T, shape (..., n), linear between those of the grid."""
    right = np.clip(np.searchsorted(grid, T, side="right"), 1, len(grid) - 1)
    weight = ((T - grid[right - 1]) / (grid[right] - grid[right - 1]))[..., None]
    return (1.0 - weight) * table[right - 1] + weight * table[right]


def _key_of(formula: str) -> tuple[tuple[str, int], ...] | None:
    try:
        return composition_key(parse_formula(formula))
    except DataError:
        return None
