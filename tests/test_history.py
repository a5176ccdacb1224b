"""Histories come back from disk as they were, and those of an ensemble join whatever their channels."""

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from automaton import toys
from example import example_history
from histories import assert_same
from tammann.automaton import simulate
from tammann.errors import ResultError
from tammann.history import History


@pytest.fixture(scope="module")
def history():
    rates = toys.rate_table(
        toys.OXIDES, {"BaO + TiO2 -> BaTiO3": 0.3, "2 BaO + TiO2 -> Ba2TiO4": 0.2}, exchange={"BaO": 0.1}
    )
    return simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=10), rates, realizations=2)


@pytest.mark.parametrize("kind", ["run", "carbonate", "uncalibrated", "no lattice"])
def test_round_trip(kind, history, tmp_path):
    saved = {
        "run": history,
        "carbonate": example_history(carbonate=True, size=6),
        "uncalibrated": example_history(calibrated=False, size=6),
        "no lattice": replace(example_history(size=6), lattice=None),
    }[kind]
    saved.save(tmp_path / "history.npz")
    assert_same(History.open(tmp_path / "history.npz"), saved, ignore=())
    assert [entry.name for entry in tmp_path.iterdir()] == ["history.npz"]


def test_a_spoilt_file_is_refused_in_one_sentence(history, tmp_path):
    path = tmp_path / "history.npz"
    with pytest.raises(ResultError, match="does not exist"):
        History.open(path)
    history.save(path)
    whole = path.read_bytes()
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ResultError, match="not a whole history"):
            History.open(path)
    path.write_bytes(whole[:300] + bytes(100) + whole[400:])
    with pytest.raises(ResultError):
        History.open(path)
    np.savez(path, texts=np.array("{}"), moles=np.zeros(3))
    with pytest.raises(ResultError, match="another version"):
        History.open(path)
    np.savez(path, moles=np.zeros(3))
    with pytest.raises(ResultError):
        History.open(path)
    np.save(tmp_path / "plain.npy", np.zeros(3))
    with pytest.raises(ResultError):
        History.open(tmp_path / "plain.npy")
    path.write_text("phase,moles\n")
    with pytest.raises(ResultError):
        History.open(path)


def test_joining_keeps_each_as_it_was():
    parts = [example_history(realizations=n, seed=n, size=4) for n in (1, 3)]
    joined = History.join(parts)
    assert joined.realizations == 4
    for name in (
        "moles",
        "lattice.ledger_moles",
        "gas_moles",
        "extent",
        "lattice.arrested",
        "element_drift",
        "lattice.visits",
    ):
        value = attrgetter(name)
        np.testing.assert_array_equal(value(joined), np.concatenate([value(part) for part in parts]), err_msg=name)
    np.testing.assert_array_equal(joined.lattice.snapshots, parts[0].lattice.snapshots)
    assert_same(History.join([parts[0]]), parts[0])


def reorder(history, phases, channels):
    """The same history with its phases and channels in another order, or with fewer channels."""
    where = np.empty(len(phases), dtype=int)
    where[phases] = np.arange(len(phases))
    codes = np.concatenate([[0], where + 1]).astype(np.uint8)
    return replace(
        history,
        phases=tuple(history.phases[p] for p in phases),
        composition=history.composition[phases],
        molar_volume_m3=history.molar_volume_m3[phases],
        molar_mass_kg=history.molar_mass_kg[phases],
        molten=history.molten[:, phases],
        moles=history.moles[:, :, phases],
        equations=tuple(history.equations[c] for c in channels),
        reactants=np.where(history.reactants >= 0, where[history.reactants], -1)[channels],
        products=np.where(history.products >= 0, where[history.products], -1)[channels],
        reactant_coefficients=history.reactant_coefficients[channels],
        product_coefficients=history.product_coefficients[channels],
        gas_coefficients=history.gas_coefficients[channels],
        fallback=history.fallback[channels],
        extent=history.extent[:, :, channels],
        lattice=replace(
            history.lattice,
            ledger_moles=history.lattice.ledger_moles[:, :, phases],
            snapshots=codes[history.lattice.snapshots],
        ),
    )


def test_joining_matches_phases_and_channels_by_name():
    one, two = (example_history(realizations=2, seed=seed, carbonate=True, size=4) for seed in (1, 2))
    n, channels = len(one.phases), len(one.equations)
    rng = np.random.default_rng(4)
    shuffled = reorder(two, rng.permutation(n), rng.permutation(channels))
    assert_same(History.join([one, shuffled]), History.join([one, two]))
    # the other way round, names come in the other's order, and amounts follow them
    turned = History.join([shuffled, one])
    for k, name in enumerate(turned.phases):
        np.testing.assert_array_equal(turned.moles[2:, :, k], one.moles[:, :, one.phases.index(name)])
        first = shuffled.phases.index(name) + 1
        np.testing.assert_array_equal(turned.lattice.snapshots == k + 1, shuffled.lattice.snapshots == first)
    for c, text in enumerate(turned.equations):
        mine = one.equations.index(text)
        names = [[h.phases[p] if p >= 0 else None for p in h.reactants[k]] for h, k in ((turned, c), (one, mine))]
        assert names[0] == names[1]
        np.testing.assert_array_equal(turned.extent[2:, :, c], one.extent[:, :, mine])


def test_joining_histories_of_different_channels():
    """A phase that only one member of an ensemble makes is there with amount zero in the others."""
    common = toys.rate_table(
        {k: toys.OXIDES[k] for k in ("BaO", "TiO2", "BaTiO3")}, {"BaO + TiO2 -> BaTiO3": 0.5}
    )  # fmt: skip
    wider = toys.rate_table(
        toys.OXIDES, {"2 BaO + TiO2 -> Ba2TiO4": 0.5, "BaO + TiO2 -> BaTiO3": 0.1, "BaO + 2 TiO2 -> BaTi2O5": 0.1}
    )
    recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=10)
    history = simulate(recipe, [common, wider])
    assert history.phases == tuple(toys.OXIDES)
    assert history.equations == ("BaO + TiO2 -> BaTiO3", "2 BaO + TiO2 -> Ba2TiO4", "BaO + 2 TiO2 -> BaTi2O5")
    assert not history.moles[0, :, 3:].any()
    assert history.moles[1, -1, 3] > 0
    assert history.extent[0, 0, 1:].tolist() == [0, 0]
    np.testing.assert_allclose(history.moles @ history.composition, [[[1, 3, 1]] * history.lattice.sweep.size] * 2)
    assert history.reactants.tolist() == [[0, 1]] * 3
    assert history.products[:, 0].tolist() == [2, 3, 4]


def test_joining_histories_of_different_elements_and_gases():
    """Only in one draw of the energies does the atmosphere react: carbon and its gas are in that member alone."""
    dry = toys.rate_table({k: toys.OXIDES[k] for k in ("BaO", "TiO2", "BaTiO3")}, {"BaO + TiO2 -> BaTiO3": 0.5})
    wet = toys.rate_table(
        {"BaO": 26.7e-6, "TiO2": 18.8e-6, "BaCO3": 45.8e-6}, {"BaO + CO2 -> BaCO3": 0.2}, gases=("CO2",)
    )
    recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=6, sweeps=10)
    for tables in ([dry, wet], [wet, dry]):
        history = simulate(recipe, tables)
        start = {"Ba": 1.0, "O": 3.0, "Ti": 1.0, "C": 0.0}
        assert set(history.elements) == set(start)
        atoms = history.moles @ history.composition + history.gas_moles @ history.gas_composition
        expected = np.broadcast_to([start[e] for e in history.elements], atoms.shape)
        np.testing.assert_allclose(atoms, expected, atol=1e-12)
        assert history.gas_moles.min() < -0.1


def test_joining_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        History.join([])
    rates = toys.all_pairs()
    short, long = (simulate(toys.recipe({"BaO": 1, "TiO2": 1}, size=4, sweeps=s), rates) for s in (5, 10))
    with pytest.raises(ValueError, match="different frames"):
        History.join([short, long])


def test_time_of_each_kind_of_engine():
    """Hours where they rest on a calibration; else the lattice's sweeps, or the programme's nominal hours."""
    run = example_history(size=4)
    for calibrated, lattice, name in [
        (True, run.lattice, "time_h"),
        (True, None, "time_h"),
        (False, run.lattice, "sweep"),
        (False, None, "programme_h"),
    ]:
        kind = replace(run, calibrated=calibrated, lattice=lattice)
        assert kind.clock[0] == name
        columns = kind.frame_columns()
        assert list(columns) == ["time_h", "sweep", "programme_h", "temperature_K"]
        assert np.isnan(columns["sweep"]).all() == (lattice is None)
        np.testing.assert_array_equal(columns[name], kind.clock[1])
        assert np.isnan(columns["time_h"]).all() != calibrated
        assert kind.phase_fractions()[name].iloc[-1] == (600 if name == "sweep" else 6.0)


def test_histories_of_different_engines_are_not_joined():
    run = example_history(realizations=1, size=4)
    other = replace(run, lattice=None)
    assert History.join([other, other]).lattice is None
    with pytest.raises(ValueError, match="different engines"):
        History.join([run, other])


def test_what_a_notebook_shows_is_short(history):
    assert repr(history) == "History(2 realizations, 25 frames, 5 phases, 2 channels)"
    assert history._repr_html_().count("<tr") == 1 + len(history.table())
    assert history.table("mass")["median"].sum() == pytest.approx(1, abs=0.02)
    assert history.plot().get_xlabel() == "time (sweeps; not calibrated)"


def test_fractions_sum_to_one_in_every_basis(history):
    for basis, weight in [("mole", 1.0), ("mass", history.molar_mass_kg), ("volume", history.molar_volume_m3)]:
        shares = history.fractions(basis)
        np.testing.assert_allclose(shares.sum(axis=2), 1)
        np.testing.assert_allclose(shares * (history.moles * weight).sum(axis=2)[..., None], history.moles * weight)
    with pytest.raises(ValueError, match="basis"):
        history.fractions("weight")


def test_frames_and_snapshots_fit_each_other(history):
    assert history.lattice.sweep[0] == 0
    assert np.all(np.diff(history.lattice.sweep) > 0)
    assert history.lattice.snapshot_frame[[0, -1]].tolist() == [0, history.lattice.sweep.size - 1]
    for frame, grid in zip(history.lattice.snapshot_frame, history.lattice.snapshots, strict=True):
        there = np.bincount(grid.ravel(), minlength=len(history.phases) + 1)[1:] > 0
        np.testing.assert_array_equal(there, history.moles[0, frame] > history.lattice.ledger_moles[0, frame])
