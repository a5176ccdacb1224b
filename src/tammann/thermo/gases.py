"""Gases and their measured Gibbs energies: the elements' own, and the molecules of the NIST-JANAF tables.

The tables know hundreds of molecules. Into a system enter those that its source lists or an atmosphere names, those
that any system of their elements exchanges (the gases of the elements, CO2 and H2O), and those that a recipe gives off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.systems import read_rows
from tammann.thermo.experiment import STANDARD_ERROR_KJ_PER_MOL, extended, measured_energy
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import ELEMENT_GASES, FloatArray, Phase, Phases
from tammann.units import KJ_PER_MOL_IN_EV

_COMMON = (*ELEMENT_GASES, "CO2", "CO", "H2O")  # any multiple of their formulas is read as the gas
_VAPOURS = ("S2", "P2", "P4", "Br2", "I2")
_INERT = frozenset({"He", "Ne", "Ar", "Kr", "Xe"})


class _Molecule(NamedTuple):
    """A molecule of NIST-JANAF: its formula there, and whether it is a gas only where it is asked for by name."""

    formula: str
    by_name: bool
    cells: Mapping[str, str]

    @property
    def gibbs_kJ_per_mol(self) -> FloatArray:
        """Gibbs energy of formation at ``TEMPERATURES_K``, shape (nT,); to read all 700 at once takes too long."""
        return extended(np.array([float(self.cells[f"{T:g}"] or "nan") for T in TEMPERATURES_K]))


@cache
def _molecules() -> Mapping[tuple[tuple[str, int], ...], _Molecule]:
    return {
        tuple(sorted(parse_formula(row["formula"]).items())): _Molecule(row["formula"], row["by_name"] == "true", row)
        for row in read_rows("experiment/gases.csv")
    }


def _molecule(composition: Mapping[str, int]) -> _Molecule | None:
    return _molecules().get(tuple(sorted(composition.items())))


def gas_named(formula: str) -> str | None:
    """Return the name of the gas that a formula stands for, None for a solid.

    A molecule that could be a solid as well (one with a table as a crystal, or with a metal) is a gas only where it is
    asked for by name, as ``P4O10(g)``, and keeps that name.

    Raises:
        DataError: The formula cannot be read, or a gas is asked for that the tables do not have.

    Example:
        >>> gas_named("SO2"), gas_named("NaCl"), gas_named("NaCl(g)"), gas_named("O2(g)")
        ('SO2', None, 'NaCl(g)', 'O2')
    """
    composition = parse_formula(formula)
    bare = formula.strip().removesuffix("(g)")
    asked = bare != formula.strip()
    if bare in _COMMON:
        return bare
    found = _molecule(composition)
    if found is not None and (asked or not found.by_name):
        return f"{bare}(g)" if found.by_name else bare
    key = composition_key(composition)
    common = next((g for g in _COMMON if composition_key(parse_formula(g)) == key), None)
    if asked and common is None:
        raise DataError(
            f"{formula} is not among the gases of the tables: expected a molecule of NIST-JANAF, such as SO2"
        )
    return common


def known_as_gas(formula: str) -> bool:
    """Tell whether a formula is a gas of the tables, one that could be a solid as well included.

    Example:
        >>> known_as_gas("TiCl4"), known_as_gas("SrTiO3")
        (True, False)
    """
    return gas_named(formula) is not None or _molecule(parse_formula(formula)) is not None


def gas(formula: str) -> tuple[Phase, FloatArray, float, str]:
    """Return a gas as a phase, its Gibbs energy, eV per atom, shape (nT,), standard error and source.

    The name is one that ``gas_named`` returns; the gas of an element is its reference: zero.

    Example:
        >>> SO2, gibbs, error, source = gas("SO2")
        >>> round(float(gibbs[TEMPERATURES_K == 1500][0]), 3)
        -0.871
    """
    composition = parse_formula(formula)
    phase = Phase(formula, composition, state="gas", observed=True)
    if phase.is_reference_gas:
        return phase, np.zeros(len(TEMPERATURES_K)), 0.0, "reference of its element"
    measured = measured_energy(composition)
    if formula in _COMMON and measured is not None:
        return phase, *measured
    to_eV = KJ_PER_MOL_IN_EV / phase.n_atoms
    gibbs = _molecules()[tuple(sorted(composition.items()))].gibbs_kJ_per_mol
    return phase, gibbs * to_eV, STANDARD_ERROR_KJ_PER_MOL * to_eV, "experiment: NIST-JANAF tables"


def gases_of(elements: set[str]) -> list[str]:
    """Return the gases that any system of these elements exchanges: those of its elements, CO2 and H2O."""
    return [g for g in _COMMON if g != "CO" and set(parse_formula(g)) <= elements]


def product_gases(phases: Phases) -> list[str]:
    """Return the molecules of the system's elements that are no phase of it and that no furnace holds back.

    These could be nothing but a gas, or are the vapour of S, P, Br or I. Of molecules of one composition (NO2, N2O4)
    it is the most stable at 1000 K.
    """
    elements = set(phases.elements)
    found: dict[object, list[tuple[float, str]]] = {}
    for key, molecule in _molecules().items():
        composition = dict(key)
        if not elements.issuperset(composition) or (molecule.by_name and molecule.formula not in _VAPOURS):
            continue
        name = f"{molecule.formula}(g)" if molecule.by_name else _as_written(composition)
        if name not in phases:
            energy = molecule.gibbs_kJ_per_mol[TEMPERATURES_K == 1000.0][0] / sum(composition.values())
            found.setdefault(composition_key(composition), []).append((energy, name))
    return [min(same)[1] for same in found.values()]


def _as_written(composition: Mapping[str, int]) -> str:
    """Return a formula in the usual order of non-metals: SO2, NH3, COS; others in front, by the alphabet."""
    order = "N H" if composition.keys() == {"N", "H"} else "B Si C P H N S I Br Cl O F"
    rank = {element: n for n, element in enumerate(order.split(), 1)}
    return "".join(
        f"{e}{n if n > 1 else ''}" for e, n in sorted(composition.items(), key=lambda x: (rank.get(x[0], 0), x))
    )


def with_gases(phases: Phases, formulas: Iterable[str]) -> Phases:
    """Return the phases together with those gases of an atmosphere that they lack and could exchange.

    A gas may bring elements that no phase holds, such as the H of H2 over iron oxides. The gases of these elements, CO,
    CO2 and H2O then enter as well. A gas with such an element that no reaction with a solid contains is not added.

    Args:
        phases: The system.
        formulas: Gases, such as "SO2", or "P4O10(g)" for a molecule that could be a solid as well.

    Raises:
        DataError: A formula is not a gas of the tables.

    Example:
        >>> from tammann.thermo import load_phases
        >>> [phase.formula for phase in with_gases(load_phases("Ba-Ti-O"), ["CO", "N2", "H2"])][-3:]
        ['CO', 'H2', 'H2O']
    """
    asked = []
    for formula in formulas:
        if formula in _INERT:
            continue
        if formula in phases:
            there = phases[phases.index(formula)]
            if there.state == "gas" and there.composition != parse_formula(formula):  # O3 is not O2
                raise DataError(
                    f"{formula} is another molecule than the {there.formula} of {phases.system}: write that"
                )
            continue
        name = gas_named(formula)
        if name is None:
            advice = "expected a molecule of NIST-JANAF, such as SO2"
            if _molecule(parse_formula(formula)) is not None:
                advice = f"write {formula}(g) for its molecule"
            raise DataError(f"{formula} is not a gas that {phases.system} knows: {advice}")
        if parse_formula(name) != parse_formula(formula):
            raise DataError(f"{formula} is another molecule than the {name} of the tables: write that")
        if name not in phases:
            asked.append(name)
    own = set(phases.elements)
    elements = own.union(*map(parse_formula, asked))
    companions = [g for g in _COMMON if elements.issuperset(parse_formula(g)) and not own.issuperset(parse_formula(g))]
    larger = phases
    for name in dict.fromkeys([*asked, *companions]):
        larger = _with_gas(larger, name)
    kept = _exchanged(larger) | ~(larger.composition_matrix[:, ~np.isin(larger.elements, phases.elements)] > 0).any(
        axis=1
    )
    if kept.all():
        return larger
    for phase in larger.take(np.flatnonzero(kept))[len(phases) :]:
        phases = _with_gas(phases, phase.formula)
    return phases


def _exchanged(phases: Phases) -> npt.NDArray[np.bool_]:
    """Return which phases a balanced reaction with a solid contains, shape (n,).

    Phases that share a reaction with no spare member are linked in the coefficients by which the phases outside a basis
    of the compositions are made of those in it.
    """
    from scipy.linalg import qr

    matrix = phases.composition_matrix.T.astype(float)
    basis = qr(matrix, mode="r", pivoting=True)[1][: np.linalg.matrix_rank(matrix)]
    linked = np.abs(np.linalg.lstsq(matrix[:, basis], matrix, rcond=None)[0]) > 1e-9
    reached = ~phases.is_gas
    while not (more := linked[linked[:, reached].any(axis=1)].any(axis=0))[~reached].sum() == 0:
        reached = reached | more
    return reached


def _with_gas(phases: Phases, name: str) -> Phases:
    phase, table, error, source = gas(name)
    elements = tuple(sorted({*phases.elements, *phase.composition}))
    sets = {
        key: replace(
            one,
            gibbs_eV_per_atom=np.c_[one.gibbs_eV_per_atom, np.interp(one.temperature_K, TEMPERATURES_K, table)],
            standard_error_eV_per_atom=np.append(one.standard_error_eV_per_atom, error),
            loadings_eV_per_atom=one.loadings_with(np.array([error])),
            source=(*one.source, source),
            is_computed=np.append(one.is_computed, False),
            shifts_eV_per_atom=np.append(one.shifts_eV_per_atom, 0.0),
            entropy_shifts_eV_per_K_per_atom=np.append(one.entropy_shifts_eV_per_K_per_atom, 0.0),
        )
        for key, one in phases.energy_sets.items()
    }
    return replace(phases, elements=elements, phases=(*phases.phases, phase), energy_sets=sets)


def stabler_gases(phases: Phases) -> list[tuple[str, float]]:
    """Return the solids whose molecule has a lower Gibbs energy as a gas at 1 bar, and from which temperature, K."""
    found = []
    listed = {composition_key(phase.composition) for phase in phases if phase.state == "gas"}
    for i, phase in enumerate(phases):
        molecule = _molecule(phase.composition) if phase.state == "solid" and len(phase.composition) > 1 else None
        if molecule is not None and composition_key(phase.composition) not in listed:
            hot = (
                molecule.gibbs_kJ_per_mol * KJ_PER_MOL_IN_EV / phase.n_atoms
                < phases.energy_set().gibbs_eV_per_atom[:, i]
            )
            if hot.any():
                found.append((phase.formula, float(TEMPERATURES_K[np.argmax(hot)])))
    return found
