"""Make ``data/elements/solids.csv``: sizes, electronegativities, cohesion and stiffness of the elements.

Needs jarvis-tools (NIST; its table of elements alone is read) beside the package: ``python docs/element_table.py``.
"""

import csv
import io
import json
import warnings
from importlib.resources import files
from pathlib import Path

from ase.data import atomic_numbers, covalent_radii
from pymatgen.core import Element

from tammann.composition import atomic_masses
from tammann.systems import read_rows

HEAD = """\
# Properties of the elements that descriptors of diffusivity are averaged from, by docs/element_table.py.
# What is blank is not known.
# electronegativity: Pauling's scale; radius: Slater, J. Chem. Phys. 1964, 41, 3199; both as carried by pymatgen (MIT).
# covalent_radius: Cordero et al., Dalton Trans. 2008, 2832, doi 10.1039/b801115j, as carried by ASE.
# cohesive_energy: enthalpy of atomization at 298 K, estimates/atomization.csv.
# moduli: Voigt averages of the elements' elastic tensors from JARVIS-DFT (OptB88vdW), Choudhary et al., Phys. Rev.
# Mater. 2018, 2, 013801, as carried by jarvis-tools 2026.6.12 (NIST); where moduli_source is periodic-table those that
# pymatgen carries, the shear modulus of an isotropic solid, 3 B E / (9 B - E), where only Young's modulus E is known.
"""
COLUMNS = (
    "element",
    "electronegativity",
    "radius_A",
    "covalent_radius_A",
    "cohesive_energy_eV",
    "bulk_modulus_GPa",
    "shear_modulus_GPa",
    "moduli_source",
)


def moduli(symbol: str, jarvis: dict) -> tuple[float | None, float | None, str]:
    row = jarvis.get(symbol, {})
    bulk, shear = float(row.get("KV", 0)), float(row.get("GV", 0))
    if bulk > 0 and shear > 0:
        return bulk, shear, "jarvis-dft"
    element = Element(symbol)
    bulk, shear, young = (element.data.get(f"{name} modulus") for name in ("Bulk", "Rigidity", "Youngs"))
    known = [None if value in (None, "no data") else float(str(value).split()[0]) for value in (bulk, shear, young)]
    bulk, shear, young = known
    if bulk and not shear and young:
        shear = round(3.0 * bulk * young / (9.0 * bulk - young), 2)
    return (bulk, shear, "periodic-table") if bulk and shear else (None, None, "")


def main() -> None:
    warnings.simplefilter("ignore")
    jarvis = json.loads(files("jarvis.core").joinpath("Elements.json").read_text())
    cohesion = {row["element"]: row["atomization_eV_per_atom"] for row in read_rows("estimates/atomization.csv")}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for symbol in sorted(atomic_masses(), key=lambda s: atomic_numbers[s]):
        element = Element(symbol)
        radius = covalent_radii[atomic_numbers[symbol]]
        row = [
            symbol,
            element.X if element.X > 0 else None,  # pymatgen gives nan for noble gases
            None if element.atomic_radius is None else float(element.atomic_radius),
            radius if radius > 0.21 else None,  # ASE writes 0.2 where it knows none
            cohesion.get(symbol),
            *moduli(symbol, jarvis),
        ]
        if sum(value not in (None, "") for value in row) > 2:
            writer.writerow(["" if value is None else value for value in row])
    Path("src/tammann/data/elements/solids.csv").write_text(HEAD + out.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
