"""Collect what the example gave into results.json and its figures: small enough to keep, with what made it.

    python collect.py out results.json FOLDER_OF_FIGURES

The teacher labels frames of the production runs that its pupil never saw, which takes some minutes once.
"""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tammann._version import __version__
from tammann.characterization import find_sites, ion_density, lowest_path
from tammann.files import digest, json_safe, write_text
from tammann.plot import save_figure
from tammann.plot.electrolytes import plot_conductivities, plot_density, plot_free_energy
from tammann.potentials import load_potential
from tammann.potentials.ace.model import AceModel
from tammann.potentials.dataset import DataSet, Frame, read_dataset, write_dataset
from tammann.potentials.evaluate import evaluate_potential
from tammann.structures import Configuration
from tammann.trajectory import Trajectory, read_trajectory
from tammann.workflows.active_learning import load_active_learning
from tammann.workflows.electrolyte import ElectrolyteResult, load_electrolytes
from tammann.workflows.electrolyte.motion import runs_of, trajectories
from tammann.workflows.labelling import LabellingPlan, run_labelling

HERE = Path(__file__).resolve().parent
INPUTS = "li3mx6.cif", "plan.yaml", "sample.py", "active.yaml"
TEACHER = "sevennet-0"
CHECKS = 3  # frames of each production run that the teacher labels
SHOWN = "Li3YCl6"


def walk_of(found: ElectrolyteResult, structure: str, temperature_K: float) -> Trajectory:
    """Read the production run of a structure, without what is dropped."""
    (file,) = trajectories(found.plan, found.out, structure, temperature_K)
    dynamics = found.plan.dynamics
    walk = read_trajectory(file, timestep_fs=dynamics.timestep_fs, temperature_K=temperature_K)
    return walk.frames(round(dynamics.times_ps(temperature_K)[1] / walk.frame_interval_ps))


def checks(found: ElectrolyteResult, out: Path) -> DataSet:
    """Return frames of all production runs with the labels of the teacher, which are made once."""
    labelled = out / "checks" / "labelled.extxyz"
    if not labelled.exists():
        frames = []
        for run in runs_of(found.plan, out):
            if not trajectories(found.plan, out, run.structure, run.temperature_K):
                continue
            walk = walk_of(found, run.structure, run.temperature_K)
            for k in np.linspace(0, len(walk.positions) - 1, CHECKS).astype(int):
                here = Configuration(walk.symbols, walk.positions[k], walk.cells[min(k, len(walk.cells) - 1)])
                frames.append(Frame(here, config_type=f"{run.temperature_K:g} K", trajectory=run.name))
        write_dataset(out / "checks.extxyz", frames)
        asked = LabellingPlan(frames=(str(out / "checks.extxyz"),), labeller=TEACHER, workers=2)
        run_labelling(asked, out / "checks", resume=(out / "checks").exists())
    return read_dataset(labelled)


def figures(found: ElectrolyteResult, pictures: Path) -> None:
    """Draw conductivities, and where lithium is."""
    plan = found.plan
    drawn = plot_conductivities({n.rpartition("-")[0]: c for n, c in found.conductions.items()}, at_K=600.0)
    save_figure(drawn, pictures / "electrolyte-conductivities.png", dpi=150)

    structure = next(s for s in found.structures if s.startswith(f"{SHOWN}-"))
    walk = walk_of(found, structure, max(plan.temperatures_K))
    density = ion_density(walk, plan.mobile, spacing_A=0.2, smoothing_A=plan.pathways.smoothing_A)
    sites = find_sites(density, depth_kT=plan.pathways.depth_kT)
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_density(density, along="b", sites=sites, ax=left)
    plot_free_energy({SHOWN: lowest_path(sites)}, ax=right)
    save_figure(figure, pictures / "electrolyte-example-ways.png", dpi=100)


def main(out_folder: str, target: str, pictures: str) -> None:
    """Write the results and the figures."""
    out = Path(out_folder)
    found = load_electrolytes(out)
    figures(found, Path(pictures))
    file = out / "learned" / "potential.ace.npz"
    pupil, labelled = load_potential(str(file)), checks(found, out)
    evaluation = evaluate_potential(pupil, labelled)
    assert found.hull is not None
    results = {
        "about": {
            "tammann": __version__,
            "teacher": f"{TEACHER}, sevenn {version('sevenn')}",
            "platform": platform.platform(),
            "potential_sha256": digest(file),
            "files_sha256": {name: digest(HERE / name) for name in INPUTS},
            "plan": found.plan.model_dump(mode="json"),
        },
        "orderings": found.orderings,
        "hull": found.hull.to_dict("records"),
        "active_learning": load_active_learning(out / "active").as_dict(),
        "frames": training_frames(out / "active"),
        "functions_per_element": len(AceModel.load(file).basis),
        "errors_on_production_runs": evaluation.table().to_dict("records"),
        "table": found.table().to_dict("records"),
        "temperatures": found.temperatures().to_dict("records"),
        "pathways": [{"structure": name, **way} for (name, _), way in found.pathways.items()],
        "notes": found.notes(),
        "failures": found.failures,
    }
    text = json.dumps(json_safe(results), indent=1)  # paths as from the folder of the example
    write_text(target, text.replace(f"{HERE}{os.sep}", "") + "\n")


def training_frames(folder: Path) -> int:
    """Return how many frames the last potential of active learning was fitted to."""
    return max(r.training_frames for r in load_active_learning(folder).rounds)


if __name__ == "__main__":
    main(*sys.argv[1:4])
