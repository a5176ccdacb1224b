"""The kernel behind closest points: Wolfe's algorithm on pairs of small polytopes given by their corners.

The difference of two convex polytopes is a convex polytope; its point nearest the origin is the vector sought. Wolfe's
algorithm walks over corners of that difference without listing them: it keeps a few (at most K + 1) corners whose
affine hull's nearest point lies between them, and adds the corner that lies furthest towards the origin until none
does (Wolfe, Math. Program. 1976, 11, 128, doi 10.1007/BF01580381).
"""

import numpy as np
from numba import njit

_MAX_CORRAL = 12


@njit(cache=True)
def _lowest(points, direction):  # type: ignore[no-untyped-def]
    """Return the position of the point that lies lowest along a direction, and how low."""
    at, low = 0, np.inf
    for i in range(len(points)):
        height = 0.0
        for k in range(len(direction)):
            height += points[i, k] * direction[k]
        if height < low:
            at, low = i, height
    return at, low


@njit(cache=True)
def _closest_corners(a, b):  # type: ignore[no-untyped-def]
    """Return the positions of the closest pair of corners."""
    best, bi, bj = np.inf, 0, 0
    for i in range(len(a)):
        for j in range(len(b)):
            square = 0.0
            for k in range(a.shape[1]):
                square += (a[i, k] - b[j, k]) ** 2
            if square < best:
                best, bi, bj = square, i, j
    return bi, bj


@njit(cache=True)
def _affine_weights(points, weights):  # type: ignore[no-untyped-def]
    """Solve for the affine combination nearest the origin, (Q + 1 1^T) y = 1, weights = y / sum y, if there is one."""
    n = len(points)
    m = np.empty((n, n + 1))
    scale = 1e-30
    for i in range(n):
        for j in range(n):
            m[i, j] = 0.0
            for k in range(points.shape[1]):
                m[i, j] += points[i, k] * points[j, k]
        scale = max(scale, m[i, i])
    m[:, :n] += scale
    m[:, n] = scale
    for c in range(n):
        p = c
        for i in range(c + 1, n):
            if abs(m[i, c]) > abs(m[p, c]):
                p = i
        if abs(m[p, c]) < 1e-14 * scale:
            return False
        for j in range(n + 1):
            m[c, j], m[p, j] = m[p, j], m[c, j]
        for i in range(n):
            if i != c:
                factor = m[i, c] / m[c, c]
                for j in range(c, n + 1):
                    m[i, j] -= factor * m[c, j]
    for i in range(n):
        weights[i] = m[i, n] / m[i, i]
    weights /= weights.sum()
    return True


@njit(cache=True)
def _nearest(a, b):  # type: ignore[no-untyped-def]
    """Return the shortest vector from polytope b to polytope a, corners in rows."""
    corral = np.empty((_MAX_CORRAL, a.shape[1]))
    label = np.empty(_MAX_CORRAL, np.int64)
    weight, trial = np.empty(_MAX_CORRAL), np.empty(_MAX_CORRAL)
    i, j = _closest_corners(a, b)
    nearest = a[i] - b[j]
    corral[0], label[0], weight[0] = nearest, i * len(b) + j, 1.0
    n = 1
    for _ in range(1000):
        i, low = _lowest(a, nearest)
        j, minus_high = _lowest(b, -nearest)
        norm = (nearest**2).sum()
        done = norm <= 1e-18 or norm - (low + minus_high) <= 1e-11 * (1.0 + norm)
        if done or n == _MAX_CORRAL or np.any(label[:n] == i * len(b) + j):
            break
        corral[n], label[n], weight[n] = a[i] - b[j], i * len(b) + j, 0.0
        n += 1
        while True:
            if not _affine_weights(corral[:n], trial[:n]):
                n -= 1  # affinely dependent to rounding: the newest corner adds nothing
                break
            if trial[:n].min() > 1e-13:
                weight[:n] = trial[:n]
                break
            theta = 1.0
            for i in range(n):
                if trial[i] <= 1e-13 and weight[i] > trial[i]:
                    theta = min(theta, weight[i] / (weight[i] - trial[i]))
            weight[:n] = theta * trial[:n] + (1.0 - theta) * weight[:n]
            kept = np.flatnonzero(weight[:n] > 1e-13)
            if len(kept) in (0, n):
                return nearest
            n = len(kept)
            corral[:n], label[:n], weight[:n] = corral[kept], label[kept], weight[kept]
        nearest[:] = 0.0
        for i in range(n):
            for k in range(len(nearest)):
                nearest[k] += weight[i] * corral[i, k]
        nearest /= weight[:n].sum()
    return nearest


@njit(cache=True)
def closest_in_faces(vertices, starts, members, pairs):  # type: ignore[no-untyped-def]
    """Return the shortest vector between the faces of each pair, shape (m, K).

    Args:
        vertices: Corners, shape (nv, K).
        starts, members: Corners of face p are members[starts[p]:starts[p + 1]].
        pairs: Two faces a row, shape (m, 2).
    """
    out = np.empty((len(pairs), vertices.shape[1]))
    for m, (p, q) in enumerate(pairs):
        a = vertices[members[starts[p] : starts[p + 1]]]
        b = vertices[members[starts[q] : starts[q + 1]]]
        out[m] = _nearest(a, b)
    return out
