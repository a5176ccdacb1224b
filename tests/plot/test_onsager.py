"""The matrix of Onsager coefficients, checked by the numbers in the figure."""

import numpy as np

from tammann.plot import plot_onsager_matrix
from tammann.transport import OnsagerCoefficients


def test_matrix_holds_numbers_errors_and_normalised_colours():
    L = 1e38 * np.array([[2.0, -0.5], [-0.5, 8.0]])
    found = OnsagerCoefficients("BaO", 2000.0, ("Ba", "O"), L, 1e38 * np.array([4.0, 8.0]), L_stderr=0.1 * np.abs(L))
    ax = plot_onsager_matrix(found)
    assert [text.get_text() for text in ax.texts] == [
        "2.00\n± 0.20",
        "−0.500\n± 0.050",
        "−0.500\n± 0.050",
        "8.00\n± 0.80",
    ]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.5, -0.5 / 32**0.5], [-0.5 / 32**0.5, 1.0]])
    assert "10^{38}" in ax.get_title()
    assert len(ax.get_figure().axes) == 2
    immobile = OnsagerCoefficients("BaO", 2000.0, ("Ba", "O"), np.diag([0.0, 1e38]), np.array([0.0, 1e38]))
    assert plot_onsager_matrix(immobile).images[0].get_array()[0, 0] == 0.0
