"""Energies and mobilities of the solids on one grid of temperatures, as the steps look them up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tammann.reactive_diffusion.components import Components
from tammann.reactive_diffusion.conductivity import Conductivities, site_volumes_m3
from tammann.units import AVOGADRO_PER_MOL


@dataclass(frozen=True, eq=False)
class Tables:
    """What the steps look up; P solids, D directions of the fluxes, nT temperatures, G gases.

    Attributes:
        temperature_K: Ascending, two or more, shape (nT,), K.
        gibbs_eV: Per site, less a plane in composition at each temperature, shape (nT, P).
        mobility: Shape (nT, P, D, D), sites^2/(eV m s).
        volume_m3: Of a mole of sites, shape (P,), m^3.
        composition: z, along the directions, or y, shape (P, D).
        gas_content: Molecules of every gas per site, shape (P, G).
        release_only: Whether a gas can leave but not come, shape (G,).
        start: Whether a solid is put in, shape (P,).
        scalar: Whether the exact path for one component runs.
    """

    temperature_K: np.ndarray
    gibbs_eV: np.ndarray
    mobility: np.ndarray
    volume_m3: np.ndarray
    composition: np.ndarray
    gas_content: np.ndarray
    release_only: np.ndarray
    start: np.ndarray
    scalar: bool

    def at(self, T: float) -> tuple[np.ndarray, np.ndarray]:
        """Return energies, shape (P,), and mobilities, (P, D, D), between two temperatures: linear and geometric."""
        grid = self.temperature_K
        k = int(np.clip(np.searchsorted(grid, T) - 1, 0, len(grid) - 2))
        w = (T - grid[k]) / (grid[k + 1] - grid[k])
        low, high = self.mobility[k], self.mobility[k + 1]
        scale = np.trace(low, axis1=1, axis2=2), np.trace(high, axis1=1, axis2=2)
        size = scale[0] ** (1.0 - w) * scale[1] ** w
        shape = (1.0 - w) * low / scale[0][:, None, None] + w * high / scale[1][:, None, None]
        return (1.0 - w) * self.gibbs_eV[k] + w * self.gibbs_eV[k + 1], size[:, None, None] * shape


def tabulate(system: Components, conduct: Conductivities) -> Tables:
    """Return the tables of a system at the temperatures of its conductivities."""
    grid = conduct.temperature_K
    gibbs = np.array([np.interp(grid, system.temperature_K, column) for column in system.gibbs_eV.T]).T / system.sites
    if system.y is not None:
        composition = system.y[:, None]
    else:
        composition = system.amounts / system.sites[:, None] @ system.directions.T
    # less a plane through their mean: potentials stay small numbers, and nothing else changes
    plane = np.column_stack([np.ones(len(composition)), composition])
    gibbs = gibbs - np.array([plane @ np.linalg.lstsq(plane, row, rcond=None)[0] for row in gibbs])
    return Tables(
        temperature_K=grid,
        gibbs_eV=gibbs,
        mobility=conduct.mobility,
        volume_m3=site_volumes_m3(system) * AVOGADRO_PER_MOL,
        composition=composition,
        gas_content=system.gas_content / system.sites[:, None],
        release_only=system.release_only,
        start=system.start > 0,
        scalar=system.y is not None,
    )


def gas_ceiling(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return compositions y, shape (C,), and the gas that the solids put in hold there per site, shape (G, C)."""
    y = tables.composition[:, 0]
    order = np.argsort(y, kind="stable")
    put_in = order[tables.start[order]]
    where = np.unique(y)
    held = [np.interp(where, y[put_in], tables.gas_content[put_in, g]) for g in range(len(tables.release_only))]
    return where, np.array(held).reshape(len(tables.release_only), len(where))


def within_ceiling(tables: Tables, present: np.ndarray) -> np.ndarray:
    """Return which phases hold no more of a gas that can only leave than solids do that are there, shape (P,).

    That is a mixture of them with the composition of the phase, or, where there is none, the one that holds most.

    Args:
        tables: Of the system.
        present: Whether each solid is there, shape (P,).
    """
    from scipy.optimize import linprog

    allowed = np.ones(len(present), dtype=bool)
    sources = np.flatnonzero(present)
    balance = np.column_stack([np.ones(sources.size), tables.composition[sources]]).T
    for gas in np.flatnonzero(tables.release_only):
        held = tables.gas_content[:, gas]
        for p in np.flatnonzero((held > 1e-9) & ~present):
            target = np.append(1.0, tables.composition[p])
            best = linprog(-held[sources], A_eq=balance, b_eq=target, bounds=(0, None), method="highs")
            most = -best.fun if best.status == 0 else held[sources].max()
            allowed[p] &= held[p] <= most + 1e-6
    return allowed


def on_hull(composition: np.ndarray, gibbs: np.ndarray, margin_eV: float) -> np.ndarray:
    """Return which phases lie on the lower convex hull in D components, or no more than a margin above it.

    Phases above the hull hold nothing in any cell, whatever its composition.

    Args:
        composition: Shape (P, D).
        gibbs: Shape (P,), eV per site, infinite for a phase that cannot form.
        margin_eV: Per site.

    Example:
        >>> corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.3, 0.3]])
        >>> on_hull(corners, np.array([0.0, 0.0, 0.0, 0.1]), 0.01).tolist()
        [True, True, True, False]
    """
    from scipy.spatial import ConvexHull, QhullError

    there = np.flatnonzero(np.isfinite(gibbs))
    points = np.column_stack([composition[there], gibbs[there]])
    apex = np.append(points[:, :-1].mean(axis=0), points[:, -1].max() + 10.0)
    keep = np.zeros(len(gibbs), dtype=bool)
    try:
        facets = np.unique(ConvexHull(np.vstack([points, apex])).equations.round(12), axis=0)
    except QhullError:  # a simplex without anything else, or all on one line
        keep[there] = True
        return keep
    lower = facets[facets[:, -2] < -1e-9]
    floor = (-(points[:, :-1] @ lower[:, :-2].T + lower[:, -1]) / lower[:, -2]).max(axis=1)
    keep[there] = points[:, -1] <= floor + margin_eV
    return keep
