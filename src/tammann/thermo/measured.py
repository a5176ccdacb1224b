"""The library of measured energies: any elements to the solids and gases that tables know, with sources and errors.

The NIST-JANAF tables come first, then published measurements that they lack, then FREED where the package that carries
it is installed. What disagrees is named, and its error widened.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from tammann.composition import atomic_masses, composition_key
from tammann.errors import DataError, check_argument
from tammann.thermo.condensed_elements import condensed_element
from tammann.thermo.correlated_errors import with_correlated_errors
from tammann.thermo.entries import MeltingPoints
from tammann.thermo.estimates import estimated_melting_point, estimated_volume
from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.freed import freed_solids
from tammann.thermo.gases import gas, gas_named, gases_of, stabler_gases
from tammann.thermo.gibbs import TEMPERATURES_K, enthalpy_of
from tammann.thermo.janaf import janaf_solids
from tammann.thermo.literature import literature_solids
from tammann.thermo.lookup import measured_melting_point, measured_volume
from tammann.thermo.phase import ELEMENT_GASES, FloatArray, Phase, Phases, energy_set_of
from tammann.units import KJ_PER_MOL_IN_EV

MEASURED = "measured"
"""Name of the energy set of the library, which a recipe uses for any elements."""
_NOBLE_GASES = frozenset({"He", "Ne", "Ar", "Kr", "Xe", "Rn"})
_Key = tuple[tuple[str, int], ...]


def measured_phases(elements: Iterable[str], *, fill: bool = True) -> Phases:
    """Return what the library knows of some elements: solids, gases, energies, melting points and volumes.

    Of each composition there is one solid, the stablest form at each temperature, which continues as a solid beyond its
    melting point. An element's condensed phase is zero up to its boiling point. Gases are those of the elements, CO2
    and H2O; others enter with the atmosphere, or as a recipe gives them off.

    Args:
        elements: Symbols, such as ``["Sr", "Ti", "O", "C"]``; phases may hold some of them only.
        fill: Estimate volumes and melting points that nobody measured, which their sources say.

    Returns:
        Phases with one energy set, ``measured``, on ``TEMPERATURES_K``; ``left_out`` says which entries are not
        trusted, and why.

    Raises:
        DataError: A symbol is no element, or no compound of the elements is known.

    Example:
        >>> phases = measured_phases(["Mg", "Al", "O"])
        >>> [phase.formula for phase in phases if phase.n_atoms > 2]
        ['Al2O3', 'MgAl2O4']
        >>> round(float(phases.gibbs(1000.0)[phases.index("MgO")]), 3)
        -2.555
    """
    if isinstance(elements, str):
        raise DataError(f"elements {elements!r} are one text: expected a list of symbols, such as ['Sr', 'Ti', 'O']")
    wanted = tuple(sorted(set(elements)))
    for element in wanted:
        check_argument("elements", element, (str,), "symbols of elements")
        if element not in atomic_masses():
            raise DataError(f"elements: {element!r} is not an element; check its spelling")
    if not wanted:
        raise DataError("elements are empty: expected symbols, such as ['Sr', 'Ti', 'O']")
    return _library(wanted, fill)


@lru_cache(maxsize=64)
def _library(elements: tuple[str, ...], fill: bool) -> Phases:
    solids, refused = _merged(elements)
    for key in [key for key, solid in solids.items() if len(key) > 1 and gas_named(solid.formula) is not None]:
        formula = solids.pop(key).formula
        refused[formula] = f"{formula} is the name of a gas of the tables"
    compounds = [solid for solid in solids.values() if len(solid.composition) > 1]
    if not compounds:
        raise DataError(
            f"no compound of {', '.join(elements)} is in the tables of measured energies: expected elements with at "
            "least one; give energies of your own in a CSV or JSON file, or ask the Materials Project (mp-api)"
        )
    ordered = [*compounds, *(solid for solid in solids.values() if len(solid.composition) == 1)]
    parts = [_part(solid, fill) for solid in ordered]
    parts += [(*gas(formula), False) for formula in gases_of(set(elements))]
    energies = energy_set_of(
        MEASURED,
        "Measured Gibbs energies of formation: NIST-JANAF tables, then published measurements, then FREED.",
        TEMPERATURES_K,
        [(gibbs, error, source, computed) for _, gibbs, error, source, computed in parts],
    )
    phases = Phases(
        "-".join(elements),
        tuple(sorted({e for phase, *_ in parts for e in phase.composition})),
        tuple(phase for phase, *_ in parts),
        {MEASURED: energies},
        MEASURED,
        left_out=refused,
    )
    return replace(with_correlated_errors(phases), warnings=tuple(_warnings(phases)))


def warnings_about(phases: Phases, formulas: Collection[str]) -> tuple[str, ...]:
    """Return the warnings of a system, those of the library only as far as they are about some of its solids.

    The library warns of everything that it knows of the elements; a run needs to hear of what occurs in it.

    Args:
        phases: The system, from the library or joined with it.
        formulas: Of the solids that matter.

    Example:
        >>> phases = measured_phases(["Ti", "O"])
        >>> len(phases.warnings) > 0, warnings_about(phases, ["TiO2"])
        (True, ())
    """
    try:
        general = measured_phases(phases.elements).warnings
    except DataError:  # of these elements it knows nothing
        return phases.warnings
    if not set(general) & set(phases.warnings):
        return phases.warnings
    here = [i for i, phase in enumerate(phases) if phase.state == "gas" or phase.formula in formulas]
    others = [warning for warning in phases.warnings if warning not in general]
    return (*_warnings(phases.take(np.array(here, dtype=int))), *others)


def _warnings(phases: Phases) -> Iterator[str]:
    for what, source in (("volumes", "volume_source"), ("melting points", "melting_point_source")):
        estimated = [phase.formula for phase in phases if "estimated" in getattr(phase, source)]
        if estimated:
            yield f"{what} of {', '.join(estimated)} are estimated"
    energies = phases.energy_set()
    pairs = zip(phases, energies.source, strict=True)
    contested = [phase.formula for phase, source in pairs if "kJ/mol of atoms in" in source]
    if contested:
        yield f"sources differ on the energies of {', '.join(contested)}; their errors are as large as that"
    hot = ", ".join(f"{formula} (from {T:g} K)" for formula, T in stabler_gases(phases))
    if hot:
        yield f"more stable as a gas of molecules at 1 bar: {hot}; name a gas as X(g) in the atmosphere to include it"


def _merged(elements: tuple[str, ...]) -> tuple[dict[_Key, MeasuredSolid], dict[str, str]]:
    """Return the solids of all collections, the most trusted of each composition, and why others are left out."""
    janaf, literature = janaf_solids(elements), literature_solids(elements)

    def melting_point(composition: Mapping[str, int]) -> float:
        return _melting_point(composition, janaf.get(composition_key(composition)))[0]

    freed, refused = freed_solids(elements, melting_point=melting_point)
    found = {}
    for key in (*janaf, *literature, *freed):
        if key not in found:
            known = [collection[key] for collection in (janaf, literature, freed) if key in collection]
            found[key] = known[0]
            for other in known[1:]:
                found[key] = _compared(found[key], other)
    for element in elements:
        missing = ((element, 1),) not in found and f"{element}2" not in ELEMENT_GASES and element not in _NOBLE_GASES
        condensed = condensed_element(element) if missing else None
        if condensed is not None:
            found[((element, 1),)] = condensed
    return found, {name: reason for name, reason in refused.items() if composition_key(name) not in found}


def _part(solid: MeasuredSolid, fill: bool) -> tuple[Phase, FloatArray, float, str, bool]:
    composition = solid.composition
    gibbs = solid.gibbs_kJ_per_mol * KJ_PER_MOL_IN_EV / solid.n_atoms
    melting_point, melting_point_source = _melting_point(composition, solid)
    volume, volume_source = measured_volume(composition)
    try:
        if fill and not math.isfinite(volume):
            estimate = estimated_volume(composition)
            volume, volume_source = estimate.value, estimate.source
        if fill and not math.isfinite(melting_point) and math.isfinite(volume):
            estimate = estimated_melting_point(composition, enthalpy_of(gibbs), volume)
            melting_point, melting_point_source = estimate.value, estimate.source
    except DataError:  # an element without increments: it stays unknown
        pass
    phase = Phase(
        solid.formula,
        composition,
        volume_A3_per_atom=volume,
        volume_source=volume_source,
        melting_point_K=melting_point,
        melting_point_source=melting_point_source,
        observed=True,
    )
    source = solid.source if len(composition) > 1 else f"reference of its element; {solid.source}"
    return phase, gibbs, solid.standard_error_kJ_per_mol * KJ_PER_MOL_IN_EV / solid.n_atoms, source, False


def _compared(solid: MeasuredSolid, other: MeasuredSolid) -> MeasuredSolid:
    """Return a solid with the error that another source, where it differs by more, gives it, and that in its source.

    Two values that differ by d have a standard deviation of d / sqrt(2) about the truth each; d is the root mean square
    over temperature, so that curves that cross are not taken for equal.
    """
    below = np.minimum(solid.melting_point_K, 1500.0) if math.isfinite(solid.melting_point_K) else 1000.0
    same = max(below, TEMPERATURES_K[0]) >= TEMPERATURES_K
    theirs = other.gibbs_kJ_per_mol * solid.n_atoms / other.n_atoms
    apart = (theirs - solid.gibbs_kJ_per_mol)[same]
    difference = math.copysign(float(np.sqrt(np.mean(apart**2))), float(np.mean(apart)))
    if abs(difference) <= solid.standard_error_kJ_per_mol:
        return solid
    return replace(
        solid,
        standard_error_kJ_per_mol=max(solid.standard_error_kJ_per_mol, abs(difference) / math.sqrt(2.0)),
        source=f"{solid.source}; {difference / solid.n_atoms:+.1f} kJ/mol of atoms in {other.source}",
    )


def _melting_point(composition: Mapping[str, int], solid: MeasuredSolid | None) -> tuple[float, str]:
    """Return a measured melting or decomposition point and its source; NaN where there is none."""
    if solid is not None and math.isfinite(solid.melting_point_K):
        return solid.melting_point_K, solid.melting_point_source
    return measured_melting_point(composition)


def with_melting_points(phases: Phases, stated: MeltingPoints) -> Phases:
    """Return the phases with the melting points of a table in place of their own, where it has one."""
    changed = []
    for phase in phases:
        point = stated.get(composition_key(phase.composition)) if phase.state == "solid" else None
        changed.append(
            phase if point is None else replace(phase, melting_point_K=point[0], melting_point_source=point[1])
        )
    return replace(phases, phases=tuple(changed))
