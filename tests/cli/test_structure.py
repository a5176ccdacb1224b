"""The commands of disordered structures."""

import json

import pytest

WORDS = ("--potential", "ase.calculators.emt:EMT", "--engine", "ase", "--rate", "20000", "--atoms", "32")
PLAN = "start: copper.extxyz\nhold_K: 2000\nmelt_ps: 0.1\nhold_ps: 0.1\nfinal_ps: 0.1\nfinal_K: 500\n"


@pytest.fixture
def copper(tmp_path, monkeypatch):
    from ase.build import bulk

    monkeypatch.chdir(tmp_path)
    bulk("Cu", cubic=True).write("copper.extxyz")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


@pytest.mark.slow
def test_a_quench_leaves_its_glass_and_tells_its_density(copper, call):
    done = call("structure", "quench", "plan.yaml", *WORDS)
    assert (done.status, done.err) == (0, "") and "20000" in done.out and "plan-quench" in done.out
    assert (copper / "plan-quench" / "20000-K-per-ps" / "seed-1" / "glass.extxyz").exists()
    again = call("structure", "quench", "plan.yaml", *WORDS, "--resume", "--json")
    (row,) = json.loads(again.out)["quenches"]
    assert row["atoms"] == 32 and 5 < row["density_g_per_cm3"] < 10
    refused = call("structure", "quench", "plan.yaml", *WORDS)
    assert refused.status == 2 and "--resume" in refused.err


@pytest.mark.parametrize(
    "words, message",
    [
        (("Xx2O", *WORDS), "Xx"),
        (("none.yaml",), "expected a file to read"),
        (("BaO", "--rate", "0"), "rates_K_per_ps"),
        (("BaO", "--engine", "gromacs"), "engine: expected lammps, ase or torch-sim"),
    ],
)
def test_wrong_words_are_refused(copper, call, words, message):
    refused = call("structure", "quench", *words)
    assert refused.status == 2 and message in refused.err and refused.err.count("\n") == 1
