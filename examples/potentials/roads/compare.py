"""Fit expansions by several roads to the same frames, and compare errors, cost and speed.

    python compare.py TRAIN.extxyz TEST.extxyz OUT [ARCHITECTURE=PYTHON ...]

ARCHITECTURE is ace-jax, pacemaker or gap, and PYTHON the interpreter of its environment; those left out are not
compared. Fits that are in OUT already are kept. The result is OUT/roads.json; docs/potentials.md shows the one in
this folder.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

from tammann._version import __version__
from tammann.files import digest, json_safe, write_text
from tammann.potentials import load_potential
from tammann.potentials.calculators import calculator_of
from tammann.potentials.dataset import frame_to_atoms, read_dataset
from tammann.potentials.programs import package_version
from tammann.workflows.training import TrainingPlan, run_training

COMMON = {"cutoff_A": 5.5}
ROADS = {
    "ace": ("ace", {**COMMON, "degrees": [12, 8, 7]}),
    "ace, 458 functions": ("ace", {**COMMON, "degrees": [12, 8, 6]}),
    "ace, ladder": ("ace", {**COMMON, "degrees": [12, 8, 7], "solver": "ladder"}),
    "gap": ("gap", {**COMMON, "l_max": 3, "n_max": 4}),  # more of either needs 13 GB here
    "ace-jax": ("ace-jax", {**COMMON, "order": 2, "max_degree": 10}),
    "pacemaker": ("pacemaker", {**COMMON, "functions_per_element": 200, "ladder_step": 100, "iterations": 150}),
}
PACKAGES = {"gap": "quippy-ase", "ace-jax": "ace-jax", "pacemaker": "python-ace"}
ATOMS, STEPS = 112, 20
SPEED = """
import json, sys, time
import ase.io
kind, model, frame = sys.argv[1:]
if kind == "ace-jax":
    import jax
    jax.config.update("jax_enable_x64", True)
    from ace_jax import ACECalculator
    calculator = ACECalculator(model)
elif kind == "pacemaker":
    from pyace import PyACECalculator
    calculator = PyACECalculator(model)
else:
    from quippy.potential import Potential
    calculator = Potential(param_filename=model)
atoms = ase.io.read(frame)
atoms.calc = calculator
atoms.get_forces()
start = time.process_time()
for step in range(20):
    atoms.positions += 0.005 * (1 - 2 * (step % 2))
    atoms.get_forces()
print((time.process_time() - start) / 20)
"""


def children_s() -> float:
    """CPU time of processes that have ended, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def step_s(architecture: str, model: Path, test: Path, folder: Path, python: str | None) -> float:
    """CPU time of one step of 112 atoms, s."""
    frame = next(f for f in read_dataset(test) if f.formula == "Ba2TiO4")
    atoms = frame_to_atoms(frame).repeat((2, 2, 1))
    assert len(atoms) == ATOMS
    if python is None:
        atoms.calc = calculator_of(load_potential(str(model)))
        atoms.get_forces()
        start = time.process_time()
        for step in range(STEPS):
            atoms.positions += 0.005 * (1 - 2 * (step % 2))
            atoms.get_forces()
        return (time.process_time() - start) / STEPS
    place = folder / "speed.extxyz"
    atoms.calc = None
    atoms.write(place, format="extxyz")
    done = subprocess.run(
        [python, "-c", SPEED, architecture, str(model), str(place)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main(train: str, test: str, out: str, *pythons: str) -> None:
    """Fit, measure, and write what was found."""
    interpreters = dict(each.split("=", 1) for each in pythons)
    found = {}
    for name, (architecture, settings) in ROADS.items():
        folder = Path(out, name.replace(", ", "-").replace(" ", "-"))
        record = folder / "road.json"
        if record.exists():
            found[name] = json.loads(record.read_text(encoding="utf-8"))
            continue
        python = interpreters.get(architecture)
        if architecture != "ace" and python is None:
            continue
        plan = TrainingPlan(
            train=[os.path.abspath(train)], test=[os.path.abspath(test)], architecture=architecture,
            settings=settings, python=python,
        )  # fmt: skip
        start = time.process_time() + children_s()
        fit = run_training(plan, folder)
        cpu_s = time.process_time() + children_s() - start
        found[name] = {
            "architecture": architecture,
            "settings": settings,
            "version": package_version(PACKAGES[architecture], python=python) if python else __version__,
            "errors": fit.errors.reset_index().to_dict("records"),
            "fit_cpu_s": cpu_s,
            "step_cpu_s": step_s(architecture, fit.file, Path(test), folder, python),
        }
        write_text(record, json.dumps(json_safe(found[name]), indent=1) + "\n")
        print(
            name, found[name]["errors"][1], f"{cpu_s:.0f} s", f"{1 / found[name]['step_cpu_s']:.0f} steps/s", flush=True
        )
    about = {
        "tammann": __version__, "platform": platform.platform(), "atoms_of_a_step": ATOMS,
        "frames": {"train": len(read_dataset(train)), "test": len(read_dataset(test))},
        "sha256": {"train": digest(Path(train)), "test": digest(Path(test))},
    }  # fmt: skip
    write_text(Path(out, "roads.json"), json.dumps(json_safe({"about": about, "roads": found}), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
