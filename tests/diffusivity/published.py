"""Where the published table is, for tests that need it; it has no licence and is not in the repository."""

import os
from pathlib import Path

import pytest

NAME = Path("data/li-diffusivity/feature_target.dat")


def find() -> Path | None:
    """The file that TAMMANN_LI_DIFFUSIVITY names, or the one in a folder ``shared`` beside the repository."""
    named = os.environ.get("TAMMANN_LI_DIFFUSIVITY")
    parents = Path(__file__).resolve().parents
    places = [Path(named)] if named else [parent / "shared" / NAME for parent in parents[2:5]]
    return next((place for place in places if place.is_file()), None)


def path() -> Path:
    """The file, or the test is skipped."""
    found = find()
    if found is None:
        pytest.skip("the published table is not here; TAMMANN_LI_DIFFUSIVITY may name feature_target.dat")
    return found
