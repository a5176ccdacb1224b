"""Newton's equations in plain arrays, for engines that are handed forces by something else.

A ``Motion`` is everything a step needs and everything a restart must hold. Several of them move side by side, so that
what gives the forces may do so for many at once. Without a bath: velocity Verlet. ``langevin``: the splitting BAOAB.
``nose-hoover``: a chain of three. With a pressure: the isotropic barostat of Martyna, Tobias and Klein, whose
strain has a chain of its own. ``berendsen``: velocities scaled after each step.

Leimkuhler, Matthews, Appl. Math. Res. Express 2013, 34, doi 10.1093/amrx/abs010; Martyna, Klein, Tuckerman, J. Chem.
Phys. 1992, 97, 2635, doi 10.1063/1.463940; Martyna, Tobias, Klein, J. Chem. Phys. 1994, 101, 4177, doi
10.1063/1.467468; Berendsen et al., J. Chem. Phys. 1984, 81, 3684, doi 10.1063/1.448118.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, ResultError
from tammann.md.dynamics import Conditions
from tammann.structures import Configuration
from tammann.units import BOLTZMANN_EV_PER_K

__all__ = [
    "Forces",
    "Motion",
    "Pull",
    "advance",
    "load_motion",
    "save_motion",
    "sample",
    "slide_downhill",
    "start_motion",
]

ACCELERATION = 9648.533212331002
"""1 eV/(Å u) in Å/ps2 (CODATA 2018)."""
EV_PER_A3_IN_GPA = 160.21766339999998
CHAIN = 3
BAROSTAT_OVER_THERMOSTAT = 10.0
"""Relaxation time of the barostat over that of the thermostat, as in the engine LAMMPS."""
MOMENTUM_STEPS = 1000


@dataclass(frozen=True, eq=False)
class Pull:
    """What the atoms of a configuration feel.

    Attributes:
        energy_eV: Potential energy of all N atoms, eV.
        forces_eV_per_A: Shape (N, 3), eV/Å.
        stress_eV_per_A3: dU/d(strain)/V, shape (3, 3), eV/Å3 (its negative is pressure), or None where not asked for.
    """

    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_eV_per_A3: np.ndarray | None


Forces = Callable[[Sequence["Motion"], bool], Sequence[Pull]]
"""Gives what the atoms of each of some motions feel, with stress where the second argument says so."""


@dataclass(eq=False)
class Motion:
    """Atoms on their way; changed by every step.

    Attributes:
        symbols: Element of each of the N atoms.
        positions_A: Shape (N, 3), Å, unwrapped.
        velocities_A_per_ps: Shape (N, 3), Å/ps.
        cell_A: Shape (3, 3), Å, rows are the lattice vectors.
        conditions: Heat bath, step.
        rng: Of random forces.
        final_temperature_K: Of the heat bath after ``steps`` steps, K.
        steps: Length of the ramp to it.
        step: Steps taken.
        pull: What the atoms feel where they are; None before the first step.
        chain_per_ps: Rates of the thermostat's chain, shape (3,), 1/ps.
        strain_chain_per_ps: Likewise of the chain of the strain.
        strain_per_ps: Rate at which the edges of the cell grow, relative, 1/ps.
    """

    symbols: tuple[str, ...]
    positions_A: np.ndarray
    velocities_A_per_ps: np.ndarray
    cell_A: np.ndarray
    conditions: Conditions
    rng: np.random.Generator
    final_temperature_K: float | None = None
    steps: int = 0
    step: int = 0
    pull: Pull | None = None
    chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN))
    strain_chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN))
    strain_per_ps: float = 0.0

    def __post_init__(self) -> None:
        # masses in eV ps2/Å2, so that forces over masses are accelerations
        self.masses = np.array([atomic_masses()[s] for s in self.symbols])[:, None] / ACCELERATION
        self.freedom = max(3 * len(self.symbols) - 3, 3)

    @property
    def bath_K(self) -> float:
        """Temperature of the heat bath now, K."""
        begin = self.conditions.temperature_K
        if self.final_temperature_K is None or not self.steps:
            return begin
        return begin + (self.final_temperature_K - begin) * min(1.0, self.step / self.steps)

    @property
    def kinetic_eV(self) -> float:
        """Kinetic energy, eV."""
        return 0.5 * float((self.masses * self.velocities_A_per_ps**2).sum())

    @property
    def temperature_K(self) -> float:
        """Kinetic temperature, K; the centre of mass at rest takes three degrees of freedom."""
        return 2.0 * self.kinetic_eV / (self.freedom * BOLTZMANN_EV_PER_K)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å3."""
        return float(abs(np.linalg.det(self.cell_A)))

    def configuration(self) -> Configuration:
        """Where the atoms are now."""
        return Configuration(self.symbols, self.positions_A, self.cell_A, self.velocities_A_per_ps)


def start_motion(
    configuration: Configuration,
    conditions: Conditions,
    *,
    final_temperature_K: float | None = None,
    steps: int = 0,
    rng: np.random.Generator | int | None = None,
) -> Motion:
    """Atoms about to move; without velocities they get those of the bath, at exactly its temperature.

    Args:
        configuration: Where they start.
        conditions: Heat bath, step.
        final_temperature_K: Of the bath after ``steps`` steps, K.
        steps: Length of the ramp to it.
        rng: For velocities and random forces.
    """
    generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    n = configuration.n_atoms
    motion = Motion(
        symbols=configuration.symbols,
        positions_A=configuration.positions_A.copy(),
        velocities_A_per_ps=np.zeros((n, 3)),
        cell_A=configuration.cell_A.copy(),
        conditions=conditions,
        rng=generator,
        final_temperature_K=final_temperature_K,
        steps=steps,
    )
    if configuration.velocities_A_per_ps is not None:
        motion.velocities_A_per_ps = configuration.velocities_A_per_ps.copy()
    else:
        kT = BOLTZMANN_EV_PER_K * conditions.temperature_K
        motion.velocities_A_per_ps = generator.normal(size=(n, 3)) * np.sqrt(kT / motion.masses)
        if n > 1:
            _rest(motion)
        motion.velocities_A_per_ps *= math.sqrt(conditions.temperature_K / motion.temperature_K)
    return motion


def advance(motions: Sequence[Motion], forces: Forces, steps: int, *, every: int) -> Iterator[None]:
    """Move atoms on, stopping after every so many steps with the stress known for a record.

    Args:
        motions: What moves; each has taken as many steps as the others.
        forces: Gives what they feel.
        steps: How many.
        every: Steps between stops, counted from step zero of the motion.

    Yields:
        None, at each stop; before the first step too where nothing has moved yet.

    Raises:
        DataError: Forces that are not finite, or whatever ``forces`` raises.
    """
    always = any(motion.conditions.pressure_GPa is not None for motion in motions)
    if any(motion.pull is None for motion in motions):
        for motion, pull in zip(motions, forces(motions, True), strict=True):
            motion.pull = pull
        if motions[0].step == 0:
            yield
    for _ in range(steps):
        for motion in motions:
            _before_forces(motion)
        stop = motions[0].step % every == 0  # counted up already
        for motion, pull in zip(motions, forces(motions, stop or always), strict=True):
            if not np.isfinite(pull.forces_eV_per_A).all():
                raise DataError(exploded(motion.conditions))
            motion.pull = pull
            _after_forces(motion)
        if stop:
            yield


def exploded(conditions: Conditions) -> str:
    """What to say of a run whose atoms fly apart."""
    return (
        f"the run at {conditions.temperature_K:g} K has exploded; take a step shorter than "
        f"{conditions.timestep_fs:g} fs, a looser packing, or another potential."
    )


def sample(motion: Motion) -> np.ndarray:
    """Shape (9,): temperature in K, eV per atom, pressure xx yy zz xy xz yz in GPa, volume in Å3."""
    pull, volume = motion.pull, motion.volume_A3
    if pull is None or pull.stress_eV_per_A3 is None:
        raise ResultError("a motion can be sampled only where advance has stopped.")
    v = motion.velocities_A_per_ps
    tensor = ((motion.masses * v).T @ v / volume - pull.stress_eV_per_A3) * EV_PER_A3_IN_GPA
    six = [tensor[a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    return np.array([motion.temperature_K, pull.energy_eV / len(motion.symbols), *six, volume])


def _before_forces(motion: Motion) -> None:
    """To the end of the step as far as positions go; velocities half-way."""
    dt = motion.conditions.timestep_fs / 1000.0
    bath = motion.conditions.thermostat
    if bath == "nose-hoover":
        _chains(motion, dt / 2)
    _push_strain(motion, dt / 2)
    _kick(motion, dt / 2)
    if bath == "langevin":
        _drift(motion, dt / 2)
        rate = math.exp(-dt * 1000.0 / motion.conditions.damping_fs)
        kT = BOLTZMANN_EV_PER_K * motion.bath_K
        noise = motion.rng.normal(size=motion.positions_A.shape) * np.sqrt((1.0 - rate**2) * kT / motion.masses)
        motion.velocities_A_per_ps = rate * motion.velocities_A_per_ps + noise
        if len(motion.symbols) > 1:
            _rest(motion)
        _drift(motion, dt / 2)
    else:
        _drift(motion, dt)
    motion.step += 1


def _after_forces(motion: Motion) -> None:
    dt = motion.conditions.timestep_fs / 1000.0
    bath = motion.conditions.thermostat
    _kick(motion, dt / 2)
    _push_strain(motion, dt / 2)
    if bath == "nose-hoover":
        _chains(motion, dt / 2)
    elif bath == "berendsen":
        gain = 1.0 + dt * 1000.0 / motion.conditions.damping_fs * (motion.bath_K / motion.temperature_K - 1.0)
        motion.velocities_A_per_ps *= math.sqrt(max(gain, 0.64))  # never by more than a fifth in a step
    if bath != "none" and motion.step % MOMENTUM_STEPS == 0:
        _rest(motion)  # learned forces do not quite cancel: take out the little momentum that adds up


def _rest(motion: Motion) -> None:
    """Bring the centre of mass to rest."""
    motion.velocities_A_per_ps -= (motion.masses * motion.velocities_A_per_ps).sum(axis=0) / motion.masses.sum()


def _kick(motion: Motion, dt: float) -> None:
    assert motion.pull is not None
    drag = math.exp(-(1.0 + 3.0 / motion.freedom) * motion.strain_per_ps * dt / 2)
    v = motion.velocities_A_per_ps * drag + motion.pull.forces_eV_per_A / motion.masses * dt
    motion.velocities_A_per_ps = v * drag


def _drift(motion: Motion, dt: float) -> None:
    if motion.conditions.pressure_GPa is None:
        motion.positions_A = motion.positions_A + motion.velocities_A_per_ps * dt
        return
    half = math.exp(motion.strain_per_ps * dt / 2)
    motion.positions_A = (motion.positions_A * half + motion.velocities_A_per_ps * dt) * half
    motion.cell_A = motion.cell_A * half**2


def _push_strain(motion: Motion, dt: float) -> None:
    """Drive the strain of the cell by what the pressure lacks."""
    wanted = motion.conditions.pressure_GPa
    if wanted is None or motion.pull is None or motion.pull.stress_eV_per_A3 is None:
        return
    volume, twice = motion.volume_A3, 2.0 * motion.kinetic_eV
    excess = twice - volume * float(np.trace(motion.pull.stress_eV_per_A3)) - 3.0 * volume * wanted / EV_PER_A3_IN_GPA
    motion.strain_per_ps += dt * (excess + 3.0 * twice / motion.freedom) / _strain_mass(motion)


def _strain_mass(motion: Motion) -> float:
    period = BAROSTAT_OVER_THERMOSTAT * motion.conditions.damping_fs / 1000.0
    return 3 * (len(motion.symbols) + 1) * BOLTZMANN_EV_PER_K * motion.conditions.temperature_K * period**2


def _chains(motion: Motion, dt: float) -> None:
    kT = BOLTZMANN_EV_PER_K * motion.bath_K
    period = motion.conditions.damping_fs / 1000.0
    motion.velocities_A_per_ps *= _chain(
        motion.chain_per_ps, 2.0 * motion.kinetic_eV, kT, float(motion.freedom), period, dt
    )
    if motion.conditions.pressure_GPa is not None:
        twice = _strain_mass(motion) * motion.strain_per_ps**2
        period *= BAROSTAT_OVER_THERMOSTAT
        motion.strain_per_ps *= _chain(motion.strain_chain_per_ps, twice, kT, 1.0, period, dt)


def _chain(rates: np.ndarray, twice: float, kT: float, freedom: float, period: float, dt: float) -> float:
    """Move a chain on by ``dt``; what the velocities it holds are to be multiplied by."""
    mass = np.full(len(rates), kT * period**2)
    mass[0] *= freedom

    def push(link: int, twice: float) -> None:
        drag = math.exp(-rates[link + 1] * dt / 4) if link + 1 < len(rates) else 1.0
        load = twice - freedom * kT if link == 0 else mass[link - 1] * rates[link - 1] ** 2 - kT
        rates[link] = (rates[link] * drag + load / mass[link] * dt / 2) * drag

    for link in reversed(range(len(rates))):
        push(link, twice)
    factor = math.exp(-rates[0] * dt)
    for link in range(len(rates)):
        push(link, twice * factor**2)
    return factor


def slide_downhill(motions: Sequence[Motion], forces: Forces, *, steps: int, longest_A: float = 0.1) -> None:
    """Slide atoms downhill (FIRE) until no force is above 0.05 eV/Å or the steps are used up.

    Args:
        motions: Atoms; velocities are lost.
        forces: Gives what they feel.
        steps: At most.
        longest_A: Farthest that an atom goes in a step, Å.

    Reference:
        Bitzek et al., Phys. Rev. Lett. 2006, 97, 170201, doi 10.1103/PhysRevLett.97.170201.
    """
    pace = [(0.02, 0.1, 0) for _ in motions]  # time step with all masses alike, mixing, steps downhill in a row
    speed = [np.zeros_like(motion.positions_A) for motion in motions]
    for _ in range(steps):
        pulls = forces(motions, False)
        if all(np.abs(pull.forces_eV_per_A).max() < 0.05 for pull in pulls):
            return
        for k, (motion, pull) in enumerate(zip(motions, pulls, strict=True)):
            f = pull.forces_eV_per_A
            if not np.isfinite(f).all():
                raise DataError("forces are not finite; start from a looser packing, or take another potential.")
            dt, mixing, down = pace[k]
            if float((f * speed[k]).sum()) > 0:
                norm = np.linalg.norm(speed[k]) / max(float(np.linalg.norm(f)), 1e-12)
                speed[k] = (1.0 - mixing) * speed[k] + mixing * norm * f
                if down > 5:
                    dt, mixing = min(dt * 1.1, 0.3), mixing * 0.99
                down += 1
            else:
                speed[k], dt, mixing, down = np.zeros_like(f), dt * 0.5, 0.1, 0
            speed[k] = speed[k] + dt * f
            go = dt * speed[k]
            go *= min(1.0, longest_A / max(float(np.linalg.norm(go, axis=1).max()), 1e-12))
            motion.positions_A = motion.positions_A + go
            pace[k] = (dt, mixing, down)


def save_motion(motion: Motion) -> bytes:
    """All that is needed to go on from here, as the bytes of a file."""
    if motion.pull is None:
        raise ResultError("a motion that has not begun has nothing to save.")
    held: dict[str, Any] = {
        "symbols": np.array(motion.symbols),
        "positions_A": motion.positions_A,
        "velocities_A_per_ps": motion.velocities_A_per_ps,
        "cell_A": motion.cell_A,
        "step": motion.step,
        "chain_per_ps": motion.chain_per_ps,
        "strain_chain_per_ps": motion.strain_chain_per_ps,
        "strain_per_ps": motion.strain_per_ps,
        "rng": json.dumps(motion.rng.bit_generator.state),
    }
    file = io.BytesIO()
    np.savez(file, **held)
    return file.getvalue()


def load_motion(path: Path, configuration: Configuration, conditions: Conditions, *, step: int) -> Motion:
    """Atoms as they were saved.

    Args:
        path: A file of ``save_motion``.
        configuration: The run that it is expected to belong to.
        conditions: Heat bath, step.
        step: Expected of it.

    Raises:
        ResultError: Not such a file, or of another run.
    """
    try:
        with np.load(path) as held:
            state = json.loads(str(held["rng"]))
            rng = np.random.Generator(getattr(np.random, state["bit_generator"])())
            rng.bit_generator.state = state
            motion = Motion(
                symbols=tuple(str(s) for s in held["symbols"]),
                positions_A=held["positions_A"],
                velocities_A_per_ps=held["velocities_A_per_ps"],
                cell_A=held["cell_A"],
                conditions=conditions,
                rng=rng,
                step=int(held["step"]),
                chain_per_ps=held["chain_per_ps"],
                strain_chain_per_ps=held["strain_chain_per_ps"],
                strain_per_ps=float(held["strain_per_ps"]),
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ResultError(f"{path}: expected the state of a run of this engine, got another file ({error}).") from None
    if motion.symbols != configuration.symbols:
        raise ResultError(
            f"{path}: holds {len(motion.symbols)} atoms, expected {configuration.n_atoms}; is it this run?"
            if len(motion.symbols) != configuration.n_atoms
            else f"{path}: holds other elements than this run; is it this run?"
        )
    if motion.step != step:
        raise ResultError(f"{path}: holds step {motion.step}; was it renamed?")
    return motion
