"""Unwrapped positions beside wrapped ones in extended XYZ are the ones that count."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory import read_trajectory

PATH = np.array([1.0, 6.0, 11.0, 16.0])  # half a cell a frame: minimum images cannot tell


def text(name, *, symbol="O"):
    head = f'1\nLattice="10 0 0 0 10 0 0 0 10" Properties=species:S:1:pos:R:3:mass:R:1:{name}:R:3 pbc="T T T"\n'
    return "".join(f"{head}{symbol} {x % 10.0} 0 0 16.0 {x} 0 0\n" for x in PATH)


@pytest.mark.parametrize("name", ["unwrapped_position", "Unwrapped_Positions", "unwrapped"])
def test_a_column_of_unwrapped_positions(tmp_path, name):
    file = tmp_path / "run.xyz"
    file.write_text(text(name))
    found = read_trajectory(file, frame_interval_ps=0.1)
    assert found.positions[:, 0, 0].tolist() == PATH.tolist() and found.notes == ()


def test_without_one_the_sentence_tells_of_it_and_of_the_file(tmp_path):
    file = tmp_path / "run.xyz"
    file.write_text(text("velo"))
    with pytest.raises(DataError, match=r"run\.xyz: frame 1: .*unwrapped_position:R:3, .*wrapped=False.*--unwrapped"):
        read_trajectory(file, frame_interval_ps=0.1)


def test_frames_left_out_may_have_other_atoms(tmp_path):
    file = tmp_path / "run.xyz"
    file.write_text('2\nLattice="9 0 0 0 9 0 0 0 9"\nBa 0 0 0\nO 1 1 1\n' + text("unwrapped"))
    with pytest.raises(DataError, match=r"frame 1: it has 1 atoms, the frames before 2"):
        read_trajectory(file, frame_interval_ps=0.1)
    assert read_trajectory(file, frame_interval_ps=0.1, start=1, wrapped=False).symbols == ("O",)
