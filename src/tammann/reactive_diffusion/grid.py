"""One independent component on a periodic cube of voxels: one step of the gradient flow by truncated multigrid.

The dual of the step (see ``chain``) is minimised over the potential of every voxel. A red-black sweep solves each
voxel's own problem exactly: where does its staircase meet the line of its neighbours? A voxel at a riser (two phases)
is pinned there; between the pinned ones the problem is linear, and a multigrid cycle on the voxels that are not
pinned, cut off where a phase would change, removes the smooth part of the error (truncated nonsmooth Newton
multigrid). Sweeps per step then do not grow with the grid.

Reference:
    Graeser, Kornhuber, J. Comput. Math. 2009, 27, 1 (multigrid methods for obstacle problems).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from numba import get_num_threads, njit, prange, set_num_threads

from tammann.reactive_diffusion.local import ahead, half_layers, lower_phase_near, sides, slope

COARSEST = 4
"""Voxels per edge at which no coarser grid is made."""
SERIAL = 16
"""Voxels per edge up to which one thread does a level."""
SWEEPS_ON_COARSEST = 2
"""Per voxel of its edge."""
FACE_WEIGHT = 0.5
"""Of the summed conductances between two blocks: their centres lie twice as far apart as those of voxels."""


@njit(cache=True, nogil=True)
def _halves(y: Any, lower: Any, upper: Any, before: Any, here: Any, after: Any) -> Any:
    """Return the resistances of a voxel towards the one before and the one after it along an axis; each an index."""
    rising = slope(y[before], y[here], y[after])
    a, b, c, d = sides(lower[here], upper[here], rising)
    return a + b, c + d


@njit(cache=True, nogil=True, parallel=True)
def face_conductances(y: Any, lower: Any, upper: Any, factor: Any, cx: Any, cy: Any, cz: Any) -> Any:
    """Write the conductance of the three faces that a voxel shares with its next neighbours, times the step.

    ``lower`` and ``upper`` are half the resistances of its two layers.
    """
    N = y.shape[0]
    for i in prange(N):
        xp, xn, xm = (i - 1) % N, (i + 1) % N, (i + 2) % N
        for j in range(N):
            yp, yn, ym = (j - 1) % N, (j + 1) % N, (j + 2) % N
            for k in range(N):
                zp, zn, zm = (k - 1) % N, (k + 1) % N, (k + 2) % N
                here = (i, j, k)
                _, x0 = _halves(y, lower, upper, (xp, j, k), here, (xn, j, k))
                x1, _ = _halves(y, lower, upper, here, (xn, j, k), (xm, j, k))
                cx[here] = factor / (x0 + x1)
                _, y0 = _halves(y, lower, upper, (i, yp, k), here, (i, yn, k))
                y1, _ = _halves(y, lower, upper, here, (i, yn, k), (i, ym, k))
                cy[here] = factor / (y0 + y1)
                _, z0 = _halves(y, lower, upper, (i, j, zp), here, (i, j, zn))
                z1, _ = _halves(y, lower, upper, here, (i, j, zn), (i, j, zm))
                cz[here] = factor / (z0 + z1)


@njit(cache=True, nogil=True)
def _neighbours(u: Any, cx: Any, cy: Any, cz: Any, x: Any, y: Any, z: Any) -> Any:
    """Return sum C and sum C u over the six neighbours."""
    N = u.shape[0]
    xn = x + 1 if x + 1 < N else 0
    xp = x - 1 if x > 0 else N - 1
    yn = y + 1 if y + 1 < N else 0
    yp = y - 1 if y > 0 else N - 1
    zn = z + 1 if z + 1 < N else 0
    zp = z - 1 if z > 0 else N - 1
    c0, c1 = cx[x, y, z], cx[xp, y, z]
    c2, c3 = cy[x, y, z], cy[x, yp, z]
    c4, c5 = cz[x, y, z], cz[x, y, zp]
    total = c0 + c1 + c2 + c3 + c4 + c5
    carried = (
        c0 * u[xn, y, z] + c1 * u[xp, y, z] + c2 * u[x, yn, z] + c3 * u[x, yp, z] + c4 * u[x, y, zn] + c5 * u[x, y, zp]
    )
    return total, carried


@njit(cache=True, nogil=True)
def _sum(values: Any) -> Any:
    """Return the sum in one order, whatever the number of threads."""
    total = 0.0
    for value in values:
        total += value
    return total


@njit(cache=True, nogil=True, parallel=True)
def nonlinear_sweep(
    psi: Any, level: Any, y_old: Any, sites: Any, kind: Any, cx: Any, cy: Any, cz: Any, y: Any, ties: Any
) -> Any:
    """Minimise over each voxel in turn, red then black.

    ``level`` becomes 2 p in phase p of the hull and 2 p + 1 at the tie above it.
    """
    N = psi.shape[0]
    for colour in range(2):
        for i in prange(N):
            for j in range(N):
                for k in range((i + j + colour) & 1, N, 2):
                    a, b = _neighbours(psi, cx, cy, cz, i, j, k)
                    n = sites[kind[i, j, k]]
                    b += n * y_old[i, j, k]
                    # psi = (b - n y_p) / a within the steps, a tie at a riser; start from where it was
                    p = np.int64(level[i, j, k]) >> 1
                    new = (b - n * y[p]) / a
                    at = 2 * p
                    if p < ties.size and new > ties[p]:
                        while True:
                            p += 1
                            new = (b - n * y[p]) / a
                            if new < ties[p - 1]:
                                new = ties[p - 1]
                                at = 2 * p - 1
                                break
                            at = 2 * p
                            if p == ties.size or new <= ties[p]:
                                break
                    elif p > 0 and new < ties[p - 1]:
                        while True:
                            p -= 1
                            new = (b - n * y[p]) / a
                            if new > ties[p]:
                                new = ties[p]
                                at = 2 * p + 1
                                break
                            at = 2 * p
                            if p == 0 or new >= ties[p - 1]:
                                break
                    level[i, j, k] = at
                    psi[i, j, k] = new


@njit(cache=True, nogil=True, parallel=True)
def residual(psi: Any, level: Any, y_old: Any, sites: Any, kind: Any, cx: Any, cy: Any, cz: Any, y: Any, r: Any) -> Any:
    """Write the residual of the voxels that are not pinned, zero elsewhere; return the sum of its size."""
    N = psi.shape[0]
    part = np.zeros(N)
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                at = level[i, j, k]
                if at & 1:
                    r[i, j, k] = 0.0
                    continue
                a, b = _neighbours(psi, cx, cy, cz, i, j, k)
                r[i, j, k] = b - a * psi[i, j, k] + sites[kind[i, j, k]] * (y_old[i, j, k] - y[at >> 1])
                part[i] += abs(r[i, j, k])
    return _sum(part)


@njit(cache=True, nogil=True, parallel=True)
def smooth(e: Any, r: Any, mask: Any, cx: Any, cy: Any, cz: Any, extra: Any, backward: Any) -> Any:
    """Relax A e = r once, red and black (or black and red), on the voxels with ``mask`` zero."""
    N = e.shape[0]
    for turn in range(2):
        colour = 1 - turn if backward else turn
        for i in prange(N):
            for j in range(N):
                for k in range((i + j + colour) & 1, N, 2):
                    if mask[i, j, k] & 1:
                        continue
                    a, b = _neighbours(e, cx, cy, cz, i, j, k)
                    a += extra[i, j, k] if extra.size else 0.0
                    if a > 0.0:
                        e[i, j, k] = (r[i, j, k] + b) / a


@njit(cache=True, nogil=True, parallel=True)
def restrict_residual(e: Any, r: Any, mask: Any, cx: Any, cy: Any, cz: Any, extra: Any, coarse: Any) -> Any:
    """Sum r - A e over blocks of 2^3."""
    N, M = e.shape[0], coarse.shape[0]
    for a0 in prange(M):
        for b0 in range(M):
            for c0 in range(M):
                total = 0.0
                for i in range(2 * a0, min(2 * a0 + 2, N)):
                    for j in range(2 * b0, min(2 * b0 + 2, N)):
                        for k in range(2 * c0, min(2 * c0 + 2, N)):
                            if mask[i, j, k] & 1:
                                continue
                            a, b = _neighbours(e, cx, cy, cz, i, j, k)
                            a += extra[i, j, k] if extra.size else 0.0
                            total += r[i, j, k] + b - a * e[i, j, k]
                coarse[a0, b0, c0] = total


@njit(cache=True, nogil=True, parallel=True)
def prolong(e: Any, mask: Any, coarse: Any) -> Any:
    """Add the correction of every block to its voxels that are not pinned."""
    N = e.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                if not mask[i, j, k] & 1:
                    e[i, j, k] += coarse[i >> 1, j >> 1, k >> 1]


@njit(cache=True, nogil=True, parallel=True)
def coarsen(
    mask: Any, cx: Any, cy: Any, cz: Any, extra: Any, mask2: Any, cx2: Any, cy2: Any, cz2: Any, extra2: Any
) -> Any:
    """Write conductances between blocks of 2^3 voxels, those to pinned ones as a loss, and which are all pinned."""
    N, M = mask.shape[0], mask2.shape[0]
    for a0 in prange(M):
        for b0 in range(M):
            for c0 in range(M):
                sx = sy = sz = loss = 0.0
                pinned = np.uint8(1)
                for i in range(2 * a0, min(2 * a0 + 2, N)):
                    xn = i + 1 if i + 1 < N else 0
                    xp = i - 1 if i > 0 else N - 1
                    for j in range(2 * b0, min(2 * b0 + 2, N)):
                        yn = j + 1 if j + 1 < N else 0
                        yp = j - 1 if j > 0 else N - 1
                        for k in range(2 * c0, min(2 * c0 + 2, N)):
                            if mask[i, j, k] & 1:
                                continue
                            zn = k + 1 if k + 1 < N else 0
                            zp = k - 1 if k > 0 else N - 1
                            pinned = np.uint8(0)
                            if extra.size:
                                loss += extra[i, j, k]
                            if mask[xn, j, k] & 1:
                                loss += cx[i, j, k]
                            elif xn >> 1 != a0:
                                sx += cx[i, j, k]
                            if mask[xp, j, k] & 1:
                                loss += cx[xp, j, k]
                            if mask[i, yn, k] & 1:
                                loss += cy[i, j, k]
                            elif yn >> 1 != b0:
                                sy += cy[i, j, k]
                            if mask[i, yp, k] & 1:
                                loss += cy[i, yp, k]
                            if mask[i, j, zn] & 1:
                                loss += cz[i, j, k]
                            elif zn >> 1 != c0:
                                sz += cz[i, j, k]
                            if mask[i, j, zp] & 1:
                                loss += cz[i, j, zp]
                mask2[a0, b0, c0] = pinned
                cx2[a0, b0, c0], cy2[a0, b0, c0], cz2[a0, b0, c0] = FACE_WEIGHT * sx, FACE_WEIGHT * sy, FACE_WEIGHT * sz
                extra2[a0, b0, c0] = loss


@njit(cache=True, nogil=True, parallel=True)
def cut_off(psi: Any, e: Any, level: Any, ties: Any) -> Any:
    """Cut a correction off where a voxel would leave its phase."""
    N = psi.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                at = level[i, j, k]
                if at & 1:
                    e[i, j, k] = 0.0
                    continue
                p = np.int64(at) >> 1
                new = psi[i, j, k] + e[i, j, k]
                if p > 0 and new < ties[p - 1]:
                    new = ties[p - 1]
                if p < ties.size and new > ties[p]:
                    new = ties[p]
                e[i, j, k] = new - psi[i, j, k]


@njit(cache=True, nogil=True, parallel=True)
def line_search(psi: Any, e: Any, r: Any, level: Any, cx: Any, cy: Any, cz: Any) -> Any:
    """Add the part of the correction, at most all of it, that minimises along it."""
    N = psi.shape[0]
    top = np.zeros(N)
    bottom = np.zeros(N)
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                d = e[i, j, k]
                if d == 0.0:
                    continue
                a, b = _neighbours(e, cx, cy, cz, i, j, k)
                top[i] += d * r[i, j, k]
                bottom[i] += d * (a * d - b)
    part = 0.0
    below = _sum(bottom)
    if below > 0.0:
        part = min(1.0, max(0.0, _sum(top) / below))
    if part > 0.0:
        for i in prange(N):
            for j in range(N):
                for k in range(N):
                    psi[i, j, k] += part * e[i, j, k]


@njit(cache=True, nogil=True, parallel=True)
def gain(psi: Any, cx: Any, cy: Any, cz: Any, change: Any) -> Any:
    """Write what each voxel gains through its faces; what one loses another gains, to the last bit of the sum."""
    N = psi.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                xn = i + 1 if i + 1 < N else 0
                xp = i - 1 if i > 0 else N - 1
                yn = j + 1 if j + 1 < N else 0
                yp = j - 1 if j > 0 else N - 1
                zn = k + 1 if k + 1 < N else 0
                zp = k - 1 if k > 0 else N - 1
                u = psi[i, j, k]
                change[i, j, k] = (
                    cx[i, j, k] * (psi[xn, j, k] - u)
                    - cx[xp, j, k] * (u - psi[xp, j, k])
                    + cy[i, j, k] * (psi[i, yn, k] - u)
                    - cy[i, yp, k] * (u - psi[i, yp, k])
                    + cz[i, j, k] * (psi[i, j, zn] - u)
                    - cz[i, j, zp] * (u - psi[i, j, zp])
                )


@njit(cache=True, nogil=True, parallel=True)
def half_resistances(
    y: Any,
    rate: Any,
    level: Any,
    sites: Any,
    kind: Any,
    halfway: Any,
    width: Any,
    hull_y: Any,
    volume: Any,
    conductivity: Any,
    lower: Any,
    upper: Any,
) -> Any:
    """Write half the resistance of the two layers of every voxel, after the time ``halfway`` at the last rate."""
    N = y.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                p, share = lower_phase_near(y[i, j, k], np.int64(level[i, j, k]) >> 1, hull_y)
                p, share = ahead(p, share, halfway * rate[i, j, k] / sites[kind[i, j, k]], 0, hull_y)
                lower[i, j, k], upper[i, j, k] = half_layers(width, p, share, volume, conductivity)


@njit(cache=True, nogil=True)
def place(psi: Any, level: Any, moved: Any, ties: Any) -> Any:
    """Move every voxel to the phases of a new hull: ``moved`` of its old level, or where its potential lies."""
    N = psi.shape[0]
    for i in range(N):
        for j in range(N):
            for k in range(N):
                at = moved[level[i, j, k]]
                if at >= 0 and at & 1:
                    psi[i, j, k] = ties[at >> 1]
                else:
                    at = 2 * np.searchsorted(ties, psi[i, j, k])
                level[i, j, k] = at


@njit(cache=True, nogil=True, parallel=True)
def take_step(y: Any, change: Any, sites: Any, kind: Any, rate: Any, step: Any) -> Any:
    """Add what every voxel gains to it and keep the rate."""
    N = y.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                y[i, j, k] += change[i, j, k] / sites[kind[i, j, k]]
                rate[i, j, k] = change[i, j, k] / step


@njit(cache=True, nogil=True, parallel=True)
def step_error(change: Any, rate: Any, step: Any) -> Any:
    """Return half the sum of what the change of all voxels differs by from that at the rate before."""
    N = change.shape[0]
    off = np.zeros(N)
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                off[i] += abs(change[i, j, k] - rate[i, j, k] * step)
    return 0.5 * _sum(off)


@njit(cache=True, nogil=True, parallel=True)
def inventory(y: Any, level: Any, sites: Any, kind: Any, hull: Any, hull_y: Any, phases: Any) -> Any:
    """Return the sites of every phase over all voxels, shape (P,)."""
    N = y.shape[0]
    part = np.zeros((N, phases))
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                n = sites[kind[i, j, k]]
                if hull.size == 1:
                    part[i, hull[0]] += n
                    continue
                p, _ = lower_phase_near(y[i, j, k], np.int64(level[i, j, k]) >> 1, hull_y)
                # not cut off: what a solver leaves beyond the ends of the hull is not lost
                share = (y[i, j, k] - hull_y[p]) / (hull_y[p + 1] - hull_y[p])
                part[i, hull[p]] += (1.0 - share) * n
                part[i, hull[p + 1]] += share * n
    return _total(part)


@njit(cache=True, nogil=True, parallel=True)
def dissipation(
    psi: Any,
    y: Any,
    rate: Any,
    level: Any,
    sites: Any,
    kind: Any,
    halfway: Any,
    width: Any,
    hull: Any,
    hull_y: Any,
    volume: Any,
    conductivity: Any,
    cx: Any,
    cy: Any,
    cz: Any,
    factor: Any,
    phases: Any,
) -> Any:
    """Return the energy that each phase dissipates in the step, shape (P,).

    Of a face, C d^2 with d the difference of potentials, each half has its part of the resistance, r C / factor.
    """
    N = y.shape[0]
    part = np.zeros((N, phases))
    for i in prange(N):
        xn = i + 1 if i + 1 < N else 0
        xp = i - 1 if i > 0 else N - 1
        for j in range(N):
            yn = j + 1 if j + 1 < N else 0
            yp = j - 1 if j > 0 else N - 1
            for k in range(N):
                zn = k + 1 if k + 1 < N else 0
                zp = k - 1 if k > 0 else N - 1
                u, here = psi[i, j, k], y[i, j, k]
                x0, x1 = (cx[xp, j, k] * (psi[xp, j, k] - u)) ** 2, (cx[i, j, k] * (psi[xn, j, k] - u)) ** 2
                y0, y1 = (cy[i, yp, k] * (psi[i, yp, k] - u)) ** 2, (cy[i, j, k] * (psi[i, yn, k] - u)) ** 2
                z0, z1 = (cz[i, j, zp] * (psi[i, j, zp] - u)) ** 2, (cz[i, j, k] * (psi[i, j, zn] - u)) ** 2
                if x0 + x1 + y0 + y1 + z0 + z1 == 0.0:
                    continue
                p, share = lower_phase_near(here, np.int64(level[i, j, k]) >> 1, hull_y)
                p, share = ahead(p, share, halfway * rate[i, j, k] / sites[kind[i, j, k]], 0, hull_y)
                a, b = half_layers(width, p, share, volume, conductivity)
                xa, xb, xc, xd = sides(a, b, slope(y[xp, j, k], here, y[xn, j, k]))
                ya, yb, yc, yd = sides(a, b, slope(y[i, yp, k], here, y[i, yn, k]))
                za, zb, zc, zd = sides(a, b, slope(y[i, j, zp], here, y[i, j, zn]))
                part[i, hull[p]] += (x0 * xa + x1 * xc + y0 * ya + y1 * yc + z0 * za + z1 * zc) / factor
                if share > 0.0:
                    part[i, hull[p + 1]] += (x0 * xb + x1 * xd + y0 * yb + y1 * yd + z0 * zb + z1 * zd) / factor
    return _total(part)


@njit(cache=True, nogil=True)
def _total(part: Any) -> Any:
    """Return the sum of the rows, in their order."""
    total = np.zeros(part.shape[1])
    for row in part:
        total += row
    return total


_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def kernel_threads(threads: int) -> Iterator[None]:
    """Set the number of threads of the kernels for a while, those there are at most.

    Numba's own pool, which it takes where there is no OpenMP, serves one caller at a time; others wait here.

    Example:
        >>> with kernel_threads(1):
        ...     get_num_threads()
        1
    """
    before = get_num_threads()
    set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
    try:
        with _ONE_AT_A_TIME:
            step_error(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), np.float32), 1.0)  # the layer is known once it has run
        if numba.threading_layer() == "workqueue":  # type: ignore[attr-defined]
            with _ONE_AT_A_TIME:
                yield
        else:
            yield
    finally:
        set_num_threads(before)


class Multigrid:
    """Coarser and coarser conductances for the voxels that are not pinned, and one cycle over them."""

    def __init__(self, size: int) -> None:
        self.levels: list[tuple[np.ndarray, ...]] = []
        # an edge must be even, or red voxels touch each other where the cube closes
        while size > COARSEST and size % 4 == 0:
            size //= 2
            shape = (size,) * 3
            self.levels.append(
                (
                    np.zeros(shape, np.uint8),
                    *(np.zeros(shape, np.float32) for _ in range(4)),
                    np.zeros(shape),
                    np.zeros(shape),
                )
            )

    def prepare(self, mask: np.ndarray, cx: np.ndarray, cy: np.ndarray, cz: np.ndarray) -> None:
        """Coarsen the conductances between voxels whose ``mask`` is even."""
        extra = np.zeros((0, 0, 0), np.float32)
        for mask2, cx2, cy2, cz2, extra2, _, _ in self.levels:
            coarsen(mask, cx, cy, cz, extra, mask2, cx2, cy2, cz2, extra2)
            mask, cx, cy, cz, extra = mask2, cx2, cy2, cz2, extra2

    def cycle(
        self, e: np.ndarray, r: np.ndarray, mask: np.ndarray, cx: np.ndarray, cy: np.ndarray, cz: np.ndarray,
        extra: np.ndarray, level: int = 0,
    ) -> None:  # fmt: skip
        """Improve A e = r from e = 0 by one V-cycle."""
        if level == len(self.levels):
            for turn in range(SWEEPS_ON_COARSEST * e.shape[0]):
                smooth(e, r, mask, cx, cy, cz, extra, turn % 2 == 1)
            return
        smooth(e, r, mask, cx, cy, cz, extra, False)
        mask2, cx2, cy2, cz2, extra2, r2, e2 = self.levels[level]
        restrict_residual(e, r, mask, cx, cy, cz, extra, r2)
        e2[:] = 0.0
        threads = get_num_threads()
        if len(e2) <= SERIAL:
            set_num_threads(1)  # waking the others takes longer than the sweep
        self.cycle(e2, r2, mask2, cx2, cy2, cz2, extra2, level + 1)
        set_num_threads(threads)
        prolong(e, mask, e2)
        smooth(e, r, mask, cx, cy, cz, extra, True)


IMBALANCE = 1e-5
"""What is missing in the voxels' balances, over what crosses into them, at which a step counts as solved."""
MOST_CYCLES = 60
"""Cycles of a step."""


class Solver:
    """The arrays of one cube of voxels, changed in place, and the step of the gradient flow on them.

    Args:
        y: Composition of every voxel, shape (N, N, N), N even.
        kind: Which of the solids put in a voxel held at first, uint8, shape (N, N, N).
        sites: Moles of sites of a voxel of each kind, shape (kinds,).
    """

    def __init__(self, y: np.ndarray, kind: np.ndarray, sites: np.ndarray) -> None:
        N = y.shape[0]
        self.y, self.kind, self.sites = y, kind, sites
        self.psi, self.level = np.zeros(y.shape), np.zeros(y.shape, np.uint8)
        self.rate = np.zeros(y.shape, np.float32)
        self.c = [np.zeros(y.shape, np.float32) for _ in range(3)]
        self.r, self.e = np.zeros(y.shape), np.zeros(y.shape)
        self.multigrid = Multigrid(N)
        self.no_extra = np.zeros((0, 0, 0), np.float32)
        self.cycles = 0

    def solve(self, y: np.ndarray, ties: np.ndarray) -> np.ndarray:
        """Find the potentials of the step whose conductances are set; return what every voxel gains."""
        cx, cy, cz = self.c
        total = np.bincount(self.kind.ravel(), minlength=len(self.sites)) @ self.sites
        crossing = 0.0
        for cycle in range(MOST_CYCLES):
            nonlinear_sweep(self.psi, self.level, self.y, self.sites, self.kind, cx, cy, cz, y, ties)
            missing = residual(self.psi, self.level, self.y, self.sites, self.kind, cx, cy, cz, y, self.r)
            if cycle % 2 == 1 or cycle == 0:
                gain(self.psi, cx, cy, cz, self.e)
                crossing = float(np.abs(self.e).sum())
            self.cycles += 1
            if missing <= IMBALANCE * crossing or missing < 1e-12 * total:
                break
            self.e[:] = 0.0
            self.multigrid.prepare(self.level, cx, cy, cz)
            self.multigrid.cycle(self.e, self.r, self.level, cx, cy, cz, self.no_extra)
            cut_off(self.psi, self.e, self.level, ties)
            line_search(self.psi, self.e, self.r, self.level, cx, cy, cz)
        gain(self.psi, cx, cy, cz, self.e)
        return self.e
