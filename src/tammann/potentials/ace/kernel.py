"""Energies, forces and basis functions of a linear atomic cluster expansion: what runs at every step.

Kernels see arrays and scalars only. ``tests/potentials/ace/`` holds slow twins of them.
"""

from __future__ import annotations

from math import factorial, sqrt

import numpy as np
from numba import njit

from tammann.units import COULOMB_EV_A

L_MAX = 8
"""Largest angular momentum of the tables."""


def _norms() -> np.ndarray:
    """Return factors that make sum_m Y_lm^2 = 2 l + 1 on the unit sphere, shape (L_MAX + 1, L_MAX + 1) over l, |m|."""
    table = np.zeros((L_MAX + 1, L_MAX + 1))
    for l in range(L_MAX + 1):
        for m in range(l + 1):
            table[l, m] = sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m)) * (1.0 if m == 0 else sqrt(2.0))
    return table


NORMS = _norms()


@njit(cache=True)
def fill_harmonics(x, y, z, l_max, norms, values, gradients, legendre, cosines, sines):  # type: ignore[no-untyped-def]
    """Fill real harmonics of a unit vector and their gradients as polynomials in x, y, z.

    Y_lm = N_lm Q_l^|m|(z) Re (x + i y)^m for m >= 0, Im (x + i y)^|m| for m < 0, where Q_l^m is the m-th derivative of
    the Legendre polynomial. Only the part of the gradient normal to the vector means anything.
    """
    for m in range(l_max + 2):
        legendre[m, m] = 1.0 if m == 0 else legendre[m - 1, m - 1] * (2 * m - 1)
    for m in range(l_max + 1):
        legendre[m + 1, m] = (2 * m + 1) * z * legendre[m, m]
        for l in range(m + 2, l_max + 1):
            legendre[l, m] = ((2 * l - 1) * z * legendre[l - 1, m] - (l + m - 1) * legendre[l - 2, m]) / (l - m)
    cosines[0], sines[0] = 1.0, 0.0
    for m in range(1, l_max + 1):
        cosines[m] = x * cosines[m - 1] - y * sines[m - 1]
        sines[m] = x * sines[m - 1] + y * cosines[m - 1]
    for l in range(l_max + 1):
        middle = l * (l + 1)
        values[middle] = norms[l, 0] * legendre[l, 0]
        gradients[middle, 0] = 0.0
        gradients[middle, 1] = 0.0
        gradients[middle, 2] = norms[l, 0] * legendre[l, 1] if l > 0 else 0.0
        for m in range(1, l + 1):
            q = norms[l, m] * legendre[l, m]
            dq = norms[l, m] * legendre[l, m + 1] if m < l else 0.0
            values[middle + m] = q * cosines[m]
            gradients[middle + m, 0] = q * m * cosines[m - 1]
            gradients[middle + m, 1] = -q * m * sines[m - 1]
            gradients[middle + m, 2] = dq * cosines[m]
            values[middle - m] = q * sines[m]
            gradients[middle - m, 0] = q * m * sines[m - 1]
            gradients[middle - m, 1] = q * m * cosines[m - 1]
            gradients[middle - m, 2] = dq * sines[m]


def harmonics(direction: np.ndarray, l_max: int) -> np.ndarray:
    """Return the real harmonics of a unit vector, shape ((l_max + 1)^2,), at l (l + 1) + m."""
    values = np.zeros((l_max + 1) ** 2)
    x, y, z = direction
    scratch = _scratch(l_max)
    fill_harmonics(x, y, z, l_max, NORMS, values, *scratch)
    return values


def _scratch(l_max: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = l_max + 2
    return np.zeros(((l_max + 1) ** 2, 3)), np.zeros((n, n)), np.zeros(n), np.zeros(n)


@njit(cache=True)
def fill_radial(r, scale, inner, width, cutoff, values, slopes):  # type: ignore[no-untyped-def]
    """Fill R_n(r) = f(r) T_n(x(r)) and dR_n/dr.

    x runs from -1 at the cutoff to 1 at the inner end, linear in 1 / (1 + (r / r_0)^2), so that it varies most where
    neighbours are; T_n are Chebyshev polynomials; f = (1 - (r / r_c)^2)^3 s(r), where s rises smoothly from 0 at the
    inner end to 1 over ``width``. R_n is twice continuously differentiable.
    """
    n = len(values)
    if r >= cutoff or r <= inner:
        for k in range(n):
            values[k] = 0.0
            slopes[k] = 0.0
        return
    far = 1.0 / (1.0 + (cutoff / scale) ** 2)
    near = 1.0 / (1.0 + (inner / scale) ** 2)
    here = 1.0 / (1.0 + (r / scale) ** 2)
    dhere = -2.0 * r / scale**2 * here * here
    x = 2.0 * (here - far) / (near - far) - 1.0
    dx = 2.0 * dhere / (near - far)
    t = 1.0 - (r / cutoff) ** 2
    f = t * t * t
    df = -6.0 * r / cutoff**2 * t * t
    if r < inner + width:
        q = (r - inner) / width
        s = q * q * q * (10.0 + q * (6.0 * q - 15.0))
        ds = 30.0 * q * q * (1.0 - q) ** 2 / width
        df = df * s + f * ds
        f = f * s
    before, now = 0.0, 1.0
    dbefore, dnow = 0.0, 0.0
    for k in range(n):
        values[k] = f * now
        slopes[k] = df * now + f * dnow * dx
        if k == 0:
            before, now, dbefore, dnow = now, x, dnow, 1.0
        else:
            before, now, dbefore, dnow = now, 2.0 * x * now - before, dnow, 2.0 * now + 2.0 * x * dnow - dbefore


@njit(cache=True)
def screened_repulsion(r, first, second, start, end):  # type: ignore[no-untyped-def]
    """Return the repulsion of two screened nuclei, eV, and its derivative, eV/Å (Ziegler, Biersack, Littmark).

    It is switched off between two radii:
    V(r) = Z_1 Z_2 e^2 / (4 pi eps_0 r) phi(r / a) (1 - s(r)), a = 0.46850 Å / (Z_1^0.23 + Z_2^0.23).
    """
    if r >= end:
        return 0.0, 0.0
    a = 0.46850 / (first**0.23 + second**0.23)
    x = r / a
    phi = 0.18175 * np.exp(-3.19980 * x) + 0.50986 * np.exp(-0.94229 * x)
    phi += 0.28022 * np.exp(-0.40290 * x) + 0.02817 * np.exp(-0.20162 * x)
    dphi = -3.19980 * 0.18175 * np.exp(-3.19980 * x) - 0.94229 * 0.50986 * np.exp(-0.94229 * x)
    dphi += -0.40290 * 0.28022 * np.exp(-0.40290 * x) - 0.20162 * 0.02817 * np.exp(-0.20162 * x)
    v = COULOMB_EV_A * first * second / r * phi
    dv = -v / r + COULOMB_EV_A * first * second / r * dphi / a
    if r > start:
        q = (r - start) / (end - start)
        s = q * q * q * (10.0 + q * (6.0 * q - 15.0))
        ds = 30.0 * q * q * (1.0 - q) ** 2 / (end - start)
        dv = dv * (1.0 - s) - v * ds
        v = v * (1.0 - s)
    return v, dv


@njit(cache=True)
def fill_repulsion(  # type: ignore[no-untyped-def]
    positions, species, numbers, first, neighbours, shifts, starts, ends, inner, energies, forces, virial, inside
):  # fmt: skip
    """Add the screened repulsion of all pairs, half of each to either atom, and mark atoms with one below ``inner``."""
    for i in range(len(positions)):
        for k in range(first[i], first[i + 1]):
            j = neighbours[k]
            dx = positions[j, 0] + shifts[k, 0] - positions[i, 0]
            dy = positions[j, 1] + shifts[k, 1] - positions[i, 1]
            dz = positions[j, 2] + shifts[k, 2] - positions[i, 2]
            r = np.sqrt(dx * dx + dy * dy + dz * dz)
            a, b = species[i], species[j]
            if r < inner[a, b]:
                inside[i] = True
            if r >= ends[a, b]:
                continue
            v, dv = screened_repulsion(r, numbers[a], numbers[b], starts[a, b], ends[a, b])
            energies[i] += 0.5 * v
            d = (dx, dy, dz)
            for p in range(3):
                g = 0.5 * dv * d[p] / r
                forces[i, p] += g
                forces[j, p] -= g
                for q in range(3):
                    virial[p, q] += g * d[q]


@njit(cache=True)
def gather_neighbours(  # type: ignore[no-untyped-def]
    i, positions, species, first, neighbours, shifts, scales, inner, width, cutoff, l_max, norms,
    index, vectors, distances, radial, slopes, angular, gradients, legendre, cosines, sines,
):  # fmt: skip
    """Fill radial functions and harmonics of the neighbours of one atom within the cutoff; return their number."""
    count = 0
    for k in range(first[i], first[i + 1]):
        j = neighbours[k]
        dx = positions[j, 0] + shifts[k, 0] - positions[i, 0]
        dy = positions[j, 1] + shifts[k, 1] - positions[i, 1]
        dz = positions[j, 2] + shifts[k, 2] - positions[i, 2]
        r = np.sqrt(dx * dx + dy * dy + dz * dz)
        a, b = species[i], species[j]
        if r >= cutoff or r <= inner[a, b]:
            continue
        index[count] = j
        distances[count] = r
        vectors[count, 0], vectors[count, 1], vectors[count, 2] = dx / r, dy / r, dz / r
        fill_radial(r, scales[a, b], inner[a, b], width, cutoff, radial[count], slopes[count])
        fill_harmonics(dx / r, dy / r, dz / r, l_max, norms, angular[count], gradients[count], legendre, cosines, sines)
        count += 1
    return count


@njit(cache=True)
def fill_densities(count, index, species, radial, angular, begin, a_radial, a_harmonic, densities):  # type: ignore[no-untyped-def]
    """Fill A_{znlm} of one atom from its neighbours."""
    densities[:] = 0.0
    for c in range(count):
        z = species[index[c]]
        for a in range(begin[z], begin[z + 1]):
            densities[a] += radial[c, a_radial[a]] * angular[c, a_harmonic[a]]


@njit(cache=True, fastmath={"contract", "reassoc"})
def energy_and_slopes(densities, products, ends, coefficients, slopes):  # type: ignore[no-untyped-def]
    """Return sum_p c_p prod A of one atom and fill its derivative by every density."""
    slopes[:] = 0.0
    energy = 0.0
    for p in range(ends[0]):
        a = products[p, 0]
        energy += coefficients[p] * densities[a]
        slopes[a] += coefficients[p]
    for p in range(ends[0], ends[1]):
        a, b = products[p, 0], products[p, 1]
        x, y, c = densities[a], densities[b], coefficients[p]
        energy += c * x * y
        slopes[a] += c * y
        slopes[b] += c * x
    for p in range(ends[1], ends[2]):
        a, b, d = products[p, 0], products[p, 1], products[p, 2]
        x, y, z, c = densities[a], densities[b], densities[d], coefficients[p]
        xy = c * x * y
        energy += xy * z
        slopes[a] += c * y * z
        slopes[b] += c * x * z
        slopes[d] += xy
    for p in range(ends[2], ends[3]):
        a, b, d, e = products[p, 0], products[p, 1], products[p, 2], products[p, 3]
        x, y, z, w, c = densities[a], densities[b], densities[d], densities[e], coefficients[p]
        xy, zw = x * y, c * z * w
        energy += xy * zw
        slopes[a] += y * zw
        slopes[b] += x * zw
        slopes[d] += c * xy * w
        slopes[e] += c * xy * z
    return energy


@njit(cache=True)
def basis_values(densities, products, rows, columns, values, products_of, functions):  # type: ignore[no-untyped-def]
    """Fill the invariant functions B_k = sum_p v_kp prod A of one atom."""
    for p in range(len(products)):
        product = densities[products[p, 0]]
        for f in range(1, 4):
            if products[p, f] < 0:
                break
            product *= densities[products[p, f]]
        products_of[p] = product
    for k in range(len(functions)):
        total = 0.0
        for t in range(rows[k], rows[k + 1]):
            total += values[t] * products_of[columns[t]]
        functions[k] = total


@njit(cache=True)
def basis_slopes(densities, products, rows, columns, values, jacobian):  # type: ignore[no-untyped-def]
    """Fill dB_k / dA_a of one atom, shape (K, A)."""
    jacobian[:] = 0.0
    for k in range(len(jacobian)):
        for t in range(rows[k], rows[k + 1]):
            p, v = columns[t], values[t]
            for f in range(4):
                if products[p, f] < 0:
                    break
                rest = v
                for g in range(4):
                    if g != f and products[p, g] >= 0:
                        rest *= densities[products[p, g]]
                jacobian[k, products[p, f]] += rest


@njit(cache=True)
def evaluate(  # type: ignore[no-untyped-def]
    positions, species, first, neighbours, shifts,
    scales, inner, width, cutoff, n_radial, l_max, norms,
    begin, a_radial, a_harmonic, products, ends, coefficients,
    rows, columns, values, want_basis,
):  # fmt: skip
    """Return energies (N,), forces (N, 3), virial (3, 3) and, if wanted, basis functions (N, K) of all atoms.

    The virial is sum dE/dr_ij x r_ij, so that the stress is the virial divided by the volume.
    """
    n = len(positions)
    most = 0
    for i in range(n):
        most = max(most, first[i + 1] - first[i])
    n_y = (l_max + 1) ** 2
    index = np.zeros(most, np.int64)
    vectors, distances = np.zeros((most, 3)), np.zeros(most)
    radial, slopes = np.zeros((most, n_radial)), np.zeros((most, n_radial))
    angular, gradients = np.zeros((most, n_y)), np.zeros((most, n_y, 3))
    legendre, cosines, sines = np.zeros((l_max + 2, l_max + 2)), np.zeros(l_max + 2), np.zeros(l_max + 2)
    densities, weights = np.zeros(len(a_radial)), np.zeros(len(a_radial))
    products_of = np.zeros(len(products))
    by_harmonic = np.zeros(n_y)
    energies, forces, virial = np.zeros(n), np.zeros((n, 3)), np.zeros((3, 3))
    functions = np.zeros((n if want_basis else 0, len(rows) - 1))
    for i in range(n):
        count = gather_neighbours(
            i, positions, species, first, neighbours, shifts, scales, inner, width, cutoff, l_max, norms,
            index, vectors, distances, radial, slopes, angular, gradients, legendre, cosines, sines,
        )  # fmt: skip
        fill_densities(count, index, species, radial, angular, begin, a_radial, a_harmonic, densities)
        energies[i] = energy_and_slopes(densities, products, ends, coefficients[species[i]], weights)
        if want_basis:
            basis_values(densities, products, rows, columns, values, products_of, functions[i])
        for c in range(count):
            j = index[c]
            z = species[j]
            by_harmonic[:] = 0.0
            along = 0.0
            for a in range(begin[z], begin[z + 1]):
                lm, k = a_harmonic[a], a_radial[a]
                along += weights[a] * slopes[c, k] * angular[c, lm]
                by_harmonic[lm] += weights[a] * radial[c, k]
            gx = gy = gz = 0.0
            for lm in range(n_y):
                w = by_harmonic[lm]
                gx += w * gradients[c, lm, 0]
                gy += w * gradients[c, lm, 1]
                gz += w * gradients[c, lm, 2]
            ux, uy, uz = vectors[c, 0], vectors[c, 1], vectors[c, 2]
            inward = gx * ux + gy * uy + gz * uz
            r = distances[c]
            g = (
                (gx - inward * ux) / r + along * ux,
                (gy - inward * uy) / r + along * uy,
                (gz - inward * uz) / r + along * uz,
            )
            for p in range(3):
                forces[i, p] += g[p]
                forces[j, p] -= g[p]
                for q in range(3):
                    virial[p, q] += g[p] * r * vectors[c, q]
    return energies, forces, virial, functions


@njit(cache=True)
def design_rows(  # type: ignore[no-untyped-def]
    positions, species, n_species, first, neighbours, shifts,
    scales, inner, width, cutoff, n_radial, l_max, norms,
    begin, a_radial, a_harmonic, products, rows, columns, values,
):  # fmt: skip
    """Return what each coefficient adds to energy, forces and virial, and the basis functions of each atom.

    Coefficients are counted species by species: column s K + k belongs to function k of central atoms of species s.

    Returns:
        Rows of the energy (S K,), the forces (3 N, S K), the virial (9, S K), and functions (N, K).
    """
    n, n_functions = len(positions), len(rows) - 1
    most = 0
    for i in range(n):
        most = max(most, first[i + 1] - first[i])
    n_y, n_a = (l_max + 1) ** 2, len(a_radial)
    index = np.zeros(most, np.int64)
    vectors, distances = np.zeros((most, 3)), np.zeros(most)
    radial, slopes = np.zeros((most, n_radial)), np.zeros((most, n_radial))
    angular, gradients = np.zeros((most, n_y)), np.zeros((most, n_y, 3))
    legendre, cosines, sines = np.zeros((l_max + 2, l_max + 2)), np.zeros(l_max + 2), np.zeros(l_max + 2)
    densities = np.zeros(n_a)
    products_of = np.zeros(len(products))
    jacobian = np.zeros((n_functions, n_a))
    energy = np.zeros(n_species * n_functions)
    force = np.zeros((3 * n, n_species * n_functions))
    virial = np.zeros((9, n_species * n_functions))
    functions = np.zeros((n, n_functions))
    for i in range(n):
        count = gather_neighbours(
            i, positions, species, first, neighbours, shifts, scales, inner, width, cutoff, l_max, norms,
            index, vectors, distances, radial, slopes, angular, gradients, legendre, cosines, sines,
        )  # fmt: skip
        fill_densities(count, index, species, radial, angular, begin, a_radial, a_harmonic, densities)
        basis_values(densities, products, rows, columns, values, products_of, functions[i])
        basis_slopes(densities, products, rows, columns, values, jacobian)
        part = species[i] * n_functions
        energy[part : part + n_functions] += functions[i]
        for z in range(n_species):
            # neighbours of one species move the densities of that species only
            low, high = begin[z], begin[z + 1]
            here = 0
            for c in range(count):
                if species[index[c]] == z:
                    here += 1
            if here == 0 or high == low:
                continue
            moved = np.zeros((high - low, 3 * here))
            which = np.zeros(here, np.int64)
            here = 0
            for c in range(count):
                if species[index[c]] != z:
                    continue
                which[here] = c
                r = distances[c]
                ux, uy, uz = vectors[c, 0], vectors[c, 1], vectors[c, 2]
                for a in range(low, high):
                    lm, k = a_harmonic[a], a_radial[a]
                    gx, gy, gz = gradients[c, lm, 0], gradients[c, lm, 1], gradients[c, lm, 2]
                    inward = gx * ux + gy * uy + gz * uz
                    along = slopes[c, k] * angular[c, lm] - radial[c, k] * inward / r
                    moved[a - low, 3 * here] = along * ux + radial[c, k] * gx / r
                    moved[a - low, 3 * here + 1] = along * uy + radial[c, k] * gy / r
                    moved[a - low, 3 * here + 2] = along * uz + radial[c, k] * gz / r
                here += 1
            slope = np.dot(np.ascontiguousarray(jacobian[:, low:high]), moved).T
            for h in range(here):
                c = which[h]
                j = index[c]
                for p in range(3):
                    g = slope[3 * h + p]
                    force[3 * i + p, part : part + n_functions] += g
                    force[3 * j + p, part : part + n_functions] -= g
                    for q in range(3):
                        virial[3 * p + q, part : part + n_functions] += g * (distances[c] * vectors[c, q])
    return energy, force, virial, functions
