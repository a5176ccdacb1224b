"""Figures of grain boundaries: what they show is what they were given."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot.grain_boundaries import (
    plot_boundary_energies,
    plot_coincidences,
    plot_grains,
    plot_translations,
)
from tammann.structures import Configuration
from tammann.structures.coincidence import find_coincidences

ROW = Configuration(
    ("Cu",) * 4, np.array([[1.0, 1, 1], [1, 3, 5], [1, 5, 9], [15, 1, 1]]), 20.0 * np.eye(3)
).with_labels(grain=[1, 1, 2, 2], depth_A=[0.0, 1.0, 2.0, 3.0])


def test_energies_are_drawn_by_angle():
    ax = plot_boundary_energies({"a": [(9.5, 0.8), (1.5, 0.3)], "b": [(1.5, 0.4)]}, names={1.5: "Sigma 25"})
    assert ax.lines[0].get_xydata().tolist() == [[1.5, 0.3], [9.5, 0.8]]
    assert ax.texts[0].get_text() == "Σ25" and ax.texts[0].xy == (1.5, 0.4)
    assert ax.get_legend() is not None and ax.get_xlim()[0] == 0.0


def test_coincidences_are_named_by_sigma():
    found = find_coincidences(4.0 * np.eye(3), (0, 0, 1), largest_sigma=13, largest_strain=0.0)
    ax = plot_coincidences(found)
    assert [text.get_text() for text in ax.texts] == ["Σ5", "Σ13"]
    np.testing.assert_allclose(ax.collections[0].get_offsets()[:, 0], [36.87, 22.62], atol=0.01)


def test_the_lowest_translation_is_marked():
    ax = plot_translations([[3.0, 2.0], [1.0, 4.0]], edges_A=(8.0, 6.0))
    assert ax.lines[0].get_xydata().tolist() == [[4.0, 0.0]]


def test_a_slice_shows_its_atoms():
    ax = plot_grains(ROW, along=0)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[1, 1], [3, 5], [5, 9]])
    colours = ax.collections[0].get_facecolor()
    assert (colours[0] == colours[1]).all() and (colours[0] != colours[2]).any()
    ax = plot_grains(ROW, label="depth_A", along=0, slice_A=(10.0, 16.0))
    assert ax.collections[0].get_array().tolist() == [3.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plot_boundary_energies({"a": []}), "at least one pair"),
        (lambda: plot_coincidences([]), "at least one, got none"),
        (lambda: plot_translations([1.0, 2.0], edges_A=(1, 1)), "a table of finite numbers"),
        (lambda: plot_grains(ROW, label="colour"), r"expected one of the labels of the structure \(grain, depth_A\)"),
        (lambda: plot_grains(ROW, along=3), "the axis 0, 1 or 2"),
        (lambda: plot_grains(ROW, slice_A=(16.0, 19.0)), "no atom lies between"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()
