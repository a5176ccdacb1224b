"""The engine torch-sim: forces on many boxes at once from a model of torch-sim, on a GPU where there is one.

The model computes forces and ``tammann.md.integrators`` moves the atoms. So each box keeps its own thermostat and
random numbers, and a batch gives what each box alone would give (the Nose-Hoover chain of torch-sim 0.3 uses the
degrees of freedom of a whole batch for each of its systems); a killed run can be resumed; and positions stay unwrapped.
Copying positions and forces between the devices at each step costs little beside the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError, TammannError
from tammann.md.batching import ForceServer
from tammann.md.driver import ForceEngine
from tammann.md.state import ForceResult, Forces, MDState
from tammann.potentials.calculators import ImportedPotential, Potential, make_chgnet, muted, one_line
from tammann.potentials.lammps_commands import LammpsCommands, only_lammps
from tammann.potentials.rigid_ions import RigidIons
from tammann.structures.configuration import wrapped
from tammann.units import EV_PER_A3_IN_GPA


class TorchSimEngine(ForceEngine):
    """Molecular dynamics with a model of torch-sim."""

    name, package, extra = "torch-sim", "torch_sim", "torch-sim"
    potentials = (ImportedPotential,)
    batched = True

    def __init__(self) -> None:
        self._server: ForceServer | None = None

    def forces(self, potential: Potential, symbols: Sequence[str]) -> Forces:
        """Return the forces of a model, computed in batches within ``batch_threads``."""
        _torch_sim()
        potential.check(symbols)

        def make() -> Forces:
            return _Batches(_model(potential), potential.name)

        if self._server is None:
            return make()
        return self._server.forces((potential, id(getattr(potential, "made", None))), make)

    def moving(self) -> AbstractContextManager[None]:
        """Return the context in which batches wait for this thread."""
        return nullcontext() if self._server is None else self._server.moving()

    @contextmanager
    def batch_threads(self) -> Iterator[None]:
        """Compute the forces on the boxes of all threads of this process in batches, within this context.

        Each thread calls ``run``, ``relax`` and ``produce`` as if it were alone. The boxes in motion share as many
        batches as the memory of the device demands. The other boxes of a batch may change the last digits of a force,
        and so the paths of the atoms, but not their statistics.

        Example:
            >>> engine = TorchSimEngine()
            >>> with engine.batch_threads():
            ...     pass
        """
        before = self._server
        with ForceServer().running() as self._server:
            try:
                yield
            finally:
                self._server = before

    def usable(self) -> bool:
        """Return whether the GPU still computes."""
        device = _device()
        if device.type == "cpu":
            return True
        try:
            return float(_torch().zeros(1, device=device).sum()) == 0.0
        except RuntimeError:
            return False


class ChgnetModel:
    """CHGNet for batches, called as torch-sim calls its models: a state in, energies, forces and stresses out."""

    def __init__(self) -> None:
        self.model = make_chgnet().model
        self.device, self.dtype = _device(), _torch().float32
        self.model.to(self.device)

    def __call__(self, state: Any) -> dict[str, Any]:
        """Return energies in eV, shape (S,), forces in eV/Å, shape (N, 3), stresses in eV/Å3, shape (S, 3, 3)."""
        torch = _torch()
        structures = state.to_structures()
        graphs = [self.model.graph_converter(structure) for structure in structures]
        predicted = self.model.predict_graph(graphs, task="efs", batch_size=len(graphs))
        predicted = predicted if isinstance(predicted, list) else [predicted]
        energies = [
            float(p["e"]) * (len(structure) if self.model.is_intensive else 1)
            for p, structure in zip(predicted, structures, strict=True)
        ]
        return {
            "energy": torch.tensor(energies),
            "forces": torch.tensor(np.concatenate([p["f"] for p in predicted])),
            "stress": torch.tensor(np.stack([p["s"] for p in predicted])) / EV_PER_A3_IN_GPA,
        }


class _Batches:
    """Forces on many boxes by as few calls of a model as the memory of the device allows."""

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name = model, name
        self.largest: int | None = None  # number of boxes that fit, once it is known that not all do

    def __call__(self, states: Sequence[MDState], stress: bool) -> list[ForceResult]:
        memory_error = _torch().cuda.OutOfMemoryError
        while True:
            size = min(self.largest or len(states), len(states))
            try:
                parts = [states[k : k + size] for k in range(0, len(states), size)]
                return [result for part in parts for result in _compute(self.model, self.name, part)]
            except memory_error:
                pass
            _torch().cuda.empty_cache()  # outside the except block, where nothing holds the failed batch any more
            if size == 1:
                raise DataError(
                    f"potential {self.name}: a box of {len(states[0].symbols)} atoms does not fit into the memory of "
                    "the device; take fewer atoms."
                )
            self.largest = size // 2


def _compute(model: Any, name: str, states: Sequence[MDState]) -> list[ForceResult]:
    """Compute energies, forces and stresses of all boxes by one call of the model."""
    torch = _torch()
    failure = ""
    try:
        with muted():
            predicted = model(_batch(model, states))
        energy, forces, stress = (
            np.asarray(predicted[key].detach().cpu(), dtype=float) for key in ("energy", "forces", "stress")
        )
    except (TammannError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as reason:  # a model of another package may raise anything
        if "out of memory" in str(reason) and isinstance(reason, RuntimeError):  # from compiled models
            raise torch.cuda.OutOfMemoryError(str(reason)) from None
        if isinstance(reason, KeyError) and reason.args == ("stress",):
            failure = (
                "its model gives no stress, which molecular dynamics of a melt needs; make it with compute_stress=True."
            )
        else:
            failure = (
                f"it failed ({one_line(reason)}); check that it knows these elements and that no two atoms are too "
                "close."
            )
    if failure:  # outside the except block, where nothing holds the failed batch any more
        raise DataError(f"potential {name}: {failure}")
    ends = np.cumsum([len(state.symbols) for state in states])[:-1]
    return [ForceResult(float(e), f, s) for e, f, s in zip(energy, np.split(forces, ends), stress, strict=True)]


def _batch(model: Any, states: Sequence[MDState]) -> Any:
    """Return the boxes as one state of torch-sim, on the device of the model."""
    torch = _torch()
    device = getattr(model, "device", None) or _device()
    dtype = getattr(model, "dtype", None) or torch.float64
    sizes = [len(state.symbols) for state in states]
    atoms = [_numbers_and_masses(tuple(state.symbols)) for state in states]
    return _torch_sim().SimState(
        # inside the cell, where single precision is finest
        positions=torch.tensor(
            np.concatenate([wrapped(s.positions_A, s.cell_A) @ s.cell_A for s in states]), device=device, dtype=dtype
        ),
        masses=torch.tensor(np.concatenate([masses for _, masses in atoms]), device=device, dtype=dtype),
        # lattice vectors are columns in torch-sim
        cell=torch.tensor(np.stack([state.cell_A.T for state in states]), device=device, dtype=dtype),
        pbc=True,
        atomic_numbers=torch.tensor(np.concatenate([z for z, _ in atoms]), device=device, dtype=torch.int64),
        system_idx=torch.tensor(np.repeat(np.arange(len(sizes)), sizes), device=device, dtype=torch.int64),
    )


def _model(potential: Potential) -> Any:
    """Make the model of a potential."""
    if isinstance(potential, ImportedPotential) and potential.name == "chgnet":
        with muted():
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


@lru_cache(maxsize=1000)
def _numbers_and_masses(symbols: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    from ase.data import atomic_numbers

    masses = atomic_masses()
    return np.array([atomic_numbers[symbol] for symbol in symbols]), np.array([masses[symbol] for symbol in symbols])


def _device() -> Any:
    torch = _torch()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _torch() -> Any:
    import torch

    return torch


def _torch_sim() -> Any:
    try:
        with muted():
            import torch_sim
    except ImportError:
        raise DataError("the engine torch-sim is not installed; pip install 'tammann[torch-sim]' brings it.") from None
    return torch_sim
