"""Gibbs energies of reactions against temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, PALETTE, formula_label, label_ends, new_axes, tidy
from tammann.reactions import reaction_energy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.reactions import Reaction, Reactions


def plot_reaction_energies(
    reactions: Reactions,
    *,
    temperatures_K: Sequence[float] | None = None,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the Gibbs energy of each reaction (meV per atom of the reaction) against temperature (K).

    Args:
        reactions: The reactions, 16 at most.
        temperatures_K: Where to draw, all temperatures of the energies if None.
        energies: Name of an energy set, the default set if None.
        partial_pressure_Pa: Gas to Pa; a gas that is not in it stands at 1 bar.
        ax: Where to draw, a figure of its own if None.

    Raises:
        DataError: There is no reaction, or there are more than a figure tells apart.

    Example:
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.thermo import load_phases
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
        >>> plot_reaction_energies(reactions[:3]).get_xlabel()
        'temperature (K)'
    """
    if not 1 <= len(reactions) <= len(PALETTE):
        raise DataError(f"reactions: expected 1 to {len(PALETTE)} for one figure, got {len(reactions)}.")
    known = reactions.phases.energy_set(energies)
    T = known.temperature_K if temperatures_K is None else np.asarray(temperatures_K, dtype=float)
    energy = 1000.0 * reaction_energy(reactions, T, energies=energies, partial_pressure_Pa=partial_pressure_Pa)
    own = ax is None
    ax = ax or new_axes(7.6, 0.9 + max(2.8, 0.3 * len(reactions)))
    low, high = min(0.0, float(np.nanmin(energy))), max(0.0, float(np.nanmax(energy)))
    margin = 0.05 * (high - low) + 1e-9
    if low < 0.0 < high or -low < 2.0 * float(np.ptp(energy[np.isfinite(energy)])):
        ax.axhline(0.0, color=FAINT, linewidth=0.8)
        ax.set_ylim(low - margin, high + margin)
    for k, (line, colour) in enumerate(zip(energy.T, PALETTE, strict=False)):
        ax.plot(T, line, linewidth=1.6, color=colour, linestyle=("-", (0, (5, 1.5)))[k % 2])
    ax.set_xlim(T[0], T[-1])
    ax.set_xlabel("temperature (K)")
    ax.set_ylabel("Gibbs energy of reaction (meV/atom)")
    gas = ", ".join(
        f"{formula_label(name)} at {pressure:.3g} Pa" for name, pressure in (partial_pressure_Pa or {}).items()
    )
    ax.set_title(f"energies: {known.name}" + (f"; {gas}" if gas else ""), loc="left", fontsize=8.5, color=INK)
    tidy(ax)
    ends = [(line[-1], equation_label(r), c) for line, r, c in zip(energy.T, reactions, PALETTE, strict=False)]
    label_ends(ax, ends, own)
    return ax


def equation_label(reaction: Reaction) -> str:
    r"""Return a reaction with subscripts and an arrow, as matplotlib's mathtext.

    Example:
        >>> from tammann.reactions import Reaction
        >>> equation_label(Reaction((("BaO", 2), ("TiO2", 1)), (("Ba2TiO4", 1),)))
        '2 $\\mathregular{BaO}$ + $\\mathregular{TiO_{2}}$ → $\\mathregular{Ba_{2}TiO_{4}}$'
    """
    return " → ".join(
        " + ".join(f"{'' if n == 1 else f'{n} '}{formula_label(formula)}" for formula, n in side)
        for side in (reaction.reactants, reaction.products)
    )
