"""Features of a cell of 100 atoms, and the search through all laws of four of 43 columns: CPU time.

python benchmarks/diffusivity.py
"""

import time

import numpy as np

from tammann.diffusivity.expressions import Expression
from tammann.diffusivity.features import structure_features
from tammann.diffusivity.symbolic import best_laws
from tammann.structures import Configuration


def packing(atoms: int, seed: int = 1) -> Configuration:
    """Atoms at random places, 14 Å3 each: more neighbours than in a glass."""
    rng = np.random.default_rng(seed)
    symbols = tuple((["Li"] * 3 + ["P"] + ["S"] * 4) * (atoms // 8))
    edge = (14.0 * len(symbols)) ** (1 / 3)
    return Configuration(symbols, rng.uniform(size=(len(symbols), 3)) * edge, edge * np.eye(3))


def cpu_ms(function, repeats: int) -> float:
    function()
    began = time.process_time()
    for _ in range(repeats):
        function()
    return 1000.0 * (time.process_time() - began) / repeats


if __name__ == "__main__":
    for atoms in (96, 400, 2000):
        atoms_there = packing(atoms)
        ms = cpu_ms(lambda a=atoms_there: structure_features(a, temperature_K=1500.0), 10)
        print(f"features of {atoms} atoms: {ms:.1f} ms")
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(792, 43)), rng.normal(size=792)
    names = [Expression(name=f"x{k}") for k in range(43)]
    for size in (2, 4, 5):
        law = best_laws(names, X, y, size=size)[0]
        ms = cpu_ms(lambda n=size: best_laws(names, X, y, size=n), 3)
        print(f"best of {law.n_subsets} laws of {size} of 43 features, 792 rows: {ms:.1f} ms")
