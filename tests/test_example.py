"""The invented run keeps every element."""

import numpy as np
import pytest

from tammann.example import example_history


@pytest.fixture(scope="module")
def history():
    return example_history()


@pytest.fixture(scope="module")
def carbonate():
    return example_history(carbonate=True)


def test_example_keeps_every_element(history, carbonate):
    for run in (history, carbonate):
        elements = run.moles @ run.composition + run.gas_moles @ run.gas_composition
        np.testing.assert_allclose(elements, elements[:, :1] * np.ones_like(elements), atol=1e-12)
