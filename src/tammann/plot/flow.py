"""The flow of atoms from reactants through intermediates to products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
    nodes = nodes.assign(column=column, bottom=bottom, height=height, colour=phase_colours(flow.species))
    last = max(column.values())
    wide = 0.03 * max(last, 1)

    for source, target, thick, starts, arrives in _ribbons(nodes, links, total):
        start, end = (column[source] + wide, starts), (column[target], arrives)
        _ribbon(ax, start, end, thick, nodes.at[source, "colour"], nodes.at[target, "colour"])
    _draw_nodes(ax, nodes, total, wide)
    ax.set_xlim(-0.2 * max(last, 1), last + 0.26 * max(last, 1))
    ax.set_ylim(nodes["bottom"].min() - 0.03, (nodes["bottom"] + nodes["height"]).max() + 0.06)
    title = "flow of atoms, net of back and forth; figures are shares of all atoms at the end"
    ax.set_title(title, fontsize=9, color="#555555", loc="left")
    return ax


def _ribbons(nodes: pd.DataFrame, links: pd.DataFrame, total: float) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield source, target, thickness and lower edges of each ribbon, in an order with as few crossings as possible."""
    edges: dict[tuple[str, int], float] = {}
    for side, other in (("source", "target"), ("target", "source")):
        for name in nodes.index:
            edge = nodes.at[name, "bottom"] + nodes.at[name, "height"]
            own = links[links[side] == name]
            for k in sorted(own.index, key=lambda k: -nodes.at[links.at[k, other], "bottom"]):
                edge -= links.at[k, "atoms_mol"] / total
                edges[side, k] = edge
    for k in [k for side, k in edges if side == "target"]:
        source, target, atoms = links.loc[k]
        yield source, target, atoms / total, edges["source", k], edges["target", k]


def _draw_nodes(ax: Axes, nodes: pd.DataFrame, total: float, wide: float) -> None:
    """Draw a bar for each node, with its name and the share of the atoms that it holds at the end."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    last = nodes["column"].max()
    for name, node in nodes.iterrows():
        left, bottom, height = node["column"], node["bottom"], node["height"]
        ax.add_patch(Rectangle((left, bottom), wide, height, facecolor=node["colour"], linewidth=0, zorder=3))
        share = "gas" if node["role"] == "gas" else f"{100 * node['atoms_end_mol'] / total:.0f} %"
        label = formula_label(str(name))
        if 0 < left < last:
            halo = [Stroke(linewidth=2.2, foreground="white", alpha=0.75), Normal()]
            style: dict[str, Any] = {"va": "bottom", "ha": "center", "fontsize": 8.5, "path_effects": halo}
            ax.text(left + wide / 2, bottom + height + 0.008, f"{label}  {share}", color=INK, zorder=4, **style)
            continue
        x = left + 1.6 * wide if left else left - 0.6 * wide
        style = {"va": "center", "ha": "left" if left else "right", "fontsize": 9.5, "linespacing": 1.35}
        ax.text(x, bottom + height / 2, f"{label}\n{share}", color=INK, zorder=4, **style)


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
