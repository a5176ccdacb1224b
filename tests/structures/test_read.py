"""Crystals from files."""

import pytest

from tammann.errors import DataError
from tammann.structures import read_sample, read_samples, read_structure

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


MIXED = """data_mixed
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ("Zr1 Zr 0 0 0 0.6\nTi1 Ti 0 0 0 0.4\nO1 O 0.5 0.5 0.5 1\n", "60 % Zr, 40 % Ti"),
        ("Zr1 Zr 0 0 0 1\nO1 O 0.5 0.5 0.5 0.5\n", "50 % O"),
    ],
)
def test_sites_shared_or_empty_in_part_are_refused(tmp_path, sites, words):
    """ASE would take the first element, and a whole atom."""
    file = tmp_path / "mixed.cif"
    file.write_text(MIXED + sites, encoding="utf-8")
    for read in (read_structure, read_sample):
        with pytest.raises(DataError, match=f"an element on every site, got one of {words}"):
            read(file)
    file.write_text(MIXED + "Zr1 Zr 0 0 0 1\nO1 O 0.5 0.5 0.5 1\n", encoding="utf-8")
    assert read_structure(file).symbols == ("Zr", "O")


DUMP = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS pp pp pp
0 4
0 4
0 4
ITEM: ATOMS id type {}x y z
1 1 {}0 0 0
"""


def test_types_of_lammps_are_no_atomic_numbers(tmp_path):
    """ASE would read hydrogen for 1."""
    file = tmp_path / "run.lammpstrj"
    file.write_text(DUMP.format("", ""), encoding="utf-8")
    with pytest.raises(DataError, match="a column 'element'"):
        read_structure(file)
    file.write_text(DUMP.format("element ", "Zr "), encoding="utf-8")
    assert read_structure(file).symbols == ("Zr",)
    data = "one\n\n1 atoms\n1 atom types\n\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n\n{}Atoms # atomic\n\n1 1 0 0 0\n"
    file = tmp_path / "one.data"
    file.write_text(data.format(""), encoding="utf-8")
    with pytest.raises(DataError, match="a section 'Masses'"):
        read_structure(file)
    file.write_text(data.format("Masses\n\n1 91.224\n\n"), encoding="utf-8")
    assert read_structure(file).symbols == ("Zr",)


def test_frames_are_all_periodic_or_none(tmp_path):
    file = tmp_path / "both.xyz"
    file.write_text('1\nLattice="4 0 0 0 4 0 0 0 4"\nAr 0 0 0\n1\n\nAr 0 0 0\n', encoding="utf-8")
    with pytest.raises(DataError, match="all of its frames periodic"):
        read_samples(file)


def test_a_space_group_of_another_origin_than_the_coordinates_is_noticed(tmp_path):
    file = tmp_path / "anatase.cif"
    file.write_text(
        "data_anatase\n_cell_length_a 3.7845\n_cell_length_b 3.7845\n_cell_length_c 9.5143\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'I 41/a m d :2'\n"
        "_symmetry_Int_Tables_number 141\nloop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n"
        "_atom_site_fract_y\n_atom_site_fract_z\nTi Ti 0 0.25 0.375\nO O 0 0.25 0.16686\n"
    )
    with pytest.raises(DataError, match="I 41/a m d :2"):
        read_structure(file)
    file.write_text(file.read_text().replace(" :2", "").replace("O O 0 0.25 0.16686", "O O 0 0.25 0.38"))
    with pytest.raises(DataError, match="another setting or origin"):
        read_structure(file)
