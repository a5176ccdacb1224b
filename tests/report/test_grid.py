"""Slices of the grid: all of a small one, a window of a large one."""

import base64
import gzip
import json

import numpy as np

from histories import with_lattice
from report.pages import parsed, recipe
from tammann.report import write_report


def test_library_and_grid_unpack(page, history):
    blocks = parsed(page).blocks
    library = gzip.decompress(base64.b64decode(blocks["plotly"])).decode()
    assert "plotly.js v" in library[:200]
    info = json.loads(blocks["grid-info"])
    cells = np.frombuffer(gzip.decompress(base64.b64decode(blocks["grid"])), dtype=np.uint8)
    cells = cells.reshape(len(info["times"]), len(info["layers"]), info["height"], info["width"])
    np.testing.assert_array_equal(cells, history.lattice.snapshots)
    assert len(info["phases"]) == len(info["colours"]) == 5


def test_large_grids_are_cut_to_a_window(tmp_path, history):
    cells = np.random.default_rng(0).integers(1, 6, (3, 264, 264, 264), dtype=np.uint8)
    big = with_lattice(history, snapshots=cells, snapshot_frame=np.array([0, 60, 120]))
    write_report(tmp_path / "r.html", big, recipe=recipe(), summary={})
    assert (tmp_path / "r.html").stat().st_size < 4_000_000
    info = json.loads(parsed(tmp_path / "r.html").blocks["grid-info"])
    assert info["width"] == 256 and len(info["layers"]) == 10
    assert "A window of 256 x 256 cells is shown." in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_layers_of_a_grid_that_is_not_recorded_whole(tmp_path, history):
    """The middle 4 of 16 layers: those numbered 7 to 10."""
    run = with_lattice(history, snapshots=history.lattice.snapshots[:, 6:10])
    write_report(tmp_path / "r.html", run, recipe=recipe(), summary={})
    info = json.loads(parsed(tmp_path / "r.html").blocks["grid-info"])
    assert (info["size"], info["width"], info["layers"]) == (16, 16, [6, 7, 8, 9])
    assert "16³ cells" in (tmp_path / "r.html").read_text(encoding="utf-8")
