"""Local structure: partial g(r), running coordination, histograms, bond lengths, angles, joints of polyhedra, rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, PALETTE, legend_above, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.characterization.angles import AngleDistribution
    from tammann.characterization.coordination import CoordinationShell
    from tammann.characterization.polyhedra import Connectivity
    from tammann.characterization.rdf import PairDistribution
    from tammann.characterization.rings import RingStatistics

SEVERAL_IN = (5.2, 3.4)
JOINT_COLOURS = {"corner": "#0072B2", "edge": "#E69F00", "face": "#882255"}


def plot_partials(
    distributions: Mapping[str, PairDistribution],
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    cutoff_A: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw partial g(r) one above the other, each of several structures in a colour.

    Sharp peaks of a crystal, which would hide all others, are cut off at the top of their row.

    Args:
        distributions: By name of the structure.
        pairs: Pairs of elements, from the bottom up; all of the first structure where None.
        cutoff_A: End of the axis, Å.
        ax: Axes; a new figure where None.

    Raises:
        DataError: No structure, or one without a pair.

    Example:
        >>> from tammann.characterization import pair_distribution
        >>> from tammann.structures.crystals import load_crystal
        >>> found = pair_distribution(load_crystal("BaTiO3-cubic"), cutoff_A=8.0)
        >>> plot_partials({"crystal": found}).get_xlabel()
        'r (Å)'
    """
    if not distributions:
        raise DataError("distributions: expected one structure or more, got none.")
    pairs = next(iter(distributions.values())).pairs if pairs is None else tuple(pairs)
    ax = ax or new_axes(SEVERAL_IN[0], max(3.0, 1.0 + 0.75 * len(pairs)))
    end = cutoff_A or max(float(one.r_A[-1]) for one in distributions.values())
    tops = [
        min(max(float(one.g(*pair)[one.r_A <= end].max(initial=0.0)) for one in distributions.values()), 8.0)
        for pair in pairs
    ]
    step = 1.12 * max(max(tops), 2.0)
    for row, (pair, top) in enumerate(zip(pairs, tops, strict=True)):
        base = row * step
        ax.axhline(base + 1.0, color=FAINT, linewidth=0.6, linestyle=(0, (2, 3)), zorder=0)
        ax.axhline(base, color=FAINT, linewidth=0.6, zorder=0)
        for k, (name, one) in enumerate(distributions.items()):
            ax.plot(one.r_A, base + np.minimum(one.g(*pair), top), color=PALETTE[k % len(PALETTE)], linewidth=1.2,
                    label=name if row == 0 else None)  # fmt: skip
        ax.annotate(
            "-".join(pair), (0.01, base + 0.3 * step), xycoords=("axes fraction", "data"), color=INK, fontsize=9
        )
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, step * len(pairs))
    ax.set_yticks([row * step + 1.0 for row in range(len(pairs))], ["1"] * len(pairs))
    ax.set_xlabel("r (Å)")
    ax.set_ylabel("g(r)")
    tidy(ax, grid=None)
    if len(distributions) > 1:
        legend_above(ax, ax.get_legend_handles_labels()[0], ncols=min(4, len(distributions)))
    return ax


def plot_running_coordination(
    distributions: Mapping[str, PairDistribution],
    centre: str,
    neighbour: str,
    *,
    cutoff_A: float = 6.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the number of neighbours within a distance against that distance.

    Args:
        distributions: By name of the structure.
        centre: Element in the middle.
        neighbour: Element around it.
        cutoff_A: End of the axis, Å.
        ax: Axes; a new figure where None.

    Raises:
        DataError: An element that a structure does not have.
    """
    ax = ax or new_axes(*SEVERAL_IN)
    highest = 1.0
    for k, (name, one) in enumerate(distributions.items()):
        r, n = one.r_A + 0.5 * one.bin_A, one.running(centre, neighbour)
        ax.plot(r, n, color=PALETTE[k % len(PALETTE)], linewidth=1.3, label=name)
        highest = max(highest, float(n[r <= cutoff_A].max(initial=0.0)))
    ax.set_xlim(0.0, cutoff_A)
    ax.set_ylim(0.0, 1.05 * highest)
    ax.set_xlabel("r (Å)")
    ax.set_ylabel(f"{neighbour} within r of {centre}")
    tidy(ax, grid="both")
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=min(4, len(distributions)))
    return ax


def plot_coordination(shells: Mapping[str, CoordinationShell], *, ax: Axes | None = None) -> Axes:
    """Draw histograms of coordination numbers side by side.

    Args:
        shells: By name of the structure, or of the centre.
        ax: Axes; a new figure where None.

    Raises:
        DataError: None.
    """
    if not shells:
        raise DataError("shells: expected one or more, got none.")
    ax = ax or new_axes(*SEVERAL_IN)
    width = 0.8 / len(shells)
    for k, (name, shell) in enumerate(shells.items()):
        numbers = np.array(list(shell.fractions))
        ax.bar(numbers + (k - 0.5 * (len(shells) - 1)) * width, 100.0 * np.array(list(shell.fractions.values())), width,
               color=PALETTE[k % len(PALETTE)], label=f"{name}, mean {shell.mean:.2f}")  # fmt: skip
    every = sorted({n for shell in shells.values() for n in shell.fractions})
    ax.set_xticks(range(every[0], every[-1] + 1))
    ax.set_xlim(every[0] - 1.0, every[-1] + 1.0)
    kinds = {(shell.centre, shell.neighbour) for shell in shells.values()}
    one = next(iter(shells.values()))
    label = f"{one.neighbour} within {one.cutoff_A:.3g} Å of {one.centre}" if len(kinds) == 1 else "coordination number"
    ax.set_xlabel(label)
    ax.set_ylabel("atoms (%)")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=min(2, len(shells)))
    return ax


def plot_bond_lengths(shell: CoordinationShell, *, ax: Axes | None = None) -> Axes:
    """Draw the distribution of mean bond lengths of atoms of each coordination number, and its mean.

    Args:
        shell: Neighbours of one element around another.
        ax: Axes; a new figure where None.

    Raises:
        DataError: No bond.
    """
    lengths = shell.bond_lengths_A
    if not lengths:
        raise DataError(
            f"shell: expected {shell.centre}-{shell.neighbour} bonds, got none within {shell.cutoff_A:g} Å."
        )
    ax = ax or new_axes(*SEVERAL_IN)
    for n, mean in lengths.items():
        own = shell.lengths_A[shell.numbers == n]
        spread = float(own.std())
        ax.errorbar(n, mean, spread, fmt="o", color=PALETTE[0], markersize=4.0 + 10.0 * shell.fractions[n] ** 0.5,
                    markeredgecolor="white", elinewidth=1.2, capsize=3)  # fmt: skip
        ax.annotate(f"{mean:.3f}", (n, mean), xytext=(9, 4), textcoords="offset points", fontsize=8.5, color=INK)
    ax.axhline(shell.mean_bond_length_A, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    ax.set_xticks(list(lengths))
    ax.margins(x=0.15, y=0.15)
    ax.set_xlabel(f"{shell.neighbour} within {shell.cutoff_A:.3g} Å of {shell.centre}")
    ax.set_ylabel(f"mean {shell.centre}-{shell.neighbour} bond (Å)")
    tidy(ax)
    return ax


def plot_bond_angles(distributions: Mapping[str, AngleDistribution], *, ax: Axes | None = None) -> Axes:
    """Draw distributions of bond angles.

    Args:
        distributions: By name of the structure, or of the triplet.
        ax: Axes; a new figure where None.

    Raises:
        DataError: None, or one without an angle.
    """
    if not distributions or not all(one.n_angles for one in distributions.values()):
        raise DataError("distributions: expected angles, got none; take longer cutoffs_A.")
    ax = ax or new_axes(*SEVERAL_IN)
    for k, (name, one) in enumerate(distributions.items()):
        ax.plot(one.angle_deg, 100.0 * one.density, color=PALETTE[k % len(PALETTE)], linewidth=1.3, label=name)
        ax.fill_between(one.angle_deg, 0.0, 100.0 * one.density, color=PALETTE[k % len(PALETTE)], alpha=0.12, lw=0)
    triplets = {one.triplet for one in distributions.values()}
    ax.set_xlim(0.0, 180.0)
    ax.set_ylim(bottom=0.0)
    ax.set_xticks(range(0, 181, 30))
    ax.set_xlabel(f"{'-'.join(next(iter(triplets)))} angle (°)" if len(triplets) == 1 else "bond angle (°)")
    ax.set_ylabel("angles (% per degree)")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=min(3, len(distributions)))
    return ax


def plot_connectivity(connectivities: Mapping[str, Connectivity], *, ax: Axes | None = None) -> Axes:
    """Draw how many polyhedra are joined to one by corners, edges and faces, one bar a structure.

    Args:
        connectivities: By name of the structure.
        ax: Axes; a new figure where None.

    Raises:
        DataError: None.
    """
    if not connectivities:
        raise DataError("connectivities: expected one structure or more, got none.")
    ax = ax or new_axes(SEVERAL_IN[0], max(1.7, 1.0 + 0.42 * len(connectivities)))
    names = list(connectivities)
    left = np.zeros(len(names))
    for joint, colour in JOINT_COLOURS.items():
        widths = np.array([one.per_polyhedron[joint] for one in connectivities.values()])
        ax.barh(range(len(names)), widths, 0.6, left=left, color=colour, label=joint)
        left += widths
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    one = next(iter(connectivities.values()))
    ax.set_xlabel(f"polyhedra joined to one {one.centre}-{one.ligand} polyhedron")
    tidy(ax, grid="x")
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=3)
    return ax


def plot_rings(rings: Mapping[str, RingStatistics], *, ax: Axes | None = None) -> Axes:
    """Draw how many rings of each size there are per atom of the network.

    Args:
        rings: By name of the structure.
        ax: Axes; a new figure where None.

    Raises:
        DataError: None, or no ring.
    """
    sizes = sorted({size for one in rings.values() for size in one.rings})
    if not sizes:
        raise DataError("rings: expected rings, got none; seek longer ones.")
    ax = ax or new_axes(*SEVERAL_IN)
    width = 0.8 / len(rings)
    for k, (name, one) in enumerate(rings.items()):
        # atoms without a bond are no part of the network
        atoms = max(1, int((one.bonded).sum()))
        heights = [one.rings.get(size, 0.0) / atoms for size in sizes]
        ax.bar(np.arange(len(sizes)) + (k - 0.5 * (len(rings) - 1)) * width, heights, width,
               color=PALETTE[k % len(PALETTE)], label=name)  # fmt: skip
    ax.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    ax.set_xlim(-1.0, len(sizes))
    ax.set_xlabel("atoms in a ring")
    ax.set_ylabel("rings per atom")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=min(3, len(rings)))
    return ax
