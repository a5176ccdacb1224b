"""Equations of motion in plain arrays, for engines that only compute forces.

``none``: velocity Verlet. ``langevin``: the BAOAB splitting. ``nose-hoover``: a Nose-Hoover chain of three; with a
pressure, the isotropic barostat of Martyna, Tobias and Klein, whose strain has a chain of its own. ``berendsen``:
velocities rescaled after each step.

Leimkuhler, Matthews, Appl. Math. Res. Express 2013, 34, doi 10.1093/amrx/abs010; Martyna, Klein, Tuckerman, J. Chem.
Phys. 1992, 97, 2635, doi 10.1063/1.463940; Martyna, Tobias, Klein, J. Chem. Phys. 1994, 101, 4177, doi
10.1063/1.467468; Berendsen et al., J. Chem. Phys. 1984, 81, 3684, doi 10.1063/1.448118.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tammann.errors import DataError, ResultError
from tammann.md.conditions import explosion
from tammann.md.state import Forces, MDState
from tammann.units import BOLTZMANN_EV_PER_K, EV_PER_A3_IN_GPA

BAROSTAT_OVER_THERMOSTAT = 10.0
"""Relaxation time of the barostat over that of the thermostat, as in the engine LAMMPS."""
MOMENTUM_STEPS = 1000
CONVERGED_EV_PER_A = 0.05
LONGEST_MOVE_A = 0.1


def advance(state: MDState, forces: Forces, steps: int, *, every: int) -> Iterator[None]:
    """Take time steps, pausing at multiples of ``every``, where the stress is known and ``sample`` may be called.

    Steps are counted from step zero of the state, which is a pause too; the state is changed in place. Forces that are
    not finite are refused.
    """
    if state.result is None:
        (state.result,) = forces([state], True)
        if state.step == 0:
            yield
    for _ in range(steps):
        _before_forces(state)
        pause = state.step % every == 0
        (result,) = forces([state], pause or state.conditions.pressure_GPa is not None)
        if not np.isfinite(result.forces_eV_per_A).all():
            raise explosion(state.conditions)
        state.result = result
        _after_forces(state)
        if pause:
            yield


def sample(state: MDState) -> np.ndarray:
    """Return temperature in K, energy in eV per atom, pressure xx yy zz xy xz yz in GPa, volume in Å3, shape (9,)."""
    result, volume = state.result, state.volume_A3
    if result is None or result.stress_eV_per_A3 is None:
        raise ResultError("a state can be sampled only where advance pauses.")
    v = state.velocities_A_per_ps
    pressure = ((state.masses * v).T @ v / volume - result.stress_eV_per_A3) * EV_PER_A3_IN_GPA
    return np.array([state.temperature_K, result.energy_eV / len(state.symbols), *six_components(pressure), volume])


def six_components(tensor: np.ndarray) -> np.ndarray:
    """Return xx, yy, zz, xy, xz, yz of a symmetric tensor."""
    return np.array([tensor[a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))])


def _before_forces(state: MDState) -> None:
    """Move positions by a whole step and velocities by half a step."""
    dt = state.conditions.timestep_fs / 1000.0
    thermostat = state.conditions.thermostat
    if thermostat == "nose-hoover":
        _advance_chains(state, dt / 2)
    _accelerate_strain(state, dt / 2)
    _kick(state, dt / 2)
    if thermostat == "langevin":
        _drift(state, dt / 2)
        decay = math.exp(-dt * 1000.0 / state.conditions.damping_fs)
        kT = BOLTZMANN_EV_PER_K * state.target_temperature_K
        noise = state.rng.normal(size=state.positions_A.shape) * np.sqrt((1.0 - decay**2) * kT / state.masses)
        state.velocities_A_per_ps = decay * state.velocities_A_per_ps + noise
        if len(state.symbols) > 1:
            state.remove_momentum()
        _drift(state, dt / 2)
    else:
        _drift(state, dt)
    state.step += 1


def _after_forces(state: MDState) -> None:
    """Move velocities by the second half of the step."""
    dt = state.conditions.timestep_fs / 1000.0
    thermostat = state.conditions.thermostat
    _kick(state, dt / 2)
    _accelerate_strain(state, dt / 2)
    if thermostat == "nose-hoover":
        _advance_chains(state, dt / 2)
    elif thermostat == "berendsen":
        scale = 1.0 + dt * 1000.0 / state.conditions.damping_fs * (
            state.target_temperature_K / state.temperature_K - 1.0
        )
        state.velocities_A_per_ps *= math.sqrt(max(scale, 0.64))  # by a fifth at most
    if thermostat != "none" and state.step % MOMENTUM_STEPS == 0:
        state.remove_momentum()  # learned forces do not quite sum to zero


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


def _accelerate_strain(state: MDState, dt: float) -> None:
    """Change the strain rate of the barostat by the difference of the pressures."""
    target = state.conditions.pressure_GPa
    if target is None or state.result is None or state.result.stress_eV_per_A3 is None:
        return
    volume, twice_kinetic = state.volume_A3, 2.0 * state.kinetic_eV
    virial = volume * float(np.trace(state.result.stress_eV_per_A3))
    excess = twice_kinetic - virial - 3.0 * volume * target / EV_PER_A3_IN_GPA
    state.strain_per_ps += dt * (excess + 3.0 * twice_kinetic / state.degrees_of_freedom) / _strain_mass(state)


def _strain_mass(state: MDState) -> float:
    period = BAROSTAT_OVER_THERMOSTAT * state.conditions.damping_fs / 1000.0
    return 3 * (len(state.symbols) + 1) * BOLTZMANN_EV_PER_K * state.conditions.temperature_K * period**2


def _advance_chains(state: MDState, dt: float) -> None:
    """Advance the Nose-Hoover chains of the thermostat and the barostat, and scale what they act on."""
    kT = BOLTZMANN_EV_PER_K * state.target_temperature_K
    period = state.conditions.damping_fs / 1000.0
    state.velocities_A_per_ps *= _advance_chain(
        state.chain_per_ps, 2.0 * state.kinetic_eV, kT, float(state.degrees_of_freedom), period, dt
    )
    if state.conditions.pressure_GPa is not None:
        twice_kinetic = _strain_mass(state) * state.strain_per_ps**2
        period *= BAROSTAT_OVER_THERMOSTAT
        state.strain_per_ps *= _advance_chain(state.strain_chain_per_ps, twice_kinetic, kT, 1.0, period, dt)


def _advance_chain(
    rates: np.ndarray, twice_kinetic: float, kT: float, degrees_of_freedom: float, period: float, dt: float
) -> float:
    """Advance a Nose-Hoover chain by ``dt``; return the factor that scales the velocities it controls."""
    mass = np.full(len(rates), kT * period**2)
    mass[0] *= degrees_of_freedom

    def accelerate(link: int, twice_kinetic: float) -> None:
        drag = math.exp(-rates[link + 1] * dt / 4) if link + 1 < len(rates) else 1.0
        if link == 0:
            force = twice_kinetic - degrees_of_freedom * kT
        else:
            force = mass[link - 1] * rates[link - 1] ** 2 - kT
        rates[link] = (rates[link] * drag + force / mass[link] * dt / 2) * drag

    for link in reversed(range(len(rates))):
        accelerate(link, twice_kinetic)
    factor = math.exp(-rates[0] * dt)
    for link in range(len(rates)):
        accelerate(link, twice_kinetic * factor**2)
    return factor


def minimize_fire(state: MDState, forces: Forces, *, steps: int, force_eV_per_A: float = CONVERGED_EV_PER_A) -> None:
    """Lower the energy by at most ``steps`` steps of FIRE until no force component exceeds ``force_eV_per_A``, eV/Å.

    Changes the positions in place and uses no velocities; refuses forces that are not finite.

    Reference:
        Bitzek et al., Phys. Rev. Lett. 2006, 97, 170201, doi 10.1103/PhysRevLett.97.170201.
    """
    dt, mixing, downhill = 0.02, 0.1, 0  # time step with all masses alike, mixing, consecutive downhill steps
    velocity = np.zeros_like(state.positions_A)
    for _ in range(steps):
        (result,) = forces([state], False)
        f = result.forces_eV_per_A
        if np.abs(f).max() < force_eV_per_A:
            return
        if not np.isfinite(f).all():
            raise DataError("forces are not finite; start from a looser packing, or take another potential.")
        if float((f * velocity).sum()) > 0:
            norm = np.linalg.norm(velocity) / max(float(np.linalg.norm(f)), 1e-12)
            velocity = (1.0 - mixing) * velocity + mixing * norm * f
            if downhill > 5:
                dt, mixing = min(dt * 1.1, 0.3), mixing * 0.99
            downhill += 1
        else:
            velocity, dt, mixing, downhill = np.zeros_like(f), dt * 0.5, 0.1, 0
        velocity = velocity + dt * f
        move = dt * velocity
        move *= min(1.0, LONGEST_MOVE_A / max(float(np.linalg.norm(move, axis=1).max()), 1e-12))
        state.positions_A = state.positions_A + move
