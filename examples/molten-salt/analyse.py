"""From the runs of ``simulate.py`` to Onsager coefficients, conductivity and viscosity, beside experiment.

    python analyse.py --runs runs --out results

Runs of one temperature with different seeds are replicas and are measured together. Writes ``measured.json``,
``comparison.md``, and the figures ``molten-salt.png`` and ``molten-salt-arrhenius.png``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import experiment
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tammann.files import write_text
from tammann.plot import save_figure
from tammann.trajectory import read_trajectory
from tammann.transport import (
    Conductivity,
    Correlations,
    FiniteSizeCorrection,
    OnsagerMeasurement,
    correct_finite_size,
    displacement_correlations,
    fit_arrhenius,
    ionic_conductivity,
    log_log_slope,
    measure_onsager,
)
from tammann.transport.viscosity import Viscosity, shear_viscosity

CHARGES = {"Na": 1.0, "Cl": -1.0}
COLOURS = {"Na": "#0072B2", "Cl": "#009E73", "Na-Cl": "#CC79A7"}
INK, FAINT, MEASURED = "#222222", "#9A9A9A", "#D55E00"
VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


@dataclass(frozen=True)
class Melt:
    """All that was measured at one temperature."""

    correlations: list[Correlations]
    onsager: OnsagerMeasurement
    conductivity: Conductivity
    viscosity: Viscosity
    corrected: FiniteSizeCorrection
    pressure_GPa: float

    @property
    def temperature_K(self) -> float:
        """As set at the thermostat, K."""
        return self.onsager.temperature_K


def measure(folders: Sequence[Path]) -> Melt:
    """Replicas of one temperature, together."""
    records = [json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in folders]
    asked = records[0]["asked"]
    curves = [
        displacement_correlations(
            read_trajectory(
                folder / "trajectory.dump.gz",
                frame_interval_ps=record["frame_interval_ps"],
                temperature_K=asked["temperature_K"],
            )
        )
        for folder, record in zip(folders, records, strict=True)
    ]
    onsager = measure_onsager(curves)
    viscosity = shear_viscosity(
        [stress_GPa(folder) for folder in folders],
        volume_A3=records[0]["volume_A3"],
        temperature_K=asked["temperature_K"],
        frame_interval_ps=records[0]["stress_interval_ps"],
    )
    return Melt(
        correlations=curves,
        onsager=onsager,
        conductivity=ionic_conductivity(onsager.coefficients, charges=CHARGES, covariance=onsager.covariance),
        viscosity=viscosity,
        corrected=correct_finite_size(
            onsager.D_m2_per_s,
            cell_A=curves[0].cell_A,
            temperature_K=asked["temperature_K"],
            viscosity_Pa_s=viscosity.value_Pa_s,
            viscosity_stderr=viscosity.stderr_Pa_s,
            D_stderr=onsager.D_stderr,
        ),
        pressure_GPa=float(np.mean([record["mean_pressure_GPa"] for record in records])),
    )


def stress_GPa(folder: Path) -> np.ndarray:
    """The stress of a run in Voigt's order, GPa, shape (frames, 6)."""
    table = np.genfromtxt(folder / "stress.csv", delimiter=",", names=True)
    return np.stack([table[f"{component}_GPa"] for component in VOIGT], axis=1)


def melts(runs: Path) -> list[Melt]:
    """One for each temperature, from cold to hot."""
    by_temperature: dict[float, list[Path]] = {}
    for record in sorted(runs.glob("*/run.json")):
        temperature = json.loads(record.read_text(encoding="utf-8"))["asked"]["temperature_K"]
        by_temperature.setdefault(temperature, []).append(record.parent)
    if not by_temperature:
        raise SystemExit(f"{runs} holds no run; make one with simulate.py")
    return [measure(by_temperature[temperature]) for temperature in sorted(by_temperature)]


# ------------------------------------------------------------------------------------------------------------- numbers


def record(melt: Melt) -> dict[str, Any]:
    """What was measured, with standard errors, and the experiment beside it."""
    T, onsager, sigma, eta = melt.temperature_K, melt.onsager, melt.conductivity, melt.viscosity
    L = onsager.coefficients
    assert L.L_stderr is not None and melt.corrected.D_stderr is not None
    assert sigma.transference_stderr is not None
    return {
        "temperature_K": T,
        "ions": int(onsager.counts.sum()),
        "replicas": onsager.n_replicas,
        "duration_ps": onsager.duration_ps,
        "pressure_GPa": melt.pressure_GPa,
        "regime_ps": list(onsager.regime_ps),
        "log_log_slope": dict(zip(onsager.species, onsager.regime.slope, strict=True)),
        "log_log_slope_stderr": dict(zip(onsager.species, onsager.regime.slope_stderr, strict=True)),
        "species": list(onsager.species),
        "L": L.L.tolist(),
        "L_stderr": L.L_stderr.tolist(),
        "L_self": L.L_self.tolist(),
        "D_m2_per_s": onsager.D_m2_per_s.tolist(),
        "D_stderr": onsager.D_stderr.tolist(),
        "D_infinite_m2_per_s": melt.corrected.D_m2_per_s.tolist(),
        "D_infinite_stderr": melt.corrected.D_stderr.tolist(),
        "conductivity_S_per_m": sigma.sigma_S_per_m,
        "conductivity_stderr": sigma.sigma_stderr,
        "nernst_einstein_S_per_m": sigma.nernst_einstein_S_per_m,
        "nernst_einstein_stderr": sigma.nernst_einstein_stderr,
        "haven_ratio": sigma.haven_ratio,
        "haven_stderr": sigma.haven_stderr,
        "transference": sigma.transference.tolist(),
        "transference_stderr": sigma.transference_stderr.tolist(),
        "viscosity_mPa_s": eta.value_Pa_s * 1e3,
        "viscosity_stderr": eta.stderr_Pa_s * 1e3,
        "experiment": {
            "conductivity_S_per_m": experiment.conductivity_S_per_m(T),
            "viscosity_mPa_s": experiment.viscosity_mPa_s(T),
            "D_Na_m2_per_s": experiment.sodium_diffusion_m2_per_s(T),
        },
    }


def comparison(records: Sequence[dict[str, Any]]) -> str:
    """Simulation and experiment side by side, one column for each temperature, as a Markdown table."""

    def both(value: float, error: float, digits: int = 0) -> str:
        return f"{value:.{digits}f} ± {error:.{digits}f}"

    def diffusion(record: dict[str, Any], symbol: str, box: str = "_infinite") -> str:
        i = record["species"].index(symbol)
        return both(record[f"D{box}_m2_per_s"][i] * 1e9, record[f"D{box}_stderr"][i] * 1e9, 2)

    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "conductivity, S/m": lambda r: both(r["conductivity_S_per_m"], r["conductivity_stderr"]),
        "**measured**": lambda r: f"**{r['experiment']['conductivity_S_per_m']:.0f}**",
        "as if ions were independent (Nernst-Einstein)": lambda r: both(
            r["nernst_einstein_S_per_m"], r["nernst_einstein_stderr"]
        ),
        "D of Na, infinite box, 1e-9 m²/s": lambda r: diffusion(r, "Na"),
        "**measured** ": lambda r: f"**{r['experiment']['D_Na_m2_per_s'] * 1e9:.1f}**",
        "D of Na, as simulated": lambda r: diffusion(r, "Na", ""),
        "D of Cl, infinite box": lambda r: diffusion(r, "Cl"),
        "D of Cl, as simulated": lambda r: diffusion(r, "Cl", ""),
        "viscosity, mPa s": lambda r: both(r["viscosity_mPa_s"], r["viscosity_stderr"], 2),
        "**measured**  ": lambda r: f"**{r['experiment']['viscosity_mPa_s']:.2f}**",
        "pressure, GPa": lambda r: f"{r['pressure_GPa']:.2f}",
        "simulated, ps": lambda r: f"{r['replicas']} x {r['duration_ps'] / r['replicas']:.0f}",
    }
    lines = [
        "| | " + " | ".join(f"{record['temperature_K']:g} K" for record in records) + " |",
        "| :--- |" + " ---: |" * len(records),
    ]
    for name, cell in rows.items():
        lines.append(f"| {name.strip()} | " + " | ".join(cell(record) for record in records) + " |")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------------- figures


def tidy(ax: Axes, letter: str) -> None:
    """House style, and the letter of the panel."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(which="both", color=FAINT, labelcolor=INK, labelsize=9)
    ax.set_axisbelow(True)
    ax.grid(axis="y", color="#E6E6E3", linewidth=0.7)
    ax.set_title(letter, loc="left", fontsize=11, fontweight="bold", color=INK)


def thinned(length: int, count: int = 200) -> np.ndarray:
    """Lags evenly spread in their logarithm, for drawing."""
    return np.unique(np.round(np.geomspace(1, length - 1, count)).astype(int))


def plot_displacements(melt: Melt, ax: Axes) -> None:
    """<dr²> of each ion against time, both logarithmic, with the regime of the fit shaded."""
    curves = melt.correlations
    lags = thinned(len(curves[0].times_ps) // 4)
    times = curves[0].times_ps[lags]
    msd = np.mean([curve.self_part() for curve in curves], axis=0)[:, lags]
    ax.axvspan(*melt.onsager.regime_ps, color="#F4F4F2", zorder=0)
    for i, symbol in enumerate(curves[0].species):
        ax.plot(times, msd[i], color=COLOURS[symbol], linewidth=1.6, label=symbol)
    guide = np.array([times[0], times[-1]])
    ax.plot(guide, 2.2 * msd[:, -1].max() * guide / guide[-1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set(xscale="log", yscale="log", xlabel="time (ps)", ylabel="mean squared displacement (Å²)")
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    ax.text(melt.onsager.regime_ps[0] * 1.1, msd.min() * 1.05, "regime of the fit", fontsize=9, color=INK)
    ax.text(1.2, 2.9 * msd[:, -1].max() * 1.2 / guide[-1], r"$\propto t$", fontsize=10, color=INK, ha="right")


def plot_slopes(melt: Melt, ax: Axes) -> None:
    """Local log-log slope, d ln <dr²> / d ln t, with the error a Brownian process would have."""
    slope = log_log_slope(melt.correlations)
    ax.axvspan(*melt.onsager.regime_ps, color="#F4F4F2", zorder=0)
    ax.axhline(1.0, color=FAINT, linewidth=0.9)
    shown = slope.times_ps <= melt.onsager.regime_ps[1]
    for i, symbol in enumerate(melt.onsager.species):
        ax.errorbar(
            slope.times_ps[shown] * (1.0 + 0.05 * i),
            slope.value[i, shown],
            slope.stderr[i, shown],
            color=COLOURS[symbol],
            fmt="os"[i],
            markersize=4,
            elinewidth=1.2,
            label=symbol,
        )
    ax.set(xscale="log", xlabel="time (ps)", ylabel="log-log slope", ylim=(0.8, 1.2))


def plot_collective(melt: Melt, ax: Axes) -> None:
    """L_ij as <dX_i . dX_j> over 6 kB T V t, and what the fit makes of it."""
    onsager, curves = melt.onsager, melt.correlations
    lags = thinned(int(onsager.regime_ps[1] / onsager.frame_interval_ps) + 1)
    times = curves[0].times_ps[lags]
    L = onsager.coefficients
    assert L.volume_A3 is not None and L.L_stderr is not None
    unit = 1e-8 / (6.0 * 1.380649e-23 * L.temperature_K * L.volume_A3 * 1e-30)
    rate = np.mean([curve.collective_part() for curve in curves], axis=0)[:, :, lags] / times * unit
    ax.axvspan(*onsager.regime_ps, color="#F4F4F2", zorder=0)
    ax.axhline(0.0, color=FAINT, linewidth=0.9)
    scale = 1e-38
    for i, first in enumerate(L.species):
        for j in range(i, len(L.species)):
            second = L.species[j]
            colour = COLOURS[first] if i == j else COLOURS["Na-Cl"]
            ax.plot(times, rate[i, j] * scale, color=colour, linewidth=1.4)
            value, error = L.L[i, j] * scale, L.L_stderr[i, j] * scale
            end = times[-1] * 1.25
            ax.errorbar(end, value, error, color=colour, fmt="D", markersize=4.5, elinewidth=1.4, clip_on=False)
            ax.annotate(
                f"$L_\\mathrm{{{first},{second}}}$",
                (end, value),
                xytext=(7, 0),
                textcoords="offset points",
                color=colour,
                fontsize=9,
                va="center",
                annotation_clip=False,
            )
    ax.set(xscale="log", xlim=(times[0], times[-1] * 1.3), xlabel="time (ps)")
    ax.set_ylabel(
        r"$\langle\Delta X_i\cdot\Delta X_j\rangle\,/\,6k_\mathrm{B}TVt$  (10$^{38}$ J$^{-1}$m$^{-1}$s$^{-1}$)"
    )


def plot_viscosity(melt: Melt, ax: Axes) -> None:
    """The running Green-Kubo integral with its band, the value, and experiment."""
    eta = melt.viscosity
    shown = eta.times_ps <= max(eta.regime_ps[1], 2.0)
    times, running, error = (array[shown] for array in (eta.times_ps, eta.running_Pa_s, eta.running_stderr_Pa_s))
    colour = COLOURS["Na"]
    ax.axvspan(*eta.regime_ps, color="#F4F4F2", zorder=0)
    ax.fill_between(times, (running - error) * 1e3, (running + error) * 1e3, color=colour, alpha=0.22, linewidth=0)
    ax.plot(times, running * 1e3, color=colour, linewidth=1.4, label="running integral")
    middle = float(np.mean(eta.regime_ps))
    ax.errorbar(
        middle,
        eta.value_Pa_s * 1e3,
        eta.stderr_Pa_s * 1e3,
        fmt="D",
        color=INK,
        markersize=4.5,
        elinewidth=1.4,
        label="from the slope",
        zorder=4,
    )
    ax.axhline(
        experiment.viscosity_mPa_s(melt.temperature_K),
        color=MEASURED,
        linewidth=1.2,
        linestyle=(0, (5, 3)),
        label="experiment",
    )
    ax.set(xlabel="time (ps)", ylabel="shear viscosity (mPa s)", ylim=(0.0, None), xlim=(0.0, times[-1]))
    ax.legend(frameon=False, fontsize=9, loc="lower right")


def figure_of_one(melt: Melt) -> Figure:
    """Four panels: displacements, the diagnostic, the collective part, the viscosity."""
    figure = Figure(figsize=(9.6, 7.0), layout="constrained")
    axes = figure.subplots(2, 2)
    panels = (plot_displacements, plot_slopes, plot_collective, plot_viscosity)
    for letter, panel, ax in zip("abcd", panels, axes.flat, strict=True):
        panel(melt, ax)
        tidy(ax, letter)
    return figure


def figure_of_all(found: Sequence[Melt]) -> Figure:
    """Conductivity and diffusion against temperature, with experiment and the Arrhenius lines."""
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    T = np.array([melt.temperature_K for melt in found])
    smooth = np.linspace(1080.0, 1290.0, 50)
    left.plot(
        smooth,
        [experiment.conductivity_S_per_m(t) for t in smooth],
        color=MEASURED,
        linewidth=1.4,
        label="experiment",
    )
    grown = [float(np.mean(melt.corrected.D_m2_per_s) / np.mean(melt.onsager.D_m2_per_s)) for melt in found]
    alone = np.array([melt.conductivity.nernst_einstein_S_per_m for melt in found])
    left.plot(T, alone, "D", color=FAINT, markersize=5, fillstyle="none", label="Nernst-Einstein, as simulated")
    left.plot(T, alone * grown, "D", color=FAINT, markersize=5, label="Nernst-Einstein, infinite box")
    left.errorbar(
        T,
        [melt.conductivity.sigma_S_per_m for melt in found],
        [melt.conductivity.sigma_stderr for melt in found],
        fmt="o",
        color=COLOURS["Na"],
        markersize=5.5,
        elinewidth=1.4,
        label="Onsager coefficients",
    )
    left.set(xlabel="temperature (K)", ylabel="conductivity (S/m)", ylim=(250.0, 600.0))
    left.legend(frameon=False, fontsize=9, loc="upper left")
    right.plot(
        1000.0 / smooth,
        [experiment.sodium_diffusion_m2_per_s(t) * 1e9 for t in smooth],
        color=MEASURED,
        linewidth=1.4,
        label="experiment, Na",
    )
    species = found[0].onsager.species
    for i, symbol in enumerate(species):
        values = np.array([melt.corrected.D_m2_per_s[i] for melt in found])
        errors = np.array([melt.corrected.D_stderr[i] for melt in found if melt.corrected.D_stderr is not None])
        style = {"fmt": "os"[i], "color": COLOURS[symbol], "markersize": 5, "elinewidth": 1.4}
        label = f"{symbol}, infinite box"
        if len(found) > 2:
            fit = fit_arrhenius(T, values, stderr=errors)
            label += f": {fit.activation_energy_eV:.2f} ± {fit.activation_energy_stderr_eV:.2f} eV"
            line = np.exp(fit.ln_prefactor - fit.activation_energy_eV / (8.617333262e-5 * smooth))
            right.plot(1000.0 / smooth, line * 1e9, color=COLOURS[symbol], linewidth=0.9)
        right.errorbar(1000.0 / T, values * 1e9, errors * 1e9, label=label, **style)
        box = [melt.onsager.D_m2_per_s[i] * 1e9 for melt in found]
        right.plot(1000.0 / T, box, "os"[i], color=COLOURS[symbol], markersize=4, fillstyle="none")
    right.set(yscale="log", xlabel="1000 K / T", ylabel="self-diffusion coefficient (10$^{-9}$ m$^2$/s)")
    right.set_yticks([5, 7, 10, 15], ["5", "7", "10", "15"])
    right.minorticks_off()
    right.set_ylim(4.5, 20.0)
    right.legend(frameon=False, fontsize=9, loc="upper right")
    for letter, ax in zip("ab", (left, right), strict=True):
        tidy(ax, letter)
    return figure


def figures(found: Sequence[Melt], out: Path, *, dpi: int = 200) -> list[Path]:
    """Draw the temperature nearest to 1200 K in detail, and all of them where there are some."""
    nearest = min(found, key=lambda melt: abs(melt.temperature_K - 1200.0))
    drawn = {"molten-salt.png": figure_of_one(nearest)}
    if len(found) > 1:
        drawn["molten-salt-arrhenius.png"] = figure_of_all(found)
    for name, figure in drawn.items():
        save_figure(figure, out / name, dpi=dpi)
    return [out / name for name in drawn]


def main() -> None:
    """Analyse all runs in a folder."""
    parser = argparse.ArgumentParser(description="Molten NaCl: transport beside experiment.")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("results"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = melts(given.runs)
    records = [record(melt) for melt in found]
    write_text(given.out / "measured.json", json.dumps(records, indent=1) + "\n")
    table = comparison(records)
    write_text(given.out / "comparison.md", table + "\n")
    figures(found, given.out)
    print(table)
    for sentence in dict.fromkeys(note for melt in found for note in (*melt.onsager.notes, *melt.viscosity.notes)):
        print(sentence)


if __name__ == "__main__":
    main()
