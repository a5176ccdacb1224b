"""Frames of files: evenly spread or a single one, from dumps of LAMMPS as from structures."""

from dataclasses import replace

import numpy as np
import pytest

from breathing import CSCL, contacts, drifting_crystal
from tammann.characterization import pair_distribution
from tammann.characterization.frames import frames_of, read_frames, read_sample_frames
from tammann.characterization.order import bragg_order
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.contacts import closest_contact
from tammann.trajectory import trajectory_from_arrays


def dump(frames: int, columns: str = "id type element x y z", step: int = 10) -> str:
    """Caesium chloride, of which the chlorine moves by 0.01 Å a frame, in a box that does not begin at 0."""
    words = {"id": "12", "type": "12", "element": ("Cs", "Cl"), "x": "13", "y": "13"}
    text = ""
    for k in range(frames):
        words["z"] = ("1", f"{3 + 0.01 * k:.2f}")
        rows = "\n".join(" ".join(words[name][atom] for name in columns.split()) for atom in (0, 1))
        text += f"ITEM: TIMESTEP\n{step * k * k}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n"
        text += 3 * "1 5\n" + f"ITEM: ATOMS {columns}\n{rows}\n"
    return text


@pytest.mark.parametrize("name", ["run.lammpstrj", "run.txt"])
def test_a_dump_of_one_frame_is_read(tmp_path, name):
    (tmp_path / name).write_text(dump(1))
    (found,) = read_frames(tmp_path / name)
    assert found.symbols == ("Cs", "Cl") and found.volume_A3 == pytest.approx(64.0)
    np.testing.assert_allclose(found.positions_A, [[0, 0, 0], [2, 2, 2]])


def test_types_name_the_elements_of_a_dump(tmp_path):
    (tmp_path / "run.dump").write_text(dump(1, "id type x y z"))
    assert read_frames(tmp_path / "run.dump", types="Na,Br")[0].symbols == ("Na", "Br")
    with pytest.raises(DataError, match="which element"):
        read_frames(tmp_path / "run.dump")


@pytest.mark.parametrize(("frames", "at"), [(3, [0, 5, 10]), (11, list(range(11))), (1, [0]), (200, list(range(11)))])
def test_frames_are_spread_whatever_their_times(tmp_path, frames, at):
    (tmp_path / "run.lammpstrj").write_text(dump(11))
    found = read_frames(tmp_path / "run.lammpstrj", frames=frames)
    moves = [round(float(one.positions_A[1, 2] - 2.0) / 0.01) for one in found]
    assert len(found) == len(at) and moves[0] == 0
    assert np.abs(np.subtract(moves, at)).max() <= 2


@pytest.mark.parametrize("name", ["run.lammpstrj", "run.extxyz"])
def test_a_single_frame_is_counted_from_either_end(tmp_path, name):
    if name.endswith("trj"):
        (tmp_path / name).write_text(dump(4))
    else:
        frame = '2\nLattice="4 0 0 0 4 0 0 0 4"\nCs 0 0 0\nCl 2 2 {:.2f}\n'
        (tmp_path / name).write_text("".join(frame.format(2 + 0.01 * k) for k in range(4)))
    for frame, move in ((0, 0.0), (2, 0.02), (-1, 0.03), (-4, 0.0)):
        ((one,), periodic) = read_sample_frames(tmp_path / name, frame=frame)
        assert periodic and one.positions_A[1, 2] == pytest.approx(2.0 + move)
    for frame in (4, -5):
        with pytest.raises(DataError, match="from 0 to 3"):
            read_frames(tmp_path / name, frame=frame)
    with pytest.raises(DataError, match="frames: expected"):
        read_frames(tmp_path / name, frames=0)


def test_a_crystal_drifting_in_a_cell_that_breathes_keeps_its_structure():
    w, cells, _ = drifting_crystal()
    run = trajectory_from_arrays(w, cells, CSCL, frame_interval_ps=1.0)
    found = [closest_contact(frame) for frame in frames_of(run, 200)]
    np.testing.assert_allclose(found, contacts(cells), atol=1e-4)
    true = [Configuration(CSCL, *frame) for frame in zip(w, cells, strict=True)]
    one, other = pair_distribution(run, cutoff_A=6.0), pair_distribution(true, cutoff_A=6.0)
    np.testing.assert_allclose(one.running("Cs", "Cl"), other.running("Cs", "Cl"), atol=0.05)
    assert one.running("Cs", "Cl")[int(3.8 / one.bin_A)] == pytest.approx(8.0)
    assert bragg_order(run) == pytest.approx(1.0, abs=1e-6)
    # its neighbours, moved apart by the sums of displacements alone
    apart = [closest_contact(frame) for frame in frames_of(replace(run, offsets=None), 200)]
    assert min(np.array(apart) - contacts(cells)) < -0.1
