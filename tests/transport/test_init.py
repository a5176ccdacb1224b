"""Objects of this room in a notebook: one line, a short table, all of it as a data frame."""

import numpy as np
import pytest

from tammann.transport import (
    displacement_correlations,
    ionic_conductivity,
    load_transport,
    measure_onsager,
)
from transport.walks import correlated_walk


@pytest.fixture(scope="module")
def objects():
    curves = displacement_correlations(correlated_walk(np.random.default_rng(1), 3000))
    measured = measure_onsager(curves, temperature_K=1000.0)
    sigma = ionic_conductivity(measured, charges={"Na": 1, "Cl": -1})
    return load_transport("karan-2026"), load_transport("karan-2026").entries[0], curves, measured, sigma


def test_one_line_and_a_short_table(objects):
    for thing in objects:
        assert len(repr(thing)) < 160 and "\n" not in repr(thing) and type(thing).__name__ in repr(thing)
        assert len(thing._repr_html_()) < 20_000 and "<table" in thing._repr_html_()


def test_tables_hold_the_numbers(objects):
    table, entry, curves, measured, sigma = objects
    assert len(table.table()) == len(table.entries)
    assert table.table()["L_BaBa"].iloc[0] == table.entries[0].L[0, 0]
    assert entry.table()["L_Ti"].tolist() == entry.L[:, 1].tolist()
    np.testing.assert_array_equal(curves.table()["collective_Na_Cl_A2"], curves.collective_part()[0, 1])
    np.testing.assert_array_equal(measured.table()["D_m2_per_s"], measured.D_m2_per_s)
    assert sigma.table()["transference"].sum() == pytest.approx(1.0)
