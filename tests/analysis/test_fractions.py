"""Analysis against hand counts, conservation laws and known answers."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from tammann.analysis import (
    beside_baselines,
    conversion,
    fallback_share,
    final_mole_fractions,
    fit_jander,
    jander_curve,
    jander_fit,
    out_of_equilibrium,
    precursors,
    reaction_flow,
    temperature_regimes,
    unreacted,
)
from tammann.errors import ResultError
from tammann.example import example_history

COLUMNS = [
    "time_h",
    "sweep",
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


@pytest.fixture(scope="module")
def carbonate():
    return example_history(carbonate=True)


def test_example_keeps_every_element(history, carbonate):
    for run in (history, carbonate):
        elements = run.moles @ run.composition + run.gas_moles @ run.gas_composition
        np.testing.assert_allclose(elements, elements[:, :1] * np.ones_like(elements), atol=1e-12)


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
    assert table.to_csv(index=False).splitlines()[1].startswith(",0.0,300.0,BaO,0.5")


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


def test_fallback_share_by_hand(history):
    # One event each of BaO + TiO2 (5 atoms) and of BaTiO3 + TiO2 (8 atoms, without transport data).
    extent = np.zeros_like(history.extent)
    extent[:, 0, history.equations.index("BaO + TiO2 -> BaTiO3")] = 1
    extent[:, 1, history.equations.index("BaTiO3 + TiO2 -> BaTi2O5")] = 1
    assert fallback_share(replace(history, extent=extent)) == pytest.approx(8 / 13)
    assert fallback_share(replace(history, extent=0 * extent)) == 0
    assert fallback_share(replace(history, fallback=~history.fallback)) == pytest.approx(1 - fallback_share(history))


@pytest.mark.parametrize("stage", [None, 0, 1])
@pytest.mark.parametrize("with_gas", [False, True])
def test_flow_keeps_every_atom(history, carbonate, stage, with_gas):
    run = carbonate if with_gas else history
    flow = reaction_flow(run, stage)
    nodes = flow.nodes
    balance = nodes.atoms_start_mol + nodes.atoms_in_mol - nodes.atoms_out_mol - nodes.atoms_end_mol
    # A frame at the seam of two steps belongs to one of them: its change is the only slack.
    slack = 1e-9 if stage is None else 0.02
    np.testing.assert_allclose(balance, 0, atol=slack)
    assert flow.links.atoms_mol.min() > 0
    assert flow.links.groupby("target").atoms_mol.sum().sum() == pytest.approx(nodes.atoms_out_mol.sum())
    assert flow.reactions.share.sum() == pytest.approx(1)


def test_flow_has_no_loops(history, carbonate):
    for run in (history, carbonate):
        remaining = reaction_flow(run).links
        while len(remaining):
            ends = ~remaining.target.isin(remaining.source)
            assert ends.any(), "every link leads on: there is a loop"
            remaining = remaining[~ends]


def test_flow_takes_a_reaction_and_its_reverse_together(history):
    forward = history.equations.index("Ba2TiO4 + TiO2 -> 2 BaTiO3")
    back = history.equations.index("2 BaTiO3 -> Ba2TiO4 + TiO2")
    extent = np.zeros_like(history.extent)
    extent[:, 0, forward], extent[:, 0, back] = 0.25, 0.75
    flow = reaction_flow(replace(history, extent=extent), stage=0)
    assert flow.reactions.equation.tolist() == ["2 BaTiO3 -> Ba2TiO4 + TiO2"]
    assert flow.reactions.extent_mol[0] == pytest.approx(0.5)
    assert flow.reactions.atoms_mol[0] == pytest.approx(0.5 * 10)
    links = flow.links.set_index(["source", "target"]).atoms_mol
    assert links["BaTiO3", "Ba2TiO4"] == pytest.approx(0.5 * 7)
    assert links["BaTiO3", "TiO2"] == pytest.approx(0.5 * 3)


def test_flow_sends_the_oxygen_of_the_gas_with_its_carbon(carbonate):
    extent = np.zeros_like(carbonate.extent)
    extent[:, 0, carbonate.equations.index("BaCO3 + TiO2 -> BaTiO3 + CO2")] = 1
    links = reaction_flow(replace(carbonate, extent=extent), stage=0).links.set_index(["source", "target"]).atoms_mol
    assert links.to_dict() == pytest.approx(
        {("BaCO3", "CO2"): 3, ("TiO2", "BaTiO3"): 3, ("BaCO3", "BaTiO3"): 2}, abs=1e-9
    )


def test_flow_of_many_reactions_is_quick_and_keeps_atoms(history):
    # An ensemble over drawn energies joins to thousands of channels.
    rng = np.random.default_rng(0)
    copies = 3000
    wide = {
        name: np.tile(getattr(history, name), (copies, 1))
        for name in ("reactants", "reactant_coefficients", "products", "product_coefficients", "gas_coefficients")
    }
    scale = np.repeat(rng.integers(1, 9, copies), len(history.equations))[:, None]
    wide["reactant_coefficients"] = wide["reactant_coefficients"] * scale
    wide["product_coefficients"] = wide["product_coefficients"] * scale
    share = rng.dirichlet(np.ones(copies))
    extent = (history.extent[:, :, None, :] * share[:, None]).reshape(4, 2, -1) / scale[:, 0]
    many = replace(
        history, extent=extent, equations=history.equations * copies, fallback=np.tile(history.fallback, copies), **wide
    )
    start = perf_counter()
    flow = reaction_flow(many)
    assert perf_counter() - start < 5
    expected = reaction_flow(history)
    assert len(flow.reactions) == len(expected.reactions)  # multiples and reverses are the same reaction
    np.testing.assert_allclose(flow.reactions.atoms_mol, expected.reactions.atoms_mol, rtol=1e-9)
    np.testing.assert_allclose(flow.links.atoms_mol, expected.links.atoms_mol, rtol=1e-6)


def test_flow_names_roles_and_refuses_a_step_that_is_not_there(carbonate):
    roles = reaction_flow(carbonate).nodes.set_index("name").role
    assert roles.to_dict() == {
        "BaCO3": "reactant",
        "TiO2": "reactant",
        "BaO": "intermediate",
        "BaTiO3": "product",
        "Ba2TiO4": "intermediate",
        "BaTi2O5": "intermediate",
        "CO2": "gas",
    }
    with pytest.raises(ResultError, match="stage 2 does not exist; this run has steps 0 to 1"):
        reaction_flow(carbonate, 2)


def test_flow_of_a_run_in_which_nothing_happened(history):
    still = replace(
        history, extent=0 * history.extent, moles=np.repeat(history.moles[:, :1], history.lattice.sweep.size, axis=1)
    )
    flow = reaction_flow(still)
    assert flow.links.empty
    assert flow.reactions.empty
    assert flow.nodes.name.tolist() == ["BaO", "TiO2"]


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


def test_regimes(history):
    same = temperature_regimes(history, history, history)
    assert set(same.regime) == {"activation", "thermodynamics"}
    assert (same.distance_self == 0).all()
    assert not same.correlations_matter.any()
    # Cold, nothing has reacted; then the fast run is ahead; at the end both have reacted to the same mixture.
    fast = temperature_regimes(example_history(activity=1.0), example_history(activity=20.0))
    assert list(dict.fromkeys(fast.regime)) == ["activation", "diffusion", "thermodynamics"]
    assert fast.temperature_K.iloc[0] == history.temperature_K[0]
    assert fast.distance_self.isna().all()
    # A hold is one row: its last frame.
    assert (np.isclose(fast.temperature_K, 1500)).sum() == 1
    with pytest.raises(ResultError, match="different frames"):
        temperature_regimes(history, replace(history, programme_h=history.programme_h + 1))


def test_jander_curve_obeys_the_law():
    time = np.linspace(0.1, 30, 50)
    y = jander_curve(time, rate=0.01)
    inside = y < 1
    np.testing.assert_allclose(1 - np.cbrt(1 - y[inside]), np.sqrt(2 * 0.01 * time[inside]), rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(1e-6, 1e3), offset=st.floats(0.0, 0.1))
def test_jander_fit_is_exact_without_noise(rate, offset):
    time = np.linspace(0.002, 0.2, 30) / rate
    fit = fit_jander(time, jander_curve(time, rate, offset), standard_error=0.01, offset=True)
    assert fit.described
    assert fit.rate == pytest.approx(rate, rel=1e-5)
    assert fit.offset == pytest.approx(offset, abs=1e-6)


def test_jander_fit_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    time = np.linspace(0.5, 30, 25)
    truth, inside, total = 0.008, 0, 400
    for _ in range(total):
        y = jander_curve(time, truth) + rng.normal(0, 0.01, time.size)
        fit = fit_jander(time, y, standard_error=0.01, tolerance=0.05)
        assert fit.described
        inside += abs(fit.rate - truth) < fit.rate_stderr
    # 68.3 % expected; four standard deviations of a binomial over 400 draws are 9.3 %.
    assert inside / total == pytest.approx(0.683, abs=0.093)


def test_jander_fit_covers_the_truth_with_correlated_realizations():
    rng = np.random.default_rng(8)
    time = np.linspace(0.5, 30, 25)
    truth, inside, total, runs = 0.008, 0, 300, 5
    limit = student.ppf(0.5 + 0.683 / 2, runs - 1)
    for _ in range(total):
        rates = truth * (1 + 0.05 * rng.normal(size=runs))  # each run is off as a whole: points are correlated
        y = np.array([jander_curve(time, rate) for rate in rates]) + rng.normal(0, 0.002, (runs, time.size))
        fit = fit_jander(time, y)
        assert fit.degrees_of_freedom == runs - 1
        inside += abs(fit.rate - truth) < limit * fit.rate_stderr
    assert inside / total == pytest.approx(0.683, abs=4 * np.sqrt(0.683 * 0.317 / total))


def test_jander_fit_flags_what_it_does_not_describe(history):
    time = np.linspace(0, 10, 40)
    first_order = 1 - np.exp(-0.3 * time)
    fit = fit_jander(time, first_order, standard_error=0.003)
    assert not fit.described
    assert np.isnan(fit.rate) and np.isnan(fit.rate_stderr)
    assert "not parabolic" in fit.reason
    assert fit.largest_misfit > 0.03
    few = fit_jander(time[:3], first_order[:3])
    assert "points" in few.reason and not few.described
    falling = fit_jander(time, np.linspace(0.5, 0.4, 40), standard_error=0.001, offset=True)
    assert not falling.described
    assert not jander_fit(history).described  # the limiting precursor is long gone in the last step


def test_jander_fit_of_a_history_uses_the_hold_and_the_units(history):
    hold = np.flatnonzero((history.stage == 0) & (history.temperature_K == 1100.0))
    truth = np.array([0.010, 0.011, 0.009, 0.010])
    moles = history.moles.copy()
    time = history.time_h[hold] - history.time_h[hold[0]]
    for r in range(4):
        moles[r, hold, 1] = 1 - jander_curve(time, truth[r], 0.05)
    run = replace(history, moles=moles)
    fit = jander_fit(run, stage=0, precursor="TiO2", radius_m=1e-7)
    assert fit.described and fit.time_unit == "h"
    assert fit.rate == pytest.approx(truth.mean(), rel=1e-6)
    assert fit.rate_stderr == pytest.approx(truth.std(ddof=1) / 2, rel=1e-6)
    assert fit.K_D_m2_per_s == pytest.approx(truth.mean() * 1e-14 / 3600)
    sweeps = jander_fit(replace(run, calibrated=False), stage=0, precursor="TiO2", radius_m=1e-7)
    assert sweeps.time_unit == "sweep"
    assert sweeps.rate == pytest.approx(truth.mean() / 100, rel=1e-6)
    assert np.isnan(sweeps.K_D_m2_per_s)
    nominal = jander_fit(replace(run, calibrated=False, lattice=None), stage=0, precursor="TiO2", radius_m=1e-7)
    assert nominal.time_unit == "nominal h" and nominal.rate == fit.rate and np.isnan(nominal.K_D_m2_per_s)
    with pytest.raises(ResultError, match="stage 5"):
        jander_fit(run, stage=5)


def test_fit_jander_refuses_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"expected \(T,\) and \(R, T\)"):
        fit_jander(np.arange(4.0), np.zeros(5))
    with pytest.raises(ValueError, match="one series"):
        fit_jander(np.arange(4.0), np.zeros((2, 4)), standard_error=0.1)


def test_a_history_without_a_lattice_has_the_same_numbers(history):
    """Analysis needs nothing that belongs to the grid: an engine in hours fills no sweeps, ledgers or visits."""
    bare = replace(history, lattice=None)
    for of in (
        unreacted, conversion, lambda h: beside_baselines(h, null=h), lambda h: temperature_regimes(h, h),
        lambda h: h.phase_fractions(), lambda h: h.table(), lambda h: reaction_flow(h).links,
    ):  # fmt: skip
        pd.testing.assert_frame_equal(of(bare), of(history).drop(columns="sweep", errors="ignore"))
    assert fallback_share(bare) == fallback_share(history)
