"""Programs of other packages, run in the Python that has them.

MACE and SevenNet need different versions of e3nn, so they live in environments of their own; a trainer therefore runs
the package's own command under a Python that the user names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from tammann.errors import DataError
from tammann.files import read_json
from tammann.potentials.calculators import ModelFile, calculator_of
from tammann.potentials.dataset import DataSet, write_dataset
from tammann.potentials.frames import Frame
from tammann.potentials.response import judged, respond

TAIL_LINES = 3
POLL_SECONDS = 1.0
SCRIPT = """
import json, sys
import ase.io
kind, model, source, target = sys.argv[1:]
if kind in ("mace", "sevennet"):
    import torch
    torch.set_num_threads(1)
shifts = {}
if kind == "ace-jax":
    import jax
    jax.config.update("jax_enable_x64", True)
    from ace_jax import ACECalculator
    calculator = ACECalculator(model)
elif kind == "pacemaker":
    from pyace import PyACECalculator
    calculator = PyACECalculator(model)
    shifts = json.load(open(model.removesuffix(".pace.yaml") + ".energies.json"))
elif kind == "gap":
    from quippy.potential import Potential
    calculator = Potential(param_filename=model)
elif kind == "mace":
    from mace.calculators import MACECalculator
    net = torch.load(model, map_location="cpu", weights_only=False)
    heads = list(getattr(net, "heads", ["Default"]))
    head = next((h for h in heads if h.lower() == "default"), heads[-1])
    calculator = MACECalculator(models=[net], device="cpu", default_dtype="float64", head=head)
else:
    from sevenn.calculator import SevenNetCalculator
    calculator = SevenNetCalculator(model, device="cpu")
frames = []
for atoms in ase.io.read(source, ":"):
    atoms.wrap()
    atoms.calc = calculator
    shift = sum(shifts.get(symbol, 0.0) for symbol in atoms.get_chemical_symbols())
    frames.append({"energy": float(atoms.get_potential_energy()) + shift, "forces": atoms.get_forces().tolist(),
                   "stress": atoms.get_stress(voigt=False).tolist()})
json.dump(frames, open(target, "w"))
"""
"""What another Python runs to predict; it needs ASE and the package of the model, not this one."""
WATCH = """
import os, signal, subprocess, sys, time
parent = os.getppid()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
process = subprocess.Popen(sys.argv[1:])
try:
    while process.poll() is None:
        if os.getppid() != parent:
            sys.exit(1)
        time.sleep(0.05)
finally:
    if process.poll() is None:
        process.terminate()
sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)
"""
"""Runs a program and ends it when the process that asked for it is gone, however that ended."""
KINDS = {
    ".model": "mace",
    ".pth": "sevennet",
    ".ace-jax.npz": "ace-jax",
    ".pace.yaml": "pacemaker",
    ".xml": "gap",
}


def run_program(
    command: Sequence[str],
    folder: str | os.PathLike[str],
    *,
    log: str = "log.txt",
    threads: int = 1,
    ended: Callable[[], bool] | None = None,
) -> None:
    """Run a command in a folder and wait for it; what it prints is in the file ``log`` there.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        log: Name of the file for what it prints.
        threads: Threads that it may use.
        ended: Asked every second; once it returns true, the program is stopped, which then counts as success.

    Raises:
        DataError: There is no such program, or it failed; with the last lines that it printed.
    """
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    path = Path(folder) / log
    if shutil.which(command[0]) is None:
        raise DataError(f"{command[0]}: expected a program that runs, found none; name the Python of its environment.")
    with open(path, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", WATCH, *command], cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=variables
        )
        try:
            while True:
                try:
                    status = process.wait(timeout=None if ended is None else POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    if ended is not None and ended():
                        return
        finally:  # an interrupt too must not leave it behind
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status:
        lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        tail = " / ".join([line for line in lines if line][-TAIL_LINES:])
        name = Path(command[0]).name
        raise DataError(f"{name}: failed with exit status {status} ({tail:.400}); see {path}.")


def run_text(command: Sequence[str]) -> str:
    """Run a command and return what it prints.

    Raises:
        DataError: As ``run_program``.

    Example:
        >>> run_text([sys.executable, "-c", "print(6 * 7)"])
        '42'
    """
    with tempfile.TemporaryDirectory() as folder:
        run_program(command, folder)
        return (Path(folder) / "log.txt").read_text(encoding="utf-8").strip()


def python_of(python: str | None) -> str:
    """Return the interpreter to run: the one named, or this one."""
    return python or sys.executable


@cache
def package_version(package: str, *, python: str | None = None) -> str:
    """Return the version of an installed package in an environment.

    Raises:
        DataError: It is not installed there, or the interpreter does not run.
    """
    try:
        return run_text([python_of(python), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"])
    except DataError:
        raise DataError(
            f"python: expected an interpreter with {package} installed, got {python_of(python)}; name another or "
            "install it there."
        ) from None


def predict(model: ModelFile, dataset: DataSet, *, python: str | None = None) -> DataSet:
    """Return the frames with the energies, forces and stresses of a model.

    Args:
        model: The model; one of those in ``KINDS`` where ``python`` is given.
        dataset: Configurations.
        python: Interpreter that has the package of the model, by default this one.

    Raises:
        DataError: The model cannot be opened there, or fails on a frame.
    """
    if python is None:
        calculator = judged(calculator_of(model))
        return DataSet(tuple(_predicted(frame, calculator, model.name) for frame in dataset))
    kind = next((kind for end, kind in KINDS.items() if model.path.endswith(end)), None)
    if kind is None:
        raise DataError(
            f"{model.name}: expected a model that ends in {', '.join(KINDS)} for another Python; leave python out."
        )
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(Path(folder) / "frames.extxyz", dataset)
        run_program([python, "-c", SCRIPT, kind, os.path.abspath(model.path), "frames.extxyz", "answers.json"], folder)
        answers = read_json(Path(folder) / "answers.json")
    return DataSet(
        tuple(
            Frame(
                frame.configuration,
                answer["energy"],
                answer["forces"],
                answer["stress"],
                config_type=frame.config_type,
                trajectory=frame.trajectory,
            )
            for frame, answer in zip(dataset, answers, strict=True)
        )
    )


def _predicted(frame: Frame, calculator: object, name: str) -> Frame:
    response = respond(calculator, frame.configuration, name=f"potential {name}")
    return Frame(
        frame.configuration,
        response.energy_eV,
        response.forces_eV_per_A,
        response.stress_eV_per_A3,
        config_type=frame.config_type,
        trajectory=frame.trajectory,
    )


def write_frames(folder: Path, **datasets: DataSet) -> None:
    """Write data sets as ``NAME.extxyz`` into a folder, made where it is missing.

    Raises:
        DataError: A data set is empty, or a frame has no energy or forces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, dataset in datasets.items():
        if not len(dataset):
            raise DataError(f"{name}: expected at least one frame, got none; give more frames.")
        if any(frame.energy_eV is None or frame.forces_eV_per_A is None for frame in dataset):
            raise DataError(f"{name}: expected an energy and forces for every frame; label them first.")
        write_dataset(folder / f"{name}.extxyz", dataset)
