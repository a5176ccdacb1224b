"""Octahedra and tetrahedra of crystals whose joints are known."""

import numpy as np
import pytest

from characterization.crystals import barium_zirconium_sulfide, perovskite, repeated, rock_salt
from tammann.characterization import polyhedra_connectivity
from tammann.errors import DataError
from tammann.structures import Configuration


def test_octahedra_of_rock_salt_share_edges():
    """Twelve edges, and six corners opposite."""
    found = polyhedra_connectivity(rock_salt(), "Na", "Cl", cutoff_A=3.0)
    assert found.per_polyhedron == {"corner": 6.0, "edge": 12.0, "face": 0.0}
    assert found.distances_A["edge"] == pytest.approx(5.64 / np.sqrt(2))
    assert found.distances_A["corner"] == pytest.approx(5.64) and np.isnan(found.distances_A["face"])


@pytest.mark.parametrize("crystal", [perovskite(), perovskite(2)], ids=["one cell", "eight"])
def test_octahedra_of_a_perovskite_share_corners(crystal):
    """Images of the only zirconium ion of a cell are polyhedra of their own; cuboctahedra of barium share faces."""
    found = polyhedra_connectivity(crystal, "Zr", "O", cutoff_A=2.2)
    assert found.per_polyhedron == {"corner": 6.0, "edge": 0.0, "face": 0.0} and found.isolated == 0.0
    assert found.fractions["corner"] == 1.0 and found.distances_A["corner"] == pytest.approx(4.2)
    barium = polyhedra_connectivity(crystal, "Ba", "O", cutoff_A=3.2)
    assert barium.per_polyhedron["face"] == 6.0 and barium.per_polyhedron["corner"] == 12.0


def test_the_orthorhombic_sulfide():
    found = polyhedra_connectivity(barium_zirconium_sulfide(), "Zr", "S", cutoff_A=3.1)
    assert found.per_polyhedron == {"corner": 6.0, "edge": 0.0, "face": 0.0}


def test_tetrahedra_of_zincblende_share_corners():
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    blende = repeated(["Zn"] * 4 + ["S"] * 4, np.vstack([faces, faces + 0.25]), 5.41)
    assert polyhedra_connectivity(blende, "Zn", "S", cutoff_A=2.5).per_polyhedron["corner"] == 12.0


def test_per_atom_and_frames():
    crystal = perovskite()
    found = polyhedra_connectivity([crystal, crystal], "Zr", "O", cutoff_A=2.2)
    assert found.joined.shape == (2, 3)
    assert found.per_atom()[1].tolist() == [6, 0, 0] and (found.per_atom()[[0, 2, 3, 4]] == -1).all()


def test_one_region_and_none():
    crystal = perovskite(2)
    first = np.arange(crystal.n_atoms) == crystal.symbols.index("Zr")
    assert polyhedra_connectivity(crystal, "Zr", "O", cutoff_A=2.2, atoms=first).joined.tolist() == [[6, 0, 0]]
    apart = polyhedra_connectivity(crystal, "Zr", "O", cutoff_A=1.0)
    assert apart.isolated == 1.0 and apart.fractions == {"corner": 0.0, "edge": 0.0, "face": 0.0}


def test_nonsense():
    with pytest.raises(DataError, match="ligand: expected another element than the centre, O"):
        polyhedra_connectivity(perovskite(), "O", "O", cutoff_A=3.0)
    with pytest.raises(DataError, match="there is no 'S'"):
        polyhedra_connectivity(perovskite(), "Zr", "S", cutoff_A=3.0)
    lone = Configuration(("Zr", "O"), np.array([[0.0, 0, 0], [2, 0, 0]]), 20 * np.eye(3))
    assert polyhedra_connectivity(lone, "Zr", "O", cutoff_A=2.2).isolated == 1.0
