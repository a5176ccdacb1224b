"""Local equilibrium of one component: which phases a cell of given composition holds, and how they resist a flux.

Compiled functions on arrays. A cell lies between two neighbours on the lower convex hull of g(y), or holds one phase.
"""

from typing import Any

import numpy as np
from numba import njit

SLIVER = 1e-5
"""Share of a cell below which a phase is what a solver left, and no layer."""
STILL = 1e-5
"""Change of a share within half a step below which a single phase does not move."""
ROUND_OFF = 1e-3
"""Of the difference of two neighbours, which may lie between equal cells."""
BEYOND = 0.05
"""Part of a layer that is counted beyond the front in its cell, so that no face is free of resistance."""


@njit(cache=True, nogil=True)
def convex_hull(y: Any, g: Any) -> Any:
    """Return the phases on the lower convex hull of g(y); of equal y the lowest counts.

    Args:
        y: Compositions, ascending, shape (P,).
        g: Gibbs energies, eV per site, infinite for a phase that cannot form, shape (P,).

    Returns:
        Positions in ``y``, ascending, shape (H,).

    Example:
        >>> convex_hull(np.array([0.0, 0.4, 0.5, 1.0]), np.array([0.0, -0.1, -0.3, 0.0])).tolist()
        [0, 2, 3]
    """
    on = np.empty(y.size, np.int64)
    count = 0
    for p in range(y.size):
        if not np.isfinite(g[p]):
            continue
        if count > 0 and y[on[count - 1]] == y[p]:
            if g[p] >= g[on[count - 1]]:
                continue
            count -= 1
        while count >= 2:
            a, b = on[count - 2], on[count - 1]
            if (g[b] - g[a]) * (y[p] - y[b]) >= (g[p] - g[b]) * (y[b] - y[a]):
                count -= 1
            else:
                break
        on[count] = p
        count += 1
    return on[:count].copy()


@njit(cache=True, nogil=True)
def interval(x: Any, grid: Any) -> Any:
    """Return the interval of an ascending grid that x lies in, and the weight of its upper end, not cut off.

    Example:
        >>> interval(2.5, np.array([0.0, 1.0, 2.0, 4.0]))
        (2, 0.25)
    """
    if grid.size == 1:
        return 0, 0.0
    low, high = 0, grid.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] < x:
            low = middle
        else:
            high = middle
    return low, (x - grid[low]) / (grid[low + 1] - grid[low])


@njit(cache=True, nogil=True)
def lower_phase(y: Any, hull_y: Any) -> Any:
    """Return the position on the hull of the lower of the two phases of a composition, and the upper one's share."""
    k, share = interval(y, hull_y)
    return k, min(1.0, max(0.0, share))


@njit(cache=True, nogil=True)
def lower_phase_near(y: Any, guess: Any, hull_y: Any) -> Any:
    """Return what ``lower_phase`` does, searched from a guess of the position.

    Example:
        >>> lower_phase_near(0.75, 0, np.array([0.0, 0.5, 1.0]))
        (1, 0.5)
    """
    last = hull_y.size - 2
    if last < 0:
        return 0, 0.0
    k = min(guess, last)
    while k > 0 and y < hull_y[k]:
        k -= 1
    while k < last and y > hull_y[k + 1]:
        k += 1
    if y <= hull_y[k]:
        return k, 0.0
    return k, 1.0 if y >= hull_y[k + 1] else (y - hull_y[k]) / (hull_y[k + 1] - hull_y[k])


@njit(cache=True, nogil=True)
def half_layers(width: Any, k: Any, share: Any, volume: Any, conductivity: Any) -> Any:
    """Return the resistances of the two layers in half of a cell: its phases in series, by volume.

    r_p = (w / 2) (volume share of p) / Lambda_p.

    Args:
        width: Of the cell, m.
        k: Position on the hull of the lower phase.
        share: Of the sites in the upper phase.
        volume: Volume of a mole of sites of the phases on the hull, shape (H,), m^3.
        conductivity: Lambda of the phases on the hull, shape (H,).

    Returns:
        That of the lower phase and the upper one's.
    """
    if share <= SLIVER:
        return 0.5 * width / conductivity[k], 0.0
    if share >= 1.0 - SLIVER:
        return 0.0, 0.5 * width / conductivity[k + 1]
    a = (1.0 - share) * volume[k]
    b = share * volume[k + 1]
    scale = 0.5 * width / (a + b)
    return scale * a / conductivity[k], scale * b / conductivity[k + 1]


@njit(cache=True, nogil=True)
def ahead(k: Any, share: Any, move: Any, heading: Any, hull_y: Any) -> Any:
    """Return the lower phase and the upper one's share after y has moved, no further than the next single phase.

    A single phase goes over to the two that the move makes of it; where y stands still, to those that it was moving to:
    the next phase will appear on that side, and the cell has to have its potential there, or the phase would wait for
    more than equilibrium asks.

    Args:
        k: Position on the hull of the lower phase.
        share: Of the sites in the upper phase.
        move: Change of y.
        heading: Sign of the last change that was more than round-off; 0 if there was none, or it is not known.
        hull_y: Compositions on the hull, ascending, shape (H,).

    Example:
        >>> y = np.array([0.0, 0.5, 1.0])
        >>> ahead(0, 0.5, 0.125, 0, y), ahead(0, 0.5, 1.0, 0, y), ahead(0, 1.0, 0.125, 0, y), ahead(0, 1.0, 0.0, 1, y)
        ((0, 0.75), (0, 1.0), (1, 0.25002), (1, 2e-05))
    """
    if hull_y.size == 1:
        return k, share
    if share >= 1.0 - SLIVER and k + 2 < hull_y.size and goes(move, hull_y[k + 2] - hull_y[k + 1], heading) > 0:
        k, share = k + 1, 2.0 * SLIVER
        move = max(move, 0.0)
    elif share <= SLIVER and k > 0 and goes(move, hull_y[k] - hull_y[k - 1], heading) < 0:
        k, share = k - 1, 1.0 - 2.0 * SLIVER
        move = min(move, 0.0)
    return k, min(1.0, max(0.0, share + move / (hull_y[k + 1] - hull_y[k])))


@njit(cache=True, nogil=True)
def goes(move: Any, span: Any, heading: Any) -> Any:
    """Return the sign of a change of y, or the heading where it is less than round-off of the span of two phases.

    Example:
        >>> goes(0.1, 0.5, -1), goes(0.0, 0.5, -1)
        (1, -1)
    """
    if abs(move) > STILL * span:
        return 1 if move > 0.0 else -1
    return heading


@njit(cache=True, nogil=True)
def slope(left: Any, here: Any, right: Any) -> Any:
    """Return 1 where y rises from the left neighbour over a cell to the right one, -1 where it falls, else 0.

    Example:
        >>> slope(0.0, 0.2, 1.0), slope(1.0, 0.2, 0.2), slope(0.0, 0.2, 0.0)
        (1, -1, 0)
    """
    margin = ROUND_OFF * abs(right - left)
    if abs(right - left) <= SLIVER or here < min(left, right) - margin or here > max(left, right) + margin:
        return 0
    return 1 if left < right else -1


@njit(cache=True, nogil=True)
def sides(lower: Any, upper: Any, rising: Any) -> Any:
    """Return the parts of the two layers of a cell left and right of the place where its potential is.

    Two phases coexist at the front between them, so that one lies on the side of the neighbour that is nearer to it
    in composition, all but ``BEYOND`` of it. Without a direction, or with one phase, each side has half.

    Args:
        lower: Half the resistance of the phase of lower y, from ``half_layers``.
        upper: Of that of higher y.
        rising: From ``slope``.

    Returns:
        Of the lower phase and the upper one on the left, and the same on the right.

    Example:
        >>> [round(part, 3) for part in sides(1.0, 3.0, 1)], sides(1.0, 3.0, 0), sides(2.0, 0.0, 1)
        ([1.9, 0.3, 0.1, 5.7], (1.0, 3.0, 1.0, 3.0), (2.0, 0.0, 2.0, 0.0))
    """
    if rising == 0 or lower == 0.0 or upper == 0.0:
        return lower, upper, lower, upper
    near, far = 2.0 * (1.0 - BEYOND), 2.0 * BEYOND
    if rising > 0:
        return near * lower, far * upper, far * lower, near * upper
    return far * lower, near * upper, near * lower, far * upper


@njit(cache=True, nogil=True)
def energies(weight: Any, low: Any, high: Any, allowed: Any) -> Any:
    """Return Gibbs energies between two temperatures, infinite for phases that cannot form, shape (P,).

    Example:
        >>> energies(0.25, np.zeros(2), np.full(2, 4.0), np.array([True, False])).tolist()
        [1.0, inf]
    """
    g = np.empty(low.size)
    for p in range(low.size):
        g[p] = (1.0 - weight) * low[p] + weight * high[p] if allowed[p] else np.inf
    return g


@njit(cache=True, nogil=True)
def hull_tables(weight: Any, low: Any, high: Any, log_low: Any, log_high: Any, allowed: Any, phase_y: Any) -> Any:
    """Interpolate energies and conductivities between two temperatures and find the hull.

    Args:
        weight: Of the upper temperature.
        low: Gibbs energies at the lower temperature, shape (P,).
        high: At the upper one, shape (P,).
        log_low: ln Lambda at the lower temperature, shape (P,).
        log_high: At the upper one, shape (P,).
        allowed: Which phases can form, shape (P,).
        phase_y: Compositions, ascending, shape (P,).

    Returns:
        Of the H phases on the hull: positions, y, g, Lambda, and the H - 1 potentials at which neighbours coexist.
    """
    g = energies(weight, low, high, allowed)
    hull = convex_hull(phase_y, g)
    y, energy, conductivity = np.empty(hull.size), np.empty(hull.size), np.empty(hull.size)
    ties = np.empty(hull.size - 1)
    for m in range(hull.size):
        p = hull[m]
        y[m], energy[m] = phase_y[p], g[p]
        conductivity[m] = np.exp((1.0 - weight) * log_low[p] + weight * log_high[p])
        if m > 0:
            ties[m - 1] = (energy[m] - energy[m - 1]) / (y[m] - y[m - 1])
    return hull, y, energy, conductivity, ties
