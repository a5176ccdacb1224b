"""Polycrystals: grains of a crystal in the cells of a periodic Voronoi diagram."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.overlaps import FRACTION, overlap_distances, remove_overlaps

SEED_DISTANCE = 0.6
"""Smallest distance of seeds over the mean diameter of the grains, wherever that leaves room."""
ATTEMPTS = 2000
"""Random places for a seed before the smallest distance is shortened by a tenth."""
MOST_ATOMS = 5_000_000


@dataclass(frozen=True, eq=False)
class Texture:
    """A fibre texture: one lattice direction of every grain lies near one direction of the sample.

    Attributes:
        crystal: Lattice vector, three numbers.
        sample: Direction in the box, three numbers.
        spread_deg: Standard deviation of the angle between the two about each of two axes, degrees.
    """

    crystal: tuple[float, float, float]
    sample: tuple[float, float, float] = (0.0, 0.0, 1.0)
    spread_deg: float = 5.0


@dataclass(frozen=True, eq=False)
class Polycrystal:
    """Grains of a crystal in a periodic box.

    Attributes:
        configuration: Atoms, unrelaxed, with the labels ``grain`` (from 1) and ``boundary_distance_A``.
        seeds_A: Where the grains grew from, shape (G, 3), Å.
        orientations: Shape (G, 3, 3); r in the box = r in the crystal @ ``orientations[g]``.
        volumes_A3: Volume of each grain's cell of the diagram, by its share of the atoms, shape (G,), Å3.
        removed: How many atoms were taken out by element.
    """

    configuration: Configuration
    seeds_A: np.ndarray
    orientations: np.ndarray
    volumes_A3: np.ndarray
    removed: Mapping[str, int]


def polycrystal(
    crystal: Configuration,
    *,
    edges_A: float | Sequence[float],
    grains: int | None = None,
    seeds_A: ArrayLike | None = None,
    orientations: ArrayLike | None = None,
    texture: Texture | None = None,
    size_spread: float = 0.0,
    fraction: float = FRACTION,
    rng: np.random.Generator | int | None = None,
) -> Polycrystal:
    """Return grains of a crystal in a periodic box, without overlaps and in whole formula units.

    A point r belongs to the grain i whose seed s_i, or an image of it, has the smallest |r - s_i|^2 - w_i: the Voronoi
    diagram for w_i = 0, and for a distribution of sizes w_i = R_i^2 with radii R_i from a log-normal distribution
    (Laguerre). Every grain is cut from a crystal that it alone has, with an atom of it at its seed; where a grain meets
    an image of itself, that is a boundary too. Nothing is relaxed.

    Args:
        crystal: Unit cell.
        edges_A: Edge of the cube, or three of a box, Å.
        grains: How many; counted from ``seeds_A`` where None.
        seeds_A: Shape (G, 3), Å; drawn at random, not too near to each other, where None.
        orientations: Rotation matrices, shape (G, 3, 3); drawn at random, all equally likely, where None.
        texture: Draws orientations near a common one instead.
        size_spread: Standard deviation of the logarithm of the radii of the grains; 0 for Voronoi cells.
        fraction: Smallest distance between atoms of two grains over that in the crystal (``overlap_distances``).
        rng: Seed or generator; the same seed gives the same polycrystal.

    Raises:
        DataError: No grains, seeds on top of each other, matrices that are no rotations, a box too small for a grain,
            or more than five million atoms.

    Example:
        >>> iron = Configuration(("Fe", "Fe"), np.array([[0, 0, 0], [1.43, 1.43, 1.43]]), 2.86 * np.eye(3))
        >>> made = polycrystal(iron, edges_A=30.0, grains=3, rng=1)
        >>> sorted(set(made.configuration.labels["grain"].tolist()))
        [1, 2, 3]
    """
    generator = np.random.default_rng(rng)
    box = np.broadcast_to(np.asarray(edges_A, dtype=float), (3,)).copy() if np.ndim(edges_A) < 2 else np.empty(0)
    if box.shape != (3,) or not np.isfinite(box).all() or not (box > 0).all():
        raise DataError(f"edges_A: expected one or three lengths above 0 Å, got {edges_A}.")
    expected = box.prod() / crystal.volume_A3 * crystal.n_atoms
    if expected > MOST_ATOMS:
        raise DataError(
            f"edges_A: a box of {box.tolist()} Å holds {expected:.0f} atoms, expected at most {MOST_ATOMS}."
        )
    seeds = _seeds(box, grains, seeds_A, generator)
    number = len(seeds)
    turns = _orientations(number, crystal, orientations, texture, generator)
    if not 0.0 <= size_spread <= 1.0:
        raise DataError(f"size_spread: expected a number from 0 to 1, got {size_spread}.")
    radius = (3.0 * box.prod() / (4.0 * np.pi * number)) ** (1 / 3)
    weights = (radius * np.exp(size_spread * generator.normal(size=number))) ** 2 if size_spread else np.zeros(number)
    positions, kinds, depths, counts = [], [], [], []
    for grain in range(number):
        found = _grain(crystal, box, seeds, weights, grain, turns[grain])
        positions.append(found[0])
        kinds.append(found[1])
        depths.append(found[2])
        counts.append(len(found[1]))
    if min(counts) < crystal.n_atoms:
        small = int(np.argmin(counts))
        raise DataError(
            f"grain {small + 1} holds {counts[small]} atoms, fewer than a unit cell; use fewer grains, a larger box or "
            "a smaller size_spread."
        )
    atoms = np.concatenate(kinds)
    names = np.array(crystal.symbols, dtype=object)
    depth = np.concatenate(depths)
    labels = {"grain": np.repeat(np.arange(1, number + 1), counts), "boundary_distance_A": depth}
    inside = np.concatenate(positions)
    inside -= np.floor(inside / box) * box
    every = Configuration(tuple(names[atoms].tolist()), inside, np.diag(box), None, labels)
    formula = "".join(f"{s}{n}" for s, n in composition_key("".join(crystal.symbols)))
    distances = overlap_distances(crystal, fraction=fraction)
    stays = remove_overlaps(every, distances, formula=formula, depths_A=depth)
    whole = every.take(stays)
    removed = Counter(every.symbols)
    removed.subtract(Counter(whole.symbols))  # counted first, many times as fast
    volumes = np.array(counts) / sum(counts) * box.prod()
    return Polycrystal(whole, seeds, turns, volumes, dict(removed))


def _seeds(box: np.ndarray, grains: int | None, seeds_A: ArrayLike | None, rng: np.random.Generator) -> np.ndarray:
    if seeds_A is not None:
        seeds = np.array(seeds_A, dtype=float)
        if seeds.ndim != 2 or seeds.shape[1] != 3 or not len(seeds) or not np.isfinite(seeds).all():
            raise DataError(f"seeds_A has shape {seeds.shape}, expected (G, 3) finite coordinates in Å.")
        if grains not in (None, len(seeds)):
            raise DataError(f"grains is {grains}, but seeds_A has {len(seeds)}; leave one of them out.")
        seeds -= np.floor(seeds / box) * box
        apart = seeds[:, None] - seeds[None]
        apart -= np.round(apart / box) * box
        lengths = np.linalg.norm(apart, axis=2) + 10.0 * np.eye(len(seeds))
        if lengths.min() < 1.0:
            i, j = np.unravel_index(int(lengths.argmin()), lengths.shape)
            raise DataError(
                f"seeds_A: seeds {i + 1} and {j + 1} are {lengths[i, j]:.2g} Å apart, expected at least 1 Å; move one."
            )
        return seeds
    if grains is None or not 1 <= grains <= 10_000 or grains != round(grains):
        raise DataError(f"grains: expected a whole number from 1 to 10000, or seeds_A, got {grains}.")
    distance = SEED_DISTANCE * 2.0 * (3.0 * box.prod() / (4.0 * np.pi * grains)) ** (1 / 3)
    placed = np.empty((0, 3))
    while len(placed) < grains:
        for _ in range(ATTEMPTS):
            point = rng.random(3) * box
            apart = point - placed
            apart -= np.round(apart / box) * box
            if not len(placed) or np.linalg.norm(apart, axis=1).min() >= distance:
                placed = np.vstack([placed, point])
                break
        else:
            distance *= 0.9
    return placed


def _orientations(
    number: int, crystal: Configuration, given: ArrayLike | None, texture: Texture | None, rng: np.random.Generator
) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    if given is not None:
        turns = np.array(given, dtype=float)
        if turns.shape != (number, 3, 3):
            raise DataError(f"orientations has shape {turns.shape}, expected ({number}, 3, 3) for {number} grains.")
        proper = np.linalg.det(turns) > 0
        if not proper.all() or np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max() > 1e-6:
            raise DataError("orientations: expected rotation matrices, got one that stretches or mirrors; correct it.")
        return turns
    # a quaternion of four normal numbers is equally likely to point anywhere
    if texture is None:
        return np.asarray(Rotation.from_quat(rng.normal(size=(number, 4))).as_matrix())
    along, sample = np.array(texture.crystal) @ crystal.cell_A, np.array(texture.sample, dtype=float)
    if not np.linalg.norm(along) or not np.linalg.norm(sample) or not 0 <= texture.spread_deg <= 90:
        raise DataError(f"texture: expected two directions and a spread from 0 to 90 degrees, got {texture}.")
    along, sample = along / np.linalg.norm(along), sample / np.linalg.norm(sample)
    align, _ = Rotation.align_vectors(sample[None], along[None])
    spin = Rotation.from_rotvec(rng.uniform(0.0, 2.0 * np.pi, number)[:, None] * sample)
    tilts = rng.normal(scale=np.radians(texture.spread_deg), size=(number, 3))
    lean = Rotation.from_rotvec(tilts - (tilts @ sample)[:, None] * sample)
    return np.asarray((lean * spin * align).as_matrix().transpose(0, 2, 1))


def _grain(
    crystal: Configuration, box: np.ndarray, seeds: np.ndarray, weights: np.ndarray, grain: int, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the atoms of a grain: positions, Å, which of the unit cell each is an image of, and depths, Å."""
    normals, offsets = _faces(box, seeds, weights, grain)
    cell = crystal.cell_A @ turn
    basis = crystal.positions_A @ turn
    reach = _reach(normals, offsets)
    # the lattice points whose atoms can be within the circumscribed sphere
    inverse = np.linalg.inv(cell)
    far = reach + np.linalg.norm(basis, axis=1).max()
    most = np.ceil(far * np.linalg.norm(inverse, axis=0)).astype(np.int64)
    found, kinds, depths = _fill(cell, basis, normals, offsets, most, far * far)
    return found + seeds[grain], kinds, depths


def _faces(box: np.ndarray, seeds: np.ndarray, weights: np.ndarray, grain: int) -> tuple[np.ndarray, np.ndarray]:
    """Return unit normals, shape (F, 3), and distances from the seed, Å, of planes to all others, the nearest first.

    Points r from the seed with r . n <= offset for all planes make up the grain.
    """
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3))) * box
    nearest = seeds - seeds[grain]
    nearest = nearest - np.round(nearest / box) * box
    others = (nearest[:, None] + shifts[None]).reshape(-1, 3)
    own = np.repeat(weights, len(shifts))
    lengths = np.linalg.norm(others, axis=1)
    kept = lengths > 1e-9
    others, own, lengths = others[kept], own[kept], lengths[kept]
    # |r|^2 - w_i = |r - d|^2 - w_j
    offsets = (lengths**2 + weights[grain] - own) / (2.0 * lengths)
    order = np.argsort(offsets, kind="stable")
    return others[order] / lengths[order, None], offsets[order]


def _reach(normals: np.ndarray, offsets: np.ndarray) -> float:
    """Return the distance from the seed to the farthest corner of a grain, Å."""
    from scipy.optimize import linprog
    from scipy.spatial import HalfspaceIntersection

    inner = np.zeros(3)
    if offsets[0] <= 1e-6:  # a small grain may not hold its own seed
        rows = np.column_stack([normals, np.ones(len(normals))])
        best = linprog([0, 0, 0, -1.0], A_ub=rows, b_ub=offsets, bounds=[(None, None)] * 4, method="highs")
        if best.status != 0 or best.x[3] < 1e-3:
            return 0.0
        inner = best.x[:3]
    corners = HalfspaceIntersection(np.column_stack([normals, -offsets]), inner).intersections
    return float(np.linalg.norm(corners, axis=1).max())


@njit(cache=True, nogil=True)
def _fill(cell, basis, normals, offsets, most, far2):  # type: ignore[no-untyped-def]
    """Return atoms within all planes, their numbers in the basis, and the distance of each to the nearest plane."""
    n_faces = len(offsets)
    size = 1024
    found = np.empty((size, 3))
    kinds = np.empty(size, dtype=np.int64)
    depths = np.empty(size)
    n = 0
    for i in range(-most[0], most[0] + 1):
        for j in range(-most[1], most[1] + 1):
            for k in range(-most[2], most[2] + 1):
                x0 = i * cell[0, 0] + j * cell[1, 0] + k * cell[2, 0]
                y0 = i * cell[0, 1] + j * cell[1, 1] + k * cell[2, 1]
                z0 = i * cell[0, 2] + j * cell[1, 2] + k * cell[2, 2]
                if x0 * x0 + y0 * y0 + z0 * z0 > far2:
                    continue
                for b in range(len(basis)):
                    x, y, z = x0 + basis[b, 0], y0 + basis[b, 1], z0 + basis[b, 2]
                    r = np.sqrt(x * x + y * y + z * z)
                    depth = np.inf
                    for f in range(n_faces):
                        # planes are sorted: no later one can be nearer
                        if offsets[f] - r >= depth:
                            break
                        d = offsets[f] - (x * normals[f, 0] + y * normals[f, 1] + z * normals[f, 2])
                        if d < depth:
                            depth = d
                            if d < 0.0:
                                break
                    if depth < 0.0:
                        continue
                    if n == size:
                        size *= 2
                        more = np.empty((size, 3))
                        more[:n] = found
                        found = more
                        more_kinds = np.empty(size, dtype=np.int64)
                        more_kinds[:n] = kinds
                        kinds = more_kinds
                        more_depths = np.empty(size)
                        more_depths[:n] = depths
                        depths = more_depths
                    found[n, 0], found[n, 1], found[n, 2] = x, y, z
                    kinds[n] = b
                    depths[n] = depth
                    n += 1
    return found[:n], kinds[:n], depths[:n]
