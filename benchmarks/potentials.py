"""A linear atomic cluster expansion on one core: a step of molecular dynamics, its parts, and the rows of a fit.

    python benchmarks/potentials.py

The limit of a step is that of its arithmetic: multiplications and additions of the products and of the densities,
against what a product of matrices of this machine reaches.
"""

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from tammann.potentials.ace.basis import make_basis
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.model import AceModel, Radii
from tammann.potentials.ace.moments import rows_of
from tammann.potentials.ace.neighbours import find_neighbours
from tammann.potentials.dataset import Frame, frame_to_atoms
from tammann.potentials.extrapolation import ActiveSet
from tammann.structures.candidates import random_cell

sys.path.insert(0, str(Path(__file__).parent))
from record import record  # noqa: E402

SIZES = {"12, 8": (12.0, 8.0), "12, 8, 6": (12.0, 8.0, 6.0), "12, 8, 7": (12.0, 8.0, 7.0)}
REPEATS, STEPS = 5, 20


def model_of(degrees: tuple[float, ...]) -> AceModel:
    """An expansion of Ba, Ti and O with coefficients at random; a step costs the same whatever they are."""
    rng = np.random.default_rng(0)
    basis = make_basis(["Ba", "O", "Ti"], degrees, l_weight=1.0)
    pair = np.ones((3, 3))
    radii = Radii(5.5, 2.5 * pair, 1.0 * pair, 0.5, 1.0 * pair, 1.5 * pair)
    made = AceModel(basis, radii, 1e-4 * rng.normal(size=(3, len(basis))), np.zeros(3))
    used = np.arange(len(basis))
    return replace(made, active_sets=tuple(ActiveSet(np.eye(len(basis)), used) for _ in range(3)))


def seconds(work, repeats: int = REPEATS) -> list[float]:
    """Times of repeated work, s; the first, which compiles, is left out."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def matrix_gflops() -> float:
    """Multiplications and additions per second of a product of matrices, in 1e9."""
    a = np.random.default_rng(0).normal(size=(1000, 1000))
    return 2e9 / min(seconds(lambda: a @ a)) / 1e9


def step_operations(model: AceModel, pairs: int, n: int) -> float:
    """Multiplications and additions of one step that cannot be left out: products, densities and their slopes."""
    basis = model.basis
    products = float((4 * basis.orders - 2).sum()) * n
    densities = pairs * (2 + 4 + 2) * len(basis.a_species) / 3.0
    return products + densities


def main() -> None:
    """Measure and record."""
    cell = random_cell("BaTiO3", atoms=110, cubic=True, volume_scales=(0.9, 0.9), rng=1)
    atoms = frame_to_atoms(Frame(cell))
    rng = np.random.default_rng(1)
    found, gflops = [], matrix_gflops()
    for name, degrees in SIZES.items():
        model = model_of(degrees)
        species = model.species(atoms.get_chemical_symbols())
        box, positions = np.array(atoms.cell.array), np.array(atoms.positions)
        near = find_neighbours(positions, box, 5.5)

        def steps(grade: bool, model: AceModel = model) -> None:
            moving = atoms.copy()
            moving.calc = AceCalculator(model, grade=grade)
            for _ in range(STEPS):
                moving.positions += rng.normal(scale=0.01, size=moving.positions.shape)
                moving.get_forces()

        rows = partial(rows_of, model, positions, box, species)
        kernel = seconds(partial(model.evaluate, positions, box, species, near, functions=False))
        found.append(
            {
                "degrees": name,
                "functions_per_element": len(model.basis),
                "atoms": len(atoms),
                "neighbours_per_atom": len(near.indices) / len(atoms),
                "steps_per_s": 1 / median(t / STEPS for t in seconds(lambda: steps(False))),
                "steps_per_s_with_grade": 1 / median(t / STEPS for t in seconds(lambda: steps(True))),
                "kernel_ms": 1e3 * median(kernel),
                "kernel_gflops": step_operations(model, len(near.indices), len(atoms)) / median(kernel) / 1e9,
                "matrix_gflops": gflops,
                "rows_of_a_frame_ms": 1e3 * median(seconds(rows, 3)),
            }
        )
    record("potentials", found)


if __name__ == "__main__":
    main()
