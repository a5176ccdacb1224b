"""The flow of atoms from reactants through intermediates to products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from tammann.analysis import ReactionFlow, reaction_flow
from tammann.plot.style import FAINT, INK, formula_label, new_axes, phase_colours, rising

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from tammann.history import History


def plot_reaction_flow(
    flow: ReactionFlow | History, *, stage: int | None = None, smallest: float = 0.01, ax: Axes | None = None
) -> Axes:
    """Draw ribbons from phase to phase, as wide as the atoms that went there, net of reverse reactions.

    The height of a node is the atoms present at the start and those that arrived. The share of all atoms that a phase
    holds at the end stands beside its name.

    Args:
        flow: Of ``tammann.analysis.reaction_flow``, or a run.
        stage: Index of a step of the programme, where a run is given.
        smallest: Ribbons that carry less than this share of the atoms are left out.
        ax: Where to draw; by default a figure of its own.

    Example:
        >>> from tammann.history import History
        >>> ax = plot_reaction_flow(History.example())
    """
    flow = flow if isinstance(flow, ReactionFlow) else reaction_flow(flow, stage)
    ax = ax or new_axes(6.8, 3.8)
    ax.set_axis_off()
    total = float(flow.nodes["atoms_start_mol"].sum())
    links = flow.links[flow.links["atoms_mol"] >= smallest * total]
    if total <= 0 or links.empty:
        ax.text(0.5, 0.5, "nothing has reacted", ha="center", va="center", color=FAINT, transform=ax.transAxes)
        return ax
    nodes = flow.nodes.set_index("name")
    linked = nodes.index.isin({*links["source"], *links["target"]})
    nodes = nodes[linked | (nodes["atoms_start_mol"] > smallest * total)]
    column = flow_columns(nodes, links)
    height = ((nodes["atoms_start_mol"] + nodes["atoms_in_mol"]) / total).to_dict()
    bottom = stack_nodes(nodes.index.tolist(), column, height, links, 0.09)
    colours = phase_colours(flow.species)
    last = max(column.values())
    wide = 0.03 * max(last, 1)

    for source, target, thick, starts, arrives in _ribbons(nodes, links, total, bottom, height):
        start, end = (column[source] + wide, starts), (column[target], arrives)
        _ribbon(ax, start, end, thick, colours[source], colours[target])
    _draw_nodes(ax, nodes, total, column, bottom, height, wide, colours)
    ax.set_xlim(-0.2 * max(last, 1), last + 0.26 * max(last, 1))
    ax.set_ylim(min(bottom.values()) - 0.03, max(bottom[name] + height[name] for name in nodes.index) + 0.06)
    title = "flow of atoms, net of back and forth; figures are shares of all atoms at the end"
    ax.set_title(title, fontsize=9, color="#555555", loc="left")
    return ax


def _ribbons(
    nodes: pd.DataFrame, links: pd.DataFrame, total: float, bottom: Mapping[str, float], height: Mapping[str, float]
) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield source, target, thickness and lower edges of each ribbon, in an order with as few crossings as possible."""
    edges: dict[tuple[str, int], float] = {}
    for side, other in (("source", "target"), ("target", "source")):
        for name in nodes.index:
            edge = bottom[name] + height[name]
            own = links[links[side] == name]
            for k in sorted(own.index, key=lambda k: -bottom[links.at[k, other]]):
                edge -= links.at[k, "atoms_mol"] / total
                edges[side, k] = edge
    for k in [k for side, k in edges if side == "target"]:
        source, target, atoms = links.loc[k]
        yield source, target, atoms / total, edges["source", k], edges["target", k]


def _draw_nodes(
    ax: Axes,
    nodes: pd.DataFrame,
    total: float,
    column: Mapping[str, int],
    bottom: Mapping[str, float],
    height: Mapping[str, float],
    wide: float,
    colours: Mapping[str, str],
) -> None:
    """Draw a bar for each node, with its name and the share of the atoms that it holds at the end."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    last = max(column.values())
    for name in nodes.index:
        corner = (column[name], bottom[name])
        ax.add_patch(Rectangle(corner, wide, height[name], facecolor=colours[name], linewidth=0, zorder=3))
        percent = 100 * float(nodes.at[name, "atoms_end_mol"]) / total
        share = "gas" if nodes.at[name, "role"] == "gas" else f"{percent:.0f} %"
        if 0 < column[name] < last:
            halo = [Stroke(linewidth=2.2, foreground="white", alpha=0.75), Normal()]
            text = f"{formula_label(name)}  {share}"
            x, y = column[name] + wide / 2, bottom[name] + height[name] + 0.008
            ax.text(x, y, text, va="bottom", ha="center", fontsize=8.5, color=INK, zorder=4, path_effects=halo)
            continue
        x = column[name] + 1.6 * wide if column[name] else column[name] - 0.6 * wide
        side: Literal["left", "right"] = "left" if column[name] else "right"
        text = f"{formula_label(name)}\n{share}"
        y = bottom[name] + height[name] / 2
        ax.text(x, y, text, va="center", ha=side, fontsize=9.5, color=INK, zorder=4, linespacing=1.35)


def flow_columns(nodes: pd.DataFrame, links: pd.DataFrame) -> dict[str, int]:
    """Return the column of each node: its longest path from a node without a source; final nodes go to the last."""
    column = {str(name): 0 for name in nodes.index}
    for _ in range(len(column)):  # there are no circles, so this many rounds reach every end
        for source, target in zip(links["source"], links["target"], strict=True):
            column[target] = max(column[target], column[source] + 1)
    last = max(column.values())
    sources = set(links["source"])
    return {name: last if name not in sources and value > 0 else value for name, value in column.items()}


def stack_nodes(
    names: list[str], column: dict[str, int], height: dict[str, float], links: pd.DataFrame, gap: float
) -> dict[str, float]:
    """Return the bottom of each node: as near as possible to its sources, no two of a column closer than ``gap``."""
    bottom: dict[str, float] = {}
    for c in range(max(column.values()) + 1):
        here = [name for name in names if column[name] == c]
        middle = {}
        for k, name in enumerate(here):
            own = links[links["target"] == name]
            middles = [bottom[source] + height[source] / 2 for source in own["source"]]
            middle[name] = float(np.average(middles, weights=own["atoms_mol"])) if middles else -float(k)
        here.sort(key=lambda name: middle[name])
        # With heights and gaps subtracted, what is left is to keep points in their order.
        under = np.cumsum([0.0, *(height[name] + gap for name in here)])[:-1]
        wanted = np.array([middle[name] - height[name] / 2 for name in here]) - under
        if c == 0:
            wanted = np.full(len(here), -(under[-1] + height[here[-1]]) / 2)
        for name, place, below in zip(here, rising(wanted), under, strict=True):
            bottom[name] = float(place + below)
    return bottom


def _ribbon(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], thick: float, first: str, second: str
) -> None:
    """Draw a smooth band from one side to the other that fades from one colour to the other."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Polygon

    steps = np.linspace(0, 1, 101)
    x = start[0] + (end[0] - start[0]) * steps
    y = start[1] + (end[1] - start[1]) * steps * steps * (3 - 2 * steps)
    outline = np.concatenate([np.column_stack([x, y]), np.column_stack([x, y + thick])[::-1]])
    shape = ax.add_patch(Polygon(outline, closed=True, facecolor="none", linewidth=0))
    # One fading image, clipped to the ribbon: strips side by side would show their seams.
    fading = np.linspace((*to_rgb(first), 0.4), (*to_rgb(second), 0.4), 256)[None]
    extent = (start[0], end[0], outline[:, 1].min(), outline[:, 1].max())
    ax.imshow(fading, extent=extent, aspect="auto", interpolation="bilinear", zorder=1, clip_path=shape, clip_on=True)
