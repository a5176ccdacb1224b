"""Properties of the elements that compositions are averaged from: shipped, or recovered from a table of averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import DataError
from tammann.systems import read_rows

PROPERTIES = {
    "mass_g_per_mol": "mass",
    "radius_A": "atomic radius",
    "electronegativity": "electronegativity",
    "cohesive_energy_eV": "cohesive energy",
    "bulk_modulus_GPa": "bulk modulus",
    "shear_modulus_GPa": "shear modulus",
}
"""Columns of ``elements/solids.csv`` that are averaged over a composition, and what they are called in errors."""
EXACT = 1e-6
"""Relative misfit up to which a column counts as averages of values of elements."""


@dataclass(frozen=True, eq=False)
class ElementValues:
    """Values of one property by element.

    Attributes:
        name: The property, such as ``bulk_modulus_GPa``.
        values: By symbol.
        source: Where they are from.
    """

    name: str
    values: Mapping[str, float]
    source: str

    def mean(self, counts: Mapping[str, int]) -> float:
        """Return the mean over the atoms of a composition.

        Args:
            counts: Atoms by element.

        Raises:
            DataError: An element has no value.

        Example:
            >>> round(element_values("radius_A").mean({"Li": 1, "F": 1}), 3)
            0.975
        """
        for symbol in counts:
            if symbol not in self.values:
                what = PROPERTIES.get(self.name, self.name)
                raise DataError(f"{symbol}: no {what} is tabulated for it ({self.source}); leave the element out.")
        return sum(n * self.values[symbol] for symbol, n in counts.items()) / sum(counts.values())


@cache
def element_values(name: str) -> ElementValues:
    """Return the shipped values of a property of the elements, as ``data/elements/solids.csv`` states their sources.

    Example:
        >>> element_values("covalent_radius_A").values["Li"], round(element_values("mass_g_per_mol").values["Li"], 2)
        (1.28, 6.94)
    """
    source = "data/elements/solids.csv"
    if name == "mass_g_per_mol":
        return ElementValues(name, atomic_masses(), "data/elements/atomic_masses.csv")
    rows = read_rows("elements/solids.csv")
    return ElementValues(name, {row["element"]: float(row[name]) for row in rows if row[name]}, source)


def recover_values(name: str, formulas: Sequence[str], means: np.ndarray, *, source: str) -> ElementValues:
    """Return the values of the elements of which a column of a table holds the means over compositions.

    y = W v with the atom fractions W, solved by least squares. So features of new compositions can be made with the
    numbers of the elements that a published table stands on, without these being published.

    Args:
        name: The property.
        formulas: N compositions.
        means: Of the property over their atoms, shape (N,).
        source: What to say of them.

    Returns:
        Values of all elements that the formulas determine.

    Raises:
        DataError: The column is not made of means of values of elements.

    Example:
        >>> found = recover_values("bulk_modulus_GPa", ["Li", "LiF", "LiF2"], np.array([14.0, 8.0, 6.0]), source="mine")
        >>> {symbol: round(value, 6) for symbol, value in found.values.items()}
        {'Li': 14.0, 'F': 2.0}
    """
    parsed = [parse_formula(formula) for formula in formulas]
    symbols = list(dict.fromkeys(symbol for counts in parsed for symbol in counts))
    weights = np.array([[counts.get(symbol, 0) for symbol in symbols] for counts in parsed], dtype=float)
    weights /= weights.sum(axis=1, keepdims=True)
    values, _, _, _ = np.linalg.lstsq(weights, means, rcond=None)
    misfit = np.abs(weights @ values - means)
    if misfit.max() > EXACT * np.abs(means).max():
        worst = formulas[int(misfit.argmax())]
        raise DataError(
            f"{name}: expected means over atoms of values of their elements, got a column that they "
            f"do not fit by up to {misfit.max():.2g} ({worst}); is it the right column?"
        )
    # an element that only ever stands beside another one in the same proportion is not determined
    _, singular, directions = np.linalg.svd(weights, full_matrices=True)
    rank = int((singular > 1e-10 * singular[0]).sum())
    known = np.abs(directions[rank:]).max(axis=0, initial=0.0) < 1e-8
    return ElementValues(
        name, {s: float(v) for s, v, is_known in zip(symbols, values, known, strict=True) if is_known}, source
    )
