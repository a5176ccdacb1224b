"""All of the local structure at once: the same numbers as its parts, known crystals, and sentences."""

import numpy as np
import pytest

from tammann.characterization import bonded_pairs, first_minimum_cutoffs, local_structure
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal


def test_rutile_has_the_numbers_of_the_textbook():
    """Ti in six O, O in three Ti, each octahedron joined to two by edges and to eight by corners."""
    found = local_structure(load_crystal("TiO2-rutile"), cutoffs_A={("Ti", "O"): 2.4}, threads=1)
    assert [shell.fractions for shell in found.shells] == [{6: 1.0}, {3: 1.0}]
    assert found.joints[0].per_polyhedron == {"corner": 8.0, "edge": 2.0, "face": 0.0}
    assert found.density_g_per_cm3 == pytest.approx(4.25, abs=0.02)
    tables = found.tables()
    assert set(tables) == {"coordination", "first_shells", "angle_distributions", "joints"}
    assert tables["coordination"]["coordination"].tolist() == [6, 3]
    assert tables["joints"]["isolated"].tolist() == [0.0]


def test_cutoffs_that_are_not_given_are_first_minima():
    oxide = load_crystal("BaTiO3-cubic")
    found = local_structure(oxide, threads=1)
    assert found.cutoffs_A == first_minimum_cutoffs(oxide, bonded_pairs(tuple(dict.fromkeys(oxide.symbols))))
    assert found.by_minimum == set(found.cutoffs_A) and found.rule(next(iter(found.cutoffs_A))) == "first minimum"
    mixed = local_structure(oxide, cutoffs_A={("Ba", "O"): 3.0, ("Ti", "O"): None}, threads=1)
    assert mixed.by_minimum == {("Ti", "O")} and mixed.cutoffs_A["Ba", "O"] == 3.0


def test_elements_alone_are_bonded_to_themselves():
    copper = Configuration(("Cu",) * 4, 1.8 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), 3.6 * np.eye(3))
    found = local_structure(copper, threads=1)
    assert len(found.shells) == 1 and found.shells[0].mean == 12 and not found.joints


@pytest.mark.parametrize(
    "cutoffs, rings, message",
    [
        ({("Ti", "O"): 1.2}, (), "closest contact, 2.0"),
        ({("Ti", "O"): -1.0}, (), "above 0 Å"),
        ({("Ti", "S"): 3.0}, (), "'S'"),
        ({}, (), "one pair"),
        ({("Ti", "O"): 2.3}, (("Ba", "O"),), "Ba-O"),
    ],
)
def test_wrong_lengths_are_refused(cutoffs, rings, message):
    with pytest.raises(DataError, match=message):
        local_structure(load_crystal("BaTiO3-cubic"), cutoffs_A=cutoffs, rings=rings, threads=1)


def test_everything_is_of_the_same_frames():
    """Of a trajectory whose bonds become longer from frame to frame, the first, the middle and the last."""
    from tammann.trajectory import trajectory_from_arrays

    base = np.array([[0.5, 0.5, 0.5], [2.5, 2.5, 2.5]]), 4.0 * np.eye(3)
    scales = 1.0 + 0.001 * np.arange(41) ** 2 / 40
    positions, cells = (scales[:, None, None] * each for each in base)
    run = trajectory_from_arrays(positions, cells, ["Cs", "Cl"], frame_interval_ps=1.0)
    found = local_structure(run, cutoffs_A={("Cs", "Cl"): 3.7}, frames=3)
    mean = 12.0**0.5 * scales[[0, 20, 40]].mean()
    assert found.n_frames == 3
    assert found.shells[0].mean_bond_length_A == pytest.approx(mean)
    assert found.absorption[0].distance_A == pytest.approx(mean)
    assert len(found.shells[0].numbers) == 3
