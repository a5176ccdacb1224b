"""Ideal gases and rock salt as trajectories."""

import numpy as np

from tammann.trajectory import trajectory_from_arrays


def gas(cell, atoms=60, frames=120, seed=1):
    x = np.random.default_rng(seed).random((frames, atoms, 3)) @ cell
    kinds = ["Ba"] * (atoms // 3) + ["O"] * (atoms - atoms // 3)
    return trajectory_from_arrays(x, cell, kinds, frame_interval_ps=1.0, wrapped=False)


def rock_salt(repeats=2, edge=5.0, rattle=0.0, frames=6, seed=2):
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    metal = (cells + faces).reshape(-1, 3)
    sites = np.concatenate([metal, metal + [0.5, 0, 0]]) * edge
    x = sites + np.random.default_rng(seed).normal(scale=rattle, size=(frames, *sites.shape))
    kinds = ["Mg"] * len(metal) + ["O"] * len(metal)
    return trajectory_from_arrays(x, repeats * edge * np.eye(3), kinds, frame_interval_ps=1.0, wrapped=False)


SKEWED = np.array([[9.0, 0, 0], [4.0, 8.0, 0], [-3.0, 2.0, 10.0]])
