"""Frames of thermal motion: how many, when, under which strain, and that they become a labelled set."""

import numpy as np
import pytest
from ase.build import bulk

from tammann.errors import DataError
from tammann.md.ensemble_frames import sample_ensemble
from tammann.md.load import load_engine
from tammann.potentials import imported_potential
from tammann.potentials.labelling import label_frames
from tammann.structures import Configuration

EMT, ASE = imported_potential("ase.calculators.emt:EMT"), load_engine("ase")
CUBE = {"Cu": Configuration.from_ase(bulk("Cu", cubic=True))}


def sample(folder, **options):
    known = {"temperature_K": 500.0, "frames": 4, "duration_ps": 0.5, "equilibration_ps": 0.1, "timestep_fs": 2.0}
    return sample_ensemble(options.pop("structures", CUBE), EMT, ASE, folder, **known | options)


def test_frames_strains_and_labels(tmp_path):
    data = sample(tmp_path / "md", runs=2, strain_limit=0.03)
    assert len(data) == 8
    assert [frame.trajectory for frame in data] == ["Cu-1"] * 4 + ["Cu-2"] * 4
    cells = [frame.configuration.cell_A for frame in data]
    assert all((cell == cells[0]).all() for cell in cells[:4])
    assert (cells[0] != cells[4]).any()
    for cell in cells:
        strain = np.linalg.inv(CUBE["Cu"].cell_A) @ cell - np.eye(3)
        assert 0.0 < np.abs(strain).max() <= 0.03 + 1e-6
    times = [float(frame.label.run.split(", ")[2].removesuffix(" ps")) for frame in data.subset(range(4))]
    assert times == [0.12, 0.24, 0.38, 0.5]
    labelled = label_frames(data, "ase.calculators.emt:EMT", tmp_path / "labels").dataset
    assert all(frame.energy_eV is not None and frame.stress_eV_per_A3 is not None for frame in labelled)
    assert labelled[0].label.run == data[0].label.run
    assert (tmp_path / "labels" / "labelled.extxyz").exists()


def test_finished_runs_are_read_and_seeds_tell_runs_apart(tmp_path):
    one = sample(tmp_path / "a")
    again = sample(tmp_path / "a")
    other = sample(tmp_path / "b", seed=1)
    assert (one[3].configuration.positions_A == again[3].configuration.positions_A).all()
    assert (one[3].configuration.positions_A != other[3].configuration.positions_A).any()


def test_no_strain_and_one_frame(tmp_path):
    (frame,) = sample(tmp_path, strain_limit=0.0, frames=1)
    assert frame.configuration.cell_A == pytest.approx(CUBE["Cu"].cell_A, abs=1e-6)
    assert "0.500 ps" in frame.label.run


def test_what_is_refused(tmp_path):
    with pytest.raises(DataError, match="frames: expected at most 20 after equilibration, 20 fs apart, got 30"):
        sample(tmp_path, frames=30)
    with pytest.raises(DataError, match="expected one or more of each and less than 0.5 ps"):
        sample(tmp_path, equilibration_ps=0.5)
    with pytest.raises(DataError, match="expected one or more"):
        sample(tmp_path, structures={})
