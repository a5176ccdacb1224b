"""One independent component on a chain of cells: one step of the gradient flow, solved exactly, and all steps.

Each cell holds n moles of lattice sites (of anions, or of cations where the gas exchanges the anions) of mean
composition y between the phases y_p. The step from b = n y to the minimum of

    sum_i n_i g(y_i) + (dt/2) sum_f J_f^2 / C_f,    n_i y_i = n_i y_i(old) + dt (J_left - J_right),

is dual to the minimum over potentials psi_i of sum_i n_i [g*(psi_i) - y_i(old) psi_i] + (dt/2) sum_f C_f (psi_i -
psi_j)^2 with g*(psi) = max_p (y_p psi - g_p), whose derivative is a staircase: a cell takes the phase of highest grand
potential, and holds two where psi is at a tie. The derivative of the part left of a face, minimised over the cells
there, is a monotone piecewise linear function of the potential right of it. These polylines are passed along the chain
and back.
"""

from typing import Any

import numpy as np
from numba import njit

from tammann.reactive_diffusion.local import (
    ahead,
    energies,
    half_layers,
    hull_tables,
    interval,
    lower_phase,
    sides,
    slope,
)
from tammann.reactive_diffusion.nucleation import nucleate
from tammann.units import BOLTZMANN_EV_PER_K

FAR = 1e3
"""Potentials, eV, that no cell reaches."""
SHORTEST = 1e-9
"""Part of a stretch that a step is not cut below."""
SAFETY = 0.8
"""Of the length that the error estimate asks for."""


@njit(cache=True, nogil=True)
def _add_staircase(x: Any, s: Any, count: Any, n: Any, y_old: Any, y: Any, ties: Any, x_out: Any, s_out: Any) -> Any:
    """Add n (y_p(psi) - y_old) to a polyline of count points; return the number of points of the sum."""
    points = 0
    tie = 0
    step = n * (y[0] - y_old)
    k = 0
    while k < count or tie < ties.size:
        if tie == ties.size or (k < count and x[k] <= ties[tie]):
            x_out[points] = x[k]
            s_out[points] = s[k] + step
            points += 1
            k += 1
            continue
        at = ties[tie]  # a riser: two points of one potential
        if k == 0:
            here = s[0]
        elif k == count:
            here = s[count - 1]
        else:
            run = x[k] - x[k - 1]
            here = s[k - 1] if run <= 0.0 else s[k - 1] + (s[k] - s[k - 1]) * (at - x[k - 1]) / run
        x_out[points] = at
        s_out[points] = here + step
        tie += 1
        step = n * (y[tie] - y_old)
        x_out[points + 1] = at
        s_out[points + 1] = here + step
        points += 2
    return points


@njit(cache=True, nogil=True)
def chain_fluxes(n: Any, y_old: Any, conductance: Any, dt: Any, y: Any, ties: Any) -> Any:
    """Return what crosses each inner face in a step of backward Euler, and the potentials; exact up to round-off.

    Args:
        n: Lattice sites of each cell, shape (N,).
        y_old: Composition of each cell before the step, within ``y[0]`` and ``y[-1]``, shape (N,).
        conductance: Of each inner face, shape (N - 1,).
        dt: Length of the step.
        y: Compositions of the phases on the hull, ascending, shape (H,).
        ties: Potentials at which two neighbours on the hull coexist, ascending, shape (H - 1,).

    Returns:
        The amount that crosses each inner face from right to left, sites, shape (N - 1,), and psi, shape (N,).

    Example:
        >>> y, ties = np.array([0.0, 0.5, 1.0]), np.array([-0.2, 0.2])
        >>> crossed, psi = chain_fluxes(np.ones(2), np.array([0.0, 1.0]), np.ones(1), 1.0, y, ties)
        >>> crossed.round(9).tolist(), psi.round(9).tolist()
        ([0.4], [-0.2, 0.2])
    """
    return _fluxes(n, y_old, conductance, dt, y, ties, _polylines(n.size, ties.size))


@njit(cache=True, nogil=True)
def _polylines(cells: Any, ties: Any) -> Any:
    """Return room for the polylines of a chain: their points, one row a cell, and one that is being passed on."""
    most = 2 + 2 * cells * ties + 2
    return np.empty((cells, most)), np.empty((cells, most)), np.empty(most), np.empty(most)


@njit(cache=True, nogil=True)
def _fluxes(n: Any, y_old: Any, conductance: Any, dt: Any, y: Any, ties: Any, room: Any) -> Any:
    """Return what ``chain_fluxes`` does, with room for at least as many ties as there are."""
    cells = n.size
    X, S, x, s = room
    counts = np.empty(cells, np.int64)
    x[0], x[1], s[0], s[1] = -FAR, FAR, 0.0, 0.0
    count = 2
    for i in range(cells):
        counts[i] = count = _add_staircase(x, s, count, n[i], y_old[i], y, ties, X[i], S[i])
        if i < cells - 1:
            # minimised over psi_i the amount s crosses the face where psi_(i+1) = psi_i + s / (C dt)
            # all potentials lie between the outermost ties: of the points beyond, the nearest on each side is enough
            points = 0
            for k in range(count):
                at = X[i, k] + S[i, k] / (conductance[i] * dt)
                if points == 1 and ties.size > 0 and at <= ties[0]:
                    points = 0
                x[points], s[points] = at, S[i, k]
                points += 1
                if ties.size > 0 and at >= ties[-1] and points > 1:
                    break
            count = points
    crossed = np.zeros(cells - 1)
    psi = np.empty(cells)
    right = 0.0
    for i in range(cells - 1, -1, -1):
        w = conductance[i] * dt if i < cells - 1 else 0.0
        # the root of S_i(psi) - w (right - psi), which rises monotonically, by bisection over the points
        low, high = 0, counts[i] - 1
        while high - low > 1:
            middle = (low + high) // 2
            if S[i, middle] - w * (right - X[i, middle]) <= 0.0:
                low = middle
            else:
                high = middle
        a = S[i, low] - w * (right - X[i, low])
        b = S[i, high] - w * (right - X[i, high])
        part = 0.0 if b <= a else min(1.0, max(0.0, -a / (b - a)))
        psi[i] = X[i, low] + (X[i, high] - X[i, low]) * part
        if i < cells - 1:
            crossed[i] = S[i, low] + (S[i, high] - S[i, low]) * part
        right = psi[i]
    return crossed, psi


@njit(cache=True, nogil=True)
def step_length(left: Any, wanted: Any) -> Any:
    """Return the next step: the rest of a stretch, half of it, or what the error estimate wants.

    Example:
        >>> step_length(10.0, 1.0), step_length(10.0, 8.0), step_length(10.0, 20.0)
        (1.0, 5.0, 10.0)
    """
    if wanted >= 0.999 * left:
        return left
    return 0.5 * left if wanted > 0.5 * left else wanted


@njit(cache=True, nogil=True)
def next_length(step: Any, wanted: Any, error: Any, tolerance: Any) -> Any:
    """Return the length wanted after a step: the error of backward Euler grows as its square.

    A step that the end of a stretch cut short does not shorten what is wanted.
    """
    grown = step * min(2.0, max(0.3, SAFETY * np.sqrt(tolerance / max(error, 1e-300))))
    return grown if step == wanted or error > tolerance else max(wanted, grown)


@njit(cache=True, nogil=True)
def is_available(gas_content: Any, release_only: Any, ceiling: Any, phase_y: Any, ceiling_y: Any) -> Any:
    """Return which phases hold no more of a gas that can only leave than the powder does at their composition."""
    allowed = np.ones(phase_y.size, np.bool_)
    for q in range(release_only.size):
        if not release_only[q]:
            continue
        for p in range(phase_y.size):
            k, w = interval(phase_y[p], ceiling_y)
            most = ceiling[q, k] if ceiling_y.size == 1 else (1.0 - w) * ceiling[q, k] + w * ceiling[q, k + 1]
            if gas_content[p, q] > most + 1e-9:
                allowed[p] = False
    return allowed


@njit(cache=True, nogil=True)
def lower_ceiling(gas_content: Any, hull: Any, hull_y: Any, ceiling: Any, ceiling_y: Any) -> Any:
    """Lower what the powder holds of every gas, at each composition, to what the phases on the hull hold."""
    for j in range(ceiling_y.size):
        k, w = lower_phase(ceiling_y[j], hull_y)
        for q in range(ceiling.shape[0]):
            held = gas_content[hull[k], q]
            if hull.size > 1:
                held = (1.0 - w) * held + w * gas_content[hull[k + 1], q]
            ceiling[q, j] = min(ceiling[q, j], held)


@njit(cache=True, nogil=True)
def _halfway(y: Any, move: Any, heading: Any, hull_y: Any) -> Any:
    """Return the lower phase of a cell and the upper one's share after y has moved."""
    k, share = lower_phase(y, hull_y)
    return ahead(k, share, move, heading, hull_y)


@njit(cache=True, nogil=True)
def _direction(y: Any, i: Any) -> Any:
    """Return ``slope`` at a cell; beyond an end of the chain y goes on as it comes."""
    left = y[i - 1] if i > 0 else 2.0 * y[i] - y[i + 1]
    right = y[i + 1] if i < y.size - 1 else 2.0 * y[i] - y[i - 1]
    return slope(left, y[i], right)


@njit(cache=True, nogil=True)
def _conductances(
    width: Any,
    area: Any,
    contact: Any,
    y: Any,
    move: Any,
    heading: Any,
    hull_y: Any,
    volume: Any,
    conductivity: Any,
    out: Any,
) -> Any:
    """Write the conductance of every inner face: what lies between the fronts on its two sides, in series.

    Layers are those after y has moved by ``move``, in the order that y gives them.
    """
    before = 0.0
    for i in range(width.size):
        k, share = _halfway(y[i], move[i], heading[i], hull_y)
        a, b = half_layers(width[i], k, share, volume, conductivity)
        left_a, left_b, right_a, right_b = sides(a, b, _direction(y, i))
        if i > 0:
            out[i - 1] = area[i - 1] / (before + left_a + left_b + contact[i - 1])
        before = right_a + right_b


@njit(cache=True, nogil=True)
def _error(crossed: Any, rate: Any, step: Any, total: Any) -> Any:
    """Return half of the sum of what the change of all cells differs by from that at the rate before, per site."""
    error = 0.0
    for i in range(rate.size):
        change = (crossed[i] if i < crossed.size else 0.0) - (crossed[i - 1] if i > 0 else 0.0)
        error += 0.5 * abs(change - rate[i] * step)
    return error / total


@njit(cache=True, nogil=True)
def _move(n: Any, y: Any, rate: Any, heading: Any, crossed: Any, step: Any) -> Any:
    """Add what crosses the faces to the cells, and keep the rate and where they are heading."""
    for i in range(y.size):
        change = (crossed[i] if i < crossed.size else 0.0) - (crossed[i - 1] if i > 0 else 0.0)
        y[i] += change / n[i]
        if abs(change) > 1e-12 * n[i]:
            heading[i] = 1 if change > 0.0 else -1
        rate[i] = change / step


@njit(cache=True, nogil=True)
def _add_dissipation(
    crossed: Any,
    conductance: Any,
    ties: Any,
    step: Any,
    width: Any,
    area: Any,
    y: Any,
    move: Any,
    heading: Any,
    hull: Any,
    hull_y: Any,
    volume: Any,
    conductivity: Any,
    out: Any,
) -> Any:
    """Add Q^2 R / (A dt) of every layer on either side of every face to the phase it consists of.

    No more counts of Q than the outermost ties drive: where next to nothing can cross, Q is round-off.
    """
    span = ties[ties.size - 1] - ties[0] if ties.size > 0 else 0.0
    for i in range(area.size):
        amount = min(abs(crossed[i]), conductance[i] * step * span)
        heat = amount * amount / step / area[i]
        for side in range(2):
            k, share = _halfway(y[i + side], move[i + side], heading[i + side], hull_y)
            a, b = half_layers(width[i + side], k, share, volume, conductivity)
            left_a, left_b, right_a, right_b = sides(a, b, _direction(y, i + side))
            out[hull[k]] += heat * (right_a if side == 0 else left_a)
            if hull.size > 1:
                out[hull[k + 1]] += heat * (right_b if side == 0 else left_b)


@njit(cache=True, nogil=True)
def _record(n: Any, y: Any, hull: Any, hull_y: Any, g: Any, held: Any) -> Any:
    """Write the sites of each phase in each cell, shape (N, P); return the Gibbs energy."""
    energy = 0.0
    for i in range(n.size):
        k, share = lower_phase(y[i], hull_y)
        held[i, hull[k]] += (1.0 - share) * n[i]
        energy += (1.0 - share) * n[i] * g[k]
        if hull.size > 1:
            held[i, hull[k + 1]] += share * n[i]
            energy += share * n[i] * g[k + 1]
    return energy


@njit(cache=True, nogil=True)
def run_chain(
    y: Any,
    n: Any,
    width: Any,
    area: Any,
    contact: Any,
    start_K: Any,
    end_K: Any,
    seconds: Any,
    grid_K: Any,
    gibbs: Any,
    log_conductivity: Any,
    phase_y: Any,
    phase_volume: Any,
    gas_content: Any,
    release_only: Any,
    ceiling_y: Any,
    ceiling: Any,
    nucleated: Any,
    barrier: Any,
    tolerance: Any,
    first_step_s: Any,
) -> Any:
    """Run a chain of N cells through F stretches with adaptive steps.

    Args:
        y: Composition of each cell, shape (N,), changed in place.
        n: Sites of each cell, shape (N,), mol.
        width: Shape (N,), m.
        area: Of the inner faces, over Avogadro's number, shape (N - 1,), m^2 mol.
        contact: Resistance of the inner faces beside that of the layers, shape (N - 1,), eV m^2 s per site squared.
        start_K: Temperature at the start of every stretch, shape (F,), K.
        end_K: At its end, shape (F,), K.
        seconds: Its length, shape (F,), s.
        grid_K: Temperatures of the tables, ascending, shape (nT,), K.
        gibbs: Shape (nT, P), eV per site.
        log_conductivity: ln Lambda, Lambda in sites^2/(eV m s), shape (nT, P).
        phase_y: Ascending, shape (P,).
        phase_volume: Of a mole of sites, shape (P,), m^3.
        gas_content: Molecules per site, shape (P, G).
        release_only: Shape (G,).
        ceiling_y: Compositions at which ``ceiling`` is given, ascending, shape (C,).
        ceiling: Molecules per site that the powder holds of each gas, shape (G, C), changed in place.
        nucleated: Which phases have formed, shape (P,), changed in place; others wait for a nucleus.
        barrier: As ``nucleation_barrier``.
        tolerance: Error of a step, in the share of all sites that crosses a face.
        first_step_s: Length of the first step, s.

    Returns:
        Sites of every phase in every cell after every stretch, shape (F, N, P), mol; psi of the cells, shape (F, N),
        eV; Gibbs energy, shape (F,), eV mol; energy dissipated by each phase within each stretch, shape (F, P), eV
        mol; the numbers of steps accepted and refused.
    """
    frames, cells, phases = seconds.size, n.size, phase_y.size
    held = np.zeros((frames, cells, phases))
    potential = np.zeros((frames, cells))
    energy = np.zeros(frames)
    dissipated = np.zeros((frames, phases))
    rate = np.zeros(cells)
    move = np.empty(cells)
    heading = np.zeros(cells, np.int64)
    room = _polylines(cells, phases - 1)
    conductance = np.empty(cells - 1)
    total = n.sum()
    dt = first_step_s
    accepted = refused = 0
    available = is_available(gas_content, release_only, ceiling, phase_y, ceiling_y)
    allowed = available & nucleated
    for f in range(frames):
        at = 0.0
        while at < seconds[f]:
            step = step_length(seconds[f] - at, dt)
            T = start_K[f] + (end_K[f] - start_K[f]) * (at + 0.5 * step) / seconds[f]
            k, w = interval(T, grid_K)
            hull, hull_y, g, conductivity, ties = hull_tables(
                w, gibbs[k], gibbs[k + 1], log_conductivity[k], log_conductivity[k + 1], allowed, phase_y
            )
            volume = phase_volume[hull]
            # layers as the last rate will have moved them by half of the step: second order where it is steady
            for i in range(cells):
                move[i] = 0.5 * step * rate[i] / n[i]
            _conductances(width, area, contact, y, move, heading, hull_y, volume, conductivity, conductance)
            crossed, psi = _fluxes(n, y, conductance, step, hull_y, ties, room)
            error = _error(crossed, rate, step, total) if accepted > 0 else 0.0
            if error > 2.0 * tolerance and step > SHORTEST * seconds[f]:
                dt = max(0.2, SAFETY * np.sqrt(tolerance / error)) * step
                refused += 1
                continue
            _add_dissipation(
                crossed,
                conductance,
                ties,
                step,
                width,
                area,
                y,
                move,
                heading,
                hull,
                hull_y,
                volume,
                conductivity,
                dissipated[f],
            )
            _move(n, y, rate, heading, crossed, step)
            potential[f] = psi
            accepted += 1
            at += step
            dt = next_length(step, dt, error, tolerance)
            if release_only.size > 0:
                lower_ceiling(gas_content, hull, hull_y, ceiling, ceiling_y)
                available = is_available(gas_content, release_only, ceiling, phase_y, ceiling_y)
                allowed = available & nucleated
            if barrier > 0.0:
                g = energies(w, gibbs[k], gibbs[k + 1], available)
                points, compositions = psi.reshape(-1, 1), phase_y.reshape(-1, 1)
                if nucleate(points, compositions, g, phase_volume, BOLTZMANN_EV_PER_K * T, barrier, nucleated):
                    allowed = available & nucleated
        k, w = interval(end_K[f], grid_K)
        hull, hull_y, g, conductivity, ties = hull_tables(
            w, gibbs[k], gibbs[k + 1], log_conductivity[k], log_conductivity[k + 1], allowed, phase_y
        )
        energy[f] = _record(n, y, hull, hull_y, g, held[f])
    return held, potential, energy, dissipated, accepted, refused
