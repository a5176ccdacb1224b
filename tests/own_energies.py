"""Tables and entries that several tests of energies write."""

import json

import pytest

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
SPINEL = HEADER + "MgO,-3.05,9.4,3105,0.02\nAl2O3,-3.43,8.7,2327,0.01\nMgAl2O4,-3.35,9.6,2408,\n"


def write(tmp_path, text, name="mine.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def computed(formula, energy_per_atom, **data):
    entries = pytest.importorskip("pymatgen.entries.computed_entries")
    from pymatgen.core import Composition

    composition = Composition(formula)
    return entries.ComputedEntry(composition, energy_per_atom * composition.num_atoms, data=data, entry_id=formula)


def dump(tmp_path, entries, name="entries.json"):
    return write(tmp_path, json.dumps([e.as_dict() for e in entries]), name)


def magnesia(**data):
    return [
        computed("Mg", -1.5, volume_A3_per_atom=22.0),
        computed("O2", -4.9, volume_A3_per_atom=13.0),
        computed("Mg4O4", -6.2, volume_A3_per_atom=9.4, melting_point_K=3105, **data),
        computed("MgO", -6.0, volume_A3_per_atom=9.9, melting_point_K=3105),
    ]
