"""The engine torch-sim: forces of many systems at once from a model of torch-sim, on a GPU where there is one.

torch-sim's models give the forces, ``tammann.md.integrators`` moves the atoms. So each system
keeps a heat bath and random numbers of its own, and a batch gives what each system alone would give (the Nose-Hoover
chain of torch-sim 0.3 counts the degrees of freedom of a whole batch for each of its systems); a run can be taken up
where it was killed; and positions stay unwrapped. What moves between the devices at each step, positions and forces, is
little beside what a model computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, TammannError
from tammann.md.batching import Company
from tammann.md.conditions import Conditions, MDRun
from tammann.md.driver import Alongside, produce_handed, relax_handed, run_handed, single_point_handed
from tammann.md.integrators import ForceResult, Forces, MDState
from tammann.potentials.calculators import ImportedPotential, Potential, make_chgnet, quiet
from tammann.potentials.lammps_commands import LammpsCommands, only_lammps
from tammann.potentials.rigid_ions import RigidIons
from tammann.structures import Configuration

__all__ = [
    "ChgnetModel",
    "produce",
    "produce_many",
    "relax",
    "run",
    "run_many",
    "side_by_side",
    "single_point",
    "usable",
]


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
    """Move atoms for a while: ``run_many`` of one.

    Args:
        configuration: Where they start; without velocities they get those of ``conditions.temperature_K``.
        potential: What makes the model.
        conditions: Heat bath, step.
        duration_ps: ps.
        final_temperature_K: Of the heat bath at the end, reached in a straight line; K.
        sample_fs: Time between records, fs.
        rng: For velocities and random forces.

    Raises:
        DataError: The model cannot be had or fails, an element is unknown to it, or the run has exploded.
    """
    (run,) = run_many(
        [configuration],
        potential,
        conditions,
        duration_ps=duration_ps,
        final_temperature_K=final_temperature_K,
        sample_fs=sample_fs,
        rng=rng,
    )
    return run


def run_many(
    configurations: Sequence[Configuration],
    potential: Potential,
    conditions: Conditions,
    *,
    duration_ps: float,
    final_temperature_K: float | None = None,
    sample_fs: float = 10.0,
    rng: np.random.Generator | int | None = None,
) -> list[MDRun]:
    """Move the atoms of many systems side by side, each with a bath of its own; arguments as of ``run``.

    Raises:
        DataError: As ``run``.
    """
    forces, alongside = _forces_of(potential, configurations)
    with alongside():
        return run_handed(
            configurations,
            forces,
            conditions,
            duration_ps=duration_ps,
            final_temperature_K=final_temperature_K,
            sample_fs=sample_fs,
            rng=rng,
        )


def relax(configuration: Configuration, potential: Potential, *, steps: int = 500) -> Configuration:
    """Slide atoms downhill until no overlap of a random packing is left (FIRE, at most ``steps`` steps).

    Raises:
        DataError: The model cannot be had or fails, or an element is unknown to it.
    """
    forces, alongside = _forces_of(potential, [configuration])
    with alongside():
        (relaxed,) = relax_handed([configuration], forces, steps=steps)
    return relaxed


def single_point(configuration: Configuration, potential: Potential) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces and pressure of a configuration.

    Args:
        configuration: N atoms.
        potential: What makes the model.

    Returns:
        Potential energy in eV per atom, forces of shape (N, 3) in eV/Å, and the pressure tensor without its kinetic
        part, xx, yy, zz, xy, xz, yz, in GPa.

    Raises:
        DataError: The model cannot be had or fails, or an element is unknown to it.
    """
    forces, alongside = _forces_of(potential, [configuration])
    with alongside():
        return single_point_handed(configuration, forces)


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
    """Record a trajectory in a folder, to be taken up again where it was left: ``produce_many`` of one.

    Args:
        configuration: Where the atoms start; when the folder holds a run to go on with only its elements matter.
        potential: What makes the model.
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
        DataError: The model cannot be had or fails, an element is unknown to it, or the run has exploded.
        ResultError: The folder holds a run that cannot be gone on with.
    """
    made = produce_many(
        [configuration],
        potential,
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


def produce_many(
    configurations: Sequence[Configuration],
    potential: Potential,
    conditions: Conditions,
    folders: Sequence[str | os.PathLike[str]],
    *,
    duration_ps: float,
    frame_fs: float = 100.0,
    sample_fs: float = 10.0,
    rng: np.random.Generator | int | None = None,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Path, ...] | None:
    """Record trajectories of many systems side by side, each in a folder of its own; arguments as of ``produce``.

    A batch that was killed is taken up by the same batch.

    Returns:
        The trajectories, or None where ``stop`` ended the runs before.

    Raises:
        DataError: As ``produce``.
        ResultError: A folder holds a run that cannot be gone on with, or the runs share no step to go on from.
    """
    forces, alongside = _forces_of(potential, configurations)
    return produce_handed(
        configurations,
        forces,
        conditions,
        folders,
        duration_ps=duration_ps,
        frame_fs=frame_fs,
        sample_fs=sample_fs,
        rng=rng,
        progress=progress,
        stop=stop,
        alongside=alongside,
    )


class ChgnetModel:
    """CHGNet for batches, called as torch-sim calls its models: a state in, energies, forces and stresses out.

    torch-sim itself brings no CHGNet; the package chgnet computes several graphs at a time, and that is used here.
    """

    def __init__(self) -> None:
        calculator = make_chgnet()
        self.model = calculator.model
        self.device, self.dtype = _place()[0], _torch().float32
        self.model.to(self.device)

    def __call__(self, state: Any) -> dict[str, Any]:
        """Energies in eV, shape (S,), forces in eV/Å, shape (N, 3), stresses in eV/Å3, shape (S, 3, 3)."""
        torch = _torch()
        structures = state.to_structures()
        graphs = [self.model.graph_converter(structure) for structure in structures]
        found = self.model.predict_graph(graphs, task="efs", batch_size=len(graphs))
        found = found if isinstance(found, list) else [found]
        per_structure = zip(found, structures, strict=True)
        energies = [float(f["e"]) * (len(s) if self.model.is_intensive else 1) for f, s in per_structure]
        return {
            "energy": torch.tensor(energies),
            "forces": torch.tensor(np.concatenate([f["f"] for f in found])),
            "stress": torch.tensor(np.stack([f["s"] for f in found])) / 160.21766339999998,
        }


_company: Company | None = None


@contextmanager
def side_by_side() -> Iterator[None]:
    """Compute what several threads of this process move in batches, as long as this lasts.

    Each thread calls ``run``, ``relax`` and ``produce`` as if it were alone; the forces on all boxes that are moving
    are computed at once, in as many batches as the memory of the device asks for. What else is in a batch may change
    the last digits of a force, as it does with the model itself, and so the paths, but not their statistics.

    Example:
        >>> with side_by_side():
        ...     pass
    """
    global _company
    before = _company
    with Company().at_work() as _company:
        try:
            yield
        finally:
            _company = before


def usable() -> bool:
    """Whether the device still computes; one on which a kernel has failed never does again in this process."""
    place, there = _place()
    if not there:
        return True
    try:
        return float(_torch().zeros(1, device=place).sum()) == 0.0
    except RuntimeError:
        return False


def _forces_of(potential: Potential, configurations: Sequence[Configuration]) -> tuple[Forces, Alongside]:
    """What gives the forces on all the systems at once, and what to move them in."""
    _torch_sim()
    for configuration in configurations:
        potential.check(configuration.symbols)
    company = _company

    def make() -> Forces:
        return _Batches(_model(potential), potential.name)

    if company is None:
        return make(), nullcontext
    return company.forces((potential, id(getattr(potential, "made", None))), make), company.moves


class _Batches:
    """Forces on many systems by as few calls of a model as the memory of the device allows."""

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name = model, name
        self.most: int | None = None  # systems that fit, where it is known that not all do

    def __call__(self, states: Sequence[MDState], stress: bool) -> list[ForceResult]:
        memory_error = _torch().cuda.OutOfMemoryError
        while True:
            most = min(self.most or len(states), len(states))
            try:
                parts = [states[k : k + most] for k in range(0, len(states), most)]
                return [result for part in parts for result in _compute(self.model, self.name, part)]
            except memory_error:
                pass
            _torch().cuda.empty_cache()  # here, where nothing holds what has failed any more
            if most == 1:
                raise DataError(
                    f"potential {self.name}: a box of {len(states[0].symbols)} atoms does not fit into the memory of "
                    "the device; take fewer atoms."
                )
            self.most = most // 2


def _compute(model: Any, name: str, states: Sequence[MDState]) -> list[ForceResult]:
    """Energies, forces and stresses of all systems, by one call of the model."""
    torch, torch_sim = _torch(), _torch_sim()
    device = getattr(model, "device", None) or _place()[0]
    dtype = getattr(model, "dtype", None) or torch.float64
    sizes = [len(state.symbols) for state in states]
    atoms = [_numbers_and_masses(tuple(state.symbols)) for state in states]
    failure = ""
    try:
        state = torch_sim.SimState(
            positions=torch.tensor(np.concatenate([_wrapped(m) for m in states]), device=device, dtype=dtype),
            masses=torch.tensor(np.concatenate([masses for _, masses in atoms]), device=device, dtype=dtype),
            # its vectors are columns
            cell=torch.tensor(np.stack([state.cell_A.T for state in states]), device=device, dtype=dtype),
            pbc=True,
            atomic_numbers=torch.tensor(np.concatenate([z for z, _ in atoms]), device=device, dtype=torch.int64),
            system_idx=torch.tensor(np.repeat(np.arange(len(sizes)), sizes), device=device, dtype=torch.int64),
        )
        with quiet():
            found = model(state)
        energy, result, tensor = (
            np.asarray(found[key].detach().cpu(), dtype=float) for key in ("energy", "forces", "stress")
        )
    except (TammannError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as reason:  # anything may happen in somebody else's model
        if "out of memory" in str(reason) and isinstance(reason, RuntimeError):  # as compiled models have it
            raise torch.cuda.OutOfMemoryError(str(reason)) from None
        if isinstance(reason, KeyError) and reason.args == ("stress",):
            failure = (
                "its model gives no stress, which molecular dynamics of a melt needs; make it with compute_stress=True."
            )
        else:
            failure = (
                f"it failed ({type(reason).__name__}: {' '.join(str(reason).split())[:200]}); see whether it knows "
                "these elements and can bear atoms this close."
            )
    if failure:  # said here, where nothing holds what has failed any more
        raise DataError(f"potential {name}: {failure}")
    ends = np.cumsum(sizes)[:-1]
    return [ForceResult(float(e), f, t) for e, f, t in zip(energy, np.split(result, ends), tensor, strict=True)]


def _model(potential: Potential) -> Any:
    if isinstance(potential, ImportedPotential) and potential.name == "chgnet":
        with quiet():
            return ChgnetModel()
    made = potential.build() if isinstance(potential, ImportedPotential) else potential
    if isinstance(made, LammpsCommands):
        raise only_lammps(made)
    if isinstance(made, RigidIons):
        raise DataError(
            f"potential {potential.name}: the engine torch-sim takes chgnet or a model of its own by import path; take "
            "the engine lammps or ase with it."
        )
    if not callable(made) or hasattr(made, "implemented_properties"):
        raise DataError(
            f"potential {potential.name}: the engine torch-sim takes models of torch-sim, got {type(made).__name__}; "
            "name a callable that returns one, or take the engine ase for an ASE calculator."
        )
    return made


def _wrapped(state: MDState) -> np.ndarray:
    """Positions in the first cell, where single precision is finest."""
    fractional = state.positions_A @ np.linalg.inv(state.cell_A)
    inside: np.ndarray = (fractional - np.floor(fractional)) @ state.cell_A
    return inside


@lru_cache(maxsize=1000)
def _numbers_and_masses(symbols: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    from ase.data import atomic_numbers

    masses = atomic_masses()
    return np.array([atomic_numbers[symbol] for symbol in symbols]), np.array([masses[symbol] for symbol in symbols])


def _place() -> tuple[Any, bool]:
    """The device to compute on, and whether it is a GPU."""
    torch = _torch()
    there = bool(torch.cuda.is_available())
    return torch.device("cuda" if there else "cpu"), there


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise DataError("torch is not installed; pip install 'tammann[torch-sim]' brings it.") from None
    return torch


def _torch_sim() -> Any:
    try:
        with quiet():
            import torch_sim
    except ImportError:
        raise DataError("the engine torch-sim is not installed; pip install 'tammann[torch-sim]' brings it.") from None
    return torch_sim
