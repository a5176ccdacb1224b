"""The disordered crystals of these tests."""

import numpy as np

from tammann.structures.ordering import DisorderedStructure, disordered_crystal

FREE = {"Cu": 0.0, "Au": 0.0, "Ag": 0.0}
FCC = np.array([[0, 2, 2], [2, 0, 2], [2, 2, 0]], dtype=float)


def alloy(group, cell, occupancy):
    return disordered_crystal(group, cell, {"M": (occupancy, (0, 0, 0))}, charges=FREE)


def primitive_fcc(occupancy):
    return DisorderedStructure(FCC, [[0, 0, 0]], (occupancy,), ("M",), FREE)


HOST = disordered_crystal(
    "C2/m",
    (6.890, 11.916, 6.842, 90, 109.77, 90),
    {
        "M": ({"In": 0.5, "Y": 0.5}, (0, 0, 0)),
        "Li1": ({"Li": 1.0}, (0, 1 / 3, 0)),
        "Li2": ({"Li": 0.5}, (0, 1 / 6, 0.5)),
        "X1": ({"Br": 0.5, "Cl": 0.5}, (0.25, 0, 0.75)),
        "X2": ({"Br": 0.5, "Cl": 0.5}, (0.25, 1 / 6, 0.25)),
    },
)
"""Li3In0.5Y0.5Br3Cl3, cell of Li3ErBr6 (Bohnsack et al., Z. Anorg. Allg. Chem. 1997, 623, 1352), ideal packing."""
