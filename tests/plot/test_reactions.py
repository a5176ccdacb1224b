"""Gibbs energies of reactions against temperature."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot import plot_reaction_energies
from tammann.plot.reactions import equation_label
from tammann.reactions import enumerate_reactions, reaction_energy
from tammann.thermo import load_phases


@pytest.fixture(scope="module")
def reactions():
    return enumerate_reactions(load_phases("Ba-Ti-O"), reactants=["BaCO3", "TiO2"])


def test_lines_are_the_energies_and_labels_name_them(reactions):
    few = reactions[:5]
    ax = plot_reaction_energies(few, temperatures_K=[900.0, 1300.0], partial_pressure_Pa={"CO2": 40.5})
    lines = [line for line in ax.lines if list(line.get_xdata()) == [900.0, 1300.0]]
    energy = reaction_energy(few, [900.0, 1300.0], partial_pressure_Pa={"CO2": 40.5})
    np.testing.assert_allclose([line.get_ydata() for line in lines], 1000.0 * energy.T)
    assert len({line.get_color() for line in lines}) == 5
    assert {text.get_text() for text in ax.texts} == {equation_label(reaction) for reaction in few}
    assert ax.get_title(loc="left").startswith("energies: assessed; ") and "40.5 Pa" in ax.get_title(loc="left")
    assert "meV/atom" in ax.get_ylabel()


def test_labels_do_not_overlap(reactions):
    ax = plot_reaction_energies(reactions[:10])
    ax.figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1.0 for low, high in zip(boxes, boxes[1:], strict=False))
    assert max(box.x1 for box in boxes) <= ax.figure.bbox.x1


def test_more_than_a_figure_tells_apart_is_refused(reactions):
    with pytest.raises(DataError, match="expected 1 to 16 for one figure, got 17"):
        plot_reaction_energies(reactions.take(np.zeros(17, dtype=int)))
    with pytest.raises(DataError, match="got 0"):
        plot_reaction_energies(reactions[:0])
