"""Transport: as measured from trajectories, and through the product layers by composition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot._style import (
    ELEMENT_COLOURS,
    FAINT,
    INK,
    atoms_of,
    formula_label,
    new_axes,
    phase_colours,
    spread_out,
    tidy,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tammann.transport.activation import ArrheniusFit
    from tammann.transport.correlations import Correlations
    from tammann.transport.measure import OnsagerMeasurement
    from tammann.transport.onsager import OnsagerCoefficients
    from tammann.transport.viscosity import Viscosity

__all__ = [
    "plot_arrhenius",
    "plot_correlation_factors",
    "plot_correlations",
    "plot_growth_constants",
    "plot_log_log_slope",
    "plot_onsager_matrix",
    "plot_running_viscosity",
    "transport_figure",
]

SHADE = "#EDE7D9"
"""Behind the regime of a fit."""

_PAIR_COLOURS = ("#332288", "#999933", "#44AA99", "#7A7A7A", "#661100", "#AA4499")


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


def plot_correlations(
    correlations: Correlations | Sequence[Correlations],
    measurement: OnsagerMeasurement | None = None,
    *,
    curves: Sequence[str] = ("self", "collective"),
    ax: Axes | None = None,
) -> Axes:
    """Draw displacement correlations (square Angstrom per ion) against time (ps), both logarithmic.

    Per ion are the mean squared displacement of each species, <dr_i^2> (solid), and the collective ones,
    |<dX_i . dX_j>| / sqrt(N_i N_j), of like ions (dashed, colour of the species) and unlike (thin). Like ones of
    independent ions lie on the mean squared displacement. Where a correlation is negative its line is dotted.

    Args:
        correlations: Of one trajectory, or of replicas, whose mean is drawn.
        measurement: Shades its regime, and draws the slopes it found as thin black lines.
        curves: Of ``"self"`` and ``"collective"`` those to draw.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: Another name of a curve, or no correlations.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> from tammann.transport import displacement_correlations
        >>> steps = np.random.default_rng(1).normal(size=(200, 8, 3))
        >>> walk = trajectory_from_arrays(steps.cumsum(axis=0), 20.0 * np.eye(3), ["Li"] * 8, frame_interval_ps=0.1,
        ...                               wrapped=False)
        >>> plot_correlations(displacement_correlations(walk)).get_xlabel()
        'time (ps)'
    """
    wrong = [name for name in curves if name not in ("self", "collective")]
    if wrong or not curves:
        raise DataError(f"curves are {list(curves)}, expected self, collective or both.")
    replicas = _replicas(correlations)
    first = replicas[0]
    own = ax is None
    ax = new_axes(5.2, 3.8) if ax is None else ax
    kept = min(replica.self_A2.shape[-1] for replica in replicas)
    # Beyond half of the run a curve is drawn from its own ends.
    last = max(min(kept - 1, min(replica.n_frames for replica in replicas) // 2), 1)
    lags = np.unique(np.geomspace(1, last, 160).round().astype(int))
    time = lags * first.frame_interval_ps
    weights = [replica.n_frames for replica in replicas]
    colours = _species_colours(first.species)
    ends: list[tuple[float, str, str]] = []
    lowest = []
    if "self" in curves:
        own_part = np.average([replica.self_part()[:, :kept] for replica in replicas], axis=0, weights=weights)
        for i, symbol in enumerate(first.species):
            curve = own_part[i, lags]
            ax.plot(time, curve, color=colours[symbol], linewidth=1.8, label=symbol)
            ends.append((float(curve[-1]), symbol, colours[symbol]))
            lowest.append(curve)
            if measurement is not None:
                _draw_slope(ax, measurement, i, own_part[i], first.frame_interval_ps)
    if "collective" in curves:
        together = np.average([replica.collective_part()[..., :kept] for replica in replicas], axis=0, weights=weights)
        pair = 0
        for i, one in enumerate(first.species):
            for j in range(i, len(first.species)):
                other = first.species[j]
                curve = together[i, j, lags] / np.sqrt(float(first.counts[i]) * float(first.counts[j]))
                name = f"{one}\N{EN DASH}{other}"
                style: Any = "solid"
                if i == j:
                    colour, width, style = colours[one], 1.3, (0, (4, 1.6))
                else:
                    colour, width = _PAIR_COLOURS[pair % len(_PAIR_COLOURS)], 1.0
                    pair += 1
                positive = np.where(curve > 0, curve, np.nan)
                negative = np.where(curve < 0, -curve, np.nan)
                ax.plot(time, positive, color=colour, linewidth=width, linestyle=style, label=name)
                ax.plot(time, negative, color=colour, linewidth=width + 0.3, linestyle=(0, (1, 1.3)))
                sign = "" if curve[-1] > 0 else " (\N{MINUS SIGN})"
                if abs(curve[-1]) > 0:
                    ends.append((float(abs(curve[-1])), name + sign, colour))
                if i == j:
                    lowest.append(np.abs(curve))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(time[0], time[-1])
    values = np.concatenate(lowest)
    values = values[values > 0]
    if values.size:
        # Unlike ions that do not know of each other cross zero: their dips are left out of sight.
        ax.set_ylim(float(values.min()) / (4 if "collective" in curves else 1.6), float(values.max()) * 2)
    _shade(ax, measurement)
    ax.set_xlabel("time (ps)")
    if tuple(curves) == ("self",):
        ax.set_ylabel(r"$\langle\Delta r^2\rangle$ (Å$^2$)")
    elif tuple(curves) == ("collective",):
        ax.set_ylabel(r"$|\langle\Delta\mathbf{X}_i\cdot\Delta\mathbf{X}_j\rangle|\,/\sqrt{N_i N_j}$ (Å$^2$)")
    else:
        ax.set_ylabel("displacement correlation per ion (Å$^2$)")
    _label_ends(ax, ends, own)
    tidy(ax, grid="both")
    _only_powers(ax.xaxis)
    _only_powers(ax.yaxis)
    return ax


def plot_log_log_slope(
    correlations: Correlations | Sequence[Correlations],
    measurement: OnsagerMeasurement | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the local log-log slope of each mean squared displacement against time (ps), with its standard error.

    2 is free flight, 0 a cage, 1 diffusion; the band is one standard error either way. Slopes with errors above 0.5
    are not drawn.

    Args:
        correlations: Of one trajectory, or of replicas.
        measurement: Shades its regime.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: Fewer frames than one window of slopes needs.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> from tammann.transport import displacement_correlations
        >>> steps = np.random.default_rng(1).normal(size=(200, 8, 3))
        >>> walk = trajectory_from_arrays(steps.cumsum(axis=0), 20.0 * np.eye(3), ["Li"] * 8, frame_interval_ps=0.1,
        ...                               wrapped=False)
        >>> len(plot_log_log_slope(displacement_correlations(walk, frame="laboratory")).collections)
        1
    """
    from tammann.transport.regime import log_log_slope

    replicas = _replicas(correlations)
    slope = log_log_slope(replicas)
    own = ax is None
    ax = new_axes(5.2, 3.2) if ax is None else ax
    colours = _species_colours(replicas[0].species)
    ends = []
    for i, symbol in enumerate(replicas[0].species):
        clear = slope.stderr[i] <= 0.5
        time, value, error = slope.times_ps[clear], slope.value[i][clear], slope.stderr[i][clear]
        ax.fill_between(time, value - error, value + error, color=colours[symbol], alpha=0.2, linewidth=0)
        ax.plot(time, value, color=colours[symbol], linewidth=1.6, label=symbol)
        if time.size:
            ends.append((float(value[-1]), symbol, colours[symbol]))
    ax.axhline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.set_xscale("log")
    ax.set_xlim(slope.times_ps[0], slope.times_ps[-1])
    if measurement is not None and measurement.diffusive:
        # what is to be judged is how near to 1 the slopes are
        ax.set_ylim(0.5, 1.5)
        ax.set_yticks([0.5, 0.75, 1.0, 1.25, 1.5])
    else:
        ax.set_ylim(0.0, 2.1)
        ax.set_yticks([0.0, 0.5, 1.0, 1.5, 2.0])
    _shade(ax, measurement)
    ax.set_xlabel("time (ps)")
    ax.set_ylabel(r"$\mathrm{d}\,\ln\langle\Delta r^2\rangle\,/\,\mathrm{d}\,\ln t$")
    _label_ends(ax, ends, own)
    tidy(ax)
    _only_powers(ax.xaxis)
    return ax


def plot_onsager_matrix(
    coefficients: OnsagerCoefficients | OnsagerMeasurement, *, ax: Axes | None = None, colour_bar: bool = True
) -> Axes:
    """Draw L_ij as a matrix: numbers with standard errors in 1/(J m s), colours L_ij / sqrt(L_self_i L_self_j).

    Independent ions are 1 on the diagonal and 0 beside it; on the diagonal the colour is 1 + f_i.

    Args:
        coefficients: Of one phase; of a measurement those it found.
        ax: Where to draw; by default a figure of its own.
        colour_bar: Whether a scale of the colours stands beside it.

    Raises:
        DataError: A measurement that is not diffusive.

    Example:
        >>> from tammann.transport import OnsagerCoefficients
        >>> ions = OnsagerCoefficients("BaO", 1500.0, ("Ba", "O"), np.diag([1e38, 2e38]), np.array([2e38, 2e38]))
        >>> [text.get_text() for text in plot_onsager_matrix(ions).texts][:2]
        ['1.00', '0.00']
    """
    measured: Any = coefficients
    found: OnsagerCoefficients = getattr(measured, "coefficients", measured)
    ax = new_axes(4.8, 3.6) if ax is None else ax
    L, error = np.array(found.L), found.L_stderr
    n = len(found.species)
    scale = np.sqrt(np.outer(found.L_self, found.L_self))
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.where(scale > 0, L / scale, 0.0)
    reach = max(1.0, float(np.abs(shown).max()))
    image = ax.imshow(shown, cmap="RdBu_r", vmin=-reach, vmax=reach)
    power = int(np.floor(np.log10(max(float(np.abs(L).max()), 1e-300))))
    unit = 10.0**power
    for i in range(n):
        for j in range(n):
            colour = "white" if abs(shown[i, j]) > 0.62 * reach else INK
            digits = 2
            if error is not None and error[i, j] > 0:
                # Two digits of the error, or one where the cells are narrow.
                first = 1 if n < 5 else 0
                digits = int(np.clip(first - np.floor(np.log10(error[i, j] / unit)), 0, 4 if n < 5 else 3))
            text = f"{L[i, j] / unit:.{digits}f}".replace("-", "\N{MINUS SIGN}")
            if error is not None:
                text += f"\n\N{PLUS-MINUS SIGN} {error[i, j] / unit:.{digits}f}"
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                color=colour,
                fontsize=9 if n < 4 else 8 if n < 5 else 6,
                linespacing=1.25,
            )
    ax.set_xticks(range(n), found.species)
    ax.set_yticks(range(n), found.species)
    ax.set_xticks(np.arange(n - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(n - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0, labelsize=10, labelcolor=INK)
    ax.spines[:].set_visible(False)
    ax.set_title(rf"$L_{{ij}}$ ($10^{{{power}}}$ J$^{{-1}}$ m$^{{-1}}$ s$^{{-1}}$)", fontsize=9.5, color=INK)
    if colour_bar:
        figure = ax.get_figure(root=True)
        assert figure is not None
        bar = figure.colorbar(image, ax=ax, fraction=0.05, pad=0.04)
        bar.set_label(r"$L_{ij}\,/\,(L^\mathrm{self}_i L^\mathrm{self}_j)^{1/2}$", color=INK, fontsize=9)
        bar.set_ticks([-1, -0.5, 0, 0.5, 1])
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, color=FAINT, labelcolor=INK)
    return ax


def plot_arrhenius(
    fits: ArrheniusFit | Mapping[str, ArrheniusFit],
    *,
    quantity: str = r"$D$ (m$^2$/s)",
    range_K: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw points with standard errors, the line and its 95 % band against 1000/T (1/K), with T (K) above.

    Args:
        fits: One, or several by name; a name that is an element has its colour.
        quantity: Label of the values, with their unit.
        range_K: Where lines go to; beyond the points they are dashed. By default as far as the points.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: No fit, or a range that is none.

    Example:
        >>> from tammann.transport import fit_arrhenius
        >>> fit = fit_arrhenius([1000.0, 1200.0, 1500.0], [1e-12, 5e-12, 3e-11], [1e-13, 5e-13, 3e-12])
        >>> plot_arrhenius({"O": fit}).get_yscale()
        'log'
    """
    named = dict(fits) if isinstance(fits, Mapping) else {"": fits}
    if not named:
        raise DataError("there is no fit to draw; give one of fit_arrhenius.")
    every = np.concatenate([fit.temperatures_K for fit in named.values()])
    low, high = (float(every.min()), float(every.max())) if range_K is None else range_K
    if not 0 < low < high:
        raise DataError(f"range_K is {low:g} to {high:g} K, expected a lower and a higher temperature above 0 K.")
    own = ax is None
    ax = new_axes(5.2, 4.0) if ax is None else ax
    colours = _species_colours(tuple(named))
    line_ends = []
    for k, (name, fit) in enumerate(named.items()):
        colour = colours[name] if name else "#0072B2"
        inside = (float(fit.temperatures_K.min()), float(fit.temperatures_K.max()))
        pieces: list[tuple[float, float, Any]]
        pieces = [(max(low, inside[0]), min(high, inside[1]), "solid")] if range_K else [(*inside, "solid")]
        if range_K:
            pieces += [(low, inside[0], (0, (4, 2))), (inside[1], high, (0, (4, 2)))]
        for start, stop, style in pieces:
            if stop <= start:
                continue
            T = 1 / np.linspace(1 / stop, 1 / start, 80)
            value, _ = fit.predict(T)
            bottom, top = fit.interval(T)
            faint = 0.22 if style == "solid" else 0.12
            ax.fill_between(1000 / T, bottom, top, color=colour, alpha=faint, linewidth=0)
            ax.plot(1000 / T, value, color=colour, linewidth=1.4, linestyle=style, zorder=2)
        ax.errorbar(
            1000 / fit.temperatures_K,
            fit.values,
            yerr=None if fit.stderr is None else fit.stderr,
            fmt="os^Dv<>p"[k % 8],
            color=colour,
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.6,
            elinewidth=1.1,
            capsize=2.5,
            zorder=3,
        )
        coldest = low if range_K else inside[0]
        energy = f"{fit.activation_energy_eV:.2f} \N{PLUS-MINUS SIGN} {fit.activation_energy_stderr_eV:.2f} eV"
        energy = energy.replace("-", "\N{MINUS SIGN}")
        line_ends.append((float(fit.predict(coldest)[0]), f"{name}  {energy}".strip(), colour))
    ax.set_yscale("log")
    pad = 0.04 * (1000 / low - 1000 / high)
    left, right = max(1000 / high - pad, 1e-6), 1000 / low + pad
    ax.set_xlim(left, right)
    ax.set_xlabel(r"1000/$T$ (K$^{-1}$)")
    ax.set_ylabel(quantity)
    tidy(ax, grid="both")
    ax.tick_params(which="minor", labelsize=8, labelcolor=INK, color=FAINT)
    above = ax.secondary_xaxis("top", functions=(_inverse, _inverse))
    above.set_xlabel(r"$T$ (K)", color=INK)
    above.set_xticks(_round_temperatures(1000 / right, 1000 / left))
    above.minorticks_off()
    above.tick_params(labelsize=9, color=FAINT, labelcolor=INK)
    above.spines[:].set_color(FAINT)
    _label_ends(ax, line_ends, own)
    return ax


def plot_running_viscosity(viscosity: Viscosity, *, ax: Axes | None = None) -> Axes:
    """Draw the running Green-Kubo integral with its standard error, and the viscosity found, against time (ps).

    Args:
        viscosity: As ``tammann.transport.shear_viscosity`` returns it.
        ax: Where to draw; by default a figure of its own.

    Example:
        >>> from tammann.transport.viscosity import shear_viscosity
        >>> noise = np.random.default_rng(1).normal(size=(2000, 6))
        >>> eta = shear_viscosity(noise, volume_A3=1e3, temperature_K=1e3, frame_interval_ps=0.01)
        >>> plot_running_viscosity(eta).get_xlabel()
        'upper limit of the integral (ps)'
    """
    own = ax is None
    ax = new_axes(5.2, 3.4) if ax is None else ax
    largest = float(np.abs(viscosity.running_Pa_s).max())
    factor, unit = (1e3, "mPa s") if largest < 0.1 else (1.0, "Pa s")
    time = viscosity.times_ps[1:]
    value, error = viscosity.running_Pa_s[1:] * factor, viscosity.running_stderr_Pa_s[1:] * factor
    colour = "#0072B2"
    ax.fill_between(time, value - error, value + error, color=colour, alpha=0.2, linewidth=0)
    ax.plot(time, value, color=colour, linewidth=1.6)
    ax.set_xscale("log")
    ax.set_xlim(time[0], time[-1])
    _shade_span(ax, viscosity.regime_ps)
    if viscosity.converged:
        eta, wide = viscosity.value_Pa_s * factor, viscosity.stderr_Pa_s * factor
        ax.axhspan(eta - wide, eta + wide, color="#D55E00", alpha=0.18, linewidth=0)
        ax.axhline(eta, color="#D55E00", linewidth=1.2)
        digits = max(0, 1 - int(np.floor(np.log10(wide)))) if wide > 0 else 3
        text = f"{eta:.{digits}f} \N{PLUS-MINUS SIGN} {wide:.{digits}f} {unit}"
        ax.set_ylim(min(0.0, float((value - error).min())), max(1.45 * eta, 1.05 * float((value + error).max())))
    else:
        text = "no viscosity: not converged"
    ax.text(0.03, 0.95, text, transform=ax.transAxes, va="top", color="#D55E00", fontsize=10 if own else 9)
    ax.set_xlabel("upper limit of the integral (ps)")
    ax.set_ylabel(f"Green\N{EN DASH}Kubo integral ({unit})")
    tidy(ax)
    return ax


def transport_figure(correlations: Correlations | Sequence[Correlations], measurement: OnsagerMeasurement) -> Figure:
    """Draw a measurement on one page: displacements, log-log slopes, collective correlations, Onsager coefficients.

    Args:
        correlations: Of one trajectory, or of replicas.
        measurement: What was measured from them; where motion was not diffusive the matrix gives way to a sentence.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> steps = np.random.default_rng(1).normal(size=(400, 8, 3)) * 0.1
        >>> walk = trajectory_from_arrays(steps.cumsum(axis=0), 20.0 * np.eye(3), ["Li", "Cl"] * 4,
        ...                               frame_interval_ps=0.1, wrapped=False)
        >>> curves = displacement_correlations(walk)
        >>> len(transport_figure(curves, measure_onsager(curves, temperature_K=1000.0)).axes) >= 4
        True
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 6.0), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    (a, b), (c, d) = figure.subplots(2, 2)
    plot_correlations(correlations, measurement, curves=("self",), ax=a)
    plot_log_log_slope(correlations, measurement, ax=b)
    if len(measurement.species) > 1 or measurement.apparent.L.any():
        plot_correlations(correlations, measurement, curves=("collective",), ax=c)
    else:
        c.set_axis_off()
    if measurement.usable and measurement.apparent.L.any():
        plot_onsager_matrix(measurement, ax=d)
    else:
        d.set_axis_off()
        said = f"In the {measurement.frame} frame one species alone has no collective motion: L is zero."
        if not measurement.usable:
            said = measurement.not_diffusive_sentence()
        d.text(0.5, 0.5, _folded(said), ha="center", va="center", fontsize=9, color=INK)
    for letter, ax in zip("abcd", (a, b, c, d), strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", fontsize=11, color=INK)
    first = _replicas(correlations)[0]
    what = f"{formula_label(first.formula)}, {measurement.temperature_K:g} K, {first.counts.sum()} ions, "
    what += f"{measurement.duration_ps:.4g} ps, {measurement.frame} frame"
    figure.suptitle(what, fontsize=10, color=INK)
    return figure


def _replicas(correlations: Correlations | Sequence[Correlations]) -> list[Correlations]:
    from tammann.transport.correlations import Correlations

    replicas = [correlations] if isinstance(correlations, Correlations) else list(correlations)
    if not replicas:
        raise DataError("there are no correlations to draw; give those of one trajectory or more.")
    return replicas


def _species_colours(species: Sequence[str]) -> dict[str, str]:
    """A colour each: that of the element where it has one, another that is free where not."""
    fixed = {symbol: ELEMENT_COLOURS[symbol] for symbol in species if symbol in ELEMENT_COLOURS}
    free = ["#0072B2", "#E69F00", "#CC79A7", "#882255", "#6699CC", "#B8860B"]
    others = [symbol for symbol in species if symbol not in fixed]
    for k, symbol in enumerate(sorted(others)):
        fixed[symbol] = free[k % len(free)]
    return {symbol: fixed[symbol] for symbol in species}


def _draw_slope(ax: Axes, measurement: OnsagerMeasurement, i: int, curve: np.ndarray, interval: float) -> None:
    """6 D t over the regime, with the offset that the fit leaves free."""
    D = float(measurement.D_m2_per_s[i]) * 1e8  # square Angstrom per ps
    start, stop = measurement.regime_ps
    lags = np.unique(np.geomspace(max(start / interval, 1), stop / interval, 40).round().astype(int))
    lags = lags[lags < len(curve)]
    if not np.isfinite(D) or not lags.size:
        return
    time = lags * interval
    offset = float(np.mean(curve[lags[: max(len(lags) // 4, 1)]] - 6 * D * time[: max(len(lags) // 4, 1)]))
    line = 6 * D * time + offset
    ax.plot(time, np.where(line > 0, line, np.nan), color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=4)


def _shade(ax: Axes, measurement: OnsagerMeasurement | None) -> None:
    if measurement is not None:
        _shade_span(ax, measurement.regime_ps)


def _shade_span(ax: Axes, span: tuple[float, float]) -> None:
    left, right = ax.get_xlim()
    start, stop = max(span[0], left), min(span[1], right)
    ax.axvspan(start, stop, color=SHADE, linewidth=0, zorder=0)
    across = ax.get_xaxis_transform()
    ax.text(
        (start * stop) ** 0.5, 0.015, "fit", transform=across, ha="center", va="bottom", fontsize=8, color="#6F6A5C"
    )


def _label_ends(ax: Axes, ends: list[tuple[float, str, str]], large: bool) -> None:
    """Name lines at their right ends, moved apart where they end close together."""
    if not ends:
        return
    size = 9.5 if large else 8.5
    figure = ax.get_figure(root=True)
    assert figure is not None
    height = ax.get_position().height * figure.get_figheight() * 72
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_axes.transform((ax.get_xlim()[1], value))[1]) for value, _, _ in ends]
    places = spread_out([min(max(place, 0.0), 1.0) for place in wanted], 1.25 * size / height, 0.0, 1.0)
    for (_, text, colour), value, place in zip(ends, wanted, places, strict=True):
        ax.plot(
            [1.0, 1.03],
            [min(max(value, 0), 1), place],
            color=colour,
            linewidth=0.8,
            transform=ax.transAxes,
            clip_on=False,
        )
        ax.text(1.04, place, text, color=colour, fontsize=size, va="center_baseline", transform=ax.transAxes)


def _only_powers(axis: Any) -> None:
    """No numbers between powers of ten where two of these are on the axis: in small panels they would touch."""
    from matplotlib.ticker import NullFormatter

    low, high = sorted(axis.get_view_interval())
    if np.floor(np.log10(high) + 1e-9) > np.ceil(np.log10(low) - 1e-9):
        axis.set_minor_formatter(NullFormatter())


def _inverse(x: Any) -> np.ndarray:
    return 1000.0 / np.maximum(np.asarray(x, dtype=float), 1e-9)


def _round_temperatures(low: float, high: float) -> list[float]:
    """Round temperatures for an axis in 1/T, the hotter of two left out where they would touch."""
    from matplotlib.ticker import MaxNLocator

    ticks: list[float] = []
    width = 1 / low - 1 / high
    for T in MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high):
        if low <= T <= high and (not ticks or 1 / ticks[-1] - 1 / T >= 0.13 * width):
            ticks.append(float(T))
    return ticks


def _folded(sentence: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(sentence, 46))
