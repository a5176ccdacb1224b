"""Learned diffusivities: parity, importances, folds by row against folds by composition, databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.diffusivity.activation import ActivationErrors
from tammann.diffusivity.validation import CrossValidation
from tammann.plot.style import INK, PALETTE, new_axes, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_predicted(validation: CrossValidation, ax: Axes | None = None) -> Axes:
    """Draw predicted against known D, m²/s, of the first draw of a cross-validation, by temperature.

    Args:
        validation: As ``cross_validate`` returns it.
        ax: Axes to draw on; new ones where None.
    """
    ax = ax or new_axes(4.4, 4.0)
    table, predicted = validation.table_of, np.exp(validation.predicted[0])
    for k, T in enumerate(sorted(set(table.temperatures_K.tolist()))):
        chosen = table.temperatures_K == T
        ax.plot(
            table.D_m2_per_s[chosen], predicted[chosen], "o", markersize=3, alpha=0.6, markeredgewidth=0,
            color=PALETTE[k % len(PALETTE)], label=f"{T:g} K",
        )  # fmt: skip
    ends = np.array([min(table.D_m2_per_s.min(), predicted.min()), max(table.D_m2_per_s.max(), predicted.max())])
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="D, molecular dynamics (m²/s)", ylabel="D, predicted (m²/s)")
    error, _ = validation.mean("rmse_ln_D")
    how = "compositions not seen" if validation.grouped else "compositions seen"
    ax.set_title(f"{validation.model}, {how}: RMSE of ln D {error:.2f}", fontsize=9, color=INK)
    ax.legend(frameon=False, fontsize=8, labelcolor=INK, markerscale=1.5)
    tidy(ax)
    return ax


def plot_importance(importance: pd.DataFrame, ax: Axes | None = None, *, most: int = 12) -> Axes:
    """Draw by how much the error of ln D grows when a feature is shuffled, the largest first.

    Args:
        importance: As ``permutation_importance`` returns it.
        ax: Axes to draw on; new ones where None.
        most: How many features.
    """
    ax = ax or new_axes(4.8, 3.6)
    shown = importance.head(most)[::-1]
    ax.barh(shown["feature"], shown["importance"], xerr=shown["spread"], color=PALETTE[0], height=0.7,
            error_kw={"linewidth": 0.8, "ecolor": INK})  # fmt: skip
    ax.set_xlabel("growth of the RMSE of ln D when shuffled")
    tidy(ax)
    return ax


def plot_validations(validations: Sequence[CrossValidation], ax: Axes | None = None) -> Axes:
    """Draw the RMSE of D by model, folds by composition beside folds by row, with the spread over draws.

    Args:
        validations: As ``cross_validate`` returns them.
        ax: Axes to draw on; new ones where None.
    """
    scores = {(one.model, one.grouped): one.mean("rmse_D_m2_per_s") for one in validations}
    return plot_errors_by_folds(scores, ax)


def plot_errors_by_folds(errors: dict[tuple[str, bool], tuple[float, float]], ax: Axes | None = None) -> Axes:
    """Draw errors of D, m²/s, by model and kind of folds.

    Args:
        errors: Mean and standard deviation over draws by (model, whether the folds are by composition).
        ax: Axes to draw on; new ones where None.

    Example:
        >>> ax = plot_errors_by_folds({("hybrid", True): (1.0e-8, 2e-10), ("hybrid", False): (0.8e-8, 2e-10)})
        >>> ax.get_ylabel()
        'RMSE of D (1e-8 m²/s)'
    """
    models = list(dict.fromkeys(model for model, _ in errors))
    ax = ax or new_axes(1.6 + 0.8 * len(models), 3.2)
    for k, (grouped, label) in enumerate(((False, "by row: compositions leak"), (True, "by composition"))):
        known = [(j, errors[model, grouped]) for j, model in enumerate(models) if (model, grouped) in errors]
        if known:
            places = [j + 0.36 * (k - 0.5) for j, _ in known]
            means, spreads = (1e8 * np.array([value[i] for _, value in known]) for i in (0, 1))
            ax.bar(places, means, 0.34, yerr=spreads, color=PALETTE[k], label=label,
                   error_kw={"linewidth": 0.8, "ecolor": INK})  # fmt: skip
    ax.set_xticks(range(len(models)), models, rotation=20 if len(models) > 4 else 0)
    ax.set_ylabel("RMSE of D (1e-8 m²/s)")
    ax.legend(frameon=False, fontsize=8, labelcolor=INK)
    ax.margins(y=0.2)
    tidy(ax)
    return ax


def plot_activation(errors: ActivationErrors, ax: Axes | None = None) -> Axes:
    """Draw predicted against known activation energies, eV.

    Args:
        errors: As ``activation_errors`` returns them.
        ax: Axes to draw on; new ones where None.
    """
    ax = ax or new_axes(4.0, 3.8)
    ax.errorbar(errors.known_eV, errors.predicted_eV, xerr=errors.known_stderr_eV, fmt="o", markersize=3, alpha=0.6,
                color=PALETTE[0], elinewidth=0.5, markeredgewidth=0)  # fmt: skip
    ends = [
        min(errors.known_eV.min(), errors.predicted_eV.min()),
        max(errors.known_eV.max(), errors.predicted_eV.max()),
    ]
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    ax.set(xlabel="Ea, molecular dynamics (eV)", ylabel="Ea, predicted (eV)")
    title = f"mean absolute error {errors.mae_eV:.3f} eV, of a constant {errors.constant_mae_eV:.3f} eV"
    ax.set_title(title, fontsize=9, color=INK)
    tidy(ax)
    return ax


def plot_database(distributions: pd.DataFrame) -> Figure:
    """Draw medians and quartiles of D by element and temperature, and those of the activation energy.

    Args:
        distributions: As ``distributions_by`` returns them.
    """
    from matplotlib.figure import Figure

    what = str(distributions.columns[0])
    names = sorted(set(distributions[what]))
    temperatures = sorted(set(distributions["temperature_K"].tolist()))
    figure = Figure(figsize=(2.4 + 0.5 * len(names) * 2, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k, T in enumerate(temperatures):
        rows = distributions[distributions["temperature_K"] == T].set_index(what)
        _quartiles(
            left, names, rows, "D", "_m2_per_s", PALETTE[k % len(PALETTE)], f"{T:g} K", k - len(temperatures) / 2
        )
    rows = distributions.drop_duplicates(what, keep="last").set_index(what)
    _quartiles(right, names, rows, "Ea", "_eV", PALETTE[0], "", 0.0)
    left.set(yscale="log", ylabel="D (m²/s)")
    right.set_ylabel("activation energy (eV)")
    left.legend(frameon=False, fontsize=8, labelcolor=INK)
    for ax in (left, right):
        ax.set_xticks(range(len(names)), names)
        tidy(ax)
    return figure


def _quartiles(
    ax: Axes, names: list[str], rows: pd.DataFrame, key: str, unit: str, colour: str, label: str, shift: float
) -> None:
    there = [name for name in names if name in rows.index]
    low, middle, high = (rows.loc[there, f"{key}_{q}{unit}"].to_numpy(dtype=float) for q in (25, 50, 75))
    places = [names.index(name) + 0.08 * shift for name in there]
    ax.errorbar(places, middle, yerr=[middle - low, high - middle], fmt="o", markersize=4, color=colour, label=label,
                elinewidth=1.0)  # fmt: skip
