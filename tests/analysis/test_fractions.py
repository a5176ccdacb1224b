"""Conversion and baselines against hand counts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from example import example_history
from tammann.analysis import (
    beside_baselines,
    conversion,
    fallback_share,
    out_of_equilibrium,
    precursors,
    reaction_flow,
    temperature_regimes,
    unreacted,
)
from tammann.analysis.fractions import null_name
from tammann.errors import ResultError
from tammann.history import History


def test_precursors_and_conversion(history, carbonate):
    assert precursors(history) == ("BaO", "TiO2")
    assert precursors(carbonate) == ("BaCO3", "TiO2")
    y = conversion(history, "TiO2")
    k = history.phases.index("TiO2")
    np.testing.assert_allclose(y.conversion, 1 - np.median(history.moles[:, :, k], axis=0), atol=1e-12)
    assert y.conversion.iloc[0] == 0
    assert set(conversion(history).precursor) == {"BaO"}  # used up further than TiO2
    left = unreacted(history).set_index("phase").left
    assert left["TiO2"] == pytest.approx(1 - y.conversion.iloc[-1])
    with pytest.raises(ResultError, match="'BaTiO3' was not there at the start; choose one of BaO, TiO2"):
        conversion(history, "BaTiO3")


def test_beside_baselines_wants_a_difference_from_both(history):
    null = example_history(seed=5)
    same = beside_baselines(history, null=null, equilibrium={"BaTiO3": 0.9, "BaTi2O5": 0.1})
    assert not same.differs.any()  # the null agrees with the run
    other = replace(null, moles=np.roll(null.moles, 1, axis=2))
    table = beside_baselines(history, null=other, equilibrium={"BaTiO3": 0.9, "BaTi2O5": 0.1}).set_index("phase")
    assert table.differs["BaTiO3"]
    assert beside_baselines(history, null=other, equilibrium=None).differs.any() == np.False_
    one = replace(history, moles=history.moles[:1])
    assert not beside_baselines(one, null=other, equilibrium={"BaTiO3": 0.9}).differs.any()


def test_equilibrium_over_temperature_is_read_at_the_last_one(history):
    rows = [(300.0, "BaTiO3", 1.0), (1490.0, "BaTiO3", 0.7), (1490.0, "BaTi2O5", 0.3)]
    table = pd.DataFrame(rows, columns=["temperature_K", "phase", "mole_fraction"])
    found = beside_baselines(history, equilibrium=table).set_index("phase").equilibrium
    assert found["BaTiO3"] == 0.7
    assert found["BaTi2O5"] == 0.3
    assert found["BaO"] == 0.0


def test_out_of_equilibrium_counts_atoms(history):
    # 1 mol BaTiO3 (5 atoms) and 1 mol TiO2 (3 atoms); equilibrium has all eight in BaTi2O5.
    moles = history.moles.copy()
    moles[:, -1] = [0, 1, 1, 0, 0]
    run = replace(history, moles=moles)
    assert out_of_equilibrium(run, {"BaTi2O5": 1.0}) == pytest.approx(1)
    assert out_of_equilibrium(run, {"BaTiO3": 0.5, "TiO2": 0.5}) == pytest.approx(0)
    assert out_of_equilibrium(run, {"BaTiO3": 1.0}) == pytest.approx(3 / 8)
    # A phase that the run does not know: Ba6Ti17O40 with 63 atoms, BaTiO3 with 5.
    assert out_of_equilibrium(run, {"BaTiO3": 0.5, "Ba6Ti17O40": 0.5}) == pytest.approx(1 - 5 / 68)


def test_a_history_without_a_lattice_has_the_same_numbers(history):
    """Analysis needs nothing that belongs to the grid: an engine in hours fills no sweeps, ledgers or visits."""
    bare = replace(history, lattice=None)
    for of in (
        unreacted, conversion, lambda h: beside_baselines(h, null=h), lambda h: temperature_regimes(h, h),
        lambda h: h.phase_fractions(), lambda h: h.table(), lambda h: reaction_flow(h).links,
    ):  # fmt: skip
        tables = [of(run).drop(columns="sweep", errors="ignore") for run in (bare, history)]
        pd.testing.assert_frame_equal(*tables)
    assert fallback_share(bare) == fallback_share(history)


def test_what_needs_no_reactions_works_for_reactive_diffusion():
    run = History.example("reactive-diffusion")
    assert precursors(run) == ("BaO", "TiO2") and null_name(run) == "equal conductivities"
    assert conversion(run, "TiO2").conversion.is_monotonic_increasing
    assert unreacted(run).left.between(0, 1).all()
    table = beside_baselines(run, null=run, equilibrium={"BaTiO3": 1.0})
    assert not table.differs.any() and 0 < out_of_equilibrium(run, {"BaTiO3": 1.0}) < 0.3
