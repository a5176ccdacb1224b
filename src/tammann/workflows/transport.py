"""From trajectories to a folder: Onsager coefficients, what follows from them, and figures."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.files import check_empty, json_safe, write_text
from tammann.trajectory import Trajectory, read_trajectory
from tammann.transport import (
    ArrheniusFit,
    Conductivity,
    Correlations,
    OnsagerMeasurement,
    charges_from_composition,
    correct_finite_size,
    correlations_of_stretches,
    displacement_correlations,
    find_regime,
    fit_arrhenius,
    in_frame,
    ionic_conductivity,
    measure_onsager,
    natural_frame,
    save_measurements,
    save_transport,
    spread_lags,
    transport_table,
)
from tammann.transport.onsager import HOTTEST_K
from tammann.transport.table import TABLE_FILE

__all__ = ["Diffusion", "measure_trajectories", "write_diffusion"]

BLOCKS = 8
"""Stretches of each trajectory for the check of the stated errors, where it is long enough."""

LEAST_BLOCK = 4.2
"""Length of a stretch over the start of the regime, at least."""

CURVE_POINTS = 200
"""Lags in a file of curves."""


@dataclass(frozen=True, eq=False)
class Diffusion:
    """Transport measured from trajectories of one or several systems and temperatures.

    Attributes:
        measurements: One for each composition and temperature, replicas combined, in order of both.
        correlations: The displacement correlations behind each, one for each replica.
        conductivities: Of each measurement; None where it is not diffusive or no charges are known.
        activation: Arrhenius fits of the diffusivities by composition and element, where there are two diffusive
            temperatures or more.
        charges: Charges by composition, e; empty where none are known.
        notes: Remarks on the whole; those on one measurement are in its own notes.
    """

    measurements: tuple[OnsagerMeasurement, ...]
    correlations: tuple[tuple[Correlations, ...], ...]
    conductivities: tuple[Conductivity | None, ...]
    activation: Mapping[str, Mapping[str, ArrheniusFit]]
    charges: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...] = ()


def measure_trajectories(
    paths: Sequence[str | PathLike[str]],
    *,
    temperatures_K: Sequence[float],
    timestep_fs: float | None = None,
    frame_interval_ps: float | None = None,
    types: Sequence[str] | None = None,
    skip_ps: float = 0.0,
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    wrapped: bool = True,
    frame: str | None = None,
    regime_ps: tuple[float, float] | None = None,
    charges: Mapping[str, float] | None = None,
    viscosity_Pa_s: tuple[float, float] | None = None,
    threads: int | None = None,
    progress: Callable[[float, str, float | None], None] | None = None,
) -> Diffusion:
    """Read trajectories, group them by composition and temperature, and measure each group.

    Args:
        paths: Trajectory files, as ``read_trajectory`` reads them; those of one composition and temperature are
            replicas.
        temperatures_K: One for all, or one for each path, K.
        timestep_fs: Length of a molecular dynamics step, fs, where the file counts steps.
        frame_interval_ps: Time between frames of the file, ps, where it does not.
        types: Elements of the atom types 1, 2, ... of a LAMMPS dump without elements.
        skip_ps: Left out at the start of every trajectory, ps.
        start: First frame to read, counted from 0.
        stop: Frame to stop before.
        every: Keep one frame in ``every``.
        wrapped: False where positions were never folded back into the cell, as ASE's own dynamics leave them.
        frame: ``barycentric``, ``laboratory`` or elements joined by ``+``; where None, the framework of a solid whose
            other ions diffuse, else barycentric.
        regime_ps: First and last time of the linear regime, ps; found by rule where None.
        charges: Charge of each element, e; guessed from the composition where None.
        viscosity_Pa_s: Shear viscosity of the model and its standard error, Pa s, for the finite-size correction of
            the diffusivities; none is applied without it.
        threads: Cores for the transforms.
        progress: Called with the fraction done, what is being done, and the temperature, K.

    Raises:
        DataError: An input that cannot be used, by name.

    Example:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> steps = 0.1 * np.random.default_rng(1).normal(size=(1000, 8, 3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "walk.npz"
        ...     np.savez(file, positions=steps.cumsum(axis=0), cells=12.0 * np.eye(3), symbols=["Na", "Cl"] * 4)
        ...     found = measure_trajectories([file], temperatures_K=[1200.0], frame_interval_ps=0.1)
        >>> found.measurements[0].formula
        'NaCl'
    """
    temperatures = _one_for_each(paths, temperatures_K)
    _check_viscosity(viscosity_Pa_s, temperatures)
    groups: dict[tuple[object, float], list[tuple[Correlations, list[Correlations]]]] = {}
    for number, (path, temperature) in enumerate(zip(paths, temperatures, strict=True)):

        def report(fraction: float, what: str, number: int = number, T: float = temperature) -> None:
            if progress is not None:
                progress((number + 0.8 * fraction) / len(paths), what, T)

        name = Path(path).name
        trajectory = read_trajectory(
            path,
            timestep_fs=timestep_fs,
            frame_interval_ps=frame_interval_ps,
            temperature_K=temperature,
            types=types,
            start=start,
            stop=stop,
            every=every,
            wrapped=wrapped,
            progress=lambda fraction, report=report, name=name: report(fraction, f"reading {name}"),  # type: ignore[misc]
        )
        trajectory = _skipped(trajectory, skip_ps, path)
        report(1.0, f"correlations of {name}")
        curves, pieces = _correlations(trajectory, frame or "barycentric", regime_ps, threads)
        group = groups.setdefault((composition_key(trajectory.formula), temperature), [])
        if any(np.array_equal(other.self_A2, curves.self_A2) for other, _ in group):
            raise DataError(f"{path} holds the same positions as a trajectory before it; give every replica once.")
        group.append((curves, pieces))
        del trajectory

    measurements, correlations = [], []
    for _, group in sorted(groups.items(), key=lambda item: (str(item[0][0]), item[0][1])):
        replicas = [curves for curves, _ in group]
        pieces = [piece for _, parts in group for piece in parts]
        if frame is None:
            natural = natural_frame(replicas, regime_ps=regime_ps)
            replicas, pieces = ([in_frame(curves, natural) for curves in some] for some in (replicas, pieces))
        measured = measure_onsager(replicas, regime_ps=regime_ps, stretches=pieces)
        if viscosity_Pa_s is not None:
            measured = _corrected(measured, replicas[0], viscosity_Pa_s)
        measurements.append(measured)
        correlations.append(tuple(replicas))

    known, notes = _charges(measurements, charges)
    conductivities = tuple(
        ionic_conductivity(m, charges=known[m.formula]) if m.usable and m.formula in known else None
        for m in measurements
    )
    formulas = dict.fromkeys(measurement.formula for measurement in measurements)
    activation = {formula: fits for formula in formulas if (fits := _activation(measurements, formula))}
    if progress is not None:
        progress(1.0, "done", None)
    return Diffusion(tuple(measurements), tuple(correlations), conductivities, activation, known, notes)


def _check_viscosity(viscosity_Pa_s: tuple[float, float] | None, temperatures: Sequence[float]) -> None:
    if viscosity_Pa_s is None:
        return
    if not (viscosity_Pa_s[0] > 0 and 0 <= viscosity_Pa_s[1] < np.inf):
        raise DataError(
            f"viscosity_Pa_s is {viscosity_Pa_s[0]:g} with the error {viscosity_Pa_s[1]:g}, expected one above 0 "
            "Pa s and its standard error."
        )
    if len(set(temperatures)) > 1:
        raise DataError(
            "viscosity_Pa_s was given for several temperatures; a viscosity holds at one, so measure each alone."
        )


def _skipped(trajectory: Trajectory, skip_ps: float, path: object) -> Trajectory:
    """The trajectory without its first ``skip_ps``."""
    first = int(min(np.ceil(skip_ps / trajectory.frame_interval_ps - 1e-9), trajectory.n_frames))
    if first > trajectory.n_frames - 2:
        raise DataError(f"skip_ps is {skip_ps:g} ps, but {path} is only {trajectory.duration_ps:g} ps long; skip less.")
    return trajectory.frames(first) if first > 0 else trajectory


def _correlations(
    trajectory: Trajectory, frame: str, regime_ps: tuple[float, float] | None, threads: int | None
) -> tuple[Correlations, list[Correlations]]:
    """Displacement correlations of a trajectory and of its stretches, each at least twice as long as they must be."""
    curves = displacement_correlations(trajectory, frame=frame, threads=threads)
    start_ps = find_regime(curves, regime_ps=regime_ps).from_ps
    # a stretch must hold twice the start of the regime within its half
    number = int(min(BLOCKS, trajectory.duration_ps / (LEAST_BLOCK * start_ps)))
    if number < 2:
        return curves, []
    return curves, correlations_of_stretches(trajectory, stretches=number, frame=frame, threads=threads)


def _charges(
    measurements: Sequence[OnsagerMeasurement], charges: Mapping[str, float] | None
) -> tuple[dict[str, Mapping[str, float]], tuple[str, ...]]:
    """Charges of the elements by composition, as given or guessed, and why there are none of some."""
    there = {symbol for measurement in measurements for symbol in measurement.species}
    for symbol in charges or {}:
        if symbol not in there:
            raise DataError(f"charges name {symbol!r}, which is in no trajectory; expected {', '.join(sorted(there))}.")
    known: dict[str, Mapping[str, float]] = {}
    notes = []
    for formula in dict.fromkeys(measurement.formula for measurement in measurements):
        if charges is not None:
            known[formula] = {symbol: charges[symbol] for symbol in _elements(formula, charges)}
            continue
        try:
            known[formula] = charges_from_composition(formula)
        except DataError as error:
            notes.append(f"No conductivity of {formula}: {error}")
    return known, tuple(dict.fromkeys(notes))


def _one_for_each(paths: Sequence[str | PathLike[str]], temperatures_K: Sequence[float]) -> list[float]:
    if not paths:
        raise DataError("no trajectory was given; name one or more files.")
    seen: set[Path] = set()
    for path in (Path(path).resolve() for path in paths):
        if path in seen:
            raise DataError(f"{path.name} was given twice; give every trajectory once.")
        seen.add(path)
    for temperature in temperatures_K:
        if not 0 < temperature <= HOTTEST_K:
            raise DataError(f"temperature_K is {temperature:g}, expected a number above 0 K and up to {HOTTEST_K:g}.")
    if len(temperatures_K) == 1:
        return [float(temperatures_K[0])] * len(paths)
    if len(temperatures_K) != len(paths):
        raise DataError(
            f"temperature_K was given {len(temperatures_K)} times for {len(paths)} trajectories; give it once, or once "
            "for each trajectory in their order."
        )
    return [float(temperature) for temperature in temperatures_K]


def _corrected(
    measured: OnsagerMeasurement, curves: Correlations, viscosity_Pa_s: tuple[float, float]
) -> OnsagerMeasurement:
    """With the diffusivities of an infinite box, or with a note that there are none for this cell."""
    try:
        corrected = correct_finite_size(
            measured.D_m2_per_s,
            D_stderr=measured.D_stderr,
            cell_A=curves.cell_A,
            temperature_K=measured.temperature_K,
            viscosity_Pa_s=viscosity_Pa_s[0],
            viscosity_stderr=viscosity_Pa_s[1],
        )
    except DataError as error:
        return replace(measured, notes=(*measured.notes, f"Not corrected for the size of the box: {error}"))
    return replace(measured, finite_size=corrected, notes=(*measured.notes, *corrected.notes))


def _elements(formula: str, charges: Mapping[str, float]) -> list[str]:
    needed = [symbol for symbol, _ in composition_key(formula)]
    for symbol in needed:
        if symbol not in charges:
            raise DataError(
                f"charges has no {symbol}, which is in {formula}; give the charge of every element, such as {symbol}=2."
            )
    return needed


def _activation(measurements: Sequence[OnsagerMeasurement], formula: str) -> dict[str, ArrheniusFit]:
    """Arrhenius fits of the diffusivity of each element over the temperatures at which it is diffusive."""
    own = [measurement for measurement in measurements if measurement.formula == formula]
    fits = {}
    for i, symbol in enumerate(own[0].species):
        good = [m for m in own if m.regime.diffusive[i] and m.D_m2_per_s[i] > 0]
        if len(good) > 1:
            fits[symbol] = fit_arrhenius(
                [m.temperature_K for m in good],
                [float(m.D_m2_per_s[i]) for m in good],
                [float(m.D_stderr[i]) for m in good],
            )
    return fits


# --------------------------------------------------------------------------------------------------------------- files


def write_diffusion(found: Diffusion, out: str | PathLike[str], *, figures: bool = True) -> list[Path]:
    """Write what was found into a new or empty folder: records, a table for the furnace, curves and figures.

    ``transport.json`` holds one object for each composition and temperature (a single one as itself);
    ``transport_table.json`` the diffusive ones in the format that recipes take as ``transport``, where they are in the
    barycentric frame; ``arrhenius.json`` activation energies, where there are several temperatures; ``NAME.csv`` the
    correlation curves, Å² against ps, and ``NAME.png`` the figure of each measurement, with NAME such as
    ``BaTiO3-1500K``; ``arrhenius-FORMULA.png`` the diffusivities over 1/T.

    Args:
        found: What ``measure_trajectories`` returned.
        out: The folder.
        figures: Whether to draw.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ResultError: The folder is not empty, or is a file.
        OSError: It cannot be written to.
    """
    target = Path(out)
    check_empty(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # made beside its place and then renamed, so that it is whole or not there
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        written = _write(found, folder, target.name, figures=figures)
        folder.chmod(0o755)
        if target.exists():
            target.rmdir()
        folder.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [target / path.name for path in written]


def _write(found: Diffusion, folder: Path, name: str, *, figures: bool) -> list[Path]:
    written: list[Path] = []
    for measurement, curves in zip(found.measurements, found.correlations, strict=True):
        system = f"{measurement.formula}-{measurement.temperature_K:g}K"
        written.append(folder / f"{system}.csv")
        write_text(written[-1], _curves_csv(curves))
        if figures:
            from tammann.plot import save_figure, transport_figure

            written.append(folder / f"{system}.png")
            save_figure(transport_figure(curves, measurement), written[-1])
    with suppress(DataError):  # no measurement is one for recipes
        table = transport_table(found.measurements, name=f"{name or 'measured'}/{TABLE_FILE}")
        written.append(folder / TABLE_FILE)
        save_transport(table, written[-1])
    if figures:
        from tammann.plot import plot_arrhenius, save_figure

        for formula, fits in found.activation.items():
            written.append(folder / f"arrhenius-{formula}.png")
            save_figure(plot_arrhenius(fits), written[-1])
    if found.activation:
        written.append(folder / "arrhenius.json")
        write_text(written[-1], json.dumps(json_safe(_activation_record(found)), indent=2, allow_nan=False) + "\n")
    written.append(folder / "transport.json")
    save_measurements(written[-1], found.measurements, conductivities=found.conductivities)
    return written


def _activation_record(found: Diffusion) -> dict[str, Any]:
    """Activation energies and prefactors by composition and element, with their errors and notes."""
    return {
        formula: {
            symbol: {
                "activation_energy_eV": fit.activation_energy_eV,
                "activation_energy_stderr_eV": fit.activation_energy_stderr_eV,
                "ln_D0_m2_per_s": fit.ln_prefactor,
                "ln_D0_stderr": fit.ln_prefactor_stderr,
                "temperatures_K": fit.temperatures_K,
                "notes": fit.notes,
            }
            for symbol, fit in fits.items()
        }
        for formula, fits in found.activation.items()
    }


def _curves_csv(replicas: Sequence[Correlations]) -> str:
    """Displacement correlations at lags spread in the logarithm, the mean over replicas."""
    last = min(replica.self_A2.shape[-1] for replica in replicas) - 1
    lags = spread_lags(1, last, CURVE_POINTS)
    weights = np.stack([replica.n_frames - lags for replica in replicas]).astype(float)
    weights /= weights.sum(axis=0)
    tables = [replica.table().iloc[lags].mul(w, axis=0) for w, replica in zip(weights, replicas, strict=True)]
    return str(sum(tables[1:], tables[0]).to_csv(index=False, float_format="%.8g", lineterminator="\n"))
