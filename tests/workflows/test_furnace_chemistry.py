"""Recipes of other chemistries, from a user's table of energies to a report."""

import json
from pathlib import Path

import numpy as np
import pytest

from reactive_diffusion.systems import CAS, HEADER, REDOX, SALTS
from tammann import History, Recipe
from tammann.composition import parse_formula
from tammann.errors import RecipeError, TammannError
from tammann.workflows.furnace import prepare, run_recipe

EXAMPLES = Path(__file__).parents[2] / "examples" / "own-chemistry"


def recipe_of(folder, rows, precursors, temperature_K, *, hold_h=2, **entries):
    """A recipe in a folder, beside its table of energies; few cells, to be quick."""
    (folder / "energies.csv").write_text(HEADER + "\n".join(f"{row},0.01" for row in rows.splitlines()) + "\n")
    lines = ["energies: energies.csv", "precursors:"]
    lines += [f"  - {{phase: {formula}, ratio: {ratio}}}" for formula, ratio in precursors.items()]
    lines += [
        f"start_temperature_K: {temperature_K - 50}",
        f"programme:\n  - {{temperature_K: {temperature_K}, hold_h: {hold_h}}}",
    ]
    entries = {"ensemble": {"realizations": 1}, "diffusion": {"cells": 12}, **entries}
    (folder / "recipe.yaml").write_text(
        "\n".join(lines) + "\n" + json.dumps(entries)[1:-1].replace(', "', '\n"') + "\n"
    )
    return folder / "recipe.yaml"


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows, precursors, T, entries, moving, product",
    [
        (CAS, {"CaO": 1, "Al2O3": 1, "SiO2": 1}, 1500, {}, 2, "Ca2Al2SiO7"),
        (REDOX, {"NiO": 1, "Fe3O4": 1}, 1400, {"atmosphere": "air"}, 1, "NiFe2O4"),
        (SALTS, {"LiCl": 1, "NaF": 1}, 850, {}, 2, "LiF"),
    ],
    ids=["three cations", "redox in air", "metathesis"],
)
def test_to_a_report(rows, precursors, T, entries, moving, product, tmp_path):
    run = run_recipe(recipe_of(tmp_path, rows, precursors, T, **entries), tmp_path / "out", null=False)
    assert len(run.prepared.diffusion.system.directions) == moving
    history, record = run.history, run.history.diffusion
    assert history.element_drift[0] < 1e-12 and record.gibbs_left_eV_per_atom[0, -1] >= -1e-9
    hold = history.temperature_K == T
    assert (np.diff(record.gibbs_left_eV_per_atom[0][hold]) < 1e-9).all()
    assert history.fractions()[0, -1, history.phases.index(product)] > 0.01
    if "atmosphere" in entries:  # magnetite takes up oxygen
        assert history.gas_moles[0, -1, history.gases.index("O2")] == pytest.approx(-0.25, abs=1e-6)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(formula in report for formula in (*precursors, product)) and "Traceback" not in report
    assert any("van Liempt" in note for note in run.summary["warnings"])
    assert History.open(tmp_path / "out" / "history.npz").phases == history.phases


@pytest.mark.parametrize("name, moving", [("spinel-titanate", 2), ("metathesis", 2), ("enstatite", 1)])
def test_examples_are_ready_to_run(name, moving):
    """No row of their tables is unusable, and the components are as many as there should be."""
    prepared = prepare(Recipe.from_file(EXAMPLES / f"{name}.yaml"))
    assert len(prepared.diffusion.system.directions) == moving
    assert not [note for note in prepared.phases.warnings if "left out" in note]


@pytest.mark.parametrize(
    "first, changed, said",
    [
        ("LiCl", {"grid": {"size": 8}}, "grid: expected no such key with engine reactive-diffusion"),
        ("LiCl", {"diffusion": {"geometry": "cubes"}}, "diffusion.geometry: expected particles or grains"),
        ("LiCl", {"transport": "no.json"}, "no.json"),
        ("MgO", {}, r"precursors\[0\].phase: .*MgO"),
        ("LiCl", {"atmosphere": {"partial_pressure_Pa": {"XeF2": 1}}}, "XeF2"),
    ],
)
def test_bad_input_is_one_sentence(first, changed, said, tmp_path):
    path = recipe_of(tmp_path, SALTS, {first: 1, "NaF": 1}, 850, engine="reactive-diffusion", **changed)
    with pytest.raises(TammannError, match=said) as caught:
        prepare(Recipe.from_file(path))
    assert "\n" not in str(caught.value)


def test_what_a_gas_took_away_does_not_come_back(tmp_path):
    """AlF3 gives SiF4 off with the silicate; its fluorine must not be in NaF as well, and where SiF4 stays it is."""
    text = (
        "energies: measured\ntransport: none\nprecursors: [{phase: AlF3, ratio: 2}, {phase: Na2Si2O5, ratio: 1}]\n"
        "programme: [{temperature_K: 750, ramp_K_per_min: 10, hold_h: 4}]\nensemble: {realizations: 1}\n"
        "diffusion: {cells: 12, residual_pressure_Pa: PRESSURE}\nparticle_radius_um: 0.5\n"
    )
    with pytest.raises(RecipeError, match="SiF4: the powder gives it off"):
        run_recipe(Recipe.from_text(text.replace("PRESSURE", "1")), null=False, threads=1)
    history = run_recipe(Recipe.from_text(text.replace("PRESSURE", "1.0e5")), null=False, threads=1).history
    fluorine = np.array([parse_formula(formula).get("F", 0) for formula in history.phases])
    np.testing.assert_allclose(history.moles[0] @ fluorine, history.moles[0, 0] @ fluorine, rtol=1e-6)
