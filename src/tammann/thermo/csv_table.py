"""A user's own phases and melting points as CSV tables."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo._tables import cells_by_name, number_in, read_table, set_name
from tammann.thermo.entries import Entry, MeltingPoints, check_melting_point, system_of
from tammann.thermo.gases import gas_named
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.literature import gibbs_of_formation
from tammann.thermo.phase import FloatArray, Phases
from tammann.thermo.table_columns import (
    ENTROPY,
    HEAT_CAPACITY,
    Columns,
    check_slopes,
    einstein_gibbs,
    energy_per_atom,
    gibbs_curve,
    read_header,
    volume_per_atom,
)
from tammann.units import KJ_PER_MOL_IN_EV

_ENTROPIES = (1.0, 110.0)
"""J/(K mol) of atoms, of solids at 298 K: diamond has 2.4, caesium 85."""
_HEAT_CAPACITIES = (5.0, 60.0)
"""J/(K mol) of atoms, of solids at 298 K: diamond has 6.1, most 15 to 30."""
_MELTING = ("formula", "melting_point_K", "source")


def read_melting_points(path: str | Path) -> MeltingPoints:
    r"""Read melting points from a CSV table with the columns ``formula``, ``melting_point_K`` and ``source``.

    Lines that start with # are comments. Formulas need not be among the phases; any multiple of a formula will do.

    Raises:
        DataError: The file cannot be read; a column, formula or number is missing or wrong; a phase is there twice.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "melting.csv"
        >>> _ = file.write_text("formula,melting_point_K,source\nSrTiO3,2353,a handbook")
        >>> read_melting_points(file)
        {(('O', 3), ('Sr', 1), ('Ti', 1)): (2353.0, 'a handbook')}
    """
    header, rows = read_table(Path(path), "melting_points", _MELTING)
    for name in header:
        if name not in _MELTING or header.count(name) > 1:
            raise DataError(
                f"melting_points file {Path(path).name!r} has the columns {', '.join(header)}; {name!r} is unknown or "
                f"repeated: expected {', '.join(_MELTING)}"
            )
    found: dict[tuple[tuple[str, int], ...], tuple[float, str]] = {}
    for where, cells in rows:
        row = cells_by_name(header, cells, where)
        try:
            key = composition_key(row["formula"])
        except DataError as problem:
            raise DataError(f"{where}: {problem}") from None
        value = number_in(row, "melting_point_K", where)
        if value is None or not row["source"]:
            lacking = "melting_point_K" if value is None else "source"
            raise DataError(f"{where}: {row['formula']} has no {lacking}, expected a temperature in K and who found it")
        if key in found:
            raise DataError(f"{where}: {row['formula']} is there twice; keep one of them")
        found[key] = check_melting_point(value, where, row["formula"]), row["source"]
    return found


def read_csv(path: str | Path, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Read phases from a CSV table whose columns have the unit in their names.

    ``formula`` and one energy are needed, the rest is optional:

    - ``formation_energy_UNIT``, computed, at 0 K; or ``formation_enthalpy_298K_UNIT``, measured; both get the thermal
      part of the descriptor of Bartel et al., unless the latter comes with ``entropy_298K_J_per_K_per_mol`` and, for
      Cp = a + b T + c T^-2 + d T^-1/2 + e T^2 in J/(K mol), ``cp_a`` to ``cp_e`` (of an Einstein solid with this
      entropy where left out); or Gibbs energies of formation from the elements at the same temperature,
      ``gibbs_UNIT_at_300K``, ``gibbs_UNIT_at_1000K`` and so on. UNIT is eV_per_atom, eV_per_formula, kJ_per_mol (of
      the formula as written) or kJ_per_mol_of_atoms;
    - ``volume_A3_per_atom``, ``volume_A3_per_formula``, ``volume_cm3_per_mol`` or ``density_g_per_cm3``; estimated from
      additive increments where left out;
    - ``melting_point_K`` and ``melting_point_source``; looked up or estimated where left out;
    - ``standard_error_UNIT`` (40 meV/atom where left out), ``material_id``, ``observed`` (true or false), ``source``.

    Lines that start with # are comments. The gases of the elements, CO2 and H2O come from tables, and so does a
    molecule that is listed (SO2; P4O10 as ``P4O10(g)``), whose other cells are not read. A line that cannot be used is
    left out, with a warning that names it. What was estimated or looked up is said in warnings.

    The energy set is named after the file, which may be compressed by gzip (``.csv.gz``); ``melting_points``, from
    ``read_melting_points``, count before those of the file.

    Raises:
        DataError: The file cannot be read; a column is missing or unknown; a phase is there twice; no compound is left.

    Example:
        >>> import pathlib, tempfile
        >>> text = '''formula,formation_enthalpy_298K_kJ_per_mol,density_g_per_cm3,melting_point_K
        ... MgO,-601.6,3.58,3105
        ... Al2O3,-1675.7,3.99,2327
        ... MgAl2O4,-2299.1,,2408'''
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = file.write_text(text)
        >>> [phase.formula for phase in read_csv(file)]
        ['MgO', 'Al2O3', 'MgAl2O4', 'O2']
    """
    path = Path(path)
    header, rows = read_table(path, "energies", ("formula",))
    columns = read_header(header, path.name)
    entries, left_out = [], {}
    seen: dict[Any, str] = {}
    for where, cells in rows:
        try:
            row = cells_by_name(header, cells, where)
            key = gas_named(row["formula"]) or composition_key(parse_formula(row["formula"]))
            entry = _entry(where, row, columns)
        except DataError as problem:
            formula = cells[header.index("formula")] if len(cells) == len(header) else where
            left_out[formula] = str(problem) if str(problem).startswith(where) else f"{where}: {problem}"
            continue
        if key in seen:
            raise DataError(f"{where}: {entry.formula} is the same phase as on {seen[key]}; keep the stabler polymorph")
        seen[key] = where
        entries.append(entry)
    return system_of(set_name(path), entries, melting_points=melting_points, left_out=left_out)


def _entry(where: str, row: Mapping[str, str], columns: Columns) -> Entry:
    if gas_named(row["formula"]) is not None:
        return Entry(where, row["formula"])
    observed = row.get("observed", "").lower()
    if observed not in ("", "true", "false"):
        raise DataError(f"{where}: observed is {row['observed']!r}, expected true or false")
    composition = parse_formula(row["formula"])
    energy, curve, note = _energy(where, row, columns, composition)
    volume = None if columns.volume is None else number_in(row, columns.volume, where)
    error = None if columns.standard_error is None else number_in(row, columns.standard_error, where)
    if columns.volume is not None and volume is not None:
        volume = volume_per_atom(columns.volume, volume, composition)
    if columns.standard_error is not None and error is not None:
        if error < 0.0:
            raise DataError(f"{where}: {columns.standard_error} is {error:g} for {row['formula']}, expected 0 or more")
        error = energy_per_atom(columns.standard_error, error, composition)
    source = row.get("source") or "stated by the user"
    return Entry(
        where=where,
        formula=row["formula"],
        formation_energy_eV_per_atom=energy,
        gibbs_eV_per_atom=curve,
        is_computed=bool(row.get(columns.energy.get("formation_energy", ""))),
        volume_A3_per_atom=math.nan if volume is None else volume,
        melting_point_K=number_in(row, "melting_point_K", where),
        melting_point_source=row.get("melting_point_source") or "stated by the user",
        standard_error_eV_per_atom=error,
        source=f"{source}, {note}" if note else source,
        material_id=row.get("material_id") or None,
        observed={"": None, "true": True, "false": False}[observed],
    )


def _energy(
    where: str, row: Mapping[str, str], columns: Columns, composition: Mapping[str, int]
) -> tuple[float, FloatArray | None, str]:
    """Return formation energy or enthalpy, eV per atom, a curve G(T) if the line gives one, and what to say of it."""
    given = [name for name in columns.energy.values() if row[name]]
    curve = {T: name for T, name in columns.gibbs.items() if row[name]}
    if len(given) + bool(curve) > 1:
        names = " and ".join([*given, *curve.values()][:2])
        raise DataError(f"{where}: {row['formula']} has two energies, {names}; keep one of them")
    if curve:
        values = {
            T: energy_per_atom(name, number_in(row, name, where) or 0.0, composition) for T, name in curve.items()
        }
        G, note = gibbs_curve(values, where)
        return math.nan, G, note
    if not given:
        expected = next(iter([*columns.energy.values(), *columns.gibbs.values()]))
        raise DataError(f"{where}: {expected} is empty, expected a number")
    energy = energy_per_atom(given[0], number_in(row, given[0], where) or 0.0, composition)
    entropy = number_in(row, ENTROPY, where)
    capacity = [number_in(row, name, where) for name in HEAT_CAPACITY]
    if entropy is None and all(value is None for value in capacity):
        return energy, None, ""
    if entropy is None or given[0] != columns.energy.get("formation_enthalpy_298K"):
        lacking = ENTROPY if entropy is None else "formation_enthalpy_298K"
        raise DataError(
            f"{where}: {row['formula']} has entropy or heat capacity without {lacking}: give both, or neither"
        )
    per_atom = entropy / sum(composition.values())
    if not _ENTROPIES[0] <= per_atom <= _ENTROPIES[1]:
        raise DataError(
            f"{where}: {ENTROPY} is {entropy:g} for {row['formula']}, {per_atom:.3g} per mole of atoms, expected "
            f"{_ENTROPIES[0]:g} to {_ENTROPIES[1]:g}; is it in J/(K mol)?"
        )
    T = 298.15
    terms = zip(capacity, (1.0, T, T**-2, T**-0.5, T**2), strict=True)
    room = sum((value or 0.0) * term for value, term in terms) / sum(composition.values())
    if any(value is not None for value in capacity) and not _HEAT_CAPACITIES[0] <= room <= _HEAT_CAPACITIES[1]:
        raise DataError(
            f"{where}: {HEAT_CAPACITY[0]} to {HEAT_CAPACITY[-1]} give {row['formula']} {room:.3g} J/(K mol of atoms) "
            f"at 298 K, expected {_HEAT_CAPACITIES[0]:g} to {_HEAT_CAPACITIES[1]:g}; are they in J/(K mol), and T in K?"
        )
    curve_of_entropy, note = _from_entropy(composition, energy, entropy, capacity)
    check_slopes(TEMPERATURES_K, curve_of_entropy, where)
    return energy, curve_of_entropy, note


def _from_entropy(
    composition: Mapping[str, int], enthalpy_eV_per_atom: float, entropy: float, capacity: Sequence[float | None]
) -> tuple[FloatArray, str]:
    """Return G(T), eV per atom, from enthalpy, entropy and heat capacity, and what to say of it."""
    atoms = sum(composition.values())
    enthalpy = enthalpy_eV_per_atom * atoms / KJ_PER_MOL_IN_EV
    gibbs = gibbs_of_formation(composition, enthalpy, entropy, [value or 0.0 for value in capacity])
    note = ""
    if all(value is None for value in capacity):
        gibbs += 1e-3 * atoms * einstein_gibbs(entropy / atoms)
        note = "heat capacity of an Einstein solid of this entropy"
    return gibbs * KJ_PER_MOL_IN_EV / atoms, note
