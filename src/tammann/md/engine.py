"""What a workflow asks of an engine of molecular dynamics, whichever package moves the atoms.

An ``Engine`` opens a ``Simulation``: the atoms of one box in motion, with a few operations on them. What a workflow
calls (``run``, ``relax``, ``single_point``, ``produce``) is written here once, in terms of these operations.
``tammann.md.load.load_engine`` returns an engine by name.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from tammann.md.conditions import Conditions, MDRun, Ramp
from tammann.md.recording import Segment, check_temperature, open_recording, record
from tammann.potentials.calculators import Potential
from tammann.structures import Configuration


class SinglePoint(NamedTuple):
    """Potential energy, eV per atom, forces, shape (N, 3), eV/Å, and pressure of N atoms at rest.

    The pressure tensor has no kinetic part: xx, yy, zz, xy, xz, yz, shape (6,), GPa.
    """

    energy_eV_per_atom: float
    forces_eV_per_A: np.ndarray
    pressure_GPa: np.ndarray


class Restart(NamedTuple):
    """A simulation saved in the file ``path`` by ``Simulation.save`` at time step ``step``."""

    path: Path
    step: int


class Start(NamedTuple):
    """How the atoms are set in motion; with a restart only the elements of the configuration are used."""

    conditions: Conditions
    ramp: Ramp | None = None
    restart: Restart | None = None
    rng: np.random.Generator | int | None = None  # for velocities and random forces


class Simulation(ABC):
    """The atoms of one box in motion; its methods change it."""

    @abstractmethod
    def advance(self, steps: int, *, sample_every: int, frame_every: int | None = None) -> Segment:
        """Take time steps and return what was recorded; step zero belongs to the first segment.

        Temperature, energy, pressure and volume are sampled every ``sample_every`` steps, and frames taken every
        ``frame_every`` steps, or none where it is None.
        """

    @abstractmethod
    def minimize(self, steps: int, *, force_eV_per_A: float | None = None) -> None:
        """Lower the energy by at most ``steps`` steps of FIRE.

        It ends earlier where no force component exceeds ``force_eV_per_A``, eV/Å, by default where the packing of a
        melt is good enough to begin with.
        """

    @abstractmethod
    def single_point(self) -> SinglePoint:
        """Return energy, forces and pressure of the present configuration."""

    @abstractmethod
    def configuration(self) -> Configuration:
        """Return the present configuration, positions unwrapped."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write all that is needed to continue from here."""


class Engine(ABC):
    """A package that moves atoms.

    Attributes:
        name: As in a plan.
        package: Python package that must be importable.
        extra: Extra of this package that installs it.
        potentials: Kinds of potential that it takes.
        batched: Whether it computes the forces on the boxes of several threads at once.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    extra: ClassVar[str]
    potentials: ClassVar[tuple[type, ...]]
    batched: ClassVar[bool] = False

    @abstractmethod
    def simulation(
        self, configuration: Configuration, potential: Potential, start: Start | None = None
    ) -> AbstractContextManager[Simulation]:
        """Open a simulation; without a start the atoms are not to move."""

    def run(
        self,
        configuration: Configuration,
        potential: Potential,
        conditions: Conditions,
        *,
        duration_ps: float,
        final_temperature_K: float | None = None,
        sample_fs: float = 10.0,
        rng: np.random.Generator | int | None = None,
    ) -> MDRun:
        """Run molecular dynamics for ``duration_ps``, with samples every ``sample_fs``.

        Velocities that are missing are drawn at ``conditions.temperature_K``; from there the temperature of the
        thermostat changes linearly to ``final_temperature_K``, where given. The engine lammps takes orthogonal cells
        only. ``rng`` serves velocities and random forces.

        Raises:
            DataError: The engine or the potential is missing or fails, an element has no parameters, or the run has
                exploded.
        """
        every = max(1, round(sample_fs / conditions.timestep_fs))
        steps = max(every, conditions.steps(duration_ps) // every * every)
        ramp = None if final_temperature_K is None else Ramp(final_temperature_K, steps)
        with self.simulation(configuration, potential, Start(conditions, ramp, rng=rng)) as simulation:
            samples = simulation.advance(steps, sample_every=every).samples
            final = simulation.configuration()
        check_temperature(samples, conditions, final_temperature_K=final_temperature_K)
        return MDRun(
            configuration=final,
            duration_ps=steps * conditions.timestep_fs / 1000.0,
            temperature_K=samples[:, 0],
            energy_eV_per_atom=samples[:, 1],
            pressure_GPa=samples[:, 2:8],
            volume_A3=samples[:, 8],
        )

    def relax(self, configuration: Configuration, potential: Potential, *, steps: int = 500) -> Configuration:
        """Relax positions in a fixed cell by at most ``steps`` steps of FIRE, which removes the overlaps of a packing.

        Velocities are dropped.

        Raises:
            DataError: As ``run``, or two atoms lie on top of each other.

        Reference:
            Bitzek et al., Phys. Rev. Lett. 2006, 97, 170201, doi 10.1103/PhysRevLett.97.170201.
        """
        with self.simulation(configuration, potential) as simulation:
            simulation.minimize(steps)
            relaxed = simulation.configuration()
        return Configuration(relaxed.symbols, relaxed.positions_A, relaxed.cell_A)

    def single_point(self, configuration: Configuration, potential: Potential) -> SinglePoint:
        """Return energy, forces and pressure of a configuration.

        Raises:
            DataError: As ``relax``.
        """
        with self.simulation(configuration, potential) as simulation:
            return simulation.single_point()

    def produce(
        self,
        configuration: Configuration,
        potential: Potential,
        conditions: Conditions,
        folder: str | os.PathLike[str],
        *,
        duration_ps: float,
        frame_fs: float = 100.0,
        sample_fs: float = 10.0,
        rng: np.random.Generator | int | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Path:
        """Record a trajectory in a folder and return its file, resuming one that is there (``tammann.md.recording``).

        The folder is made where it is missing; a run that is resumed needs ``configuration`` for its elements only. The
        whole trajectory is ``duration_ps`` long, frames are ``frame_fs`` apart, a multiple of the ``sample_fs`` between
        samples, and ``rng`` serves velocities and random forces. ``progress`` is called with the fraction done
        once a segment is on disk; what it raises ends the run there.

        Raises:
            DataError: As ``run``.
            ResultError: The folder holds a run that cannot be resumed.
        """
        lengths = {"duration_ps": duration_ps, "frame_fs": frame_fs, "sample_fs": sample_fs}
        with open_recording(folder, conditions, **lengths) as recording:
            if finished := recording.trajectory():
                return finished
            restart = None if recording.step is None else Restart(recording.restart, recording.step)
            start = Start(conditions, restart=restart, rng=rng)
            with self.simulation(configuration, potential, start) as simulation:
                every = {"sample_every": recording.sample_every, "frame_every": recording.frame_every}
                advance = partial(simulation.advance, **every)
                return record(recording, conditions, advance, simulation.save, progress=progress)

    def batch_threads(self) -> AbstractContextManager[None]:
        """Compute the forces on the boxes of all threads of this process at once, where the engine can."""
        return nullcontext()

    def usable(self) -> bool:
        """Return whether the device still computes; one whose kernel failed needs a new process."""
        return True
