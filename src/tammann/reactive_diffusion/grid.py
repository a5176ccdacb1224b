"""One independent component on a periodic cube of voxels: one step of the gradient flow by truncated multigrid.

The dual of the step (see ``chain``) is minimised over the potential of every voxel. A red-black sweep solves each voxel's own
problem exactly: where does its staircase meet the line of its neighbours? A voxel at a riser (two phases) is pinned there;
between the pinned ones the problem is linear, and a multigrid cycle on the voxels that are not pinned, cut off where a
phase would change, removes the smooth part of the error (truncated nonsmooth Newton multigrid). Sweeps per step then do
not grow with the grid.

Reference:
    Graeser, Kornhuber, J. Comput. Math. 2009, 27, 1 (multigrid methods for obstacle problems).
"""

import numpy as np
from numba import njit, prange

from tammann.reactive_diffusion.local import half_resistance, lower_phase, lower_phase_unclipped

COARSEST = 4
SWEEPS_ON_COARSEST = 12


@njit(cache=True, nogil=True, parallel=True)
def face_conductances(half, factor, cx, cy, cz):
    """Write the conductance of the three faces that a voxel shares with its next neighbours, times the step."""
    N = half.shape[0]
    for x in prange(N):
        xn = x + 1 if x + 1 < N else 0
        for y in range(N):
            yn = y + 1 if y + 1 < N else 0
            for z in range(N):
                zn = z + 1 if z + 1 < N else 0
                h = half[x, y, z]
                cx[x, y, z] = factor / (h + half[xn, y, z])
                cy[x, y, z] = factor / (h + half[x, yn, z])
                cz[x, y, z] = factor / (h + half[x, y, zn])


@njit(cache=True, nogil=True, inline="always")
def _neighbours(u, cx, cy, cz, x, y, z):
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


@njit(cache=True, nogil=True, parallel=True)
def nonlinear_sweep(psi, level, y_old, sites, kind, cx, cy, cz, y, ties):
    """Minimise over each voxel in turn, red then black; return the largest change of a potential.

    ``level`` becomes 2 p in phase p of the hull and 2 p + 1 at the tie above it.
    """
    N = psi.shape[0]
    worst = np.zeros(N)
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
                    change = abs(new - psi[i, j, k])
                    if change > worst[i]:
                        worst[i] = change
                    psi[i, j, k] = new
    return worst.max()


@njit(cache=True, nogil=True, parallel=True)
def residual(psi, level, y_old, sites, kind, cx, cy, cz, y, r):
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
    return part.sum()


@njit(cache=True, nogil=True, parallel=True)
def smooth(e, r, mask, cx, cy, cz, extra, backward):
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
def restrict_residual(e, r, mask, cx, cy, cz, extra, coarse):
    """Sum r - A e over blocks of 2^3."""
    N, M = e.shape[0], coarse.shape[0]
    for I in prange(M):
        for J in range(M):
            for K in range(M):
                total = 0.0
                for i in range(2 * I, min(2 * I + 2, N)):
                    for j in range(2 * J, min(2 * J + 2, N)):
                        for k in range(2 * K, min(2 * K + 2, N)):
                            if mask[i, j, k] & 1:
                                continue
                            a, b = _neighbours(e, cx, cy, cz, i, j, k)
                            a += extra[i, j, k] if extra.size else 0.0
                            total += r[i, j, k] + b - a * e[i, j, k]
                coarse[I, J, K] = total


@njit(cache=True, nogil=True, parallel=True)
def prolong(e, mask, coarse):
    N, M = e.shape[0], coarse.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                if not mask[i, j, k] & 1:
                    e[i, j, k] += coarse[i >> 1, j >> 1, k >> 1]


@njit(cache=True, nogil=True, parallel=True)
def coarsen(mask, cx, cy, cz, extra, weight, mask2, cx2, cy2, cz2, extra2):
    """Write conductances between blocks of 2^3 voxels, those to pinned voxels as a loss, and which blocks are all pinned."""
    N, M = mask.shape[0], mask2.shape[0]
    for I in prange(M):
        for J in range(M):
            for K in range(M):
                sx = sy = sz = loss = 0.0
                pinned = np.uint8(1)
                for i in range(2 * I, min(2 * I + 2, N)):
                    xn = i + 1 if i + 1 < N else 0
                    xp = i - 1 if i > 0 else N - 1
                    for j in range(2 * J, min(2 * J + 2, N)):
                        yn = j + 1 if j + 1 < N else 0
                        yp = j - 1 if j > 0 else N - 1
                        for k in range(2 * K, min(2 * K + 2, N)):
                            if mask[i, j, k] & 1:
                                continue
                            zn = k + 1 if k + 1 < N else 0
                            zp = k - 1 if k > 0 else N - 1
                            pinned = np.uint8(0)
                            if extra.size:
                                loss += extra[i, j, k]
                            if mask[xn, j, k] & 1:
                                loss += cx[i, j, k]
                            elif xn >> 1 != I:
                                sx += cx[i, j, k]
                            if mask[xp, j, k] & 1:
                                loss += cx[xp, j, k]
                            if mask[i, yn, k] & 1:
                                loss += cy[i, j, k]
                            elif yn >> 1 != J:
                                sy += cy[i, j, k]
                            if mask[i, yp, k] & 1:
                                loss += cy[i, yp, k]
                            if mask[i, j, zn] & 1:
                                loss += cz[i, j, k]
                            elif zn >> 1 != K:
                                sz += cz[i, j, k]
                            if mask[i, j, zp] & 1:
                                loss += cz[i, j, zp]
                mask2[I, J, K] = pinned
                cx2[I, J, K], cy2[I, J, K], cz2[I, J, K] = weight * sx, weight * sy, weight * sz
                extra2[I, J, K] = loss


@njit(cache=True, nogil=True, parallel=True)
def cut_off(psi, e, level, ties):
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
def line_search(psi, e, r, level, cx, cy, cz, scale):
    """Add the part of the correction that minimises along it; return that part."""
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
    if bottom.sum() > 0.0:
        part = min(scale, max(0.0, top.sum() / bottom.sum()))
    if part > 0.0:
        for i in prange(N):
            for j in range(N):
                for k in range(N):
                    psi[i, j, k] += part * e[i, j, k]
    return part


@njit(cache=True, nogil=True, parallel=True)
def gain(psi, cx, cy, cz, change):
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


class Multigrid:
    """Coarser and coarser conductances for the voxels that are not pinned, and one cycle over them."""

    def __init__(self, size: int) -> None:
        self.levels = []
        while size > COARSEST:
            size = (size + 1) // 2
            shape = (size,) * 3
            self.levels.append(
                (np.zeros(shape, np.uint8), *(np.zeros(shape, np.float32) for _ in range(4)), np.zeros(shape), np.zeros(shape))
            )

    def prepare(self, mask, cx, cy, cz) -> None:
        """Coarsen the conductances between voxels whose ``mask`` is even."""
        extra = np.zeros((0, 0, 0), np.float32)
        for mask2, cx2, cy2, cz2, extra2, _, _ in self.levels:
            coarsen(mask, cx, cy, cz, extra, 0.5, mask2, cx2, cy2, cz2, extra2)
            mask, cx, cy, cz, extra = mask2, cx2, cy2, cz2, extra2

    def cycle(self, e, r, mask, cx, cy, cz, extra, level: int = 0) -> None:
        """Improve A e = r from e = 0 by one V-cycle."""
        if level == len(self.levels):
            for turn in range(SWEEPS_ON_COARSEST):
                smooth(e, r, mask, cx, cy, cz, extra, turn % 2 == 1)
            return
        smooth(e, r, mask, cx, cy, cz, extra, False)
        mask2, cx2, cy2, cz2, extra2, r2, e2 = self.levels[level]
        restrict_residual(e, r, mask, cx, cy, cz, extra, r2)
        e2[:] = 0.0
        self.cycle(e2, r2, mask2, cx2, cy2, cz2, extra2, level + 1)
        prolong(e, mask, e2)
        smooth(e, r, mask, cx, cy, cz, extra, True)


@njit(cache=True, nogil=True, parallel=True)
def half_resistances(y, width, hull_y, volume, conductivity, half):
    """Write the resistance of half of every voxel: its two phases as layers in series."""
    N = y.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                half[i, j, k] = half_resistance(width, y[i, j, k], hull_y, volume, conductivity)


@njit(cache=True, nogil=True, parallel=True)
def place(psi, level, moved, ties, shift):
    """Move every voxel to the phases of a new hull: ``moved`` of its old level, or where its potential lies."""
    N = psi.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                at = moved[level[i, j, k]]
                if at >= 0 and at & 1:
                    psi[i, j, k] = ties[at >> 1]
                else:
                    u = psi[i, j, k] + shift
                    psi[i, j, k] = u
                    at = 2 * np.searchsorted(ties, u)
                level[i, j, k] = at


@njit(cache=True, nogil=True, parallel=True)
def take_step(y, change, sites, kind, rate, step):
    """Add what every voxel gains to it and keep the rate."""
    N = y.shape[0]
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                y[i, j, k] += change[i, j, k] / sites[kind[i, j, k]]
                rate[i, j, k] = change[i, j, k] / step


@njit(cache=True, nogil=True, parallel=True)
def step_error(change, rate, step):
    """Return half the sum of what the change differs by from the rate before, and the sum of its size."""
    N = change.shape[0]
    off = np.zeros(N)
    size = np.zeros(N)
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                off[i] += abs(change[i, j, k] - rate[i, j, k] * step)
                size[i] += abs(change[i, j, k])
    return 0.5 * off.sum(), size.sum()


@njit(cache=True, nogil=True, parallel=True)
def inventory(y, sites, kind, hull, hull_y, phases):
    """Return the sites of every phase over all voxels, shape (P,)."""
    N = y.shape[0]
    part = np.zeros((N, phases))
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                n = sites[kind[i, j, k]]
                m, share = lower_phase_unclipped(y[i, j, k], hull_y)
                part[i, hull[m]] += (1.0 - share) * n
                if hull.size > 1:
                    part[i, hull[m + 1]] += share * n
    total = np.zeros(phases)
    for i in range(N):
        total += part[i]
    return total


@njit(cache=True, nogil=True, parallel=True)
def dissipation(psi, y, width, hull, hull_y, volume, conductivity, cx, cy, cz, phases):
    """Return the energy that each phase dissipates in the step, shape (P,)."""
    N = y.shape[0]
    part = np.zeros((N, phases))
    for i in prange(N):
        for j in range(N):
            for k in range(N):
                u = psi[i, j, k]
                xn = i + 1 if i + 1 < N else 0
                yn = j + 1 if j + 1 < N else 0
                zn = k + 1 if k + 1 < N else 0
                for axis in range(3):
                    a, b, c = (xn, j, k) if axis == 0 else ((i, yn, k) if axis == 1 else (i, j, zn))
                    if axis == 0:
                        g = cx[i, j, k]
                    elif axis == 1:
                        g = cy[i, j, k]
                    else:
                        g = cz[i, j, k]
                    heat = g * (psi[a, b, c] - u) ** 2
                    if heat == 0.0:
                        continue
                    one = half_resistance(width, y[i, j, k], hull_y, volume, conductivity)
                    two = half_resistance(width, y[a, b, c], hull_y, volume, conductivity)
                    for side in range(2):
                        value = y[i, j, k] if side == 0 else y[a, b, c]
                        mine = heat * (one if side == 0 else two) / (one + two)
                        m, share = lower_phase(value, hull_y)
                        if hull.size == 1:
                            part[i, hull[0]] += mine
                            continue
                        p = (1.0 - share) * volume[m] / conductivity[m]
                        q = share * volume[m + 1] / conductivity[m + 1]
                        part[i, hull[m]] += mine * p / (p + q)
                        part[i, hull[m + 1]] += mine * q / (p + q)
    total = np.zeros(phases)
    for i in range(N):
        total += part[i]
    return total


IMBALANCE = 1e-4
"""Sum of what is still missing in the voxels' balances, over the sum of what crosses into them, at which a step is solved."""
MOST_CYCLES = 60


class Solver:
    """The arrays of one cube of voxels and the step of the gradient flow on them."""

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
        arguments = (self.psi, self.level, self.y, self.sites, self.kind, *self.c, y, ties)
        total = np.bincount(self.kind.ravel(), minlength=len(self.sites)) @ self.sites
        for cycle in range(MOST_CYCLES):
            nonlinear_sweep(*arguments)
            missing = residual(*arguments[:-1], self.r)
            if cycle % 2 == 1 or cycle == 0:
                gain(self.psi, *self.c, self.e)
                crossing = float(np.abs(self.e).sum())
            self.cycles += 1
            if missing <= IMBALANCE * crossing or missing < 1e-12 * total:
                break
            self.e[:] = 0.0
            self.multigrid.prepare(self.level, *self.c)
            self.multigrid.cycle(self.e, self.r, self.level, *self.c, self.no_extra)
            cut_off(self.psi, self.e, self.level, ties)
            line_search(self.psi, self.e, self.r, self.level, *self.c, 1.0)
        gain(self.psi, *self.c, self.e)
        return self.e
