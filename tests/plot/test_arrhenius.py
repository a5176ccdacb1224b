"""Arrhenius plots, checked by the numbers in them."""

import numpy as np
import pytest

from plot.walks import no_overlap
from tammann.errors import DataError
from tammann.plot import plot_arrhenius
from tammann.plot.arrhenius import _round_temperatures
from tammann.transport import fit_arrhenius


def fits():
    T = np.array([1800.0, 2100.0, 2500.0, 3000.0])
    values = {"Ba": 2e-7 * np.exp(-1.2 / (8.617e-5 * T)), "O": 1e-7 * np.exp(-0.8 / (8.617e-5 * T))}
    return {name: fit_arrhenius(T, value, 0.1 * value) for name, value in values.items()}


def test_arrhenius_has_points_lines_bands_and_both_axes():
    ax = plot_arrhenius(fits())
    lines = [line for line in ax.lines if len(line.get_xdata()) == 80]
    assert len(lines) == 2 and len(ax.containers) == 2
    x, y = (np.array(part) for part in lines[0].get_data())
    assert np.polyfit(x, np.log(y), 1)[0] == pytest.approx(-1.2 / 8.617333e-5 / 1000, rel=1e-3)
    assert any("0.80 ±" in text.get_text() and "eV" in text.get_text() for text in ax.texts)
    (above,) = ax.child_axes
    assert above.get_xlabel() == "$T$ (K)" and len(above.get_xticks()) >= 4
    assert no_overlap(ax) == 2
    assert plot_arrhenius(fits()["O"]).texts[0].get_text().startswith("0.80")


@pytest.mark.parametrize(("low", "high"), [(300, 320), (300, 900), (1800, 3000), (1200, 3000), (900, 1100)])
def test_temperatures_above_are_round_and_apart(low, high):
    ticks = np.array(_round_temperatures(low, high))
    assert 3 <= len(ticks) <= 9
    assert (ticks >= low).all() and (ticks <= high).all()
    assert (-np.diff(1 / ticks) >= 0.1299 * (1 / low - 1 / high)).all()


def test_refusals():
    with pytest.raises(DataError, match="no fit"):
        plot_arrhenius({})
