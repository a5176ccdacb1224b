"""What a data set covers: compositions, densities, closest contacts, environments of atoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.environments import map_environments, neighbour_densities
from tammann.composition import conventional_formula, parse_formula
from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, formula_label, species_colours, tidy
from tammann.structures.contacts import closest_contacts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tammann.potentials.dataset import DataSet

MOST_ENVIRONMENTS = 6000
"""Points of the map; of more atoms every n-th is drawn."""
KIND_COLOURS = ("#0072B2", "#CC79A7", "#882255", "#B8860B", "#555555", "#44AA99")
"""Of kinds of configuration; none of them is that of a common element."""
SPREAD = 0.28
"""Half of the height in a row over which points are spread."""


def plot_coverage(dataset: DataSet, *, features: np.ndarray | None = None) -> Figure:
    """Draw compositions, densities, closest contacts and a map of environments of a data set, in four panels.

    Args:
        dataset: Its frames need no labels.
        features: Shape (atoms of all frames, d): what to map in place of the densities of neighbours, such as the
            values of the basis of a potential.

    Raises:
        DataError: No frames, or features of another number of atoms.

    Example:
        >>> from tammann.potentials.dataset import DataSet, Frame
        >>> from tammann.structures import Configuration
        >>> cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> figure = plot_coverage(DataSet((Frame(cell), Frame(cell.at_volume(200.0)))))
        >>> [ax.get_xlabel() for ax in figure.axes][:2]
        ['frames', 'density (g/cm³)']
    """
    from matplotlib.figure import Figure

    if not len(dataset):
        raise DataError("dataset: expected frames to draw, got none.")
    formulas = _by_metal(dataset)
    pairs = len(dataset.elements) * (len(dataset.elements) + 1) / 2
    height = 1.6 + 0.32 * max(len(formulas), 3) + 0.32 * max(pairs, 6)
    figure = Figure(figsize=(7.4, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    panels = figure.subplots(2, 2, height_ratios=(max(len(formulas), 3) + 1.5, max(pairs, 6) + 1.5))
    plot_compositions(dataset, ax=panels[0, 0])
    plot_densities(dataset, ax=panels[0, 1])
    plot_contacts(dataset, ax=panels[1, 0])
    plot_environments(dataset, features=features, ax=panels[1, 1])
    panels[0, 1].set_yticklabels([])
    for letter, ax in zip("abcd", panels.flat, strict=True):
        ax.set_title(letter, loc="left", fontsize=11, fontweight="bold", color=INK)
    return figure


def plot_compositions(dataset: DataSet, *, ax: Axes) -> Axes:
    """Draw the number of frames of each composition, by kind of configuration."""
    formulas, kinds = _by_metal(dataset), _kinds(dataset)
    left = np.zeros(len(formulas))
    for kind, colour in kinds.items():
        number = [sum(f.formula == name and f.config_type == kind for f in dataset) for name in formulas]
        ax.barh(range(len(formulas)), number, left=left, height=0.62, color=colour, label=kind, linewidth=0)
        left += number
    for row, total in enumerate(left):
        ax.annotate(f"{total:.0f}", (total, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8,
                    color=INK)  # fmt: skip
    _rows(ax, [formula_label(name) for name in formulas])
    ax.set_xlim(0, 1.14 * left.max())
    ax.set_xlabel("frames")
    if len(kinds) > 1:
        ax.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderpad=0,
                  columnspacing=0.9, handlelength=0.9, handletextpad=0.4)  # fmt: skip
    return ax


def plot_densities(dataset: DataSet, *, ax: Axes) -> Axes:
    """Draw the density of each frame, by composition and kind of configuration."""
    formulas, kinds = _by_metal(dataset), _kinds(dataset)
    row = {name: n for n, name in enumerate(formulas)}
    rng = np.random.default_rng(0)
    for kind, colour in kinds.items():
        frames = [frame for frame in dataset if frame.config_type == kind]
        y = [row[frame.formula] + rng.uniform(-SPREAD, SPREAD) for frame in frames]
        _dots(ax, [frame.density_g_per_cm3 for frame in frames], y, colour, len(dataset))
    _rows(ax, [formula_label(name) for name in formulas])
    ax.set_xlabel("density (g/cm³)")
    return ax


def plot_contacts(dataset: DataSet, *, ax: Axes) -> Axes:
    """Draw the closest contact of each pair of elements in each frame; the number is the closest of all."""
    kinds = _kinds(dataset)
    found = [(frame.config_type, closest_contacts(frame.configuration)) for frame in dataset]
    pairs = sorted({pair for _, contacts in found for pair in contacts}, reverse=True)
    rng = np.random.default_rng(0)
    farthest = max(distance for _, contacts in found for distance in contacts.values())
    for number, pair in enumerate(pairs):
        distances = [contacts[pair] for _, contacts in found if pair in contacts]
        for kind, colour in kinds.items():
            own = [contacts[pair] for name, contacts in found if name == kind and pair in contacts]
            _dots(ax, own, number + rng.uniform(-SPREAD, SPREAD, len(own)), colour, len(dataset))
        ax.plot([min(distances)] * 2, [number - 0.4, number + 0.4], color=INK, linewidth=1.2)
        ax.annotate(f"{min(distances):.2f}", (min(distances), number), xytext=(-4, 0), textcoords="offset points",
                    ha="right", va="center", fontsize=8, color=INK)  # fmt: skip
    metals_first = list(parse_formula(conventional_formula(dict.fromkeys(dataset.elements, 1))))
    _rows(ax, ["–".join(sorted(pair, key=metals_first.index)) for pair in pairs])
    ax.set_xlim(min(d for _, contacts in found for d in contacts.values()) - 0.1 * farthest, 1.03 * farthest)
    ax.set_xlabel("closest contact in a frame (Å)")
    return ax


def plot_environments(dataset: DataSet, *, features: np.ndarray | None = None, ax: Axes) -> Axes:
    """Draw a map of the environments of all atoms: the two directions in which they differ most.

    Args:
        dataset: Its frames.
        features: Shape (atoms of all frames, d); densities of neighbours by element and distance where None.
        ax: Axes.

    Raises:
        DataError: Features of another number of atoms.
    """
    if features is None:
        elements = dataset.elements
        features = np.vstack([neighbour_densities(frame.configuration, elements) for frame in dataset])
    elif len(features) != dataset.n_atoms:
        raise DataError(f"features: expected a row for each of {dataset.n_atoms} atoms, got {len(features)}.")
    points, shares = map_environments(features)
    symbols = np.array([symbol for frame in dataset for symbol in frame.configuration.symbols])
    drawn = np.arange(0, len(points), -(-len(points) // MOST_ENVIRONMENTS))
    drawn = np.random.default_rng(0).permutation(drawn)  # so that no element covers another
    colours = species_colours(dataset.elements)
    own = [colours[symbol] for symbol in symbols[drawn]]
    ax.scatter(
        points[drawn, 0], points[drawn, 1], c=own, s=_size(len(drawn)), alpha=0.65, linewidths=0, rasterized=True
    )
    tidy(ax, grid=None)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.margins(0.06)
    ax.set_xlabel(f"environments, first component ({100 * shares[0]:.0f} %)")
    ax.set_ylabel(f"second component ({100 * shares[1]:.0f} %)")
    for element in dataset.elements:
        ax.scatter([], [], color=colours[element], s=24, label=element)
    ax.legend(frameon=False, fontsize=8.5, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(dataset.elements),
              borderpad=0, columnspacing=0.8, handletextpad=0.1)  # fmt: skip
    return ax


def _kinds(dataset: DataSet) -> dict[str, str]:
    """Return a colour for each kind of configuration."""
    kinds = sorted({frame.config_type for frame in dataset})
    return {kind: KIND_COLOURS[number % len(KIND_COLOURS)] for number, kind in enumerate(kinds)}


def _by_metal(dataset: DataSet) -> list[str]:
    """Return the formulas, by the share of the first element."""
    shares = {f.formula: f.configuration.symbols.count(dataset.elements[0]) / f.n_atoms for f in dataset}
    return sorted(shares, key=lambda formula: (shares[formula], formula))


def _size(number: int) -> float:
    return float(np.clip(2000.0 / number, 4.0, 16.0))


def _dots(ax: Axes, x: Sequence[float], y: Sequence[float] | np.ndarray, colour: str, number: int) -> None:
    ax.scatter(x, y, color=colour, s=_size(number), alpha=0.65, linewidths=0, rasterized=number > 2000)


def _rows(ax: Axes, names: Sequence[str]) -> None:
    """Name the rows from the bottom up, with a faint line under each."""
    tidy(ax, grid="x")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.label.set_color(INK)
    ax.spines["bottom"].set_color(FAINT)
