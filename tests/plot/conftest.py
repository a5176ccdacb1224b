"""What several figures draw: a history; a walk and its measurement."""

import pytest

from example import example_history
from plot.walks import curves_of
from tammann.transport import measure_onsager


@pytest.fixture(scope="module")
def history():
    return example_history()


@pytest.fixture(scope="module")
def curves():
    return curves_of(1)


@pytest.fixture(scope="module")
def measurement(curves):
    return measure_onsager(curves, temperature_K=2500.0, regime_ps=(0.5, 8.0))
