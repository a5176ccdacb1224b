"""Plans of active learning: what is refused, and how it is said."""

import pytest

from tammann.errors import RecipeError
from tammann.structures.crystals import load_crystal
from tammann.workflows.active_learning import ActiveLearningPlan


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("compositions: []", "compositions"),
        ("compositions: [BaTiO3]\nrouds: 2", "did you mean rounds"),
        ("compositions: [BaTiO3, Ba2Ti2O6]", "expected each once"),
        ("compositions: [BaTiO3]\nselect_above: 5\nstop_above: 3", "stop_above"),
        ("compositions: [BaTiO3]\ncrystals: [BaTiO3-square]", "BaTiO3-cubic"),
        ("compositions: [BaTiO3]\nproposals: {searches: 0, melts: 0, quenches: 0}", "at least one run"),
        ("compositions: [BaTiO3]\ntemperatures_K: []", "temperatures"),
        ("compositions: [Xx2]", "compositions"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(text, words):
    with pytest.raises(RecipeError, match=words) as refused:
        ActiveLearningPlan.from_text(text)
    assert "\n" not in str(refused.value)


def test_files_are_taken_relative_to_the_plan(tmp_path):
    from ase.io import write

    write(tmp_path / "mine.cif", load_crystal("BaO").to_ase())
    file = tmp_path / "plan.yaml"
    file.write_text("compositions: [BaTiO3]\ncrystals: [mine.cif, TiO2-rutile]\ninitial: start.xyz\n")
    plan = ActiveLearningPlan.from_file(file)
    assert plan.crystals == (str(tmp_path / "mine.cif"), "TiO2-rutile")
    assert plan.initial == str(tmp_path / "start.xyz")


def test_temperatures_rise_round_by_round_and_the_last_is_repeated():
    plan = ActiveLearningPlan(compositions=("BaTiO3",), temperatures_K=(600.0, 1200.0, 2000.0))
    assert [plan.temperature_K(k) for k in (1, 2, 3, 4)] == [600.0, 1200.0, 2000.0, 2000.0]


@pytest.mark.parametrize("architecture", ["mace", "sevennet", "chgnet"])
def test_thresholds_left_out_have_the_unit_of_the_grade(architecture):
    ace, network = (ActiveLearningPlan(compositions=("TiO2",), architecture=a) for a in ("ace", architecture))
    assert (ace.select_above, ace.stop_above) == (5.0, 100.0)
    assert (network.watch().select_above, network.watch().stop_above) == (0.5, 5.0)
    # what is stated stays, and a plan that was written is read as it was
    stated = ActiveLearningPlan(compositions=("TiO2",), architecture=architecture, select_above=2.0)
    assert (stated.select_above, stated.stop_above) == (2.0, 5.0)
    assert ActiveLearningPlan(**stated.model_dump(mode="json")) == stated
