"""Measure what docs/diffusivities.md quotes, from the published table, and draw its figures.

``python docs/diffusivity_results.py measure feature_target.dat`` takes some ten core-minutes and writes
``diffusivities.json`` (errors only, nothing of the table); ``... draw feature_target.dat`` draws the figures.
"""

import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

import tammann
from tammann.diffusivity.activation import activation_errors
from tammann.diffusivity.importance import permutation_importance
from tammann.diffusivity.model import train_model
from tammann.diffusivity.models import MODELS
from tammann.diffusivity.published import published_protocol
from tammann.diffusivity.table import LN_CM2, load_published
from tammann.diffusivity.validation import cross_validate, fold_numbers, nested_choice
from tammann.files import json_safe, write_text

HERE = Path(__file__).parent
RESULTS = HERE / "diffusivities.json"
SEEDS = (0, 1, 2, 3, 4)
NESTED_SEEDS = (0, 1)


def measure(path: str) -> None:
    table = load_published(path)
    versions = {name: __import__(name).__version__ for name in ("sklearn", "xgboost", "numpy")}
    found: dict = {
        "table": {"rows": table.n_rows, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()},
        "software": {"tammann": tammann.__version__, "python": platform.python_version(), **versions},
        "seeds": SEEDS,
    }
    began = time.process_time()

    def keep() -> None:
        found["cpu_seconds"] = round(time.process_time() - began)
        write_text(RESULTS, json.dumps(json_safe(found), indent=1) + "\n")

    found["published_protocol"] = {}
    for name in ("forest", "boosting"):
        one = published_protocol(table, name)
        found["published_protocol"][name] = {
            "ordered": one.ordered.mean(), "ordered_spread": one.ordered.std(), "shuffled": one.shuffled.mean(),
            "shuffled_spread": one.shuffled.std(), "test": one.test, "leaked": one.leaked,
        }  # fmt: skip
    keep()
    found["cross_validation"] = {}
    for name in MODELS:
        for grouped in (True, False):
            one = cross_validate(table, name, seeds=SEEDS, grouped=grouped)
            keys = ("rmse_D_m2_per_s", "rmse_ln_D", "mae_ln_D", "r2_D", "r2_ln_D")
            found["cross_validation"][f"{name} {'grouped' if grouped else 'by row'}"] = {
                key: one.mean(key) for key in keys
            }
            if grouped:
                errors = [activation_errors(table, row, seed=s) for row, s in zip(one.predicted, SEEDS, strict=True)]
                found.setdefault("activation", {})[name] = {
                    "mae_eV": [
                        float(np.mean([e.mae_eV for e in errors])),
                        float(np.std([e.mae_eV for e in errors], ddof=1)),
                    ],
                    "constant_mae_eV": float(np.mean([e.constant_mae_eV for e in errors])),
                    "median_known_stderr_eV": float(np.median(errors[0].known_stderr_eV)),
                }
            keep()
    own = table.with_shipped_elements()
    for name in ("symbolic", "hybrid"):
        one = cross_validate(own, name, seeds=SEEDS)
        found["cross_validation"][f"{name} grouped, shipped elements"] = {
            key: one.mean(key) for key in ("rmse_D_m2_per_s", "rmse_ln_D", "r2_D")
        }
    keep()
    law = train_model(table, "symbolic")
    found["law"] = {
        "text": law.law,
        "intercept_cm2_per_s": law.fitted.law_.intercept + LN_CM2,
        "rmse": law.fitted.law_.rmse,
    }
    found["coverage"] = coverage(table)
    importance = permutation_importance(table, "hybrid", repeats=3)
    found["importance"] = importance.head(12).to_dict("records")
    keep()
    one = nested_choice(table, [name for name in MODELS if name != "forest"], seeds=NESTED_SEEDS, inner_folds=4)
    found["nested"] = {
        "candidates": one.candidates, "seeds": NESTED_SEEDS, "chosen": one.chosen,
        "scores": [vars(score) for score in one.scores],
    }  # fmt: skip
    keep()


def coverage(table) -> dict[str, float]:
    numbers = fold_numbers(table, folds=5, seed=11)
    inside: dict[float, list] = {0.683: [], 0.9: [], 0.95: []}
    errors, percentiles = [], []
    for k in range(5):
        trained = train_model(table.take(numbers != k), "hybrid")
        rest = table.take(numbers == k)
        for confidence, kept in inside.items():
            one = trained.predict(rest.features, confidence=confidence)
            kept.append(np.abs(one.ln_D - rest.ln_D) <= one.half_width)
        errors.append(np.abs(one.ln_D - rest.ln_D))
        percentiles.append(one.percentile)
    error, percentile = np.concatenate(errors), np.concatenate(percentiles)
    parts = {f"mae_ln_D of {a} to {b} %": error[(percentile >= a) & (percentile <= b)].mean()
             for a, b in ((0, 50), (50, 80), (80, 95), (95, 100))}  # fmt: skip
    return {f"{c:g}": np.concatenate(kept).mean() for c, kept in inside.items()} | parts


if __name__ == "__main__":
    {"measure": measure}[sys.argv[1]](sys.argv[2])
