"""Newton's equations in plain arrays, for engines that are handed forces by something else.

A ``MDState`` is everything a step needs and everything a restart must hold. Several of them move side by side, so that
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
from tammann.md.conditions import Conditions
from tammann.structures import Configuration
from tammann.units import BOLTZMANN_EV_PER_K

__all__ = [
    "Forces",
    "MDState",
    "ForceResult",
    "advance",
    "load_state",
    "save_state",
    "sample",
    "minimize_fire",
    "initialize_state",
]

ACCELERATION = 9648.533212331002
"""1 eV/(Å u) in Å/ps2 (CODATA 2018)."""
EV_PER_A3_IN_GPA = 160.21766339999998
CHAIN = 3
BAROSTAT_OVER_THERMOSTAT = 10.0
"""Relaxation time of the barostat over that of the thermostat, as in the engine LAMMPS."""
MOMENTUM_STEPS = 1000


@dataclass(frozen=True, eq=False)
class ForceResult:
    """What the atoms of a configuration feel.

    Attributes:
        energy_eV: Potential energy of all N atoms, eV.
        forces_eV_per_A: Shape (N, 3), eV/Å.
        stress_eV_per_A3: dU/d(strain)/V, shape (3, 3), eV/Å3 (its negative is pressure), or None where not asked for.
    """

    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_eV_per_A3: np.ndarray | None


Forces = Callable[[Sequence["MDState"], bool], Sequence[ForceResult]]
"""Gives what the atoms of each of some states feel, with stress where the second argument says so."""


@dataclass(eq=False)
class MDState:
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
        result: What the atoms feel where they are; None before the first step.
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
    result: ForceResult | None = None
    chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN))
    strain_chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN))
    strain_per_ps: float = 0.0

    def __post_init__(self) -> None:
        # masses in eV ps2/Å2, so that forces over masses are accelerations
        self.masses = np.array([atomic_masses()[s] for s in self.symbols])[:, None] / ACCELERATION
        self.degrees_of_freedom = max(3 * len(self.symbols) - 3, 3)

    @property
    def target_temperature_K(self) -> float:
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
        return 2.0 * self.kinetic_eV / (self.degrees_of_freedom * BOLTZMANN_EV_PER_K)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å3."""
        return float(abs(np.linalg.det(self.cell_A)))

    def configuration(self) -> Configuration:
        """Where the atoms are now."""
        return Configuration(self.symbols, self.positions_A, self.cell_A, self.velocities_A_per_ps)


def initialize_state(
    configuration: Configuration,
    conditions: Conditions,
    *,
    final_temperature_K: float | None = None,
    steps: int = 0,
    rng: np.random.Generator | int | None = None,
) -> MDState:
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
    state = MDState(
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
        state.velocities_A_per_ps = configuration.velocities_A_per_ps.copy()
    else:
        kT = BOLTZMANN_EV_PER_K * conditions.temperature_K
        state.velocities_A_per_ps = generator.normal(size=(n, 3)) * np.sqrt(kT / state.masses)
        if n > 1:
            _rest(state)
        state.velocities_A_per_ps *= math.sqrt(conditions.temperature_K / state.temperature_K)
    return state


def advance(states: Sequence[MDState], forces: Forces, steps: int, *, every: int) -> Iterator[None]:
    """Move atoms on, stopping after every so many steps with the stress known for a record.

    Args:
        states: What moves; each has taken as many steps as the others.
        forces: Gives what they feel.
        steps: How many.
        every: Steps between stops, counted from step zero of the state.

    Yields:
        None, at each stop; before the first step too where nothing has moved yet.

    Raises:
        DataError: Forces that are not finite, or whatever ``forces`` raises.
    """
    always = any(state.conditions.pressure_GPa is not None for state in states)
    if any(state.result is None for state in states):
        for state, result in zip(states, forces(states, True), strict=True):
            state.result = result
        if states[0].step == 0:
            yield
    for _ in range(steps):
        for state in states:
            _before_forces(state)
        stop = states[0].step % every == 0  # counted up already
        for state, result in zip(states, forces(states, stop or always), strict=True):
            if not np.isfinite(result.forces_eV_per_A).all():
                raise DataError(exploded(state.conditions))
            state.result = result
            _after_forces(state)
        if stop:
            yield


def exploded(conditions: Conditions) -> str:
    """What to say of a run whose atoms fly apart."""
    return (
        f"the run at {conditions.temperature_K:g} K has exploded; take a step shorter than "
        f"{conditions.timestep_fs:g} fs, a looser packing, or another potential."
    )


def sample(state: MDState) -> np.ndarray:
    """Shape (9,): temperature in K, eV per atom, pressure xx yy zz xy xz yz in GPa, volume in Å3."""
    result, volume = state.result, state.volume_A3
    if result is None or result.stress_eV_per_A3 is None:
        raise ResultError("a motion can be sampled only where advance has stopped.")
    v = state.velocities_A_per_ps
    tensor = ((state.masses * v).T @ v / volume - result.stress_eV_per_A3) * EV_PER_A3_IN_GPA
    six = [tensor[a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    return np.array([state.temperature_K, result.energy_eV / len(state.symbols), *six, volume])


def _before_forces(state: MDState) -> None:
    """To the end of the step as far as positions go; velocities half-way."""
    dt = state.conditions.timestep_fs / 1000.0
    bath = state.conditions.thermostat
    if bath == "nose-hoover":
        _chains(state, dt / 2)
    _push_strain(state, dt / 2)
    _kick(state, dt / 2)
    if bath == "langevin":
        _drift(state, dt / 2)
        rate = math.exp(-dt * 1000.0 / state.conditions.damping_fs)
        kT = BOLTZMANN_EV_PER_K * state.target_temperature_K
        noise = state.rng.normal(size=state.positions_A.shape) * np.sqrt((1.0 - rate**2) * kT / state.masses)
        state.velocities_A_per_ps = rate * state.velocities_A_per_ps + noise
        if len(state.symbols) > 1:
            _rest(state)
        _drift(state, dt / 2)
    else:
        _drift(state, dt)
    state.step += 1


def _after_forces(state: MDState) -> None:
    dt = state.conditions.timestep_fs / 1000.0
    bath = state.conditions.thermostat
    _kick(state, dt / 2)
    _push_strain(state, dt / 2)
    if bath == "nose-hoover":
        _chains(state, dt / 2)
    elif bath == "berendsen":
        gain = 1.0 + dt * 1000.0 / state.conditions.damping_fs * (
            state.target_temperature_K / state.temperature_K - 1.0
        )
        state.velocities_A_per_ps *= math.sqrt(max(gain, 0.64))  # never by more than a fifth in a step
    if bath != "none" and state.step % MOMENTUM_STEPS == 0:
        _rest(state)  # learned forces do not quite cancel: take out the little momentum that adds up


def _rest(state: MDState) -> None:
    """Bring the centre of mass to rest."""
    state.velocities_A_per_ps -= (state.masses * state.velocities_A_per_ps).sum(axis=0) / state.masses.sum()


def _kick(state: MDState, dt: float) -> None:
    assert state.result is not None
    drag = math.exp(-(1.0 + 3.0 / state.degrees_of_freedom) * state.strain_per_ps * dt / 2)
    v = state.velocities_A_per_ps * drag + state.result.forces_eV_per_A / state.masses * dt
    state.velocities_A_per_ps = v * drag


def _drift(state: MDState, dt: float) -> None:
    if state.conditions.pressure_GPa is None:
        state.positions_A = state.positions_A + state.velocities_A_per_ps * dt
        return
    half = math.exp(state.strain_per_ps * dt / 2)
    state.positions_A = (state.positions_A * half + state.velocities_A_per_ps * dt) * half
    state.cell_A = state.cell_A * half**2


def _push_strain(state: MDState, dt: float) -> None:
    """Drive the strain of the cell by what the pressure lacks."""
    wanted = state.conditions.pressure_GPa
    if wanted is None or state.result is None or state.result.stress_eV_per_A3 is None:
        return
    volume, twice = state.volume_A3, 2.0 * state.kinetic_eV
    excess = twice - volume * float(np.trace(state.result.stress_eV_per_A3)) - 3.0 * volume * wanted / EV_PER_A3_IN_GPA
    state.strain_per_ps += dt * (excess + 3.0 * twice / state.degrees_of_freedom) / _strain_mass(state)


def _strain_mass(state: MDState) -> float:
    period = BAROSTAT_OVER_THERMOSTAT * state.conditions.damping_fs / 1000.0
    return 3 * (len(state.symbols) + 1) * BOLTZMANN_EV_PER_K * state.conditions.temperature_K * period**2


def _chains(state: MDState, dt: float) -> None:
    kT = BOLTZMANN_EV_PER_K * state.target_temperature_K
    period = state.conditions.damping_fs / 1000.0
    state.velocities_A_per_ps *= _chain(
        state.chain_per_ps, 2.0 * state.kinetic_eV, kT, float(state.degrees_of_freedom), period, dt
    )
    if state.conditions.pressure_GPa is not None:
        twice = _strain_mass(state) * state.strain_per_ps**2
        period *= BAROSTAT_OVER_THERMOSTAT
        state.strain_per_ps *= _chain(state.strain_chain_per_ps, twice, kT, 1.0, period, dt)


def _chain(rates: np.ndarray, twice: float, kT: float, degrees_of_freedom: float, period: float, dt: float) -> float:
    """Move a chain on by ``dt``; what the velocities it holds are to be multiplied by."""
    mass = np.full(len(rates), kT * period**2)
    mass[0] *= degrees_of_freedom

    def push(link: int, twice: float) -> None:
        drag = math.exp(-rates[link + 1] * dt / 4) if link + 1 < len(rates) else 1.0
        load = twice - degrees_of_freedom * kT if link == 0 else mass[link - 1] * rates[link - 1] ** 2 - kT
        rates[link] = (rates[link] * drag + load / mass[link] * dt / 2) * drag

    for link in reversed(range(len(rates))):
        push(link, twice)
    factor = math.exp(-rates[0] * dt)
    for link in range(len(rates)):
        push(link, twice * factor**2)
    return factor


def minimize_fire(states: Sequence[MDState], forces: Forces, *, steps: int, longest_A: float = 0.1) -> None:
    """Slide atoms downhill (FIRE) until no force is above 0.05 eV/Å or the steps are used up.

    Args:
        states: Atoms; velocities are lost.
        forces: Gives what they feel.
        steps: At most.
        longest_A: Farthest that an atom goes in a step, Å.

    Reference:
        Bitzek et al., Phys. Rev. Lett. 2006, 97, 170201, doi 10.1103/PhysRevLett.97.170201.
    """
    pace = [(0.02, 0.1, 0) for _ in states]  # time step with all masses alike, mixing, steps downhill in a row
    speed = [np.zeros_like(state.positions_A) for state in states]
    for _ in range(steps):
        results = forces(states, False)
        if all(np.abs(result.forces_eV_per_A).max() < 0.05 for result in results):
            return
        for k, (state, result) in enumerate(zip(states, results, strict=True)):
            f = result.forces_eV_per_A
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
            state.positions_A = state.positions_A + go
            pace[k] = (dt, mixing, down)


def save_state(state: MDState) -> bytes:
    """All that is needed to go on from here, as the bytes of a file."""
    if state.result is None:
        raise ResultError("a motion that has not begun has nothing to save.")
    held: dict[str, Any] = {
        "symbols": np.array(state.symbols),
        "positions_A": state.positions_A,
        "velocities_A_per_ps": state.velocities_A_per_ps,
        "cell_A": state.cell_A,
        "step": state.step,
        "chain_per_ps": state.chain_per_ps,
        "strain_chain_per_ps": state.strain_chain_per_ps,
        "strain_per_ps": state.strain_per_ps,
        "rng": json.dumps(state.rng.bit_generator.state),
    }
    file = io.BytesIO()
    np.savez(file, **held)
    return file.getvalue()


def load_state(path: Path, configuration: Configuration, conditions: Conditions, *, step: int) -> MDState:
    """Atoms as they were saved.

    Args:
        path: A file of ``save_state``.
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
            state = MDState(
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
    if state.symbols != configuration.symbols:
        raise ResultError(
            f"{path}: holds {len(state.symbols)} atoms, expected {configuration.n_atoms}; is it this run?"
            if len(state.symbols) != configuration.n_atoms
            else f"{path}: holds other elements than this run; is it this run?"
        )
    if state.step != step:
        raise ResultError(f"{path}: holds step {state.step}; was it renamed?")
    return state
