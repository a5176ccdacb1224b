"""The volume of a melt at a given pressure, by runs at several volumes or at constant pressure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tammann.errors import DataError
from tammann.md.block_average import block_stderr
from tammann.md.conditions import MDRun
from tammann.structures import Configuration

EQUILIBRATION = 0.25
"""Fraction of a run that is left out of its means."""
MODEL_ERROR = 0.1
"""Relative error of the equation of state itself, so that runs near the pressure wanted weigh most."""
EXTRAPOLATION = (0.85, 1.2)
"""Limits of the next volume, relative to the smallest and the largest tried."""
VOLUME_TOLERANCE = 0.01
LENGTHENING = 1.4
"""Ratio of the lengths of successive runs at fitted volumes: in a viscous melt of 200 atoms, means of the pressure over
15 ps scatter by 0.3 GPa."""


@dataclass(frozen=True)
class VolumePoint:
    """Means of a run at one volume.

    Attributes:
        volume_A3: Å3.
        pressure_GPa: Mean pressure, GPa.
        pressure_stderr_GPa: Its standard error by block averaging, GPa.
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


Run = Callable[[Configuration, float], MDRun]
"""Runs molecular dynamics from a configuration for a time in ps, with any engine."""
Checkpoint = Callable[[Configuration, tuple[VolumePoint, ...]], None]
"""Saves a search: the configuration to continue from and all runs so far."""


@dataclass(frozen=True)
class EquationOfState:
    """A Birch-Murnaghan fit of pressures.

    Attributes:
        volume_A3: Volume at the pressure wanted, Å3; None where the curve does not reach it.
        bulk_modulus_GPa: B = -V dP/dV there, GPa; None with ``volume_A3``.
    """

    volume_A3: float | None
    bulk_modulus_GPa: float | None


@dataclass(frozen=True, eq=False)
class MeltVolume:
    """The result of a search for the volume of a melt.

    Attributes:
        configuration: The atoms after the last run.
        points: All runs, in order.
        fit: The last fit; all None where no curve was fitted.
        converged: Whether the last run met the criteria.
        notes: Cautions, one sentence each.
    """

    configuration: Configuration
    points: tuple[VolumePoint, ...] = field(repr=False)
    fit: EquationOfState
    converged: bool
    notes: tuple[str, ...] = ()


def fit_equation_of_state(points: Sequence[VolumePoint], *, pressure_GPa: float = 0.0) -> EquationOfState:
    """Fit P(V) to runs at several volumes.

    P(V) = y**(5/2) (c0 + c1 y + c2 y**2), y = (Vr/V)**(2/3), is the third-order Birch-Murnaghan equation in a form that
    is linear in its constants (Vr is the mean volume). Weights are 1/(s**2 + (0.1 P)**2 + (0.01 GPa)**2), where s**2 is
    the variance of the mean pressure over the length of a run, estimated from all runs together: the error estimated
    from a single run of a few picoseconds is too uncertain to weigh it by.

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
    volumes, pressures = (np.array([getattr(p, name) for p in points]) for name in ("volume_A3", "pressure_GPa"))
    grid = np.linspace(EXTRAPOLATION[0] * volumes.min(), EXTRAPOLATION[1] * volumes.max(), 4001)
    curve = _powers(reference, grid) @ c - pressure_GPa
    slope = np.gradient(curve, grid)
    # a mechanically stable melt: compression raises the pressure
    crossings = np.flatnonzero((curve[:-1] > 0) & (curve[1:] <= 0))
    volume = modulus = None
    if crossings.size:
        nearest = crossings[np.argmin(np.abs(grid[crossings] - volumes[np.argmin(np.abs(pressures - pressure_GPa))]))]
        share = curve[nearest] / (curve[nearest] - curve[nearest + 1])
        volume = float(grid[nearest] + (grid[1] - grid[0]) * share)
        modulus = float(-volume * slope[nearest])
    return EquationOfState(volume, modulus)


def _powers(reference: float, volumes: np.ndarray) -> np.ndarray:
    y = (reference / np.asarray(volumes, dtype=float)) ** (2.0 / 3.0)
    return np.stack([y**2.5, y**3.5, y**4.5], axis=-1)


def _curve(points: Sequence[VolumePoint], pressure_GPa: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the reference volume, the constants of P(V) and their covariance, fitted to all runs."""
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
    target = pressures / np.sqrt(variance)
    inverse = np.linalg.pinv(design)
    c = inverse @ target
    degrees = len(points) - 3
    misfit = float(((design @ c - target) ** 2).sum()) / degrees if degrees else 1.0
    return reference, c, max(misfit, 1.0) * inverse @ inverse.T


def fitted_pressure(points: Sequence[VolumePoint], volume_A3: float, pressure_GPa: float = 0.0) -> tuple[float, float]:
    """Return the pressure at a volume as fitted to three or more runs, and its standard error, GPa.

    The standard error is scaled up where the runs scatter about the fit by more than their own errors. Runs near the
    pressure wanted, ``pressure_GPa``, weigh most.

    Raises:
        DataError: Fewer than three volumes.
    """
    reference, c, covariance = _curve(points, pressure_GPa)
    powers = _powers(reference, np.array(volume_A3))
    return float(powers @ c), float(np.sqrt(powers @ covariance @ powers))


def find_volume(
    configuration: Configuration,
    run: Run,
    *,
    scales: Sequence[float] = (0.8, 1.0, 1.2),
    scale_ps: float = 4.0,
    hold_ps: float = 20.0,
    attempts: int = 8,
    pressure_GPa: float = 0.0,
    pressure_tolerance_GPa: float = 0.1,
    energy_tolerance_eV_per_atom: float = 0.01,
    points: Sequence[VolumePoint] = (),
    checkpoint: Checkpoint = lambda *_: None,
) -> MeltVolume:
    """Find the volume at which a melt has a given pressure, by runs at fixed volumes.

    Runs of ``scale_ps`` at three or more ``scales`` times the initial volume are fitted; then each run at the fitted
    volume enters the next fit, the first of ``hold_ps``, each later one 1.4 times as long as the one before. The search
    has converged when the fitted pressure at that volume is within ``pressure_tolerance_GPa`` of the one wanted,
    standard error included, the mean pressure of the last run agrees with it within two of its own standard errors, and
    the energies of its two halves differ by at most ``energy_tolerance_eV_per_atom``. After ``attempts`` runs at fitted
    volumes the last one is returned as not converged.

    ``checkpoint`` is called after every run. An interrupted search resumes from the last configuration and runs
    (``points``) given to it.

    Raises:
        DataError: Fewer than three scales; whatever ``run`` raises.

    Reference:
        Aykol, Dwaraknath, Sun, Persson, Sci. Adv. 2018, 4, eaaq0148, doi 10.1126/sciadv.aaq0148.
    """
    done = list(points)
    start = configuration.volume_A3
    for scale in scales[len(done) :]:
        done.append(_point(run(configuration.at_volume(scale * start), scale_ps)))
        checkpoint(configuration, tuple(done))
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
        result = run(configuration.at_volume(_next_volume(fit, done, pressure_GPa)), holds[held])
        configuration = result.configuration
        done.append(_point(result))
        checkpoint(configuration, tuple(done))
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
    """Return the simulated time of a search by ``find_volume`` that does not converge, ps.

    Example:
        >>> round(longest_search_ps((0.8, 1.0, 1.2), 4.0, 20.0, 2), 1)
        60.0
    """
    return len(scales) * scale_ps + sum(_holds(hold_ps, attempts))


def _holds(hold_ps: float, attempts: int) -> list[float]:
    return [hold_ps * LENGTHENING**k for k in range(attempts)]


def equilibrate_volume(
    configuration: Configuration,
    run: Run,
    *,
    hold_ps: float = 20.0,
    attempts: int = 8,
    energy_tolerance_eV_per_atom: float = 0.01,
    points: Sequence[VolumePoint] = (),
    checkpoint: Checkpoint = lambda *_: None,
) -> MeltVolume:
    """Find the volume of a melt by letting it change in runs of ``hold_ps`` under constant pressure.

    Runs are repeated, ``attempts`` at most, until the mean volumes of the two halves of a run differ by at most 1 % and
    its mean energies by at most ``energy_tolerance_eV_per_atom``; the melt is returned at the mean volume of that run.
    A melt of low density can evaporate on the way, so runs at fixed volumes are the default. ``checkpoint`` is called
    after every run but the last; an interrupted search resumes as in ``find_volume``.

    Raises:
        DataError: Whatever ``run`` raises.
    """
    done = list(points)
    change, converged = math.inf, False
    while not converged and len(done) < attempts:
        result = run(configuration, hold_ps)
        done.append(_point(result))
        volumes = result.volume_A3[int(EQUILIBRATION * len(result.volume_A3)) :]
        half = len(volumes) // 2
        change = abs(float(volumes[half:].mean() - volumes[:half].mean())) / done[-1].volume_A3
        configuration = result.configuration
        steady = abs(done[-1].energy_drift_eV_per_atom) <= energy_tolerance_eV_per_atom
        converged = change <= VOLUME_TOLERANCE and steady
        if not converged and len(done) < attempts:
            checkpoint(configuration, tuple(done))
    note = f"The volume had not settled after {attempts} runs: it still moved by {100 * change:.1f} % in the last one."
    at_mean = configuration.at_volume(done[-1].volume_A3)
    return MeltVolume(at_mean, tuple(done), EquationOfState(None, None), converged, () if converged else (note,))


def _next_volume(fit: EquationOfState, points: Sequence[VolumePoint], pressure_GPa: float) -> float:
    """Return the fitted volume, else one between runs on both sides of the pressure, else one beyond all runs."""
    if fit.volume_A3 is not None:
        return fit.volume_A3
    # noise can keep the fitted curve from crossing the pressure wanted although there are runs on both sides of it
    ordered = sorted(points, key=lambda point: point.volume_A3)
    around = [(one, other) for one, other in pairwise(ordered) if one.pressure_GPa > pressure_GPa >= other.pressure_GPa]
    if around:
        latest = points[-1].volume_A3
        one, other = min(around, key=lambda pair: abs(pair[0].volume_A3 + pair[1].volume_A3 - 2.0 * latest))
        share = (one.pressure_GPa - pressure_GPa) / (one.pressure_GPa - other.pressure_GPa)
        return one.volume_A3 * (other.volume_A3 / one.volume_A3) ** share
    smallest, largest = ordered[0], ordered[-1]
    if largest.pressure_GPa > pressure_GPa:
        return largest.volume_A3 * EXTRAPOLATION[1]
    return smallest.volume_A3 * EXTRAPOLATION[0]


def _point(run: MDRun) -> VolumePoint:
    skip = int(EQUILIBRATION * len(run.temperature_K))
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
