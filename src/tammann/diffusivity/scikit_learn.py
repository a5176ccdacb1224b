"""Random forests, importances and what else scikit-learn gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from tammann.errors import DataError


def _sklearn(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"sklearn.{module}")
    except ImportError:
        raise DataError("learning diffusivities needs scikit-learn: pip install 'tammann[learn]'.") from None


def regressor_tags() -> Any:
    """Return what scikit-learn wants to know of a regressor of dense columns."""
    utils = _sklearn("utils")
    return utils.Tags(
        estimator_type="regressor",
        target_tags=utils.TargetTags(required=True),
        regressor_tags=utils.RegressorTags(),
    )


def random_forest(*, trees: int, seed: int, **options: Any) -> Any:
    """Return a ``RandomForestRegressor`` on one thread.

    Raises:
        DataError: scikit-learn is not installed.
    """
    return _sklearn("ensemble").RandomForestRegressor(n_estimators=trees, random_state=seed, n_jobs=1, **options)


def extra_trees(*, trees: int, seed: int, **options: Any) -> Any:
    """Return an ``ExtraTreesRegressor``, trees whose splits are drawn, on one thread.

    Raises:
        DataError: scikit-learn is not installed.
    """
    return _sklearn("ensemble").ExtraTreesRegressor(n_estimators=trees, random_state=seed, n_jobs=1, **options)


def support_vectors(*, C: float, gamma: float, epsilon: float) -> Any:
    """Return support vector regression with a Gaussian kernel on columns of unit variance.

    Raises:
        DataError: scikit-learn is not installed.
    """
    scaler = _sklearn("preprocessing").StandardScaler()
    return _sklearn("pipeline").make_pipeline(scaler, _sklearn("svm").SVR(C=C, gamma=gamma, epsilon=epsilon))


def gaussian_process(columns: int, temperature: int, *, length: float, noise: float, farthest: float) -> Any:
    """Return a Gaussian process of given lengths on columns of unit variance, of 1/T in the place of T.

    Its kernel exp(-d²/2) has the length 1 in 1/T and a longer one in all others, of which there are many.

    Args:
        columns: Their number.
        temperature: Number of the column of T.
        length: In the other columns, in their standard deviations.
        noise: Variance of the noise over that of the target.
        farthest: Standard deviations from the mean at which columns are cut off.

    Raises:
        DataError: scikit-learn is not installed.
    """
    preprocessing, process = _sklearn("preprocessing"), _sklearn("gaussian_process")
    function = preprocessing.FunctionTransformer
    inverse = _sklearn("compose").ColumnTransformer(
        [("inverse", function(np.reciprocal), [temperature])], remainder="passthrough"
    )
    scaled = _sklearn("pipeline").make_pipeline(
        inverse, preprocessing.StandardScaler(), function(np.clip, kw_args={"a_min": -farthest, "a_max": farthest})
    )
    kernel = process.kernels.RBF([1.0] + [length] * (columns - 1))
    return _sklearn("pipeline").make_pipeline(
        scaled, process.GaussianProcessRegressor(kernel, alpha=noise, optimizer=None, normalize_y=True)
    )


def mean_of(**models: Any) -> Any:
    """Return the mean of estimators, each fitted on its own.

    Raises:
        DataError: scikit-learn is not installed.
    """
    return _sklearn("ensemble").VotingRegressor(list(models.items()))


def published_split(rows: int, *, seed: int = 62, train_size: float = 0.85) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the published training and test sets, in their order.

    Raises:
        DataError: scikit-learn is not installed.
    """
    train, test = _sklearn("model_selection").train_test_split(
        np.arange(rows), train_size=train_size, random_state=seed
    )
    return np.asarray(train), np.asarray(test)


def published_folds(rows: int, *, folds: int = 5, seed: int | None = 62) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the training and test rows of K-fold cross-validation, shuffled by a seed, or in order where None.

    Raises:
        DataError: scikit-learn is not installed.
    """
    split = _sklearn("model_selection").KFold(folds, shuffle=seed is not None, random_state=seed)
    return [(np.asarray(train), np.asarray(test)) for train, test in split.split(np.zeros(rows))]


def unfitted(model: Any) -> Any:
    """Return a copy of an estimator with its parameters and without what it has learned.

    Raises:
        DataError: scikit-learn is not installed.
    """
    return _sklearn("base").clone(model)
