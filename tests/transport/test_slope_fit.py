"""The covariance of a displacement curve of a Brownian process, and the slope that uses it."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.transport import lag_covariance, slope_weights, spread_lags


def covariance_by_counting(lags, n_frames):
    """Slow twin: every pair of windows, and the steps they share."""
    result = np.zeros((len(lags), len(lags)))
    for a, n in enumerate(lags):
        for b, m in enumerate(lags):
            total = 0
            for p in range(n_frames - n):
                for q in range(n_frames - m):
                    total += max(0, min(p + n, q + m) - max(p, q)) ** 2
            result[a, b] = total / ((n_frames - n) * (n_frames - m))
    return result


def test_covariance_is_that_of_counting():
    lags = [1, 2, 5, 11, 23]
    assert lag_covariance(lags, 31) == pytest.approx(covariance_by_counting(lags, 31), rel=1e-13)


def test_covariance_of_single_steps_is_that_of_independent_numbers():
    assert lag_covariance([1], 101)[0, 0] == pytest.approx(1 / 100)


def test_covariance_of_the_longest_lag_is_that_of_one_number():
    # one window over all of it: C has variance 2 s² n², so G is n²
    assert lag_covariance([50], 51)[0, 0] == pytest.approx(50.0**2)


def test_covariance_is_that_of_walks():
    rng = np.random.default_rng(5)
    lags, frames, repeats = np.array([1, 4, 10, 25]), 80, 20000
    paths = np.cumsum(rng.normal(size=(repeats, frames)), axis=1)
    curves = np.stack([((paths[:, n:] - paths[:, :-n]) ** 2).mean(axis=1) for n in lags], axis=1)
    expected = 2.0 * lag_covariance(lags, frames)
    # the standard error of a covariance from 20,000 repeats is about 2 %
    assert np.cov(curves.T) == pytest.approx(expected, rel=0.06)


def test_slope_is_exact_for_a_line_and_blind_to_its_offset():
    fit = slope_weights([3, 5, 9, 17], 200)
    assert fit.weights @ fit.lags == pytest.approx(1.0, rel=1e-10)
    assert fit.weights.sum() == pytest.approx(0.0, abs=1e-12)


def test_no_other_weights_have_a_smaller_variance():
    lags = np.array([3, 5, 9, 17])
    fit = slope_weights(lags, 200)
    covariance = lag_covariance(lags, 200)
    assert fit.weights @ covariance @ fit.weights == pytest.approx(fit.variances[0], rel=1e-9)
    ordinary = (lags - lags.mean()) / ((lags - lags.mean()) ** 2).sum()
    ends = np.array([-1.0, 0.0, 0.0, 1.0]) / 14
    for other in (ordinary, ends):
        assert other @ lags == pytest.approx(1.0) and other.sum() == pytest.approx(0.0, abs=1e-12)
        assert other @ covariance @ other > fit.variances[0]


def test_variance_falls_with_the_length_of_the_trajectory():
    lags = spread_lags(10, 100)
    short, long = slope_weights(lags, 2000).variances[0], slope_weights(lags, 8000).variances[0]
    assert long == pytest.approx(short / 4, rel=0.05)


def test_more_lags_than_16_hardly_help():
    few, many = (slope_weights(spread_lags(20, 500, k), 4000).variances[0] for k in (16, 60))
    assert many <= few < 1.06 * many


def test_bad_lags():
    with pytest.raises(DataError, match="from 1 to 9"):
        lag_covariance([10], 10)
    with pytest.raises(DataError, match="from 1 to 9"):
        lag_covariance([0, 3], 10)
    with pytest.raises(DataError, match="two different"):
        slope_weights([4, 4], 10)
