"""Figures of quenches."""

import numpy as np
import pandas as pd

from tammann.plot.quenches import quench_figure


def history(rate):
    target = np.linspace(2000.0, 300.0, 200)
    stage = ["quench"] * 200 + ["anneal"] * 20
    target = np.concatenate([target, np.full(20, 300.0)])
    return pd.DataFrame(
        {
            "stage": stage,
            "target_K": target,
            "density_g_per_cm3": 4 - target / 2e3 / rate,
            "energy_eV_per_atom": target / 1e3,
        }
    )


def test_rates_have_one_entry_each_and_means_lie_on_the_curve():
    figure = quench_figure({"10 K/ps, 1": history(1.0), "10 K/ps, 2": history(1.1), "100 K/ps, 1": history(2.0)})
    density, energy = figure.axes
    assert [text.get_text() for text in density.get_legend().get_texts()] == ["10 K/ps", "100 K/ps"]
    x, y = energy.lines[0].get_data()
    np.testing.assert_allclose(np.asarray(y, float), np.asarray(x, float) / 1e3)
    assert len(density.lines) == 6
