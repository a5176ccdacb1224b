"""Plans of databases: what is refused, and the melts that follow."""

from pathlib import Path

import pytest

from tammann.errors import RecipeError
from tammann.workflows.database.plan import DatabasePlan


def test_the_example(tmp_path):
    plan = DatabasePlan.from_file(Path(__file__).parents[3] / "examples" / "diffusivity" / "plan.yaml")
    assert len(plan.compositions) == 3 and plan.melts().melt_K == 5000.0
    assert plan.melts().volume.scale_ps == 1.0 and plan.melts().replicas == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("compositions: [Na2O]", "mobile ion Li"),
        ("compositions: [Li]", "other elements"),
        ("compositions: [Li3PS4]", "pedone-2006"),
        ("compositions: [Li2O, LiO]\nion: lithium", "ion"),
        ("compositions: [Li2O, Li4O2]", "compositions: expected each composition once"),
        ("compositions: [Li2O]\nfast: true", "fast"),
        ("compositions: [Li2O]\ncrystals: [nowhere.cif]", "nowhere.cif"),
        ("compositions: [Li2O]\nengine: torch-sim", "engine"),
        ("compositions: [LiHe]\npotential: chgnet\nengine: ase", "He"),
    ],
)
def test_bad_plans_get_one_sentence(text, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        DatabasePlan.from_text(text)
    assert "\n" not in str(caught.value)
