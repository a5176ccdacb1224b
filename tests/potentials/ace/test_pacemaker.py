import json
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest

from potentials.ace.test_ace_jax import labelled
from tammann.errors import DataError
from tammann.potentials.ace.pacemaker import (
    PacemakerSettings,
    _less_atoms,
    pacemaker_file,
    pacemaker_input,
    train_pacemaker,
)
from tammann.potentials.calculators import calculator_of
from tammann.potentials.dataset import DataSet, frame_to_atoms


def test_the_first_stage_climbs_a_ladder_and_the_second_goes_on():
    settings = PacemakerSettings()
    first = json.loads(pacemaker_input(["O", "Ti"], settings, stage=0, start=None))
    second = json.loads(pacemaker_input(["O", "Ti"], settings, stage=1, start="stage-1.yaml"))
    assert first["fit"]["loss"]["kappa"] == 0.99 and second["fit"]["loss"]["kappa"] == 0.90
    assert first["fit"]["ladder_type"] == "power_order" and "ladder_step" not in second["fit"]
    assert first["potential"]["elements"] == ["O", "Ti"] and second["potential"] == "stage-1.yaml"
    assert first["potential"]["embeddings"]["ALL"]["fs_parameters"] == [1, 1, 1, 0.5]


def test_frames_that_cannot_be_fitted_are_refused_in_a_sentence():
    data = labelled(2)
    energies = dict.fromkeys(data.elements, -1.0)
    assert _less_atoms(data, energies)[0].energy_eV == pytest.approx(data[0].energy_eV + data[0].n_atoms)
    with pytest.raises(DataError, match="which is in no training frame"):
        _less_atoms(data, dict(list(energies.items())[1:]))
    with pytest.raises(DataError, match="label them first"):
        _less_atoms(DataSet((data[0], replace(data[1], energy_eV=None))), energies)


def test_a_python_without_it_is_refused_in_a_sentence(tmp_path):
    if find_spec("pyace"):
        pytest.skip("python-ace is installed")
    with pytest.raises(DataError, match="pacemaker"):
        train_pacemaker(labelled(2), labelled(2, 5), tmp_path / "fit", python=sys.executable)


@pytest.mark.slow
def test_a_fit_is_a_potential_with_the_energies_of_its_atoms(tmp_path):
    pytest.importorskip("pyace")
    train = labelled(8)
    made = train_pacemaker(
        train, labelled(3, 50), tmp_path / "fit",
        PacemakerSettings(functions_per_element=30, cutoff_A=4.5, ladder_step=0, iterations=20),
    )  # fmt: skip
    atoms = frame_to_atoms(train[0])
    energy = atoms.get_potential_energy()
    atoms.calc = calculator_of(pacemaker_file(made.path))
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=0.5 * len(atoms))
