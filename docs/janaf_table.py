"""Make ``src/tammann/data/measured/janaf.csv`` again from the NIST-JANAF tables.

The package ``janaf`` (pip install janaf==1.4, licence 0BSD) carries the tables, which are in the public domain. Run
from the repository: ``python docs/janaf_table.py``.

A compound is listed if it has a table as a crystal; liquids are not. Of polymorphs the stabler one counts at each
temperature. Beyond the end of its table a solid keeps its last heat capacity; the elements follow their own tables, so
that the reference changes where an element melts or boils. An element is zero as long as its solid or liquid is stable,
and positive where its gas at 1 bar would be.
"""

import math
import re
from collections import defaultdict
from pathlib import Path

from janaf_source import Row, Table, read_tables

from tammann.composition import conventional_formula

TARGET = Path(__file__).parents[1] / "src/tammann/data/measured/janaf.csv"
TEMPERATURES_K = range(300, 2001, 100)
GASES = {"H", "N", "O", "F", "Cl", "He", "Ne", "Ar", "Kr", "Xe", "Rn"}
HEADER = """\
# Standard Gibbs energies of formation of solids from the elements in their stable state at T and 1 bar, kJ per mole of
# the formula. Source: NIST-JANAF Thermochemical Tables, 4th ed. (1998), in the public domain, as carried by the package
# janaf 1.4 (0BSD); made by docs/janaf_table.py from enthalpies of formation at 298 K and Gibbs energy functions (the
# printed Gibbs energies of HBO2, NaAlCl4, Hg2F2 and KH are wrong). "tables" are the indices of the tables: of several
# polymorphs the stablest counts at each temperature. The crystal is continued beyond its melting point; where its table
# ends (table_ends_K), with its last heat capacity. An element is 0 where its solid or liquid is stable at 1 bar.
"""


def thermal_part(rows: list[Row], T: float) -> float:
    """Return G(T) - H(298), kJ/mol, from the nearest row with its heat capacity, which serves beyond the table too."""
    row = min((row for row in rows if row.T > 0.0), key=lambda row: abs(row.T - T))
    grown = row.heat_capacity * (T * math.log(T / row.T) - (T - row.T))
    return -1e-3 * (row.function * row.T + row.entropy * (T - row.T) + grown)


def solid_gibbs(crystals: list[Table], references: dict[str, Table]) -> dict[float, float]:
    """Return the Gibbs energy of formation of the stablest crystal at each temperature, kJ/mol.

    Computed from enthalpy of formation, thermal part and the elements' tables: the column of the Gibbs energy itself
    has slips of 19 to 250 kJ/mol at 298 K (HBO2, NaAlCl4, Hg2F2, KH), and follows older tables of Cr for its carbides.
    """
    ends = max(table.rows[-1].T for table in crystals)
    result = {}
    for T in TEMPERATURES_K:
        reaching = [table for table in crystals if table.rows[-1].T >= min(T, ends)]
        result[T] = min(formation_gibbs(table, T, references) for table in reaching)
    return result


def formation_gibbs(table: Table, T: float, references: dict[str, Table]) -> float:
    enthalpy = next(row.formation_enthalpy for row in table.rows if row.T == 298.15)
    elements = sum(n * thermal_part(references[e].rows, T) / references[e].atoms[e] for e, n in table.atoms.items())
    return enthalpy + thermal_part(table.rows, T) - elements


def condensed_element(tables: list[Table], references: dict[str, Table]) -> dict[float, float]:
    """Return the Gibbs energy of an element's solid or liquid, whichever is stabler; zero below its boiling point."""
    longest = max(tables, key=lambda table: table.rows[-1].T)
    result = {}
    for T in TEMPERATURES_K:
        known = [table.gibbs[T] for table in tables if T in table.gibbs]
        result[T] = max(0.0, min(known or [formation_gibbs(longest, T, references)]))
    return result


def melting_point(tables: list[Table]) -> float | None:
    points = [T for table in tables for T, remark in table.transitions if re.search(r"\w <--> LIQ", remark)]
    return max(points, default=None)


def main() -> None:
    """Write the table."""
    by_composition: dict[tuple[tuple[str, float], ...], list[Table]] = defaultdict(list)
    references = {}
    for table in read_tables():
        by_composition[tuple(sorted(table.atoms.items()))].append(table)
        if table.state == "ref":
            references[next(iter(table.atoms))] = table
    lines = []
    for composition, tables in by_composition.items():
        atoms = {e: int(n) for e, n in composition}
        whole = all(n == int(n) for _, n in composition)
        crystals = [table for table in tables if table.state == "cr"]
        if len(atoms) == 1:
            condensed = [table for table in tables if table.state in ("cr", "l", "cr,l", "ref")]
            if set(atoms) & GASES or "D" in atoms or not condensed:
                continue
            crystals = condensed
            gibbs = condensed_element([table for table in condensed if table.state != "ref"] or condensed, references)
        elif not crystals or not whole or "D" in atoms or (melting_point(crystals) or math.inf) < 298.15:
            continue  # no crystal at room temperature
        else:
            gibbs = solid_gibbs(crystals, references)
        melts = melting_point(crystals)
        indices = " ".join(sorted(table.index for table in crystals))
        ends = max(table.rows[-1].T for table in crystals)
        cells = [f"{gibbs[T]:.3f}" for T in TEMPERATURES_K]
        formula = conventional_formula(atoms) if len(atoms) > 1 else next(iter(atoms))
        lines.append(
            ",".join([formula, indices, "" if melts is None else f"{melts:g}", f"{min(ends, 2000):g}", *cells])
        )
    head = ",".join(["formula", "tables", "melting_point_K", "table_ends_K", *(f"{T}" for T in TEMPERATURES_K)])
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(HEADER + "\n".join([head, *sorted(lines)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
