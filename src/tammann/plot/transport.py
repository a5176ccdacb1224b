"""A measurement of Onsager coefficients on one page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tammann.plot.correlations import plot_correlations, plot_log_log_slope
from tammann.plot.onsager import plot_onsager_matrix
from tammann.plot.style import INK, formula_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tammann.transport.correlations import Correlations
    from tammann.transport.measurement import OnsagerMeasurement


def transport_figure(correlations: Correlations | Sequence[Correlations], measurement: OnsagerMeasurement) -> Figure:
    """Draw a measurement on one page: displacements, log-log slopes, collective correlations, Onsager coefficients.

    Args:
        correlations: Of one trajectory, or of replicas.
        measurement: What was measured from them; where motion was not diffusive the matrix gives way to a sentence.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> walk = Trajectory.example()
        >>> curves = displacement_correlations(walk)
        >>> len(transport_figure(curves, measure_onsager(curves)).axes) >= 4
        True
    """
    from matplotlib.figure import Figure

    from tammann.transport.correlations import same_system

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
        reason = f"In the {measurement.frame} frame one species alone has no collective motion: L is zero."
        if not measurement.usable:
            reason = measurement.not_diffusive_sentence()
        d.text(0.5, 0.5, textwrap.fill(reason, 46), ha="center", va="center", fontsize=9, color=INK)
    for letter, ax in zip("abcd", (a, b, c, d), strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", fontsize=11, color=INK)
    first = same_system(correlations)[0]
    what = f"{formula_label(first.formula)}, {measurement.temperature_K:g} K, {first.counts.sum()} ions, "
    what += f"{measurement.duration_ps:.4g} ps, {measurement.frame} frame"
    figure.suptitle(what, fontsize=10, color=INK)
    return figure
