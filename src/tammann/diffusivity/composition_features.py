"""Features that follow from a composition alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tammann.composition import parse_formula
from tammann.diffusivity.definitions import COMPOSITION_FEATURES, without_ion
from tammann.diffusivity.elements import PROPERTIES, ElementValues, element_values, recover_values
from tammann.errors import DataError

MEANS = tuple(PROPERTIES)
ROOTS = {
    "root_BR5_M": ("bulk_modulus_GPa", 5),
    "root_GR5_M": ("shear_modulus_GPa", 5),
    "root_ER2_M": ("cohesive_energy_eV", 2),
}
"""sqrt(v R^n / M): the property v and the power n of the radius."""


def split_composition(formula: str | Mapping[str, int], ion: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return all atoms, and those that are not the mobile ion, by element.

    Raises:
        DataError: The ion is not in it, or nothing else is.

    Example:
        >>> split_composition("Li3N", "Li")
        ({'Li': 3, 'N': 1}, {'N': 1})
    """
    counts = parse_formula(formula) if isinstance(formula, str) else dict(formula)
    name = "".join(f"{symbol}{n if n > 1 else ''}" for symbol, n in counts.items())
    if ion not in counts:
        raise DataError(
            f"{name}: expected the mobile ion {ion} in it, got the elements {', '.join(counts)}; "
            "name one of them as the ion (--ion)."
        )
    others = {symbol: n for symbol, n in counts.items() if symbol != ion}
    if not others:
        raise DataError(f"{name}: expected other elements beside the mobile ion {ion}, got none.")
    return counts, others


def composition_features(
    formula: str | Mapping[str, int], *, ion: str = "Li", values: Mapping[str, ElementValues] | None = None
) -> dict[str, float]:
    """Return the features that follow from a composition, by name (``feature_definitions``).

    Means over atoms, <v> = sum_i x_i v_i, of six properties of the elements, over all atoms and without the mobile ion;
    sqrt(<B><R>^5/<M>), sqrt(<G><R>^5/<M>) and sqrt(<E><R>²/<M>); ratios and differences.

    Args:
        formula: Composition, as text or atoms by element.
        ion: The mobile ion.
        values: Properties of the elements by name that take the place of the shipped ones, as ``recover_values``
            returns them from a table.

    Raises:
        DataError: The ion is not in it, nothing else is, or an element has no value.

    Reference:
        Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2, Table 1.

    Example:
        >>> found = composition_features("LiF")
        >>> round(found["mass_g_per_mol"], 3), round(found["electronegativity_difference"], 3), found["ion_fraction"]
        (12.97, 1.5, 0.5)
    """
    parts = split_composition(formula, ion)
    known = {name: (values or {}).get(name) or element_values(name) for name in MEANS}
    found = {"ion_fraction": parts[0][ion] / sum(parts[0].values())}
    for counts, is_whole in zip(parts, (True, False), strict=True):
        mean = {name: known[name].mean(counts) for name in MEANS}
        for name, (prop, power) in ROOTS.items():
            mean[name] = math.sqrt(mean[prop] * mean["radius_A"] ** power / mean["mass_g_per_mol"])
        found |= {name if is_whole else without_ion(name): value for name, value in mean.items()}
    found["radius_ratio"] = found["radius_others_A"] / found["radius_A"]
    found["electronegativity_difference"] = found["electronegativity_others"] - found["electronegativity"]
    return {feature.name: found[feature.name] for feature in COMPOSITION_FEATURES}


def recover_elements(
    formulas: Sequence[str], columns: Mapping[str, np.ndarray], *, source: str
) -> dict[str, ElementValues]:
    """Return the values of elements that the means in a table stand on, by property.

    Args:
        formulas: N compositions.
        columns: Means over all atoms by name of the feature, each of shape (N,); those of other names are passed over.
        source: What to say of them.

    Raises:
        DataError: A column is not made of means over atoms.

    Example:
        >>> found = recover_elements(["LiF", "Li2F"], {"radius_A": np.array([0.975, 3.4 / 3])}, source="mine")
        >>> round(found["radius_A"].values["Li"], 6)
        1.45
    """
    return {
        name: recover_values(name, formulas, np.asarray(columns[name]), source=source)
        for name in MEANS
        if name in columns
    }
