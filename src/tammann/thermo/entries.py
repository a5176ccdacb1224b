"""A user's own phases and energies: a CSV table, or computed entries as pymatgen writes them."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.systems import SYSTEMS
from tammann.thermo._tables import read_rows
from tammann.thermo.experiment import gas, gases_of, is_gas, measured_properties
from tammann.thermo.gibbs import TEMPERATURES_K, bartel_gibbs
from tammann.thermo.phase import EnergySet, Phase, Phases
from tammann.thermo.volumes import volume_warnings

DEFAULT_STANDARD_ERROR_EV_PER_ATOM = 0.040
_REQUIRED = ("formula", "formation_energy_eV_per_atom", "volume_A3_per_atom")
_MELTING = ("formula", "melting_point_K", "source")
_MELTING_NAMES = "formula, melting_point_K and source"
_OPTIONAL = (
    "melting_point_K",
    "standard_error_eV_per_atom",
    "melting_point_source",
    "material_id",
    "observed",
    "source",
)


@dataclass(frozen=True)
class Entry:
    """One phase as a source gives it; ``where`` says which line or entry it is, for messages."""

    where: str
    formula: str
    formation_energy_eV_per_atom: float
    volume_A3_per_atom: float
    melting_point_K: float | None
    melting_point_source: str
    standard_error_eV_per_atom: float | None
    source: str
    material_id: str | None = None
    observed: bool | None = None


MeltingPoints = Mapping[tuple[tuple[str, int], ...], tuple[float, str]]
"""Melting point in K and its source, by reduced formula."""


def read_melting_points(path: str | Path) -> MeltingPoints:
    r"""Read melting points from a CSV table with the columns ``formula``, ``melting_point_K`` and ``source``.

    Lines that start with # are comments. Formulas need not be among the phases; any multiple of a formula will do.

    Args:
        path: the file.

    Raises:
        DataError: the file cannot be read; a column, formula or number is missing or wrong; a phase is there twice.

    Examples:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "melting.csv"
        >>> _ = file.write_text("formula,melting_point_K,source\nSrTiO3,2353,a handbook")
        >>> read_melting_points(file)
        {(('O', 3), ('Sr', 1), ('Ti', 1)): (2353.0, 'a handbook')}
    """
    header, rows = _table(Path(path), "melting_points", _MELTING)
    if sorted(header) != sorted(_MELTING):
        raise DataError(f"melting_points {str(path)!r} has the columns {', '.join(header)}: expected {_MELTING_NAMES}")
    found: dict[tuple[tuple[str, int], ...], tuple[float, str]] = {}
    for where, row in rows:
        key = composition_key(parse_formula(row["formula"]))
        try:
            value = float(row["melting_point_K"])
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0.0):
            raise DataError(f"{where}: melting_point_K is {row['melting_point_K']!r}, expected a temperature in K")
        if not row["source"]:
            raise DataError(f"{where}: {row['formula']} has no source, expected who measured or estimated it")
        if key in found:
            raise DataError(f"{where}: {row['formula']} is there twice; keep one of them")
        found[key] = value, row["source"]
    return found


def _table(path: Path, what: str, required: Sequence[str]) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Header and lines of a CSV table, each line with where it stands; refuses what is no table."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DataError(f"{what} file {str(path)!r} cannot be read ({reason}): expected a CSV table") from None
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    try:
        table = list(csv.reader([line for _, line in numbered], strict=True))
    except csv.Error as error:
        raise DataError(f"{what} file {path.name!r} is not a CSV table: {error}") from None
    if len(table) < 2:
        raise DataError(f"{what} file {path.name!r} has no phases: expected a header and one line a phase")
    header = [name.strip() for name in table[0]]
    for name in required:
        if name not in header:
            raise DataError(f"{what} file {path.name!r} lacks the column {name}: expected {', '.join(required)}")
    rows = []
    for (number, _), cells in zip(numbered[1:], table[1:], strict=True):
        where = f"{path.name}, line {number}"
        if len(cells) != len(header):
            raise DataError(f"{where} has {len(cells)} cells: expected {len(header)}, as in the header")
        rows.append((where, {k: v.strip() for k, v in zip(header, cells, strict=True)}))
    return header, rows


def read_csv(path: str | Path, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Read phases from a CSV table.

    Columns: ``formula``, ``formation_energy_eV_per_atom`` (at 0 K, from the elements), ``volume_A3_per_atom``,
    ``melting_point_K`` and ``standard_error_eV_per_atom``; optionally ``melting_point_source``, ``material_id``,
    ``observed`` (true or false) and ``source``. Lines that start with # are comments. An empty standard error means
    40 meV/atom; an empty melting point is filled where a measured one is known and refused otherwise. Heat is added by
    the descriptor of Bartel et al. Gases that the elements form (O2, CO2 and so on) come from tables.

    Args:
        path: the file.
        melting_points: from ``read_melting_points``; they count before those of the file.

    Returns:
        A system with one energy set, named after the file.

    Raises:
        DataError: the file cannot be read; a column, formula or number is missing or wrong.

    Examples:
        >>> import pathlib, tempfile
        >>> text = '''formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom
        ... MgO,-3.05,9.4,3105,0.02
        ... Al2O3,-3.43,8.7,2327,0.02
        ... MgAl2O4,-3.35,9.6,2408,0.02'''
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = file.write_text(text)
        >>> [phase.formula for phase in read_csv(file)]
        ['MgO', 'Al2O3', 'MgAl2O4', 'O2']
    """
    path = Path(path)
    header, rows = _table(path, "energies", _REQUIRED)
    for name in header:
        if name not in _REQUIRED + _OPTIONAL or header.count(name) > 1:
            raise DataError(
                f"energies file {path.name!r} has the unknown or repeated column {name!r}: expected "
                f"{', '.join(_REQUIRED + _OPTIONAL)}"
            )
    entries = [_csv_entry(where, row) for where, row in rows]
    seen: dict[Any, str] = {}
    for entry in entries:
        key = composition_key(parse_formula(entry.formula))
        if key in seen:
            raise DataError(
                f"{entry.where}: {entry.formula} is the same phase as on {seen[key]}; keep the stabler polymorph"
            )
        seen[key] = entry.where
    return system_of(path.stem, entries, melting_points=melting_points)


def _csv_entry(where: str, row: Mapping[str, str]) -> Entry:
    def number(key: str, *, required: bool) -> float | None:
        text = row.get(key, "")
        if not text and not required:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{where}: {key} is {text!r}, expected a number")
        return value

    observed = row.get("observed", "").lower()
    if observed not in ("", "true", "false"):
        raise DataError(f"{where}: observed is {row['observed']!r}, expected true or false")
    energy, volume = number(_REQUIRED[1], required=True), number(_REQUIRED[2], required=True)
    assert energy is not None and volume is not None
    return Entry(
        where=where,
        formula=row["formula"],
        formation_energy_eV_per_atom=energy,
        volume_A3_per_atom=volume,
        melting_point_K=number("melting_point_K", required=False),
        melting_point_source=row.get("melting_point_source") or "stated by the user",
        standard_error_eV_per_atom=number("standard_error_eV_per_atom", required=False),
        source=row.get("source") or "stated by the user",
        material_id=row.get("material_id") or None,
        observed={"": None, "true": True, "false": False}[observed],
    )


@cache
def _estimated_melting_points() -> Mapping[tuple[tuple[str, int], ...], float]:
    rows = [row for system in SYSTEMS.values() for row in read_rows(system.phases)]
    return {composition_key(parse_formula(r["formula"])): float(r["melting_point_ml_K"]) for r in rows}


def _melting_point(
    entry: Entry, composition: Mapping[str, int], stated: MeltingPoints | None
) -> tuple[float, str] | None:
    """The melting point that is stated, measured or estimated, None where there is none, and its source."""
    given = (stated or {}).get(composition_key(composition))
    if given is not None:
        return given
    if entry.melting_point_K is not None:
        if not entry.melting_point_K > 0.0:
            raise DataError(
                f"{entry.where}: melting_point_K is {entry.melting_point_K:g}, expected a positive temperature in K"
            )
        return entry.melting_point_K, entry.melting_point_source
    measured = measured_properties(composition)
    if measured is not None and math.isfinite(measured.melting_point_K):
        return measured.melting_point_K, measured.melting_point_source
    estimate = _estimated_melting_points().get(composition_key(composition))
    if estimate is not None:
        return estimate, "graph-network estimate: Hong et al., PNAS 2022, 119, e2209630119, doi 10.1073/pnas.2209630119"
    return None


def element_melts(composition: Mapping[str, int], melting_points: MeltingPoints | None) -> bool:
    """Whether a solid element has a known melting point; without one it serves as a reference only."""
    known = measured_properties(composition)
    return composition_key(composition) in (melting_points or {}) or (
        known is not None and math.isfinite(known.melting_point_K)
    )


def system_of(
    name: str,
    entries: Sequence[Entry],
    *,
    warnings: Sequence[str] = (),
    melting_points: MeltingPoints | None = None,
) -> Phases:
    """Make a system of entries: melting points, gases, Gibbs energies and what should be said about them.

    Args:
        name: of the system's energy set.
        entries: the phases.
        warnings: to which those of the system are added.
        melting_points: from ``read_melting_points``; they count before those of the entries.

    Raises:
        DataError: an entry's volume, melting point or standard error is missing or out of range.
    """
    said = list(warnings)
    phases, tables, errors, sources, computed = [], [], [], [], []
    replaced, default_error = [], []
    unmelted: list[Entry] = []
    elements: set[str] = set()
    for entry in entries:
        composition = parse_formula(entry.formula)
        elements |= set(composition)
        if is_gas(composition):
            replaced.append(entry.formula)
            continue
        if not entry.volume_A3_per_atom > 0.0:
            raise DataError(
                f"{entry.where}: volume_A3_per_atom is {entry.volume_A3_per_atom:g}, expected Angstrom^3 per atom, "
                "above zero"
            )
        if len(composition) > 1 and not 3.0 <= entry.volume_A3_per_atom <= 70.0:
            raise DataError(
                f"{entry.where}: volume_A3_per_atom of {entry.formula} is {entry.volume_A3_per_atom:g}, expected 3 to "
                "70 Angstrom^3 per atom; is it per cell or per formula?"
            )
        if abs(entry.formation_energy_eV_per_atom) > 8.0:
            raise DataError(
                f"{entry.where}: formation_energy_eV_per_atom of {entry.formula} is "
                f"{entry.formation_energy_eV_per_atom:g}, expected -8 to 8 eV per atom; is it in kJ/mol or per formula?"
            )
        error = entry.standard_error_eV_per_atom
        if error is None:
            error = 0.0 if len(composition) == 1 else DEFAULT_STANDARD_ERROR_EV_PER_ATOM
            if len(composition) > 1:
                default_error.append(entry.formula)
        if error < 0.0:
            raise DataError(f"{entry.where}: standard_error_eV_per_atom is {error:g}, expected zero or more")
        melts = _melting_point(entry, composition, melting_points)
        if melts is None:
            unmelted.append(entry)
            continue
        melting, melting_source = melts
        try:
            table = bartel_gibbs(composition, entry.formation_energy_eV_per_atom, entry.volume_A3_per_atom)
        except DataError as problem:
            raise DataError(f"{entry.where}: {problem}") from None
        phases.append(
            Phase(
                entry.formula,
                composition,
                volume_A3_per_atom=entry.volume_A3_per_atom,
                volume_source=entry.source,
                melting_point_K=melting,
                melting_point_source=melting_source,
                material_id=entry.material_id,
                observed=entry.observed,
            )
        )
        tables.append(table)
        errors.append(error)
        is_element = len(composition) == 1
        computed.append(not is_element)
        sources.append(
            "reference of its element"
            if is_element
            else f"{entry.source}, heat by the descriptor of Bartel et al. 2018"
        )
    if unmelted:
        first, others = unmelted[0], ", ".join(entry.formula for entry in unmelted[1:21])
        more = (
            f" (nor have {len(unmelted) - 1} more: {others}{', ...' if len(unmelted) > 21 else ''})" if others else ""
        )
        raise DataError(
            f"{first.where}: {first.formula} has no melting point{more}, which sets where it becomes mobile; give "
            f"melting_point_K, measured or estimated, with the energies, or in a CSV table with the columns "
            f"{_MELTING_NAMES} that the key melting_points names"
        )
    if not any(len(p.composition) > 1 for p in phases):
        raise DataError(f"energies {name!r} have no solid compound: expected at least one besides elements and gases")
    if default_error:
        said.append(f"no standard error given for {', '.join(default_error)}: 40 meV/atom is taken")
    volumes = {p.formula: p.volume_A3_per_atom for p in phases}
    said.extend(volume_warnings(phases, volumes))
    gases = gases_of(elements)
    for formula in replaced:
        if composition_key(parse_formula(formula)) not in {composition_key(parse_formula(g)) for g in gases}:
            gases.append(formula)
    for formula in gases:
        phase, table, error, source = gas(formula)
        phases.append(phase)
        tables.append(table)
        errors.append(error)
        sources.append(source)
        computed.append(False)
    if gases:
        said.append(
            f"gases from tables: {', '.join(gases)}"
            + (f" (in place of the entries for {', '.join(replaced)})" if replaced else "")
        )
    n = len(phases)
    energy_set = EnergySet(
        name=name,
        description=f"Formation energies of {name}, heat by the descriptor of Bartel et al. 2018.",
        temperature_K=TEMPERATURES_K,
        gibbs_eV_per_atom=np.column_stack(tables),
        standard_error_eV_per_atom=np.array(errors),
        source=tuple(sources),
        is_computed=np.array(computed),
        shifts_eV_per_atom=np.zeros(n),
        entropy_shifts_eV_per_K_per_atom=np.zeros(n),
    )
    all_elements = tuple(sorted({e for p in phases for e in p.composition}))
    return Phases("-".join(sorted(elements)), all_elements, tuple(phases), {name: energy_set}, name, tuple(said))


def read_entries(path: str | Path, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Read phases from a JSON list of pymatgen's ``ComputedEntry`` or ``ComputedStructureEntry``.

    Energies (with their corrections) are taken relative to the elements in the file, E_f = E - sum_i x_i E_i with E_i
    the lowest entry of element i; where the file does not have all elements, every entry's ``data`` must give
    ``formation_energy_per_atom``. The lowest entry of each formula is kept. Volumes come from the structure, or from
    ``data`` (``volume_A3_per_atom``, or ``volume`` with ``nsites``); ``data`` may also give ``melting_point_K``,
    ``melting_point_source``, ``standard_error_eV_per_atom`` and ``observed``.

    Args:
        path: the file.
        melting_points: from ``read_melting_points``; they count before those of the file.

    Returns:
        A system with one energy set, named after the file. Elements without a melting point serve as references only.

    Raises:
        DataError: the file cannot be read, an element is missing, or a phase has no volume or melting point.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise DataError(
            f"energies file {str(path)!r} cannot be read ({reason}): expected a list of pymatgen entries"
        ) from None
    if isinstance(content, dict) and isinstance(content.get("entries"), list):
        content = content["entries"]
    if not isinstance(content, list) or not content:
        raise DataError(
            f"energies file {path.name!r} holds no list: expected a list of pymatgen entries, as dumpfn writes it"
        )
    try:
        from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry
    except ImportError:
        raise DataError(
            f"energies file {path.name!r} needs pymatgen: install tammann[mp], or write a CSV table instead"
        ) from None
    kinds: dict[str | None, Any] = {"ComputedEntry": ComputedEntry, "ComputedStructureEntry": ComputedStructureEntry}
    read = []
    for i, item in enumerate(content):
        where = f"{path.name}, entry {i}"
        kind = item.get("@class") if isinstance(item, dict) else None
        if kind is None and isinstance(item, dict):
            kind = "ComputedStructureEntry" if "structure" in item else "ComputedEntry"
        if kind not in kinds:
            raise DataError(
                f"{where} is {kind or type(item).__name__!r}: expected ComputedEntry or ComputedStructureEntry"
            )
        try:
            entry = kinds[kind].from_dict(item)
            amounts = {str(e): float(a) for e, a in entry.composition.get_el_amt_dict().items()}
            energy = float(entry.energy_per_atom)
        except Exception as error:  # pymatgen raises whatever a malformed field makes it raise
            raise DataError(
                f"{where} cannot be read: {type(error).__name__} {error}; expected what pymatgen writes"
            ) from None
        counts = {e: round(a) for e, a in amounts.items()}
        if not counts or any(abs(a - counts[e]) > 1e-6 or counts[e] < 1 for e, a in amounts.items()):
            raise DataError(
                f"{where}: composition {amounts} is not of whole numbers; expected atoms of the cell or formula"
            )
        if not math.isfinite(energy):
            raise DataError(f"{where}: energy is {energy}, expected eV of the cell or formula")
        formula = str(entry.composition.reduced_formula)
        parse_formula(formula)
        read.append((where, formula, counts, energy, entry))
    lowest: dict[str, float] = {}
    for _, _, counts, energy, _ in read:
        if len(counts) == 1:
            (element,) = counts
            lowest[element] = min(energy, lowest.get(element, math.inf))
    elements = sorted({e for _, _, counts, _, _ in read for e in counts})
    missing = [e for e in elements if e not in lowest]
    given = all(isinstance((e.data or {}).get("formation_energy_per_atom"), (int, float)) for *_, e in read)
    if missing and not given:
        raise DataError(
            f"energies file {path.name!r} has no entry for the element {missing[0]}: energies are taken relative to "
            "the elements in the file, so add it, or give every entry data['formation_energy_per_atom']"
        )
    best: dict[str, Entry] = {}
    for where, formula, counts, energy, entry in read:
        data = entry.data or {}
        total = sum(counts.values())
        if missing:
            formation = float(data["formation_energy_per_atom"])
        else:
            formation = energy - sum(n * lowest[e] for e, n in counts.items()) / total
        if formula in best and best[formula].formation_energy_eV_per_atom <= formation:
            continue
        composition = parse_formula(formula)
        melting = _field(data, "melting_point_K", where)
        if len(composition) == 1 and melting is None and not element_melts(composition, melting_points):
            continue
        best[formula] = Entry(
            where=where,
            formula=formula,
            formation_energy_eV_per_atom=formation,
            volume_A3_per_atom=math.nan if is_gas(composition) else _volume(entry, data, total, where, formula),
            melting_point_K=melting,
            melting_point_source=str(data.get("melting_point_source", f"stated in {path.name}")),
            standard_error_eV_per_atom=_field(data, "standard_error_eV_per_atom", where),
            source=str(entry.entry_id) if entry.entry_id else path.name,
            material_id=str(entry.entry_id) if entry.entry_id else None,
            observed=data.get("observed") if isinstance(data.get("observed"), bool) else None,
        )
    dropped = len(read) - len(best)
    said = (
        [f"{dropped} of {len(read)} entries are references or less stable polymorphs and are not phases here"]
        if dropped
        else []
    )
    return system_of(path.stem, list(best.values()), warnings=said, melting_points=melting_points)


def _field(data: Mapping[str, Any], key: str, where: str) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise DataError(f"{where}: data[{key!r}] is {value!r}, expected a number")
    return float(value)


def _volume(entry: Any, data: Mapping[str, Any], atoms: int, where: str, formula: str) -> float:
    structure = getattr(entry, "structure", None)
    if structure is not None:
        return float(structure.volume) / len(structure)
    per_atom = _field(data, "volume_A3_per_atom", where)
    if per_atom is not None:
        return per_atom
    volume, sites = _field(data, "volume", where), _field(data, "nsites", where)
    if volume is not None:
        return volume / (sites if sites else atoms)
    raise DataError(
        f"{where}: {formula} has no structure and no data['volume_A3_per_atom'], which the temperature term needs; "
        "give either"
    )
