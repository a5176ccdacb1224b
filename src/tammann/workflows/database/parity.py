"""Two databases of the same compositions held against each other: a surrogate potential and a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization import compare_distributions
from tammann.composition import composition_key
from tammann.diffusivity.definitions import LOCAL_FEATURES
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.workflows.database.store import Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Parity(ShownAsTable):
    """States that two databases share.

    Attributes:
        states: One row each: formula, temperature, R² of g(r), densities, D of the ion in both, ln of their ratio and
            its standard error; NaN where the ion was not shown to diffuse in both.
        features: One row for each feature of the structure: mean and root mean square difference, R², and the standard
            deviation in the reference.
    """

    states: pd.DataFrame
    features: pd.DataFrame

    def __repr__(self) -> str:
        mean = self.states["rdf_r_squared"].mean()
        error = float(np.sqrt((self.states["ln_D_ratio"].dropna() ** 2).mean()))
        return f"Parity({len(self.states)} states: R² of g(r) {mean:.3f}, root mean square of ln D ratio {error:.3f})"

    def table(self) -> pd.DataFrame:
        """Return the states."""
        return self.states


def compare_databases(reference: Store, surrogate: Store) -> Parity:
    """Compare g(r), features and D of the states that two databases share.

    Args:
        reference: Of the better potential, or of ab initio dynamics.
        surrogate: Of the faster one.

    Raises:
        DataError: They share no state, or are of different ions.
        ResultError: There is no such database.
    """
    import pandas as pd

    known = {_key(row): row for _, row in reference.table().iterrows()}
    pairs = [(known[_key(row)], row) for _, row in surrogate.table().iterrows() if _key(row) in known]
    if not pairs:
        raise DataError(
            f"{surrogate.path}: expected compositions and temperatures of {reference.path}, found none that both have."
        )
    for one, other in pairs:
        if one["ion"] != other["ion"]:
            raise DataError(
                f"{surrogate.path}: expected D of {one['ion']} as in {reference.path}, got that of {other['ion']}."
            )
    rows = []
    for one, other in pairs:
        distributions = [s.distribution(r["formula"], float(r["temperature_K"])) for s, r in
                         ((reference, one), (surrogate, other))]  # fmt: skip
        D = [float(row["D_m2_per_s"]) if row["diffusive"] else np.nan for row in (one, other)]
        rows.append(
            {
                "formula": one["formula"],
                "temperature_K": one["temperature_K"],
                "rdf_r_squared": compare_distributions(*distributions).r_squared,
                "density_g_per_cm3": one["density_g_per_cm3"],
                "surrogate_density_g_per_cm3": other["density_g_per_cm3"],
                "D_m2_per_s": D[0],
                "surrogate_D_m2_per_s": D[1],
                "ln_D_ratio": float(np.log(D[1] / D[0])),
                "ln_D_ratio_stderr": float(np.linalg.norm([_relative_error(one), _relative_error(other)])),
            }
        )
    features = []
    for name in (feature.name for feature in LOCAL_FEATURES):
        if all(name in row for pair in pairs for row in pair):
            a, b = (np.array([float(pair[k][name]) for pair in pairs]) for k in (0, 1))
            spread = float(((a - a.mean()) ** 2).sum())
            features.append(
                {
                    "feature": name,
                    "mean_difference": float((b - a).mean()),
                    "rms_difference": float(np.sqrt(((b - a) ** 2).mean())),
                    "r_squared": 1.0 - float(((b - a) ** 2).sum()) / spread if spread > 0 else np.nan,
                    "reference_spread": float(a.std()),
                }
            )
    return Parity(pd.DataFrame(rows), pd.DataFrame(features))


def _relative_error(row: pd.Series) -> float:
    known = row["diffusive"] and row["D_stderr_m2_per_s"] is not None
    return float(row["D_stderr_m2_per_s"] / row["D_m2_per_s"]) if known else float("nan")


def _key(row: pd.Series) -> tuple[object, float]:
    return composition_key(str(row["formula"])), float(row["temperature_K"])
