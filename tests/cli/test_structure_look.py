"""Looking at structures from the command line: known crystals, folders of files, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from cli.refusals import refused
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.structures.write import write_structure

SALT = Configuration(
    ("Na", "Cl"), np.array([[0, 0, 0], [2.82, 0, 0]]), 2.82 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_structure(SALT, "salt.extxyz")
    return tmp_path


def test_the_perovskite_of_the_package_is_analysed(here, call):
    """Zr in six S at 2.53 Å, octahedra joined by six corners, angles of 90 and 180 degrees, rings of four Zr."""
    words = ("--cutoff", "Zr-S=3.1", "--rings", "Zr-S", "--longest-ring", "8")
    done = call("structure", "analyse", "BaZrS3", *words, "--json", "--threads", "1")
    found = json.loads(done.out)["BaZrS3"]
    assert (
        done.status == 0
        and found["formula"] == "BaZrS3"
        and found["density_g_per_cm3"] == pytest.approx(4.386, abs=2e-3)
    )
    around, back = found["coordination"]
    assert around["fractions"] == {"6": 1.0} and around["bond_length_A"] == pytest.approx(2.533, abs=1e-3)
    assert back["centre"] == "S" and back["mean"] == 2.0
    assert found["joints"][0]["per_polyhedron"] == {"corner": 6.0, "edge": 0.0, "face": 0.0}
    assert found["angles"][0]["maxima_deg"] == [90.0, 180.0]
    assert set(found["rings"]["Zr-S"]["rings"]) == {"8"}
    assert found["first_shells"][0]["fitted_coordination"] == pytest.approx(6.0, abs=0.01)
    assert found["cutoffs_A"]["Zr-S"]["rule"] == "given"


def test_two_files_stand_side_by_side_with_tables_and_figures(here, call):
    write_structure(load_crystal("BaO"), "oxide.cif")
    done = call(
        "structure", "analyse", "salt.extxyz", "oxide.cif", "--out", "looked", "--threads", "1", "--r-max-A", "8"
    )
    assert done.status == 0 and "2.164 g/cm³" in done.out and "first minimum" in done.out
    table = pd.read_csv(here / "looked" / "salt-coordination.csv")
    assert table["coordination"].tolist() == [6, 6] and table["bond_length_A"].tolist() == [2.82, 2.82]
    for name in ("summary.json", "oxide-pair-distributions.csv", "coordination-Na-Cl.png", "angles-Cl-Na-Cl.png"):
        assert (here / "looked" / name).stat().st_size > 500, name
    # the table of g(r) is what compare reads
    again = call(
        "structure", "compare", "looked/salt-pair-distributions.csv", "salt.extxyz", "--cutoff-A", "8", "--json"
    )
    (row,) = json.loads(again.out)["comparisons"]
    assert row["r_squared"] == pytest.approx(1.0) and row["Na-Cl"] == pytest.approx(1.0)
    assert "not empty" in refused(call("structure", "analyse", "salt.extxyz", "--out", "looked"))


def test_frames_of_a_trajectory_are_averaged(here, call):
    rng = np.random.default_rng(3)
    frames = [
        Configuration(SALT.symbols, SALT.positions_A + rng.normal(0, 0.05, (2, 3)), SALT.cell_A) for _ in range(9)
    ]
    (here / "run.extxyz").write_text("".join(frame.to_extxyz() for frame in frames))
    words = ("--cutoff", "Na-Cl=3.5", "--threads", "1", "--r-max-A", "6", "--json")
    whole = json.loads(call("structure", "analyse", "run.extxyz", *words).out)["run"]
    some = json.loads(call("structure", "analyse", "run.extxyz", *words, "--frames", "3").out)["run"]
    assert (whole["frames"], some["frames"]) == (9, 3)
    # the difference of two such displacements has a variance of 2 x 0.05² along the bond
    assert whole["first_shells"][0]["variance_A2"] == pytest.approx(0.005, rel=0.8)
    head = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n" + 3 * "0 4\n"
    dump = head + "ITEM: ATOMS id type x y z\n1 1 0 0 0\n2 2 2 2 2\n"
    words = ("--types", "Cs,Cl", "--cutoff", "Cs-Cl=3.6", "--json", "--threads", "1")
    for frames in (1, 2):
        (here / "run.lammpstrj").write_text("".join(dump.replace("STEP\n0", f"STEP\n{k}") for k in range(frames)))
        found = json.loads(call("structure", "analyse", "run.lammpstrj", *words).out)["run"]
        assert found["coordination"][0]["mean"] == 8.0 and found["frames"] == frames


def test_folders_are_compared_file_by_file(here, call):
    for folder, shift in (("ab-initio", 0.0), ("model", 0.03)):
        (here / folder).mkdir()
        for name in ("one", "two"):
            moved = Configuration(SALT.symbols, SALT.positions_A * (1 + shift), SALT.cell_A * (1 + shift))
            write_structure(moved, here / folder / f"{name}.extxyz")
    done = call("structure", "compare", "ab-initio", "model", "--cutoff-A", "6")
    assert done.status == 0 and "one" in done.out and "two" in done.out and "Na-Cl" in done.out
    assert "two files" in refused(call("structure", "compare", "ab-initio", "model", "--plot", "x.png"))
    drawn = call(
        "structure", "compare", "ab-initio/one.extxyz", "model/one.extxyz", "--cutoff-A", "6", "--plot", "x.png"
    )
    assert drawn.status == 0 and (here / "x.png").exists()


@pytest.mark.parametrize(
    "words, message",
    [
        (("none.cif",), "none.cif"),
        (("salt.extxyz", "--cutoff", "Na-Cl=long"), "--cutoff"),
        (("salt.extxyz", "--cutoff", "Na-Cl=0"), "above 0 Å"),
        (("salt.extxyz", "--cutoff", "Na-Cl=40"), "at most 20"),
        (("salt.extxyz", "--cutoff", "Na-Cl=1.5"), "closest contact"),
        (("salt.extxyz", "--cutoff", "Na-Xx=3"), "Xx"),
        (("salt.extxyz", "--cutoff", "Na-Cl=3", "--cutoff", "Cl-Na"), "once"),
        (("salt.extxyz", "--cutoff", "Na=3"), "two elements"),
        (("salt.extxyz", "--rings", "Na-Na"), "bonded pairs"),
        (("salt.extxyz", "--bin-A", "0"), "bin_A"),
        (("salt.extxyz", "salt.extxyz"), "twice"),
        (("words.extxyz",), "words.extxyz"),
        (("strange.extxyz",), "expected elements"),
        (("bare.xyz",), "bare.xyz"),
    ],
)
def test_wrong_words_are_refused(here, call, words, message):
    (here / "words.extxyz").write_text("no structure\n")
    (here / "strange.extxyz").write_text('1\nLattice="4 0 0 0 4 0 0 0 4"\nX 0 0 0\n')
    (here / "bare.xyz").write_text("1\n\nNa 0 0 0\n")
    assert message in refused(call("structure", "analyse", *words))


def test_structures_without_common_elements_are_not_compared(here, call):
    write_structure(load_crystal("BaO"), "oxide.extxyz")
    assert "same elements" in refused(call("structure", "compare", "salt.extxyz", "oxide.extxyz"))
    assert "none.csv" in refused(call("structure", "compare", "salt.extxyz", "none.csv"))
