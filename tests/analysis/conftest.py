"""Runs to analyse."""

import pytest

from example import example_history


@pytest.fixture(scope="session")
def history():
    return example_history()


@pytest.fixture(scope="session")
def carbonate():
    return example_history(carbonate=True)
