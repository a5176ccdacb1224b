"""The invented run keeps every element."""

import numpy as np
import pytest

from example import diffusion_history, example_history
from tammann.errors import ResultError
from tammann.history import History


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


def test_the_shipped_example_is_this_one():
    shipped, made = History.example(), example_history()
    assert shipped.equations == made.equations and np.array_equal(shipped.moles, made.moles)
    assert np.array_equal(shipped.lattice.snapshots, made.lattice.snapshots)


def test_the_shipped_example_of_the_other_engine_is_this_one():
    shipped, made = History.example("reactive-diffusion"), diffusion_history()
    assert shipped.phases == made.phases and np.array_equal(shipped.programme_h, made.programme_h)
    # energies of the system and steps are revised now and then; that alone is no reason for another example
    np.testing.assert_allclose(shipped.moles, made.moles, atol=0.03)
    elements = shipped.moles @ shipped.composition
    np.testing.assert_allclose(elements, np.broadcast_to(elements[:, :1], elements.shape), atol=1e-12)
    with pytest.raises(ResultError, match="there is no example of the engine 'thermite'"):
        History.example("thermite")
