"""The real functions: labels by a potential, a small expansion with grades, D-optimal selection."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.ace.model import AceModel
from tammann.potentials.dataset import DataSet, Frame
from tammann.structures.candidates import rattled, strained, supercell
from tammann.structures.crystals import load_crystal
from tammann.workflows.active_learning import ActiveLearningPlan, Task
from tammann.workflows.active_learning.wiring import ace_settings, functions_of, select_d_optimal

PLAN = ActiveLearningPlan(
    compositions=("TiO2",),
    crystals=("TiO2-rutile",),
    labeller="pedone-2006",
    training={"degrees": [6.0, 4.0], "cutoff_A": 4.0},
    timestep_fs=1.0,
    spacing_fs=2.0,
    select_above=3.0,
    stop_above=20.0,
)


def near(seed, displacement_A=0.08):
    crystal = supercell(load_crystal("TiO2-rutile"), 12)
    return rattled(strained(crystal, limit=0.02, rng=seed), displacement_A=displacement_A, rng=seed)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ace")
    functions = functions_of(PLAN)
    frames = DataSet(tuple(Frame(near(k), config_type="crystal", trajectory=f"c{k}") for k in range(12)))
    labelled = functions.label(frames, folder)
    assert len(labelled.dataset) == 12 and not labelled.failures
    return functions.train(DataSet(labelled.dataset.frames[:10]), DataSet(labelled.dataset.frames[10:]), folder)


def test_a_fit_gives_a_file_with_active_sets_and_errors_with_units(trained):
    model = AceModel.load(trained.model)
    assert model.active_sets[0].thresholds == (3.0, 20.0)
    assert set(trained.errors) >= {"energy_meV_per_atom", "forces_meV_per_A"}
    assert 0 < trained.errors["forces_meV_per_A"] < 2000


def test_a_run_of_the_crystal_is_known_and_a_run_of_something_else_is_stopped(trained):
    simulate = functions_of(PLAN).simulate
    known = simulate(Task("a", "crystal", near(3), 1000.0, None, 0.02, 0, 1), trained.model)
    assert known.ended == "finished" and known.largest_grade < 20.0
    strange = simulate(Task("b", "crystal", near(40, 0.3), 100.0, None, 0.02, 0, 1), trained.model)
    assert strange.ended == "grade" and strange.largest_grade > 20.0


def test_d_optimality_prefers_what_spans_more_and_leaves_out_what_is_known(trained):
    candidates = [near(0), near(40, 0.2), near(1), near(41, 0.4), near(2)]
    chosen = select_d_optimal(candidates, [0.0] * 5, trained.model, 5)
    assert chosen and set(chosen) <= {1, 3}
    assert select_d_optimal([near(0), near(1)], [0.0] * 2, trained.model, 5) == []
    assert select_d_optimal(candidates, [0.0] * 5, trained.model, 1) == chosen[:1]


def test_selection_multiplies_the_determinant_of_the_active_set(trained):
    """Adding the chosen configuration to the data gives the larger determinant, as brute force finds."""
    model = AceModel.load(trained.model)
    candidates = [near(k, 0.2) for k in range(20, 26)]
    (best,) = select_d_optimal(candidates, [0.0] * 6, trained.model, 1)
    outside = []
    for each in candidates:
        result = model.single(each.symbols, each.positions_A, each.cell_A, functions=True)
        grades = model.grades(result, model.species(each.symbols))
        outside.append(int((grades > 1.001).sum()))
    assert outside[best] >= np.median(outside)


def test_what_cannot_be_done_is_said():
    with pytest.raises(DataError, match="training.degres"):
        ace_settings(PLAN.model_copy(update={"training": {"degres": [3]}}))
    with pytest.raises(DataError, match="training.degrees"):
        functions_of(PLAN.model_copy(update={"architecture": "mace"}))
    with pytest.raises(DataError, match="unobtainium"):
        functions_of(PLAN.model_copy(update={"labeller": "unobtainium"}))
