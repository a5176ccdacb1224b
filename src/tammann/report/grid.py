"""Slices through the grid, to be moved through in time and depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.plot.slices import grid_snapshots
from tammann.plot.style import moment_text, phase_colours
from tammann.report.page import data_block, fill, text_html
from tammann.report.sentences import formula_text

if TYPE_CHECKING:
    from tammann.history import History

MAX_CELLS = 2_000_000
"""Cells of the grid that a page holds, one byte each before compression."""
WIDEST_SLICE = 256
"""Cells per edge of the largest window that is shown."""


def grid_slices(history: History) -> tuple[str, list[str]]:
    """Return a figure of layers of the grid, in the first realization, and the data blocks behind it.

    Both are empty where the run recorded no grid.
    """
    snapshots, frames = grid_snapshots(history)
    if not (count := len(snapshots)):
        return "", []
    recorded, size = snapshots.shape[1:3]
    width = min(size, WIDEST_SLICE)
    chosen = np.unique(np.linspace(0, count - 1, min(count, 24)).astype(int))
    depths = max(1, min(recorded, MAX_CELLS // (chosen.size * width * width)))
    layers = np.unique(np.linspace(0, recorded - 1, depths).astype(int)) if depths > 1 else np.array([recorded // 2])
    cells = np.stack([snapshots[k][layers, :width, :width] for k in chosen])
    colours = phase_colours(history.phases)
    present = np.unique(cells)
    key = "".join(
        f'<span style="--swatch:{colours[name]}">{text_html(name)}</span>'
        for code, name in enumerate(history.phases, start=1)
        if code in present
    )
    if 0 in present:
        key += '<span style="--swatch:transparent">empty</span>'
    info = {
        "width": width,
        "height": width,
        "size": size,
        "layers": (layers + (size - recorded) // 2).tolist(),
        "times": [moment_text(history, frame) for frame in frames[chosen]],
        "phases": [formula_text(name) for name in history.phases],
        "colours": [colours[name] for name in history.phases],
    }
    voxel_m = None if history.diffusion is None else history.diffusion.voxel_m
    what = f"{size}³ cells. A cell has the colour of its phase, however full it is."
    if voxel_m is not None:
        what = f"{size}³ voxels of {1e9 * voxel_m:.3g} nm. A voxel has the colour of the phase that fills most of it."
    window = f" A window of {width} x {width} cells is shown." if width < size else ""
    figure = fill(
        "grid",
        last_time=chosen.size - 1,
        last_layer=layers.size - 1,
        layer=layers.size // 2,
        fixed=" disabled" if layers.size == 1 else "",
        key=key,
        what=what,
        window=window,
    )
    return figure, [data_block("grid-info", info), data_block("grid", cells.tobytes())]
