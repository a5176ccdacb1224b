"""Boxes of ions for tests of the engines."""

import numpy as np

from tammann.md.ase import AseEngine
from tammann.md.conditions import Conditions
from tammann.potentials import pedone_2006
from tammann.structures import Configuration


def crystal(cation="Mg", edge=4.3, repeats=2, rattle=0.0, seed=1):
    """Rock salt, ``repeats`` cells of 8 ions along each axis, rattled."""
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    metal = (cells + faces).reshape(-1, 3)
    sites = np.concatenate([metal, metal + [0.5, 0, 0]]) * edge
    sites += np.random.default_rng(seed).normal(scale=rattle, size=sites.shape) if rattle else 0.0
    return Configuration((cation,) * len(metal) + ("O",) * len(metal), sites, repeats * edge * np.eye(3))


def molten_magnesia():
    """64 ions at 4000 K."""
    return AseEngine().run(crystal(edge=4.8), pedone_2006(), Conditions(4000.0), duration_ps=1.0, rng=1).configuration
