"""Make ``src/tammann/data/experiment/gases.csv`` again from the NIST-JANAF tables.

The package ``janaf`` (pip install janaf==1.4, licence 0BSD) carries the tables, which are in the public domain. Run
from the repository: ``python docs/gas_table.py``.

A molecule is read as a gas wherever its formula stands if it has no condensed table and no metal (SO2), or if it has
only that of a liquid that boils below 500 K (SiCl4). Every other molecule (P4O10, HgCl2, NaCl) is a gas only where it
is asked for by name, as ``P4O10(g)``. Of isomers the one of lowest Gibbs energy at 1000 K is kept; ions and deuterium
are left out.
"""

import math
from collections import defaultdict
from pathlib import Path

from janaf_source import read_tables

TARGET = Path(__file__).parents[1] / "src/tammann/data/experiment/gases.csv"
TEMPERATURES_K = range(300, 2001, 100)
NONMETALS = frozenset("H He B C N O F Ne Si P S Cl Ar Br Kr I Xe".split())
Energies = dict[float, float]  # kJ/mol by temperature in K
HEADER = """\
# Standard Gibbs energies of formation of gas molecules from the elements at T and 1 bar, kJ per mole of molecules.
# Source: NIST-JANAF Thermochemical Tables, 4th ed. (1998), in the public domain, as carried by the package janaf 1.4
# (0BSD); made by docs/gas_table.py. "by_name" marks the molecules that are gases only where they are asked for, as
# P4O10(g): those that have a table as a crystal, or as a liquid more stable than the gas at 500 K, or that hold a metal
# and have neither.
"""


def by_name(elements: set[str], gas: Energies, condensed: list[tuple[str, Energies]]) -> bool:
    """Tell whether a molecule is a gas only where it is asked for."""
    if not condensed:
        return bool(elements - NONMETALS)
    return any("cr" in state or table.get(500.0, math.inf) < gas[500.0] for state, table in condensed)


def main() -> None:
    """Write the table."""
    lines = []
    tables = defaultdict(list)
    for table in read_tables():
        tables[tuple(sorted(table.atoms.items()))].append((table.formula, table.state, table.gibbs))
    for atoms, found in sorted(tables.items()):
        elements = {element for element, _ in atoms}
        gases = [(display, table) for display, state, table in found if state == "g"]
        if not gases or "D" in elements or atoms in {((e, 2.0),) for e in ("H", "N", "O", "F", "Cl")}:
            continue
        display, gas = min(gases, key=lambda one: one[1][1000.0])
        condensed = [(state, table) for _, state, table in found if state != "g"]
        named = len(elements) == 1 or by_name(elements, gas, condensed)
        cells = [f"{gas[T]:.3f}" if T in gas else "" for T in TEMPERATURES_K]
        lines.append(",".join([display, "true" if named else "false", *cells]))
    head = ",".join(["formula", "by_name", *(f"{T}" for T in TEMPERATURES_K)])
    TARGET.write_text(HEADER + "\n".join([head, *sorted(lines)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
