"""The matrix of Onsager coefficients of one phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.plot.style import FAINT, INK, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.transport.measurement import OnsagerMeasurement
    from tammann.transport.onsager import OnsagerCoefficients


def plot_onsager_matrix(coefficients: OnsagerCoefficients | OnsagerMeasurement, *, ax: Axes | None = None) -> Axes:
    """Draw L_ij as a matrix: numbers with standard errors in 1/(J m s), colours L_ij / sqrt(L_self_i L_self_j).

    Independent ions are 1 on the diagonal and 0 beside it; on the diagonal the colour is 1 + f_i.

    Args:
        coefficients: Of one phase; of a measurement those it found.
        ax: Where to draw; by default a figure of its own.

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
    ax = ax or new_axes(4.8, 3.6)
    L, error = np.array(found.L), found.L_stderr
    n = len(found.species)
    scale = np.sqrt(np.outer(found.L_self, found.L_self))
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.where(scale > 0, L / scale, 0.0)
    reach = max(1.0, float(np.abs(shown).max()))
    image = ax.imshow(shown, cmap="RdBu_r", vmin=-reach, vmax=reach)
    power = int(np.floor(np.log10(max(float(np.abs(L).max()), 1e-300))))
    unit = 10.0**power
    size = 9 if n < 4 else 8 if n < 5 else 6
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
            ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=size, linespacing=1.25)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(range(n), found.species)
        axis.set_ticks(np.arange(n - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0, labelsize=10, labelcolor=INK)
    ax.spines[:].set_visible(False)
    ax.set_title(rf"$L_{{ij}}$ ($10^{{{power}}}$ J$^{{-1}}$ m$^{{-1}}$ s$^{{-1}}$)", fontsize=9.5, color=INK)
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(image, ax=ax, fraction=0.05, pad=0.04)
    bar.set_label(r"$L_{ij}\,/\,(L^\mathrm{self}_i L^\mathrm{self}_j)^{1/2}$", color=INK, fontsize=9)
    bar.set_ticks([-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, color=FAINT, labelcolor=INK)
    return ax
