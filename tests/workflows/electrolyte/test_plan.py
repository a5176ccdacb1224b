"""Plans of electrolytes: what is refused, in one sentence."""

import pytest

from tammann.errors import RecipeError
from tammann.workflows.electrolyte import ElectrolytePlan
from workflows.electrolyte.oxides import write_plan


def test_names_and_blocks(tmp_path):
    plan = ElectrolytePlan.from_file(write_plan(tmp_path))
    assert plan.names == ("NaLiO", "lithia")
    assert plan.blocks["NaLiO"].composition == {"O": 4, "Li": 4, "Na": 4}
    assert plan.dynamics.times_ps(800.0) == (1.2, 0.2)


def test_the_times_of_the_reference_are_the_default():
    plan = ElectrolytePlan(structures=["BaTiO3-cubic"], mobile="O", potential="pedone-2006")
    assert plan.dynamics.times_ps(799.0) == (1000.0, 200.0) and plan.dynamics.times_ps(800.0) == (500.0, 100.0)


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"compositions": "[{occupancies: {T: {Li: 0.9, Na: 0.5}}}]"}, "at most one atom, got 1.4"),
        (
            {"compositions": "[{occupancies: {T: {Li: 0.45, Na: 0.55}}}]"},
            "nearest that fits, Li 4/8 = 0.5",
        ),
        ({"compositions": "[{occupancies: {T: {Li: 1.2}}}]"}, "expected occupancies from 0 to 1 of species"),
        ({"compositions": "[{occupancies: {T: {Li: 0.5}}}]"}, "neutral block"),
        ({"compositions": "[{occupancies: {Z: {Li: 1.0}}}]"}, "expected one of X, T"),
        ({"compositions": "[{}, {}]"}, "NaLiO again"),
        ({"compositions": "[]"}, "compositions: expected one or more"),
        ({"host": ""}, "either a disordered host or structures"),
        ({"host": "nothing.cif"}, "expected a file"),
        ({"mobile": "K"}, "mobile: expected an element that NaLiO holds"),
        ({"potential": "nonsense"}, "nonsense"),
        ({"engine": "torch-sim"}, "engine: expected"),
        ({"temperatures_K": "[800, 800]"}, "each temperature once"),
        ({"dynamics": "{hot_ps: 1, hot_drop_ps: 0.95}"}, "hot_drop_ps: expected 20 frames"),
        ({"dynamics": "{frame_fs: 3}"}, "multiple of timestep_fs"),
        ({"repeat": "[1, 0, 1]"}, "repeat"),
        ({"references": "[BaO, BaO]"}, "references: expected names of files that differ, got BaO again"),
        ({"references": "[nothing.cif]"}, "nothing.cif"),
        ({"compositions": "[{name: reference-a, occupancies: {}}]"}, "does not begin with reference-"),
        ({"selection": "{end_members: [NaLiO, Na2O]}"}, "selection.end_members: expected formulas of"),
        ({"unknown": "1"}, "unknown"),
    ],
)
def test_bad_input_gets_one_sentence(tmp_path, replaced, said):
    with pytest.raises(RecipeError) as error:
        ElectrolytePlan.from_file(write_plan(tmp_path, **replaced))
    message = str(error.value)
    assert said in message and "\n" not in message and message.endswith(".") and message.count(". ") == 0
