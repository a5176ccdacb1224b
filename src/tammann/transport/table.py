"""Transport coefficients of many compositions and temperatures: the embedded table, files, and draws."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import as_file
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError, check_argument
from tammann.files import read_json, write_text
from tammann.notebook import ShownAsTable
from tammann.strict import finite_number
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS, data_file
from tammann.transport.onsager import OnsagerCoefficients

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = {name: file for system in SYSTEMS.values() for name, file in system.transport.items()}
SHIPPED |= {system.name: next(iter(system.transport.values())) for system in SYSTEMS.values()}
"""Names of the tables that ship, and their files; the name of a system stands for its default table."""

TABLE_FILE = "transport_table.json"
"""Name of the file in a folder of results that recipes take."""


@dataclass(frozen=True, eq=False, repr=False)
class TransportTable(ShownAsTable):
    """Onsager coefficients over compositions and temperatures, with their source and warnings.

    Attributes:
        name: Short name, as recipes give it.
        source: Citation.
        entries: The coefficients, sorted by formula and temperature.
        end_members: The two reactants whose difference of chemical potentials serves every product where a recipe asks
            for ``potential_difference: end-members``, and whose products set the scale of the score; None if not
            stated.
        warnings: A sentence on every defect and what was done about it.

    Example:
        >>> table = load_transport("karan-2026")
        >>> len(table.formulas), table.temperatures_K("BaTiO3").tolist()
        (11, [750.0, 1000.0, 1250.0, 1500.0, 1750.0])
    """

    name: str
    source: str
    entries: tuple[OnsagerCoefficients, ...]
    end_members: tuple[str, str] | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        entries = tuple(sorted(self.entries, key=lambda entry: (entry.formula, entry.temperature_K)))
        seen = Counter((composition_key(entry.formula), entry.temperature_K) for entry in entries)
        for entry in entries:
            negative = np.flatnonzero(np.diag(entry.L) < 0)
            if negative.size:
                ion = entry.species[negative[0]]
                raise DataError(
                    f"entries: L of {ion} with itself is {entry.L[negative[0], negative[0]]:g} in {entry.formula} at "
                    f"{entry.temperature_K:g} K; expected 0 or more, since ions do not drift up their own gradient."
                )
            if seen[composition_key(entry.formula), entry.temperature_K] > 1:
                raise DataError(f"entries: {entry.formula} at {entry.temperature_K:g} K is listed twice; keep one.")
        object.__setattr__(self, "entries", entries)

    def __repr__(self) -> str:
        low, high = self.temperatures_K()[[0, -1]]
        kelvin = f"{low:g} K" if low == high else f"{low:g} to {high:g} K"
        return f"TransportTable({self.name!r}, {len(self.formulas)} compositions, {kelvin})"

    def table(self) -> pd.DataFrame:
        """Return one row for each composition and temperature: L_ii and L_self of each ion, 1/(J m s)."""
        import pandas as pd

        rows = []
        for entry in self.entries:
            row: dict[str, Any] = {"formula": entry.formula, "temperature_K": entry.temperature_K}
            for ion, L, L_self in zip(entry.species, np.diag(entry.L), entry.L_self, strict=True):
                row |= {f"L_{ion}{ion}": L, f"L_self_{ion}": L_self}
            rows.append(row)
        return pd.DataFrame(rows)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The compositions, each once, as the entries write them."""
        return tuple(dict.fromkeys(entry.formula for entry in self.entries))

    def of(self, formula: str) -> tuple[OnsagerCoefficients, ...]:
        """Return the entries of a composition (any multiple of its formula), by temperature; perhaps none."""
        key = composition_key(formula)
        return tuple(entry for entry in self.entries if composition_key(entry.formula) == key)

    def at(self, formula: str, temperature_K: float) -> OnsagerCoefficients:
        """Return the entry of a composition at a tabulated temperature.

        Raises:
            DataError: The table has no such entry.
        """
        for entry in self.of(formula):
            if entry.temperature_K == temperature_K:
                return entry
        there = ", ".join(f"{entry.temperature_K:g}" for entry in self.of(formula)) or "none"
        raise DataError(
            f"transport: {self.name} has no {formula} at {temperature_K:g} K (temperatures there: {there}); choose one."
        )

    def temperatures_K(self, formula: str | None = None) -> np.ndarray:
        """Return the tabulated temperatures of a composition, or all of them, ascending, K."""
        chosen = self.entries if formula is None else self.of(formula)
        return np.array(sorted({entry.temperature_K for entry in chosen}))


def load_transport(source: str | Path | None = DEFAULT_SYSTEM) -> TransportTable | None:
    """Load transport coefficients: a shipped table by its name, a JSON file by its path, or none.

    ``"tammann-2026"`` is the package's own table of Ba-Ti-O melts, from molecular dynamics of rigid ions, with standard
    errors; compositions and temperatures at which ions were not shown to diffuse are named in its warnings and left
    out. ``"karan-2026"`` is the published table in SI; each of its defects, and what was done about it, is a warning.

    A JSON file holds ``name``, ``source``, optionally ``end_members`` (two formulas) and ``warnings``, and ``entries``,
    each with ``formula``, ``temperature_K``, ``species``, ``L_per_J_m_s`` (square matrix), ``L_self_per_J_m_s``, and
    optionally ``L_stderr_per_J_m_s``, ``L_self_stderr_per_J_m_s``, ``cell_volume_m3`` and ``source``.

    Args:
        source: A shipped name, a path, or None or ``"none"`` for no transport data.

    Raises:
        DataError: There is no such name or file, or the file is malformed.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5.

    Example:
        >>> table = load_transport("karan-2026")
        >>> [round(float(f), 2) for f in table.at("BaTiO3", 1500.0).correlation_factor]
        [-0.68, -0.03, 0.14]
    """
    if source is None or source == "none":
        return None
    check_argument("transport", source, (str, PathLike), "the name of a table or file, or None")
    if str(source) in SHIPPED:
        return _shipped(SHIPPED[str(source)])
    path = Path(source)
    if not path.is_file():
        raise DataError(
            f"transport: {str(source)!r} is neither a file nor one of {', '.join(SHIPPED)}, none; name one."
        )
    return _read_json(path)


def save_transport(table: TransportTable, path: str | Path) -> None:
    """Write a table as JSON in SI units, to be read again by ``load_transport``.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "transport.json"
        >>> save_transport(load_transport("karan-2026"), path)
        >>> load_transport(path).formulas == load_transport("karan-2026").formulas
        True
    """
    ends = {} if table.end_members is None else {"end_members": table.end_members}
    head = {"name": table.name, "source": table.source, **ends, "warnings": table.warnings}
    body = ",\n    ".join(json.dumps(_to_json(entry), ensure_ascii=False) for entry in table.entries)
    text = json.dumps(head, indent=2, ensure_ascii=False)[:-2] + f',\n  "entries": [\n    {body}\n  ]\n}}\n'
    write_text(path, text)


def draw_transport(
    table: TransportTable,
    *,
    relative_error: float = 0.0,
    rng: np.random.Generator | np.random.SeedSequence | int | None,
) -> TransportTable:
    """Draw one table from the errors of its coefficients.

    L' = S L S and L_self' = S² L_self with S = diag(exp(e_i / 2)), e_i normal with zero mean, independent between
    compositions, temperatures and ions. So L_ii is log-normal about its value as median, the correlations L_ij /
    sqrt(L_ii L_jj) are kept, and with them the signs of the eigenvalues of L. The standard deviation of e_i is the
    stated standard error of L_ii over L_ii; where the table states none, ``relative_error``.

    Args:
        table: The central values.
        relative_error: Standard error of ln L_ii where the table states none, 0 or more.
        rng: Generator, seed sequence or seed.

    Raises:
        DataError: ``relative_error`` is negative or not finite.

    Example:
        >>> table = load_transport("karan-2026")
        >>> drawn = draw_transport(table, relative_error=0.2, rng=1)
        >>> bool(drawn.entries[0].L[0, 0] != table.entries[0].L[0, 0])
        True
    """
    if not (np.isfinite(relative_error) and relative_error >= 0):
        raise DataError(f"transport_relative_error is {relative_error}, expected a number of 0 or more.")
    generator = np.random.default_rng(rng)
    return replace(table, entries=tuple(_draw(entry, relative_error, generator) for entry in table.entries))


def _draw(entry: OnsagerCoefficients, relative_error: float, rng: np.random.Generator) -> OnsagerCoefficients:
    deviation = np.full(len(entry.species), relative_error)
    normal = rng.standard_normal(len(deviation))
    if entry.L_stderr is not None:
        diagonal = np.diag(entry.L)
        np.divide(np.diag(entry.L_stderr), diagonal, out=deviation, where=diagonal > 0)
    own = deviation
    if entry.L_self_stderr is not None:
        own = np.divide(entry.L_self_stderr, entry.L_self, out=deviation.copy(), where=entry.L_self > 0)
    root = np.exp(normal * deviation / 2.0)
    return replace(entry, L=entry.L * np.outer(root, root), L_self=entry.L_self * np.exp(normal * own))


@cache
def _shipped(file: str) -> TransportTable:
    with as_file(data_file(file)) as path:
        return _read_json(path)


def not_dissipative(entries: Sequence[OnsagerCoefficients]) -> list[str]:
    """Return a sentence that names the entries whose L is not positive semidefinite, if there are any."""
    off = [(entry.smallest_eigenvalue_ratio, entry) for entry in entries if entry.smallest_eigenvalue_ratio < -1e-6]
    if not off:
        return []
    ratio, worst = min(off, key=lambda pair: pair[0])
    names = ", ".join(f"{entry.formula} {entry.temperature_K:g} K" for _, entry in off)
    return [
        f"L of {names} is not positive semidefinite (smallest over largest eigenvalue down to {ratio:.3f}, "
        f"{worst.formula} {worst.temperature_K:g} K); the nearest matrix that is serves for fluxes."
    ]


_ARRAYS = ("L", "L_self", "L_stderr", "L_self_stderr")
_REQUIRED = ("formula", "temperature_K", "species", "L_per_J_m_s", "L_self_per_J_m_s")
_OPTIONAL = ("L_stderr_per_J_m_s", "L_self_stderr_per_J_m_s", "cell_volume_m3", "source")


def _to_json(entry: OnsagerCoefficients) -> dict[str, Any]:
    arrays = {f"{name}_per_J_m_s": getattr(entry, name) for name in _ARRAYS}
    return {
        "formula": entry.formula,
        "temperature_K": entry.temperature_K,
        "species": entry.species,
        **{key: array.tolist() for key, array in arrays.items() if array is not None},
        **({} if entry.volume_A3 is None else {"cell_volume_m3": entry.volume_A3 * 1e-30}),
        **({"source": entry.source} if entry.source else {}),
    }


def _read_json(path: Path) -> TransportTable:
    data = read_json(path)
    if is_record(data):
        raise DataError(
            f"transport: {path} is the record of a measurement, not a table; give the {TABLE_FILE} beside it"
            + ("." if path.with_name(TABLE_FILE).exists() else ", which is written where all ions diffuse.")
        )
    if not isinstance(data, Mapping) or not isinstance(data.get("entries"), list) or not data["entries"]:
        raise DataError(f"transport: {path} has no list 'entries'; expected an object with name, source and entries.")
    _check_keys(data, ("name", "source", "end_members", "warnings", "entries"), f"transport: {path}")
    entries = [_from_json(item, f"{path}, entry {number}") for number, item in enumerate(data["entries"], start=1)]
    ends = data.get("end_members")
    if ends is not None and not (isinstance(ends, list) and [type(end) for end in ends] == [str, str]):
        raise DataError(f"end_members in {path} is {ends!r}, expected a list of two formulas.")
    for end in ends or ():
        composition_key(end)
    listed = data.get("warnings", [])
    if not (isinstance(listed, list) and all(isinstance(item, str) for item in listed)):
        raise DataError(f"warnings in {path} is {listed!r}, expected a list of sentences.")
    notes = [note for note in not_dissipative(entries) if note not in listed]
    return TransportTable(
        name=str(data.get("name", path.stem)),
        source=str(data.get("source", path.name)),
        entries=tuple(entries),
        end_members=None if ends is None else (ends[0], ends[1]),
        warnings=(*listed, *notes),
    )


def is_record(data: object) -> bool:
    """Say whether JSON data are what ``save_measurements`` writes: an object for a measurement, or a list of them."""
    first = data[0] if isinstance(data, list) and data else data
    return isinstance(first, Mapping) and "regime_ps" in first and "L_stderr" in first


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            raise DataError(f"{where} has the unknown key {key!r}; expected {', '.join(known)}.")


def _from_json(item: object, where: str) -> OnsagerCoefficients:
    if not isinstance(item, Mapping):
        raise DataError(f"{where} is {item!r}, expected an object with {', '.join(_REQUIRED)}.")
    for key in _REQUIRED:
        if key not in item:
            raise DataError(f"{where} has no key {key!r}; every unit stands in its key, SI only.")
    _check_keys(item, _REQUIRED + _OPTIONAL, where)
    if not isinstance(item["formula"], str):
        raise DataError(f"{where}: formula is {item['formula']!r}, expected text such as BaTiO3.")
    species, volume = item["species"], item.get("cell_volume_m3")
    if not isinstance(species, list) or sorted(map(str, species)) != sorted(dict(composition_key(item["formula"]))):
        raise DataError(f"{where}: species is {species!r}, expected the elements of {item['formula']}, each once.")
    return OnsagerCoefficients(
        formula=item["formula"],
        temperature_K=finite_number(item["temperature_K"], f"{where}: temperature_K"),
        species=tuple(species),
        volume_A3=None if volume is None else finite_number(volume, f"{where}: cell_volume_m3") * 1e30,
        source=str(item.get("source", "")),
        **{name: _array(item, f"{name}_per_J_m_s", where) for name in _ARRAYS},
    )


def _array(item: Mapping[str, Any], key: str, where: str) -> Any:
    if item.get(key) is None and key not in _REQUIRED:
        return None
    try:
        return np.array(item[key], dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{where}: {key} is {item[key]!r}, expected numbers, one row a species.") from None
