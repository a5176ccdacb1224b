"""Figures of orderings: what is filled, what is joined, where corners lie."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot.orderings import plot_composition_line, plot_composition_map, plot_formation_energies
from tammann.thermo.composition_hull import composition_hull

BINARY = composition_hull(
    ["LiCl", "LiBr", "Li2BrCl", "Li4BrCl3", "Li2BrCl"], [-8.0, -7.0, -15.4, -31.0, -15.2], formula_units=[1, 1, 2, 4, 2]
)
BR = ("Br", ("Br", "Cl"))


def lines(ax, marker):
    return [line for line in ax.lines if line.get_marker() == marker and len(line.get_xdata())]


def test_the_hull_joins_stable_structures():
    ax = plot_formation_energies(BINARY, BR, per="formula", kept=[4])
    (joined,) = [line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3]
    assert joined.get_xdata().tolist() == [0.0, 0.5, 1.0]
    assert joined.get_ydata() == pytest.approx([0.0, -200.0, 0.0])
    open_circles, filled = lines(ax, "o")
    assert open_circles.get_xdata().tolist() == [0.25]
    assert sorted(filled.get_xdata().tolist()) == [0.0, 0.5, 1.0]
    (cross,) = lines(ax, "x")
    assert cross.get_ydata() == pytest.approx([-100.0])


def test_series_of_a_second_share():
    rows = [("In", "Cl6"), ("In", "Br6"), ("Y", "Cl6"), ("Y", "Br6"), ("In", "Br3Cl3"), ("Y", "Br3Cl3")]
    hull = composition_hull([f"Li3{m}{x}" for m, x in rows], [-40.0, -36.0, -41.0, -38.0, -38.1, -39.4])
    ax = plot_formation_energies(hull, BR, series=("Y", ("In", "Y")))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["Y 0", "Y 1", "on the hull", "above it"]


def test_nothing_to_draw():
    with pytest.raises(DataError, match="share: expected elements of"):
        plot_formation_energies(BINARY, ("I", ("I", "Cl")))


def test_maps():
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5]], dtype=float)
    ax = plot_composition_map(square, [0, 0, 0, 0, 0.0123], labels=("a", "b"), values=np.arange(5.0), value_label="z")
    assert [text.get_text() for text in ax.texts] == ["12.3"]
    assert len(ax.figure.axes) == 2
    triangle = plot_composition_map(np.eye(3), [0, 0, 0], labels="ABC")
    assert [text.get_text() for text in triangle.texts] == ["A", "B", "C"]
    points = next(line for line in triangle.lines if line.get_marker() == "o").get_xydata()
    assert points == pytest.approx(np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]]))


@pytest.mark.parametrize(
    ("shares", "above", "options", "message"),
    [
        (np.eye(3) * 2, [0, 0, 0], {"labels": "ABC"}, "sum to 1"),
        (np.eye(2), [0], {"labels": "AB"}, "expected shape"),
        (np.eye(2), [0, 0], {"labels": "ABC"}, "labels: expected 2"),
        (np.eye(2), [0, 0], {"labels": "AB", "values": [1.0, 2.0]}, "at least three"),
    ],
)
def test_what_cannot_be_drawn(shares, above, options, message):
    with pytest.raises(DataError, match=message):
        plot_composition_map(shares, above, **options)


def test_a_line():
    known, band = [np.nan, 1e-3, 1e-2, 1e-4], (np.full(4, 1e-5), np.full(4, 1e-1))
    ax = plot_composition_line([0.2, 1, 0, 0.5], known, [0, 0, 0, 0.005], label="x", value_label="y", band=band)
    line, filled, opened = ax.lines
    assert line.get_xdata().tolist() == [0.0, 0.5, 1.0]
    assert (len(filled.get_xdata()), opened.get_xdata().tolist()) == (2, [0.5])
    assert [text.get_text() for text in ax.texts] == ["5"] and ax.get_yscale() == "log"
    with pytest.raises(DataError, match="above zero, got none"):
        plot_composition_line([0], [0.0], [0], label="x", value_label="y")
    with pytest.raises(DataError, match="values: expected shape"):
        plot_composition_line([0], [1.0, 2.0], [0], label="x", value_label="y")


def test_some_of_the_structures():
    ax = plot_formation_energies(BINARY, BR, which=[0, 1, 3])
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert sorted(dots[0].get_xdata().tolist()) == [0.0, 0.25, 1.0]
