"""Collect what the example gave into results.json, small enough to keep: rounds, errors, melts, the report's table.

python collect.py out results.json
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import digest, json_safe, read_json, write_text
from tammann.potentials import load_potential
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.model import AceModel
from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.evaluate import evaluate_potential
from tammann.trajectory import read_trajectory
from tammann.transport import load_transport
from tammann.workflows.active_learning import load_active_learning
from tammann.workflows.melt import load_melts

TABLES = {"pedone-2006": "tammann-2026", "published": "karan-2026"}


def errors_of(file: Path, data: DataSet) -> dict[str, float]:
    """Errors of a potential on frames."""
    return evaluate_potential(load_potential(str(file)), data).errors().iloc[0].to_dict()


def largest_grade(model: AceModel, trajectory: Path) -> float:
    """Largest grade of any atom in the frames of a trajectory; the run itself watches every step."""
    found = read_trajectory(trajectory, timestep_fs=2.0)
    calculator, grades = AceCalculator(model, grade=True), []
    from ase import Atoms

    for positions in found.positions:
        atoms = Atoms(list(found.symbols), positions=positions, cell=found.cells[0], pbc=True, calculator=calculator)
        atoms.get_potential_energy()
        grades.append(calculator.results["extrapolation_grade"])
    return float(max(grades))


def transport_of(coefficients: object) -> dict[str, dict[str, float]]:
    """L_ii and L_ii^self of each ion, 1/(J m s), and D, m2/s."""
    c = coefficients
    return {
        symbol: {
            "L": float(c.L[k, k]),
            "L_stderr": None if c.L_stderr is None else float(c.L_stderr[k, k]),
            "L_self": float(c.L_self[k]),
            "L_self_stderr": None if c.L_self_stderr is None else float(c.L_self_stderr[k]),
        }
        for k, symbol in enumerate(c.species)
    }


def not_diffusive(measurement: object) -> list[str]:
    """Ions that are not shown to diffuse."""
    return [s for s, moves in zip(measurement.species, measurement.regime.diffusive, strict=True) if not moves]


def main(out: str, target: str) -> None:
    """Write the results."""
    place = Path(out)
    test = read_dataset(place / "test.extxyz")
    potential = place / "potential" / "potential.ace.npz"
    model = AceModel.load(potential)
    active = load_active_learning(place / "active")
    melts = []
    for state in load_melts(place / "melts").states:
        trajectories = sorted(state.folder.glob("replica-*/*.gz"))
        entry = {
            "formula": state.formula,
            "temperature_K": state.temperature_K,
            "duration_ps": state.duration_ps,
            "failed": list(state.failed),
            "diffusive": state.diffusive,
            "density_g_per_cm3": None if state.melt is None else state.melt.density_g_per_cm3,
            "volume_converged": state.converged,
            "largest_grade": max((largest_grade(model, t) for t in trajectories), default=None),
            # slopes of the curves, also where they are not shown to be diffusion
            "here": None if state.measurement is None else transport_of(state.measurement.apparent),
            "not_diffusive": [] if state.measurement is None else not_diffusive(state.measurement),
            "notes": list(state.notes),
        }
        for name, source in TABLES.items():
            try:
                entry[name] = transport_of(load_transport(source).at(state.formula, state.temperature_K))
            except DataError:
                entry[name] = None
        melts.append(entry)
    report = place / "report" / "summary.json"
    found = {
        "about": {
            "tammann": __version__, "platform": platform.platform(), "potential_sha256": digest(potential),
            "plans_sha256": {p.name: digest(p) for p in sorted(Path(__file__).parent.glob("*.yaml"))},
        },
        "frames": {
            "initial": len(read_dataset(place / "train.extxyz")), "test": len(test),
            "all": len(read_dataset(place / "potential" / "train.extxyz")),
        },
        "functions_per_element": len(model.basis),
        "stop": model.active_sets[0].thresholds[1],
        "active_learning": active.as_dict(),
        "errors": {
            "first": errors_of(place / "active" / "round-0" / "potential.ace.npz", test),
            "general": errors_of(potential, test),
            "low-energy": errors_of(place / "potential" / "low-energy.ace.npz", test),
        },
        "force_rms_eV_per_A": float(np.sqrt(np.mean(np.concatenate([f.forces_eV_per_A for f in test]) ** 2))),
        "melts": melts,
        "report": read_json(report) if report.is_file() else None,
    }  # fmt: skip
    write_text(target, json.dumps(json_safe(found), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
