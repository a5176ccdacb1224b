"""Toys for active learning: a teacher with soft repulsion, a linear student with a grade, and broken potentials."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from tammann.files import whole_file
from tammann.md.conditions import Conditions
from tammann.potentials.dataset import DataSet
from tammann.potentials.evaluate import calculator_errors
from tammann.structures import Configuration
from tammann.workflows.active_learning.explore import Watch, explore

STRENGTH_EV, LENGTH_A, CUTOFF_A = 20.0, 0.6, 5.0
WATCH = Watch(select_above=1.05, stop_above=1.6, spacing_fs=50.0, most=10)


def argon(times=3, spacing_A=5.26):
    from ase.build import bulk

    return Configuration.from_ase(bulk("Ar", "fcc", a=spacing_A, cubic=True).repeat(times))


def pairs(atoms, cutoff_A=CUTOFF_A):
    """All pairs within a distance, images too: i, j, d and the vector from i to j."""
    cell = atoms.cell.array
    reach = np.ceil(cutoff_A * np.linalg.norm(np.linalg.inv(cell), axis=0)).astype(int)
    steps = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1).reshape(-1, 3)
    apart = atoms.positions[None] - atoms.positions[:, None]
    apart = (np.linalg.solve(cell.T, apart.reshape(-1, 3).T).T).reshape(apart.shape)
    apart = ((apart - np.round(apart)) @ cell)[:, :, None] + steps @ cell
    d = np.linalg.norm(apart, axis=-1)
    i, j, k = np.nonzero((d < cutoff_A) & (d > 1e-9))
    return i, j, d[i, j, k], apart[i, j, k]


class Teacher(Calculator):
    """Exponential repulsion that ends smoothly."""

    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, _, d, vector = pairs(atoms)
        wall = STRENGTH_EV * np.exp(-d / LENGTH_A)
        fade, slope = (CUTOFF_A - d) ** 2, -2 * (CUTOFF_A - d)
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, ((wall * (slope - fade / LENGTH_A)) / d)[:, None] * vector)
        self.results = {"energy": float(0.5 * (wall * fade).sum()), "forces": forces, "stress": np.zeros(6)}


def teacher():
    return Teacher()


class Graded(Calculator):
    """Any calculator with the grade that a function of step number and atoms gives."""

    implemented_properties = ["energy", "forces", "stress", "extrapolation_grade"]

    def __init__(self, inner, grade):
        super().__init__()
        self.inner, self.grade, self.calls = inner, grade, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {
            "energy": self.inner.get_property("energy", atoms),
            "forces": self.inner.get_property("forces", atoms),
            "stress": self.inner.get_property("stress", atoms),
            "extrapolation_grade": self.grade(self.calls, atoms),
        }
        self.calls += 1


class Collapsing(Calculator):
    """A broken potential: pairs attract the more, the nearer they are, as a fit without repulsion does."""

    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, _, d, vector = pairs(atoms, 6.0)
        pull = 0.5 * (6.0 - d)[:, None] * vector / d[:, None]
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, pull)
        self.results = {
            "energy": float(-0.125 * ((6.0 - d) ** 2).sum()),
            "forces": forces,
            "stress": np.zeros(6),
            "extrapolation_grade": 1.0,
        }


CENTRES_A = np.linspace(1.6, 4.8, 9)
WIDTH_A = 0.5


def pair_functions(atoms):
    """Gaussians of the distances: functions of each atom, (N, K), and their gradients by every position, (K, N, 3)."""
    i, j, d, vector = pairs(atoms)
    bump = np.exp(-(((d[:, None] - CENTRES_A) / WIDTH_A) ** 2))
    fade = (0.5 * (1 + np.cos(np.pi * d / CUTOFF_A)))[:, None]
    slope = -2 * (d[:, None] - CENTRES_A) / WIDTH_A**2 * bump * fade
    slope += bump * (-0.5 * np.pi / CUTOFF_A * np.sin(np.pi * d / CUTOFF_A))[:, None]
    functions = np.zeros((len(atoms), len(CENTRES_A)))
    np.add.at(functions, i, 0.5 * bump * fade)
    pulls = 0.5 * slope[:, :, None] * (vector / d[:, None])[:, None, :]
    gradients = np.zeros((len(atoms), len(CENTRES_A), 3))
    np.add.at(gradients, j, pulls)
    np.add.at(gradients, i, -pulls)
    return functions, gradients.transpose(1, 0, 2)


class Student(Calculator):
    """Energies linear in pair functions; the grade is how far a function leaves the range it had in training."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, path):
        super().__init__()
        with np.load(path) as arrays:
            self.coefficients, self.largest = arrays["coefficients"], arrays["largest"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        functions, gradients = pair_functions(atoms)
        self.results = {
            "energy": float(functions.sum(axis=0) @ self.coefficients[1:] + len(atoms) * self.coefficients[0]),
            "forces": -np.einsum("k,kni->ni", self.coefficients[1:], gradients),
            "stress": np.zeros(6),
            "extrapolation_grade": float((functions / self.largest).max()),
        }


def label(frames, folder, *, progress=None):
    """Label by the teacher; what is too near fails, as an SCF that does not converge."""
    from tammann.structures.contacts import closest_contact
    from tammann.workflows.active_learning.run import Labelled

    kept, failures = [], []
    for frame in frames:
        if closest_contact(frame.configuration) < 2.2:
            failures.append(f"{frame.trajectory}: too near")
            continue
        atoms = frame.configuration.to_ase()
        atoms.calc = teacher()
        kept.append(replace(frame, energy_eV=float(atoms.get_potential_energy()), forces_eV_per_A=atoms.get_forces()))
    return Labelled(DataSet(tuple(kept)), tuple(failures))


def train(frames, test, folder, *, progress=None):
    """Fit the student by least squares with a little ridge."""
    from tammann.workflows.active_learning.run import Trained

    rows, values, largest = [], [], np.full(len(CENTRES_A), 1e-3)
    for frame in frames:
        functions, gradients = pair_functions(frame.configuration.to_ase())
        largest = np.maximum(largest, functions.max(axis=0))
        rows.append(np.append(1.0, functions.mean(axis=0))[None])
        values.append([frame.energy_eV / frame.n_atoms])
        rows.append(np.column_stack([np.zeros(3 * frame.n_atoms), -gradients.reshape(len(CENTRES_A), -1).T]))
        values.append(frame.forces_eV_per_A.ravel())
    a, y = np.concatenate(rows), np.concatenate(values)
    solved = np.linalg.solve(a.T @ a + 1e-8 * np.eye(a.shape[1]), a.T @ y)
    model = Path(folder) / "student.npz"
    with whole_file(model) as file:
        np.savez(file, coefficients=solved, largest=largest)
    return Trained(model, evaluate(model, test))


def evaluate(model, frames):
    """Errors of the student's forces."""
    return {"forces_meV_per_A": calculator_errors(Student(model), frames)["forces_meV_per_A"]}


def simulate(task, model, *, progress=None, watch=WATCH):
    return explore(
        task.configuration,
        Student(model),
        Conditions(task.temperature_K, 5.0, thermostat="langevin"),
        duration_ps=task.duration_ps,
        watch=watch,
        final_temperature_K=task.final_temperature_K,
        relax_steps=task.relax_steps,
        name=task.name,
        progress=progress,
        rng=task.seed,
    )


def select(configurations, grades, model, most):
    """Take the largest grades."""
    return np.argsort(-np.asarray(grades), kind="stable")[:most].tolist()


FUNCTIONS = {"label": label, "train": train, "simulate": simulate, "select": select, "evaluate": evaluate}


def plan(**keys):
    """A plan of seconds: argon."""
    from tammann.workflows.active_learning.plan import ActiveLearningPlan

    return ActiveLearningPlan(
        **{
            "compositions": ("Ar",),
            "atoms": 16,
            "search_atoms": 8,
            "temperatures_K": (500.0, 2000.0),
            "quench_to_K": 100.0,
            "picoseconds": 0.5,
            "timestep_fs": 5.0,
            "relax_steps": 30,
            "select_above": 1.05,
            "stop_above": 1.6,
            "frames_per_round": 6,
            "rounds": 2,
            "proposals": {"searches": 2},
            **keys,
        }
    )
