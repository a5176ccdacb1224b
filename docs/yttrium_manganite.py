"""Make ``examples/own-chemistry/y-mn-na-cl-o.json``: computed energies of compounds that tables lack, with references.

The crystals of ``yttrium_manganite.csv`` are relaxed with CHGNet (``pip install 'tammann[chgnet]'``; model and weights
under the BSD licence). Run from the repository: ``python docs/yttrium_manganite.py``, some ten minutes on one core.
"""

import csv
from pathlib import Path

from ase import Atoms
from ase.spacegroup import crystal

from tammann.potentials.computed_entries import computed_entries, write_entries

DOCS = Path(__file__).parent
TARGET = DOCS.parent / "examples/own-chemistry/y-mn-na-cl-o.json"


def crystals() -> list[Atoms]:
    """Return the primitive cells of the table, each named by its formula and source."""
    lines = (DOCS / "yttrium_manganite.csv").read_text("utf-8").splitlines()
    found = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        atoms = [atom.split() for atom in row["atoms"].split(";")]
        cell = crystal(
            [symbol for symbol, *_ in atoms],
            [tuple(map(float, site)) for _, *site in atoms],
            spacegroup=int(row["space_group"]),
            cellpar=[float(number) for number in row["cell"].split()],
            primitive_cell=True,
        )
        cell.info["name"] = f"CHGNet, crystal of {row['source']}"
        found.append(cell)
    return found


if __name__ == "__main__":
    write_entries(TARGET, computed_entries(crystals(), "chgnet", progress=print))
