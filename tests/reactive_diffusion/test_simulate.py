"""A powder to a history: elements, gases, grinding, what the record of the engine holds; saved, opened, joined."""

from dataclasses import fields, replace

import numpy as np
import pytest

from reactive_diffusion.systems import SALTS, phases_of, prepare
from tammann import load_phases, load_transport
from tammann.composition import parse_formula
from tammann.errors import RecipeError, ResultError
from tammann.history import DiffusionRecord, History
from tammann.reactive_diffusion import simulate
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.powder import mix, mix_grains
from tammann.reactive_diffusion.programme import ramp_and_hold
from tammann.reactive_diffusion.simulate import simulate_grains, simulate_powder
from tammann.thermo import equilibrium, measured_phases

PROGRAMME = [*ramp_and_hold(800.0, 1200.0, 10.0, 1.0), *ramp_and_hold(1200.0, 1500.0, 10.0, 4.0, stage=1, regrind=True)]


@pytest.fixture(scope="module")
def history():
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, PROGRAMME, transport=load_transport("Ba-Ti-O"))
    return simulate_powder(case.powder, case.system, case.conduct, PROGRAMME, rng=1, metadata={"name": "test"})


def test_amounts_and_energies(history):
    record = history.diffusion
    assert history.element_drift[0] < 1e-12 and history.lattice is None
    np.testing.assert_allclose(history.moles[0, 0].sum(), 2.0, rtol=1e-12)
    left = record.gibbs_left_eV_per_atom[0]
    assert left[0] > 0.05 and (left > -1e-12).all() and left[-1] < 0.2 * left[0]
    holds = (history.temperature_K[1:] == history.temperature_K[:-1]) & (np.diff(history.stage) == 0)
    assert (np.diff(left)[holds] <= 1e-9).all()
    assert record.dissipated_eV_per_atom.min() >= 0.0 and 0.0 <= record.without_data_fraction[0] <= 1.0
    frames, particles = len(history.temperature_K), 2
    assert record.sites.shape[:2] == (particles, frames) and record.sites.dtype == np.float32
    assert record.edges_m.shape == (particles, frames, record.sites.shape[2] + 1)
    assert history.clock[0] == "programme_h"


def test_saved_and_opened(history, tmp_path):
    history.save(tmp_path / "history.npz")
    again = History.open(tmp_path / "history.npz")
    for field in fields(DiffusionRecord):
        np.testing.assert_array_equal(getattr(again.diffusion, field.name), getattr(history.diffusion, field.name))
    np.testing.assert_array_equal(again.moles, history.moles)
    assert again.metadata == history.metadata


def test_joined(history):
    other = replace(history, phases=history.phases[::-1], moles=history.moles[:, :, ::-1])
    joined = History.join([history, other])
    assert joined.realizations == 2 and joined.diffusion.gibbs_left_eV_per_atom.shape[0] == 2
    np.testing.assert_allclose(joined.moles[1], history.moles[0])
    np.testing.assert_array_equal(joined.diffusion.sites, history.diffusion.sites)
    with pytest.raises(ValueError, match="different engines"):
        History.join([history, replace(history, diffusion=None)])


@pytest.mark.parametrize("gas", [{}, {"CO2": 40.0}, {"CO2": 1e5}], ids=["inert", "air", "pure CO2"])
def test_a_carbonate_gives_its_gas_off(gas):
    """Held or not, the CO2 that leaves is what the solids no longer hold, and it does not come back where not held."""
    phases = load_phases("Ba-Ti-O")
    stretches = [*ramp_and_hold(600.0, 1500.0, 10.0, 500.0), *ramp_and_hold(1500.0, 700.0, 10.0, 1.0, stage=1)]
    case = prepare(phases, {"BaCO3": 1.0, "TiO2": 1.0}, stretches, gas=gas, cells=30)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    assert history.element_drift[0] < 1e-12
    released = history.gas_moles[0].sum(axis=1)
    assert released[0] == 0.0
    hot = int(np.flatnonzero(history.stage == 0)[-1])
    left = equilibrium(phases, {"BaCO3": 1.0, "TiO2": 1.0}, 1500.0, partial_pressure_Pa=gas or None,
                       release_pressure_Pa=None if gas else {"CO2": 1.0})  # fmt: skip
    assert released[hot] == pytest.approx(1.0 - left.get("BaCO3", 0.0), abs=0.02)
    if not gas:
        assert (np.diff(released) >= -1e-12).all()


@pytest.mark.slow
def test_a_carbonate_of_grains_does_the_same():
    """On a grid the CO2 that has left a powder in an inert gas does not come back on cooling either."""
    phases = load_phases("Ba-Ti-O")
    stretches = [*ramp_and_hold(600.0, 1500.0, 10.0, 0.5), *ramp_and_hold(1500.0, 700.0, 10.0, 0.5, stage=1)]
    case = prepare(phases, {"BaCO3": 1.0, "TiO2": 1.0}, stretches, mode="equal")
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in case.system.solids])
    solids = [case.system.formulas.index(f) for f in ("BaCO3", "TiO2")]
    grains = mix_grains([1.0, 1.0], solids, volumes, [5e-8, 5e-8], size=8, voxels_per_grain=4, rng=1)
    history = simulate_grains(grains, case.system, case.conduct, stretches)
    released = history.gas_moles[0].sum(axis=1)
    assert history.element_drift[0] < 1e-12 and released[0] == 0.0 and released[-1] == pytest.approx(1.0, abs=1e-9)
    assert (np.diff(released) >= -1e-12).all()
    assert (history.diffusion.gibbs_left_eV_per_atom > -1e-9).all()


@pytest.mark.slow
@pytest.mark.parametrize("on_grid", [False, True])
def test_a_gas_that_is_taken_back_ends_the_run_when_it_happens(monkeypatch, on_grid):
    """Not after the whole programme: here any amount counts as too much, so that the first look must refuse."""
    monkeypatch.setattr(simulate, "TAKEN_BACK", -2.0)
    stretches = [
        *ramp_and_hold(600.0, 1500.0, 10.0, 0.5),
        *ramp_and_hold(1500.0, 700.0, 10.0, 0.5, stage=1, regrind=True),
    ]
    case = prepare(load_phases("Ba-Ti-O"), {"BaCO3": 1.0, "TiO2": 1.0}, stretches, mode="equal", cells=20)
    seen = []

    def progress(part, text, T):
        seen.append(part)

    with pytest.raises(RecipeError, match="CO2: the powder gives it off.*cannot keep apart"):
        if on_grid:
            volumes = np.array([case.system.phases[int(p)].molar_volume_m3_per_mol for p in case.system.solids])
            solids = [case.system.formulas.index(f) for f in ("BaCO3", "TiO2")]
            grains = mix_grains([1.0, 1.0], solids, volumes, [5e-8, 5e-8], size=8, voxels_per_grain=4, rng=1)
            simulate_grains(grains, case.system, case.conduct, stretches, progress=progress)
        else:
            simulate_powder(case.powder, case.system, case.conduct, stretches, progress=progress)
    assert max(seen, default=0.0) <= 0.5


@pytest.mark.parametrize(
    "precursors, product, gases",
    [
        ({"SrCO3": 1.0, "TiO2": 1.0}, {"SrTiO3": 1.0}, {"CO2": 1.0}),
        # 6 Li2CO3 + 4 Co3O4 + O2 -> 12 LiCoO2 + 6 CO2
        ({"Li2CO3": 3.0, "Co3O4": 2.0}, {"LiCoO2": 6.0}, {"CO2": 3.0, "O2": -0.5}),
        # 2 SrCl2 + 2 TiO2 + O2 -> 2 SrTiO3 + 2 Cl2
        ({"SrCl2": 1.0, "TiO2": 1.0}, {"SrTiO3": 1.0}, {"Cl2": 1.0, "O2": -0.5}),
    ],
)
def test_gases_come_in_the_ratio_of_the_reaction(precursors, product, gases):
    """Drift of elements cannot show a wrong gas, as gases are what solids lack: so count them by the equation."""
    phases = measured_phases({element for formula in precursors for element in parse_formula(formula)} | {"O", "C"})
    system = components(
        phases, precursors, [1000.0, 1300.0], partial_pressure_Pa={"O2": 21000.0, "CO2": 40.0}, release_pressure_Pa=1.0
    )
    made = np.array([product.get(formula, 0.0) for formula in system.formulas])
    given_off = dict(zip(system.gases, (system.start - made) @ system.gas_content, strict=True))
    assert {gas: n for gas, n in given_off.items() if abs(n) > 1e-9} == pytest.approx(gases)


def test_a_run_takes_up_and_gives_off_gases_in_that_ratio():
    phases, air = measured_phases(["Li", "Co", "O", "C"]), {"O2": 21000.0, "CO2": 40.0}
    stretches = ramp_and_hold(900.0, 960.0, 10.0, 1e6)
    case = prepare(phases, {"Li2CO3": 3.0, "Co3O4": 2.0}, stretches, gas=air, cells=20)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    final = dict(zip(history.phases, history.moles[0, -1], strict=True))
    released = dict(zip(history.gases, history.gas_moles[0, -1], strict=True))
    assert final["LiCoO2"] > 3.0 and set(f for f, n in final.items() if n > 1e-6) <= {"LiCoO2", "Li2CO3", "Co3O4"}
    assert released["CO2"] == pytest.approx(final["LiCoO2"] / 2, rel=1e-9)
    assert released["O2"] == pytest.approx(-final["LiCoO2"] / 12, rel=1e-9)


def test_a_metathesis_runs_to_a_history(tmp_path):
    stretches = ramp_and_hold(600.0, 850.0, 10.0, 200.0)
    case = prepare(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, stretches, cells=16)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    assert history.element_drift[0] < 1e-12 and history.diffusion.without_data_fraction[0] == pytest.approx(1.0)
    assert history.fractions()[0, -1, history.phases.index("LiF")] > 0.0


class StopError(Exception):
    pass


def stop_after(count):
    calls = []

    def progress(part, text, T):
        calls.append(part)
        if len(calls) == count:
            raise StopError

    return progress


def assert_same(one, two):
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(two, name), err_msg=name)


@pytest.mark.parametrize("kind", ["exact", "general"])
def test_stopped_and_resumed(kind, tmp_path):
    """A powder stopped after any particle continues to the same bits, grinding included."""
    if kind == "exact":
        stretches = PROGRAMME
        case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, stretches, cells=20)
    else:
        stretches = [*ramp_and_hold(700.0, 850.0, 10.0, 1.0), *ramp_and_hold(850.0, 800.0, 10.0, 1.0, regrind=True)]
        case = prepare(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, stretches, cells=10)
    arguments = case.powder, case.system, case.conduct, stretches
    whole = simulate_powder(*arguments, rng=5)
    for count in (1, 2, 3):
        path = tmp_path / f"state-{count}.npz"
        with pytest.raises(StopError):
            simulate_powder(*arguments, rng=5, checkpoint=path, progress=stop_after(count))
        resumed = simulate_powder(*arguments, checkpoint=path)
        assert_same(whole, resumed)
        assert_same(whole.diffusion, resumed.diffusion)
    with pytest.raises(ResultError, match="another run"):
        simulate_powder(*arguments, tolerance=1e-2, checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ResultError, match="not a whole checkpoint"):
        simulate_powder(*arguments, checkpoint=path)


def test_contact_resistance_is_at_the_contacts():
    """It delays the reaction, and a cell inside a grain does not feel it."""
    stretches = ramp_and_hold(1200.0, 1200.0, 10.0, 1.0)
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, stretches, mode="equal", cells=20)
    lam = case.conduct.scalar.min()
    free, held = (
        simulate_powder(case.powder, case.system, case.conduct, stretches, contact_resistance=r)
        for r in (0.0, 3e-7 / lam)
    )
    reacted = [1.0 - history.moles[0, :, history.phases.index("BaO")] for history in (free, held)]
    assert 0.02 < reacted[1][-1] < 0.6 * reacted[0][-1]
    # nearly linear in time at first, where layers alone would give a parabola
    k = np.flatnonzero(held.programme_h > 0)[[3, 7]]
    assert np.log(np.divide(*reacted[1][k])) / np.log(np.divide(*held.programme_h[k])) > 0.8
    assert np.log(np.divide(*reacted[0][k])) / np.log(np.divide(*held.programme_h[k])) < 0.7


def test_a_powder_of_grains(tmp_path):
    """The same history as particles leave, with slices in place of profiles."""
    phases, stretches = load_phases("Ba-Ti-O"), [*ramp_and_hold(1000.0, 1500.0, 10.0, 0.1)]
    case = prepare(phases, {"BaO": 1.0, "TiO2": 1.0}, stretches, mode="equal")
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in case.system.solids])
    solids = [case.system.formulas.index(f) for f in ("BaO", "TiO2")]
    grains = mix_grains([1.0, 1.0], solids, volumes, [1e-7, 1e-7], size=16, voxels_per_grain=4, rng=1)
    history = simulate_grains(grains, case.system, case.conduct, stretches, layers=2, rng=1)
    record = history.diffusion
    assert history.element_drift[0] < 1e-12 and history.moles.shape == (1, len(stretches) + 1, len(history.phases))
    np.testing.assert_allclose(history.moles[0, 0, solids], 1.0, rtol=1e-12)
    assert len(record.sites) == 0 and record.snapshots.shape == (len(record.snapshot_frame), 2, 16, 16)
    shown = set((np.unique(record.snapshots[0]) - 1).tolist())
    assert shown == set(solids) and record.snapshot_frame[-1] == len(stretches)
    middle = np.bincount(record.snapshots[-1].ravel() - 1, minlength=len(history.phases)) / 512
    np.testing.assert_allclose(middle, history.fractions("volume")[0, -1], atol=0.25)
    history.save(tmp_path / "history.npz")
    again = History.open(tmp_path / "history.npz").diffusion
    assert len(again.sites) == 0 and again.voxel_m == grains.voxel_m == 5e-8
    np.testing.assert_array_equal(again.snapshots, record.snapshots)
    joined = History.join([history, history])
    assert joined.realizations == 2 and joined.diffusion.snapshots is not None


def test_a_default_powder_leaves_a_small_file(tmp_path):
    """Profiles of every frame of four chains of 60 cells, below a megabyte."""
    phases = load_phases("Ba-Ti-O")
    case = prepare(phases, {"BaO": 1.0, "TiO2": 1.0}, PROGRAMME)
    solids = [case.system.formulas.index(f) for f in ("BaO", "TiO2")]
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in case.system.solids])
    powder = mix([1.0, 1.0], solids, volumes, [1e-7, 1e-7], size_spread=0.3, mixing_spread=0.05)
    simulate_powder(powder, case.system, case.conduct, PROGRAMME, rng=1).save(tmp_path / "history.npz")
    assert (tmp_path / "history.npz").stat().st_size < 1e6
