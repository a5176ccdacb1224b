"""Computed entries as pymatgen writes them (JSON)."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.files import read_json
from tammann.strict import finite_number
from tammann.thermo._tables import set_name
from tammann.thermo.anions import anion_correction
from tammann.thermo.entries import Entry, MeltingPoints, serves_as_phase, system_of
from tammann.thermo.gases import gas_named
from tammann.thermo.phase import Phases

_KINDS = ("ComputedEntry", "ComputedStructureEntry")


@dataclass(frozen=True)
class _Computed:
    """One entry as it was read: atoms of its cell, energy in eV per atom, and pymatgen's own object."""

    where: str
    formula: str
    counts: Mapping[str, int]
    energy_eV_per_atom: float
    entry: Any

    @property
    def data(self) -> Mapping[str, Any]:
        return self.entry.data or {}

    @property
    def adjustments(self) -> str:
        return "; ".join(str(a.name) for a in self.entry.energy_adjustments or ()).lower()

    @property
    def functional(self) -> str | None:
        """Family of the functional, GGA for GGA+U and PBE too; None if it is not stated."""
        run_type = (self.entry.parameters or {}).get("run_type")
        name = str(run_type or "").upper().removesuffix("+U").removesuffix("_U")
        return "GGA" if name == "PBE" else name or None

    @property
    def name(self) -> str:
        return f"{self.formula} ({self.entry.entry_id or self.where})"


def read_entries(path: str | Path, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Read phases from a JSON list of pymatgen's ``ComputedEntry`` or ``ComputedStructureEntry``.

    Energies (with their corrections) are taken relative to the elements in the file, E_f = E - sum_i x_i E_i with E_i
    the lowest entry of element i; where the file does not have all elements, every entry's ``data`` must give
    ``formation_energy_per_atom``. The lowest entry of each formula is kept. Volumes come from the structure, or from
    ``data`` (``volume_A3_per_atom``, or ``volume`` with ``nsites``); ``data`` may also give ``melting_point_K``,
    ``melting_point_source``, ``standard_error_eV_per_atom``, ``observed`` and ``formula``, how it is to be written
    (YOCl, which pymatgen writes YClO). Volumes and melting points that are not
    given are looked up or estimated, which warnings say. Carbonates with the Materials Project's
    corrections of 2020 get that of their anion as well. An entry that cannot be used is left out, with a warning.

    Elements without a melting point serve as references only. The energy set is named after the file, which may be
    compressed by gzip (``.json.gz``); ``melting_points``, from ``read_melting_points``, count before those of the file.

    Raises:
        DataError: The file cannot be read, an element is missing, functionals are mixed, or no compound is left.
    """
    path = Path(path)
    left_out: dict[str, str] = {}
    read = []
    for i, item in enumerate(_items(path)):
        try:
            read.append(_computed(item, f"{path.name}, entry {i}"))
        except DataError as problem:
            left_out[f"entry {i}"] = str(problem)
    lowest: dict[str, float] = {}
    for one in read:
        if len(one.counts) == 1:
            (element,) = one.counts
            lowest[element] = min(one.energy_eV_per_atom, lowest.get(element, math.inf))
    missing = sorted({e for one in read for e in one.counts} - set(lowest))
    if missing and not all(isinstance(one.data.get("formation_energy_per_atom"), int | float) for one in read):
        raise DataError(
            f"energies file {path.name!r} has no entry for the element {missing[0]}: energies are taken relative to "
            "the elements in the file, so add it, or give every entry data['formation_energy_per_atom']"
        )
    said = _check_functionals(path.name, read)
    best: dict[str, tuple[float, _Computed]] = {}
    for one in read:
        formation = (
            float(one.data["formation_energy_per_atom"])
            if missing
            else one.energy_eV_per_atom - sum(n * lowest[e] for e, n in one.counts.items()) / sum(one.counts.values())
        )
        if one.formula not in best or formation < best[one.formula][0]:
            best[one.formula] = formation, one
    entries = []
    for formula, (formation, one) in best.items():
        if one.data.get("melting_point_K") is None and not serves_as_phase(parse_formula(formula), melting_points):
            continue
        try:
            entries.append(_entry(one, formation, path.name))
        except DataError as problem:
            left_out[formula] = str(problem)
    dropped = len(read) - len(entries) - sum(formula in best for formula in left_out)
    if dropped:
        said.append(f"{dropped} of {len(read)} entries are references or less stable polymorphs, not phases here")
    return system_of(set_name(path), entries, warnings=said, melting_points=melting_points, left_out=left_out)


def _items(path: Path) -> list[Any]:
    content = read_json(path, what="energies file")
    if isinstance(content, dict):
        content = content.get("entries")
    if not isinstance(content, list) or not content:
        raise DataError(
            f"energies file {path.name!r} holds no list: expected a list of pymatgen entries, as dumpfn writes it"
        )
    return content


def _computed(item: Any, where: str) -> _Computed:
    from pymatgen.entries import computed_entries

    kind = (item.get("@class") or _KINDS["structure" in item]) if isinstance(item, dict) else None
    if kind not in _KINDS:
        raise DataError(f"{where} is {kind or type(item).__name__!r}: expected {' or '.join(_KINDS)}")
    try:
        entry = getattr(computed_entries, kind).from_dict(item)
        amounts = {str(e): float(a) for e, a in entry.composition.get_el_amt_dict().items()}
        energy = float(entry.energy_per_atom)
        formula = _formula(entry)
    except Exception as error:  # pymatgen raises whatever a malformed field makes it raise
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise DataError(f"{where} cannot be read: {reason}; expected what pymatgen writes") from None
    counts = {e: round(a) for e, a in amounts.items()}
    if not counts or any(abs(a - counts[e]) > 1e-6 or counts[e] < 1 for e, a in amounts.items()):
        raise DataError(
            f"{where}: composition {amounts} is not of whole numbers; expected atoms of the cell or formula"
        )
    if not math.isfinite(energy):
        raise DataError(f"{where}: energy is {energy}, expected eV of the cell or formula")
    try:
        parse_formula(formula)
    except DataError as problem:
        raise DataError(f"{where}: {problem}") from None
    return _Computed(where, formula, counts, energy, entry)


def _formula(entry: Any) -> str:
    """Return the formula of an entry, as its data writes it if that is its composition."""
    stated, reduced = str((entry.data or {}).get("formula", "")), str(entry.composition.reduced_formula)
    try:
        return stated if stated and composition_key(stated) == composition_key(reduced) else reduced
    except DataError:
        return reduced


def _check_functionals(name: str, read: Sequence[_Computed]) -> list[str]:
    """Refuse energies of several functionals, unless pymatgen's mixing scheme has brought them to one scale.

    Returns:
        What to say: of such a mixture, and of entries that do not state their functional beside others that do.
    """
    families = Counter(one.functional for one in read if one.functional is not None)
    unstated = [one.name for one in read if one.functional is None] if families else []
    said = []
    if unstated:
        said.append(
            f"{len(unstated)} of {len(read)} entries state no run_type and are taken as {', '.join(families)} like "
            f"the others: {_first(unstated, 5)}; energies of another functional would be off by an eV per atom"
        )
    if len(families) < 2:
        return said
    unmixed = {one.functional for one in read if "mixing" not in one.adjustments} - {None}
    if len(unmixed) < 2:
        return [*said, f"{', '.join(families)}: pymatgen's mixing scheme has brought their energies to one scale"]
    main = families.most_common(1)[0][0]
    odd = [f"{one.name[:-1]}, {one.functional})" for one in read if one.functional not in (None, main)]
    raise DataError(
        f"energies file {name!r} mixes functionals, whose energies differ by an eV per atom and more: most entries are "
        f"{main}, but not {_first(odd, 10)}; leave those out, or bring all to one scale with pymatgen's "
        "MaterialsProjectDFTMixingScheme before writing them"
    )


def _first(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + ", ..." * (len(names) > most)


def _entry(one: _Computed, formation_eV_per_atom: float, file: str) -> Entry:
    if gas_named(one.formula) is not None:
        return Entry(one.where, one.formula)
    data, identifier = one.data, str(one.entry.entry_id) if one.entry.entry_id else None
    added, correction = anion_correction(one.counts, one.adjustments)
    return Entry(
        where=one.where,
        formula=one.formula,
        formation_energy_eV_per_atom=formation_eV_per_atom + added / sum(one.counts.values()),
        volume_A3_per_atom=_volume(one),
        melting_point_K=_field(data, "melting_point_K", one.where),
        melting_point_source=str(data.get("melting_point_source", f"stated in {file}")),
        standard_error_eV_per_atom=_field(data, "standard_error_eV_per_atom", one.where),
        source=identifier or file,
        material_id=identifier,
        observed=data.get("observed") if isinstance(data.get("observed"), bool) else None,
        anion_correction=correction,
    )


def _field(data: Mapping[str, Any], key: str, where: str) -> float | None:
    value = data.get(key)
    return None if value is None else finite_number(value, f"{where}: data[{key!r}]")


def _volume(one: _Computed) -> float:
    structure = getattr(one.entry, "structure", None)
    if structure is not None:
        return float(structure.volume) / len(structure)
    per_atom = _field(one.data, "volume_A3_per_atom", one.where)
    if per_atom is not None:
        return per_atom
    volume, sites = _field(one.data, "volume", one.where), _field(one.data, "nsites", one.where)
    if volume is not None:
        return volume / (sites or sum(one.counts.values()))
    return math.nan
