from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from potentials.ace.expansions import cell_of_atoms
from tammann.errors import DataError
from tammann.potentials.ace.basis import make_basis
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.fit import (
    AceSettings,
    _penalty,
    _reweighted,
    _with_coefficients,
    errors_on,
    train_ace,
)
from tammann.potentials.ace.moments import compute_moments
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
    empty, _ = _empty_model(DataSet(tuple(replace(f, energy_eV=0.0) for f in bare)), SETTINGS)
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
    """Lengths are those of the first frames, so the same ones are given to both."""
    whole, test = frames(14, model=teacher), frames(3, seed=70, model=teacher)
    settings = replace(SETTINGS, degrees=(4.0,), l2=(1e-9,), energy_scale_eV_per_atom=1e6)
    first = train_ace(whole.subset(range(9)), test, settings)
    extended = train_ace(whole.subset(range(9, 14)), test, settings, start=first)
    # the whole at once, over the same lengths
    sums = compute_moments(whole, first.empty)
    assert extended.fitted.force.rows + extended.validation.force.rows == pytest.approx(sums.force.rows)
    assert sums.force.rows == 14 * 27
    at_once = _with_coefficients(first.empty, _reweighted(sums, 1e-9 * _penalty(first.empty.basis, sums, 4.0)))
    np.testing.assert_allclose(extended.errors.loc["test"], errors_on(test, at_once), rtol=1e-3)
    assert extended.model.provenance["frames"] == {"train": 14, "test": 3}
    with pytest.raises(DataError, match="cutoff_A"):
        train_ace(whole.subset(range(9, 14)), test, replace(settings, cutoff_A=5.0), start=first)


def test_test_frames_choose_nothing(teacher):
    """Whatever is tested on, the potential is the same."""
    train = frames(10, model=teacher)
    one, other = (train_ace(train, frames(3, seed=seed, model=teacher), SETTINGS).model for seed in (70, 90))
    np.testing.assert_array_equal(one.coefficients, other.coefficients)


def test_more_of_the_same_data_change_no_ladder(teacher):
    """A penalty of mean squares does not grow with the number of frames."""
    once, test = frames(8, model=teacher), frames(3, seed=70, model=teacher)
    twice = DataSet((*once.frames, *once.frames))
    settings = replace(SETTINGS, solver="ladder", l2=(1e-5,), energy_scale_eV_per_atom=1e6)
    a, b = (train_ace(each, test, settings).errors.loc["test"] for each in (once, twice))
    np.testing.assert_allclose(a, b, rtol=0.05)


def test_undetermined_reference_energies_are_said(teacher):
    data = frames(8, model=teacher)  # one composition, three elements
    fit = train_ace(data, frames(3, seed=70, model=teacher), SETTINGS)
    assert any("1 of 3 reference energies" in note for note in fit.notes)
    assert list(fit.notes) == fit.model.provenance["notes"]


def test_short_range_is_repulsive_and_known_to_be_unknown(teacher):
    """An atom pushed into another one in a dense cell costs more and more, and its grade is infinite."""
    fit = train_ace(frames(12, model=teacher), frames(3, seed=70, model=teacher), replace(SETTINGS, active_set=True))
    atoms = cell_of_atoms(9, seed=5)
    calculator = AceCalculator(fit.model, grade=True)
    for first, second in ((0, 1), (1, 2), (0, 3)):
        vector = atoms.get_distance(first, second, mic=True, vector=True)
        energies = []
        for distance in (0.8, 0.6, 0.4):
            moved = atoms.copy()
            moved.positions[second] = moved.positions[first] + distance * vector / np.linalg.norm(vector)
            moved.calc = calculator
            energies.append(moved.get_potential_energy())
            assert calculator.results["extrapolation_grade"] == np.inf
        assert energies[0] < energies[1] < energies[2]


@pytest.mark.parametrize(
    ("key", "value"),
    [("cutoff_A", "five"), ("degrees", 10), ("degrees", ()), ("degrees", (5, 4, 3, 2, 1)), ("l2", ()), ("l2", 1e-6),
     ("solver", "laddr"), ("force_weights", (1.5,)), ("energy_scale_eV_per_atom", 0), ("thresholds", (100, 5)),
     ("iterations", 0), ("validation_fraction", 0.9)],
)  # fmt: skip
def test_settings_are_checked(key, value):
    with pytest.raises(DataError, match=key):
        AceSettings(**{key: value})


def test_a_cutoff_below_every_neighbour_is_refused(teacher):
    with pytest.raises(DataError, match="cutoff_A"):
        train_ace(frames(4, model=teacher), frames(2, seed=70, model=teacher), replace(SETTINGS, cutoff_A=1.2))


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
    with pytest.raises(DataError, match="train"):
        train_ace(DataSet(()), frames(3, model=teacher), SETTINGS)


def test_a_function_that_gives_next_to_no_force_is_held_by_the_usual_column():
    basis = make_basis(("A", "B"), (4, 2))
    columns = 2 * len(basis)
    size = np.linspace(1.0, 3.0, columns)
    size[5], size[6] = 1e-7, 0.0
    moments = SimpleNamespace(force=SimpleNamespace(gram=np.diag([*size, 0.0, 0.0])))
    found = _penalty(basis, moments, 0.0)[:columns]
    usual = np.delete(np.arange(columns), [5, 6])
    np.testing.assert_allclose(found[usual], size[usual])
    # 1e-7 by itself: a coefficient thousands of times the others would cost as little as one of theirs
    np.testing.assert_allclose(found[[5, 6]], 0.1 * np.median(size[[*usual, 5]]))
