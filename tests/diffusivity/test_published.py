"""The published protocol, on a made-up table and on the published one."""

import numpy as np
import pytest

from tammann.diffusivity.published import published_protocol
from tammann.diffusivity.scikit_learn import published_folds, published_split
from tammann.diffusivity.table import load_published

from . import published
from .made_up_table import made_up_table


def test_the_split():
    pytest.importorskip("sklearn")
    train, test = published_split(792)
    assert len(train) == 673 and len(test) == 119 and not set(train) & set(test)
    folds = published_folds(100, seed=None)
    assert [int(b[0]) for _, b in folds] == [0, 20, 40, 60, 80]


def test_a_made_up_table():
    pytest.importorskip("sklearn")
    found = published_protocol(made_up_table(), "symbolic")
    assert found.test < 1e-12 and found.leaked > 0.8 and len(found.table()) == 3
    assert "symbolic" in repr(found) and len(found.test_predicted) == 12


def test_the_published_test_rows_are_those_of_the_split():
    pytest.importorskip("sklearn")
    file = published.path().with_name("test_ordered.dat")
    if not file.exists():
        pytest.skip("test_ordered.dat is not here")
    _, test = published_split(792)
    assert [int(line.split()[0]) for line in file.read_text().splitlines()[1:]] == test.tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("model", "quoted"), [("forest", 1.41e-8), ("boosting", 1.23e-8)])
def test_quoted_errors_come_back(model, quoted):
    """1.41e-4 and 1.23e-4 cm²/s; 96.6 % of the test rows have their composition in the training set."""
    pytest.importorskip("sklearn"), pytest.importorskip("xgboost")
    found = published_protocol(load_published(published.path()), model)
    assert found.shuffled.mean() == pytest.approx(quoted, rel=0.015)
    assert found.leaked == pytest.approx(0.966, abs=0.001)
    assert np.std(found.shuffled) < 0.25 * quoted
