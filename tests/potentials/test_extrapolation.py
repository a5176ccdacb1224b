import numpy as np

from tammann.potentials.extrapolation import combinations, grades, make_active_set


def test_grade_is_the_distance_along_a_line():
    # one function between 1 and 3: the grade is the larger weight of the two ends
    active = make_active_set(np.array([[1.0], [3.0], [2.0]]))
    np.testing.assert_allclose(grades(np.array([[2.0], [3.0], [7.0], [-1.0]]), active), [0.5, 1.0, 3.0, 2.0])


def test_grade_does_not_depend_on_the_scale_of_functions():
    rng = np.random.default_rng(0)
    data, new = rng.normal(size=(60, 8)), rng.normal(size=(5, 8)) * 3
    scale = 10.0 ** rng.uniform(-1.5, 1.5, 8)  # far more apart than that, the small ones count as not excited
    np.testing.assert_allclose(
        grades(new * scale, make_active_set(data * scale)), grades(new, make_active_set(data)), rtol=1e-6
    )


def test_data_have_grades_of_at_most_one():
    data = np.random.default_rng(1).normal(size=(200, 10))
    active = make_active_set(data)
    assert grades(data, active).max() < 1.01
    np.testing.assert_allclose(np.abs(combinations(data, active)).max(axis=1), grades(data, active))


def test_what_no_environment_excited_is_unknown():
    rng = np.random.default_rng(2)
    data = np.column_stack([rng.normal(size=(30, 3)), np.zeros(30)])
    active = make_active_set(data)
    assert grades(data, active).max() < 1.01
    new = data[0].copy()
    new[3] = 0.1  # a pair of elements that was never near
    assert grades(new[None], active)[0] > 100


def test_a_function_that_was_barely_excited_is_measured_by_the_others():
    # of a pair that has just come within the cutoff, (1 - r/rc)^2: the grade grows with what it adds
    rng = np.random.default_rng(7)
    usual, pair = rng.normal(size=(40, 5)), np.zeros(40)
    pair[0] = 1e-4**2
    active = make_active_set(np.column_stack([usual, pair]))
    new = np.append(usual[1], 0.0)
    found = [grades((new + np.eye(6)[5] * depth**2)[None], active)[0] for depth in (1e-4, 3e-3, 0.05, 0.5)]
    assert found[0] <= 1.01 and found[1] <= 1.01
    assert 3 < found[2] < 100 < found[3]


def test_what_the_data_do_not_tell_apart_is_unknown():
    rng = np.random.default_rng(3)
    data = rng.normal(size=(40, 3))
    data = np.column_stack([data, data[:, 0] + data[:, 1]])
    active = make_active_set(data)
    assert grades(data, active).max() < 1.01
    new = data[0].copy()
    new[3] += 0.5  # breaks the relation that all data obey
    assert grades(new[None], active)[0] > 100


def test_an_empty_environment_is_outside():
    # functions of atoms in a dense phase lie far from zero, so vacuum is an extrapolation
    data = 5.0 + np.random.default_rng(4).uniform(-0.5, 0.5, size=(100, 3))
    assert grades(np.zeros((1, 3)), make_active_set(data))[0] > 3


def test_fewer_environments_than_functions_and_none():
    rng = np.random.default_rng(5)
    few = rng.normal(size=(3, 6))
    active = make_active_set(few)
    assert grades(few, active).max() < 1.01
    assert grades(rng.normal(size=(1, 6)), active)[0] > 100
    alone = make_active_set(np.zeros((1, 6)))  # a single atom far from all others
    assert grades(np.zeros((1, 6)), alone)[0] <= 1.01
    assert grades(np.full((1, 6), 0.1), alone)[0] > 100
    assert np.isfinite(grades(np.ones((1, 2)), make_active_set(np.zeros((0, 2))))).all()
