import numpy as np
import pytest

from tammann.potentials.ace.moments import Quadratic


def test_sum_of_squares_is_that_of_the_rows():
    rng = np.random.default_rng(0)
    a, y, c = rng.normal(size=(30, 4)), rng.normal(size=30), rng.normal(size=4)
    parts = [Quadratic(x.T @ x, x.T @ t, float(t @ t), len(t)) for x, t in ((a[:12], y[:12]), (a[12:], y[12:]))]
    assert (parts[0] + parts[1]).rmse(c) == pytest.approx(np.sqrt(np.mean((a @ c - y) ** 2)))
