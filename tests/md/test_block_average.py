"""Standard errors from blocks of a correlated series."""

import math

import numpy as np
import pytest

from tammann.md.block_average import block_stderr


def test_the_error_of_an_autoregressive_series():
    """x_k = a x_(k-1) + noise: the variance of a mean of n is (1 + a)/(1 - a) times that of independent values."""
    rng, a, n = np.random.default_rng(1), 0.9, 20_000
    found = []
    for _ in range(40):
        x, noise = np.zeros(n), rng.normal(size=n)
        for k in range(1, n):
            x[k] = a * x[k - 1] + noise[k]
        found.append(block_stderr(x, blocks=20))
    assert np.mean(found) == pytest.approx(1.0 / (1.0 - a) / math.sqrt(n), rel=0.08)


def test_too_short_a_series_has_no_error():
    assert math.isinf(block_stderr(np.array([1.0])))
