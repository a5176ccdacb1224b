"""Files of observations with the furnace."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tammann.errors import RecipeError
from tammann.workflows.furnace import run_recipe
from tammann.workflows.validation import Observations, run, validate
from workflows.validation.made import SHIPPED, file_of, judged


def test_without_transport_there_is_one_kinetics(folder):
    outcome = judged(folder, file_of("major: BaTiO3", recipe="none.yaml"))
    row = outcome.table().iloc[0]
    assert (row["full"], row["self-diffusion"]) == ("-", "-") and row["thermodynamics"] in ("yes", "no")
    assert outcome.models == ("none", "null", "equilibrium")
    assert [s["model"] for s in outcome.to_dict()["skill"]] == ["none", "none"]


def test_a_small_run_from_the_command_line(folder, call):
    path = folder / "seen.yaml"
    path.write_text(file_of("major: BaTiO3", "absent: BaTiO3\nwhen:\n  temperature_K: 400"), encoding="utf-8")
    done = call("validate", path, "--threads", 1)
    assert done.status == 0 and not done.err
    for word in ("full", "self-diffusion", "thermodynamics", "null", "equilibrium", "skill", "number 0"):
        assert word in done.out
    machine = call("validate", path, "--threads", 1, "--json")
    answer = json.loads(machine.out)
    assert [o["observation"] for o in answer["observations"]] == ["number 0", "number 1"]
    assert set(answer["observations"][0]["holds"]) == {"full", "self", "none", "null", "equilibrium"}
    assert len(answer["skill"]) == 6
    path.write_text("experiments: 3\n", encoding="utf-8")
    refused = call("validate", path)
    assert refused.status == 2 and refused.err.count("\n") == 1 and "experiments" in refused.err


def test_each_model_is_run_in_its_own_kinetics(folder, monkeypatch):
    runs = []

    def spy(known: Any, *, null: bool, **options: Any) -> Any:
        runs.append((known.recipe.kinetics.transport, known.rates.metadata["options"]["transport"], null))
        return run_recipe(known, null=null, **options)

    monkeypatch.setattr(run, "run_recipe", spy)
    judged(folder, file_of("major: BaTiO3"))
    assert runs == [("full", "full", True), ("self", "self", False), ("none", "none", False)]


def test_an_executor_changes_nothing_and_progress_comes_to_an_end(folder):
    text = file_of("major: BaTiO3", "main_impurity: Ba2TiO4", top="realizations: 2")
    read = Observations.from_text(text, directory=folder)
    told: list[float] = []
    serial = validate(read, threads=1, progress=lambda done, *_: told.append(done))
    with ThreadPoolExecutor(1) as pool:
        carried = validate(read, executor=pool)
    assert serial.to_dict() == carried.to_dict()
    assert told == sorted(told) and 0 <= told[0] and told[-1] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_hold_together(path):
    outcome = validate(path, realizations=1, size=10)
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
