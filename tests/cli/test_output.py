"""Tables, JSON and the progress bar."""

import json
import math
import sys

from tammann.cli import output


def test_json_has_no_numbers_that_are_none(capsys):
    import numpy as np

    output.print_json({"a": np.float64("nan"), "b": (np.int64(3), math.inf), "c": np.array([1.5]), "d": np.bool_(True)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [3, None], "c": [1.5], "d": True}


def test_no_number_reads_minus_zero(capsys):
    assert [output.format_number(x, ".1f") for x in (-0.0, -0.04, -1e-12, -0.06)] == ["0.0", "0.0", "0.0", "-0.1"]
    assert output.format_number(-0.04, "+.1f") == "+0.0"
    output.print_json([-0.0, -1e-12])
    assert "-0.0" not in capsys.readouterr().out


def test_progress_is_silent_in_a_pipe(capsys):
    with output.progress_bar() as progress:
        assert progress is None
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with output.progress_bar(hidden=True) as progress:
        assert progress is None
    with output.progress_bar() as progress:
        assert progress is not None
        progress(0.5, "step 1 of 2", 1234.4)
        progress(1.0, "writing", None)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "writing" in captured.err and "100%" in captured.err


def test_notes_on_volumes_are_one_line():
    volumes = [f"{name}: 9.0 A3/atom is not the volume; it may be another polymorph" for name in "ABCD"]
    first, other = output.merge_volume_warnings(["extrapolated", *volumes])
    assert first.startswith("4 volumes") and "A, B, C and 1 more" in first and other == "extrapolated"
    assert output.merge_volume_warnings(volumes[:1]) == volumes[:1]
