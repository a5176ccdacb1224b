"""Structure and diffusion of a melt under a potential, with errors, and how far two potentials differ in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tammann.characterization import pair_distribution
from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.engine import Engine
from tammann.md.starts import random_start
from tammann.md.watched import Failure, WatchedRun
from tammann.potentials.calculators import Potential
from tammann.structures import Configuration
from tammann.trajectory import Trajectory
from tammann.transport import correlations_of_stretches, displacement_correlations, measure_onsager
from tammann.workflows.potential_report.plan import MeltTask

BIN_A = 0.1
MOST_FRAMES = 1000
FEWEST_FRAMES = 10
"""Enough for g(r) in five blocks; whether also for D, the rule for the diffusive regime decides."""


@dataclass(frozen=True, eq=False, repr=False)
class MeltStructure:
    """A run of a melt: whether it survived, pair distributions and diffusivities.

    Attributes:
        potential: Name.
        n_atoms: Number of atoms.
        temperature_K: Of the thermostat, K.
        asked_ps: How long the run was to be, ps.
        survived_ps: How long it was, ps.
        failure: Why it ended early, or None.
        series: As ``WatchedRun.series``.
        steps_per_s: Speed of the run.
        pairs: Pairs of elements, such as ``Ba-O``; none where the run was too short.
        r_A: Middles of the bins, Å, shape (B,).
        g: Pair distributions, shape (P, B).
        g_stderr: Their standard errors, from five blocks of the run, shape (P, B).
        species: The S elements.
        D_m2_per_s: Tracer diffusivities from the slopes, shape (S,), m²/s.
        D_stderr: Their standard errors, shape (S,), m²/s.
        diffusive: Whether each element is shown to diffuse; where not, its D is only a slope.
        mean_energy_eV_per_atom: Mean potential energy after settling, eV per atom.
    """

    potential: str
    n_atoms: int
    temperature_K: float
    asked_ps: float
    survived_ps: float
    failure: Failure | None
    series: Any
    steps_per_s: float
    pairs: tuple[str, ...]
    r_A: np.ndarray
    g: np.ndarray
    g_stderr: np.ndarray
    species: tuple[str, ...]
    D_m2_per_s: np.ndarray
    D_stderr: np.ndarray
    diffusive: tuple[bool, ...]
    mean_energy_eV_per_atom: float

    def __repr__(self) -> str:
        end = "stable" if self.failure is None else f"{self.failure.kind} after {self.survived_ps:.3g} ps"
        return f"MeltStructure({self.potential}, {self.temperature_K:g} K, {self.asked_ps:g} ps, {end})"

    @property
    def highest_grade(self) -> float:
        """Highest extrapolation grade of the run; NaN where the potential gives none."""
        return float(self.series["grade"].max())


def melt_start(task: MeltTask, potential: Potential, engine: Engine, *, seed: int) -> Configuration:
    """Return the melt from which all potentials start: atoms at random places, relaxed and settled with one potential.

    Raises:
        DataError: The potential fails or explodes.
    """
    packing = random_start(
        task.formula,
        potential,
        atoms=task.atoms,
        volume_per_atom_A3=task.volume_per_atom_A3,
        temperature_K=task.temperature_K,
        rng=seed,
    )
    relaxed = engine.relax(packing, potential, steps=200)
    warm = Conditions(task.temperature_K, min(task.timestep_fs, 1.0), "langevin", 50.0)
    melted = engine.run(relaxed, potential, warm, duration_ps=task.settle_ps, rng=seed)
    return replace(melted.configuration, velocities_A_per_ps=None)


def melt_structure(run: WatchedRun, *, settle_ps: float) -> MeltStructure:
    """Return pair distributions and diffusivities of a run, the first ``settle_ps`` left out.

    Standard errors of g(r) are those of the mean of five blocks. Those of D are of ``measure_onsager``, checked
    against the spread over stretches of the run.
    """
    trajectory = run.trajectory
    first = 0 if trajectory is None else math.ceil(settle_ps / trajectory.frame_interval_ps)
    usable = trajectory is not None and trajectory.n_frames - first >= FEWEST_FRAMES
    pairs: tuple[str, ...] = ()
    empty = np.empty(0)
    r, g, g_stderr = empty, np.empty((0, 0)), np.empty((0, 0))
    species: tuple[str, ...] = ()
    D, D_stderr = empty, empty
    diffusive: tuple[bool, ...] = ()
    if usable:
        assert trajectory is not None
        part = trajectory.frames(first)
        pairs, r, g, g_stderr = _distributions(part)
        species, D, D_stderr, diffusive = _diffusion(part)
    late = run.series[run.series["time_ps"] >= min(settle_ps, 0.5 * run.survived_ps)]
    return MeltStructure(
        run.potential,
        run.n_atoms,
        run.temperature_K,
        run.asked_ps,
        run.survived_ps,
        run.failure,
        run.series,
        run.steps_per_s,
        pairs,
        r,
        g,
        g_stderr,
        species,
        D,
        D_stderr,
        diffusive,
        float(late["energy_eV_per_atom"].mean()),
    )


def distribution_difference(run: MeltStructure, reference: MeltStructure) -> dict[str, tuple[float, float]]:
    """Return how far the pair distributions of two runs differ, and how far they would by noise alone.

    The difference is the integral of |g - g_ref| over that of g_ref, up to half the cell; noise is the mean of the same
    for normal errors as large as the stated ones, sqrt(2/pi) times the integral of the error of g - g_ref.

    Returns:
        By pair of elements, difference and noise; nothing where one of the runs was too short.
    """
    found = {}
    for i, pair in enumerate(run.pairs):
        if pair in reference.pairs and len(run.r_A) == len(reference.r_A):
            j = reference.pairs.index(pair)
            whole = float(reference.g[j].sum())
            noise = math.sqrt(2.0 / math.pi) * float(np.hypot(run.g_stderr[i], reference.g_stderr[j]).sum())
            found[pair] = (float(np.abs(run.g[i] - reference.g[j]).sum()) / whole, noise / whole)
    return found


def diffusivity_ratios(run: MeltStructure, reference: MeltStructure) -> dict[str, tuple[float, float]]:
    """Return D over that of the reference, and its standard error, by element; only where both are diffusive."""
    found: dict[str, tuple[float, float]] = {}
    own, other = _diffusivities(run), _diffusivities(reference)
    for symbol, (D, error) in own.items():
        if symbol in other:
            D0, error0 = other[symbol]
            ratio = D / D0
            found[symbol] = (ratio, ratio * math.hypot(error / D, error0 / D0))
    return found


def _diffusivities(run: MeltStructure) -> Mapping[str, tuple[float, float]]:
    rows = zip(run.species, run.D_m2_per_s, run.D_stderr, run.diffusive, strict=True)
    return {symbol: (float(D), float(error)) for symbol, D, error, moves in rows if moves and D > 0}


def _distributions(trajectory: Trajectory) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    found = pair_distribution(trajectory, bin_A=BIN_A, frames=MOST_FRAMES, threads=1)
    assert found.stderr is not None  # of fewer than five frames no distribution is made
    upper = np.triu_indices(len(found.species))
    return tuple(f"{a}-{b}" for a, b in found.pairs), found.r_A, found.partial[upper], found.stderr[upper]


def _diffusion(trajectory: Trajectory) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, tuple[bool, ...]]:
    try:
        curves = displacement_correlations(trajectory, threads=1)
        measured = measure_onsager(curves, stretches=correlations_of_stretches(trajectory, stretches=4, threads=1))
    except DataError:  # too short for a regime
        return (), np.empty(0), np.empty(0), ()
    assert measured.apparent.L_self_stderr is not None
    D, error = (x * measured.kT_over_c for x in (measured.apparent.L_self, measured.apparent.L_self_stderr))
    return measured.species, D, error, tuple(bool(moves) for moves in measured.regime.diffusive)
