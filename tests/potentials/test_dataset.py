from dataclasses import fields

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import write

from tammann.errors import DataError
from tammann.potentials.dataset import (
    DataSet,
    Frame,
    Label,
    frame_from_atoms,
    frame_to_atoms,
    read_dataset,
    split,
    write_dataset,
)
from tammann.structures import Configuration


def random_frame(seed, symbols=("Ba", "Ti", "O", "O", "O"), **rest):
    rng = np.random.default_rng(seed)
    cell = 4.0 * np.eye(3) + 0.3 * rng.random((3, 3))
    stress = rng.normal(size=(3, 3))
    given = {
        "energy_eV": float(rng.normal(-30)),
        "forces_eV_per_A": rng.normal(size=(len(symbols), 3)),
        "stress_eV_per_A3": 0.01 * (stress + stress.T),
    }
    return Frame(Configuration(symbols, 4 * rng.random((len(symbols), 3)), cell), **{**given, **rest})


def difference(one, other):
    pairs = [
        (one.configuration.positions_A, other.configuration.positions_A),
        (one.configuration.cell_A, other.configuration.cell_A),
        (one.energy_eV, other.energy_eV),
        (one.forces_eV_per_A, other.forces_eV_per_A),
        (one.stress_eV_per_A3, other.stress_eV_per_A3),
    ]
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


@pytest.mark.parametrize("text", ["T", "1 2 3", 'a "quoted" one', "back\\slash", "", "1e5", "plain", "a=b"])
def test_files_keep_every_digit_and_every_text(tmp_path, text):
    label = Label(text, "1.0", "2026-11-27", text)
    frames = [random_frame(n, trajectory=text, config_type="melt", label=label) for n in range(3)]
    write_dataset(tmp_path / "a.extxyz", DataSet(tuple(frames)))
    for frame, read in zip(frames, read_dataset(tmp_path / "a.extxyz"), strict=True):
        assert difference(frame, read) < 1e-12
        assert read.configuration.symbols == frame.configuration.symbols
        assert (read.config_type, read.trajectory) == ("melt", text)
        assert all(getattr(read.label, f.name) == getattr(label, f.name) for f in fields(Label))


def test_frames_without_labels_come_back_without(tmp_path):
    bare = Frame(random_frame(0).configuration)
    write_dataset(tmp_path / "a.xyz", [bare])
    read = read_dataset(tmp_path / "a.xyz")[0]
    assert read.energy_eV is read.forces_eV_per_A is read.stress_eV_per_A3 is read.label is None


def test_ase_and_back():
    frame = random_frame(1, label=Label("m", "s"))
    atoms = frame_to_atoms(frame)
    assert np.allclose(atoms.get_stress(voigt=False), frame.stress_eV_per_A3)
    assert difference(frame_from_atoms(atoms), frame) < 1e-14


def test_constraints_change_no_force():
    atoms = frame_to_atoms(frame := random_frame(1))
    atoms.set_constraint(FixAtoms(range(len(atoms))))
    assert np.array_equal(frame_from_atoms(atoms).forces_eV_per_A, frame.forces_eV_per_A)


def test_a_virial_is_minus_the_stress_times_the_volume(tmp_path):
    frame = random_frame(2)
    atoms = frame_to_atoms(frame)
    atoms.calc = None
    atoms.info["virial"] = -frame.stress_eV_per_A3 * frame.configuration.volume_A3
    atoms.info["REF_energy"], atoms.info["energy_of_something"] = frame.energy_eV, 1.0
    atoms.arrays["REF_forces"] = frame.forces_eV_per_A
    write(tmp_path / "mace.xyz", atoms, format="extxyz")
    assert difference(read_dataset(tmp_path / "mace.xyz")[0], frame) < 1e-6  # ASE writes eight digits


def test_the_free_energy_goes_with_the_forces():
    atoms = frame_to_atoms(random_frame(3))
    atoms.calc.results |= {"energy": 1.0, "free_energy": 2.0}
    assert frame_from_atoms(atoms).energy_eV == 2.0
    assert frame_from_atoms(atoms, energy_key="energy").energy_eV == 1.0
    with pytest.raises(DataError, match="DFT_energy is missing"):
        frame_from_atoms(atoms, energy_key="DFT_energy")


def test_stress_of_ase_has_the_sign_that_is_documented():
    """An overfull cell is under pressure, so the trace of (1/V) dE/d strain is negative."""
    from ase.build import bulk
    from ase.calculators.emt import EMT

    atoms = bulk("Cu", cubic=True, a=3.4)
    atoms.calc = EMT()
    atoms.get_forces(), atoms.get_stress()
    frame = frame_from_atoms(atoms)
    step = 1e-4

    def energy(scale):
        strained = bulk("Cu", cubic=True, a=3.4 * scale)
        strained.calc = EMT()
        return strained.get_potential_energy()

    slope = (energy(1 + step) - energy(1 - step)) / (2 * step) / atoms.get_volume()
    assert np.trace(frame.stress_eV_per_A3) == pytest.approx(slope, rel=1e-4) and slope < 0


def test_vasp_files_give_the_free_energy_and_minus_the_pressure(tmp_path):
    (tmp_path / "vasprun.xml").write_text(VASPRUN)
    frame = read_dataset(tmp_path / "vasprun.xml")[0]
    assert frame.energy_eV == -8.5  # e_fr_energy
    assert frame.forces_eV_per_A[0].tolist() == [0.1, 0.0, 0.0]
    assert np.diag(frame.stress_eV_per_A3) * 1602.1766208 == pytest.approx([-10, -20, -30], rel=1e-5)  # kB
    assert frame.trajectory == frame.label.run == "vasprun.xml"


def test_traj_and_db_of_ase(tmp_path):
    from ase.db import connect

    frame = random_frame(4)
    write(tmp_path / "a.traj", [frame_to_atoms(frame)] * 2)
    with connect(tmp_path / "a.db") as table:
        table.write(frame_to_atoms(frame))
    data = read_dataset(tmp_path / "a.traj", tmp_path / "a.db")
    assert len(data) == 3 and max(difference(read, frame) for read in data) < 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy_eV": float("nan")}, "energy_eV is nan"),
        ({"energy_eV": "high"}, "energy_eV is 'high'"),
        ({"forces_eV_per_A": np.zeros((4, 3))}, r"forces_eV_per_A has shape \(4, 3\), expected \(5, 3\)"),
        ({"forces_eV_per_A": np.full((5, 3), np.inf)}, "forces_eV_per_A has a value that is not finite"),
        ({"stress_eV_per_A3": np.zeros(6)}, r"stress_eV_per_A3 has shape \(6,\)"),
    ],
)
def test_wrong_labels_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        random_frame(0, **change)


def test_wrong_files_are_refused_with_their_name_and_frame(tmp_path):
    with pytest.raises(DataError, match=r"'none.xyz': expected a file, got none"):
        read_dataset(tmp_path / "none.xyz")
    (tmp_path / "bad.xyz").write_text("this is no file of atoms\n")
    with pytest.raises(DataError, match=r"'bad.xyz' cannot be read"):
        read_dataset(tmp_path / "bad.xyz")
    molecule = Atoms("O2", [[0, 0, 0], [0, 0, 1.2]])
    molecule.calc = SinglePointCalculator(molecule, energy=-9.8)
    write(tmp_path / "mol.xyz", [frame_to_atoms(random_frame(0)), molecule], format="extxyz")
    with pytest.raises(DataError, match=r"mol.xyz, frame 2: pbc is F F F"):
        read_dataset(tmp_path / "mol.xyz")


def trajectories(n=20, length=5):
    symbols = (("Ba", "O"), ("Ti", "O", "O"), ("Ba", "Ti", "O", "O", "O"))
    return DataSet(
        tuple(random_frame(9 * n, symbols[n % 3], trajectory=f"run {n}") for n in range(n) for _ in range(length))
    )


def test_trajectories_stay_together():
    data = trajectories()
    train, test = split(data, fraction=0.2, rng=3)
    assert len(train) + len(test) == len(data) and len(test) == 20
    assert not {f.trajectory for f in train} & {f.trajectory for f in test}


def test_compositions_stay_together():
    train, test = split(trajectories(), "composition", fraction=0.3)
    assert len(test.formulas) == 1 and not set(train.formulas) & set(test.formulas)


def test_a_split_is_drawn_once_for_a_seed_whatever_the_order_of_the_frames():
    data = trajectories()
    held = {f.trajectory for f in split(data, rng=7)[1]}
    assert held == {f.trajectory for f in split(data.subset(range(len(data))[::-1]), rng=7)[1]}
    assert any({f.trajectory for f in split(data, rng=seed)[1]} != held for seed in range(5))


def test_one_trajectory_cannot_be_split():
    with pytest.raises(DataError, match="at least two of a trajectory, got 1"):
        split(trajectories(1))
    with pytest.raises(DataError, match="by: expected trajectory or composition, got 'frame'"):
        split(trajectories(), "frame")
    with pytest.raises(DataError, match="fraction: expected a number between 0 and 1"):
        split(trajectories(), fraction=1.0)


def test_summary_tells_kinds_and_compositions_apart():
    cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [0, 0, 2.5]]), 5.0 * np.eye(3))
    forces = np.array([[3.0, 4.0, 0.0], [0, 0, 0]])
    data = DataSet((Frame(cell, -10.0, forces, config_type="crystal"), Frame(cell.at_volume(130.0)), random_frame(0)))
    table = data.summary()
    row = table.loc[("crystal", "BaO")]
    assert (row.frames, row.labelled, row.atoms) == (1, 1, 2)
    assert row.largest_force_eV_per_A == 5.0 and row.lowest_energy_eV_per_atom == -5.0
    assert row.closest_Ba_O_A == 2.5 and row.closest_O_O_A == 5.0
    assert row.lowest_density_g_per_cm3 == pytest.approx((137.327 + 15.999) / 0.602214076 / 125.0, rel=1e-4)
    assert table.loc[("unknown", "BaO")].labelled == 0


VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i><i name="version" type="string">5.4.4</i></generator>
 <incar></incar>
 <kpoints><varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray></kpoints>
 <parameters></parameters>
 <atominfo><atoms>2</atoms><types>2</types>
  <array name="atoms"><set><rc><c>Ba</c><c>1</c></rc><rc><c>O</c><c>2</c></rc></set></array>
 </atominfo>
 <structure name="initialpos">
  <crystal><varray name="basis"><v>5 0 0</v><v>0 5 0</v><v>0 0 5</v></varray></crystal>
  <varray name="positions"><v>0 0 0</v><v>0.5 0 0</v></varray>
 </structure>
 <calculation>
  <scstep>
   <energy><i name="e_fr_energy">-8.5</i><i name="e_wo_entrp">-8.3</i><i name="e_0_energy">-8.4</i></energy>
  </scstep>
  <structure>
   <crystal><varray name="basis"><v>5 0 0</v><v>0 5 0</v><v>0 0 5</v></varray></crystal>
   <varray name="positions"><v>0 0 0</v><v>0.5 0 0</v></varray>
  </structure>
  <varray name="forces"><v>0.1 0 0</v><v>-0.1 0 0</v></varray>
  <varray name="stress"><v>10 0 0</v><v>0 20 0</v><v>0 0 30</v></varray>
  <energy><i name="e_fr_energy">-8.5</i><i name="e_wo_entrp">-8.3</i><i name="e_0_energy">-8.4</i></energy>
 </calculation>
</modeling>
"""


def test_results_of_another_configuration_are_refused():
    """A calculator that two configurations share holds the answer to the one that was computed last."""
    from ase.build import bulk
    from ase.calculators.emt import EMT

    first, second = bulk("Cu", cubic=True), bulk("Cu", cubic=True)
    first.calc = second.calc = EMT()
    first.get_potential_energy()
    second.rattle(0.1, seed=1)
    with pytest.raises(DataError, match="energy of another configuration"):
        frame_from_atoms(second)
    second.get_forces()
    assert frame_from_atoms(second).energy_eV == second.get_potential_energy()
