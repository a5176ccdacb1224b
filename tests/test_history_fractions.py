"""Fractions and their bands, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from example import example_history
from tammann.analysis import final_mole_fractions

COLUMNS = [
    "time_h",
    "sweep",
    "programme_h",
    "temperature_K",
    "phase",
    "mole_fraction",
    "mole_fraction_low",
    "mole_fraction_high",
    "mass_fraction",
    "volume_fraction",
]


@pytest.fixture(scope="module")
def history():
    return example_history()


def test_phase_fractions_has_the_columns_of_the_csv_and_ordered_bands(history):
    table = history.phase_fractions()
    assert table.columns.tolist() == COLUMNS
    assert len(table) == history.lattice.sweep.size * 5
    assert (table.mole_fraction_low <= table.mole_fraction).all()
    assert (table.mole_fraction <= table.mole_fraction_high).all()
    assert (table.mole_fraction_low < table.mole_fraction_high).any()
    assert table.sweep.is_monotonic_increasing


def test_fractions_of_one_realization_add_up_to_one(history):
    one = replace(history, moles=history.moles[:1])
    table = one.phase_fractions()
    for column in ("mole_fraction", "mass_fraction", "volume_fraction"):
        np.testing.assert_allclose(table.groupby("sweep")[column].sum(), 1, atol=1e-12)
    assert (table.mole_fraction_low == table.mole_fraction).all()
    assert (table.mole_fraction_high == table.mole_fraction).all()


def test_median_and_percentiles_by_hand(history):
    frame, phase = 60, history.phases.index("Ba2TiO4")
    x = history.moles[:, frame, phase] / history.moles[:, frame].sum(axis=1)
    row = history.phase_fractions().query("phase == 'Ba2TiO4'").iloc[frame]
    ordered = np.sort(x)
    assert row.mole_fraction == pytest.approx((ordered[1] + ordered[2]) / 2)
    # Four values: the 5th percentile lies 0.15 of the way from the lowest to the next.
    assert row.mole_fraction_low == pytest.approx(ordered[0] + 0.15 * (ordered[1] - ordered[0]))
    assert row.mole_fraction_high == pytest.approx(ordered[3] - 0.15 * (ordered[3] - ordered[2]))


def test_mass_and_volume_fractions_by_hand(history):
    # 1 mol BaO (153.326 g) and 1 mol TiO2 (79.865 g) at the start.
    start = history.phase_fractions().iloc[:5].set_index("phase")
    assert start.mole_fraction["BaO"] == pytest.approx(0.5)
    assert start.mass_fraction["BaO"] == pytest.approx(153.326 / (153.326 + 79.865))
    assert start.volume_fraction["TiO2"] == pytest.approx(1.88 / (1.88 + 2.67))


def test_time_is_empty_without_a_calibration():
    table = example_history(calibrated=False).phase_fractions()
    assert table.time_h.isna().all()
    assert ",sweep" in table.to_csv(index=False).splitlines()[0]
    assert table.to_csv(index=False).splitlines()[1].startswith(",0.0,0.0,300.0,BaO,0.5")


def test_phases_that_never_appear_are_left_out(history):
    moles = np.concatenate([history.moles, np.zeros((*history.moles.shape[:2], 1))], axis=2)
    wider = replace(
        history,
        phases=(*history.phases, "BaTi4O9"),
        moles=moles,
        molar_mass_kg=np.append(history.molar_mass_kg, 0.4729),
        molar_volume_m3=np.append(history.molar_volume_m3, 1e-4),
        composition=np.vstack([history.composition, [1, 9, 4]]),
    )
    assert "BaTi4O9" not in set(wider.phase_fractions().phase)
    moles[2, 7, -1] = 1e-6  # one realization, one frame
    table = replace(wider, moles=moles).phase_fractions()
    assert (table.phase == "BaTi4O9").sum() == history.lattice.sweep.size
    assert "BaTi4O9" in final_mole_fractions(replace(wider, moles=moles))


def test_same_history_gives_the_same_bytes():
    one, two = (example_history(seed=3).phase_fractions().to_csv(index=False) for _ in range(2))
    assert one == two


def test_final_fractions_are_the_last_rows(history):
    table = history.phase_fractions()
    last = table[table.sweep == table.sweep.max()].set_index("phase").mole_fraction
    final = final_mole_fractions(history)
    assert list(final) == last.sort_values(ascending=False).index.tolist()
    assert final == pytest.approx(last.to_dict())
    mass = history.table("mass")
    assert mass["median"].iloc[0] == pytest.approx(0.813, abs=0.01)
