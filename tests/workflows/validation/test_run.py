"""Files of observations with the furnace."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tammann import Recipe
from tammann.errors import RecipeError
from tammann.workflows.prepared import prepare
from tammann.workflows.validation import MODELS, Observations, Range, run, validate
from tammann.workflows.validation.settings import AS_WRITTEN, settings
from workflows.validation.made import SHIPPED, evolution, file_of, judged

NARROW = "range:\n  particle_size: [1, 2]\n  mixing: [0.05, 0.1]\n  time: [1]\n  sweeps_per_hour: [30, 50, 100, 200]"


def test_without_transport_there_is_one_kinetics(folder):
    outcome = judged(folder, file_of("major: BaTiO3", recipe="none.yaml"))
    row = outcome.table().iloc[0]
    assert (row["self"], row["a. full"], row["a. self"]) == ("-", "-", "-") and row["a. none"] in ("yes", "no")
    assert outcome.models == ("full", "equal", "automaton-none", "null", "equilibrium")


@pytest.mark.slow
def test_a_small_run_from_the_command_line(folder, call):
    path = folder / "seen.yaml"
    text = file_of("major: BaTiO3", "absent: BaTiO3\nwhen:\n  temperature_K: 400", top=NARROW)
    path.write_text(text, encoding="utf-8")
    done = call("validate", path, "--threads", 1)
    assert done.status == 0 and not done.err
    for word in ("full", "self", "equal", "a. none", "null", "equil.", "skill", "  1  one to one, end: number 0"):
        assert word in done.out
    assert re.search(r"(yes|no) \d/4", done.out)
    assert max(map(len, done.out.partition("full, self")[0].splitlines())) <= 100
    machine = call("validate", path, "--threads", 1, "--json", "--quick")
    answer = json.loads(machine.out)
    assert [o["observation"] for o in answer["observations"]] == ["number 0", "number 1"]
    assert list(answer["observations"][0]["holds"]) == list(MODELS)
    assert len(answer["skill"]) == 14
    path.write_text("experiments: 3\n", encoding="utf-8")
    refused = call("validate", path)
    assert refused.status == 2 and refused.err.count("\n") == 1 and "experiments" in refused.err


@pytest.mark.slow
def test_each_model_is_run_in_its_own_engine(folder, monkeypatch):
    runs = []

    def spied(name: str) -> None:
        realize = getattr(run, name)

        def spy(known: Any, number: int, null: bool, *options: Any) -> Any:
            recipe = known.recipe
            own = recipe.kinetics.transport if recipe.engine == "automaton" else recipe.diffusion.conductivity
            runs.append((recipe.engine, own, null))
            return realize(known, number, null, *options)

        monkeypatch.setattr(run, name, spy)

    spied("realize_automaton")
    spied("realize_diffusion")
    judged(folder, file_of("major: BaTiO3"))
    diffusion, automaton = "reactive-diffusion", "automaton"
    assert sorted(runs) == sorted(
        [(diffusion, mode, False) for mode in ("full", "self", "equal")]
        + [(automaton, mode, False) for mode in ("full", "self", "none")]
        + [(automaton, "none", True)]
    )


def test_every_setting_is_what_its_recipe_gives_by_itself(folder):
    """Energies and rates are worked out once for all settings: each comes out as if it were the only one."""
    recipe = Recipe.from_file(folder / "one.yaml").with_options(engine="reactive-diffusion")
    found = settings(recipe, Range(particle_size=[2.0], mixing=[0.1], time=[3.0]))
    together = run._run_settings(found, False)
    for words, alone in found.items():
        (by_itself,) = run._run_settings({words: alone}, False).values()
        assert together[words].moles == pytest.approx(by_itself.moles, abs=1e-12)
    first, second = (each.moles[0, -1] for each in together.values())
    assert np.abs(first - second).max() > 0.01


def test_twice_the_radius_is_a_quarter_of_the_time(folder):
    recipe = Recipe.from_file(folder / "one.yaml").with_options(
        engine="reactive-diffusion", mixing=0.05, diffusion={"cells": 30}, realizations=1
    )
    limits = Range(particle_size=[1.0, 2.0], mixing=[0.05], time=[1.0, 4.0])
    found = run._run_settings(settings(recipe, limits), False)
    slow = found["size x2, mixing 0.05, time x4"]
    assert slow.moles[0, -1] == pytest.approx(found[AS_WRITTEN].moles[0, -1], abs=3e-3)  # when fronts enter cells


@pytest.mark.parametrize("models", [["full", "nonsense"]])
def test_a_model_that_is_none_is_refused(folder, models):
    read = Observations.from_text(file_of("major: BaTiO3"), directory=folder)
    with pytest.raises(RecipeError, match="models: expected some of full, self, .*, got 'nonsense'"):
        validate(read, models=models)


@pytest.mark.slow
def test_an_executor_changes_nothing_and_progress_comes_to_an_end(folder):
    text = file_of("major: BaTiO3", "main_impurity: Ba2TiO4", top="realizations: 2")
    read = Observations.from_text(text, directory=folder)
    told: list[float] = []
    few: dict[str, Any] = {"over_range": False, "models": ["full", "automaton-none"]}
    serial = validate(read, threads=1, progress=lambda done, *_: told.append(done), **few)
    with ThreadPoolExecutor(1) as pool:
        carried = validate(read, executor=pool, **few)
    assert serial.to_dict() == carried.to_dict()
    assert told == sorted(told) and 0 <= told[0] and told[-1] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_hold_together(path):
    outcome = validate(path, realizations=1, size=10, over_range=False)
    read = Observations.from_file(path)
    assert len(outcome.judgements) == sum(len(e.observations) for e in read.experiments)
    assert all(share is not None for v in outcome.judgements for share in v.shares.values())
    marks = {v.mark for v in outcome.judgements}
    left_out = [v.observation.source for v in outcome.judgements if v.calibration]
    # 24 h at 1550 K follows from the energies, and particle sizes are timed with one observation of their file
    assert ("input" in marks) is (path.stem == "ba-ti-o")
    assert left_out == (["Bondioli 1998"] if path.stem == "ba-ti-o-particle-size" else [])


@pytest.mark.parametrize("number", [0, -1])
def test_no_realizations_are_refused(folder, number, call):
    text = file_of("major: BaTiO3")
    with pytest.raises(RecipeError, match=f"realizations: expected a whole number of at least 1, got {number}"):
        validate(Observations.from_text(text, directory=folder), realizations=number)
    (folder / "seen.yaml").write_text(text, encoding="utf-8")
    done = call("validate", folder / "seen.yaml", "--realizations", number)
    assert done.status == 2 and done.err.count("\n") == 1 and "realizations" in done.err


def test_unevenly_mixed_equilibrium_keeps_both_neighbours(folder):
    """Even 1:1 is BaTiO3 alone; half of it richer and half poorer by 5 % leaves a phase of either side."""
    recipe = Recipe.from_file(folder / "one.yaml")
    prepared = prepare(recipe.with_options(programme=[{"temperature_K": 1200, "hold_h": 1}]))
    like = evolution()
    found = run._equilibria(prepared, Range(mixing=[0.05]), like)
    even, apart = found[AS_WRITTEN], found["mixing 0.05"]
    at_end = {name: apart.column(apart.moles[0], name)[-1] for name in apart.phases}
    assert even.column(even.moles[0], "BaTiO3")[-1] == pytest.approx(1.0)
    assert sum(n > 0.01 for n in at_end.values()) == 3 and 0.9 < at_end["BaTiO3"] < 0.99
