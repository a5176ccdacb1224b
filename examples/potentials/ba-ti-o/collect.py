"""Collect what the example gave into results.json, small enough to keep: rounds, errors, melts, the report's table.

python collect.py out results.json
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import digest, json_safe, write_text
from tammann.potentials import load_potential
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.model import AceModel
from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.evaluate import evaluate_potential
from tammann.trajectory import read_trajectory
from tammann.transport import load_correlations, load_transport, measure_onsager
from tammann.workflows.active_learning import load_active_learning
from tammann.workflows.melt import load_melts

FROM_PS = 20.0
FRAMES_APART = 5
TABLES = {"pedone-2006": "tammann-2026", "published": "karan-2026"}


def errors_of(file: Path, data: DataSet) -> dict[str, float]:
    """Errors of a potential on frames."""
    return evaluate_potential(load_potential(str(file)), data).errors().iloc[0].to_dict()


def largest_grade(model: AceModel, trajectory: Path) -> float:
    """Largest grade of any atom in frames half a ps apart; the run itself watches every step."""
    found = read_trajectory(trajectory, timestep_fs=2.0)
    calculator, grades = AceCalculator(model, grade=True), []
    from ase import Atoms

    for positions in found.positions[::FRAMES_APART]:
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


def measured(state: object) -> dict[str, object]:
    """Onsager coefficients from slopes past 20 ps, and the ions that are not shown to diffuse there.

    Tetrahedra turn and oxygen changes places between titanium and barium within some 10 ps, which bends its curve.
    """
    curves = [load_correlations(file) for file in sorted(state.folder.glob("replica-*/curves.npz"))]
    if not curves:
        return {"here": None, "not_diffusive": [], "regime_ps": None}
    regime_ps = (FROM_PS, 0.25 * state.duration_ps)
    found = measure_onsager(curves, temperature_K=state.temperature_K, regime_ps=regime_ps)
    stuck = [s for s, moves in zip(found.species, found.regime.diffusive, strict=True) if not moves]
    return {"here": transport_of(found.apparent), "not_diffusive": stuck, "regime_ps": list(regime_ps)}


def main(out: str, target: str) -> None:
    """Write the results."""
    place = Path(out)
    test = read_dataset(place / "test.extxyz")
    potential = place / "potential" / "potential.ace.npz"
    model = AceModel.load(potential)
    active = load_active_learning(place / "active")
    melts = []
    for state in load_melts(place / "melts").states:
        trajectories = sorted(state.folder.glob("replica-*/trajectory-*.gz"))
        entry = {
            "formula": state.formula,
            "temperature_K": state.temperature_K,
            "duration_ps": state.duration_ps,
            "failed": list(state.failed),
            "diffusive": state.diffusive,
            "density_g_per_cm3": None if state.melt is None else state.melt.density_g_per_cm3,
            "volume_converged": state.converged,
            "largest_grade": max((largest_grade(model, t) for t in trajectories), default=None),
            **measured(state),
            "notes": list(state.notes),
        }
        for name, source in TABLES.items():
            try:
                entry[name] = transport_of(load_transport(source).at(state.formula, state.temperature_K))
            except DataError:
                entry[name] = None
        melts.append(entry)
    report = place / "report" / "table.csv"
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
        "report": pd.read_csv(report).to_dict("records") if report.is_file() else None,
    }  # fmt: skip
    write_text(target, json.dumps(json_safe(found), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
