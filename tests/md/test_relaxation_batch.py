"""Batches of relaxations: energies, resumption, failures, folders of something else."""

import numpy as np
import pytest
from ase.build import bulk

from tammann.errors import DataError, ResultError
from tammann.md import relaxation_batch
from tammann.md.relaxation_batch import relax_batch
from tammann.potentials import imported_potential
from tammann.potentials.dataset import read_dataset
from tammann.structures import Configuration

EMT = imported_potential("ase.calculators.emt:EMT")


def alloy(symbols, a=3.7):
    atoms = bulk("Cu", cubic=True, a=a)
    atoms.symbols[:] = symbols
    return Configuration.from_ase(atoms)


STARTS = {"Cu3Au": alloy("AuCu3"), "CuAu": alloy("Au2Cu2"), "Cu": alloy("Cu4")}


def test_energies_in_the_order_given(tmp_path):
    batch = relax_batch(STARTS, EMT, tmp_path, force_eV_per_A=0.005)
    assert repr(batch) == "RelaxationBatch(3 relaxed, 0 not, 0 failed)"
    assert batch.names == ("Cu3Au", "CuAu", "Cu")
    assert batch.energies_eV()[2] == pytest.approx(-0.007 * 4, abs=0.01)
    assert (4 * batch.frames["Cu"].configuration.volume_A3 / 4) ** (1 / 3) == pytest.approx(3.59, abs=0.01)
    frame = read_dataset(tmp_path / "CuAu.extxyz")[0]
    assert abs(frame.forces_eV_per_A).max() < 0.005
    assert abs(frame.stress_eV_per_A3).max() < 1e-3
    assert frame.label.method == EMT.name
    assert frame.label.run.startswith("CuAu, relaxed from sha256 ")
    assert len(batch.dataset) == 3


def test_an_interrupted_batch_goes_on(tmp_path, monkeypatch):
    one = dict(list(STARTS.items())[:1])
    first = relax_batch(one, EMT, tmp_path)
    stamp = (tmp_path / "Cu3Au.extxyz").read_bytes()
    calls = []
    whole = relaxation_batch.relax_crystal
    monkeypatch.setattr(relaxation_batch, "relax_crystal", lambda *a, **k: (calls.append(1), whole(*a, **k))[1])
    told = []
    again = relax_batch(STARTS, EMT, tmp_path, progress=lambda done, what, T: told.append(done))
    assert len(calls) == 2
    assert (tmp_path / "Cu3Au.extxyz").read_bytes() == stamp
    assert again.energies_eV()[0] == first.energies_eV()[0]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(relax_batch(STARTS, EMT, tmp_path).frames) == 3
    assert len(calls) == 2


def test_positions_alone_and_steps_that_run_out(tmp_path):
    fixed = relax_batch({"CuAu": STARTS["CuAu"]}, EMT, tmp_path / "fixed", cell=False, rattle_A=0.1)
    assert (fixed.frames["CuAu"].configuration.cell_A == STARTS["CuAu"].cell_A).all()
    assert fixed.frames["CuAu"].config_type == "relaxed"
    short = relax_batch({"CuAu": STARTS["CuAu"]}, EMT, tmp_path / "short", rattle_A=0.3, steps=1)
    assert short.frames["CuAu"].config_type == "not relaxed"


def test_rattled_alike_at_each_call(tmp_path):
    a, b = (relax_batch({"x": STARTS["CuAu"]}, EMT, tmp_path / name, rattle_A=0.1, steps=1) for name in "ab")
    assert (a.frames["x"].configuration.positions_A == b.frames["x"].configuration.positions_A).all()


def test_a_failure_is_told_and_the_others_go_on(tmp_path):
    batch = relax_batch({"odd": alloy("Li4"), **STARTS}, EMT, tmp_path)
    assert list(batch.failures) == ["odd"]
    assert "does the potential know its elements" in batch.failures["odd"]
    assert np.isnan(batch.energies_eV()[0])
    assert np.isfinite(batch.energies_eV()[1:]).all()
    assert relax_batch({"odd": alloy("Li4")}, EMT, tmp_path).failures == batch.failures


def test_what_is_refused(tmp_path):
    relax_batch({"Cu": STARTS["Cu"]}, EMT, tmp_path / "there")
    with pytest.raises(ResultError, match="relaxed with steps 500, not 20"):
        relax_batch({"Cu": STARTS["Cu"]}, EMT, tmp_path / "there", steps=20)
    with pytest.raises(ResultError, match="another structure of the name 'Cu'"):
        relax_batch({"Cu": STARTS["CuAu"]}, EMT, tmp_path / "there")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("Dear")
    with pytest.raises(ResultError, match="no relaxations to resume"):
        relax_batch({"Cu": STARTS["Cu"]}, EMT, tmp_path / "other")
    with pytest.raises(DataError, match="a name that a file can have"):
        relax_batch({"a/b": STARTS["Cu"]}, EMT, tmp_path / "new")
    with pytest.raises(DataError, match="expected one or more"):
        relax_batch({}, EMT, tmp_path / "new")


def test_a_potential_that_cannot_be_made_fails_no_structure(tmp_path):
    """A missing package is told at once, and once it is there the same folder goes on."""
    missing = imported_potential("no_such_package:Calculator")
    with pytest.raises(DataError, match="no_such_package"):
        relax_batch({"copper": alloy("Cu4")}, missing, tmp_path)
    assert not list(tmp_path.glob("*.failed.txt"))
