"""Simulations with the integrators of this package, for engines that only compute forces."""

from __future__ import annotations

import gzip
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tammann.md.conditions import Conditions
from tammann.md.engine import Engine, Simulation, SinglePoint, Start
from tammann.md.integrators import advance, minimize_fire, sample, six_components
from tammann.md.recording import Segment
from tammann.md.state import ForceResult, Forces, MDState, initialize_state, load_state, save_state
from tammann.potentials.calculators import Potential
from tammann.structures import Configuration
from tammann.units import EV_PER_A3_IN_GPA


@dataclass(frozen=True, eq=False)
class _ForceSimulation(Simulation):
    """A box moved by ``tammann.md.integrators`` in the context ``moving``, which batches of other threads wait for."""

    state: MDState
    forces: Forces
    moving: Callable[[], AbstractContextManager[None]] = nullcontext

    def advance(self, steps: int, *, sample_every: int, frame_every: int | None = None) -> Segment:
        samples: list[np.ndarray] = []
        frames: list[str] = []
        with self.moving():
            for _ in advance(self.state, self._watched, steps, every=sample_every):
                samples.append(sample(self.state))
                if frame_every is not None and self.state.step % frame_every == 0:
                    frames.append(_frame_text(self.state))
        return Segment(np.array(samples), gzip.compress("".join(frames).encode(), compresslevel=6))

    def _watched(self, states: Sequence[MDState], stress: bool) -> Sequence[ForceResult]:
        """Return the forces, of a potential that knows these configurations; one at rest may be anything."""
        results = self.forces(states, stress)
        for state, result in zip(states, results, strict=True):
            result.check_grade(state.step)
        return results

    def minimize(self, steps: int, *, force_eV_per_A: float | None = None) -> None:
        until = {} if force_eV_per_A is None else {"force_eV_per_A": force_eV_per_A}
        with self.moving():
            minimize_fire(self.state, self.forces, steps=steps, **until)

    def single_point(self) -> SinglePoint:
        with self.moving():
            (result,) = self.forces([self.state], True)
        assert result.stress_eV_per_A3 is not None
        pressure = six_components(-result.stress_eV_per_A3 * EV_PER_A3_IN_GPA)
        return SinglePoint(result.energy_eV / len(self.state.symbols), result.forces_eV_per_A, pressure)

    def configuration(self) -> Configuration:
        return self.state.configuration()

    def save(self, path: Path) -> None:
        save_state(self.state, path)


class ForceEngine(Engine):
    """An engine that only computes forces."""

    @abstractmethod
    def forces(self, potential: Potential, symbols: Sequence[str]) -> Forces:
        """Return the function that computes the forces on atoms of given elements.

        Raises:
            DataError: The potential is missing or cannot be used, or does not know an element.
        """

    def moving(self) -> AbstractContextManager[None]:
        """Return the context in which the atoms of one thread are moved."""
        return nullcontext()

    @contextmanager
    def simulation(
        self, configuration: Configuration, potential: Potential, start: Start | None = None
    ) -> Iterator[Simulation]:
        """Open a simulation with the integrators of this package."""
        forces = self.forces(potential, configuration.symbols)
        if start is None:
            state = initialize_state(configuration, Conditions(300.0), rng=0)
        elif start.restart is not None:
            state = load_state(start.restart.path, configuration, start.conditions, step=start.restart.step)
        else:
            seed = int(np.random.default_rng(start.rng).integers(0, 2**63))
            state = initialize_state(configuration, start.conditions, ramp=start.ramp, rng=seed)
        yield _ForceSimulation(state, forces, self.moving)


def _frame_text(state: MDState) -> str:
    """Return one frame in the format of LAMMPS."""
    if np.count_nonzero(state.cell_A - np.diag(np.diag(state.cell_A))):
        kind, rows = "abc origin ", [f"{x:.9g} {y:.9g} {z:.9g} 0" for x, y, z in state.cell_A]
    else:
        kind, rows = "", [f"0 {edge:.9g}" for edge in np.diag(state.cell_A)]
    lines = [
        f"{k} {symbol} {x:.3f} {y:.3f} {z:.3f}"
        for k, (symbol, (x, y, z)) in enumerate(zip(state.symbols, state.positions_A.tolist(), strict=True), start=1)
    ]
    head = f"ITEM: TIMESTEP\n{state.step}\nITEM: NUMBER OF ATOMS\n{len(lines)}\nITEM: BOX BOUNDS {kind}pp pp pp"
    return "\n".join([head, *rows, "ITEM: ATOMS id element xu yu zu", *lines, ""])
