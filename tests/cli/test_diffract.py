"""Powder patterns from the command line: known peaks, measurements, sizes, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from cli.refusals import refused
from tammann.structures import Configuration
from tammann.structures.candidates import repeated
from tammann.structures.write import write_structure

FCC = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
SALT = Configuration(("Na", "Cl"), np.array([[0, 0, 0], [2.82, 0, 0]]), 2.82 * FCC)
FEW = ("--threads", "1", "--q-min", "1.5", "--q-max", "4.5", "--r-max-A", "10")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_structure(SALT, "salt.extxyz")
    return tmp_path


def ball(radius_A: float) -> Configuration:
    """A sphere of a face-centred metal."""
    copper = Configuration(("Cu",), np.zeros((1, 3)), 1.805 * FCC)
    n = int(np.ceil(2.6 * radius_A / 2.55))
    block = repeated(copper, (n, n, n))
    distances = np.linalg.norm(block.positions_A - block.positions_A.mean(axis=0), axis=1)
    return block.take(distances <= radius_A)


def test_rock_salt_has_its_reflections(here, call):
    """(111), (200) and (220) at 27.4, 31.7 and 45.5 degrees of Cu K alpha 1, the second the strongest."""
    done = call("diffract", "salt.extxyz", "--wavelength", "CuKa1", *FEW, "--json")
    found = json.loads(done.out)["salt"]
    assert done.status == 0 and found["sample"] == "box" and found["wavelength_A"] == pytest.approx(1.5406, abs=1e-4)
    angles = [peak["two_theta_deg"] for peak in found["peaks"][:2]]
    assert angles == pytest.approx([31.70, 45.45], abs=0.1)
    assert any(peak["two_theta_deg"] == pytest.approx(27.37, abs=0.1) for peak in found["peaks"])
    assert found["peaks"][0]["d_A"] == pytest.approx(2.82, abs=0.01)


def test_a_file_without_a_cell_is_a_cluster(here, call):
    """Two atoms give 1 + sin(Qr)/(Qr) of what they scatter alone."""
    (here / "dimer.xyz").write_text("2\n\nAr 0 0 0\nAr 0 0 3.8\n")
    done = call("diffract", "dimer.xyz", "--radiation", "neutron", *FEW, "--json")
    found = json.loads(done.out)["dimer"]
    q, y = np.array(found["q_per_A"]), np.array(found["intensity_per_atom"])
    assert found["sample"] == "cluster"
    np.testing.assert_allclose(y / (1 + np.sin(3.8 * q) / (3.8 * q)), 1.909**2, rtol=1e-4)
    assert "a cluster in vacuum" in call("diffract", "dimer.xyz", *FEW).out
    assert "a periodic box" in call("diffract", "dimer.xyz", "--sample", "box", *FEW).out


def test_frames_of_a_trajectory_are_averaged_or_chosen(here, call):
    frames = [Configuration(SALT.symbols, SALT.positions_A * k, SALT.cell_A * k) for k in (1.0, 1.02, 1.04)]
    (here / "run.extxyz").write_text("".join(frame.to_extxyz() for frame in frames))
    done = call("diffract", "run.extxyz", *FEW)
    assert "2 atoms, mean of 3 frames," in done.out

    def curve(*words):
        found = json.loads(call("diffract", *words, *FEW, "--json").out)
        (one,) = found.values()
        return one["frames"], np.array(one["intensity_per_atom"])

    alone = [curve("run.extxyz", "--frame", str(k)) for k in (0, 1, -1)]
    assert [n for n, _ in alone] == [1, 1, 1]
    n, mean = curve("run.extxyz")
    assert n == 3
    np.testing.assert_allclose(mean, np.mean([y for _, y in alone], axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(alone[0][1], curve("salt.extxyz")[1], rtol=1e-3, atol=1e-3 * mean.max())
    assert curve("run.extxyz", "--frames", "2")[0] == 2
    assert "from 0 to 2" in refused(call("diffract", "run.extxyz", "--frame", "3", *FEW))
    dump = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n" + 3 * "0 4\n"
    (here / "run.lammpstrj").write_text(dump + "ITEM: ATOMS id type x y z\n1 1 0 0 0\n2 2 2 2 2\n")
    assert "--types" in refused(call("diffract", "run.lammpstrj", *FEW))
    assert curve("run.lammpstrj", "--types", "Cs,Cl")[1].max() > 1000.0


def test_its_own_pattern_is_fitted_and_another_is_not(here, call):
    made = call("diffract", "salt.extxyz", "--wavelength", "CuKa1", *FEW, "--out", "made")
    assert made.status == 0
    for name in ("salt-G.csv", "patterns.png", "G.png", "salt-partials.png", "summary.json"):
        assert (here / "made" / name).stat().st_size > 200, name
    table = pd.read_csv(here / "made" / "salt-pattern.csv")
    (here / "film.xy").write_text(
        "".join(f"{x:.4f} {3 * y + 40:.3f}\n" for x, y in zip(table.two_theta_deg, table.counts, strict=True))
    )
    measured = ("--measured", "film.xy", "--wavelength", "CuKa1", "--background", "0")
    good = json.loads(call("diffract", "salt.extxyz", *measured, *FEW, "--json").out)["salt"]["measured"]
    assert good["r_w"] < 1e-3 and good["scale"] == pytest.approx(3.0, rel=1e-3)
    hot = json.loads(call("diffract", "salt.extxyz", *measured, *FEW, "--b-iso-A2", "4", "--json").out)["salt"]
    assert hot["measured"]["r_w"] > 0.05
    (here / "own.gr").write_text((here / "made" / "salt-G.csv").read_text().replace("r_A,G_per_A2", "# r G"))
    same = call("diffract", "salt.extxyz", "--wavelength", "CuKa1", *FEW, "--measured", "own.gr", "--out", "again")
    assert (
        same.status == 0 and "against the measurement in r" in same.out and (here / "again/salt-measured.png").exists()
    )


def test_sizes_of_spheres_are_those_they_have(here, call):
    """Scherrer within 10 % for spheres of 30 and 45 Å."""
    for diameter in (30.0, 45.0):
        write_structure(ball(diameter / 2), "ball.extxyz")
        words = ("--sample", "cluster", "--sizes", "--near", "3.01", "--threads", "1", "--q-min", "2", "--q-max", "4")
        found = json.loads(call("diffract", "ball.extxyz", *words, "--json").out)["ball"]
        (size,) = found["sizes"]
        assert size["scherrer_A"] == pytest.approx(diameter, rel=0.1)
        assert found["williamson_hall"] is None


def test_a_crystal_without_end_has_no_size(here, call):
    done = call("diffract", "salt.extxyz", *FEW, "--sizes")
    assert done.status == 0 and "no Williamson-Hall line" in done.out and "Scherrer" in done.out


@pytest.mark.parametrize(
    "words, message",
    [
        (("none.cif",), "none.cif"),
        (("salt.extxyz", "--wavelength", "UuKa1"), "UuKa1"),
        (("salt.extxyz", "--wavelength", "-1"), "above 0"),
        (("salt.extxyz", "--q-min", "5", "--q-max", "2"), "q_min_per_A"),
        (("salt.extxyz", "--q-step", "0.1"), "q_step_per_A"),
        (("salt.extxyz", "--fwhm", "-0.1"), "widths"),
        (("salt.extxyz", "--eta", "3"), "eta"),
        (("salt.extxyz", "--b-iso-A2", "Ba=1"), "Ba"),
        (("salt.extxyz", "--b-iso-A2", "hot"), "--b-iso-A2"),
        (("salt.extxyz", "--b-iso-A2", "1000"), "between 0 and 100"),
        (("salt.extxyz", "--measured", "words.xy"), "words.xy"),
        (("salt.extxyz", "--measured", "none.xy"), "none.xy"),
        (("salt.extxyz", "--measured", "far.xy"), "measured points"),
        (("salt.extxyz", "--measured", "far.xy", "--measured-axis", "two-theta"), "--wavelength"),
        (("salt.extxyz", "--near", "3"), "--sizes"),
        (("salt.extxyz", "--radiation", "electron"), "electron"),
        (("strange.extxyz",), "strange.extxyz"),
        (("salt.extxyz", "salt.extxyz"), "twice"),
    ],
)
def test_wrong_words_are_refused(here, call, words, message):
    (here / "words.xy").write_text("this is no pattern\nnor is this\n")
    (here / "far.xy").write_text("100 1\n101 2\n102 3\n")
    (here / "strange.extxyz").write_text('1\nLattice="4 0 0 0 4 0 0 0 4"\nX 0 0 0\n')
    assert message in refused(call("diffract", *words, "--threads", "1"))
