"""A diffusion couple: Wagner's constant, what mesh and thickness may not change, any chemistry of one's own."""

import json

import numpy as np
import pandas as pd
import pytest

from reactive_diffusion.systems import CAS, HEADER, REDOX, SALTS
from tammann import History
from tammann.analysis.layers import thicknesses
from tammann.errors import RecipeError
from tammann.reactive_diffusion.conductivity import site_volumes_m3
from tammann.workflows.couple import couple_recipe, run_couple, write_couple

SPINEL = """MgO,-3.1176,9.0,3105
Al2O3,-3.4730,10.8,2345
MgAl2O4,-3.4060,10.285714,2408"""
"""Energies made up; one volume per oxygen, so that nothing swells."""


def table_of(rows, folder, name="energies.csv"):
    (folder / name).write_text(HEADER + "\n".join(f"{row},0.01" for row in rows.splitlines()) + "\n")
    return str(folder / name)


@pytest.fixture(scope="module")
def spinel(tmp_path_factory):
    energies = table_of(SPINEL, tmp_path_factory.mktemp("spinel"))

    def recipe(**changed):
        return couple_recipe("MgO", "Al2O3", **{"temperature_K": 1500, "hold_h": 10, "energies": energies, **changed})

    return recipe


def k_of(run, phase="MgAl2O4"):
    return float(run.layers.set_index("phase").loc[phase, "k_m2_per_s"])


def test_one_layer_grows_as_wagner_says(spinel):
    """k = V Lambda dpsi / (y (1 - y)), dpsi = -dG / (y (1 - y)): both ends turn into spinel at the same time."""
    run = run_couple(spinel())
    assert run.sequence == ("MgO", "MgAl2O4", "Al2O3") and run.bottleneck == "MgAl2O4"
    system, conduct = run.prepared.diffusion.system, run.prepared.diffusion.conductivities
    k = system.formulas.index("MgAl2O4")
    per_atom = dict(zip((p.formula for p in run.prepared.phases), run.prepared.phases.gibbs(1500.0), strict=True))
    reaction = 7 * per_atom["MgAl2O4"] - 2 * per_atom["MgO"] - 5 * per_atom["Al2O3"]  # eV per MgAl2O4
    sites, y = 8, 0.75  # charges of four oxygens, of which three come from Al2O3
    across = np.interp(1500.0, conduct.temperature_K, conduct.scalar[:, k])
    expected = site_volumes_m3(system)[k] * across * (-reaction / sites / (y * (1 - y))) / (y * (1 - y))
    assert reaction < 0 and k_of(run) / expected == pytest.approx(1.0, abs=0.01)
    row = run.layers.set_index("phase").loc["MgAl2O4"]
    assert row.growth == "parabolic" and 0 < row.k_stderr_m2_per_s < 0.05 * row.k_m2_per_s
    assert 1e-6 * row.thickness_um / np.sqrt(2 * expected * 3.6e4) == pytest.approx(1.0, abs=0.01)
    lost = (
        1e-6 * np.array(run.simulated_um)
        - thicknesses(run.history, 0)[-1][[run.history.phases.index(f) for f in ("MgO", "Al2O3")]]
    )
    assert lost[1] / lost[0] == pytest.approx(3.0, rel=0.01) and run.history.element_drift[0] < 1e-12


def test_neither_mesh_nor_thickness_nor_order_matters(spinel):
    run = run_couple(spinel())
    fine = run_couple(spinel(), cells=360)
    assert k_of(fine) / k_of(run) == pytest.approx(1.0, abs=0.005)
    thick = run_couple(spinel(), thickness_um=(50.0, 80.0))
    assert k_of(thick) / k_of(run) == pytest.approx(1.0, abs=1e-6)
    middle = run.layers["thickness_um"].iloc[1]
    assert thick.layers["thickness_um"].sum() == pytest.approx(130.0) and np.isinf(run.layers["thickness_um"].iloc[0])
    assert thick.layers["thickness_um"].iloc[1] == pytest.approx(middle)
    back = run_couple(couple_recipe("Al2O3", "MgO", temperature_K=1500, hold_h=10, energies=spinel().energies))
    assert back.sequence == run.sequence[::-1] and k_of(back) / k_of(run) == pytest.approx(1.0, abs=0.005)


def test_time_and_rate_scale_as_they_must(spinel):
    """Four times as long, or as fast, is twice as thick; only the latter changes k."""
    run, longer, faster = (run_couple(spinel(**c)) for c in ({}, {"hold_h": 40}, {"rate_factor": 4.0}))
    once, twice, again = (r.layers["thickness_um"].iloc[1] for r in (run, longer, faster))
    assert twice / once == pytest.approx(2.0, abs=0.01) and again / once == pytest.approx(2.0, abs=0.01)
    assert k_of(longer) / k_of(run) == pytest.approx(1.0, abs=0.01) and k_of(faster) / k_of(run) == pytest.approx(
        4.0, abs=0.04
    )
    # a factor without the observation behind it calibrates nothing
    assert all(any("Not calibrated" in w for w in one.warnings) for one in (run, faster))


def test_a_reactant_that_is_used_up_is_named(spinel):
    run = run_couple(spinel(), thickness_um=(0.001, 50.0))
    assert any(w.startswith("MgO is used up") for w in run.warnings)
    assert run.sequence == ("MgAl2O4", "Al2O3") and run.layers["growth"].iloc[0] != "parabolic"
    assert not any("used up" in w for w in run_couple(spinel()).warnings)


def test_melting_points_are_named_with_what_they_carried(spinel):
    run = run_couple(spinel())
    assert any("van Liempt" in w and "MgAl2O4 9" in w for w in run.warnings)
    assert run.layers.set_index("phase").loc["MgAl2O4", "conductivity"] == "melting point"


def test_published_conductivities_and_a_ramp():
    run = run_couple(couple_recipe("BaO", "TiO2", temperature_K=1300, hold_h=2, ramp_K_per_min=10), cells=60)
    assert run.history.temperature_K[0] == 300.0
    assert set(run.layers["conductivity"]) == {"table", "largest"}
    assert run.layers["dissipation"].sum() == pytest.approx(1.0, abs=0.02)
    assert run.sequence[:3] == ("BaO", "Ba2TiO4", "BaTiO3")


def test_a_carbonate_turns_into_its_oxide():
    """BaCO3 of which all gives its gas off is no reactant that was used up."""
    run = run_couple(couple_recipe("BaCO3", "TiO2", temperature_K=1400, hold_h=2, conductivity="equal"), cells=60)
    assert run.sequence[0] == "BaO" and not any("used up" in w for w in run.warnings)
    assert run.history.gas_moles[0, -1].sum() > 0


def test_solids_in_equilibrium_are_left_alone():
    run = run_couple(couple_recipe("BaTiO3", "Ba2TiO4", temperature_K=1300, hold_h=2))
    assert run.sequence == ("BaTiO3", "Ba2TiO4") and run.bottleneck is None
    assert any(w.startswith("Nothing reacts") for w in run.warnings)


@pytest.mark.parametrize(
    "rows, pair, T, gas, between",
    [
        (SALTS, ("LiCl", "NaF"), 850, {}, {"LiF", "NaCl"}),
        (REDOX, ("NiO", "Fe3O4"), 1400, {"O2": 21000.0}, {"NiFe2O4"}),
        (CAS, ("CaO", "Al6Si2O13"), 1500, {}, {"Ca2SiO4", "Ca3SiO5"}),
    ],
    ids=["metathesis", "redox in air", "three cations"],
)
def test_any_chemistry(rows, pair, T, gas, between, tmp_path):
    recipe = couple_recipe(
        *pair, temperature_K=T, hold_h=10, energies=table_of(rows, tmp_path), partial_pressure_Pa=gas
    )
    run = run_couple(recipe, cells=40)
    assert run.history.element_drift[0] < 1e-12
    inner = [phase for layer in run.sequence[1:-1] for phase in layer.split(" + ")]
    assert between & set(inner) and len(inner) == len(set(inner))  # what comes back is one layer, a mixture
    assert (np.diff(run.history.diffusion.gibbs_left_eV_per_atom[0]) < 1e-9).all()


def test_a_recipe_of_two_precursors(tmp_path):
    path = tmp_path / "couple.yaml"
    path.write_text(
        "precursors:\n  - {phase: BaO, ratio: 1}\n  - {phase: TiO2, ratio: 1}\n"
        "programme:\n  - {temperature_K: 1300, hold_h: 1}\ndiffusion:\n  conductivity: equal\n"
    )
    run = run_couple(path, cells=60)
    assert set(run.layers["conductivity"]) == {"equal"}
    write_couple(run, tmp_path / "out")
    assert History.open(tmp_path / "out" / "history.npz").phases == run.history.phases
    assert tuple(pd.read_csv(tmp_path / "out" / "layers.csv")["phase"]) == run.sequence
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["sequence"] == list(run.sequence)


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"precursors": [{"phase": "BaO", "ratio": 1}]}, "precursors: expected two"),
        ({"programme": [{"temperature_K": 900, "hold_h": 1, "regrind": True}]}, "cannot be ground"),
    ],
)
def test_what_is_no_couple_is_refused(changed, said):
    with pytest.raises(RecipeError, match=said):
        run_couple(couple_recipe("BaO", "TiO2", temperature_K=900, hold_h=1).with_options(**changed))


def test_arguments_are_checked():
    recipe = couple_recipe("BaO", "TiO2", temperature_K=900, hold_h=1)
    for thickness in ((1.0,), (0.0, 1.0), (1.0, 2.0, 3.0)):
        with pytest.raises(RecipeError, match="thickness_um: expected two"):
            run_couple(recipe, thickness_um=thickness)
    with pytest.raises(RecipeError, match="two different solids"):
        couple_recipe("BaO", "BaO", temperature_K=900, hold_h=1)
