"""Hold the small database against a model of the published table alone, which has seen none of its compositions.

    tammann diffusivity train published.json --table feature_target.dat
    python collect.py li-database published.json results.csv

Needs tammann[learn].
"""

import sys
from pathlib import Path

import pandas as pd

from tammann.diffusivity.model import load_model
from tammann.files import write_text
from tammann.trajectory.read import iterate_configurations

KEPT = ["formula", "temperature_K", "potential", "atoms", "duration_ps", "density_g_per_cm3", "D_m2_per_s"]


def main(database: str, model_file: str, target: str) -> None:
    """Write one row for each state: D of the dynamics, D predicted, its interval of 90 %, and the distance."""
    model = load_model(model_file)
    rows = []
    for state in pd.read_csv(Path(database, "states.csv")).itertuples():
        file = Path(database, "frames", f"{state.formula}-{state.temperature_K:g}K.extxyz")
        names, X = model.features({state.formula: list(iterate_configurations(file))}, [state.temperature_K])
        (found,) = model.predict(X, formulas=names, confidence=0.9).table().to_dict("records")
        predicted = {key: found[key] for key in ("D_m2_per_s", "D_low_m2_per_s", "D_high_m2_per_s", "distance", "far")}
        rows.append({key: getattr(state, key) for key in KEPT} | {f"predicted_{k}": v for k, v in predicted.items()})
    write_text(target, pd.DataFrame(rows).to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    main(*sys.argv[1:4])
