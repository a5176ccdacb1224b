import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.calculators import calculator_of
from tammann.potentials.dataset import Frame
from tammann.potentials.labellers import PotentialLabeller
from tammann.potentials.labelling import label_frames
from tammann.potentials.load import load_potential
from tammann.structures import Configuration

MGO = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.2, 2.0, 2.1]]), 4.2 * np.eye(3))


def test_a_potential_labels_as_its_calculator_does(tmp_path):
    found = label_frames([Frame(MGO)], "pedone-2006", tmp_path / "out")
    atoms = MGO.to_ase()
    atoms.calc = calculator_of(load_potential("pedone-2006"))
    frame = found.dataset[0]
    assert frame.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
    assert frame.forces_eV_per_A == pytest.approx(atoms.get_forces(), abs=1e-10)
    assert frame.stress_eV_per_A3 == pytest.approx(atoms.get_stress(voigt=False), abs=1e-10)
    assert frame.label.method == "pedone-2006" and "Pedone" in frame.label.source


def test_a_calculator_by_import_path_names_its_package():
    label = PotentialLabeller("ase.calculators.emt:EMT").open(["Cu"])
    copper = Configuration(("Cu",), np.zeros((1, 3)), 2.55 * np.ones((3, 3)) - 2.55 * np.eye(3))
    answer = label(copper)
    assert "ase 3." in answer.source and np.asarray(answer.stress_eV_per_A3).shape == (3, 3)


def test_rigid_ions_by_import_path_with_any_composition():
    label = PotentialLabeller("tammann.potentials:pedone_2006").open(["Mg", "O", "Ba", "Ti"])
    assert np.isfinite(label(MGO).energy_eV)


def test_potentials_that_do_not_know_an_element_are_refused():
    with pytest.raises(DataError, match="no parameters for Xe"):
        PotentialLabeller("pedone-2006").open(["Xe", "O"])
    with pytest.raises(DataError, match="cannot import nowhere"):
        PotentialLabeller("nowhere:thing").open(["O"])


@pytest.mark.slow
def test_chgnet_labels():
    pytest.importorskip("chgnet")
    answer = PotentialLabeller("chgnet").open(["Mg", "O"])(MGO)
    assert "chgnet 0." in answer.source and answer.forces_eV_per_A.shape == (2, 3)
    assert answer.forces_eV_per_A.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-3)
