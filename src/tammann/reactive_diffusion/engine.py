"""One chain of cells through a programme: adaptive steps along the gradient flow, exact for one component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tammann.errors import ResultError
from tammann.reactive_diffusion.chain import SAFETY, SHORTEST, next_length, run_chain, step_length
from tammann.reactive_diffusion.convex import ConvexStep, split
from tammann.reactive_diffusion.local import BEYOND, ROUND_OFF, SLIVER
from tammann.reactive_diffusion.mesh import Chain
from tammann.reactive_diffusion.nucleation import nucleate, nucleation_barrier
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.tables import Tables, gas_ceiling, on_hull, within_ceiling
from tammann.units import AVOGADRO_PER_MOL, BOLTZMANN_EV_PER_K

TOLERANCE = 5e-4
"""Error of one step, in the share of all sites that crosses a face."""
FIRST_STEP_S = 1e-6
LARGEST_DIFFERENCE_EV = 2.0
"""Per site, between the potentials of two cells."""
NOTHING = 1e-7
"""Share of all sites: where less than this could cross all faces of a chain, a step leaves it as it is."""
PRESENT = 1e-6
"""Share of all sites above which a solid counts as there, and so does the gas that it holds."""
HULL_MARGIN_EV = 2e-3
"""Per site: phases further above the hull at both ends of a stretch are left out of its programmes."""


@dataclass(frozen=True, eq=False)
class ChainRun:
    """What the cells of one chain did; F stretches, N cells, P solids, D directions.

    Attributes:
        sites: Moles of sites in every phase and cell after every stretch, shape (F, N, P).
        potential_eV: psi, eV per site, shape (F, N, D).
        gibbs_eV: Gibbs energy of the chain, eV per site times moles of sites, shape (F,).
        dissipated_eV: By each phase within each stretch, the same unit, shape (F, P).
        steps: Steps accepted, and refused.
        may_form: Whether each solid, holding no gas that has left for good, may form after the last stretch, shape
            (P,); one component keeps what the powder holds at each composition in ``ceiling`` instead.
        ceiling: With one component, molecules of each gas per site at the compositions of ``gas_ceiling``, (G, C).
        nucleated: Which solids have formed, or may without a nucleus, shape (P,).
    """

    sites: np.ndarray
    potential_eV: np.ndarray
    gibbs_eV: np.ndarray
    dissipated_eV: np.ndarray
    steps: tuple[int, int]
    may_form: np.ndarray
    ceiling: np.ndarray
    nucleated: np.ndarray


def run(
    chain: Chain,
    content: np.ndarray,
    tables: Tables,
    stretches: Sequence[Stretch],
    *,
    tolerance: float = TOLERANCE,
    contact_resistance: np.ndarray | None = None,
    interface_energy_J_per_m2: float = 0.0,
    before: ChainRun | None = None,
) -> ChainRun:
    """Run one chain through some stretches.

    A step of backward Euler is refused where the change differs by more than twice the tolerance from that at the rate
    of the step before.

    Args:
        chain: The cells.
        content: Moles of sites of every solid in every cell, shape (N, P).
        tables: Of the system.
        stretches: In order.
        tolerance: As ``TOLERANCE``.
        contact_resistance: Of the inner faces beside that of the layers, shape (N - 1,), eV m^2 s per site squared.
        interface_energy_J_per_m2: Of nuclei, which solids that are not put in wait for (``nucleation``); zero for none.
        before: What the chain did before (and was ground then), for the gases that have left and the nuclei.

    Raises:
        ResultError: The solver of several components did not converge at any step.
    """
    sites = content.sum(axis=1)
    z = content @ tables.composition / sites[:, None]
    particles = (content @ tables.volume_m3).sum() / chain.volume_m3.sum()
    area = chain.area_m2 * particles / AVOGADRO_PER_MOL
    extra = np.zeros(len(area)) if contact_resistance is None else np.asarray(contact_resistance, dtype=float)
    barrier = nucleation_barrier(interface_energy_J_per_m2)
    nucleated = (tables.start | (barrier <= 0.0)) if before is None else before.nucleated.copy()
    start = _Start(chain.width_m, area, extra, content, z, barrier, nucleated, before)
    return (_run_scalar if tables.scalar else _run_general)(start, tables, stretches, tolerance)


@dataclass(frozen=True, eq=False)
class _Start:
    """What a run of one chain starts from.

    Attributes:
        width: Of the N cells, shape (N,), m.
        area: Of the inner faces, over Avogadro's number, shape (N - 1,), m^2 mol.
        extra: Resistance of the inner faces beside that of the layers, shape (N - 1,), eV m^2 s per site squared.
        content: Moles of sites of every solid in every cell, shape (N, P).
        z: Composition of every cell, shape (N, D).
        barrier: As ``nucleation_barrier``.
        nucleated: Which solids have formed, shape (P,).
        before: What the chain did before, or None.
    """

    width: np.ndarray
    area: np.ndarray
    extra: np.ndarray
    content: np.ndarray
    z: np.ndarray
    barrier: float
    nucleated: np.ndarray
    before: ChainRun | None


def _run_scalar(start: _Start, tables: Tables, stretches: Sequence[Stretch], tolerance: float) -> ChainRun:
    """Run a chain of one component, exactly."""
    order = np.argsort(tables.composition[:, 0], kind="stable")
    where, ceiling = gas_ceiling(tables)
    if start.before is not None:
        ceiling = start.before.ceiling.copy()
    nucleated = start.nucleated[order]
    held, psi, energy, heat, accepted, refused = run_chain(
        start.z[:, 0].copy(),
        start.content.sum(axis=1),
        start.width,
        start.area,
        start.extra,
        np.array([s.start_K for s in stretches]),
        np.array([s.end_K for s in stretches]),
        np.array([s.seconds for s in stretches]),
        tables.temperature_K,
        np.ascontiguousarray(tables.gibbs_eV[:, order]),
        np.log(tables.mobility[:, order, 0, 0]),
        tables.composition[order, 0],
        tables.volume_m3[order],
        np.ascontiguousarray(tables.gas_content[order]),
        tables.release_only,
        where,
        ceiling,
        nucleated,
        start.barrier,
        tolerance,
        FIRST_STEP_S,
    )
    back = np.argsort(order)
    may_form = np.ones(len(order), dtype=bool)
    held, heat = np.ascontiguousarray(held[:, :, back]), np.ascontiguousarray(heat[:, back])
    return ChainRun(held, psi[:, :, None], energy, heat, (accepted, refused), may_form, ceiling, nucleated[back])


def _run_general(start: _Start, tables: Tables, stretches: Sequence[Stretch], tolerance: float) -> ChainRun:
    """Run a chain of any number of components by a convex programme a step."""
    content, z, nucleated = start.content.copy(), start.z.copy(), start.nucleated
    sites, area = content.sum(axis=1), start.area
    N, P, D = len(sites), len(tables.volume_m3), z.shape[1]
    F = len(stretches)
    faces = np.stack([np.arange(N - 1), np.arange(1, N)], axis=1)
    total = sites.sum()
    held, psi_of = np.zeros((F, N, P)), np.zeros((F, N, D))
    energy, heat = np.zeros(F), np.zeros((F, P))
    rate, dt = None, FIRST_STEP_S
    rate_of_phases = np.zeros((N, P))
    accepted = refused = 0
    present = content.sum(axis=0) > PRESENT * total
    allowed = within_ceiling(tables, present) if start.before is None else start.before.may_form.copy()
    chosen = _near_hull(tables, stretches[0], allowed & nucleated)
    composition = np.ascontiguousarray(tables.composition[chosen])
    step_of = ConvexStep(sites, faces, composition)
    for f, stretch in enumerate(stretches):
        at, changed = 0.0, True
        while at < stretch.seconds:
            if changed:
                near = _near_hull(tables, stretch, allowed & nucleated)
                if not np.array_equal(near, chosen):
                    chosen, composition = near, np.ascontiguousarray(tables.composition[near])
                    step_of = ConvexStep(sites, faces, composition)
                changed = False
            step = step_length(stretch.seconds - at, dt)
            T = stretch.start_K + (stretch.end_K - stretch.start_K) * (at + 0.5 * step) / stretch.seconds
            g, mobility = tables.at(T)
            # as in ``chain``: layers as the last step will have moved them by half of this one
            halfway = content + 0.5 * step * rate_of_phases
            move = np.zeros((N, D)) if rate is None else 0.5 * step * rate / sites[:, None]
            layers = _layers(
                start.width, halfway, z, move, tables.composition, tables.volume_m3, np.linalg.inv(mobility)
            )
            left, right = layers.sum(axis=2)
            between = right[:-1] + left[1:] + start.extra[:, None, None] * np.eye(D)
            shortest = step <= SHORTEST * stretch.seconds
            conductance = np.trace(np.linalg.inv(between), axis1=1, axis2=2) * area
            if conductance.sum() * step * LARGEST_DIFFERENCE_EV < NOTHING * total:
                at += step
                rate, rate_of_phases, dt = np.zeros((N, D)), np.zeros((N, P)), next_length(step, dt, 0.0, tolerance)
                accepted += 1
                continue
            try:
                Q, guess, psi, used = step_of.solve(g[chosen], z, between / (area * step)[:, None, None])
            except ResultError:
                if shortest:
                    raise
                step_of = ConvexStep(sites, faces, composition)
                dt = 0.3 * step
                refused += 1
                continue
            change = np.zeros((N, D))
            change[:-1] -= Q
            change[1:] += Q
            error = 0.0 if rate is None else 0.5 * float(np.abs(change - rate * step).sum()) / total
            if error > 2.0 * tolerance and not shortest:
                dt = max(0.2, SAFETY * np.sqrt(tolerance / error)) * step
                refused += 1
                continue
            weight = used / (area * step)
            for beside in (layers[1, :-1], layers[0, 1:]):
                heat[f] += np.einsum("fd,fpde,fe,f->p", Q, beside, Q, weight, optimize=True)
            z += change / sites[:, None]
            rate = change / step
            last, content = content, np.zeros((N, P))
            content[:, chosen] = split(sites, z, guess, composition)
            rate_of_phases = (content - last) / step
            psi_of[f] = psi
            at += step
            accepted += 1
            dt = next_length(step, dt, error, tolerance)
            if start.barrier > 0.0:
                possible = np.where(allowed, g, np.inf)
                thermal = BOLTZMANN_EV_PER_K * T
                changed = nucleate(
                    psi, tables.composition, possible, tables.volume_m3, thermal, start.barrier, nucleated
                )
        if tables.release_only.any() and not np.array_equal(now := content.sum(axis=0) > PRESENT * total, present):
            present = now
            allowed &= within_ceiling(tables, present)
        g, _ = tables.at(stretch.end_K)
        held[f], energy[f] = content, float((content @ g).sum())
    return ChainRun(held, psi_of, energy, heat, (accepted, refused), allowed, np.zeros((0, 0)), nucleated)


def _near_hull(tables: Tables, stretch: Stretch, allowed: np.ndarray) -> np.ndarray:
    """Return the positions of the phases that lie on the hull, or little above it, at an end of a stretch."""
    near = np.zeros(len(allowed), dtype=bool)
    for T in (stretch.start_K, stretch.end_K):
        near |= on_hull(tables.composition, np.where(allowed, tables.at(T)[0], np.inf), HULL_MARGIN_EV)
    return np.flatnonzero(near)


def _layers(
    width: np.ndarray,
    content: np.ndarray,
    z: np.ndarray,
    move: np.ndarray,
    composition: np.ndarray,
    volume: np.ndarray,
    resistance: np.ndarray,
) -> np.ndarray:
    """Return the resistances of the layers of every cell left and right of its potential, shape (2, N, P, D, D).

    As in ``local.sides``: of two phases, each lies on the side of the neighbour that is nearer to it, along the line
    between the neighbours. A single phase lies on the side away from the neighbour that its cell moves towards by
    ``move``, where the next phase will appear. Otherwise half of each lies on each side. What stands still goes by
    nothing, unlike in the exact chain: the solver's fluxes are too coarse to tell where it was heading.
    """
    share = np.maximum(content, 0.0) * volume
    share /= share.sum(axis=1, keepdims=True)
    ends = np.concatenate([2.0 * z[:1] - z[1:2], z, 2.0 * z[-1:] - z[-2:-1]])
    along = ends[2:] - ends[:-2]
    steps = np.diff(ends, axis=0)
    margin = -ROUND_OFF * (along * along).sum(axis=1)
    onwards = (
        (np.abs(along).max(axis=1) > SLIVER)
        & ((steps[:-1] * along).sum(axis=1) >= margin)
        & ((steps[1:] * along).sum(axis=1) >= margin)
    )
    count = (share > SLIVER).sum(axis=1)
    part = np.full((2, *share.shape), 0.5)
    ahead = (move * along).sum(axis=1)
    moves = onwards & (count == 1) & (ahead != 0.0)
    part[0, moves] = np.where(ahead[moves] > 0.0, 1.0 - BEYOND, BEYOND)[:, None]
    part[1, moves] = 1.0 - part[0, moves]
    for i in np.flatnonzero(onwards & (count == 2)):
        first, second = np.flatnonzero(share[i] > SLIVER)
        towards = float((composition[second] - composition[first]) @ along[i])
        if towards != 0.0:
            near, far = (first, second) if towards > 0.0 else (second, first)
            part[:, i, near], part[:, i, far] = (1.0 - BEYOND, BEYOND), (BEYOND, 1.0 - BEYOND)
    return (part * share * width[:, None])[..., None, None] * resistance
