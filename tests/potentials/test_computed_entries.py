import json

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.computed_entries import computed_entries, write_entries
from tammann.thermo import load_phases

pytest.importorskip("pymatgen")
emt = pytest.importorskip("ase.calculators.emt")


def crystals():
    from ase.build import bulk
    from ase.spacegroup import crystal

    ordered = crystal(["Au", "Cu"], [(0, 0, 0), (0, 0.5, 0.5)], spacegroup=221, cellpar=[3.7, 3.7, 3.7, 90, 90, 90])
    return [bulk("Cu", "fcc", 3.5), bulk("Au", "fcc", 4.2), ordered]


def test_entries_are_read_as_formation_energies(tmp_path):
    lines = []
    write_entries(tmp_path / "made.json", computed_entries(crystals(), emt.EMT(), relax=False, progress=lines.append))
    phases = load_phases(tmp_path / "made.json")
    cu, au, ordered = (entry["energy"] for entry in json.loads((tmp_path / "made.json").read_text()))
    assert phases.default_energies == "made" and len(lines) == 3
    i = phases.index("Cu3Au")
    expected = (ordered - 3 * cu - au) / 4
    assert phases.energy_set().gibbs_eV_per_atom[0, i] == pytest.approx(expected, abs=0.05)
    assert 11.0 < phases[i].volume_A3_per_atom < 14.0


def test_relaxation_finds_the_lattice_constant_of_the_potential():
    (relaxed,) = computed_entries(crystals()[:1], emt.EMT())
    (strained,) = computed_entries(crystals()[:1], emt.EMT(), relax=False)
    assert relaxed["data"]["relaxed"] is True and "relaxed" not in strained["data"]
    assert relaxed["energy"] < strained["energy"]
    assert relaxed["data"]["volume"] == pytest.approx(3.59**3 / 4, rel=0.01)


def test_cells_of_both_packages_and_multiples_give_the_same():
    from pymatgen.core.structure import Structure
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms = crystals()[2]
    structure = AseAtomsAdaptor.get_structure(atoms)
    assert isinstance(structure, Structure)
    entries = computed_entries([atoms, structure, atoms.repeat((2, 1, 1))], emt.EMT(), relax=False)
    per_atom = [entry["energy"] / entry["data"]["nsites"] for entry in entries]
    assert np.ptp(per_atom) < 1e-9


def test_what_is_no_crystal_is_refused():
    from ase import Atoms

    with pytest.raises(DataError, match="expected a periodic cell"):
        computed_entries([Atoms("Cu")], emt.EMT())
    with pytest.raises(DataError, match="expected ASE Atoms or pymatgen Structure, got str"):
        computed_entries(["Cu"], emt.EMT())
    with pytest.raises(DataError, match="the potential EMT failed with NotImplementedError"):
        computed_entries([Atoms("Ba", cell=[5, 5, 5])], emt.EMT(), relax=False)
