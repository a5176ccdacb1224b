"""docs/validation.json, which docs/validation.md quotes, is about the observations that ship."""

import json
from pathlib import Path

import pytest

from tammann.workflows.validation import MODELS, Observations

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "examples" / "observations").glob("*.yaml"))
FOUND = json.loads((ROOT / "docs" / "validation.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "observations").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_page_is_about_the_observations_that_ship(path):
    read, found = Observations.from_file(path), FOUND[path.stem]
    said = [o.observation for experiment in read.experiments for o in experiment.observations]
    assert [row["observation"] for row in found["observations"]] == said, "run: python docs/validate.py"
    assert found["models"] == dict(MODELS)
    # what the file says of the range is what was run: all combinations for reactive diffusion
    settings = len(read.range.particle_size) * len(read.range.mixing) * len(read.range.time)
    assert {row["over"]["full"][1] for row in found["observations"]} <= {settings, settings + 1}
