"""The energy left: the numbers of the table, in meV."""

import numpy as np

from tammann.analysis import gibbs_left
from tammann.history import History
from tammann.plot import plot_gibbs_left


def test_the_line_is_the_table():
    run = History.example("reactive-diffusion")
    ax = plot_gibbs_left(run)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e3 * gibbs_left(run).gibbs_left_eV_per_atom)
    assert ax.get_ylim()[0] == 0 and len(ax.child_axes) == 1
