import numpy as np
import pytest

from potentials.ace.expansions import cell_of_atoms, expansion
from tammann.errors import DataError
from tammann.potentials.ace.model import AceModel


def test_a_file_keeps_every_bit(tmp_path):
    model = expansion()
    saved = model.save(tmp_path / "a.ace.npz")
    read = AceModel.load(tmp_path / "a.ace.npz")
    atoms = cell_of_atoms(9)
    one, two = (
        m.single(atoms.get_chemical_symbols(), atoms.positions, atoms.cell.array, functions=True) for m in (model, read)
    )
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert read.digest == saved.digest and len(read.digest) == 64
    assert read.provenance["tammann"]


def test_bad_input_is_refused(tmp_path):
    model = expansion()
    with pytest.raises(DataError, match=r"\.ace\.npz"):
        model.save(tmp_path / "a.npz")
    with pytest.raises(DataError, match="Sr"):
        model.species(["Sr", "O"])
    with pytest.raises(DataError, match="coefficients"):
        AceModel(model.basis, model.radii, model.coefficients[:2], model.reference_energies_eV)
    with pytest.raises(DataError, match="active set"):
        model.grades(model.single(["O"], np.zeros((1, 3)), 5 * np.eye(3), functions=True), np.zeros(1, dtype=int))
