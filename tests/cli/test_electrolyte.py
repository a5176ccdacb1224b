"""tammann electrolyte: what it prints, and bad input in one sentence."""

import json

import pytest

from workflows.electrolyte.oxides import write_plan


def test_orderings_and_hull(call, tmp_path):
    plan = write_plan(tmp_path)
    done = call("electrolyte", str(plan), "--out", str(tmp_path / "out"), "--stage", "orderings", "--json")
    assert done.status == 0 and json.loads(done.out)["orderings"]["NaLiO"]["distinct"] == "6"
    words = (
        "electrolyte",
        str(plan),
        "--out",
        str(tmp_path / "out"),
        "--resume",
        "--stage",
        "energies",
        "--stage",
        "hull",
    )
    done = call(*words)
    assert done.status == 0 and "above hull" in done.out and "lithia-001" in done.out
    assert (tmp_path / "out" / "electrolytes.html").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stage", "melting"), "stage: expected one of"),
        (("--stage", "dynamics"), "run the stage hull first"),
        (("--potential", "nonsense"), "nonsense"),
    ],
)
def test_bad_input_gets_one_sentence(call, tmp_path, words, said):
    done = call("electrolyte", str(write_plan(tmp_path)), "--out", str(tmp_path / "out"), *words)
    assert done.status == 2 and said in done.err and "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_resuming_with_another_length_of_runs_is_refused(call, tmp_path):
    words = ("electrolyte", str(write_plan(tmp_path)), "--out", str(tmp_path / "out"), "--stage", "orderings")
    assert call(*words).status == 0
    write_plan(tmp_path, dynamics="{hot_ps: 2.2, hot_drop_ps: 0.2, cold_ps: 1.2, cold_drop_ps: 0.2, frame_fs: 20}")
    done = call(*words, "--resume")
    assert done.status == 2 and "dynamics.hot_ps 1.2, not 2.2" in done.err


def test_no_plan(call, tmp_path):
    done = call("electrolyte", str(tmp_path / "none.yaml"))
    assert done.status == 2 and "none.yaml" in done.err and len(done.err.strip().splitlines()) == 1
