"""Melting and quenching: the schedule, the history it leaves, and a run in pieces."""

import numpy as np
import pytest
from ase.build import bulk

from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.load import load_engine
from tammann.md.melt_quench import STAGES, Quench, QuenchSchedule, melt_quench
from tammann.potentials import imported_potential
from tammann.structures import Configuration

EMT = imported_potential("ase.calculators.emt:EMT")
COPPER = Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))
SHORT = QuenchSchedule(
    melt_K=2500, melt_ps=0.2, hold_K=2000, hold_ps=0.2, rate_K_per_ps=5000, final_K=500, final_ps=0.3, piece_ps=0.2
)


def quench(start=COPPER, schedule=SHORT, **options):
    return melt_quench(start, EMT, schedule, load_engine("ase"), relax_steps=0, **options)


def test_the_pieces_cool_at_the_rate_from_end_to_end():
    schedule = QuenchSchedule(hold_K=2000, final_K=300, rate_K_per_ps=7.0, piece_ps=3.0)
    pieces = schedule.pieces()
    assert sum(piece.duration_ps for piece in pieces) == pytest.approx(schedule.duration_ps)
    assert max(piece.duration_ps for piece in pieces) <= 3.0 + 1e-9
    cooled = [piece for piece in pieces if piece.stage == "quench"]
    for piece in cooled:
        drop = piece.conditions.temperature_K - piece.final_temperature_K
        assert drop / piece.duration_ps == pytest.approx(7.0)
    ends = [piece.final_temperature_K for piece in cooled]
    assert [piece.conditions.temperature_K for piece in cooled] == pytest.approx([2000, *ends[:-1]])
    assert ends[-1] == pytest.approx(300)
    assert {p.conditions.pressure_GPa for p in pieces if p.stage == "melt"} == {None}
    assert {p.conditions.pressure_GPa for p in pieces if p.stage != "melt"} == {0.0}


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"rate_K_per_ps": 0.0}, "rate_K_per_ps: expected a number from"),
        ({"final_K": 2600.0}, "final_K: expected less than hold_K 2500"),
        ({"melt_ps": float("nan")}, "melt_ps"),
        ({"timestep_fs": -1.0}, "timestep_fs"),
    ],
)
def test_schedules_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(RecipeError, match=words):
        QuenchSchedule(**changes)


@pytest.mark.slow
def test_the_history_follows_the_schedule():
    found = quench(seed=3)
    table = found.table()
    assert found.finished and table.stage.unique().tolist() == list(STAGES)
    assert np.all(np.diff(table.time_ps) > 0) and table.time_ps.iloc[-1] == pytest.approx(SHORT.duration_ps)
    melting = table[table.stage == "melt"]
    assert np.ptp(melting.volume_A3) < 1e-9  # at constant volume
    assert np.ptp(table[table.stage == "quench"].volume_A3) > 0.1
    # density from the mass of 32 copper atoms, 63.546 u
    expected = 32 * 63.546 / 0.602214076 / table.volume_A3
    np.testing.assert_allclose(table.density_g_per_cm3, expected, rtol=1e-4)
    # 3/2 k of potential energy over the 1500 K between thermostats; the quench is too fast to lose all of it
    cooled = table[table.stage == "hold"].temperature_K.mean() - found.means()["temperature_K"]
    assert cooled > 300
    lost = table[table.stage == "hold"].energy_eV_per_atom.mean() - found.means()["energy_eV_per_atom"]
    assert lost > 0
    assert sorted(found.configuration.symbols) == sorted(COPPER.symbols)


@pytest.mark.slow
def test_constant_volume_where_no_pressure_is_asked_for():
    constant = QuenchSchedule(**{**vars(SHORT), "pressure_GPa": None, "rate_K_per_ps": 5000})
    assert np.ptp(quench(schedule=constant).samples[:, 5]) < 1e-9


@pytest.mark.slow
def test_a_run_in_pieces_ends_as_an_undisturbed_one(tmp_path):
    kept = []
    whole = quench(seed=5, checkpoint=kept.append)
    assert len(kept) == len(SHORT.pieces()) and not kept[1].finished
    kept[1].save(tmp_path / "state.npz")
    again = quench(Quench.load(tmp_path / "state.npz", SHORT), seed=5)
    np.testing.assert_array_equal(again.samples, whole.samples)
    np.testing.assert_array_equal(again.configuration.positions_A, whole.configuration.positions_A)
    other = quench(seed=6)
    assert not np.array_equal(other.samples, whole.samples)
    (tmp_path / "no.npz").write_text("not a file")
    with pytest.raises(ResultError, match="expected a quench"):
        Quench.load(tmp_path / "no.npz", SHORT)


@pytest.mark.slow
def test_progress_rises_with_the_stages():
    told = []
    quench(progress=lambda *news: told.append(news))
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert list(dict.fromkeys(what for _, what, _ in told[:-1])) == list(STAGES)


def test_a_potential_that_fails_ends_it():
    with pytest.raises(DataError):
        quench(Configuration(("Cu", "Cu"), np.zeros((2, 3)), 5.0 * np.eye(3)))


def test_means_without_annealing_are_of_the_end():
    """Half of a quench lies at other temperatures."""
    schedule = QuenchSchedule(rate_K_per_ps=100.0, final_ps=0.0)
    kelvin = np.array([2500.0, 1900.0, 1300.0, 700.0, 300.0])
    rows = np.column_stack([np.full(5, STAGES.index("quench")), np.arange(5.0), kelvin, kelvin, -3.0 - kelvin / 1e4,
                            400.0 + kelvin / 100, np.zeros(5)])  # fmt: skip
    assert Quench(COPPER, schedule, rows, 1).means()["temperature_K"] == 300.0
    rows[:, 0] = STAGES.index("anneal")
    assert Quench(COPPER, schedule, rows, 1).means()["temperature_K"] == pytest.approx((1300 + 700 + 300) / 3)
