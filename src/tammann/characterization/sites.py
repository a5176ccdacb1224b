"""Sites of a mobile ion from the maxima of its density, matched to crystallographic ones, with their surroundings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.basins import Basins, find_basins
from tammann.characterization.density import IonDensity
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import find_pairs

if TYPE_CHECKING:
    import pandas as pd

ANIONS = ("N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I")
"""Elements around a cation by default."""
OTHER = "other"
"""Name of a site that matches no crystallographic one."""
FEWEST_NEIGHBOURS, MOST_NEIGHBOURS = 3, 8
SEARCH_A = 8.0


@dataclass(frozen=True, eq=False, repr=False)
class IonSites(ShownAsTable):
    """Places where the ions of an element stay.

    Attributes:
        density: The density that they are the maxima of.
        basins: What belongs to each of the S sites, and the passes between them.
        names: Of the crystallographic sites that they were matched to, or ``site``.
        distances_A: To these, Å, shape (S,); NaN where none was given or matched.
        unvisited: Names of crystallographic sites near which there is no maximum, one for each.
        split: Names of those with more than one, one for each: jumps between these parts of a site lead nowhere.
        neighbours: Symbols of the anions of the polyhedron around each site, or None where not asked for.
        bond_A: Mean distances to these, Å, shape (S,), or None.
    """

    density: IonDensity
    basins: Basins
    names: tuple[str, ...]
    distances_A: np.ndarray
    unvisited: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    neighbours: tuple[tuple[str, ...], ...] | None = None
    bond_A: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{number} {name}" for name, number in Counter(self.names).items())
        parts = f", {len(self.split)} of the crystal split" if self.split else ""
        return f"IonSites({self.density.symbol}: {kinds}{parts}, {self.elsewhere:.3g} ions elsewhere)"

    @property
    def occupancies(self) -> np.ndarray:
        """Mean number of ions at each site, shape (S,)."""
        return self.basins.ions

    @property
    def elsewhere(self) -> float:
        """Mean number of ions that belong to no site."""
        left = self.density.n_ions - float(self.basins.ions.sum())
        return left if left > 1e-9 * self.density.n_ions else 0.0  # no round-off

    @property
    def positions_A(self) -> np.ndarray:
        """Positions, Å, shape (S, 3)."""
        return np.asarray(self.basins.fractional @ self.density.cell_A)

    def configuration(self) -> Configuration:
        """Return one ion at each site, labelled with its occupancy, for a file beside the density."""
        symbols = (self.density.symbol,) * len(self)
        occupancy = {"occupancy": self.occupancies}
        return Configuration(symbols, self.positions_A, self.density.cell_A, labels=occupancy)

    def nearest_A(self) -> np.ndarray:
        """Return the distance of each site to the nearest other one or image of one, Å, shape (S,)."""
        longest = float(np.linalg.norm(self.density.cell_A, axis=1).max()) + 0.1
        for cutoff in (SEARCH_A, longest):
            pairs = find_pairs(self.positions_A, self.density.cell_A, cutoff_A=cutoff, threads=1)
            if (np.diff(pairs.first) > 0).all():
                break
        found = np.full(len(self), np.inf)
        np.minimum.at(found, pairs.centres, pairs.distances_A)
        return found

    def polyhedron(self, site: int) -> str:
        """Return the anions around a site as a formula, such as ``Br4Cl2``; empty where not asked for."""
        if self.neighbours is None:
            return ""
        counts = Counter(self.neighbours[site])
        return "".join(f"{symbol}{counts[symbol]}" for symbol in sorted(counts))

    def table(self) -> pd.DataFrame:
        """Return one row for each site: name, position, occupancy, peak, and what is around it."""
        import pandas as pd

        frame = pd.DataFrame({"site": np.arange(len(self)), "name": self.names})
        frame[["a", "b", "c"]] = self.basins.fractional
        frame["occupancy"] = self.occupancies
        frame["peak_per_A3"] = self.basins.peaks_per_A3
        frame["matched_A"] = self.distances_A
        if self.neighbours is not None:
            frame["polyhedron"] = [self.polyhedron(k) for k in range(len(self))]
            frame["coordination"] = [len(each) for each in self.neighbours]
            frame["bond_A"] = self.bond_A
        return frame

    def by_kind(self) -> pd.DataFrame:
        """Return one row for each name and polyhedron: number of sites, and ions on them, together and each."""
        table = self.table()
        keys = ["name"] + ["polyhedron"] * ("polyhedron" in table)
        grouped = table.groupby(keys, sort=True)["occupancy"]
        frame = grouped.agg(sites="size", ions="sum", occupancy="mean").reset_index()
        return frame.sort_values("ions", ascending=False, ignore_index=True)


def find_sites(
    density: IonDensity,
    *,
    crystal: Configuration | None = None,
    names: Sequence[str] | None = None,
    within_A: float = 1.2,
    anions: Sequence[str] | None = ANIONS,
    depth_kT: float = 1.0,
    least_ions: float = 0.01,
    apart_A: float = 1.0,
) -> IonSites:
    """Return the sites of an ion: the maxima of its density, deep, occupied and far apart enough (``find_basins``).

    Each is matched to the nearest crystallographic site within ``within_A``, where these are given, after the rigid
    shift between crystal and trajectory has been taken out; two maxima that share one are told as ``split``. The anions
    of a polyhedron are those before the widest step in the ratio of successive distances to the mean framework, from
    the third to the eighth.

    Args:
        density: As ``ion_density`` returns it.
        crystal: Ions at all crystallographic sites, occupied or not, in the cell of the trajectory.
        names: Of these, such as ``4g`` or ``Li1``; the same name for equivalent ones. ``site`` where None.
        within_A: Å.
        anions: Elements of the polyhedra; none are sought where None.
        depth_kT: As ``find_basins``.
        least_ions: As ``find_basins``.
        apart_A: As ``find_basins``.

    Raises:
        DataError: Names that do not fit the crystal, a crystal of another cell, or no site.

    Example:
        >>> from tammann.characterization import ion_density
        >>> from tammann.trajectory import Trajectory
        >>> walk = ion_density(Trajectory.example(), "Mg", spacing_A=1.0, smoothing_A=1.5)
        >>> bool(find_sites(walk).elsewhere < 1e-6)
        True
    """
    if names is not None and (crystal is None or len(names) != crystal.n_atoms):
        raise DataError(f"names: expected one for each site of the crystal, got {len(names)}; give crystal and names.")
    if not 0.0 <= within_A <= 10.0:
        raise DataError(f"within_A is {within_A:g}, expected a distance from 0 to 10 Å.")
    if crystal is not None:
        edges, own = (np.linalg.norm(cell, axis=1) for cell in (crystal.cell_A, density.cell_A))
        if (np.abs(np.log(edges / own)) > np.log(1.4)).any():
            raise DataError(
                f"the crystal has lattice vectors of {edges.round(2).tolist()} Å, expected those of the trajectory, "
                f"{own.round(2).tolist()} Å; repeat its cell."
            )
    basins = find_basins(density, depth_kT=depth_kT, least_ions=least_ions, apart_A=apart_A)
    count = len(basins.ions)
    sites = IonSites(density, basins, ("site",) * count, np.full(count, np.nan))
    if crystal is not None:
        sites = _matched(sites, crystal, list(names or ["site"] * crystal.n_atoms), within_A)
    return sites if anions is None else _with_neighbours(sites, anions)


def _matched(sites: IonSites, crystal: Configuration, names: list[str], within_A: float) -> IonSites:
    """Match sites to crystallographic ones, the rigid shift between the two taken out."""
    cell = sites.density.cell_A
    places = crystal.positions_A @ np.linalg.inv(crystal.cell_A)
    shift = np.zeros(3)
    for _ in range(3):
        steps = sites.basins.fractional[:, None] - places - shift
        steps -= np.round(steps)
        distances = np.linalg.norm(steps @ cell, axis=-1)
        nearest = distances.argmin(axis=1)
        each = np.arange(len(sites))
        near = distances[each, nearest] <= within_A
        if not near.any():
            break
        # weighted with the ions: hardly visited sites sit less surely where the crystal has them
        shift = shift + np.average(steps[each, nearest][near], axis=0, weights=sites.occupancies[near])
    found = tuple(names[k] if ok else OTHER for k, ok in zip(nearest.tolist(), near.tolist(), strict=True))
    maxima = np.bincount(nearest[near], minlength=len(names))
    left, split = (tuple(names[k] for k in np.flatnonzero(which)) for which in (maxima == 0, maxima > 1))
    matched = np.where(near, distances[each, nearest], np.nan)
    return replace(sites, names=found, distances_A=matched, unvisited=left, split=split)


def _with_neighbours(sites: IonSites, anions: Sequence[str]) -> IonSites:
    """Add the anions of the polyhedron around each site."""
    framework = sites.density.framework
    chosen = [] if framework is None else [k for k, symbol in enumerate(framework.symbols) if symbol in anions]
    if framework is None or not chosen:
        return sites
    positions = np.concatenate([sites.positions_A, framework.positions_A[chosen]])
    symbols = [framework.symbols[k] for k in chosen]
    count, cutoff = len(sites), SEARCH_A
    lists: list[tuple[str, ...]] = []
    bonds = np.full(count, np.nan)
    pairs = find_pairs(positions, sites.density.cell_A, cutoff_A=cutoff, threads=1)
    for site in range(count):
        span = slice(pairs.first[site], pairs.first[site + 1])
        others, distances = pairs.indices[span], pairs.distances_A[span]
        mine = others >= count
        order = np.argsort(distances[mine], kind="stable")[: MOST_NEIGHBOURS + 1]
        others, distances = others[mine][order] - count, distances[mine][order]
        if len(distances) <= FEWEST_NEIGHBOURS:
            lists.append(())
            continue
        ratios = distances[FEWEST_NEIGHBOURS:] / distances[FEWEST_NEIGHBOURS - 1 : -1]
        number = FEWEST_NEIGHBOURS + int(ratios.argmax())
        lists.append(tuple(symbols[k] for k in others[:number]))
        bonds[site] = distances[:number].mean()
    return replace(sites, neighbours=tuple(lists), bond_A=bonds)
