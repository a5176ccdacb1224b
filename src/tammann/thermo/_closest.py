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
def _affine_weights(corral, n, weights):  # type: ignore[no-untyped-def]
    """Solve for the affine combination of n points nearest the origin: (Q + 1 1^T) y = 1, weights = y / sum y."""
    K = corral.shape[1]
    m = np.empty((n, n + 1))
    scale = 0.0
    for i in range(n):
        for j in range(n):
            q = 0.0
            for k in range(K):
                q += corral[i, k] * corral[j, k]
            m[i, j] = q
        scale = max(scale, m[i, i])
    scale = max(scale, 1e-30)
    for i in range(n):
        for j in range(n):
            m[i, j] += scale
        m[i, n] = scale
    for c in range(n):
        p = c
        for i in range(c + 1, n):
            if abs(m[i, c]) > abs(m[p, c]):
                p = i
        if abs(m[p, c]) < 1e-14 * scale:
            return False
        if p != c:
            for j in range(n + 1):
                m[c, j], m[p, j] = m[p, j], m[c, j]
        for i in range(n):
            if i != c:
                f = m[i, c] / m[c, c]
                for j in range(c, n + 1):
                    m[i, j] -= f * m[c, j]
    total = 0.0
    for i in range(n):
        weights[i] = m[i, n] / m[i, i]
        total += weights[i]
    for i in range(n):
        weights[i] /= total
    return True


@njit(cache=True)
def _nearest(a, b, out):  # type: ignore[no-untyped-def]
    """Write into ``out`` the shortest vector from polytope b to polytope a, corners in rows."""
    K = a.shape[1]
    corral = np.empty((_MAX_CORRAL, K))
    label = np.empty((_MAX_CORRAL, 2), np.int64)
    weight = np.empty(_MAX_CORRAL)
    trial = np.empty(_MAX_CORRAL)
    # Start from the closest pair of corners.
    best = np.inf
    bi = bj = 0
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            d = 0.0
            for k in range(K):
                d += (a[i, k] - b[j, k]) ** 2
            if d < best:
                best, bi, bj = d, i, j
    for k in range(K):
        corral[0, k] = a[bi, k] - b[bj, k]
        out[k] = corral[0, k]
    label[0, 0], label[0, 1] = bi, bj
    weight[0] = 1.0
    n = 1
    for _ in range(1000):
        low, high = np.inf, -np.inf
        for i in range(a.shape[0]):
            s = 0.0
            for k in range(K):
                s += out[k] * a[i, k]
            if s < low:
                low, bi = s, i
        for j in range(b.shape[0]):
            s = 0.0
            for k in range(K):
                s += out[k] * b[j, k]
            if s > high:
                high, bj = s, j
        norm = 0.0
        for k in range(K):
            norm += out[k] * out[k]
        if norm <= 1e-18 or norm - (low - high) <= 1e-11 * (1.0 + norm):
            return
        for i in range(n):
            if label[i, 0] == bi and label[i, 1] == bj:
                return
        if n == _MAX_CORRAL:
            return
        for k in range(K):
            corral[n, k] = a[bi, k] - b[bj, k]
        label[n, 0], label[n, 1] = bi, bj
        weight[n] = 0.0
        n += 1
        while True:
            if not _affine_weights(corral, n, trial):
                # Affinely dependent to rounding: the newest corner adds nothing.
                n -= 1
                break
            inside = True
            theta = 1.0
            for i in range(n):
                if trial[i] <= 1e-13:
                    inside = False
                    if weight[i] - trial[i] > 0.0:
                        theta = min(theta, weight[i] / (weight[i] - trial[i]))
            if inside:
                for i in range(n):
                    weight[i] = trial[i]
                break
            kept = 0
            removed = False
            lowest = 0
            for i in range(n):
                weight[i] = theta * trial[i] + (1.0 - theta) * weight[i]
                if weight[i] < weight[lowest]:
                    lowest = i
            for i in range(n):
                if weight[i] > 1e-13:
                    weight[kept] = weight[i]
                    for k in range(K):
                        corral[kept, k] = corral[i, k]
                    label[kept, 0], label[kept, 1] = label[i, 0], label[i, 1]
                    kept += 1
                else:
                    removed = True
            n = kept
            if not removed or n == 0:
                return
        total = 0.0
        for i in range(n):
            total += weight[i]
        for k in range(K):
            s = 0.0
            for i in range(n):
                s += weight[i] * corral[i, k]
            out[k] = s / total


@njit(cache=True)
def closest_in_faces(vertices, starts, members, pairs):  # type: ignore[no-untyped-def]
    """Return the shortest vector between the faces of each pair.

    Args:
        vertices: Corners, shape (nv, K).
        starts, members: Corners of face p are members[starts[p]:starts[p + 1]].
        pairs: Two faces a row, shape (m, 2).

    Returns:
        Shape (m, K).
    """
    out = np.empty((pairs.shape[0], vertices.shape[1]))
    for m in range(pairs.shape[0]):
        p, q = pairs[m, 0], pairs[m, 1]
        a = vertices[members[starts[p] : starts[p + 1]]]
        b = vertices[members[starts[q] : starts[q + 1]]]
        _nearest(a, b, out[m])
    return out
