"""Crystals whose shells are known."""

import numpy as np

from tammann.structures import Configuration

FACES = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def repeated(symbols, fractional, edge, repeats=1):
    """A cubic crystal, its cell repeated along each edge."""
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    x = (cells + np.asarray(fractional, dtype=float)).reshape(-1, 3) * edge
    return Configuration(tuple(symbols) * repeats**3, x, repeats * edge * np.eye(3))


def fcc(repeats=1):
    return repeated(["Cu"] * 4, FACES, 3.6, repeats)


def rock_salt(repeats=1):
    return repeated(["Na"] * 4 + ["Cl"] * 4, np.vstack([FACES, FACES + [0.5, 0, 0]]), 5.64, repeats)


def perovskite(repeats=1):
    """Cubic BaZrO3: Zr at the corner, oxygen at the middles of the edges, Ba at the centre."""
    sites = [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return repeated(["Ba", "Zr", "O", "O", "O"], sites, 4.2, repeats)


def diamond(repeats=1):
    return repeated(["Si"] * 8, np.vstack([FACES, FACES + 0.25]), 5.43, repeats)


def barium_zirconium_sulfide():
    """Pnma BaZrS3 (Pbnm setting, PBEsol), Paşca et al., J. Mater. Chem. A 2025, 13, 35447."""
    from ase.spacegroup import crystal

    sites = [(0, 0, 0), (0.48884, 0.95159, 0.25), (0.43869, 0.49600, 0.75), (0.70948, 0.78991, 0.53238)]
    a, b, c = 6.96228, 7.08885, 9.96352
    # the axes b, c, a of Pbnm are those of Pnma
    standard = [(y, z, x) for x, y, z in sites]
    atoms = crystal(["Zr", "Ba", "S", "S"], standard, spacegroup=62, cellpar=[b, c, a, 90, 90, 90])
    return Configuration(tuple(atoms.get_chemical_symbols()), atoms.positions[:, [2, 0, 1]], np.diag([a, b, c]))
