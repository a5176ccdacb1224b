"""Commands that build and relax grains."""

import json

import pytest

PLAN = """crystal: copper.extxyz
potential: ase.calculators.emt:EMT
boundaries: [{sigma: 5}]
thickness_A: 5.0
translations: [1, 1]
steps: 20
"""


@pytest.fixture
def copper(tmp_path, monkeypatch):
    from ase.build import bulk

    monkeypatch.chdir(tmp_path)
    bulk("Cu", cubic=True).write("copper.extxyz")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_a_boundary_is_relaxed_and_its_energy_told(copper, call):
    done = call("structure", "boundary", "plan.yaml")
    assert (done.status, done.err) == (0, "") and "sigma 5 about 0 0 1" in done.out and "36.87" in done.out
    assert (copper / "plan-boundaries" / "sigma-5-about-0-0-1" / "boundary.extxyz").exists()
    refused = call("structure", "boundary", "plan.yaml")
    assert refused.status == 2 and "--resume" in refused.err
    again = call("structure", "boundary", "plan.yaml", "--resume", "--json")
    (row,) = json.loads(again.out)["boundaries"]
    assert row["energy_J_per_m2"] > 0.3 and row["kind"] == "symmetric tilt"


@pytest.mark.parametrize("ending", ["extxyz", "data", "cif"])
def test_a_polycrystal_is_written_with_its_labels(copper, call, ending):
    words = ("copper.extxyz", "--grains", "3", "--box-A", "25", "--seed", "2", "--out", f"grains.{ending}")
    done = call("structure", "polycrystal", *words)
    assert (done.status, done.err) == (0, "") and "3 grains" in done.out and "unrelaxed" in done.out
    text = (copper / f"grains.{ending}").read_text()
    assert "boundary_distance_A" in text
    told = json.loads(call("structure", "polycrystal", *words, "--json").out)
    assert len(told["volumes_A3"]) == 3 and 900 < told["atoms"] < 1400
    assert (copper / f"grains.{ending}").read_text() == text  # one seed, one structure
    other = call("structure", "polycrystal", *words[:6], "3", *words[7:], "--json")
    assert json.loads(other.out)["seeds_A"] != told["seeds_A"]


def test_coincidences_are_listed_with_their_strain(copper, call):
    done = call("structure", "coincidences", "copper.extxyz", "--axis", "001", "--largest-sigma", "13")
    assert (done.status, done.err) == (0, "")
    assert "36.87" in done.out and "22.62" in done.out and "symmetric tilt" in done.out
    words = ("BaZrS3", "--axis", "0,0,1", "--largest-strain", "0.006", "--largest-sigma", "31", "--json")
    rows = json.loads(call("structure", "coincidences", *words).out)["coincidences"]
    # those of the published boundaries of BaZrS3
    assert {25, 31} <= {row["sigma"] for row in rows} and all(0 < row["strain"] <= 0.006 for row in rows)
    none = call("structure", "coincidences", "copper.extxyz", "--axis", "001", "--largest-sigma", "3")
    assert none.status == 0 and "No coincidence" in none.out


@pytest.mark.parametrize(
    "words, message",
    [
        (("boundary", "none.yaml"), "expected a file to read"),
        (("boundary", "plan.yaml", "--engine", "gromacs"), "engine: expected lammps, ase or torch-sim"),
        (("polycrystal", "Kryptonite", "--grains", "2", "--box-A", "20", "--out", "a.cif"), "crystal: expected one of"),
        (("polycrystal", "BaZrS3", "--grains", "0", "--box-A", "20", "--out", "a.cif"), "grains: expected"),
        (("polycrystal", "BaZrS3", "--grains", "2", "--box-A", "-1", "--out", "a.cif"), "edges_A: expected"),
        (("polycrystal", "BaZrS3", "--grains", "2", "--box-A", "20", "--out", "a.pdb"), "expected a name that ends in"),
        (("coincidences", "copper.extxyz", "--axis", "01"), "expected three integers"),
        (("coincidences", "copper.extxyz", "--axis", "002"), "without a common factor"),
        (("coincidences", "copper.extxyz", "--axis", "001", "--largest-sigma", "0"), "largest_sigma: expected"),
    ],
)
def test_wrong_words_are_refused(copper, call, words, message):
    refused = call("structure", *words)
    assert refused.status == 2 and message in refused.err and refused.err.count("\n") == 1
