"""Slices through the grid of the first realization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import ResultError
from tammann.plot.layers import length_unit
from tammann.plot.style import FAINT, INK, formula_label, moment_text, new_axes, phase_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History


def plot_slices(
    history: History, *, snapshots: Sequence[int] | None = None, depth: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw one layer of cells or voxels at several times, every phase in its colour, empty cells white.

    A powder of grains has real product layers here, and a bar that says how long a part of the slice is.

    Args:
        history: The run; its snapshots are of the first realization.
        snapshots: Which, by index; by default up to four, spread evenly from first to last.
        depth: Index of the layer along the first axis of the grid; by default the middle.
        ax: Where to draw; by default a figure of its own. It holds one child Axes a snapshot.

    Raises:
        ResultError: The run recorded no snapshot, or none with that index.

    Example:
        >>> from tammann.history import History
        >>> len(plot_slices(History.example()).child_axes)
        4
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    recorded, frames = grid_snapshots(history)
    if not len(recorded):
        raise ResultError("this run recorded no snapshots of the grid; there is no slice to draw")
    count = len(recorded)
    chosen = list(snapshots) if snapshots is not None else sorted({round(k) for k in np.linspace(0, count - 1, 4)})
    if not all(-count <= k < count for k in chosen):
        raise ResultError(f"snapshots {chosen} are not all there; this run has {count}")
    depth = recorded.shape[1] // 2 if depth is None else depth
    layers = [recorded[k][depth] for k in chosen]
    ax = ax or new_axes(2.05 * len(chosen), 2.52)
    ax.set_axis_off()
    colours = phase_colours(history.phases)
    palette = ListedColormap(["white", *(colours[name] for name in history.phases)])
    step = 1.0 / len(chosen)
    for column, (k, layer) in enumerate(zip(chosen, layers, strict=True)):
        panel = ax.inset_axes((column * step + 0.015 * step, 0.0, 0.97 * step, 1.0))
        panel.imshow(layer, cmap=palette, vmin=0, vmax=len(history.phases), interpolation="nearest")
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_color(FAINT)
        panel.set_title(moment_text(history, int(frames[k])), fontsize=9, color=INK)
    if history.diffusion is not None and history.diffusion.voxel_m is not None:
        _bar(ax.child_axes[0], history.diffusion.voxel_m, layers[0].shape[0])
    present = np.unique(np.concatenate([layer.ravel() for layer in layers]))
    patches = [
        Patch(facecolor=colours[name], label=formula_label(name))
        for code, name in enumerate(history.phases, start=1)
        if code in present
    ]
    if 0 in present:
        patches.append(Patch(facecolor="white", edgecolor=FAINT, linewidth=0.6, label="empty"))
    place: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": min(len(patches), 2 * len(chosen))}
    spacing: Any = {"handlelength": 0.9, "handleheight": 0.9, "handletextpad": 0.45, "columnspacing": 1.3}
    ax.legend(handles=patches, frameon=False, fontsize=9, **place, **spacing)
    return ax


def grid_snapshots(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Return the snapshots of a lattice or of a cube of voxels, (S, D, N, N), and their frames, (S,), if any."""
    lattice, diffusion = history.lattice, history.diffusion
    if lattice is not None:
        return lattice.snapshots, lattice.snapshot_frame
    if diffusion is not None and diffusion.snapshots is not None and diffusion.snapshot_frame is not None:
        return diffusion.snapshots, diffusion.snapshot_frame
    return np.zeros((0, 1, 1, 1), np.uint8), np.zeros(0, int)


def _bar(panel: Any, voxel_m: float, cells: int) -> None:
    """Draw a bar of a round length, about a quarter of the slice."""
    unit, factor = length_unit(voxel_m * cells)
    wanted = 0.25 * voxel_m * cells * factor
    power = 10.0 ** np.floor(np.log10(wanted))
    length = power * max(m for m in (1.0, 2.0, 5.0) if m * power <= wanted * (1 + 1e-9))
    across = length / factor / voxel_m
    left, low = 0.05 * cells - 0.5, 0.94 * cells - 0.5
    panel.plot([left, left + across], [low, low], color="white", linewidth=4.5, solid_capstyle="butt")
    panel.plot([left, left + across], [low, low], color=INK, linewidth=2.5, solid_capstyle="butt")
    text = panel.text(left + across / 2, low - 0.025 * cells, f"{length:g} {unit}", ha="center", fontsize=8, color=INK)
    text.set_bbox({"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0})
