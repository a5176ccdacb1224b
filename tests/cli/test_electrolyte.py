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


def test_no_plan(call, tmp_path):
    done = call("electrolyte", str(tmp_path / "none.yaml"))
    assert done.status == 2 and "none.yaml" in done.err and len(done.err.strip().splitlines()) == 1
