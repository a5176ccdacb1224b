"""R² of pair distributions: known values, other bins, files and folders."""

from dataclasses import replace

import numpy as np
import pytest

from characterization.crystals import perovskite, rock_salt
from tammann.characterization import (
    compare_distributions,
    compare_files,
    compare_folders,
    load_distribution,
    pair_distribution,
    r_squared,
    save_distribution,
)
from tammann.errors import DataError
from tammann.structures import Configuration, write_structure


def warm(seed, sigma=0.15, repeats=2):
    salt = rock_salt(repeats)
    x = salt.positions_A + np.random.default_rng(seed).normal(scale=sigma, size=salt.positions_A.shape)
    return Configuration(salt.symbols, x, salt.cell_A)


def test_known_values():
    one = pair_distribution([warm(k) for k in range(4)], cutoff_A=6.0, bin_A=0.1)
    assert r_squared(one, one) == 1.0
    mean = replace(one, partial=np.full_like(one.partial, one.partial[np.triu_indices(2)].mean()))
    assert r_squared(one, mean) == pytest.approx(0.0, abs=1e-12)
    off = replace(one, partial=one.partial + 0.1)
    spread = one.partial[np.triu_indices(2)].var()
    assert r_squared(one, off) == pytest.approx(1.0 - 0.01 / spread)
    assert r_squared(mean, mean) == 1.0 and r_squared(mean, one) == -np.inf


def test_the_better_model_has_the_larger_value():
    reference = pair_distribution([warm(k) for k in range(9)], cutoff_A=6.0, bin_A=0.1)
    values = [
        r_squared(reference, pair_distribution([warm(9 + k, sigma) for k in range(9)], cutoff_A=6.0, bin_A=0.1))
        for sigma in (0.15, 0.2, 0.3)
    ]
    assert 1.0 > values[0] > values[1] > values[2] and values[0] > 0.95


def test_other_bins_other_lengths_and_another_order_of_elements():
    """The finer one is averaged over the wider bins, which is exact where one is a multiple of the other."""
    frame = warm(1)
    coarse = pair_distribution(frame, cutoff_A=5.0, bin_A=0.2)
    fine = pair_distribution(frame, cutoff_A=5.5, bin_A=0.05)
    found = compare_distributions(coarse, fine)
    assert found.r_squared == pytest.approx(1.0, abs=1e-9) and found.bin_A == 0.2 and found.cutoff_A == 5.0
    turned = Configuration(frame.symbols[::-1], frame.positions_A[::-1], frame.cell_A)
    other = pair_distribution(turned, cutoff_A=5.0, bin_A=0.2)
    assert other.species == coarse.species[::-1]
    assert compare_distributions(coarse, other).by_pair["Na", "Cl"] == pytest.approx(1.0)
    assert compare_distributions(coarse, fine, from_A=2.0, cutoff_A=4.0).cutoff_A == pytest.approx(4.0)


def test_what_cannot_be_compared():
    salt, oxide = (pair_distribution(c, cutoff_A=5.0) for c in (rock_salt(), perovskite()))
    with pytest.raises(DataError, match="expected pair distributions of Na, Cl, got those of Ba, Zr, O"):
        r_squared(salt, oxide)
    with pytest.raises(DataError, match="expected two bins of 0.05 Å or more between them, got 6 to 5 Å"):
        compare_distributions(salt, salt, from_A=6.0)


def test_files_of_frames_and_tables(tmp_path):
    frames = [warm(k) for k in range(3)]
    (tmp_path / "frames.extxyz").write_text("".join(frame.to_extxyz() for frame in frames))
    write_structure(frames[0], tmp_path / "one.cif")
    distribution = pair_distribution(frames, cutoff_A=5.0)
    save_distribution(distribution, tmp_path / "table.csv")
    back = load_distribution(tmp_path / "table.csv")
    np.testing.assert_allclose(back.partial, distribution.partial, rtol=1e-8)
    np.testing.assert_allclose(back.coordination, distribution.coordination, rtol=1e-8)
    assert compare_files(tmp_path / "table.csv", tmp_path / "frames.extxyz", cutoff_A=5.0).r_squared > 0.9999
    assert 0.3 < compare_files(tmp_path / "table.csv", tmp_path / "one.cif", cutoff_A=5.0, bin_A=0.1).r_squared < 0.999


def test_folders_of_pairs(tmp_path):
    for name, seeds in (("ab-initio", (1, 2)), ("model", (3, 4))):
        (tmp_path / name).mkdir()
        for k, seed in enumerate(seeds):
            (tmp_path / name / f"{k}000K.extxyz").write_text(warm(seed, 0.1 + 0.1 * k).to_extxyz())
    found = compare_folders(tmp_path / "ab-initio", tmp_path / "model", cutoff_A=5.0, bin_A=0.1)
    assert found["name"].tolist() == ["0000K", "1000K"]
    assert list(found) == ["name", "r_squared", "cutoff_A", "Na-Na", "Na-Cl", "Cl-Cl"]
    single = compare_files(
        tmp_path / "ab-initio/0000K.extxyz", tmp_path / "model/0000K.extxyz", cutoff_A=5.0, bin_A=0.1
    )
    assert found["r_squared"][0] == single.r_squared
    (tmp_path / "model/1000K.extxyz").unlink()
    with pytest.raises(DataError, match="model: expected a file named 1000K, as in ab-initio, got none"):
        compare_folders(tmp_path / "ab-initio", tmp_path / "model")
    (tmp_path / "model/1000K.csv").write_text("r_A,Na-Na\n0.1,1\n0.3,nothing\n")
    with pytest.raises(DataError, match="1000K: 1000K.csv: expected a table"):
        compare_folders(tmp_path / "ab-initio", tmp_path / "model", cutoff_A=5.0)
    with pytest.raises(DataError, match="nowhere: expected a folder"):
        compare_folders(tmp_path / "nowhere", tmp_path / "model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="got an empty folder"):
        compare_folders(tmp_path / "empty", tmp_path / "model")


@pytest.mark.parametrize(
    "text",
    ["r_A,Na-Na\n0.1,1\n0.5,1\n", "r_A,Na-Cl\n0.1,1\n0.3,1\n", "r_A,total\n0.1,1\n0.3,1\n", "Na-Na\n1\n1\n",
     "r_A,Na-Na\n0.1,1\n0.3,\n"],
)  # fmt: skip
def test_tables_that_are_none(tmp_path, text):
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(DataError, match="g.csv: expected a table with the columns r_A"):
        load_distribution(tmp_path / "g.csv")


def test_nothing_is_no_agreement():
    """Below the first contact every g(r) is 0."""
    one = pair_distribution(rock_salt(), cutoff_A=6.0)
    with pytest.raises(DataError, match="a pair of atoms between 0 and 2 Å"):
        compare_distributions(one, one, cutoff_A=2.0)


def test_folders_that_analyse_wrote_can_be_compared(tmp_path):
    from typer.testing import CliRunner

    from tammann.cli.structure import app

    runner = CliRunner()
    assert runner.invoke(app, ["analyse", "BaZrS3", "--out", str(tmp_path / "a"), "-q"]).exit_code == 0
    found = compare_folders(tmp_path / "a", tmp_path / "a")
    assert len(found) == 1
