"""Features of structures at temperatures, in one table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import conventional_formula
from tammann.diffusivity.composition_features import composition_features
from tammann.diffusivity.definitions import LOCAL_FEATURES, NAMES
from tammann.diffusivity.elements import ElementValues
from tammann.diffusivity.local_features import NEIGHBOURS_A, local_features
from tammann.errors import DataError
from tammann.structures import Configuration

if TYPE_CHECKING:
    import pandas as pd


def structure_features(
    frames: Configuration | Sequence[Configuration],
    *,
    temperature_K: float,
    ion: str = "Li",
    anion: str | None = None,
    cutoff_A: float = NEIGHBOURS_A,
    values: Mapping[str, ElementValues] | None = None,
) -> dict[str, float]:
    """Return all features of a structure at a temperature, by name; of several frames the mean.

    Args:
        frames: One configuration, or several of one composition, such as frames of a trajectory.
        temperature_K: Temperature, K.
        ion: The mobile ion, any element.
        anion: None for the most electronegative element; ``"published"`` for the alphabetically last one, which the
            published table took, and only to compare with that table; or a symbol.
        cutoff_A: Up to which distance atoms are neighbours, Å.
        values: Properties of the elements that take the place of the shipped ones (``composition_features``).

    Raises:
        DataError: No mobile ion, no other element, an element without a tabulated property, a molecule, frames of
            several compositions, or a temperature that is not above zero.

    Reference:
        Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2; Sendek et al., Energy Environ.
        Sci. 2017, 10, 306, doi 10.1039/C6EE02697D.

    Example:
        >>> from tammann.structures.crystals import load_crystal
        >>> found = structure_features(load_crystal("BaO"), temperature_K=1500.0, ion="Ba")
        >>> len(found), round(found["PF"], 3)
        (44, 1.008)
    """
    every = (frames,) if isinstance(frames, Configuration) else tuple(frames)
    if not every:
        raise DataError("expected a structure, got none.")
    if not (np.isfinite(temperature_K) and temperature_K > 0):
        raise DataError(f"temperature_K: expected a number above 0 K, got {temperature_K}.")
    counts = Counter(every[0].symbols)
    if any(Counter(other.symbols) != counts for other in every[1:]):
        raise DataError("expected frames of one composition, got several; give them one by one.")
    rows = [local_features(one, ion=ion, anion=anion, cutoff_A=cutoff_A) for one in every]
    found = {feature.name: float(np.mean([row[feature.name] for row in rows])) for feature in LOCAL_FEATURES}
    found |= composition_features(counts, ion=ion, values=values) | {"temperature_K": float(temperature_K)}
    return {name: found[name] for name in NAMES}


def features_table(
    structures: Mapping[str, Configuration | Sequence[Configuration]],
    *,
    temperatures_K: Sequence[float],
    ion: str = "Li",
    anion: str | None = None,
    cutoff_A: float = NEIGHBOURS_A,
    values: Mapping[str, ElementValues] | None = None,
) -> pd.DataFrame:
    """Return the features of structures, one row for each structure and temperature.

    Args:
        structures: By name.
        temperatures_K: K; the structures are taken to be the same at all of them.
        ion: The mobile ion.
        anion: As in ``structure_features``.
        cutoff_A: Å.
        values: As in ``structure_features``.

    Returns:
        Columns ``name`` and ``formula`` and all features.

    Raises:
        DataError: As ``structure_features``, with the name of the structure.

    Example:
        >>> from tammann.structures.crystals import load_crystal
        >>> features_table({"baria": load_crystal("BaO")}, temperatures_K=[1000.0, 1500.0], ion="Ba").shape
        (2, 46)
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for name, frames in structures.items():
        for temperature_K in temperatures_K:
            try:
                found = structure_features(
                    frames, temperature_K=temperature_K, ion=ion, anion=anion, cutoff_A=cutoff_A, values=values
                )
            except DataError as error:
                raise named(name, error) from None
            one = frames if isinstance(frames, Configuration) else frames[0]
            rows.append({"name": name, "formula": formula_of(one), **found})
    return pd.DataFrame(rows)


def named(name: str, error: DataError) -> DataError:
    """Return an error that begins with the name of the structure it is about."""
    return error if str(error).startswith(f"{name}: ") else DataError(f"{name}: {error}")


def formula_of(configuration: Configuration) -> str:
    """Return the reduced formula of a configuration, as chemists write it.

    Example:
        >>> import numpy as np
        >>> formula_of(Configuration(("F", "Li"), np.array([[0, 0, 0], [2.0, 0, 0]]), 4.0 * np.eye(3)))
        'LiF'
    """
    counts = Counter(configuration.symbols)
    divisor = math.gcd(*counts.values())
    return conventional_formula({symbol: n // divisor for symbol, n in counts.items()})
