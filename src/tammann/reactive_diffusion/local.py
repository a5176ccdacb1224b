"""Local equilibrium of one component: which phases a cell of given composition holds, and how they resist a flux."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def convex_hull(y, g):
    """Return the phases on the lower convex hull of g(y), y ascending; of equal y the lowest counts."""
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
def lower_phase(y, hull_y):
    """Return the position on the hull of the lower of the two phases that a composition lies between, and its upper's share."""
    k, share = lower_phase_unclipped(y, hull_y)
    return k, min(1.0, max(0.0, share))


@njit(cache=True, nogil=True)
def lower_phase_unclipped(y, hull_y):
    """Return the same with a share that is a little below zero or above one where the composition is."""
    if hull_y.size == 1:
        return 0, 0.0
    k = min(max(np.searchsorted(hull_y, y) - 1, 0), hull_y.size - 2)
    return k, (y - hull_y[k]) / (hull_y[k + 1] - hull_y[k])


@njit(cache=True, nogil=True)
def half_resistance(width, y, hull_y, hull_volume, hull_conductivity):
    """Return the resistance of half a cell: its phases as layers in series, in proportion to their volumes."""
    k, share = lower_phase(y, hull_y)
    if hull_y.size == 1:
        return 0.5 * width / hull_conductivity[0]
    a = (1.0 - share) * hull_volume[k]
    b = share * hull_volume[k + 1]
    return 0.5 * width * (a / hull_conductivity[k] + b / hull_conductivity[k + 1]) / (a + b)


@njit(cache=True, nogil=True)
def table_weight(temperature_K, grid_K):
    """Return the interval of an ascending grid that a temperature lies in, and the weight of its upper end."""
    if grid_K.size == 1:
        return 0, 0.0
    k = min(max(np.searchsorted(grid_K, temperature_K) - 1, 0), grid_K.size - 2)
    return k, (temperature_K - grid_K[k]) / (grid_K[k + 1] - grid_K[k])
