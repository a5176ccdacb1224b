"""From a powder and a programme to amounts of phases against time: adaptive steps along the gradient flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tammann.reactive_diffusion.chain import run_chain
from tammann.reactive_diffusion.components import Components
from tammann.reactive_diffusion.conductivity import Conductivities, site_volumes_m3
from tammann.reactive_diffusion.convex import ConvexStep, split
from tammann.reactive_diffusion.mesh import Chain

TOLERANCE = 1e-3
"""Error of one step, in the share of all sites that crosses a face."""
GRID_STEP_K = 10.0
_FIRST_STEP_S = 1e-6


@dataclass(frozen=True)
class Stretch:
    """A part of the programme that ends with a frame: temperatures at its ends, K, its length, s, its step."""

    start_K: float
    end_K: float
    seconds: float
    stage: int
    regrind: bool = False


@dataclass(frozen=True, eq=False)
class Course:
    """What the cells of one chain did; F stretches, N cells, P solids, D directions.

    Attributes:
        sites: Moles of sites in every phase and cell after every stretch, shape (F, N, P).
        potential_eV: psi, eV per site, shape (F, N, D).
        gibbs_eV: Gibbs energy of the chain, eV per site times moles of sites, shape (F,).
        dissipated_eV: By each phase within each stretch, the same unit, shape (F, P).
        steps: Steps taken, and refused.
    """

    sites: np.ndarray
    potential_eV: np.ndarray
    gibbs_eV: np.ndarray
    dissipated_eV: np.ndarray
    steps: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Tables:
    """Energies and mobilities of the solids on one grid of temperatures, with what else the steps need."""

    temperature_K: np.ndarray
    gibbs_eV: np.ndarray  # per site, (nT, P)
    mobility: np.ndarray  # (nT, P, D, D)
    volume_m3: np.ndarray  # of a mole of sites, (P,)
    composition: np.ndarray  # z, (P, D)
    gas_content: np.ndarray  # per site, (P, G)
    release_only: np.ndarray
    start: np.ndarray  # which solids are put in, (P,)
    scalar: bool


def tabulate(system: Components, conduct: Conductivities) -> Tables:
    """Return the tables of a system at the temperatures of its conductivities."""
    grid = conduct.temperature_K
    gibbs = np.array([np.interp(grid, system.temperature_K, column) for column in system.gibbs_eV.T]).T / system.sites
    if system.y is not None:
        composition = system.y[:, None]
    else:
        composition = system.amounts / system.sites[:, None] @ system.directions.T
    return Tables(
        temperature_K=grid,
        gibbs_eV=_referred(gibbs, composition),
        mobility=conduct.mobility,
        volume_m3=site_volumes_m3(system) * 6.02214076e23,
        composition=composition,
        gas_content=system.gas_content / system.sites[:, None],
        release_only=system.release_only,
        start=system.start > 0,
        scalar=system.y is not None,
    )


def _referred(gibbs: np.ndarray, composition: np.ndarray) -> np.ndarray:
    """Return the energies less a plane in composition through their mean, so that potentials stay small numbers."""
    plane = np.column_stack([np.ones(len(composition)), composition])
    return gibbs - np.array([plane @ np.linalg.lstsq(plane, row, rcond=None)[0] for row in gibbs])


def run(
    chain: Chain,
    content: np.ndarray,
    tables: Tables,
    stretches: Sequence[Stretch],
    *,
    tolerance: float = TOLERANCE,
    contact_resistance: np.ndarray | None = None,
) -> Course:
    """Run one chain through some stretches.

    Args:
        chain: The cells.
        content: Moles of sites of every solid in every cell, shape (N, P).
        tables: Of the system.
        stretches: In order.
        tolerance: As ``TOLERANCE``.
        contact_resistance: Of the inner faces beside that of the layers, shape (N - 1,), m^2 eV s/sites^2 per m^2.
    """
    sites = content.sum(axis=1)
    z = content @ tables.composition / sites[:, None]
    # a cell of the mesh has the volume that its content has; an amount of moles is in so many particles
    volume = content @ tables.volume_m3
    particles = volume.sum() / chain.volume_m3.sum()
    area = chain.area_m2 * particles / 6.02214076e23
    extra = np.zeros(len(area)) if contact_resistance is None else contact_resistance
    run_ = _run_scalar if tables.scalar else _run_general
    return run_(chain.width_m, area, extra, sites, z, tables, stretches, tolerance)


def _run_scalar(
    width: np.ndarray, area: np.ndarray, extra: np.ndarray, sites: np.ndarray, z: np.ndarray, tables: Tables,
    stretches: Sequence[Stretch], tolerance: float,
) -> Course:  # fmt: skip
    order = np.argsort(tables.composition[:, 0], kind="stable")
    y = tables.composition[order, 0]
    ceiling_y = np.unique(y)
    put_in = np.flatnonzero(tables.start[order])
    ceiling = np.array(
        [np.interp(ceiling_y, y[put_in], tables.gas_content[order][put_in, g]) for g in range(len(tables.release_only))]
    ).reshape(len(tables.release_only), len(ceiling_y))
    held, psi, energy, heat, _, taken, refused = run_chain(
        z[:, 0].copy(), sites, width, area, extra,
        np.array([s.start_K for s in stretches]), np.array([s.end_K for s in stretches]),
        np.array([s.seconds for s in stretches]), tables.temperature_K,
        np.ascontiguousarray(tables.gibbs_eV[:, order]), np.log(tables.mobility[:, order, 0, 0]), y,
        tables.volume_m3[order], np.ascontiguousarray(tables.gas_content[order]), tables.release_only,
        ceiling_y, ceiling, tolerance, _FIRST_STEP_S,
    )  # fmt: skip
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return Course(held[:, :, back], psi[:, :, None], energy, heat[:, back], (taken, refused))


def _run_general(
    width: np.ndarray, area: np.ndarray, extra: np.ndarray, sites: np.ndarray, z: np.ndarray, tables: Tables,
    stretches: Sequence[Stretch], tolerance: float,
) -> Course:  # fmt: skip
    N, P, D = len(sites), len(tables.volume_m3), z.shape[1]
    F = len(stretches)
    faces = np.stack([np.arange(N - 1), np.arange(1, N)], axis=1)
    step_of = ConvexStep(sites, faces, tables.composition)
    z = z.copy()
    held, psi_of = np.zeros((F, N, P)), np.zeros((F, N, D))
    energy, heat = np.zeros(F), np.zeros((F, P))
    rate, dt = None, _FIRST_STEP_S
    taken = refused = 0
    total = sites.sum()
    allowed = tables.start | ~(tables.gas_content[:, tables.release_only] > 1e-9).any(axis=1)
    g, mobility = _at(tables, stretches[0].start_K)
    content = _nearest(sites, z, g, tables)
    for f, stretch in enumerate(stretches):
        at = 0.0
        while at < stretch.seconds:
            left = stretch.seconds - at
            step = left if dt >= 0.999 * left else (0.5 * left if dt > 0.5 * left else dt)
            T = stretch.start_K + (stretch.end_K - stretch.start_K) * (at + 0.5 * step) / stretch.seconds
            g, mobility = _at(tables, T)
            g = np.where(allowed, g, g + _FORBIDDEN_EV)
            resistance = np.linalg.inv(mobility)
            half, share = _halves(width, content, tables.volume_m3, resistance)
            between = half[:-1] + half[1:] + extra[:, None, None] * np.eye(D)
            Q, guess, psi = step_of.solve(g, z, between / (area * step)[:, None, None])
            change = np.zeros((N, D))
            change[:-1] -= Q
            change[1:] += Q
            error = 0.0 if rate is None else 0.5 * np.abs(change - rate * step).sum() / total
            if error > 2.0 * tolerance and step > 1e-9 * stretch.seconds:
                dt = max(0.2, 0.8 * np.sqrt(tolerance / error)) * step
                refused += 1
                continue
            J = Q / (area * step)[:, None]
            for side in (0, 1):
                cells = slice(side, N - 1 + side)
                each = np.einsum("fd,fpde,fe->fp", J, share[cells], J) * (area * step)[:, None]
                heat[f] += each.sum(axis=0)
            z += change / sites[:, None]
            rate = change / step
            content = split(sites, z, guess, tables.composition)
            if not allowed.all() or tables.release_only.any():
                gone = tables.start & (content.sum(axis=0) < 1e-9 * total)
                allowed &= ~(gone & (tables.gas_content[:, tables.release_only] > 1e-9).any(axis=1))
            at += step
            taken += 1
            grown = step * min(2.0, max(0.3, 0.8 * np.sqrt(tolerance / max(error, 1e-300))))
            dt = grown if step == dt or error > tolerance else max(dt, grown)
        g, mobility = _at(tables, stretch.end_K)
        held[f], psi_of[f], energy[f] = content, psi, float((content @ g).sum())
    return Course(held, psi_of, energy, heat, (taken, refused))


_FORBIDDEN_EV = 10.0
"""Added to the energy of a solid that would have to take up a gas that can only leave."""


def _at(tables: Tables, T: float) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and mobilities at a temperature; between two of the grid, linear and geometric."""
    grid = tables.temperature_K
    k = int(np.clip(np.searchsorted(grid, T) - 1, 0, len(grid) - 2))
    w = (T - grid[k]) / (grid[k + 1] - grid[k])
    low, high = tables.mobility[k], tables.mobility[k + 1]
    scale = np.trace(low, axis1=1, axis2=2), np.trace(high, axis1=1, axis2=2)
    size = scale[0] ** (1.0 - w) * scale[1] ** w
    shape = (1.0 - w) * low / scale[0][:, None, None] + w * high / scale[1][:, None, None]
    return (1.0 - w) * tables.gibbs_eV[k] + w * tables.gibbs_eV[k + 1], size[:, None, None] * shape


def _halves(
    width: np.ndarray, content: np.ndarray, volume: np.ndarray, resistance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the resistance of half of every cell, (N, D, D), and of the layers in it, (N, P, D, D)."""
    share = np.maximum(content, 0.0) * volume
    share /= share.sum(axis=1, keepdims=True)
    layers = 0.5 * width[:, None, None, None] * share[:, :, None, None] * resistance
    return layers.sum(axis=1), layers


def _nearest(sites: np.ndarray, z: np.ndarray, g: np.ndarray, tables: Tables) -> np.ndarray:
    """Return the content of cells that each hold one of the solids put in."""
    distance = np.abs(z[:, None, :] - tables.composition).sum(axis=2) + 1e3 * ~tables.start
    content = np.zeros((len(sites), len(g)))
    content[np.arange(len(sites)), distance.argmin(axis=1)] = sites
    return content
