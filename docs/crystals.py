"""Energies of crystals from a universal potential: a table of crystals to computed entries that ``load_phases`` reads.

    python docs/crystals.py docs/yttrium_manganite.csv examples/own-chemistry/y-mn-na-cl-o.json
    python docs/crystals.py docs/ternary_oxides.csv tests/thermo/ternary-oxides.json

The crystals are relaxed with CHGNet (``pip install 'tammann[chgnet]'``; model and weights under the BSD licence), some
minutes on one core. The first gives the compounds of a metathesis that no table has, with references; the second
ternary oxides that have been measured, for the error of such energies.
"""

import csv
import sys
from pathlib import Path

from ase import Atoms

from tammann.potentials.computed_entries import computed_entries, write_entries
from tammann.structures.crystals import crystal_from_row


def crystals(table: Path) -> list[Atoms]:
    """Return the primitive cells of the table, each named by its formula and source."""
    lines = table.read_text("utf-8").splitlines()
    found = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        cell = crystal_from_row(row).to_ase()
        cell.info["formula"] = row["formula"]
        cell.info["name"] = f"CHGNet, crystal of {row['source']}"
        found.append(cell)
    return found


if __name__ == "__main__":
    write_entries(sys.argv[2], computed_entries(crystals(Path(sys.argv[1])), "chgnet", progress=print))
