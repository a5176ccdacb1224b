"""The state of a simulation with forces from elsewhere: everything that a time step needs and a restart must hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, ResultError
from tammann.md.conditions import Conditions, Ramp
from tammann.structures import Configuration
from tammann.units import BOLTZMANN_EV_PER_K, EV_PER_A_U_IN_A_PER_PS2

CHAIN_LENGTH = 3
SAVED = ("positions_A", "velocities_A_per_ps", "cell_A", "step", "chain_per_ps", "strain_chain_per_ps", "strain_per_ps")


@dataclass(frozen=True, eq=False)
class ForceResult:
    """Energy and forces of a configuration.

    Attributes:
        energy_eV: Potential energy of all N atoms, eV.
        forces_eV_per_A: Shape (N, 3), eV/Å.
        stress_eV_per_A3: dU/d(strain)/V, shape (3, 3), eV/Å3 (its negative is pressure), or None where not computed.
        grade: Largest extrapolation grade of an atom, or None where the potential has none.
        stop_above: Grade above which atoms are not to be moved by these forces, or None.
    """

    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_eV_per_A3: np.ndarray | None
    grade: float | None = None
    stop_above: float | None = None

    def check_grade(self, step: int) -> None:
        """Refuse forces of a potential that has left its training data.

        Raises:
            DataError: The grade is above ``stop_above``.
        """
        if self.grade is not None and self.stop_above is not None and not self.grade <= self.stop_above:
            raise DataError(
                f"potential left its training data at step {step}: its extrapolation grade is {self.grade:.3g}, above "
                f"{self.stop_above:g}; add such configurations by active learning, or lower the temperature."
            )


Forces = Callable[[Sequence["MDState"], bool], Sequence[ForceResult]]
"""Computes the forces in each of several states; the second argument asks for the stress too."""


@dataclass(eq=False)
class MDState:
    """Atoms in motion; mutable, changed by every time step.

    Attributes:
        symbols: Element of each of the N atoms.
        positions_A: Shape (N, 3), Å, unwrapped.
        velocities_A_per_ps: Shape (N, 3), Å/ps.
        cell_A: Shape (3, 3), Å, rows are the lattice vectors.
        conditions: Thermostat, barostat, time step.
        rng: For random forces.
        ramp: Change of the thermostat's temperature from step zero on; constant where None.
        step: Time steps taken.
        result: Energy and forces at the present positions; None before the first step.
        chain_per_ps: Rates of the Nose-Hoover chain of the thermostat, shape (3,), 1/ps.
        strain_chain_per_ps: Rates of the chain of the barostat, shape (3,), 1/ps.
        strain_per_ps: Relative growth rate of the cell edges, 1/ps.
    """

    symbols: tuple[str, ...]
    positions_A: np.ndarray
    velocities_A_per_ps: np.ndarray
    cell_A: np.ndarray
    conditions: Conditions
    rng: np.random.Generator
    ramp: Ramp | None = None
    step: int = 0
    result: ForceResult | None = None
    chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN_LENGTH))
    strain_chain_per_ps: np.ndarray = field(default_factory=lambda: np.zeros(CHAIN_LENGTH))
    strain_per_ps: float = 0.0

    def __post_init__(self) -> None:
        # in eV ps2/Å2, so that forces over masses are accelerations
        self.masses = np.array([atomic_masses()[s] for s in self.symbols])[:, None] / EV_PER_A_U_IN_A_PER_PS2
        self.degrees_of_freedom = max(3 * len(self.symbols) - 3, 3)

    @property
    def target_temperature_K(self) -> float:
        """Present temperature of the thermostat, K."""
        initial = self.conditions.temperature_K
        if self.ramp is None:
            return initial
        return initial + (self.ramp.final_temperature_K - initial) * min(1.0, self.step / self.ramp.steps)

    @property
    def kinetic_eV(self) -> float:
        """Kinetic energy, eV."""
        return 0.5 * float((self.masses * self.velocities_A_per_ps**2).sum())

    @property
    def temperature_K(self) -> float:
        """Kinetic temperature, K; the fixed centre of mass takes three degrees of freedom."""
        return 2.0 * self.kinetic_eV / (self.degrees_of_freedom * BOLTZMANN_EV_PER_K)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å3."""
        return float(abs(np.linalg.det(self.cell_A)))

    def configuration(self) -> Configuration:
        """Return the present configuration."""
        return Configuration(self.symbols, self.positions_A, self.cell_A, self.velocities_A_per_ps)

    def remove_momentum(self) -> None:
        """Bring the centre of mass to rest."""
        self.velocities_A_per_ps -= (self.masses * self.velocities_A_per_ps).sum(axis=0) / self.masses.sum()


def initialize_state(
    configuration: Configuration,
    conditions: Conditions,
    *,
    ramp: Ramp | None = None,
    rng: np.random.Generator | int | None = None,
) -> MDState:
    """Return the state before the first step; missing velocities are drawn, at exactly the temperature wanted.

    ``rng`` serves velocities and random forces.
    """
    generator = np.random.default_rng(rng)
    n, velocities = configuration.n_atoms, configuration.velocities_A_per_ps
    state = MDState(
        symbols=configuration.symbols,
        positions_A=configuration.positions_A.copy(),
        velocities_A_per_ps=np.zeros((n, 3)) if velocities is None else velocities.copy(),
        cell_A=configuration.cell_A.copy(),
        conditions=conditions,
        rng=generator,
        ramp=ramp,
    )
    if velocities is None:
        kT = BOLTZMANN_EV_PER_K * conditions.temperature_K
        state.velocities_A_per_ps = generator.normal(size=(n, 3)) * np.sqrt(kT / state.masses)
        if n > 1:
            state.remove_momentum()
        state.velocities_A_per_ps *= math.sqrt(conditions.temperature_K / state.temperature_K)
    return state


def save_state(state: MDState, path: Path) -> None:
    """Write all that is needed to continue a run that has begun."""
    arrays: dict[str, Any] = {name: getattr(state, name) for name in SAVED}
    with path.open("wb") as file:
        np.savez(file, symbols=np.array(state.symbols), rng=json.dumps(state.rng.bit_generator.state), **arrays)


def load_state(path: Path, configuration: Configuration, conditions: Conditions, *, step: int) -> MDState:
    """Return the state that ``save_state`` wrote at time step ``step`` of a run with the elements of ``configuration``.

    Anything else is refused.
    """
    try:
        with np.load(path) as arrays:
            generator = json.loads(str(arrays["rng"]))
            rng = np.random.Generator(getattr(np.random, generator["bit_generator"])())
            rng.bit_generator.state = generator
            state = MDState(
                symbols=tuple(map(str, arrays["symbols"])),
                conditions=conditions,
                rng=rng,
                **{name: arrays[name] if arrays[name].ndim else arrays[name].item() for name in SAVED},
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
