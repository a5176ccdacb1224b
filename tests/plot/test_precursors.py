"""Sets of precursors on two criteria."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot import plot_precursors
from tammann.plot.precursors import AXES, route_of
from tammann.synthesis import precursor_sets, rank_precursors
from tammann.thermo import load_phases


@pytest.fixture(scope="module")
def table():
    phases = load_phases("Ba-Ti-O")
    return rank_precursors(phases, precursor_sets(phases, "BaTiO3", atmosphere="oxygen", temperature_K=1100))


def test_one_mark_for_sets_that_react_alike(table):
    ax = plot_precursors(table, target="BaTiO3")
    drawn = [container for container in ax.containers]
    alike = table.drop_duplicates(["reacts_as", "by_product"])
    assert len(drawn) == len(alike) < len(table)
    marks = np.array([line[0].get_xydata()[0] for line in drawn])
    np.testing.assert_allclose(marks, alike[["driving_force_meV_per_atom", "lead_meV_per_atom"]].to_numpy())
    assert ax.get_ylabel() == AXES["lead_meV_per_atom"] and "BaTiO" in ax.get_title(loc="right")


def test_names_cover_neither_each_other_nor_the_frame(table):
    ax = plot_precursors(table)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) >= 3
    frame = ax.get_window_extent()
    for k, one in enumerate(boxes):
        assert frame.x0 <= one.x0 and one.x1 <= frame.x1
        assert not any(one.overlaps(other) for other in boxes[k + 1 :])


def test_other_criteria(table):
    ax = plot_precursors(table, x="primary_competition_meV_per_atom", y="secondary_competition_meV_per_atom")
    assert "C_1" in ax.get_xlabel() and "C_2" in ax.get_ylabel()
    with pytest.raises(DataError, match="y: 'leads' is no criterion to draw: expected driving_force"):
        plot_precursors(table, y="leads")
    with pytest.raises(DataError, match="no set of precursors has both"):
        plot_precursors(table.assign(lead_meV_per_atom=np.nan))


def test_routes():
    assert route_of("SrO + TiO2", "") == "oxides"
    assert route_of("Sr(OH)2 + TiO2", "") == route_of("Sr(NO3)2 + TiO2", "") == "hydroxide or nitrate"
    assert route_of("SrCl2 + TiO2", "") == "halide"
