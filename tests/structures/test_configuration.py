"""Configurations: what is refused, and the same atoms in other packages."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration

CELL = np.array([[5.0, 0, 0], [1.0, 6.0, 0], [0.5, 0.2, 7.0]])
POSITIONS = np.array([[0.1, 0.2, 0.3], [2.5, 2.0, 3.0], [9.0, -1.0, 8.0]])
WATER = Configuration(("O", "H", "H"), POSITIONS, CELL, np.array([[1.0, 2.0, 3.0], [0, 0, 0], [-1, 0, 0]]))


def test_it_says_itself_in_a_line():
    assert repr(WATER) == "Configuration(OH2, 3 atoms, 210.0 Å3)"
    assert repr(Configuration(("Ar",), np.zeros((1, 3)), np.eye(3))) == "Configuration(Ar, 1 atom, 1.0 Å3)"


def test_ase_and_back():
    pytest.importorskip("ase")
    atoms = WATER.to_ase()
    # (1, 2, 3) Å/ps of an oxygen: 0.5 * 15.999 u * 14 Å2/ps2 = 0.01161 eV
    assert atoms.get_kinetic_energy() == pytest.approx(0.5 * (15.999 * 14 + 1.008) / 9648.533, rel=1e-5)
    back = Configuration.from_ase(atoms)
    assert back.symbols == WATER.symbols
    for name in ("positions_A", "cell_A", "velocities_A_per_ps"):
        np.testing.assert_allclose(getattr(back, name), getattr(WATER, name), atol=1e-12)
    atoms.set_array("momenta", None)
    assert Configuration.from_ase(atoms).velocities_A_per_ps is None
    atoms.cell[:] = 0.0
    with pytest.raises(DataError, match="a cell with a volume"):
        Configuration.from_ase(atoms)


def test_pymatgen_and_back():
    """The same distances, in one cell."""
    structure = WATER.to_pymatgen()
    back = Configuration.from_pymatgen(structure)
    assert back.symbols == WATER.symbols and back.velocities_A_per_ps is None
    shift = (back.positions_A - WATER.positions_A) @ np.linalg.inv(CELL)
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)
    assert ((structure.frac_coords >= 0) & (structure.frac_coords < 1)).all()


def test_a_disordered_pymatgen_structure_is_refused():
    from pymatgen.core import Lattice, Structure

    with pytest.raises(DataError, match="an element on every site, got one of"):
        Configuration.from_pymatgen(Structure(Lattice.cubic(4.0), [{"Zr": 0.6, "Ti": 0.4}], [[0, 0, 0]]))


def test_extended_xyz_and_back():
    pytest.importorskip("ase")
    text = WATER.to_extxyz()
    assert text.splitlines()[0] == "3" and text.splitlines()[2].split() == ["O", "0.10000", "0.20000", "0.30000"]
    back = Configuration.from_extxyz(text)
    np.testing.assert_allclose(back.positions_A, WATER.positions_A, atol=1e-5)
    np.testing.assert_allclose(back.cell_A, CELL, atol=1e-6)
    for wrong in ("", "two\natoms\n", "2\n\nMg 0 0 0\n"):
        with pytest.raises(DataError):
            Configuration.from_extxyz(wrong)


def test_labels_go_with_the_atoms():
    labelled = WATER.with_labels(grain=[1, 2, 2], distance_A=[0.5, 1.5, 2.5])
    assert labelled.at_volume(100.0).labels["grain"].tolist() == [1, 2, 2]
    some = labelled.take([2, 0])
    assert some.symbols == ("H", "O") and some.labels["distance_A"].tolist() == [2.5, 0.5]
    assert some.velocities_A_per_ps[0].tolist() == [-1, 0, 0]
    assert labelled.take(labelled.labels["grain"] == 2).symbols == ("H", "H")
    back = Configuration.from_ase(labelled.to_ase(), labels=True)
    assert set(back.labels) == {"grain", "distance_A"} and not Configuration.from_ase(labelled.to_ase()).labels
    with pytest.raises(ValueError):
        labelled.labels["grain"][0] = 5


@pytest.mark.parametrize(
    "change, words",
    [
        ({"labels": {"grain": [1, 2]}}, r"label 'grain' has shape \(2,\), expected \(3,\) or \(3, k\)"),
        ({"labels": {"pos": [1, 2, 3]}}, "label 'pos': expected numbers under a name"),
        ({"labels": {"grain": ["a", "b", "c"]}}, "label 'grain': expected numbers"),
        ({"labels": {"d": [1.0, np.nan, 0.0]}}, "label 'd' has a value that is not finite"),
        ({"positions_A": np.zeros((2, 3))}, r"positions_A has shape \(2, 3\), expected \(3, 3\) for 3 atoms"),
        ({"cell_A": np.full((3, 3), np.nan)}, "cell_A has a value that is not finite"),
        ({"cell_A": np.ones((3, 3))}, "a cell with a volume"),
    ],
)
def test_what_is_refused(change, words):
    with pytest.raises(DataError, match=words):
        Configuration(**({"symbols": WATER.symbols, "positions_A": POSITIONS, "cell_A": CELL} | change))


def test_configurations_travel_to_other_processes():
    import pickle

    pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3)).with_labels(grain=[0, 1])
    back = pickle.loads(pickle.dumps(pair))
    assert back.symbols == pair.symbols and back.labels["grain"].tolist() == [0, 1]
    np.testing.assert_array_equal(back.positions_A, pair.positions_A)
    assert not back.positions_A.flags.writeable and not back.labels["grain"].flags.writeable
