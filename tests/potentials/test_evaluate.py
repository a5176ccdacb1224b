"""Errors on labelled frames with known answers."""

import numpy as np
import pytest

from potentials.broken import copper, sound
from tammann.errors import DataError
from tammann.potentials import imported_potential, load_potential
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.evaluate import compare_potentials, evaluate_potential
from tammann.potentials.response import respond
from tammann.structures import Configuration
from tammann.units import EV_PER_A3_IN_GPA

SOUND = imported_potential("potentials.broken:sound")


def labelled(energy_eV=0.0, force=0.0, scale=1.0, stress_GPa=0.0, kinds=("melt", "crystal"), n=4):
    """Frames labelled with the sound potential, but off by stated amounts."""
    rng, frames = np.random.default_rng(0), []
    for k in range(n):
        configuration = copper(seed=k, rattle_A=0.05 + 0.05 * k)
        truth = respond(sound(), configuration)
        error = rng.choice([-force, force], size=truth.forces_eV_per_A.shape)
        frames.append(
            Frame(
                configuration,
                energy_eV=truth.energy_eV + energy_eV * configuration.n_atoms * (1 if k % 2 else -1),
                forces_eV_per_A=(truth.forces_eV_per_A + error) / scale,
                stress_eV_per_A3=truth.stress_eV_per_A3 + stress_GPa / EV_PER_A3_IN_GPA * np.eye(3),
                config_type=kinds[k % len(kinds)],
            )
        )
    return DataSet(tuple(frames))


def test_a_potential_has_no_errors_on_its_own_labels():
    row = evaluate_potential(SOUND, labelled()).errors().iloc[0]
    assert row["energy_rmse_meV_per_atom"] < 1e-9 and row["force_mae_eV_per_A"] < 1e-12
    assert row["force_slope"] == pytest.approx(1.0)


def test_errors_are_those_that_were_put_in():
    found = evaluate_potential(SOUND, labelled(energy_eV=0.01, force=0.05, stress_GPa=0.3))
    row = found.errors().iloc[0]
    assert row["energy_rmse_meV_per_atom"] == pytest.approx(10.0) == row["energy_mae_meV_per_atom"]
    assert row["force_rmse_eV_per_A"] == pytest.approx(0.05) == row["force_mae_eV_per_A"]
    assert row["stress_rmse_GPa"] == pytest.approx(0.3 / np.sqrt(2.0))  # on the diagonal only
    assert row["stress_mae_GPa"] == pytest.approx(0.15)
    kinds = found.errors("config_type")
    assert list(kinds.index) == ["crystal", "melt"] and kinds["frames"].tolist() == [2, 2]
    elements = found.errors("element")
    assert elements.loc["Cu", "force_rmse_eV_per_A"] == pytest.approx(0.05)
    assert np.isnan(elements.loc["Cu", "energy_rmse_meV_per_atom"])
    assert repr(found) == "Evaluation(potentials.broken:sound, 4 frames: 10.0 meV/atom, 0.050 eV/Å)"


def test_a_soft_potential_has_a_slope_below_one():
    row = evaluate_potential(SOUND, labelled(scale=0.8)).errors().iloc[0]
    assert row["force_slope"] == pytest.approx(0.8)


def test_a_constant_for_each_atom_is_taken_out_and_stated():
    shifted = DataSet(
        tuple(
            Frame(frame.configuration, frame.energy_eV + 2.5 * frame.n_atoms, frame.forces_eV_per_A)
            for frame in labelled()
        )
    )
    assert evaluate_potential(SOUND, shifted).errors()["energy_rmse_meV_per_atom"][0] == pytest.approx(2500.0)
    found = evaluate_potential(SOUND, shifted, align="constant")
    assert found.errors()["energy_rmse_meV_per_atom"][0] < 1e-6
    assert found.offsets_eV == {"atom": pytest.approx(-2.5)} and found.alignment == "constant"


def test_constants_of_elements_need_not_be_determined():
    """At one composition only one combination of them is known; the aligned energies are right all the same."""
    ions = load_potential("pedone-2006")
    cell = np.array([[0, 2.1, 2.1], [2.1, 0, 2.1], [2.1, 2.1, 0]])
    frames = []
    for volume in (17.0, 18.5, 20.0):
        configuration = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), cell).at_volume(volume)
        calculator = evaluate_potential(ions, DataSet((Frame(configuration, energy_eV=0.0),)))
        frames.append(Frame(configuration, energy_eV=2 * calculator.frames["predicted_eV_per_atom"][0] + 7.0))
    found = evaluate_potential(ions, DataSet(tuple(frames)), align="elements")
    assert found.errors()["energy_rmse_meV_per_atom"][0] < 1e-6
    assert found.offsets_eV == {"Mg": pytest.approx(-3.5), "O": pytest.approx(-3.5)}


def test_frames_that_fail_are_counted_and_left_out():
    ions = load_potential("pedone-2006")
    cell = 4.2 * np.eye(3)
    good = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), cell)
    touching = Configuration(("Mg", "O"), np.array([[0, 0, 0], [0.1, 0, 0]]), cell)
    frames = [Frame(c, energy_eV=-1.0, forces_eV_per_A=np.zeros((2, 3))) for c in (good, touching)]
    found = evaluate_potential(ions, DataSet(tuple(frames)))
    assert len(found.frames) == 1 and len(found.failed) == 1 and found.failed[0].startswith("frame 1 (unknown): ")
    assert compare_potentials([found])["frames_failed"].tolist() == [1]
    with pytest.raises(DataError, match="failed on all 1 frames"):
        evaluate_potential(ions, DataSet((frames[1],)))


def test_potentials_side_by_side():
    exact = evaluate_potential(SOUND, labelled())
    other = evaluate_potential(imported_potential("ase.calculators.emt:EMT"), labelled(), align="constant")
    table = compare_potentials([exact, other])
    assert table["potential"].tolist() == ["potentials.broken:sound", "ase.calculators.emt:EMT"]
    assert table["force_rmse_eV_per_A"][0] < 1e-12 < table["force_rmse_eV_per_A"][1]
    assert (table["steps_per_s_100_atoms"] > 0).all()
    with pytest.raises(DataError, match="same data set"):
        compare_potentials([exact, evaluate_potential(SOUND, labelled(n=2))])


def test_refusals():
    with pytest.raises(DataError, match="label them first"):
        evaluate_potential(SOUND, DataSet((Frame(copper()),)))
    with pytest.raises(DataError, match="none, constant or elements"):
        evaluate_potential(SOUND, labelled(), align="everything")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no parameters for Cu"):
        evaluate_potential(load_potential("pedone-2006"), labelled())
