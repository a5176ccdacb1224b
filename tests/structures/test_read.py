"""Crystals from files."""

import pytest

from tammann.errors import DataError
from tammann.structures import read_structure

POSCAR = """BaTiO3
1.0
4.0 0 0
0 4.0 0
0 0 4.0
Ba Ti O
1 1 3
Direct
0 0 0
0.5 0.5 0.5
0.5 0.5 0
0.5 0 0.5
0 0.5 0.5
"""


def test_a_poscar(tmp_path):
    file = tmp_path / "POSCAR"
    file.write_text(POSCAR, encoding="utf-8")
    crystal = read_structure(file)
    assert crystal.symbols == ("Ba", "Ti", "O", "O", "O") and crystal.cell_A[0, 0] == 4.0


@pytest.mark.parametrize(("name", "text"), [("empty.cif", ""), ("words.xyz", "no atoms here"), ("odd.ending", POSCAR)])
def test_what_cannot_be_read(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"structure {name!r} cannot be read"):
        read_structure(file)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="expected a file, got none"):
        read_structure(tmp_path / "nowhere.cif")
