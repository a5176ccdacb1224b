"""The engine ASE: any ASE calculator, moved by this package's own steps.

Slower than LAMMPS where both can do it, and needs nothing but the calculator. That is asked for forces and stress only;
the ensembles are those of ``tammann.md.integrators`` whatever the calculator.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import DataError, TammannError
from tammann.md.conditions import Conditions, MDRun
from tammann.md.driver import produce_handed, relax_handed, run_handed, single_point_handed
from tammann.md.integrators import ForceResult, Forces, MDState
from tammann.potentials.calculators import Potential, calculator_of, quiet, settle
from tammann.structures import Configuration

__all__ = ["forces_of", "produce", "relax", "run", "single_point"]


def run(
    configuration: Configuration,
    potential: Potential,
    conditions: Conditions,
    *,
    duration_ps: float,
    final_temperature_K: float | None = None,
    sample_fs: float = 10.0,
    rng: np.random.Generator | int | None = None,
) -> MDRun:
    """Move atoms for a while.

    Args:
        configuration: Where they start; without velocities they get those of ``conditions.temperature_K``.
        potential: What holds them together.
        conditions: Heat bath, step.
        duration_ps: ps.
        final_temperature_K: Of the heat bath at the end, reached in a straight line; K.
        sample_fs: Time between records, fs.
        rng: For velocities and random forces.

    Raises:
        DataError: The potential cannot be had or fails, an element is unknown to it, or the run has exploded.
    """
    (run,) = run_handed(
        [configuration],
        forces_of(potential, configuration),
        conditions,
        duration_ps=duration_ps,
        final_temperature_K=final_temperature_K,
        sample_fs=sample_fs,
        rng=rng,
    )
    return run


def relax(configuration: Configuration, potential: Potential, *, steps: int = 500) -> Configuration:
    """Slide atoms downhill until no overlap of a random packing is left (FIRE, at most ``steps`` steps).

    Raises:
        DataError: The potential cannot be had or fails, or an element is unknown to it.
    """
    (relaxed,) = relax_handed([configuration], forces_of(potential, configuration), steps=steps)
    return relaxed


def single_point(configuration: Configuration, potential: Potential) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces and pressure of a configuration.

    Args:
        configuration: N atoms.
        potential: What holds them together.

    Returns:
        Potential energy in eV per atom, forces of shape (N, 3) in eV/Å, and the pressure tensor without its kinetic
        part, xx, yy, zz, xy, xz, yz, in GPa.

    Raises:
        DataError: The potential cannot be had or fails, or an element is unknown to it.
    """
    return single_point_handed(configuration, forces_of(potential, configuration))


def produce(
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
    stop: Callable[[], bool] | None = None,
) -> Path | None:
    """Record a trajectory in a folder, to be taken up again where it was left (see ``tammann.md.recording``).

    Args:
        configuration: Where the atoms start; when the folder holds a run to go on with only its elements matter.
        potential: What holds them together.
        conditions: Heat bath, step.
        folder: Made where it is missing.
        duration_ps: Length of the whole trajectory, ps.
        frame_fs: Time between frames, fs, a multiple of ``sample_fs``.
        sample_fs: Time between records of the stress, fs.
        rng: For velocities and random forces.
        progress: Called with the fraction done.
        stop: Asked after every segment; where it says True the run is left as it stands.

    Returns:
        The trajectory, or None where ``stop`` ended the run before.

    Raises:
        DataError: The potential cannot be had or fails, an element is unknown to it, or the run has exploded.
        ResultError: The folder holds a run that cannot be gone on with.
    """
    made = produce_handed(
        [configuration],
        forces_of(potential, configuration),
        conditions,
        [folder],
        duration_ps=duration_ps,
        frame_fs=frame_fs,
        sample_fs=sample_fs,
        rng=rng,
        progress=progress,
        stop=stop,
    )
    return None if made is None else made[0]


def forces_of(potential: Potential, configuration: Configuration) -> Forces:
    """What gives the forces on the atoms of a configuration, wherever they go.

    Raises:
        DataError: The potential cannot be had, or an element is unknown to it.
    """
    from ase import Atoms

    potential = settle(potential, configuration.symbols)
    calculator = calculator_of(potential)
    atoms = Atoms(list(configuration.symbols), positions=configuration.positions_A, cell=configuration.cell_A, pbc=True)

    def result(state: MDState, stress: bool) -> ForceResult:
        atoms.set_cell(state.cell_A)
        # in the first cell: some calculators look for neighbours only so far
        atoms.set_positions(state.positions_A)
        atoms.wrap()
        return ask(calculator, atoms, potential.name, stress=stress)

    def forces(states: Sequence[MDState], stress: bool) -> list[ForceResult]:
        with quiet():
            return [result(state, stress) for state in states]

    return forces


def ask(calculator: Any, atoms: Any, name: str, *, stress: bool) -> ForceResult:
    """Energy, forces and stress of ASE atoms.

    Args:
        calculator: Of ASE.
        atoms: Of ASE.
        name: Of the potential, for what goes wrong.
        stress: Whether stress is asked for.

    Raises:
        DataError: The calculator fails.
    """
    try:
        energy = float(calculator.get_property("energy", atoms))
        forces = np.array(calculator.get_property("forces", atoms), dtype=float)
        tensor = None
        if stress:
            voigt = np.array(calculator.get_property("stress", atoms), dtype=float)
            xx, yy, zz, yz, xz, xy = voigt if voigt.shape == (6,) else voigt.reshape(9)[[0, 4, 8, 5, 2, 1]]
            tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    except TammannError:
        raise
    except Exception as reason:  # anything may happen in somebody else's calculator
        text = " ".join(str(reason).split())[:200]
        raise DataError(
            f"potential {name} failed ({type(reason).__name__}: {text}); see whether it knows these elements and can "
            "bear atoms this close."
        ) from None
    return ForceResult(energy, forces, tensor)
