import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from potentials.ace.test_fit import frames
from tammann.errors import DataError
from tammann.potentials import load_potential
from tammann.potentials.ace.ace_jax import AceJaxSettings, own_errors, train_ace_jax
from tammann.potentials.calculators import calculator_of
from tammann.potentials.dataset import DataSet, frame_to_atoms


def labelled(number, seed=0):
    """Random cells with labels of rigid ions."""
    calculator = calculator_of(load_potential("pedone-2006"))
    made = []
    for frame in frames(number, seed=seed):
        atoms = frame_to_atoms(frame)
        atoms.symbols = ["Ti", "O", "O"] * 3
        atoms.calc = calculator
        configuration = replace(frame.configuration, symbols=tuple(atoms.get_chemical_symbols()))
        made.append(
            replace(
                frame, configuration=configuration, energy_eV=atoms.get_potential_energy(),
                forces_eV_per_A=atoms.get_forces(), stress_eV_per_A3=atoms.get_stress(voigt=False),
            )
        )  # fmt: skip
    return DataSet(tuple(made))


def test_a_python_without_it_is_refused_in_a_sentence(tmp_path):
    if find_spec("ace_jax"):
        pytest.skip("ace-jax is installed")
    with pytest.raises(DataError, match="ace_jax"):
        train_ace_jax(labelled(2), labelled(2, 5), tmp_path / "fit", python=sys.executable)


@pytest.mark.slow
def test_a_fit_is_a_potential_whose_forces_are_its_slopes(tmp_path):
    pytest.importorskip("ace_jax")
    made = train_ace_jax(
        labelled(12), labelled(3, 50), tmp_path / "fit", AceJaxSettings(order=2, max_degree=5, cutoff_A=4.5)
    )
    atoms = frame_to_atoms(labelled(1, 80)[0])
    atoms.calc = calculator_of(load_potential(made.path))
    forces = atoms.get_forces()
    energies = []
    for step in (1e-4, -1e-4):
        moved = atoms.copy()
        moved.positions[4, 1] += step
        moved.calc = atoms.calc
        energies.append(moved.get_potential_energy())
    assert forces[4, 1] == pytest.approx(-(energies[0] - energies[1]) / 2e-4, abs=1e-4)
    assert np.abs(forces.sum(axis=0)).max() < 1e-6


def test_its_own_errors_are_read_with_their_units(tmp_path):
    (tmp_path / "fit").mkdir()
    table = tmp_path / "fit" / "metrics.csv"
    table.write_text("rung,quantity,rmse,mae,rms_z\nmap,E,30.0,20.0,3.0\nmap,F,0.5,0.4,5.0\nmap,V,4.0,3.0,2.0\n")
    assert own_errors(tmp_path) == pytest.approx((0.030, 0.5, 3.0, 5.0))
    table.write_text("something else\n")
    with pytest.raises(DataError, match="expected the errors of ace-jax"):
        own_errors(tmp_path)
