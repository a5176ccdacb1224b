"""SevenNet by name and from a checkpoint: names, refusals, invariances, forces, and known lattice energies."""

import sys

import pytest

from potentials.physics import check_forces, check_invariances, rattled_rock_salt
from tammann.errors import DataError
from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.sevennet import CHECKPOINTS, checkpoint_of, sevennet, sevennet_file


def test_names():
    assert [load_potential(name).name for name in CHECKPOINTS] == list(CHECKPOINTS)
    with pytest.raises(DataError, match="expected one of sevennet-0, .* got 'sevennet-9'"):
        sevennet("sevennet-9")


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sevenn", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[sevennet\]'.*without mace-torch"):
        sevennet().build()


def test_a_missing_checkpoint_is_one_sentence():
    with pytest.raises(DataError, match="nowhere.pth: expected a file to read"):
        sevennet_file("nowhere.pth")


@pytest.fixture(scope="module")
def installed():
    pytest.importorskip("sevenn")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_physics_of_sevennet_0(installed):
    calculator = calculator_of(prepare(load_potential("sevennet-0"), ["Mg", "O"]))
    check_invariances(calculator, rattled_rock_salt())
    check_forces(calculator, rattled_rock_salt())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["sevennet-l3i5", "sevennet-mf-0", "sevennet-mf-0-r2scan"])
def test_forces_of_the_others(installed, name):
    check_forces(calculator_of(load_potential(name)), rattled_rock_salt())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_two_heads_are_two_levels_of_theory(installed):
    """Total energies of PBE and of r2SCAN per atom of MgO differ by electronvolts."""
    atoms = rattled_rock_salt()
    energies = []
    for name in ("sevennet-mf-0", "sevennet-mf-0-r2scan"):
        atoms.calc = calculator_of(load_potential(name))
        energies.append(atoms.get_potential_energy() / len(atoms))
    assert abs(energies[0] - energies[1]) > 0.5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint_is_a_potential(installed):
    """The file of the package gives the same energies as its name; it refuses elements that it does not know."""
    file = prepare(load_potential(str(checkpoint_of("sevennet-0"))), ["Mg", "O"])
    atoms, energies = rattled_rock_salt(), []
    for potential in (file, load_potential("sevennet-0")):
        atoms.calc = calculator_of(potential)
        energies.append(atoms.get_potential_energy())
    assert energies[0] == pytest.approx(energies[1], abs=1e-6)
    with pytest.raises(DataError, match="has been trained on .*, not on Po"):
        file.check(["Po"])
