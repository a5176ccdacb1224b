"""Gases and their measured Gibbs energies: the elements' own, and the molecules of the NIST-JANAF tables.

The tables know hundreds of molecules. Into a system enter those that its source lists or an atmosphere names, and those
that any system of their elements exchanges: the gases of the elements, CO2 and H2O.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.systems import read_rows
from tammann.thermo.experiment import STANDARD_ERROR_KJ_PER_MOL, extended, measured_energy
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import ELEMENT_GASES, FloatArray, Phase, Phases
from tammann.units import KJ_PER_MOL_IN_EV

_COMMON = (*ELEMENT_GASES, "CO2", "CO", "H2O")  # any multiple of their formulas is read as the gas
_INERT = frozenset({"He", "Ne", "Ar", "Kr", "Xe"})


@cache
def _molecules() -> Mapping[tuple[tuple[str, int], ...], tuple[bool, FloatArray]]:
    """Read the molecules of the NIST-JANAF tables: whether they are asked for by name, and G in kJ/mol, shape (nT,)."""
    columns = [f"{T:g}" for T in TEMPERATURES_K]
    return {
        tuple(sorted(parse_formula(row["formula"]).items())): (
            row["by_name"] == "true",
            extended(np.array([float(row[T] or "nan") for T in columns])),
        )
        for row in read_rows("experiment/gases.csv")
    }


def _molecule(composition: Mapping[str, int]) -> tuple[bool, FloatArray] | None:
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
    if found is not None and (asked or not found[0]):
        return f"{bare}(g)" if found[0] else bare
    key = composition_key(composition)
    common = next((g for g in _COMMON if composition_key(parse_formula(g)) == key), None)
    if asked and common is None:
        raise DataError(
            f"{formula} is not among the gases of the tables: expected a molecule of NIST-JANAF, such as SO2"
        )
    return common


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
    _, gibbs = _molecules()[tuple(sorted(composition.items()))]
    return phase, gibbs * to_eV, STANDARD_ERROR_KJ_PER_MOL * to_eV, "experiment: NIST-JANAF tables"


def gases_of(elements: set[str]) -> list[str]:
    """Return the gases that any system of these elements exchanges: those of its elements, CO2 and H2O."""
    return [g for g in _COMMON if g != "CO" and set(parse_formula(g)) <= elements]


def with_gases(phases: Phases, formulas: Iterable[str]) -> Phases:
    """Return the phases together with those gases of an atmosphere that they lack and could exchange.

    Gases with an element that no phase holds are known but cannot act; they are not added.

    Args:
        phases: The system.
        formulas: Gases, such as "SO2", or "P4O10(g)" for a molecule that could be a solid as well.

    Raises:
        DataError: A formula is not a gas of the tables.

    Example:
        >>> from tammann.thermo import load_phases
        >>> "CO" in with_gases(load_phases("Ba-Ti-O"), ["CO", "N2"])
        True
    """
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
        if name not in phases and set(parse_formula(name)) <= set(phases.elements):
            phases = _with_gas(phases, name)
    return phases


def _with_gas(phases: Phases, name: str) -> Phases:
    phase, table, error, source = gas(name)
    sets = {
        key: replace(
            one,
            gibbs_eV_per_atom=np.c_[one.gibbs_eV_per_atom, np.interp(one.temperature_K, TEMPERATURES_K, table)],
            standard_error_eV_per_atom=np.append(one.standard_error_eV_per_atom, error),
            source=(*one.source, source),
            is_computed=np.append(one.is_computed, False),
            shifts_eV_per_atom=np.append(one.shifts_eV_per_atom, 0.0),
            entropy_shifts_eV_per_K_per_atom=np.append(one.entropy_shifts_eV_per_K_per_atom, 0.0),
        )
        for key, one in phases.energy_sets.items()
    }
    return replace(phases, phases=(*phases.phases, phase), energy_sets=sets)


def stabler_gases(phases: Phases) -> list[tuple[str, float]]:
    """Return the solids whose molecule has a lower Gibbs energy as a gas at 1 bar, and from which temperature, K."""
    found = []
    for i, phase in enumerate(phases):
        molecule = _molecule(phase.composition) if phase.state == "solid" and len(phase.composition) > 1 else None
        if molecule is not None and f"{phase.formula}(g)" not in phases:
            hot = molecule[1] * KJ_PER_MOL_IN_EV / phase.n_atoms < phases.energy_set().gibbs_eV_per_atom[:, i]
            if hot.any():
                found.append((phase.formula, float(TEMPERATURES_K[np.argmax(hot)])))
    return found
