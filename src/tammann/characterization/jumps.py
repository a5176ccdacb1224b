"""Jumps of ions between sites: how often, how far, how many return at once, and along how many directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.characterization.ion_paths import ion_paths
from tammann.characterization.percolation import percolation
from tammann.characterization.sites import IonSites
from tammann.errors import DataError
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    import pandas as pd

    from tammann.trajectory import Trajectory

CORE = 0.35
"""Radius of the core of a site, over the distance to the nearest other one."""
STRETCHES = 8
"""Stretches of the trajectory whose spread checks the errors of rates."""
FEWEST_JUMPS = 3
"""A link between two sites counts for the dimension when so many jumps were seen along it."""


@dataclass(frozen=True, eq=False, repr=False)
class SiteJumps(ShownAsTable):
    """What ``find_jumps`` has seen.

    Attributes:
        sites: The S sites.
        ions: Which ion jumped, shape (J,).
        frames: The frame in which it had arrived, shape (J,).
        origins: Site that it left, shape (J,).
        targets: Site that it came to, shape (J,).
        cells: Cell of the target as seen from that of the origin, shape (J, 3).
        stays_ps: Time that ions spent at each site, in equal stretches of the trajectory, ps, shape (B, S).
        n_ions: Number of ions.
        n_frames: Frames.
        frame_interval_ps: ps.
    """

    sites: IonSites
    ions: np.ndarray
    frames: np.ndarray
    origins: np.ndarray
    targets: np.ndarray
    cells: np.ndarray
    stays_ps: np.ndarray
    n_ions: int
    n_frames: int
    frame_interval_ps: float

    def __repr__(self) -> str:
        who = f"{self.n_ions} {self.sites.density.symbol}"
        return f"SiteJumps({len(self)} jumps of {who} among {len(self.sites)} sites in {self.duration_ps:g} ps)"

    def __len__(self) -> int:
        return len(self.ions)

    @property
    def duration_ps(self) -> float:
        """From the first frame to the last, ps."""
        return (self.n_frames - 1) * self.frame_interval_ps

    @property
    def vectors_A(self) -> np.ndarray:
        """From the site left to the site reached, Å, shape (J, 3)."""
        places = self.sites.basins.fractional
        return np.asarray((places[self.targets] + self.cells - places[self.origins]) @ self.sites.density.cell_A)

    @property
    def distances_A(self) -> np.ndarray:
        """Lengths of ``vectors_A``, Å, shape (J,)."""
        return np.linalg.norm(self.vectors_A, axis=1)

    @property
    def returned(self) -> float:
        """Share of the jumps that the next jump of the same ion takes back; NaN where no ion has jumped twice.

        Half of it and more is rattling between two sites rather than diffusion.
        """
        order = np.lexsort((self.frames, self.ions))
        ion, a, b, cell = (x[order] for x in (self.ions, self.origins, self.targets, self.cells))
        same = ion[1:] == ion[:-1]
        back = (a[1:] == b[:-1]) & (b[1:] == a[:-1]) & (cell[1:] == -cell[:-1]).all(axis=1)
        return float(back[same].mean()) if same.any() else float("nan")

    def jump_diffusivity_m2_per_s(self) -> float:
        """Return sum d² / (6 N t), m²/s: what D would be if successive jumps did not know of each other."""
        return float((self.distances_A**2).sum()) / (6.0 * self.n_ions * self.duration_ps) * 1e-8

    def table(self) -> pd.DataFrame:
        """Return one row for each pair of kinds of sites (``rates``)."""
        return self.rates()

    def rates(self, by: str = "name") -> pd.DataFrame:
        """Return how many jumps there were from each kind of site to each, and their rates.

        rate = n / t_i with the time t_i that ions spent at sites of the kind left: the rate of an ion that is there.
        Its standard error is that of counting, sqrt(n) / t_i, or that from the spread over stretches of the trajectory
        where it is larger.

        Args:
            by: ``name`` of the sites, or ``site`` for every single one.

        Raises:
            DataError: Another word.
        """
        import pandas as pd

        if by not in ("name", "site"):
            raise DataError(f"by: expected name or site, got {by!r}.")
        names = np.array(self.sites.names if by == "name" else [str(k) for k in range(len(self.sites))])
        kinds, kind = np.unique(names, return_inverse=True)
        stretches = len(self.stays_ps)
        stays = np.zeros((stretches, len(kinds)))
        for b in range(stretches):
            np.add.at(stays[b], kind, self.stays_ps[b])
        counts = np.zeros((stretches, len(kinds), len(kinds)))
        stretch = np.minimum(self.frames * stretches // self.n_frames, stretches - 1)
        np.add.at(counts, (stretch, kind[self.origins], kind[self.targets]), 1.0)
        lengths = np.zeros((len(kinds), len(kinds)))
        np.add.at(lengths, (kind[self.origins], kind[self.targets]), self.distances_A)
        rows = []
        for a, b in np.argwhere(counts.sum(axis=0) > 0).tolist():
            n, time = float(counts[:, a, b].sum()), float(stays[:, a].sum())
            error = np.sqrt(n)
            if stretches > 2:
                # deviations of the counts from the mean rate times the time spent there in each stretch
                spread = counts[:, a, b] - n / time * stays[:, a]
                error = max(error, float(np.sqrt((spread**2).sum() * stretches / (stretches - 1))))
            row = {"from": kinds[a], "to": kinds[b], "jumps": int(n), "rate_per_ps": n / time}
            rows.append(row | {"rate_stderr": error / time, "distance_A": lengths[a, b] / n})
        columns = ["from", "to", "jumps", "rate_per_ps", "rate_stderr", "distance_A"]
        return pd.DataFrame(rows, columns=columns)

    def links(self, fewest: int = FEWEST_JUMPS) -> np.ndarray:
        """Return the links along which jumps were seen, either way: a, b and the cell of b, shape (L, 5).

        Args:
            fewest: Jumps along a link, both ways together.
        """
        rows = np.column_stack([self.origins, self.targets, self.cells]).reshape(-1, 5)
        sign = np.array([next((x for x in row if x), 0) for row in self.cells.tolist()], dtype=int)
        turn = (self.targets < self.origins) | ((self.targets == self.origins) & (sign < 0))
        turned = np.column_stack([self.targets, self.origins, -self.cells]).reshape(-1, 5)
        found, counts = np.unique(np.where(turn[:, None], turned, rows), axis=0, return_counts=True)
        return found[counts >= fewest]

    def dimension(self, fewest: int = FEWEST_JUMPS) -> tuple[int, np.ndarray]:
        """Return along how many directions ions can go without end, and these, by the links seen (``percolation``).

        Args:
            fewest: Jumps along a link, both ways together, for it to count.
        """
        return percolation(len(self.sites), self.links(fewest))


def join_jumps(replicas: Sequence[SiteJumps]) -> SiteJumps:
    """Return the jumps of replicas, among the same sites and of the same length, as those of one larger crystal.

    Args:
        replicas: One or more.

    Raises:
        DataError: None, jumps among other sites, or of another length or number of ions.
    """
    if not replicas or len({id(each.sites) for each in replicas}) > 1:
        raise DataError("replicas: expected jumps of one or more replicas, all among the same sites.")
    first, n = replicas[0], replicas[0].n_ions
    if len({(each.n_frames, each.n_ions) for each in replicas}) > 1:
        raise DataError("replicas: expected the same number of frames and ions in each; cut the longer ones.")
    ions = np.concatenate([each.ions + k * n for k, each in enumerate(replicas)])
    names = ("frames", "origins", "targets", "cells")
    parts: dict[str, Any] = {name: np.concatenate([getattr(each, name) for each in replicas]) for name in names}
    stays = np.sum([each.stays_ps for each in replicas], axis=0)
    return replace(first, ions=ions, stays_ps=stays, n_ions=n * len(replicas), **parts)


def find_jumps(trajectory: Trajectory, sites: IonSites, *, core: float = CORE) -> SiteJumps:
    """Return the jumps of ions between sites.

    An ion is at the site whose core it entered last, so that crossing a boundary and coming back is no jump. The core
    is what lies within a site's basin nearer to it than ``core`` times its distance to the nearest other site.

    Args:
        trajectory: The one behind the sites, or a replica, with frames short against the time that an ion stays; its
            framework is laid on that of the density.
        sites: As ``find_sites`` returns them.
        core: Over the distance to the nearest other site, up to 0.5.

    Raises:
        DataError: Another number of ions, another cell, or a core out of range.

    Reference:
        Buchete, Hummer, J. Phys. Chem. B 2008, 112, 6057, doi 10.1021/jp0761665 (transitions between cores).

    Example:
        >>> from tammann.characterization import find_sites, ion_density
        >>> from tammann.trajectory import Trajectory
        >>> walk = Trajectory.example()
        >>> sites = find_sites(ion_density(walk, "Mg", spacing_A=1.0, smoothing_A=1.5))
        >>> find_jumps(walk, sites).n_ions
        10
    """
    from tammann.characterization.density_kernels import follow  # numba is slow to import

    if not 0.0 < core <= 0.5:
        raise DataError(f"core: expected a number above 0 and up to 0.5, got {core:g}.")
    density, frames = sites.density, trajectory.n_frames
    paths = np.concatenate([part for _, part in ion_paths(trajectory, density.symbol, framework=density.framework)])
    if paths.shape[1] != density.n_ions:
        raise DataError(
            f"the trajectory has {paths.shape[1]} {density.symbol}, the sites are those of {density.n_ions}."
        )
    cell = trajectory.cells.mean(axis=0)
    if np.linalg.norm(cell - density.cell_A) > 0.05 * np.linalg.norm(cell):
        raise DataError(
            f"the trajectory has lattice vectors of {np.linalg.norm(cell, axis=1).round(2).tolist()} Å, the sites are "
            f"those of {np.linalg.norm(density.cell_A, axis=1).round(2).tolist()} Å, or of another orientation."
        )
    cores = (core * sites.nearest_A()) ** 2
    stretches = STRETCHES if frames >= 20 * STRETCHES else 1
    stretch = np.arange(frames) * stretches // frames
    stays = np.zeros((stretches, len(sites)))
    states, cells = np.empty(frames, np.int64), np.empty((frames, 3), np.int64)
    labels, images = sites.basins.labels, sites.basins.images.astype(np.int64)
    places, cell = np.ascontiguousarray(sites.basins.fractional), density.cell_A.copy()
    found: list[np.ndarray] = []
    for ion in range(density.n_ions):
        follow(np.ascontiguousarray(paths[:, ion]), labels, images, places, cell, cores, states, cells)
        known = states >= 0
        np.add.at(stays, (stretch[known], states[known]), trajectory.frame_interval_ps)
        moved = known[:-1] & ((states[1:] != states[:-1]) | (cells[1:] != cells[:-1]).any(axis=1))
        when = np.flatnonzero(moved) + 1
        step = cells[when] - cells[when - 1]
        found.append(np.column_stack([np.full(len(when), ion), when, states[when - 1], states[when], step]))
    rows = np.concatenate(found).astype(np.int64).reshape(-1, 7)
    return SiteJumps(
        sites, rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4:], stays, density.n_ions, frames,
        trajectory.frame_interval_ps,
    )  # fmt: skip
