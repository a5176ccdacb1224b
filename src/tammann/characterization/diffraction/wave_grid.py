"""Amplitudes of waves over the atoms of a periodic box: a type-1 non-uniform Fourier transform with real weights.

Atoms are spread over a regular grid by a kernel that is narrow in space and in reciprocal space ("exponential of
semicircle"), the grid is transformed by an ordinary real FFT, and the transform is divided by that of the kernel.

Reference:
    Barnett, Magland, af Klinteberg, SIAM J. Sci. Comput. 2019, 41, C479, doi 10.1137/18M120885X.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numba import njit

from tammann.parallel import available_cores, run_tasks

WIDTH = 10
"""Points of the grid that an atom reaches along each axis."""
OVERSAMPLING = 1.3
"""Points of the grid per wave, over the two that are needed; with the width good for amplitudes to 3e-7."""
BETA = 0.976 * math.pi * WIDTH * (1.0 - 0.5 / OVERSAMPLING)
PARTS = 32
"""Histograms filled at a time and then added; the same on any number of threads, so that results are too."""


def wave_amplitudes(fractional: np.ndarray, most: np.ndarray, *, threads: int | None = None) -> np.ndarray:
    """Return sum_j exp(-2 pi i m . x_j) for all whole m up to ``most`` along each axis.

    Within the ellipsoid of these half axes the sums are right to 4e-7 of sqrt(N) in the mean and to 1e-5 at worst, in
    single precision; towards the corners of the block, which no sphere of Q reaches, to 1e-3.

    Args:
        fractional: Shape (N, 3), x_j, in units of the cell.
        most: Shape (3,), largest |m| along each axis.
        threads: Cores; all of them where None. The result does not depend on it.

    Returns:
        Shape (2 M_0 + 1, 2 M_1 + 1, M_2 + 1), complex64, m from -M along the first two axes and from 0 along the third.

    Example:
        >>> waves = wave_amplitudes(np.array([[0.0, 0.0, 0.25]]), np.array([1, 1, 2]))
        >>> waves.shape, np.abs(waves[1, 1] - [1, -1j, -1]).max() < 1e-5
        ((3, 3, 3), np.True_)
    """
    from scipy import fft

    shape = [fft.next_fast_len(max(2 * WIDTH, math.ceil(2.0 * OVERSAMPLING * m) + 1), real=True) for m in most]
    inside = fractional - np.floor(fractional)
    order = np.argsort((inside[:, 0] * shape[0]).astype(int), kind="stable")  # neighbours in space are so in memory
    grid = np.zeros(shape, dtype=np.float32)
    _deposit(grid, np.ascontiguousarray(inside[order]))
    full = fft.rfftn(grid, overwrite_x=True, workers=available_cores() if threads is None else threads)
    del grid
    rows = [np.arange(-m, m + 1) for m in most[:2]]
    waves = full[np.ix_(rows[0] % shape[0], rows[1] % shape[1], np.arange(most[2] + 1))]
    for axis, m in enumerate([*rows, np.arange(most[2] + 1)]):
        shaped = [1, 1, 1]
        shaped[axis] = -1
        waves /= _kernel_transform(m / shape[axis]).astype(np.float32).reshape(shaped)
    return np.asarray(waves)


def _kernel_transform(frequency: np.ndarray) -> np.ndarray:
    """Fourier transform of the kernel, per point of the grid, by quadrature."""
    x, w = np.polynomial.legendre.leggauss(80)
    kernel = np.exp(BETA * (np.sqrt(1.0 - x**2) - 1.0))
    return np.asarray(np.cos(math.pi * WIDTH * frequency[:, None] * x) @ (w * kernel) * (WIDTH / 2.0))


@njit(cache=True)
def _deposit(grid: np.ndarray, inside: np.ndarray) -> None:
    """Add the kernel around every atom to the grid."""
    shape = grid.shape
    weights = np.empty((3, WIDTH))
    places = np.empty((3, WIDTH), dtype=np.int64)
    for j in range(len(inside)):
        for axis in range(3):
            at = inside[j, axis] * shape[axis]
            first = int(math.ceil(at - WIDTH / 2.0))
            for k in range(WIDTH):
                z = (first + k - at) / (WIDTH / 2.0)
                weights[axis, k] = math.exp(BETA * (math.sqrt(max(0.0, 1.0 - z * z)) - 1.0))
                places[axis, k] = (first + k) % shape[axis]
        for k in range(WIDTH):
            for m in range(WIDTH):
                product = weights[0, k] * weights[1, m]
                row = grid[places[0, k], places[1, m]]
                for n in range(WIDTH):
                    row[places[2, n]] += np.float32(product * weights[2, n])


def shell_sums(
    waves: np.ndarray, reciprocal: np.ndarray, step: float, bins: int, first: float, *, threads: int | None = None
) -> np.ndarray:
    """Sum products of amplitudes over shells of reciprocal vectors.

    Args:
        waves: Shape (S, 2 M_0 + 1, 2 M_1 + 1, M_2 + 1), of each kind of atoms.
        reciprocal: Shape (3, 3), rows are reciprocal lattice vectors with 2 pi, 1/Å.
        step: Distance between bins, 1/Å.
        bins: Number of bins.
        first: Place of the first bin, 1/Å.
        threads: Cores; all of them where None. The result does not depend on it.

    Returns:
        Shape (S (S + 1)/2, bins), sum over G of Re F_a(G) F_b*(G) / |G|², each G shared out among the four bins around
        its length by the weights of cubic interpolation; G = 0 is left out.
    """
    add = partial(_add_part, waves, reciprocal, step, bins, first)
    parts = {f"part {part}": (part,) for part in range(PARTS)}
    return np.sum(run_tasks(add, parts, threads=available_cores() if threads is None else threads), axis=0)


def _add_part(
    waves: np.ndarray, reciprocal: np.ndarray, step: float, bins: int, first: float, part: int, *, progress: object
) -> np.ndarray:
    return np.asarray(_add_shells(waves, reciprocal, step, bins, first, part))


@njit(cache=True, nogil=True)
def _add_shells(
    waves: np.ndarray, reciprocal: np.ndarray, step: float, bins: int, first: float, part: int
) -> np.ndarray:
    kinds, n0, n1, n2 = waves.shape
    own = np.zeros((kinds * (kinds + 1) // 2, bins))
    for i in range(part, n0, PARTS):
        for j in range(n1):
            for k in range(n2):
                h0, h1 = i - n0 // 2, j - n1 // 2
                square = 0.0
                for axis in range(3):
                    g = h0 * reciprocal[0, axis] + h1 * reciprocal[1, axis] + k * reciprocal[2, axis]
                    square += g * g
                at = (math.sqrt(square) - first) / step
                if at < 1.0 or at >= bins - 2 or square == 0.0:
                    continue
                low = int(at)
                t = at - low
                u = 1.0 - t
                weight = (2.0 if k > 0 else 1.0) / square  # k below 0 is not stored: F(-G) = F*(G)
                w0 = -weight * t * u * (1.0 + u) / 6.0
                w1 = weight * 0.5 * (1.0 + t) * u * (1.0 + u)
                w2 = weight * 0.5 * (1.0 + u) * t * (1.0 + t)
                w3 = -weight * t * u * (1.0 + t) / 6.0
                row = 0
                for a in range(kinds):
                    fa = waves[a, i, j, k]
                    for b in range(a, kinds):
                        fb = waves[b, i, j, k]
                        product = float(fa.real) * fb.real + float(fa.imag) * fb.imag
                        own[row, low - 1] += w0 * product
                        own[row, low] += w1 * product
                        own[row, low + 1] += w2 * product
                        own[row, low + 2] += w3 * product
                        row += 1
    return own
