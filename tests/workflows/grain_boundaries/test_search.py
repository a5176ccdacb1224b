"""The search for the best translation: resumed piece by piece, failures written down."""

import json

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError, ResultError
from tammann.workflows.grain_boundaries import boundary_folder, load_grain_boundaries, run_grain_boundaries, search

SIGMA_5 = "sigma 5 about 0 0 1"


@pytest.mark.slow
def test_a_killed_run_is_resumed_and_boundaries_are_added(tiny, monkeypatch):
    both = [{"sigma": 5}, {"angle_deg": 0.0}]
    plain, calls = search.relax_structure, []
    whole = run_grain_boundaries(tiny(boundaries=both), "whole")

    def killed(*arguments, steps, **options):
        calls.append(steps)
        if len(calls) == 10:  # two crystals twice, four translations, and the second relaxation
            raise KeyboardInterrupt
        return plain(*arguments, steps=steps, **options)

    monkeypatch.setattr(search, "relax_structure", killed)
    with pytest.raises(KeyboardInterrupt):
        run_grain_boundaries(tiny(), "parts")
    with pytest.raises(ResultError, match="resume"):
        run_grain_boundaries(tiny(), "parts")
    assert len(load_grain_boundaries("parts").table()) == 0
    run_grain_boundaries(tiny(), "parts", resume=True)
    assert len(calls) == 11  # what was done is not done again
    monkeypatch.setattr(search, "relax_structure", plain)
    found = run_grain_boundaries(tiny(boundaries=both), "parts", resume=True)
    pd.testing.assert_frame_equal(found.table(), whole.table())
    pd.testing.assert_frame_equal(found.candidates(), whole.candidates())
    with pytest.raises(ResultError, match="steps 100"):
        run_grain_boundaries(tiny(boundaries=both, steps=90), "parts", resume=True)


def test_failures_stand_in_the_table(tiny, monkeypatch):
    plain = search.relax_structure
    failed = []

    def failing(configuration, *arguments, steps, per_atom, **options):
        if per_atom and not failed:
            failed.append(configuration)
            raise DataError("the potential has exploded.")
        return plain(configuration, *arguments, steps=steps, per_atom=per_atom, **options)

    monkeypatch.setattr(search, "relax_structure", failing)
    found = run_grain_boundaries(tiny(), "out")
    (row,) = found.table().itertuples()
    assert (row.relaxed, row.failed, row.failure) == (1, 1, "")
    assert "exploded" in set(found.candidates().failure.str.split().str[-1].str.strip("."))


def test_where_all_fail_the_energy_is_unknown(tiny, monkeypatch):
    plain = search.relax_structure

    def failing(*arguments, per_atom, **options):
        if per_atom:
            raise DataError("the potential has exploded.")
        return plain(*arguments, per_atom=per_atom, **options)

    monkeypatch.setattr(search, "relax_structure", failing)
    found = run_grain_boundaries(tiny(), "out")
    (row,) = found.table().itertuples()
    assert np.isnan(row.energy_J_per_m2) and row.failure == "the potential has exploded." and row.failed == 2
    with pytest.raises(DataError, match="none of this name"):
        found.configuration(SIGMA_5)


def test_every_translation_is_relaxed_where_relax_is_null(tiny):
    found = run_grain_boundaries(tiny(relax=None, gaps_A=[0.0, 0.5], translations=[1, 1], steps=5), "out")
    rows = found.candidates()
    assert rows.gap_A.tolist() == [0.0, 0.5] and rows.energy_J_per_m2.notna().all() and (rows.steps <= 5).all()
    state = json.loads((boundary_folder(found.out, SIGMA_5) / "state.json").read_text())
    assert len(state["bulk"]) == 2 and all(each["converged"] for each in state["bulk"])


def test_of_translations_alike_one_is_relaxed():
    """Same energy and number of atoms; another number of atoms is another structure."""
    rows = [
        {"unrelaxed_J_per_m2": e, "atoms": n} for e, n in ((1.0, 10), (0.5, 10), (0.5 + 1e-9, 10), (0.5, 8), (None, 10))
    ]
    assert search._chosen(rows, 2) == [1, 3] and search._chosen(rows, 3) == [1, 3, 0]
    assert search._chosen(rows, None) == [0, 1, 2, 3]
