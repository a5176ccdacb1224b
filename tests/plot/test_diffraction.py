import numpy as np
import pytest

from tammann.characterization.diffraction import (
    MeasuredPattern,
    Peak,
    Resolution,
    compare_with_measured,
    diffract,
    williamson_hall,
)
from tammann.errors import DataError
from tammann.plot.diffraction import (
    plot_agreement,
    plot_pair_functions,
    plot_partials,
    plot_patterns,
    plot_williamson_hall,
)
from tammann.structures.configuration import Configuration

CRYSTAL = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.06, 2.06, 2.06]]), 4.12 * np.eye(3))


@pytest.fixture(scope="module")
def found():
    widths = {"sharp": 0.05, "broad": 0.15}
    return {
        label: diffract(CRYSTAL, q_max_per_A=5.0, q_step_per_A=0.01, r_max_A=15.0, resolution=Resolution(width))
        for label, width in widths.items()
    }


def test_patterns_stand_one_above_the_other(found):
    ax = plot_patterns({label: one.pattern for label, one in found.items()}, marks=[1.525, 2.157])
    below, above = ax.lines[0].get_ydata(), ax.lines[1].get_ydata()
    assert np.min(above) > np.max(below) * 0.9
    np.testing.assert_allclose(above - above.min(), found["broad"].pattern.intensity, atol=2.0)
    assert {text.get_text() for text in ax.texts} == {"sharp", "broad"}


def test_each_has_its_own_scale_on_request(found):
    ax = plot_patterns({label: one.pattern for label, one in found.items()}, each=True)
    assert [np.ptp(line.get_ydata()) for line in ax.lines] == pytest.approx([1.0, 1.0], abs=0.05)


def test_two_theta_is_the_axis_where_a_wavelength_is_given(found):
    ax = plot_patterns({"sharp": found["sharp"].pattern}, wavelength="CuKa1")
    assert ax.lines[0].get_xdata()[-1] == pytest.approx(75.6, abs=0.2)
    assert "theta" in ax.get_xlabel()


def test_x_rays_are_not_drawn_beside_neutrons(found):
    neutrons = diffract(CRYSTAL, radiation="neutron", r_max_A=5.0).pattern
    with pytest.raises(DataError, match="2 radiations"):
        plot_patterns({"x": found["sharp"].pattern, "n": neutrons})
    with pytest.raises(DataError, match="no pair function"):
        plot_pair_functions({})


def test_pair_functions_have_their_zeros(found):
    ax = plot_pair_functions({label: one.pair_function for label, one in found.items()})
    assert len(ax.lines) == 4


def test_partials_are_drawn_with_their_sum(found):
    ax = plot_partials(found["sharp"].pattern)
    curves = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(curves["Cs-Cs"] + curves["Cs-Cl"] + curves["Cl-Cl"], curves["sum"], atol=1e-6)


def test_the_difference_stands_below_the_measurement(found):
    pattern = found["sharp"].pattern
    noise = np.random.default_rng(1).normal(0.0, 20.0, len(pattern.q_per_A))
    measured = MeasuredPattern(pattern.q_per_A, 2.0 * pattern.intensity + noise)
    ax = plot_agreement(compare_with_measured(measured, pattern.q_per_A, pattern.intensity))
    difference = next(line for line in ax.lines if line.get_label() == "difference")
    assert np.max(difference.get_ydata()) < np.min(measured.y)
    assert "R_w" in ax.texts[0].get_text()


def test_the_line_of_williamson_and_hall_goes_through_its_points():
    peaks = [Peak(q, 0.1 + 0.004 * q, 0.1, 1.0, 0.0, 0.0) for q in (2.0, 3.0, 4.0)]
    ax = plot_williamson_hall({"grains": williamson_hall(peaks)})
    assert ax.lines[1].get_ydata()[0] == pytest.approx(0.1)
