"""From the entries of a table or a database to a system: gases, melting points, Gibbs energies and warnings."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo.anions import anion_warnings
from tammann.thermo.cautions import LEFT_OUT
from tammann.thermo.estimates import estimated_volume
from tammann.thermo.experiment import measured_properties
from tammann.thermo.gases import gas, gas_named, gases_of, stabler_gases
from tammann.thermo.gibbs import (
    COMPUTED_STANDARD_ERROR_EV_PER_ATOM,
    TEMPERATURES_K,
    THERMAL_PART,
    bartel_gibbs,
    enthalpy_of,
)
from tammann.thermo.lookup import ESTIMATED, find_melting_point, find_volume
from tammann.thermo.phase import FloatArray, Phase, Phases, energy_set_of
from tammann.thermo.volumes import volume_warnings

HIGHEST_MELTING_POINT_K = 6000.0
"""Above any known: the carbides of hafnium and tantalum melt near 4200 K."""

_VOLUME_RATIOS = (0.3, 1.85)
"""Beyond the worst that additive increments do; a cell holds two formulas at least."""

MeltingPoints = Mapping[tuple[tuple[str, int], ...], tuple[float, str]]
"""Melting point in K and its source, by ``composition_key``."""


@dataclass(frozen=True)
class Entry:
    """One phase as its source gives it; None where the source states nothing."""

    where: str  # the line or entry it is, for messages
    formula: str  # as written; a gas needs nothing else
    formation_energy_eV_per_atom: float = math.nan  # at 0 K or 298 K, from the elements
    gibbs_eV_per_atom: FloatArray | None = None  # of formation at TEMPERATURES_K, in place of the thermal part
    is_computed: bool = True
    volume_A3_per_atom: float = math.nan  # found where it is not stated
    melting_point_K: float | None = None
    melting_point_source: str = ""
    standard_error_eV_per_atom: float | None = None
    source: str = ""  # of the energy
    material_id: str | None = None
    observed: bool | None = None
    anion_correction: str | None = None  # that is in the energy, in words


def check_melting_point(value: float, where: str, formula: str) -> float:
    """Return a melting point, refusing what is no temperature at which a phase could melt."""
    if not 0.0 < value <= HIGHEST_MELTING_POINT_K:
        raise DataError(
            f"{where}: melting_point_K is {value:g} for {formula}, expected a temperature in K, above 0 and at most "
            f"{HIGHEST_MELTING_POINT_K:g}"
        )
    return value


def _melting_point(entry: Entry, phase: Phase, energy: float, stated: MeltingPoints | None) -> tuple[float, str]:
    """Return the melting point that is stated, measured or estimated, and its source; NaN if there is none."""
    key = composition_key(phase.composition)
    if stated and key in stated:
        return stated[key]
    if entry.melting_point_K is not None:
        return check_melting_point(entry.melting_point_K, entry.where, entry.formula), entry.melting_point_source
    return find_melting_point(phase.composition, energy, phase.volume_A3_per_atom)


def serves_as_phase(composition: Mapping[str, int], melting_points: MeltingPoints | None) -> bool:
    """Tell whether an entry is a phase: a solid element without a known melting point is a reference only."""
    known = measured_properties(composition)
    return (
        len(composition) > 1
        or gas_named(next(iter(composition))) is not None
        or composition_key(composition) in (melting_points or {})
        or (known is not None and math.isfinite(known.melting_point_K))
    )


def _check_range(entry: Entry, name: str, low: float, high: float, expected: str) -> None:
    value = getattr(entry, name)
    if value is not None and not low <= value <= high:
        raise DataError(
            f"{entry.where}: {name} is {value:g} for {entry.formula}, expected {low:g} to {high:g} {expected}"
        )


def _solid(entry: Entry, stated: MeltingPoints | None) -> tuple[Phase, FloatArray, float, str]:
    """Return a solid as a phase, its Gibbs energy, eV per atom, shape (nT,), standard error and source."""
    composition = parse_formula(entry.formula)
    is_element = len(composition) == 1
    low, high, advice = (1e-3, 1e3, "") if is_element else (3.0, 70.0, "; is it per cell or per formula?")
    volume, volume_source = entry.volume_A3_per_atom, entry.source
    if math.isnan(volume):
        volume, volume_source = find_volume(composition)
    else:
        _check_range(entry, "volume_A3_per_atom", low, high, f"Angstrom^3 per atom{advice}")
        _check_volume(entry, composition)
    _check_range(entry, "standard_error_eV_per_atom", 0.0, 8.0, "eV per atom")
    table, energy = entry.gibbs_eV_per_atom, entry.formation_energy_eV_per_atom
    if table is None:
        _check_range(entry, "formation_energy_eV_per_atom", -8.0, 8.0, "eV per atom; is it in kJ/mol or per formula?")
        try:
            table = bartel_gibbs(composition, energy, volume)
        except DataError as problem:
            raise DataError(f"{entry.where}: {problem}") from None
        thermal_part = f", {THERMAL_PART}"
    else:
        thermal_part = ""
        energy = enthalpy_of(table)
        if not -8.0 <= energy <= 8.0:
            raise DataError(
                f"{entry.where}: enthalpy of formation is {energy:.4g} eV per atom for {entry.formula}, expected -8 to "
                "8; is the unit that of the column's name?"
            )
    error, source = COMPUTED_STANDARD_ERROR_EV_PER_ATOM, f"{entry.source}{thermal_part}"
    if is_element:
        error, source = 0.0, "reference of its element"
    if entry.standard_error_eV_per_atom is not None:
        error = entry.standard_error_eV_per_atom
    phase = Phase(
        entry.formula,
        composition,
        volume_A3_per_atom=volume,
        volume_source=volume_source,
        material_id=entry.material_id,
        observed=entry.observed,
    )
    melting_point, melting_point_source = _melting_point(entry, phase, energy, stated)
    phase = replace(phase, melting_point_K=melting_point, melting_point_source=melting_point_source)
    return phase, table, error, source


def _check_volume(entry: Entry, composition: Mapping[str, int]) -> None:
    """Refuse a volume that is a multiple of what the ions of the compound take: that of a cell."""
    try:
        usual = estimated_volume(composition)
    except DataError:
        return
    ratio = entry.volume_A3_per_atom / usual.value
    if len(composition) > 1 and not _VOLUME_RATIOS[0] < ratio < _VOLUME_RATIOS[1]:
        raise DataError(
            f"{entry.where}: volume_A3_per_atom is {entry.volume_A3_per_atom:.3g} for {entry.formula}, {ratio:.2g} "
            "times what its ions take; is it that of a cell, or the density in another unit?"
        )


def system_of(
    name: str,
    entries: Sequence[Entry],
    *,
    warnings: Sequence[str] = (),
    melting_points: MeltingPoints | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Phases:
    """Return the system of some entries; those that cannot be used are left out, with a warning that names them.

    ``melting_points`` count before those of the entries; ``left_out`` says by formula why others cannot be used.

    Raises:
        DataError: No solid compound is left.
    """
    refused = dict(left_out or {})
    solids, replaced, gases = [], [], []
    kept: list[Entry] = []
    for entry in entries:
        try:
            named = gas_named(entry.formula)
            if named is None:
                solids.append(_solid(entry, melting_points))
                kept.append(entry)
            else:
                replaced.append(entry.formula)
                gases.append(named)
        except DataError as problem:
            refused[entry.formula] = str(problem)
    if not any(len(phase.composition) > 1 for phase, *_ in solids):
        first = f"{next(iter(refused.values()))}; " if refused else ""
        raise DataError(
            f"{first}energies {name!r} have no solid compound: expected at least one besides elements and gases"
        )
    elements = {e for formula in (*(entry.formula for entry in kept), *gases) for e in parse_formula(formula)}
    gases = list(dict.fromkeys([*gases_of(elements), *gases]))
    parts = [*solids, *(gas(formula) for formula in gases)]
    computed = {entry.formula for entry in kept if entry.is_computed and len(parse_formula(entry.formula)) > 1}
    thermal_part = f", {THERMAL_PART}" if any(entry.gibbs_eV_per_atom is None for entry in kept) else ""
    energies = energy_set_of(
        name,
        f"Formation energies of {name}{thermal_part}.",
        TEMPERATURES_K,
        [(g, error, text, p.formula in computed) for p, g, error, text in parts],
    )
    system = Phases(
        "-".join(sorted(elements)),
        tuple(sorted({e for phase, *_ in parts for e in phase.composition})),
        tuple(phase for phase, *_ in parts),
        {name: energies},
        name,
        left_out=refused,
    )
    return replace(system, warnings=(*warnings, *_warnings(system, kept, refused, gases, replaced)))


def _warnings(
    system: Phases, kept: Sequence[Entry], refused: Mapping[str, str], gases: Sequence[str], replaced: Sequence[str]
) -> Iterator[str]:
    if refused:
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        yield f"{LEFT_OUT}: {'; '.join(list(refused.values())[:5])}{more}"
    yield from anion_warnings(system, {e.formula: e.anion_correction for e in kept if e.is_computed})
    lacking = [
        e.formula for e in kept if e.standard_error_eV_per_atom is None and len(system[e.formula].composition) > 1
    ]
    if lacking:
        yield f"no standard error given for {', '.join(lacking)}: 40 meV/atom is taken"
    yield from _estimates(system)
    yield from volume_warnings(system, {phase.formula: phase.volume_A3_per_atom for phase in system})
    if gases:
        instead = f" (in place of the entries for {', '.join(replaced)})" if replaced else ""
        yield f"gases from tables: {', '.join(gases)}{instead}"
    hot = ", ".join(f"{formula} (from {T:g} K)" for formula, T in stabler_gases(system))
    if hot:
        yield f"more stable as a gas of molecules at 1 bar: {hot}; list a gas as X(g) to include it"


def _estimates(system: Phases) -> Iterator[str]:
    """Name what was looked up or estimated."""
    compounds = [phase for phase in system if phase.state == "solid" and len(phase.composition) > 1]
    for what, sources in (
        ("volumes", {phase.formula: phase.volume_source for phase in compounds}),
        ("melting points", {phase.formula: phase.melting_point_source for phase in compounds}),
    ):
        for text in sorted({source for source in sources.values() if source.startswith(ESTIMATED)}):
            yield f"{what} of {', '.join(f for f, source in sources.items() if source == text)}: {text}"
