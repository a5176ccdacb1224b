"""Free energy along the ways of an ion: at which barrier they open in one, two and three directions, and the lowest."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from tammann.characterization.percolation import Joined
from tammann.characterization.sites import IonSites
from tammann.errors import DataError
from tammann.notebook import ShownAsTable

Node = tuple[int, tuple[int, ...]]
"""A site and its cell."""
MOST_CELLS = 2
"""How many cells away from its start a path may lead along each lattice vector, on the way to its end."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """The free energy at which ways of an ion open in a number of directions.

    Attributes:
        dimension: 1, 2 or 3.
        barrier_eV: Highest pass that must be crossed, above the deepest of the sites that then hang together, eV.
        directions: Lattice vectors along which there is then no end, shape (dimension, 3).
    """

    dimension: int
    barrier_eV: float
    directions: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class FreeEnergyPath(ShownAsTable):
    """The way of least resistance from a site to its image, or to another site.

    Attributes:
        distance_A: Along the path, Å, shape (M,).
        free_energy_eV: Above the deepest site of the path, eV, shape (M,).
        fractional: Positions, shape (M, 3), not wrapped.
        sites: Sites along it, from first to last.
        cells: Their cells, shape (len(sites), 3).
        barrier_eV: Highest point, eV.
        temperature_K: K.
    """

    distance_A: np.ndarray
    free_energy_eV: np.ndarray
    fractional: np.ndarray
    sites: tuple[int, ...]
    cells: np.ndarray
    barrier_eV: float
    temperature_K: float

    def __repr__(self) -> str:
        way = f"{len(self.sites) - 1} jumps, {self.distance_A[-1]:.2f} Å"
        return f"FreeEnergyPath({way}, barrier {self.barrier_eV:.3f} eV at {self.temperature_K:g} K)"

    def table(self):  # type: ignore[no-untyped-def]
        """Return one row for each point: distance, free energy and position."""
        import pandas as pd

        frame = pd.DataFrame({"distance_A": self.distance_A, "free_energy_eV": self.free_energy_eV})
        frame[["a", "b", "c"]] = self.fractional
        return frame


def percolation_thresholds(sites: IonSites, *, temperature_K: float | None = None) -> tuple[Threshold, ...]:
    """Return the barriers at which the ways of an ion open in one, in two and in three directions.

    F = -kB T ln rho. Passes are crossed from the lowest on; where a set of sites that hang together returns to itself
    in another cell, it has no end along that lattice vector (``percolation``). A dimension that no pass seen opens is
    left out: no ion has gone there.

    Args:
        sites: As ``find_sites`` returns them.
        temperature_K: K; that of the trajectory where None.

    Raises:
        DataError: No temperature.

    Example:
        >>> from tammann.characterization import find_sites, ion_density
        >>> from tammann.trajectory import Trajectory
        >>> sites = find_sites(ion_density(Trajectory.example(), "Mg", spacing_A=1.0, smoothing_A=1.5))
        >>> all(t.barrier_eV > 0 for t in percolation_thresholds(sites))
        True
    """
    basins, kT = sites.basins, sites.density.kT_eV(temperature_K)
    joined = Joined(len(sites), peaks=basins.peaks_per_A3.copy())
    found: list[Threshold] = []
    for (a, b, *cell), height in zip(basins.passes.tolist(), basins.heights_per_A3.tolist(), strict=True):
        one, other = joined.root(a), joined.root(b)
        joined.join(a, b, np.array(cell), keep=one if joined.peaks[one] >= joined.peaks[other] else other)
        directions = joined.directions(a)
        # a pass may close two windings at once where sets that already percolate meet
        for dimension in range(len(found) + 1, len(directions) + 1):
            barrier = kT * float(np.log(joined.peaks[joined.root(a)] / height))
            found.append(Threshold(dimension, barrier, directions[:dimension]))
        if len(found) == 3:
            break
    return tuple(found)


def lowest_path(
    sites: IonSites,
    *,
    start: int | None = None,
    end: int | None = None,
    cell: tuple[int, int, int] | None = None,
    temperature_K: float | None = None,
) -> FreeEnergyPath:
    """Return the path of least resistance between two sites, or from a site to its image, with its free energy.

    Resistances in series: of all chains of sites the one with the least sum of exp(F_pass / kB T), and within it of
    all lines on the grid that with the least integral of exp(F / kB T) along it, which lets the greatest flux pass.

    Args:
        sites: As ``find_sites`` returns them.
        start: Site; the deepest of those that percolate where None.
        end: Site; ``start`` where None.
        cell: Cell of the end as seen from that of the start; the first direction that opens where None.
        temperature_K: K; that of the trajectory where None.

    Raises:
        DataError: No such site, or nothing leads there, as far as was seen.

    Reference:
        Berkowitz, Morgan, McCammon, Northrup, J. Chem. Phys. 1983, 79, 5563, doi 10.1063/1.445675; Huo, Straub, J.
        Chem. Phys. 1997, 107, 5000, doi 10.1063/1.474863.
    """
    density = sites.density
    kT = density.kT_eV(temperature_K)
    if any(site is not None and not 0 <= site < len(sites) for site in (start, end)):
        raise DataError(f"start, end: expected numbers of sites, 0 to {len(sites) - 1}, got {start} and {end}.")
    if cell is not None and not any(cell) and (end is None or end == start):
        raise DataError(f"cell is {list(cell)}, expected that of an image of the start, such as [1, 0, 0].")
    if cell is None:
        opened = percolation_thresholds(sites, temperature_K=temperature_K)
        if not opened and (end is None or end == start):
            raise DataError(f"no way of {density.symbol} without an end was seen; run longer or hotter.")
        cell = (0, 0, 0) if end is not None and end != start else tuple(int(x) for x in opened[0].directions[0])  # type: ignore[assignment]
    assert cell is not None
    starts = range(len(sites)) if start is None else [start]
    order = sorted(starts, key=lambda k: -sites.basins.peaks_per_A3[k])
    chain = next((c for k in order if (c := _chain(sites, k, k if end is None else end, np.array(cell)))), None)
    if chain is None:
        raise DataError(f"no way of {density.symbol} to the cell {list(cell)} was seen; run longer or hotter.")
    points = [_line(sites, *pair) for pair in zip(chain[:-1], chain[1:], strict=True)]
    fractional = np.concatenate([points[0][:1], *(part[1:] for part in points)]) / np.array(density.shape)
    index = np.round(fractional * density.shape).astype(int) % density.shape
    rho = density.values_per_A3[tuple(index.T)]
    steps = np.linalg.norm(np.diff(fractional, axis=0) @ density.cell_A, axis=1)
    energy = -kT * np.log(rho / rho.max())
    kelvin = density.temperature_K if temperature_K is None else temperature_K
    assert kelvin is not None
    cells = np.array([where for _, where in chain])
    return FreeEnergyPath(
        np.concatenate([[0.0], steps.cumsum()]), energy, fractional, tuple(site for site, _ in chain), cells,
        float(energy.max()), float(kelvin),
    )  # fmt: skip


def _chain(sites: IonSites, start: int, end: int, cell: np.ndarray) -> list[Node] | None:
    """Return the sites and cells of the way with the least sum of 1/rho over its passes (Dijkstra), or None."""
    basins = sites.basins
    links: dict[int, list[tuple[int, np.ndarray, float]]] = {}
    for (a, b, *step), height in zip(basins.passes.tolist(), basins.heights_per_A3.tolist(), strict=True):
        links.setdefault(a, []).append((b, np.array(step), 1.0 / height))
        links.setdefault(b, []).append((a, -np.array(step), 1.0 / height))
    low, high = np.minimum(cell, 0) - MOST_CELLS, np.maximum(cell, 0) + MOST_CELLS
    origin: Node = (start, (0, 0, 0))
    goal: Node = (end, tuple(int(x) for x in cell))
    best: dict[Node, float] = {origin: 0.0}
    before: dict[Node, Node] = {}
    queue: list[tuple[float, Node]] = [(0.0, origin)]
    while queue:
        cost, here = heapq.heappop(queue)
        if here == goal and (cost or origin != goal):
            chain = [here]
            while chain[-1] != origin:
                chain.append(before[chain[-1]])
            return chain[::-1]
        if cost > best[here]:
            continue
        for other, step, resistance in links.get(here[0], []):
            where = np.array(here[1]) + step
            if (where < low).any() or (where > high).any():
                continue
            there = (other, tuple(int(x) for x in where))
            if cost + resistance < best.get(there, np.inf):
                best[there], before[there] = cost + resistance, here
                heapq.heappush(queue, (best[there], there))
    return None


def _line(sites: IonSites, one: Node, other: Node) -> np.ndarray:
    """Return the grid points, not wrapped, of the least integral of 1/rho between two neighbouring sites."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    basins, shape = sites.basins, np.array(sites.density.shape)
    points = []
    for site, where in {one, other}:
        index = np.argwhere(basins.labels == site)
        points.append(index + (np.array(where) - basins.images[tuple(index.T)]) * shape)
    nodes = np.concatenate(points)
    rho = sites.density.values_per_A3[tuple((nodes % shape).T)]
    low = nodes.min(axis=0) - 1
    number = np.full(nodes.max(axis=0) - low + 2, -1)
    number[tuple((nodes - low).T)] = np.arange(len(nodes))
    rows, columns, costs = [], [], []
    for step in range(14, 27):
        move = np.array([step // 9 - 1, step // 3 % 3 - 1, step % 3 - 1])
        neighbour = number[tuple((nodes - low + move).T)]
        ok = neighbour >= 0
        length = float(np.linalg.norm(move / shape @ sites.density.cell_A))
        rows.append(np.flatnonzero(ok))
        columns.append(neighbour[ok])
        costs.append(0.5 * length * (1.0 / rho[ok] + 1.0 / rho[neighbour[ok]]))
    joined = tuple(np.concatenate(part) for part in (costs, rows, columns))
    graph = coo_array((joined[0], joined[1:]), shape=(len(nodes), len(nodes))).tocsr()
    ends = []
    for site, where in (one, other):
        place = np.round((basins.fractional[site] + np.array(where)) * shape).astype(int)
        ends.append(int(((nodes - place) ** 2).sum(axis=1).argmin()))
    _, before = dijkstra(graph, directed=False, indices=ends[0], return_predecessors=True)
    path = [ends[1]]
    while path[-1] != ends[0]:
        if before[path[-1]] < 0:
            raise DataError("two sites that touch are not joined on the grid; take a finer spacing_A.")
        path.append(int(before[path[-1]]))
    return np.asarray(nodes[path[::-1]], dtype=float)
