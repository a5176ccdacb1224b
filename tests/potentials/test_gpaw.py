import stat
import sys

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.dataset import Frame
from tammann.potentials.gpaw import GpawLabeller, GpawSettings, find_gpaw, gpaw_versions, run_gpaw
from tammann.potentials.labelling import label_frames
from tammann.structures import Configuration

MGO = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.2, 2.1, 2.1]]), 2.1 * (np.ones((3, 3)) - np.eye(3)))


def stand_in(folder, answer, status=0):
    """An interpreter that answers as the program does."""
    script = folder / "python"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "if len(sys.argv) == 2:\n    print(json.dumps({'gpaw': '1.0', 'ase': '2.0'}))\n    sys.exit()\n"
        "task = json.load(open(sys.argv[2]))\n"
        "assert task['settings']['xc'] == 'PBE' and len(task['positions_A']) == len(task['symbols'])\n"
        f"answer = {answer!r}\n"
        "if answer: json.dump(answer, open(sys.argv[3], 'w'))\n"
        f"else: print('out of memory', file=sys.stderr)\nsys.exit({status})\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


def answered(**changes):
    versions = {"gpaw": "1.0", "ase": "2.0", "setups": "O abc"}
    labels = {"free_energy_eV": -1.5, "energy_at_zero_smearing_eV": -1.4, "forces_eV_per_A": [[0.0] * 3] * 2}
    return {**labels, "stress_eV_per_A3": [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]], "versions": versions, **changes}


def test_the_label_is_the_free_energy_with_its_provenance(tmp_path):
    settings = GpawSettings(python=stand_in(tmp_path, answered()), cutoff_eV=350.0, kpoints=(2, 2, 1))
    found = label_frames([Frame(MGO, trajectory="run 1")], GpawLabeller(settings), tmp_path / "out")
    frame = found.dataset[0]
    assert frame.energy_eV == -1.5 and frame.stress_eV_per_A3[0, 0] == 0.1
    assert frame.label.method == "gpaw PBE pw 350 k 2x2x1"
    assert (frame.label.source, frame.label.run) == ("GPAW 1.0, ASE 2.0, setups O abc", "run 1")


def test_failures_of_gpaw_are_recorded(tmp_path):
    python = stand_in(tmp_path, {"failure": "KohnShamConvergenceError: Did not converge!"})
    found = label_frames([Frame(MGO)], GpawLabeller(GpawSettings(python=python)), tmp_path / "out")
    assert found.failures[0].reason == "GPAW failed: KohnShamConvergenceError: Did not converge!"
    with pytest.raises(DataError, match=r"GPAW ended with exit code 3 \(out of memory\)"):
        run_gpaw(MGO, GpawSettings(), stand_in(tmp_path, None, status=3))


def test_another_interpreter_does_not_change_what_is_resumed(tmp_path):
    first, second = GpawSettings(), GpawSettings(python="/elsewhere/python3")
    assert GpawLabeller(first).describe() == GpawLabeller(second).describe()
    assert GpawLabeller(first).describe() != GpawLabeller(GpawSettings(cutoff_eV=500.0)).describe()


def test_an_interpreter_without_gpaw_is_refused(tmp_path):
    assert gpaw_versions(str(tmp_path / "nothing")) == {}
    with pytest.raises(DataError, match="python: expected an interpreter with GPAW, got none in .*nothing"):
        find_gpaw(str(tmp_path / "nothing"))


def real_gpaw():
    try:
        return find_gpaw()
    except DataError:
        pytest.skip("GPAW is not installed")


@pytest.mark.slow
def test_forces_are_the_gradient_of_the_energy_and_newton_holds():
    python, settings = real_gpaw(), GpawSettings(cutoff_eV=300.0, energy_convergence_eV_per_electron=1e-7)
    answer = run_gpaw(MGO, settings, python)
    forces, step = np.array(answer.forces_eV_per_A), 0.02
    energies = []
    for sign in (1, -1):
        positions = MGO.positions_A.copy()
        positions[1, 0] += sign * step
        energies.append(run_gpaw(Configuration(MGO.symbols, positions, MGO.cell_A), settings, python).energy_eV)
    assert forces[1, 0] == pytest.approx(-(energies[0] - energies[1]) / (2 * step), abs=0.03)
    assert abs(forces.sum(axis=0)).max() < 0.05
    assert "GPAW " in answer.source and "setups Mg" in answer.source
