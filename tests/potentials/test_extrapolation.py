import numpy as np

from tammann.potentials.extrapolation import grades, make_active_set


def test_grade_is_the_distance_along_a_line():
    # one function: the grade is the value over the largest value of the data
    active = make_active_set(np.array([[0.5], [-2.0], [1.0]]))
    np.testing.assert_allclose(grades(np.array([[1.0], [-3.0], [0.0]]), active), [0.5, 1.5, 0.0])


def test_grade_does_not_depend_on_the_scale_of_functions():
    rng = np.random.default_rng(0)
    data, new = rng.normal(size=(60, 8)), rng.normal(size=(5, 8)) * 3
    scale = 10.0 ** rng.uniform(-6, 6, 8)
    np.testing.assert_allclose(
        grades(new * scale, make_active_set(data * scale)), grades(new, make_active_set(data)), rtol=1e-6
    )


def test_data_have_grades_of_at_most_one():
    data = np.random.default_rng(1).normal(size=(200, 10))
    assert grades(data, make_active_set(data)).max() < 1.01


def test_functions_that_the_data_do_not_tell_apart_are_left_out():
    rng = np.random.default_rng(2)
    data = rng.normal(size=(30, 3))
    data = np.column_stack([data, data[:, 0] + data[:, 1], np.zeros(30)])
    active = make_active_set(data)
    assert len(active.used) == 3
    assert grades(data, active).max() < 1.01
    assert len(make_active_set(rng.normal(size=(4, 7))).used) == 4  # fewer environments than functions
