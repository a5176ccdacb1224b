"""From a table of rates to what the kernel looks up: channels by pairs of codes, probabilities of one cycle, blocks.

Codes: 0 is an empty cell, k + 1 the k-th phase of the table of rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tammann.automaton.kernel import Blocks, Tables
    from tammann.kinetics import RateTable

BLOCK_EDGE = 16
"""Least cells per edge of a block on grids that hold more than one a colour; the cells of a block stay in cache."""


def arrange_channels(rates: RateTable, full: np.ndarray, *, capacity: float = 0.0, max_speedup: float = 1.0) -> Tables:
    """Sort the channels of a table of rates by the codes of their reactants; ``cycle_tables`` adds probabilities.

    ``full``, ``capacity`` and ``max_speedup`` are those of ``Tables``.
    """
    from tammann.automaton.kernel import Tables

    width = full.size
    reactants = rates.reactants.astype(np.int64) + 1
    reactant_coefficients = rates.reactant_coefficients.astype(np.float64)
    products = rates.products.astype(np.int64) + 1
    product_coefficients = np.where(products > 0, rates.product_coefficients, 0.0)
    # The kernel wants the bulkier product first: it takes the cell, the other one looks for a place.
    cells = np.where(products > 0, product_coefficients / np.where(full[products] > 0, full[products], np.inf), -1.0)
    swap = cells[:, 1] > cells[:, 0]
    products[swap] = products[swap][:, ::-1]
    product_coefficients[swap] = product_coefficients[swap][:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        extents = np.where(reactants > 0, full[reactants] / reactant_coefficients, np.inf)
    pairs: list[list[int]] = [[] for _ in range(width * width)]
    singles: list[list[int]] = [[] for _ in range(width)]
    for c, (first, second) in enumerate(reactants):
        if second > 0:
            pairs[first * width + second].append(c)
            pairs[second * width + first].append(c)
        else:
            singles[first].append(c)
    return Tables(
        capacity=capacity,
        max_speedup=max_speedup,
        full=full,
        max_probability=np.zeros(width**2),
        full_cell_score=np.zeros(width**2),
        exchange=np.zeros(width**2),
        score=np.zeros(len(reactants)),
        reactants=reactants,
        reactant_coefficients=reactant_coefficients,
        products=products,
        product_coefficients=product_coefficients,
        # A copy, because the kernel would be compiled once more for an array that cannot be written to.
        gas_coefficients=np.array(rates.gas_coefficients, dtype=np.float64),
        full_cell_amount=extents.min(axis=1)[:, None] * reactant_coefficients,
        pair_start=np.cumsum([0, *map(len, pairs)]),
        pair_channel=np.array([c for entry in pairs for c in entry], dtype=np.int64),
        single_start=np.cumsum([0, *map(len, singles)]),
        single_channel=np.array([c for entry in singles for c in entry], dtype=np.int64),
    )


def rates_at(rates: RateTable, temperature_K: float) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate a table of rates linearly in temperature.

    Returns:
        Score of every channel, shape (channels,), and exchanges of places per sweep of every code, shape (codes,).
    """
    grid = rates.temperature_K
    if grid.size == 1:
        score, exchange = rates.score[0], rates.exchange[0]
    else:
        upper = int(np.clip(np.searchsorted(grid, temperature_K), 1, grid.size - 1))
        weight = float(np.clip((temperature_K - grid[upper - 1]) / (grid[upper] - grid[upper - 1]), 0.0, 1.0))
        score = (1 - weight) * rates.score[upper - 1] + weight * rates.score[upper]
        exchange = (1 - weight) * rates.exchange[upper - 1] + weight * rates.exchange[upper]
    return score, np.concatenate([[0.0], exchange])


def full_cell_scores(channels: Tables, score: np.ndarray) -> np.ndarray:
    """Sum the scores of all reactions of a visited code with its neighbour, shape (codes, codes)."""

    def summed(start: np.ndarray, channel: np.ndarray) -> np.ndarray:
        n = start.size - 1
        return np.bincount(np.repeat(np.arange(n), np.diff(start)), weights=score[channel], minlength=n)

    single = summed(channels.single_start, channels.single_channel)
    return summed(channels.pair_start, channels.pair_channel).reshape(single.size, -1) + single[:, None]


def reachable(present: np.ndarray, channels: Tables, score: np.ndarray, *, generations: int = 2) -> np.ndarray:
    """Return which codes are there or can appear within some generations of reactions, shape (codes,), bool."""
    reach = present.copy()
    reach[0] = True
    for _ in range(generations):
        live = (score > 0) & reach[channels.reactants].all(axis=1)
        reach[channels.products[live].ravel()] = True
    return reach


def cycles_per_sweep(channels: Tables, score: np.ndarray, exchange: np.ndarray, codes: np.ndarray) -> float:
    """Return how many cycles of visits a sweep needs so that no probability exceeds one among some codes (bool)."""
    probabilities = full_cell_scores(channels, score) * channels.max_speedup + exchange[:, None]
    return float(probabilities[np.ix_(codes, codes)].max())


def cycle_tables(channels: Tables, score: np.ndarray, exchange: np.ndarray, *, sweeps: float) -> Tables:
    """Return the tables with the probabilities of cycles of ``sweeps`` each, from what ``rates_at`` returns."""
    swaps = np.where(np.eye(exchange.size, dtype=bool), 0.0, (exchange * sweeps)[:, None])
    scores = full_cell_scores(channels, score) * sweeps
    return channels._replace(
        max_probability=(scores * channels.max_speedup + swaps).ravel(),
        full_cell_score=scores.ravel(),
        exchange=swaps.ravel(),
        score=score * sweeps,
    )


def cut_blocks(size: int) -> Blocks:
    """Cut an axis into an even number of blocks (one, where blocks would be too thin to keep colours apart)."""
    from tammann.automaton.kernel import Blocks

    per_axis = 1 if size < 8 else max(2, 2 * (size // (2 * BLOCK_EDGE)))
    cuts = np.linspace(0, size, per_axis + 1).round().astype(np.int64)
    if per_axis == 1:
        return Blocks(size, cuts, np.zeros((1, 1), dtype=np.int64))
    position = np.stack(np.unravel_index(np.arange(per_axis**3), (per_axis,) * 3))
    colour = (position % 2 * np.array([[1], [2], [4]])).sum(axis=0)
    return Blocks(size, cuts, np.argsort(colour, kind="stable").reshape(8, -1))
