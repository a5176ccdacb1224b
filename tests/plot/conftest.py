"""A history that several figures draw."""

import pytest

from tammann.example import example_history


@pytest.fixture(scope="module")
def history():
    return example_history()
