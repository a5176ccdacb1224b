"""What a phase is, and what a named set of energies is.

Everything downstream reads phases from :class:`Phases`; an energy set is one named opinion on their Gibbs energies.
"""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from tammann.composition import atomic_masses, composition_key, parse_formula
from tammann.errors import DataError
from tammann.units import A3_IN_M3, AVOGADRO_PER_MOL

if TYPE_CHECKING:
    from tammann.thermo.assessment import Constraint

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Phase:
    """One phase: what it is made of, and the properties that do not depend on the choice of energies.

    Attributes:
        formula: as the user writes it; one mole of the phase is one mole of this formula.
        composition: atoms per formula unit.
        state: "solid" or "gas".
        volume_A3_per_atom: volume per atom, Angstrom^3; NaN for a gas.
        melting_point_K: melting or decomposition temperature; NaN for a gas.
        melting_point_source: who measured or estimated it.
        material_id: identifier in the database it was taken from, if any.
        observed: whether it has been made in the laboratory; None where nobody says.
        volume_source: where the volume is from.
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
    def molar_mass_kg_per_mol(self) -> float:
        """Mass of one mole of formula units, kg."""
        masses = atomic_masses()
        return 1e-3 * sum(count * masses[element] for element, count in self.composition.items())

    @property
    def molar_volume_m3_per_mol(self) -> float:
        """Volume of one mole of formula units, m^3; NaN for a gas."""
        return self.volume_A3_per_atom * self.n_atoms * A3_IN_M3 * AVOGADRO_PER_MOL


@dataclass(frozen=True, eq=False)
class EnergySet:
    """Gibbs energies of formation of all phases of a system, under one name, with their standard errors.

    The energies refer to the elements in their stable state at the same temperature and 1 bar; a gas is pure, at 1 bar.

    Attributes:
        name: what a recipe calls it.
        description: one or two sentences on how it was made.
        temperature_K: shape (nT,), ascending.
        gibbs_eV_per_atom: shape (nT, n); NaN for a phase the set does not have.
        standard_error_eV_per_atom: shape (n,).
        source: one string a phase.
        is_computed: shape (n,), true where the energy is computed or estimated; an assessment may shift those.
        shifts_eV_per_atom: shape (n,), what an assessment added to the energies it started from, at its reference
            temperature; zero otherwise.
        entropy_shifts_eV_per_K_per_atom: shape (n,), entropies that an assessment added so as to give stated reaction
            entropies; they change the energies on both sides of the reference temperature.
        constraints: the equilibria that an assessment was told; empty otherwise.
        base: name of the set that an assessment started from.
        reference_temperature_K: where the shifts of an assessment are counted.
        warnings: what a reader of results should know.
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
    constraints: tuple["Constraint", ...] = ()
    base: str | None = None
    reference_temperature_K: float = 300.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Phases(Sequence[Phase]):
    """The phases of a chemical system with one or more named sets of energies.

    Attributes:
        system: name of the system.
        elements: symbols in alphabetical order; the columns of all element arrays.
        phases: the phases, in the order of all phase arrays.
        energy_sets: energies by name.
        default_energies: the set used where none is named.
        warnings: what a reader of results should know about the phases themselves.

    Examples:
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
    _index: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {phase.formula: i for i, phase in enumerate(self.phases)})

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
        return item in self._index or item in self.phases

    def index(self, formula: Any, start: int = 0, stop: int | None = None) -> int:
        """Give the position of a phase, by its formula or by any multiple or spelling of it.

        Raises:
            DataError: no such phase; the message names the closest there is.

        Examples:
            >>> from tammann.thermo import load_phases
            >>> phases = load_phases("Ba-Ti-O")
            >>> phases.index("TiO2") == phases.index("Ti2O4")
            True
        """
        if isinstance(formula, Phase):
            formula = formula.formula
        if formula in self._index and self._index[formula] in range(len(self))[start:stop]:
            return self._index[formula]
        try:
            key = composition_key(parse_formula(formula))
        except DataError:
            key = ()
        for i, phase in enumerate(self.phases):
            if i in range(len(self))[start:stop] and composition_key(phase.composition) == key:
                return i
        formulas = [phase.formula for phase in self.phases]
        close = difflib.get_close_matches(str(formula), formulas, n=1, cutoff=0.5)
        hint = f"the closest is {close[0]}; " if close else ""
        raise DataError(f"phase {formula!r} is not in {self.system}: {hint}there are {', '.join(formulas)}")

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
        """Give the energy set of that name, or the default.

        Raises:
            DataError: there is no set of that name.
        """
        name = self.default_energies if energies is None else energies
        if name not in self.energy_sets:
            raise DataError(f"energies {name!r} is not a set of {self.system}: there are {', '.join(self.energy_sets)}")
        return self.energy_sets[name]

    def gibbs(self, temperature_K: npt.ArrayLike, *, energies: str | None = None) -> FloatArray:
        """Give the Gibbs energies of formation of all phases at one or more temperatures.

        Linear between the tabulated temperatures (100 K apart in shipped sets, which is right to 0.3 meV/atom), so that
        sums of energies, and with them Hess's law and the constraints of an assessment, hold exactly at every
        temperature.

        Args:
            temperature_K: K, any shape (...).
            energies: name of the set; the default set where none is given.

        Returns:
            eV per atom of formation from the elements at the same temperature and 1 bar, shape (..., n); NaN for phases
            the set does not have.

        Raises:
            DataError: a temperature lies outside the table.
        """
        chosen = self.energy_set(energies)
        T = np.asarray(temperature_K, dtype=float)
        grid = chosen.temperature_K
        if T.size and not (np.all(T >= grid[0] - 1e-6) and np.all(T <= grid[-1] + 1e-6)):
            wrong = T.flat[int(np.argmax(~((T.ravel() >= grid[0] - 1e-6) & (T.ravel() <= grid[-1] + 1e-6))))]
            raise DataError(
                f"temperature_K {wrong:g} is outside energies {chosen.name!r}: expected {grid[0]:g} to {grid[-1]:g} K"
            )
        right = np.clip(np.searchsorted(grid, T, side="right"), 1, len(grid) - 1)
        weight = ((T - grid[right - 1]) / (grid[right] - grid[right - 1]))[..., None]
        table = chosen.gibbs_eV_per_atom
        return (1.0 - weight) * table[right - 1] + weight * table[right]

    def take(self, indices: npt.NDArray[np.intp]) -> "Phases":
        """Give some of the phases, with all their energies, in the order of ``indices``.

        Examples:
            >>> import numpy as np
            >>> from tammann.thermo import load_phases
            >>> [phase.formula for phase in load_phases("Ba-Ti-O").take(np.array([2, 1]))]
            ['Ba2Ti6O13', 'Ba2Ti13O22']
        """
        which = [int(i) for i in indices]
        chosen = tuple(self.phases[i] for i in which)
        sets = {
            name: replace(
                one,
                gibbs_eV_per_atom=one.gibbs_eV_per_atom[:, which],
                standard_error_eV_per_atom=one.standard_error_eV_per_atom[which],
                source=tuple(one.source[i] for i in which),
                is_computed=one.is_computed[which],
                shifts_eV_per_atom=one.shifts_eV_per_atom[which],
                entropy_shifts_eV_per_K_per_atom=one.entropy_shifts_eV_per_K_per_atom[which],
            )
            for name, one in self.energy_sets.items()
        }
        elements = tuple(e for e in self.elements if any(e in phase.composition for phase in chosen))
        return replace(self, elements=elements, phases=chosen, energy_sets=sets)

    def with_energies(self, energy_set: EnergySet, *, default: bool = False) -> "Phases":
        """Give the same phases with one more energy set, or with one replaced."""
        sets = {**self.energy_sets, energy_set.name: energy_set}
        return replace(self, energy_sets=sets, default_energies=energy_set.name if default else self.default_energies)
