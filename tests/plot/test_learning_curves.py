"""Learning curves: points are means over seeds, bars their standard deviation, in the units of the axis."""

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError
from tammann.plot import plot_learning_curves

TABLE = pd.DataFrame(
    [(mode, size, seed, e * (1 + 0.1 * seed) / size) for mode, e in (("fine-tuned", 1.0), ("from-scratch", 3.0))
     for size in (5, 10, 40) for seed in (-1, 0, 1)],
    columns=["mode", "size", "seed", "energy_rmse_eV_per_atom"],
)  # fmt: skip


def test_means_and_bars_over_seeds():
    ax = plot_learning_curves(TABLE, "energy_rmse_eV_per_atom", before=0.5)
    first = ax.containers[0]
    np.testing.assert_allclose(first.lines[0].get_ydata(), [200, 100, 25])  # meV
    segment = first.lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [180, 220])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "before training",
        "fine-tuned",
        "from-scratch",
    ]
    assert ax.get_ylabel() == "RMSE of energies (meV/atom)" and ax.get_xscale() == ax.get_yscale() == "log"


def test_one_seed_has_no_bar():
    ax = plot_learning_curves(TABLE[TABLE.seed == 0], "energy_rmse_eV_per_atom")
    assert all(np.ptp(s[:, 1]) == 0 for s in ax.containers[0].lines[2][0].get_segments())


def test_unknown_quantities_are_refused():
    with pytest.raises(DataError, match="quantity: expected one of energy_rmse_eV_per_atom, got 'beauty'"):
        plot_learning_curves(TABLE, "beauty")
