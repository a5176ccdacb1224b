"""Disordered crystals from CIF, pymatgen and a space group, and what is refused."""

import pickle

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from tammann.errors import DataError
from tammann.structures.ordering import DisorderedStructure, disordered_crystal, read_disordered

CIF = """data_test
_symmetry_space_group_name_H-M 'C 2/m'
_cell_length_a 6.890
_cell_length_b 11.916
_cell_length_c 6.842
_cell_angle_alpha 90
_cell_angle_beta 109.77
_cell_angle_gamma 90
loop_
_symmetry_equiv_pos_as_xyz
'x, y, z'
'-x, y, -z'
'-x, -y, -z'
'x, -y, z'
'x+1/2, y+1/2, z'
'-x+1/2, y+1/2, -z'
'-x+1/2, -y+1/2, -z'
'x+1/2, -y+1/2, z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
In1 In 0 0 0 0.5
Y1 Y 0 0 0 {y}
Li1 Li 0 0.333333 0 1
Li2 Li 0 0.166667 0.5 0.5
Cl1 Cl 0.25 0 0.75 1
Cl2 Cl 0.25 0.166667 0.25 1
"""


def test_cif(tmp_path):
    file = tmp_path / "host.cif"
    file.write_text(CIF.format(y=0.5))
    found = read_disordered(file)
    assert found.composition() == {"In": 1.0, "Y": 1.0, "Li": 6.0, "Cl": 12.0}
    assert found.n_sites == 22
    half = [occupancy for occupancy in found.occupancies if "vacancy" in occupancy]
    assert len(half) == 4
    assert dict(half[0]) == pytest.approx({"Li": 0.5, "vacancy": 0.5})
    same = disordered_crystal(
        "C2/m",
        (6.890, 11.916, 6.842, 90, 109.77, 90),
        {
            "M": ({"In": 0.5, "Y": 0.5}, (0, 0, 0)),
            "Li1": ({"Li": 1}, (0, 1 / 3, 0)),
            "Li2": ({"Li": 0.5}, (0, 1 / 6, 0.5)),
            "X1": ({"Cl": 1}, (0.25, 0, 0.75)),
            "X2": ({"Cl": 1}, (0.25, 1 / 6, 0.25)),
        },
    )
    assert same.composition() == found.composition()
    assert same.volume_A3 == pytest.approx(found.volume_A3)


def test_two_atoms_on_a_site_are_refused(tmp_path):
    file = tmp_path / "over.cif"
    file.write_text(CIF.format(y=0.8))
    with pytest.raises(DataError, match=r"over.cif.*expected at most one atom, got 1.3 .*0.8 Y"):
        read_disordered(file)


def test_rounding_of_thirds_is_no_second_atom():
    sites = DisorderedStructure(4.0 * np.eye(3), [[0, 0, 0]], ({"Li": 0.3334, "Na": 0.6667},), ("A",))
    assert sum(sites.occupancies[0].values()) == pytest.approx(1.0)
    assert "vacancy" not in sites.occupancies[0]
    sites = DisorderedStructure(4.0 * np.eye(3), [[0, 0, 0]], ({"Li": 0.3333, "Na": 0.6666},), ("A",))
    assert "vacancy" not in sites.occupancies[0]


def test_two_valences_of_an_element_stay_apart():
    magnetite = Structure(Lattice.cubic(4), [{"Fe2+": 0.5, "Fe3+": 0.5}, "O2-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    found = DisorderedStructure.from_pymatgen(magnetite)
    assert found.composition() == {"Fe2+": 0.5, "Fe3+": 0.5, "O": 1.0}
    assert dict(found.charges) == {"Fe2+": 2.0, "Fe3+": 3.0, "O": -2.0}


@pytest.mark.parametrize(
    ("occupancies", "labels", "message"),
    [
        (({"Xx": 1.0},), ("A",), "species 'Xx'"),
        (({"Li": -0.1},), ("A",), "an occupancy from 0 to 1 of Li"),
        (({"Li": float("nan")},), ("A",), "an occupancy from 0 to 1 of Li"),
        (({"Li": 1.0},), (), "0 labels"),
    ],
)
def test_what_is_no_structure(occupancies, labels, message):
    with pytest.raises(DataError, match=message):
        DisorderedStructure(4.0 * np.eye(3), [[0, 0, 0]], occupancies, labels)


def test_unknown_labels_files_and_groups(tmp_path):
    site = DisorderedStructure(4.0 * np.eye(3), [[0, 0, 0]], ({"Li": 1.0},), ("A",))
    with pytest.raises(DataError, match="site 'B': expected one of A"):
        site.with_occupancies({"B": {"Na": 1.0}})
    with pytest.raises(DataError, match="none of this name"):
        read_disordered(tmp_path / "no.cif")
    (tmp_path / "no.cif").write_text("nothing")
    with pytest.raises(DataError, match="expected a CIF"):
        read_disordered(tmp_path / "no.cif")
    with pytest.raises(DataError, match="expected a space group"):
        disordered_crystal("Q4", (4, 4, 4, 90, 90, 90), {"A": ({"Li": 1}, (0, 0, 0))})


def test_pickles():
    site = DisorderedStructure(4.0 * np.eye(3), [[0, 0, 0]], ({"Li": 0.25},), ("A",), {"Li": 1.0})
    again = pickle.loads(pickle.dumps(site))
    assert (again.occupancies, again.labels, again.charges) == (site.occupancies, site.labels, site.charges)
