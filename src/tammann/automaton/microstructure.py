"""The grid of powder particles at the start of a run: a random mixture, or grains of a stated size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAIN_NEIGHBOURS = 24
"""Nearest grain centres among which a cell looks for its grain."""
_CELLS_AT_ONCE = 100_000
"""Cells whose grains are searched at a time; a search takes about 400 bytes per cell."""


@dataclass(frozen=True, eq=False)
class Microstructure:
    """A periodic cubic grid of cells, each empty or holding an amount of one phase.

    Attributes:
        size: Cells per edge, N.
        phase: Shape (N^3,), uint8; 0 is an empty cell, k + 1 the k-th phase. Cell (x, y, z) is entry
            (x N + y) N + z.
        amount: Shape (N^3,), float64, moles of formula units.
        full: Shape (phases + 1,), moles of each phase that fill a cell; entry 0 is not used.
    """

    size: int
    phase: np.ndarray
    amount: np.ndarray
    full: np.ndarray

    def moles(self) -> np.ndarray:
        """Return the moles of every phase, shape (phases,)."""
        return np.bincount(self.phase, weights=self.amount, minlength=self.full.size)[1:]


def mix_powders(
    moles: Sequence[float] | np.ndarray,
    molar_volume_m3: Sequence[float] | np.ndarray,
    *,
    size: int,
    grain_cells: float | Sequence[float] | np.ndarray = 1.0,
    grain_spread: float = 0.0,
    packing_fraction: float = 1.0,
    rng: np.random.Generator | int | None = None,
) -> Microstructure:
    """Mix powders on a grid so that every phase has exactly the amount the recipe gives it.

    Cells go to phases in proportion to their volumes (largest remainders), and the amount per cell makes up for the
    rounding: the cells of phase p hold n_p to round-off. With ``grain_cells`` above one, grains are the cells of a
    power diagram of random centres with log-normal diameters d (median ``grain_cells``, sigma of ln d
    ``grain_spread``), its weights adjusted until every phase has its number of cells.

    Args:
        moles: Shape (P,), moles of formula units of each phase, zero where it is not a precursor.
        molar_volume_m3: Shape (P,), m^3 per mole of formula units.
        size: Cells per edge.
        grain_cells: Diameter of the grains in cells, one for all or one a phase; 1 is a random mixture.
        grain_spread: Standard deviation of ln(diameter), dimensionless.
        packing_fraction: Share of the volume that is not pores.
        rng: Generator or seed.

    Raises:
        RecipeError: A precursor would fill less than one cell.

    Example:
        >>> grid = mix_powders([1.0, 1.0], [26.7e-6, 18.8e-6], size=8, rng=1)
        >>> grid.moles().round(12).tolist()
        [1.0, 1.0]
    """
    generator = np.random.default_rng(rng)
    amounts = np.asarray(moles, dtype=float)
    volumes = amounts * np.asarray(molar_volume_m3, dtype=float)
    cells = size**3
    counts = share_cells(amounts, volumes, size=size, packing_fraction=packing_fraction)
    solid = int(counts.sum())
    diameter = np.broadcast_to(np.asarray(grain_cells, dtype=float), amounts.shape)
    if np.all(diameter[amounts > 0] <= 1.0):
        phase = np.repeat(np.arange(amounts.size + 1, dtype=np.uint8), [cells - solid, *counts])
        generator.shuffle(phase)
    else:
        pores = np.zeros(cells, dtype=bool)
        pores[generator.choice(cells, cells - solid, replace=False)] = True
        phase = np.zeros(cells, dtype=np.uint8)
        phase[~pores] = _grow_grains(counts, diameter, grain_spread, size, ~pores, generator)
    full = np.zeros(amounts.size + 1)
    full[1:] = volumes.sum() / solid / np.asarray(molar_volume_m3, dtype=float)
    per_cell = np.zeros(amounts.size + 1)
    np.divide(amounts, counts, out=per_cell[1:], where=counts > 0)
    return Microstructure(size=size, phase=phase, amount=per_cell[phase], full=full)


def share_cells(moles: np.ndarray, volumes_m3: np.ndarray, *, size: int, packing_fraction: float = 1.0) -> np.ndarray:
    """Share the solid cells of a grid among phases in proportion to their volumes, by largest remainders.

    Returns:
        Number of cells of each phase, shape (P,).

    Raises:
        RecipeError: A precursor would get no cell.
    """
    solid = round(size**3 * packing_fraction)
    share = volumes_m3 / volumes_m3.sum() * solid
    counts = np.floor(share).astype(np.int64)
    counts[np.argsort(counts - share, kind="stable")[: solid - counts.sum()]] += 1
    if np.any((moles > 0) & (counts == 0)):
        raise RecipeError(
            f"grid.size: {size}^3 cells are too few for these amounts, a precursor would fill less than one cell; "
            "take a larger grid or less extreme ratios"
        )
    return counts


def _grow_grains(
    counts: np.ndarray,
    diameter: np.ndarray,
    spread: float,
    size: int,
    where: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return the codes of the cells where ``where`` is True, phase k on exactly ``counts[k]`` of them."""
    from scipy.spatial import cKDTree

    present = np.flatnonzero(counts)
    # The mean volume of log-normal spheres of median diameter d is pi/6 d^3 exp(9 sigma^2 / 2).
    volume = np.pi / 6 * np.maximum(diameter, 1.0) ** 3 * np.exp(4.5 * spread**2)
    grains = np.maximum(1, np.rint(counts[present] / volume[present])).astype(np.int64)
    owner = np.repeat(np.arange(present.size), grains)
    radius = 0.5 * diameter[present][owner] * np.exp(spread * generator.standard_normal(owner.size))
    centre = generator.uniform(0.0, size, (owner.size, 3))
    cells = np.flatnonzero(where)
    # Power distance of each cell to the nearest grain of every phase.
    power = np.empty((cells.size, present.size))
    for k in range(present.size):
        mine = np.flatnonzero(owner == k)
        tree = cKDTree(centre[mine], boxsize=size)
        nearest = min(_GRAIN_NEIGHBOURS, mine.size)
        for first in range(0, cells.size, _CELLS_AT_ONCE):
            part = slice(first, first + _CELLS_AT_ONCE)
            points = np.stack(np.unravel_index(cells[part], (size,) * 3), axis=1) + 0.5
            distance, index = (found.reshape(len(points), -1) for found in tree.query(points, k=nearest))
            power[part, k] = (distance**2 - radius[mine][index] ** 2).min(axis=1)
    power += 1e-9 * generator.uniform(size=power.shape)
    return (present[_share_out(power, counts[present])] + 1).astype(np.uint8)


def _share_out(cost: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Assign each row to a column of low cost so that column k has exactly ``counts[k]`` rows.

    Offsets of the columns are raised in turn until none holds too many rows, each by the exact quantile that settles
    one pair of columns: for two columns one step is exact.
    """
    taken = cost.argmin(axis=1)
    for _ in range(1000):
        excess = np.bincount(taken, minlength=counts.size) - counts
        if not excess.any():
            break
        giver, receiver = int(excess.argmax()), int(excess.argmin())
        number = min(excess[giver], -excess[receiver])
        rows = np.flatnonzero(taken == giver)
        loss = cost[rows, receiver] - cost[rows, giver]
        taken[rows[np.argpartition(loss, number - 1)[:number]]] = receiver
    return taken


def regrind(phase: np.ndarray, amount: np.ndarray, rng: np.random.Generator) -> None:
    """Grind and mix the powder, in place: the cells keep what they hold and change places at random.

    Args:
        phase: Shape (N^3,), uint8 codes.
        amount: Shape (N^3,), moles.
        rng: Generator.
    """
    from tammann.automaton.kernel import shuffle_cells

    shuffle_cells(phase, amount, rng.integers(2**64, dtype=np.uint64))
