"""Checks that every potential has to pass, and potentials that must not."""

import numpy as np
import pytest

from potentials.broken import Pairs, collapsing, copper, cut, morse, repelling, sound, swirling
from tammann.errors import DataError
from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.consistency import check_consistency, check_forces, check_smoothness, check_stress
from tammann.structures import Configuration
from tammann.structures.candidates import rattled
from tammann.structures.crystals import load_crystal


def names_of_failures(consistency):
    return [check.name for check in consistency.checks if not check.passed]


@pytest.mark.parametrize("potential", [sound, collapsing, repelling])
def test_what_is_a_smooth_function_of_distances_passes(potential):
    """Also potentials that no one wants: consistent is not the same as right."""
    found = check_consistency(potential(), copper())
    assert found.passed, found.failures
    assert found.table()["deviation"].max() < 1e-2
    exact = [check.deviation for check in found.checks if " under " in check.name]
    assert max(exact) < 1e-10


def test_forces_that_are_no_gradient_are_caught():
    found = check_consistency(swirling(), copper(), rng=3)
    assert "forces are minus the gradient" in names_of_failures(found)
    assert not any("permutation" in name or "supercell" in name for name in names_of_failures(found)[:1])
    assert "forces are minus the gradient: off by" in found.failures[0]


def test_a_cut_that_is_not_smooth_is_caught():
    """The jump found is that of the Morse energy at 5 Å times the pairs that leave together."""
    energy, force = check_smoothness(cut(), copper())
    assert not energy.passed
    jump = abs(float(morse(np.array(5.0))[0]))
    assert energy.deviation >= 0.9 * jump
    assert check_smoothness(sound(), copper())[0].deviation < 1e-5
    assert force.deviation == pytest.approx(float(morse(np.array(5.0))[1]), rel=0.6)


def test_a_steep_wall_is_no_jump():
    """Forces of a hundred eV/Å that change fast, but continuously."""
    wall = Pairs(lambda r: np.exp(-6.0 * (r - 3.0)), lambda r: -6.0 * np.exp(-6.0 * (r - 3.0)))
    energy, force = check_smoothness(wall, copper(rattle_A=0.2))
    assert energy.passed and force.passed


def test_a_wrong_stress_is_caught():
    class Doubled(Pairs):
        def calculate(self, *arguments, **keywords):
            super().calculate(*arguments, **keywords)
            self.results["stress"] = 2.0 * self.results["stress"]

    made = sound()
    assert check_stress(made, copper()).passed
    assert not check_stress(Doubled(made.u, made.slope), copper()).passed


def test_energies_that_count_the_order_of_atoms_are_caught():
    class Ordered(Pairs):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            super().calculate(atoms, properties, system_changes)
            self.results["energy"] += 0.1 * atoms.get_scaled_positions()[0, 0]

    made = sound()
    failed = names_of_failures(check_consistency(Ordered(made.u, made.slope), copper(), rng=2))
    assert {"energy under translation", "energy under permutation"} <= set(failed)


def test_the_derivative_does_not_depend_on_the_longest_step():
    for step in (0.04, 0.01):
        assert check_forces(sound(), copper(), step_A=step).deviation < 1e-6


def test_failures_of_a_calculator_are_one_sentence():
    def fail(r):
        raise RuntimeError("out of\nmemory")

    with pytest.raises(DataError, match="mine failed .RuntimeError: out of memory") as caught:
        check_forces(Pairs(fail, fail), copper(), name="mine")
    assert "\n" not in str(caught.value)


def melt_like() -> Configuration:
    """Cubic barium titanate, atoms far off their sites."""
    return rattled(load_crystal("BaTiO3-cubic"), displacement_A=0.12, rng=5)


def test_pedone_is_consistent():
    ions = load_potential("pedone-2006")
    found = check_consistency(calculator_of(ions), melt_like())
    assert found.passed, found.failures


@pytest.mark.slow
@pytest.mark.parametrize("name, package", [("chgnet", "chgnet"), ("sevennet-0", "sevenn"), ("sevennet-l3i5", "sevenn")])
def test_learned_potentials_of_packages_are_consistent(name, package):
    pytest.importorskip(package)
    start = melt_like()
    calculator = calculator_of(prepare(load_potential(name), start.symbols))
    found = check_consistency(calculator, start, name=name)
    assert found.passed, found.failures


def test_an_expansion_is_consistent(tmp_path):
    """With random coefficients: what holds does not depend on the fit."""
    from potentials.ace.expansions import cell_of_atoms, expansion

    expansion().save(tmp_path / "random.ace.npz")
    start = Configuration.from_ase(cell_of_atoms())
    potential = prepare(load_potential(str(tmp_path / "random.ace.npz")), start.symbols)
    found = check_consistency(calculator_of(potential), start)
    assert found.passed, found.failures
    assert max(check.deviation for check in found.checks if " under " in check.name) < 1e-9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mace_is_consistent(tmp_path):
    pytest.importorskip("mace")
    from dataclasses import replace

    from potentials.training_frames import toy_frames
    from tammann.potentials.mace.train import MACE_SETTINGS, MaceArchitecture, train_mace

    settings = replace(MACE_SETTINGS, max_epochs=1, batch_size=2)
    small = MaceArchitecture(channels=8, max_L=0, cutoff_A=4.5)
    train_mace(toy_frames(4), toy_frames(2, first=20), tmp_path / "a.model", settings, architecture=small)
    start = toy_frames(1, first=40)[0].configuration
    potential = prepare(load_potential(str(tmp_path / "a.model")), start.symbols)
    found = check_consistency(calculator_of(potential), start)
    assert found.passed, found.failures


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_gap_is_consistent(tmp_path):
    pytest.importorskip("quippy")
    import subprocess
    import sys
    from pathlib import Path

    from potentials.training_frames import toy_frames
    from tammann.potentials.dataset import write_dataset
    from tammann.potentials.gap import GapSettings, gap_command

    write_dataset(tmp_path / "train.xyz", toy_frames(6))
    words = gap_command("train.xyz", "a.xml", {"Ar": 0.0}, GapSettings(cutoff_A=4.0, l_max=2, n_max=3, sparse=20))
    subprocess.run([Path(sys.executable).with_name("gap_fit"), *words], cwd=tmp_path, check=True, capture_output=True)
    start = toy_frames(1, first=40)[0].configuration
    found = check_consistency(calculator_of(prepare(load_potential(str(tmp_path / "a.xml")), start.symbols)), start)
    assert found.passed, found.failures
