"""How well the energy is conserved at constant energy: a test of a potential's smoothness, and of a time step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.integrators import advance
from tammann.md.state import Forces, initialize_state
from tammann.notebook import ShownAsTable
from tammann.structures import Configuration

if TYPE_CHECKING:
    import pandas as pd

BLOCKS = 5
FEWEST_SAMPLES = 20
GENTLE_FS, DAMPING_FS = 1.0, 25.0
"""Longest time step and damping of the thermostat before."""


@dataclass(frozen=True, eq=False, repr=False)
class EnergyDrift(ShownAsTable):
    """Total energy of runs at constant energy from the same start, each with another time step.

    Attributes:
        n_atoms: Number of atoms.
        duration_ps: Of each run, ps.
        temperature_K: Mean kinetic temperature of each run, K, shape (R,).
        timesteps_fs: Shape (R,), fs, descending.
        drift_meV_per_atom_ps: Slope of the total energy, shape (R,), meV/(atom ps).
        drift_stderr_meV_per_atom_ps: Its standard error, from blocks of the run, shape (R,).
        fluctuation_meV_per_atom: Root mean square about that line, shape (R,), meV/atom.
        times_ps: Samples of every run, shape (R, M), ps.
        energies_meV_per_atom: Total energy less that of the start, shape (R, M), meV/atom.
    """

    n_atoms: int
    duration_ps: float
    temperature_K: np.ndarray
    timesteps_fs: np.ndarray
    drift_meV_per_atom_ps: np.ndarray
    drift_stderr_meV_per_atom_ps: np.ndarray
    fluctuation_meV_per_atom: np.ndarray
    times_ps: np.ndarray
    energies_meV_per_atom: np.ndarray

    @property
    def order(self) -> float:
        """Power of the time step with which the fluctuation falls: 2 where forces are the gradient of a smooth energy.

        The slope of log(fluctuation) against log(time step), NaN for one time step.
        """
        if len(self.timesteps_fs) < 2 or not (self.fluctuation_meV_per_atom > 0).all():
            return math.nan
        slope = np.polyfit(np.log(self.timesteps_fs), np.log(self.fluctuation_meV_per_atom), 1)[0]
        return float(slope)

    def table(self) -> pd.DataFrame:
        """Return one row for each time step, fs."""
        import pandas as pd

        names = ("drift_meV_per_atom_ps", "drift_stderr_meV_per_atom_ps", "fluctuation_meV_per_atom", "temperature_K")
        return pd.DataFrame({"timestep_fs": self.timesteps_fs} | {name: getattr(self, name) for name in names})

    def __repr__(self) -> str:
        k = int(np.argmax(self.timesteps_fs))
        return (
            f"EnergyDrift({self.drift_meV_per_atom_ps[k]:.3g} ± {self.drift_stderr_meV_per_atom_ps[k]:.1g} "
            f"meV/(atom ps) at {self.timesteps_fs[k]:g} fs, falls as dt^{self.order:.1f})"
        )


def energy_drift(
    configuration: Configuration,
    forces: Forces,
    *,
    temperature_K: float,
    timesteps_fs: Sequence[float] = (2.0, 1.0, 0.5),
    duration_ps: float = 1.0,
    sample_fs: float = 4.0,
    equilibrate_ps: float = 0.5,
    rng: np.random.Generator | int | None = None,
    progress: Callable[[float], None] | None = None,
) -> EnergyDrift:
    """Run at constant energy (velocity Verlet) with several time steps from the same state, and follow the energy.

    E(t) = U + sum m v²/2. For forces that are the gradient of a smooth U it fluctuates about a constant by an amount
    proportional to dt² and does not drift; what drifts whatever the time step is a force that no energy belongs to.

    Args:
        configuration: Relaxed, or a frame of a run.
        forces: As ``AseEngine.forces`` returns them.
        temperature_K: Temperature of the start, reached by a Langevin thermostat, K.
        timesteps_fs: fs.
        duration_ps: Of each run, ps.
        sample_fs: Time between samples, fs, a multiple of all time steps.
        equilibrate_ps: Time with the thermostat before, ps, at the longest time step up to 1 fs, or the shortest.
        rng: For velocities and the thermostat.
        progress: Called with the fraction done.

    Raises:
        DataError: A run explodes, or fewer than 20 samples are asked for.

    Reference:
        Hairer, Lubich, Wanner, Acta Numer. 2003, 12, 399, doi 10.1017/S0962492902000144.
    """
    steps_fs = np.array(sorted(timesteps_fs, reverse=True), dtype=float)
    multiples = sample_fs / steps_fs
    if not np.allclose(multiples, np.round(multiples)) or multiples.min() < 0.5:
        raise DataError(f"sample_fs is {sample_fs:g}, expected a multiple of all time steps {steps_fs.tolist()} fs.")
    if duration_ps * 1000.0 / sample_fs < FEWEST_SAMPLES:
        raise DataError(
            f"duration_ps is {duration_ps:g}, expected at least {FEWEST_SAMPLES} samples of {sample_fs:g} fs."
        )
    warm_fs = float(steps_fs[steps_fs <= GENTLE_FS].max(initial=0.0)) or float(steps_fs.min())
    warm = Conditions(temperature_K, warm_fs, "langevin", DAMPING_FS)
    state = initialize_state(configuration, warm, rng=rng)
    steps = max(1, warm.steps(equilibrate_ps))
    for _ in advance(state, forces, steps, every=steps):
        pass
    start, n = state.configuration(), configuration.n_atoms
    total = float((1.0 / steps_fs).sum())
    done, times, energies, temperatures = 0.0, [], [], []
    for dt in steps_fs.tolist():
        run = initialize_state(start, replace(warm, timestep_fs=dt, thermostat="none"), rng=0)
        every = round(sample_fs / dt)
        t, e, kelvin = [], [], []
        for _ in advance(run, forces, round(duration_ps * 1000.0 / sample_fs) * every, every=every):
            assert run.result is not None
            t.append(run.step * dt / 1000.0)
            e.append((run.result.energy_eV + run.kinetic_eV) * 1000.0 / n)
            kelvin.append(run.temperature_K)
            if progress is not None:
                progress(min(1.0, (done + t[-1] / duration_ps / dt) / total))
        done += 1.0 / dt
        times.append(t)
        energies.append(np.array(e) - e[0])
        temperatures.append(float(np.mean(kelvin)))
    lines = [_line(np.array(t), e) for t, e in zip(times, energies, strict=True)]
    slope, stderr, rest = np.array(lines).T
    return EnergyDrift(
        n, duration_ps, np.array(temperatures), steps_fs, slope, stderr, rest, np.array(times), np.array(energies)
    )


def _line(t: np.ndarray, e: np.ndarray) -> tuple[float, float, float]:
    """Return the slope of e(t), its standard error, and the root mean square of what the line leaves.

    Samples are correlated: the error is that of the slope through the means of five blocks, with their scatter.
    """
    slope, offset = np.polyfit(t, e, 1)
    rest = e - slope * t - offset
    x, y = (np.array([part.mean() for part in np.array_split(series, BLOCKS)]) for series in (t, rest))
    stderr = math.sqrt(float((y**2).sum()) / (BLOCKS - 2) / float(((x - x.mean()) ** 2).sum()))
    return float(slope), stderr, float(np.sqrt((rest**2).mean()))
