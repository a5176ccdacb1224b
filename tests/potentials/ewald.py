"""Rigid ions by brute force: the slow twin of tables and PPPM."""

import itertools
import math

import numpy as np

COULOMB_EV_A = 14.399645478425668


def energy(positions, symbols, edge, potential, *, alpha=0.5, images=2, waves=9):
    """Total energy in eV of ions in a cube: an Ewald sum, and short-range parts as printed."""
    q = np.array([potential.charges[s] for s in symbols])
    total = -COULOMB_EV_A * alpha / math.sqrt(math.pi) * np.sum(q**2)
    shifts = [edge * np.array(n) for n in itertools.product(range(-images, images + 1), repeat=3)]
    for i, j in itertools.product(range(len(q)), repeat=2):
        for shift in shifts:
            r = np.linalg.norm(positions[j] - positions[i] + shift)
            if r < 1e-9 or r > 20.0:
                continue
            total += 0.5 * COULOMB_EV_A * q[i] * q[j] * math.erfc(alpha * r) / r
            total += 0.5 * float(short(potential, symbols[i], symbols[j], r))
    for n in itertools.product(range(-waves, waves + 1), repeat=3):
        if n == (0, 0, 0):
            continue
        k = 2.0 * math.pi / edge * np.array(n)
        k2 = float(k @ k)
        structure = np.sum(q * np.exp(1j * (positions @ k)))
        total += COULOMB_EV_A * 2.0 * math.pi / edge**3 * math.exp(-k2 / (4 * alpha**2)) / k2 * abs(structure) ** 2
    return total


def short(potential, first, second, r):
    """The formula as printed, times the switch over the last half Å."""
    pair = potential.pairs.get((first, second)) or potential.pairs.get((second, first))
    if pair is None or r >= potential.cutoff_A:
        return 0.0
    well = pair.depth_eV * ((1 - math.exp(-pair.stiffness_per_A * (r - pair.distance_A))) ** 2 - 1)
    u = max(0.0, (r - potential.cutoff_A + 0.5) / 0.5)
    return (well + pair.repulsion_eV_A12 / r**12) * (1 - u**3 * (10 - 15 * u + 6 * u * u))
