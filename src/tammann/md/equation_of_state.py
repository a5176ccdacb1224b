"""The volume at which a melt is at rest: runs at a few volumes, a fit, and runs at the fitted one until it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tammann.errors import DataError
from tammann.md.block_average import block_stderr
from tammann.md.conditions import MDRun
from tammann.structures import Configuration

__all__ = [
    "EquationOfState",
    "MeltVolume",
    "VolumePoint",
    "find_volume",
    "fit_equation_of_state",
    "fitted_pressure",
    "let_volume_settle",
    "longest_search_ps",
]

SETTLING = 0.25
"""Share of a run that is left out of its means."""
MODEL_ERROR = 0.1
"""Relative error granted to the equation of state itself, so that runs near rest decide."""
REACH = (0.85, 1.2)
"""How far beyond the smallest and largest volume tried the next one may lie."""
LONGER = 1.4
"""Each run at a fitted volume is so much longer than the one before: in a viscous melt of 200 atoms, means of the
pressure over 15 ps scatter by 0.3 GPa."""


@dataclass(frozen=True)
class VolumePoint:
    """What a run at one volume gave.

    Attributes:
        volume_A3: Å3.
        pressure_GPa: Mean pressure, GPa.
        pressure_stderr_GPa: Standard error of it from blocks, GPa.
        energy_eV_per_atom: Mean potential energy, eV per atom.
        energy_drift_eV_per_atom: Second half's mean minus the first half's, eV per atom.
        temperature_K: Mean temperature, K.
        duration_ps: ps.
    """

    volume_A3: float
    pressure_GPa: float
    pressure_stderr_GPa: float
    energy_eV_per_atom: float
    energy_drift_eV_per_atom: float
    temperature_K: float
    duration_ps: float


Keep = Callable[[Configuration, tuple[VolumePoint, ...]], None]
"""What writes a search down, to be gone on with."""


@dataclass(frozen=True)
class EquationOfState:
    """A Birch-Murnaghan curve through pressures, and a parabola through energies.

    Attributes:
        volume_A3: Where the pressure is as asked for, Å3; None where the curve does not get there.
        bulk_modulus_GPa: B = -V dP/dV there, GPa; None likewise.
        energy_minimum_A3: Where E(V) is lowest, Å3, or None where E(V) bends the other way; it differs from
            ``volume_A3`` by the thermal pressure, so it is a check and not the answer.
    """

    volume_A3: float | None
    bulk_modulus_GPa: float | None
    energy_minimum_A3: float | None


@dataclass(frozen=True, eq=False)
class MeltVolume:
    """A melt at the volume found for it.

    Attributes:
        configuration: The atoms after the last run there.
        points: All runs, in their order.
        fit: The last fit; without any figures where no curve was fitted.
        converged: Whether the last run met the criteria; what has not converged is to be flagged wherever it is used.
        notes: What is to be known about it.
    """

    configuration: Configuration
    points: tuple[VolumePoint, ...]
    fit: EquationOfState
    converged: bool
    notes: tuple[str, ...] = ()


def fit_equation_of_state(points: Sequence[VolumePoint], *, pressure_GPa: float = 0.0) -> EquationOfState:
    """Fit P(V) and E(V) of some runs.

    P(V) = y**(5/2) (c0 + c1 y + c2 y**2), y = (Vr/V)**(2/3), is the Birch-Murnaghan equation of third order in a form
    that is linear in its constants (Vr is the mean volume); weights are 1/(s**2 + (0.1 P)**2 + (0.01 GPa)**2). s**2 is
    the variance of a mean over that time, as all runs together tell it: one run of some picoseconds knows its own error
    too badly to be weighed by it.

    Args:
        points: At least three runs at different volumes.
        pressure_GPa: Of the volume looked for, GPa.

    Raises:
        DataError: Fewer than three volumes.

    Reference:
        Birch, Phys. Rev. 1947, 71, 809, doi 10.1103/PhysRev.71.809.

    Example:
        >>> def point(volume, pressure):
        ...     return VolumePoint(volume, pressure, 0.01, 0.0, 0.0, 2000.0, 4.0)
        >>> fit = fit_equation_of_state([point(80.0, 5.0), point(100.0, 0.0), point(120.0, -2.0)])
        >>> round(fit.volume_A3, 3)
        100.0
    """
    reference, c, _ = _curve(points, pressure_GPa)
    volumes = np.array([p.volume_A3 for p in points])
    pressures = np.array([p.pressure_GPa for p in points])

    grid = np.linspace(REACH[0] * volumes.min(), REACH[1] * volumes.max(), 4001)
    curve = _powers(reference, grid) @ c - pressure_GPa
    slope = np.gradient(curve, grid)
    # only where compression raises the pressure is the melt one that can be at rest
    crossings = np.flatnonzero((curve[:-1] > 0) & (curve[1:] <= 0))
    volume = modulus = None
    if crossings.size:
        nearest = crossings[np.argmin(np.abs(grid[crossings] - volumes[np.argmin(np.abs(pressures - pressure_GPa))]))]
        span = curve[nearest] - curve[nearest + 1]
        volume = float(grid[nearest] + (grid[1] - grid[0]) * (curve[nearest] / span if span else 0.5))
        modulus = float(-volume * slope[nearest])

    energies = np.array([p.energy_eV_per_atom for p in points])
    bend, tilt, _ = np.polyfit(volumes / reference, energies, 2)
    minimum = float(-tilt / (2.0 * bend) * reference) if bend > 0 else None
    return EquationOfState(volume, modulus, minimum)


def _powers(reference: float, volumes: np.ndarray) -> np.ndarray:
    y = (reference / np.asarray(volumes, dtype=float)) ** (2.0 / 3.0)
    return np.stack([y**2.5, y**3.5, y**4.5], axis=-1)


def _curve(points: Sequence[VolumePoint], pressure_GPa: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Reference volume, constants and their covariance, of P(V) through all runs."""
    volumes = np.array([p.volume_A3 for p in points])
    if len(np.unique(volumes.round(9))) < 3:
        raise DataError(f"an equation of state needs three volumes or more, got {len(np.unique(volumes.round(9)))}.")
    pressures = np.array([p.pressure_GPa for p in points])
    durations = np.array([p.duration_ps for p in points])
    errors = np.array([p.pressure_stderr_GPa if math.isfinite(p.pressure_stderr_GPa) else 1.0 for p in points])
    density = float(np.average(errors**2 * durations, weights=durations))  # GPa² ps, the same at all volumes
    variance = density / durations + (MODEL_ERROR * (pressures - pressure_GPa)) ** 2 + 0.01**2
    reference = float(volumes.mean())
    design = _powers(reference, volumes) / np.sqrt(variance)[:, None]
    aim = pressures / np.sqrt(variance)
    inverse = np.linalg.pinv(design)
    c = inverse @ aim
    freedom = len(points) - 3
    misfit = float(((design @ c - aim) ** 2).sum()) / freedom if freedom else 1.0
    return reference, c, max(misfit, 1.0) * inverse @ inverse.T


def fitted_pressure(points: Sequence[VolumePoint], volume_A3: float, pressure_GPa: float = 0.0) -> tuple[float, float]:
    """Pressure at a volume as all runs together tell it, and its standard error, GPa.

    The standard error grows with the misfit of the runs, where that is larger than their own errors explain.

    Args:
        points: At least three runs at different volumes.
        volume_A3: Å3.
        pressure_GPa: Of the volume looked for, GPa: runs near it weigh most.

    Raises:
        DataError: Fewer than three volumes.
    """
    reference, c, covariance = _curve(points, pressure_GPa)
    powers = _powers(reference, np.array(volume_A3))
    return float(powers @ c), float(np.sqrt(powers @ covariance @ powers))


def find_volume(
    configuration: Configuration,
    advance: Callable[[Configuration, float], MDRun],
    *,
    scales: Sequence[float] = (0.8, 1.0, 1.2),
    scale_ps: float = 4.0,
    hold_ps: float = 20.0,
    attempts: int = 8,
    pressure_GPa: float = 0.0,
    pressure_tolerance_GPa: float = 0.1,
    energy_tolerance_eV_per_atom: float = 0.01,
    points: Sequence[VolumePoint] = (),
    keep: Keep | None = None,
) -> MeltVolume:
    """Find the volume at which a melt has a given pressure, by runs at fixed volumes.

    Runs at ``scales`` times the volume given, a fit, then runs at the fitted volume, each 1.4 times as long as the one
    before and fitted again with all the runs so far. It has converged when the pressure at that volume, as all runs
    together tell it, is within ``pressure_tolerance_GPa`` of the one asked for, standard error included, when the mean
    of the last run does not contradict that by more than two of its own, and when the energies of its two halves differ
    by no more than ``energy_tolerance_eV_per_atom``. After ``attempts`` of them the last one is handed back, flagged.

    A search that was interrupted goes on from the last configuration and runs that ``keep`` was given.

    Args:
        configuration: The melt, at a volume that need not be good.
        advance: Moves a configuration on at fixed volume for so many ps (any engine).
        scales: Volumes of the first runs, as multiples, at least three.
        scale_ps: Length of each of them, ps.
        hold_ps: Length of the first run at a fitted volume, ps.
        attempts: Most runs at fitted volumes.
        pressure_GPa: GPa.
        pressure_tolerance_GPa: GPa.
        energy_tolerance_eV_per_atom: eV per atom.
        points: Runs of this search that have been done already.
        keep: Called after every run with the configuration to go on from and all runs so far.

    Raises:
        DataError: Fewer than three scales; whatever ``advance`` raises.

    Reference:
        Aykol, Dwaraknath, Sun, Persson, Sci. Adv. 2018, 4, eaaq0148, doi 10.1126/sciadv.aaq0148.
    """
    done = list(points)
    start = configuration.volume_A3
    for scale in scales[len(done) :]:
        done.append(_point(advance(configuration.at_volume(scale * start), scale_ps)))
        if keep is not None:
            keep(configuration, tuple(done))
    holds = _holds(hold_ps, attempts)
    converged, pressure, stderr = False, math.nan, math.nan
    while True:
        fit = fit_equation_of_state(done, pressure_GPa=pressure_GPa)
        held, last = len(done) - len(scales), done[-1]
        if held:
            pressure, stderr = fitted_pressure(done, last.volume_A3, pressure_GPa)
            converged = (
                abs(pressure - pressure_GPa) + stderr <= pressure_tolerance_GPa
                and abs(last.pressure_GPa - pressure_GPa) <= pressure_tolerance_GPa + 2.0 * last.pressure_stderr_GPa
                and abs(last.energy_drift_eV_per_atom) <= energy_tolerance_eV_per_atom
            )
        if converged or held >= attempts:
            break
        run = advance(configuration.at_volume(_next_volume(fit, done, pressure_GPa)), holds[held])
        configuration = run.configuration
        done.append(_point(run))
        if keep is not None:
            keep(configuration, tuple(done))
    notes: list[str] = []
    if not converged:
        notes.append(
            f"The volume had not converged after {attempts} runs: the pressure there is {pressure:+.2f} ± {stderr:.2f} "
            f"GPa by all runs, {last.pressure_GPa:+.2f} ± {last.pressure_stderr_GPa:.2f} GPa by the last one, whose "
            f"energy moved by {1000 * last.energy_drift_eV_per_atom:+.1f} meV per atom."
        )
    if fit.bulk_modulus_GPa is not None and fit.bulk_modulus_GPa < 1.0:
        notes.append(f"The bulk modulus comes out as {fit.bulk_modulus_GPa:.2f} GPa: hardly a condensed phase.")
    return MeltVolume(configuration, tuple(done), fit, converged, tuple(notes))


def longest_search_ps(scales: Sequence[float], scale_ps: float, hold_ps: float, attempts: int) -> float:
    """Time that ``find_volume`` takes where it does not converge, ps.

    Example:
        >>> round(longest_search_ps((0.8, 1.0, 1.2), 4.0, 20.0, 2), 1)
        60.0
    """
    return len(scales) * scale_ps + sum(_holds(hold_ps, attempts))


def _holds(hold_ps: float, attempts: int) -> list[float]:
    return [hold_ps * LONGER**k for k in range(attempts)]


def let_volume_settle(
    configuration: Configuration,
    advance: Callable[[Configuration, float], MDRun],
    *,
    hold_ps: float = 20.0,
    attempts: int = 8,
    volume_tolerance: float = 0.01,
    energy_tolerance_eV_per_atom: float = 0.01,
    points: Sequence[VolumePoint] = (),
    keep: Keep | None = None,
) -> MeltVolume:
    """Find the volume of a melt by letting it change under constant pressure.

    Runs until the mean volumes of the two halves of one differ by less than ``volume_tolerance`` and its mean energies
    by less than ``energy_tolerance_eV_per_atom``; the melt is handed back at the mean volume of that run. A melt of low
    density can evaporate on the way, which is why runs at fixed volumes are the default.

    Args:
        configuration: The melt, at a volume that need not be good.
        advance: Moves a configuration on at constant pressure for so many ps (any engine).
        hold_ps: Length of each run, ps.
        attempts: Most runs.
        volume_tolerance: Relative.
        energy_tolerance_eV_per_atom: eV per atom.
        points: Runs of this search that have been done already.
        keep: Called after every run that is not the last with the configuration to go on from and all runs so far.

    Raises:
        DataError: Whatever ``advance`` raises.
    """
    done = list(points)
    moved = math.inf
    while len(done) < attempts:
        run = advance(configuration, hold_ps)
        done.append(_point(run))
        volumes = run.volume_A3[int(SETTLING * len(run.volume_A3)) :]
        half = len(volumes) // 2
        moved = abs(float(volumes[half:].mean() - volumes[:half].mean())) / done[-1].volume_A3
        configuration = run.configuration
        if moved <= volume_tolerance and abs(done[-1].energy_drift_eV_per_atom) <= energy_tolerance_eV_per_atom:
            return _settled(configuration, done, converged=True)
        if keep is not None and len(done) < attempts:
            keep(configuration, tuple(done))
    note = f"The volume had not settled after {attempts} runs: it still moved by {100 * moved:.1f} % in the last one."
    return _settled(configuration, done, converged=False, notes=(note,))


def _settled(
    configuration: Configuration, points: list[VolumePoint], *, converged: bool, notes: tuple[str, ...] = ()
) -> MeltVolume:
    at_mean = configuration.at_volume(points[-1].volume_A3)
    return MeltVolume(at_mean, tuple(points), EquationOfState(None, None, None), converged, notes)


def _next_volume(fit: EquationOfState, points: Sequence[VolumePoint], pressure_GPa: float) -> float:
    volumes = [p.volume_A3 for p in points]
    if fit.volume_A3 is not None:
        return fit.volume_A3
    # noise can leave the curve no volume at rest though runs lie on both sides of it: between two about the latest one
    ordered = sorted(points, key=lambda point: point.volume_A3)
    around = [(one, other) for one, other in pairwise(ordered) if one.pressure_GPa > pressure_GPa >= other.pressure_GPa]
    if around:
        latest = points[-1].volume_A3
        one, other = min(around, key=lambda pair: abs(pair[0].volume_A3 + pair[1].volume_A3 - 2.0 * latest))
        share = (one.pressure_GPa - pressure_GPa) / (one.pressure_GPa - other.pressure_GPa)
        return one.volume_A3 * (other.volume_A3 / one.volume_A3) ** share
    # none within reach: as far as reach goes, on the side that pushes
    low, high = min(volumes), max(volumes)
    widest = points[volumes.index(high)]
    return high * REACH[1] if widest.pressure_GPa > pressure_GPa else low * REACH[0]


def _point(run: MDRun) -> VolumePoint:
    skip = int(SETTLING * len(run.temperature_K))
    pressure = run.isotropic_pressure_GPa()[skip:]
    energy = run.energy_eV_per_atom[skip:]
    half = len(energy) // 2
    return VolumePoint(
        volume_A3=float(run.volume_A3[skip:].mean()),
        pressure_GPa=float(pressure.mean()),
        pressure_stderr_GPa=block_stderr(pressure),
        energy_eV_per_atom=float(energy.mean()),
        energy_drift_eV_per_atom=float(energy[half:].mean() - energy[:half].mean()),
        temperature_K=float(run.temperature_K[skip:].mean()),
        duration_ps=run.duration_ps,
    )
