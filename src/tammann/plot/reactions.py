"""Gibbs energies of reactions against temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.plot._style import FAINT, INK, new_axes, tidy
from tammann.reactions import reaction_energy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.reactions import Reactions

__all__ = ["plot_reaction_energies"]


def plot_reaction_energies(
    reactions: Reactions,
    *,
    choose: Sequence[int] | None = None,
    temperatures_K: Sequence[float] | None = None,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the Gibbs energy of each reaction (meV per atom of the reaction) against temperature (K).

    Args:
        reactions: the reactions.
        choose: positions of those to draw, in the order of the legend; all of them where nothing is given.
        temperatures_K: where to draw; 300 to 2000 K where nothing is given.
        energies: name of an energy set; the default of the phases where nothing is given.
        partial_pressure_Pa: gas to Pa; 1 bar for a gas that is not in it.
        ax: where to draw; a figure of its own where nothing is given.

    Returns:
        The axes.

    Example:
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.thermo import load_phases
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
        >>> len(plot_reaction_energies(reactions, choose=[0, 1, 2]).lines)
        4
    """
    chosen = range(len(reactions)) if choose is None else choose
    T = np.linspace(300.0, 2000.0, 69) if temperatures_K is None else np.asarray(temperatures_K, dtype=float)
    energy = 1000.0 * reaction_energy(reactions, T, energies=energies, partial_pressure_Pa=partial_pressure_Pa)
    ax = new_axes(7.0, 4.6) if ax is None else ax
    ax.axhline(0.0, color=FAINT, linewidth=0.8)
    for k in chosen:
        ax.plot(T, energy[:, k], linewidth=1.3, label=reactions[int(k)].equation)
    ax.set_xlim(T[0], T[-1])
    ax.set_xlabel("temperature (K)")
    ax.set_ylabel("Gibbs energy of reaction (meV/atom)")
    ax.legend(frameon=False, fontsize=7, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    tidy(ax)
    return ax
