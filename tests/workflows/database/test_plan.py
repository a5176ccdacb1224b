"""Plans of databases: what is refused, and the melts that follow."""

from pathlib import Path

import pytest

from tammann.errors import RecipeError
from tammann.workflows.database.plan import DatabasePlan

EXAMPLE = Path(__file__).parents[3] / "examples" / "diffusivity"


def test_the_protocol_without_further_words():
    plan = DatabasePlan.from_text("compositions: [Li2O]")
    assert plan.temperatures_K == (1000.0, 1500.0, 2000.0, 2500.0) and plan.frames == 10
    melts = plan.melts()
    assert (melts.melt_K, melts.temperatures_K, melts.atoms) == (5000.0, plan.temperatures_K, plan.atoms)


def test_the_examples():
    other, plan = (DatabasePlan.from_file(EXAMPLE / name) for name in ("other.yaml", "plan.yaml"))
    assert set(other.compositions) < set(plan.compositions) and other.temperatures_K == plan.temperatures_K
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
        (f"compositions: [Li2O]\ncrystals: [TiO2-rutile]\npotential: {EXAMPLE / 'buckingham.yaml'}", "LAMMPS commands"),
        ("compositions: [Li2O]\ncrystals: [nowhere.cif]", "nowhere.cif"),
        ("compositions: [Li2O]\nengine: torch-sim", "engine"),
        ("compositions: [LiHe]\npotential: chgnet\nengine: ase", "He"),
    ],
)
def test_bad_plans_get_one_sentence(text, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        DatabasePlan.from_text(text)
    assert "\n" not in str(caught.value)
