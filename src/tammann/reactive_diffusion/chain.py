"""One independent component on a chain of cells: one step of the gradient flow, solved exactly, and the whole programme.

Each cell holds n moles of lattice sites (of anions, or of cations where the gas exchanges the anions) of mean composition y
between the phases y_p. The step from b = n y to the minimum of

    sum_i n_i g(y_i) + (dt/2) sum_f J_f^2 / C_f,    n_i y_i = n_i y_i(old) + dt (J_left - J_right),

is dual to the minimum over potentials psi_i of sum_i n_i [g*(psi_i) - y_i(old) psi_i] + (dt/2) sum_f C_f (psi_i -
psi_j)^2 with g*(psi) = max_p (y_p psi - g_p), whose derivative is a staircase: a cell takes the phase of highest grand
potential, and holds two where psi is at a tie. The derivative of the part left of a face, minimised over the cells there, is
a monotone piecewise linear function of the potential right of it. These polylines are passed along the chain and back.
"""

import numpy as np
from numba import njit

from tammann.reactive_diffusion.local import convex_hull, half_resistance, lower_phase, table_weight

FAR = 1e3
"""Potentials, eV, that no cell reaches."""
SMALLEST_STEP_H = 1e-12
SAFETY = 0.8


@njit(cache=True, nogil=True)
def _add_staircase(x, s, count, n, y_old, y, ties, x_out, s_out):
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
def chain_fluxes(n, y_old, conductance, dt, y, ties):
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
    """
    cells = n.size
    most = 2 + 2 * cells * ties.size + 2
    X = np.empty((cells, most))
    S = np.empty((cells, most))
    counts = np.empty(cells, np.int64)
    x = np.empty(most)
    s = np.empty(most)
    x[0], x[1], s[0], s[1] = -FAR, FAR, 0.0, 0.0
    count = 2
    for i in range(cells):
        counts[i] = count = _add_staircase(x, s, count, n[i], y_old[i], y, ties, X[i], S[i])
        if i < cells - 1:
            # minimised over psi_i the amount s crosses the face where psi_(i+1) = psi_i + s / (C dt)
            for k in range(count):
                x[k] = X[i, k] + S[i, k] / (conductance[i] * dt)
                s[k] = S[i, k]
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
def _contents(n, y, hull, hull_y, phases):
    """Return the sites of each phase in each cell, shape (N, P)."""
    held = np.zeros((n.size, phases))
    for i in range(n.size):
        k, share = lower_phase(y[i], hull_y)
        held[i, hull[k]] += (1.0 - share) * n[i]
        if hull.size > 1:
            held[i, hull[k + 1]] += share * n[i]
    return held


@njit(cache=True, nogil=True)
def available(gas_content, release_only, ceiling, phase_y, phase_y_known):
    """Return which phases hold no more of a gas that can only leave than the powder did at their composition."""
    allowed = np.ones(phase_y.size, np.bool_)
    for q in range(release_only.size):
        if release_only[q]:
            for p in range(phase_y.size):
                if gas_content[p, q] > np.interp(phase_y[p], phase_y_known, ceiling[q]) + 1e-9:
                    allowed[p] = False
    return allowed


@njit(cache=True, nogil=True)
def run_chain(
    y,
    n,
    width,
    area,
    contact,
    start_K,
    end_K,
    seconds,
    grid_K,
    gibbs,
    log_conductivity,
    phase_y,
    phase_volume,
    gas_content,
    release_only,
    ceiling_y,
    ceiling,
    tolerance,
    first_step_s,
):
    """Run a chain through a programme with adaptive steps; see ``engine`` for what the arrays are.

    Returns:
        Sites of every phase in every cell after every stretch, shape (F, N, P); potentials of the cells, (F, N); Gibbs
        energy, eV, (F,); energy dissipated by each phase within each stretch, eV, (F, P); the length of the last
        step; the number of steps, accepted and refused.
    """
    frames, cells, phases = seconds.size, n.size, phase_y.size
    held = np.zeros((frames, cells, phases))
    potential = np.zeros((frames, cells))
    energy = np.zeros(frames)
    dissipated = np.zeros((frames, phases))
    rate = np.zeros(cells)
    known_rate = False
    total = n.sum()
    dt = first_step_s
    accepted = refused = 0
    half = np.empty(cells)
    conductance = np.empty(cells - 1)
    psi = np.zeros(cells)
    for frame in range(frames):
        at = 0.0
        while at < seconds[frame]:
            left = seconds[frame] - at
            step = left if dt >= 0.999 * left else (0.5 * left if dt > 0.5 * left else dt)
            T = start_K[frame] + (end_K[frame] - start_K[frame]) * (at + 0.5 * step) / seconds[frame]
            k, w = table_weight(T, grid_K)
            g = (1.0 - w) * gibbs[k] + w * gibbs[k + 1]
            if release_only.any():
                allowed = available(gas_content, release_only, ceiling, phase_y, ceiling_y)
                g = np.where(allowed, g, np.inf)
            hull = convex_hull(phase_y, g)
            hull_y = phase_y[hull]
            ties = np.diff(g[hull]) / np.diff(hull_y)
            lam = np.exp((1.0 - w) * log_conductivity[k, hull] + w * log_conductivity[k + 1, hull])
            for i in range(cells):
                half[i] = half_resistance(width[i], y[i], hull_y, phase_volume[hull], lam)
            for i in range(cells - 1):
                conductance[i] = area[i] / (half[i] + half[i + 1] + contact[i])
            crossed, psi = chain_fluxes(n, y, conductance, step, hull_y, ties)
            change = np.zeros(cells)
            change[:-1] += crossed
            change[1:] -= crossed
            error = 0.0
            if known_rate:
                for i in range(cells):
                    error += 0.5 * abs(change[i] - rate[i] * step)
                error /= total
            if error > 2.0 * tolerance and step > 1e-9 * seconds[frame] and step > SMALLEST_STEP_H:
                dt = max(0.2, SAFETY * np.sqrt(tolerance / error)) * step
                refused += 1
                continue
            for i in range(cells - 1):
                heat = crossed[i] * crossed[i] / step / area[i]
                for side in range(2):
                    m, share = lower_phase(y[i + side], hull_y)
                    if hull.size == 1:
                        dissipated[frame, hull[0]] += heat * half[i + side]
                        continue
                    a = (1.0 - share) * phase_volume[hull[m]]
                    b = share * phase_volume[hull[m + 1]]
                    each = 0.5 * width[i + side] / (a + b)
                    dissipated[frame, hull[m]] += heat * each * a / lam[m]
                    dissipated[frame, hull[m + 1]] += heat * each * b / lam[m + 1]
            for i in range(cells):
                y[i] += change[i] / n[i]
                rate[i] = change[i] / step
            known_rate = True
            accepted += 1
            at += step
            if step == dt or error > tolerance:
                dt = step * min(2.0, max(0.3, SAFETY * np.sqrt(tolerance / max(error, 1e-300))))
            else:
                dt = max(dt, step * min(2.0, SAFETY * np.sqrt(tolerance / max(error, 1e-300))))
            if release_only.any():
                for q in range(release_only.size):
                    for j in range(ceiling_y.size):
                        ceiling[q, j] = min(ceiling[q, j], np.interp(ceiling_y[j], hull_y, gas_content[hull, q]))
        T = end_K[frame]
        k, w = table_weight(T, grid_K)
        g = (1.0 - w) * gibbs[k] + w * gibbs[k + 1]
        if release_only.any():
            g = np.where(available(gas_content, release_only, ceiling, phase_y, ceiling_y), g, np.inf)
        hull = convex_hull(phase_y, g)
        hull_y = phase_y[hull]
        held[frame] = _contents(n, y, hull, hull_y, phases)
        for i in range(cells):
            energy[frame] += n[i] * np.interp(y[i], hull_y, g[hull])
        potential[frame] = psi
    return held, potential, energy, dissipated, dt, accepted, refused
