"""Transport through the product layers: growth constants and correlation factors by composition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot._style import ELEMENT_COLOURS, FAINT, INK, atoms_of, formula_label, new_axes, phase_colours, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_correlation_factors", "plot_growth_constants"]


def _by_fraction(formulas: Iterable[str], element: str | None) -> tuple[list[str], str]:
    """Formulas in order of the fraction of an element among those other than oxygen, and that element."""
    names = list(dict.fromkeys(formulas))
    counts = [atoms_of(name) for name in names]
    symbols = sorted({symbol for count in counts for symbol in count} - {"O"})
    element = element or (symbols[0] if symbols else "O")
    fraction = [c.get(element, 0.0) / max(sum(n for s, n in c.items() if s != "O"), 1e-12) for c in counts]
    return [names[k] for k in np.argsort(-np.array(fraction), kind="stable")], element


def plot_growth_constants(constants: pd.DataFrame, *, element: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw K_D (m^2/s, logarithmic) of each product, ordered by composition, one colour per temperature.

    Args:
        constants: columns ``phase``, ``temperature_K`` (K), ``K_D_m2_per_s`` and, if known, ``K_D_low`` and
            ``K_D_high`` (m^2/s), as ``tammann.kinetics.growth_constants`` returns.
        element: the products are ordered by its falling share of the cations; by default the alphabetically first.
        ax: where to draw; by default a figure of its own.

    Raises:
        DataError: if there is no K_D above zero to draw.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"phase": ["BaTiO3", "BaTi2O5"], "K_D_m2_per_s": [1e-8, 2e-8]})
        >>> table["temperature_K"] = 1500.0
        >>> plot_growth_constants(table).get_yscale()
        'log'
    """
    rows = constants[constants["K_D_m2_per_s"] > 0]
    if rows.empty:
        raise DataError("there is no K_D_m2_per_s above zero to draw; give the table of growth_constants")
    ax = new_axes(6.6, 4.0) if ax is None else ax
    names, element = _by_fraction(rows["phase"], element)
    temperatures = sorted(rows["temperature_K"].unique())
    colours = _temperature_colours(len(temperatures))
    for k, temperature in enumerate(temperatures):
        here = rows[rows["temperature_K"] == temperature].set_index("phase")
        there = [name for name in names if name in here.index]
        x = np.array([names.index(name) for name in there])
        y = here.loc[there, "K_D_m2_per_s"].to_numpy(dtype=float)
        ax.plot(x, y, color=colours[k], linewidth=1.0, alpha=0.55, zorder=2)
        if {"K_D_low", "K_D_high"} <= set(here.columns):
            low, high = (here.loc[there, c].to_numpy(dtype=float) for c in ("K_D_low", "K_D_high"))
            wide = np.isfinite(low) & np.isfinite(high) & (high > low) & (low > 0)
            ax.vlines(x[wide], low[wide], high[wide], color=colours[k], linewidth=2.4, alpha=0.5, zorder=2)
        ax.plot(x, y, "osD^v<>p"[k % 8], color=colours[k], markersize=5.5, markeredgecolor="white", zorder=3)
        ax.annotate(
            f"{temperature:g} K",
            xy=(x[-1], y[-1]),
            xytext=(9, 0),
            textcoords="offset points",
            color=colours[k],
            fontsize=9,
            va="center",
            annotation_clip=False,
        )
    ax.set_yscale("log")
    _name_axis(ax, names, element)
    ax.set_ylabel(r"growth constant $K_\mathrm{D}$ (m$^2$/s)")
    return ax


def _temperature_colours(number: int) -> list[Any]:
    from matplotlib import colormaps

    # The dark three quarters of plasma: cold is blue, hot is orange, and each is dark enough on white.
    return [colormaps["plasma"](v) for v in np.linspace(0.0, 0.78, max(number, 2))][:number]


def _name_axis(ax: Axes, names: list[str], element: str) -> None:
    tidy(ax)
    ax.set_xticks(
        range(len(names)), [formula_label(name) for name in names], rotation=45, ha="right", rotation_mode="anchor"
    )
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_xlabel(f"product, {element}-rich to {element}-poor")


def plot_correlation_factors(
    transport: Any, *, temperature_K: float = 1500.0, element: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the correlation factors f_i = L_ii/L_ii^self - 1 of each ion by composition, as grouped bars.

    Zero means that ions move independently of their own kind; -1 that their collective transport is cancelled.

    Args:
        transport: a transport table, or any iterable of entries with ``formula``, ``temperature_K`` (K),
            ``species``, ``L`` (shape (S, S)) and ``L_self`` (shape (S,)), both 1/(J m s).
        temperature_K: K; entries at other temperatures are passed over.
        element: compositions are ordered by its falling share of the cations.
        ax: where to draw; by default a figure of its own.

    Raises:
        DataError: if there is no entry at that temperature.

    Example:
        >>> from types import SimpleNamespace
        >>> entry = SimpleNamespace(formula="BaO", temperature_K=1500.0, species=("Ba", "O"),
        ...                         L=np.array([[0.3, 0.1], [0.1, 0.8]]), L_self=np.array([1.0, 1.0]))
        >>> [round(float(bar.get_height()), 2) for bar in plot_correlation_factors([entry]).patches]
        [-0.7, -0.2]
    """
    entries = list(getattr(transport, "entries", transport))
    here = {e.formula: e for e in entries if abs(e.temperature_K - temperature_K) < 0.5}
    if not here:
        there = ", ".join(f"{t:g}" for t in sorted({e.temperature_K for e in entries}))
        raise DataError(f"temperature_K {temperature_K:g} is not in this transport table; choose one of {there}")
    ax = new_axes(6.6, 3.6) if ax is None else ax
    names, element = _by_fraction(here, element)
    species = list(dict.fromkeys(s for e in here.values() for s in e.species))
    colours = {**phase_colours(species), **ELEMENT_COLOURS}
    width = 0.8 / len(species)
    for k, symbol in enumerate(species):
        own = [(n, here[name]) for n, name in enumerate(names) if symbol in here[name].species]
        factor = []
        for _, entry in own:
            i = list(entry.species).index(symbol)
            factor.append(float(entry.L[i][i]) / float(entry.L_self[i]) - 1)
        x = np.array([n for n, _ in own]) + (k - (len(species) - 1) / 2) * width
        ax.bar(x, factor, width * 0.9, color=colours[symbol], label=symbol)
    ax.axhline(0, color=INK, linewidth=0.9)
    _name_axis(ax, names, element)
    ax.set_ylabel(r"correlation factor $f_i = L_{ii}/L_{ii}^\mathrm{self} - 1$")
    ax.legend(frameon=False, fontsize=9, ncols=len(species), loc="upper left", handlelength=0.9, handletextpad=0.4)
    ax.set_title(f"{temperature_K:g} K", loc="right", fontsize=9, color=FAINT)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + 0.15 * (top - bottom))  # room for the legend
    return ax
