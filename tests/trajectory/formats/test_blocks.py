"""Blocks of frames of a file whose rows hold one number each."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory.formats.blocks import Choice, Columns, Header, read_blocks
from tammann.trajectory.formats.lines import FLOAT, Lines

COLUMNS = Columns(np.array([FLOAT]), np.array([0]), "a number", "frame")


def read(path, text, choice):
    path.write_text(text)

    def headers(lines):
        frame = 0
        while lines.line_or_end() is not None:
            yield Header(frame, choice.takes(frame), 2, COLUMNS, np.eye(3))
            frame += 1

    with Lines(path) as lines:
        blocks = list(read_blocks(lines, headers(lines), choice))
    return [header.frame for b in blocks for header in b.headers], [b.floats[:, :, 0].tolist() for b in blocks], lines


FILE = "frame\n0\n1\nframe\n2\n3\nframe\n4\n5\nframe\n6\n7\n"


def test_the_frames_chosen(tmp_path):
    frames, numbers, lines = read(tmp_path / "file", FILE, Choice(1, 4, 2))
    assert frames == [1, 3]
    assert numbers == [[[2.0, 3.0], [6.0, 7.0]]]
    assert lines.notes == []


def test_small_blocks_hold_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("tammann.trajectory.formats.blocks.BLOCK_BYTES", 100)
    frames, numbers, _ = read(tmp_path / "file", FILE, Choice())
    assert frames == [0, 1, 2, 3]
    assert numbers == [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]


@pytest.mark.parametrize(
    ("text", "why"),
    [(FILE[:-2], "the file ends within it"), (FILE[:-4] + FILE[-10:], "its rows end early")],
)
def test_a_frame_cut_off_is_left_out_and_noted(tmp_path, text, why):
    frames, _, lines = read(tmp_path / "file", text, Choice())
    whole = len(frames)
    assert whole in (2, 3)
    assert lines.notes == [f"Frame {whole} is cut off ({why}); the {whole} whole frame(s) before it were read."]


def test_a_row_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="frame 1: row 2 is 'x', expected a number; cut the file off"):
        read(tmp_path / "file", FILE.replace("3", "x"), Choice())
