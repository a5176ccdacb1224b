from dataclasses import replace

import numpy as np
import pytest

from potentials.ace.expansions import cell_of_atoms
from tammann.errors import DataError
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.fit import AceSettings, shortest_distances, train_ace
from tammann.potentials.dataset import DataSet, Frame
from tammann.structures import Configuration

SETTINGS = AceSettings(cutoff_A=4.5, degrees=(5.0, 4.0), l2=(1e-12, 1e-6), active_set=False)


def frames(number, *, seed=0, labelled=True, model=None):
    made = []
    for k in range(number):
        atoms = cell_of_atoms(9, seed=seed + k)
        configuration = Configuration(tuple(atoms.get_chemical_symbols()), atoms.positions, atoms.cell.array)
        frame = Frame(configuration, trajectory=str(seed + k))
        if model is not None:
            atoms.calc = AceCalculator(model)
            frame = replace(
                frame, energy_eV=atoms.get_potential_energy(), forces_eV_per_A=atoms.get_forces(),
                stress_eV_per_A3=atoms.get_stress(voigt=False),
            )  # fmt: skip
        made.append(frame)
    return DataSet(tuple(made))


@pytest.fixture(scope="module")
def teacher():
    """An expansion of the form and lengths that a fit to these configurations has, with random coefficients."""
    from tammann.potentials.ace.fit import _empty_model

    bare = frames(12)
    empty = _empty_model(DataSet(tuple(replace(f, energy_eV=0.0) for f in bare)), SETTINGS)
    rng = np.random.default_rng(0)
    scale = 0.1 / empty.basis.degrees**2
    return replace(
        empty, coefficients=rng.normal(size=empty.coefficients.shape) * scale, reference_energies_eV=rng.normal(size=3)
    )


@pytest.mark.parametrize("solver", ["ridge", "ladder"])
def test_a_potential_of_its_own_form_is_found_again(teacher, solver):
    settings = replace(SETTINGS, solver=solver, l2=(1e-14,))
    fit = train_ace(frames(12, model=teacher), frames(4, seed=50, model=teacher), settings)
    # the columns of energy and forces determine all but what no configuration sees
    limit = 1e-5 if solver == "ridge" else 1e-2
    assert fit.errors.loc["test", "force_eV_per_A"] < limit
    assert fit.errors.loc["test", "energy_eV_per_atom"] < limit
    assert fit.errors.loc["test", "virial_eV_per_atom"] < limit


def test_errors_are_those_of_the_calculator(teacher):
    train, test = frames(6, model=teacher), frames(3, seed=70, model=teacher)
    fit = train_ace(train, test, replace(SETTINGS, degrees=(3.0,)))
    energy, force = [], []
    for frame in test:
        atoms = cell_of_atoms(9, seed=int(frame.trajectory))
        atoms.calc = AceCalculator(fit.model)
        energy.append((atoms.get_potential_energy() - frame.energy_eV) / 9)
        force.append(atoms.get_forces() - frame.forces_eV_per_A)
    assert fit.errors.loc["test", "energy_eV_per_atom"] == pytest.approx(np.sqrt(np.mean(np.square(energy))), rel=1e-6)
    assert fit.errors.loc["test", "force_eV_per_A"] == pytest.approx(np.sqrt(np.mean(np.square(force))), rel=1e-6)


def test_extending_a_fit_is_fitting_the_whole(teacher):
    """Lengths are those of the first frames, so the frames with the closest contacts come first."""
    whole, test = frames(14, model=teacher), frames(3, seed=70, model=teacher)
    contacts = np.array([shortest_distances(whole.subset([k]), whole.elements, 4.5).ravel() for k in range(14)])
    first = sorted({int(k) for k in contacts.argmin(axis=0)})
    rest = [k for k in range(14) if k not in first]
    assert rest
    settings = replace(SETTINGS, degrees=(4.0,), l2=(1e-9,), energy_scale_eV_per_atom=1e6)
    at_once = train_ace(whole.subset(first + rest), test, settings)
    extended = train_ace(whole.subset(rest), test, settings, start=train_ace(whole.subset(first), test, settings))
    np.testing.assert_allclose(extended.errors, at_once.errors, rtol=1e-3)
    assert extended.model.provenance["frames"] == at_once.model.provenance["frames"] == {"train": 14, "test": 3}


def test_frames_of_high_energy_weigh_less(teacher):
    train, test = frames(10, model=teacher), frames(3, seed=70, model=teacher)
    # a label that is wrong by 40 eV does not spoil the others, unless all weigh the same
    wrong = DataSet((*train.frames[1:], replace(train[0], energy_eV=train[0].energy_eV + 40.0)))
    errors = [
        train_ace(wrong, test, replace(SETTINGS, energy_scale_eV_per_atom=scale)).errors.loc[
            "test", "energy_eV_per_atom"
        ]
        for scale in (0.1, 1e6)
    ]
    assert errors[0] < 0.3 * errors[1]


def test_the_ladder_climbs_from_few_factors_to_many(teacher):
    fit = train_ace(frames(8, model=teacher), frames(3, seed=70, model=teacher), replace(SETTINGS, solver="ladder"))
    assert list(dict.fromkeys(fit.history["factors"])) == [1, 2]
    assert list(dict.fromkeys(fit.history["force_weight"])) == [0.99, 0.90]


def test_data_without_labels_are_refused(teacher):
    with pytest.raises(DataError, match="energy"):
        train_ace(frames(3), frames(2, seed=9), SETTINGS)
    with pytest.raises(DataError, match="test"):
        train_ace(frames(3, model=teacher), DataSet(()), SETTINGS)
