"""Energies of crystals from a potential, as computed entries that ``load_phases`` reads.

Only differences between entries of one potential mean anything. Beside measured energies they are corrected on the
compounds that both have, as those of a database are (``load_phases(..., computed=FILE)``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.files import json_safe, write_text
from tammann.potentials.calculators import Potential, calculator_of, muted, one_line, prepare
from tammann.potentials.load import load_potential

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure

LARGEST_FORCE_EV_PER_A = 0.03
"""Where a relaxation ends: the energy is then good to a few tenths of a meV per atom."""


def computed_entries(
    structures: Iterable[Atoms | Structure],
    potential: str | Potential | Any = "chgnet",
    *,
    relax: bool = True,
    steps: int = 500,
    progress: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """Relax crystals, cell and atoms, with a potential and return their energies as pymatgen's ``ComputedEntry``.

    The elements have to be among them, or no formation energies follow from the entries.

    Args:
        structures: Periodic cells of ASE or pymatgen. ``info["name"]`` of an ASE cell names its entry,
            ``info["formula"]`` is how its formula is to be written.
        potential: A name or import path as ``load_potential`` takes it, or an ASE calculator.
        relax: False takes the cells as they are.
        steps: Most steps of a relaxation.
        progress: Called with a line of text after each.

    Returns:
        Entries in the form of JSON: energy of the cell, eV, composition, and in ``data`` its volume, Angstrom^3, number
        of atoms, and whether the relaxation ended within ``steps``.

    Raises:
        DataError: The potential cannot be made, does not know an element, or gives an energy that is not finite.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> (entry,) = computed_entries([bulk("Cu", "fcc", 3.6)], EMT())
        >>> entry["composition"], round(entry["data"]["volume"], 1)
        ({'Cu': 1}, 11.6)
    """
    named = load_potential(potential) if isinstance(potential, str) else potential
    entries = []
    for atoms in map(_atoms, structures):
        symbols = atoms.get_chemical_symbols()
        if hasattr(named, "check"):
            named = prepare(named, symbols)
            atoms.calc, label = calculator_of(named), named.name
        else:
            atoms.calc, label = named, type(named).__name__
        formula = atoms.get_chemical_formula(empirical=True)
        with muted():
            ended = _relaxed(atoms, steps) if relax else None
            try:
                energy = float(atoms.get_potential_energy())
            except Exception as reason:  # a calculator of another package may raise anything
                raise DataError(f"{formula}: the potential {label} failed with {one_line(reason)}") from None
        if not np.isfinite(energy):
            raise DataError(f"{formula}: the potential {label} gives an energy of {energy}; check the structure")
        data: dict[str, Any] = {"volume": float(atoms.get_volume()), "nsites": len(atoms)}
        if ended is not None:
            data["relaxed"] = ended
        if "formula" in atoms.info:
            data["formula"] = str(atoms.info["formula"])
        entries.append(
            {
                "@module": "pymatgen.entries.computed_entries",
                "@class": "ComputedEntry",
                "energy": energy,
                "correction": 0.0,
                "composition": {str(e): symbols.count(e) for e in dict.fromkeys(symbols)},
                "parameters": {"run_type": label},
                "data": data,
                "entry_id": str(atoms.info.get("name", f"{label} {formula}")),
            }
        )
        if progress is not None:
            progress(f"{formula}: {energy / len(atoms):.3f} eV/atom, {data['volume'] / len(atoms):.2f} A3/atom")
    return entries


def write_entries(path: str | Path, entries: list[dict[str, Any]]) -> None:
    """Write entries to a JSON file that ``load_phases`` reads."""
    write_text(path, json.dumps(json_safe(entries), indent=1) + "\n")


def _atoms(structure: Atoms | Structure) -> Any:
    copied: Any = None
    if hasattr(structure, "get_chemical_symbols"):
        copied = structure.copy()
    elif hasattr(structure, "to_ase_atoms"):
        copied = structure.to_ase_atoms()
    if copied is None:
        raise DataError(f"structures: expected ASE Atoms or pymatgen Structure, got {type(structure).__name__}")
    if copied.cell.rank != 3:
        raise DataError(f"{copied.get_chemical_formula()}: expected a periodic cell, got one without volume")
    copied.pbc = True
    return copied


def _relaxed(atoms: Any, steps: int) -> bool:
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE

    return bool(FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=LARGEST_FORCE_EV_PER_A, steps=steps))
