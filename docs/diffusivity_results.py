"""Measure what docs/diffusivities.md quotes, from the published table, and draw its figures.

    python docs/diffusivity_results.py measure feature_target.dat
    python docs/diffusivity_results.py draw feature_target.dat
    python docs/diffusivity_results.py page

The first takes some ten core-minutes and writes ``diffusivities.json`` (errors only, nothing of the table), the second
the figures, the third the tables of the page.
"""

import hashlib
import json
import platform
import re
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
NESTED_SEEDS = (0, 1, 2)
NESTED = ("symbolic", "hybrid", "hybrid-3", "hybrid-half", "hybrid-kernel")


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
    keep()
    missing(path)
    further(path)


def missing(path: str) -> None:
    """Cross-validate the models that have not been."""
    table, found = load_published(path), json.loads(RESULTS.read_text(encoding="utf-8"))
    before, began = found["cpu_seconds"], time.process_time()
    keys = ("rmse_D_m2_per_s", "rmse_ln_D", "mae_ln_D", "r2_D", "r2_ln_D")
    for name in MODELS:
        for grouped in (True, False):
            label = f"{name} {'grouped' if grouped else 'by row'}"
            if label in found["cross_validation"]:
                continue
            one = cross_validate(table, name, seeds=SEEDS, grouped=grouped)
            found["cross_validation"][label] = {key: one.mean(key) for key in keys}
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
            found["cpu_seconds"] = round(before + time.process_time() - began)
            write_text(RESULTS, json.dumps(json_safe(found), indent=1) + "\n")


def further(path: str) -> None:
    """Measure what comes after the cross-validations."""
    table, found = load_published(path), json.loads(RESULTS.read_text(encoding="utf-8"))
    before, began = found["cpu_seconds"], time.process_time()

    def keep() -> None:
        found["cpu_seconds"] = round(before + time.process_time() - began)
        write_text(RESULTS, json.dumps(json_safe(found), indent=1) + "\n")

    law = train_model(table, "symbolic")
    fit = law.fitted.law_
    found["law"] = {"text": law.law, "intercept_cm2_per_s": fit.intercept + LN_CM2, "rmse": fit.rmse}
    if "importance" not in found:
        found["importance"] = permutation_importance(table, "hybrid", repeats=2).head(12).to_dict("records")
        keep()
    found["coverage"] = coverage(table)
    keep()
    choice = nested_choice(table, NESTED, seeds=NESTED_SEEDS, inner_folds=3)
    found["nested"] = {
        "candidates": choice.candidates, "seeds": NESTED_SEEDS, "chosen": choice.chosen,
        "scores": [vars(score) for score in choice.scores],
    }  # fmt: skip
    keep()
    one = cross_validate(table.with_shipped_elements(), "hybrid", seeds=NESTED_SEEDS)
    found["shipped_elements"] = {key: one.mean(key) for key in ("rmse_D_m2_per_s", "rmse_ln_D", "r2_D")}
    keep()


def coverage(table) -> dict[str, float]:
    numbers = fold_numbers(table, folds=3, seed=11)
    inside: dict[float, list] = {0.683: [], 0.9: [], 0.95: []}
    errors, percentiles = [], []
    for k in range(3):
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


def draw(path: str) -> None:
    import pandas as pd

    from tammann.plot import save_figure
    from tammann.plot.diffusivities import plot_activation, plot_errors_by_folds, plot_importance, plot_predicted

    table, found = load_published(path), json.loads(RESULTS.read_text(encoding="utf-8"))
    images = HERE / "images"
    one = cross_validate(table, "hybrid", seeds=(0,))
    save_figure(plot_predicted(one), images / "diffusivity-parity.png", dpi=110)
    errors = activation_errors(table, one.predicted[0])
    save_figure(plot_activation(errors), images / "diffusivity-activation.png", dpi=110)
    if "importance" in found:
        save_figure(plot_importance(pd.DataFrame(found["importance"])), images / "diffusivity-importance.png", dpi=110)
    bars = {}
    for label, values in found["cross_validation"].items():
        model, _, how = label.partition(" ")
        if model in ("symbolic", "forest", "boosting", "hybrid") and how in ("grouped", "by row"):
            bars[model, how == "grouped"] = tuple(values["rmse_D_m2_per_s"])
    save_figure(plot_errors_by_folds(bars), images / "diffusivity-folds.png", dpi=110)


def features_rows() -> str:
    from tammann.diffusivity import feature_definitions

    lines = ["| feature | published column | unit | definition | source |", "|---|---|---|---|---|"]
    for row in feature_definitions().itertuples():
        definition = row.definition.replace("|", "\\|")
        column = f"`{row.column}`" if row.column else ""
        lines.append(f"| `{row.name}` | {column} | {row.unit} | {definition} | {row.source.partition(' et al')[0]} |")
    return "\n".join(lines)


def errors_rows() -> str:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "| model | RMSE of D, by row | RMSE of D, by composition | RMSE of ln D | R² of D | MAE of Ea (eV) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in MODELS:
        known = {how: found["cross_validation"].get(f"{name} {how}") for how in ("by row", "grouped")}
        if None in known.values():
            continue
        D = [f"{1e8 * v['rmse_D_m2_per_s'][0]:.2f} ± {1e8 * v['rmse_D_m2_per_s'][1]:.2f}" for v in known.values()]
        one, energy = known["grouped"], found["activation"][name]["mae_eV"]
        lines.append(
            f"| `{name}` | {D[0]} | {D[1]} | {one['rmse_ln_D'][0]:.3f} | {one['r2_D'][0]:.3f} | "
            f"{energy[0]:.3f} ± {energy[1]:.3f} |"
        )
    return "\n".join(lines)


def with_tables(page: str) -> str:
    for name, rows in (("features", features_rows()), ("errors", errors_rows())):
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, r=rows: f"{m[1]}{r}\n{m[2]}", page, flags=re.S
        )
    return page


def write_page(_: str) -> None:
    page = HERE / "diffusivities.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    {"measure": measure, "missing": missing, "further": further, "draw": draw, "page": write_page}[sys.argv[1]](
        (sys.argv[2:] or [""])[0]
    )
