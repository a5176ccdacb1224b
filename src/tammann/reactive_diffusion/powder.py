"""A powder as particles, each a core of one precursor in shells of the others, or as grains on a periodic cube."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tammann.automaton.microstructure import mix_powders
from tammann.errors import RecipeError
from tammann.reactive_diffusion.mesh import CELLS, Chain, sphere


@dataclass(frozen=True, eq=False)
class Powder:
    """Particles that do not exchange anything, and how many there are of each.

    Attributes:
        particles: The particles, length C.
        contents: Moles of formula units of every solid in every cell of every particle, C arrays of shape (N, P).
    """

    particles: tuple[Chain, ...]
    contents: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Grains:
    """Grains on a periodic cube of voxels.

    Attributes:
        solid: Position of the solid that each voxel is filled with, shape (M, M, M).
        voxel_m: Edge of a voxel, m.
        block: Edge of the blocks that grinding moves, voxels.
    """

    solid: np.ndarray
    voxel_m: float
    block: int


def mix(
    moles: Sequence[float],
    solids: Sequence[int],
    molar_volume_m3: np.ndarray,
    radius_m: Sequence[float],
    *,
    size_spread: float = 0.0,
    mixing_spread: float = 0.0,
    rng: np.random.Generator | None = None,
    cells: int = CELLS,
) -> Powder:
    """Return a powder with every precursor once in the core.

    A particle is a core as often as its neighbours are of another kind: with N_k the number of particles of precursor
    k, the share of the mixture around cores of k is in proportion to 1 - N_k / N. Of two powders of one size and volume
    each is the core of one half; a fine powder coats a coarse one.

    Where sizes or local ratios spread, every core comes twice, larger and smaller, with equal moles in both, and with
    more and with less of the other precursors around it, so that the mixture as a whole has the ratios stated. Around
    every other core the larger ones have less.

    Args:
        moles: Of each precursor.
        solids: Position of each precursor among the solids.
        molar_volume_m3: Of every solid, shape (P,), m^3 per mole of formula units.
        radius_m: Of the particles of each precursor.
        size_spread: Standard deviation of ln radius.
        mixing_spread: Standard deviation of ln of the ratio of the core's moles to the others'.
        rng: Draws how much larger and smaller; one standard deviation if None.
        cells: Cells of a particle.

    Example:
        >>> powder = mix([1.0, 1.0], [0, 1], np.array([2.5e-5, 1.9e-5]), [1e-7, 1e-7], mixing_spread=0.1)
        >>> sum(content.sum(axis=0) for content in powder.contents).round(12).tolist()
        [1.0, 1.0]
    """
    amounts = np.asarray(moles, dtype=float)
    count = len(amounts)
    if count == 1:
        chain = sphere(radius_m[0] / np.cbrt(2.0), [1.0, 1.0], cells)
        content = np.zeros((cells, len(molar_volume_m3)))
        content[:, solids[0]] = amounts[0] * chain.volume_m3 / chain.volume_m3.sum()
        return Powder((chain,), (content,))
    draws = [(0.0, 0.0)]
    if size_spread > 0 or mixing_spread > 0:
        xi, eta = (1.0, 1.0) if rng is None else rng.normal(size=2)
        draws = [(size_spread * xi, mixing_spread * eta), (-size_spread * xi, -mixing_spread * eta)]
    numbers = amounts * molar_volume_m3[list(solids)] / np.asarray(radius_m, dtype=float) ** 3
    weights = (1.0 - numbers / numbers.sum()) / (count - 1)
    particles, contents = [], []
    for core, weight in enumerate(weights):
        order = [(core + k) % count for k in range(count)]
        shares = np.exp([ratio if core % 2 == 0 else -ratio for _, ratio in draws])
        shares /= shares.sum()  # of the other precursors; the core's are even
        for (size, _), share in zip(draws, shares, strict=True):
            mine = np.array([amounts[k] * weight * (1.0 / len(draws) if k == core else share) for k in order])
            volumes = mine * np.array([molar_volume_m3[solids[k]] for k in order])
            chain = sphere(radius_m[core] * np.exp(size), volumes, cells)
            content = np.zeros((cells, len(molar_volume_m3)))
            for layer, k in enumerate(order):
                there = chain.layer == layer
                content[there, solids[k]] = mine[layer] * chain.volume_m3[there] / chain.volume_m3[there].sum()
            particles.append(chain)
            contents.append(content)
    return Powder(tuple(particles), tuple(contents))


def mix_grains(
    moles: Sequence[float],
    solids: Sequence[int],
    molar_volume_m3: np.ndarray,
    radius_m: Sequence[float],
    *,
    size: int = 64,
    voxels_per_grain: float = 8.0,
    size_spread: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> Grains:
    """Return a powder as touching grains of the precursors on a periodic cube, as many as it has room for.

    Args:
        moles: Of each precursor.
        solids: Position of each precursor among the solids.
        molar_volume_m3: Of every solid, shape (P,), m^3 per mole of formula units.
        radius_m: Of the grains of each precursor.
        size: Voxels per edge, even; the solver is fastest where 2 divides it often, as 32, 48 or 64.
        voxels_per_grain: Voxels across the smallest grains, one or more.
        size_spread: Standard deviation of ln radius.
        rng: Seed of where the grains lie.

    Raises:
        RecipeError: The edge is odd, or the cube has not room for two grains of the largest precursor side by side, or
            less than a voxel for a precursor.

    Example:
        >>> grains = mix_grains([1.0, 1.0], [0, 1], np.array([2.5e-5, 2.5e-5]), [1e-7, 2e-7], size=32, rng=1)
        >>> grains.voxel_m, np.bincount(grains.solid.ravel()).tolist()
        (2.5e-08, [16384, 16384])
    """
    if size % 2:
        raise RecipeError(f"diffusion.voxels: expected an even number of voxels per edge, got {size}")
    smallest = min(radius_m)
    across = voxels_per_grain * np.asarray(radius_m, dtype=float) / smallest
    if 2.0 * across.max() > size:
        raise RecipeError(
            f"diffusion.voxels: a cube of {size} voxels per edge has no room for grains {across.max():.3g} voxels "
            "across; take more voxels, fewer of them per grain, or geometry: particles"
        )
    amounts, diameter = np.zeros(len(molar_volume_m3)), np.ones(len(molar_volume_m3))
    for k, n, d in zip(solids, moles, across, strict=True):
        amounts[k], diameter[k] = n, d
    grid = mix_powders(amounts, molar_volume_m3, size=size, grain_cells=diameter, grain_spread=size_spread, rng=rng)
    block = max(k for k in range(1, int(voxels_per_grain) + 1) if size % k == 0)
    return Grains(grid.phase.astype(np.int64).reshape((size,) * 3) - 1, 2.0 * smallest / voxels_per_grain, block)


def regrind(powder: Powder, molar_volume_m3: np.ndarray, rng: np.random.Generator) -> Powder:
    """Return the powder ground and mixed again: every particle becomes layers of the phases there are, in any order.

    Args:
        powder: With its contents now.
        molar_volume_m3: Of every solid, shape (P,).
        rng: Draws the order of the layers.
    """
    total = sum(content.sum(axis=0) for content in powder.contents)
    present = np.flatnonzero(total * molar_volume_m3 > 1e-6 * (total @ molar_volume_m3))
    rest = np.setdiff1d(np.flatnonzero(total), present)
    volumes = [float(content.sum(axis=0) @ molar_volume_m3) for content in powder.contents]
    particles, contents = [], []
    for old, volume in zip(powder.particles, volumes, strict=True):
        share = volume / sum(volumes)
        order = rng.permutation(present)
        layers = total[order] * molar_volume_m3[order]
        cells = len(old.volume_m3)
        content = np.zeros((cells, len(molar_volume_m3)))
        if len(order) == 1:
            chain = old
            content[:, order[0]] = share * total[order[0]] * chain.volume_m3 / chain.volume_m3.sum()
        else:
            outer = old.edges_m[-1]
            chain = sphere(outer * np.cbrt(layers[0] / layers.sum()), layers, cells)
            for k, p in enumerate(order):
                there = chain.layer == k
                content[there, p] = share * total[p] * chain.volume_m3[there] / chain.volume_m3[there].sum()
        # what there is hardly any of goes everywhere in proportion
        content[:, rest] += share * total[rest] * (chain.volume_m3 / chain.volume_m3.sum())[:, None]
        particles.append(chain)
        contents.append(content)
    return Powder(tuple(particles), tuple(contents))
