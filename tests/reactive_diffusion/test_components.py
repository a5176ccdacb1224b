"""What is conserved in oxides, carbonates, metatheses and where the gas holds oxygen."""

from pathlib import Path

import numpy as np
import pytest

from reactive_diffusion.systems import REDOX, SALTS, hold, phases_of, prepare
from tammann import load_phases
from tammann.errors import RecipeError
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.programme import ramp_and_hold
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.thermo import equilibrium, with_gases


def test_two_oxides_are_one_component():
    system = components(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, [300.0, 1500.0])
    assert system.anions == ("O",) and len(system.directions) == 1
    y = dict(zip(system.formulas, system.y, strict=True))
    assert {y["BaO"], y["TiO2"]} == {0.0, 1.0}
    assert (y["BaTiO3"] - y["BaO"]) / (y["TiO2"] - y["BaO"]) == pytest.approx(2.0 / 3.0)  # 2 Ti / (Ba + 2 Ti)


@pytest.mark.parametrize("gas", [{}, {"CO2": 40.0}, {"CO2": 1e5}], ids=["inert", "air", "CO2"])
def test_a_carbonate_is_one_component(gas):
    """BaCO3 lies where BaO does, and holds one CO2 more."""
    phases = load_phases("Ba-Ti-O")
    system = components(phases, {"BaCO3": 1.0, "TiO2": 1.0}, [600.0, 1400.0], partial_pressure_Pa=gas)
    k = system.formulas.index("BaCO3")
    assert system.y is not None and system.y[k] in (0.0, 1.0) and "CO2" in "".join(system.gases)
    assert system.gas_content[k].sum() == pytest.approx(1.0)
    assert system.release_only.any() == (not gas)


def test_a_metathesis_moves_two(tmp_path):
    system = components(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, [300.0, 850.0])
    assert len(system.directions) == 2 and set(system.anions) == {"Cl", "F"}
    np.testing.assert_allclose(system.sites, 1.0)


def test_what_the_powder_as_a_whole_keeps_is_conserved():
    """Mn(III) drives Cl2 out of an excess of YCl3; of 1 to 3 none leaves, and all chlorine must stay in solids."""
    table = Path(__file__).parents[2] / "examples" / "chemistries" / "y-mn-na-cl-o.csv"
    phases = load_phases("measured:Cl-Mn-Na-O-Y", computed=table)
    excess = equilibrium(phases, {"YCl3": 5.0, "NaMnO2": 1.0}, 950.0, release_pressure_Pa={"Cl2": 1.0})
    whole = equilibrium(phases, {"YCl3": 1.0, "NaMnO2": 3.0}, 950.0, release_pressure_Pa={"Cl2": 1.0})
    assert "Cl2" in excess and "Cl2" not in whole
    system = components(phases, {"YCl3": 1.0, "NaMnO2": 3.0}, [300.0, 950.0], release_pressure_Pa=1.0)
    assert "Cl2" not in system.gases and "Cl" in system.free


def test_gases_that_follow_from_others_are_counted_once():
    """Pyrite in oxygen gives off SO2 and SO3, of which the oxygen makes one from the other."""
    phases = with_gases(load_phases("measured:Ca-Fe-O-S"), ["O2", "SO2", "SO3"])
    held = {"O2": 1e5}
    system = components(
        phases, {"FeS2": 1.0, "CaO": 1.0}, [300.0, 1200.0], partial_pressure_Pa=held, release_pressure_Pa=1.0
    )
    assert "O2" in system.gases and len({"SO2", "SO3"} & set(system.gases)) == 1


def test_a_gas_that_would_deposit_is_refused_with_a_way_out():
    """Iron in CO2 gives CO off, which turns into graphite where it is cold; from 1000 K on it stays."""
    phases = with_gases(load_phases("measured:C-Fe-Mg-O"), ["CO2", "CO", "O2"])
    powder, options = {"Fe": 1.0, "MgO": 1.0}, {"partial_pressure_Pa": {"CO2": 1e5}, "release_pressure_Pa": 1.0}
    with pytest.raises(RecipeError, match="gives off CO, which beside CO2 .* at 300 K.*start_temperature_K"):
        components(phases, powder, [300.0, 1200.0], **options)
    assert "CO" in components(phases, powder, [1000.0, 1200.0], **options).gases


def test_oxygen_of_the_gas_leaves_the_cations(tmp_path):
    """With iron of mixed valence no charge is certain, that of nickel is."""
    phases = with_gases(phases_of(REDOX, tmp_path), ["O2"])
    system = components(phases, {"NiO": 1.0, "Fe3O4": 1.0}, [1000.0, 1400.0], partial_pressure_Pa={"O2": 21000.0})
    assert system.anions == () and system.free == ("Fe", "Ni") and "O" in system.open_elements
    valence = dict(zip(phases.elements, system.valence, strict=True))
    assert valence["O"] == -2 and valence["Ni"] == pytest.approx(2.0) and valence["Fe"] == pytest.approx(8.0 / 3.0)


@pytest.mark.parametrize("gas", [{}, {"CO2": 40.0}], ids=["inert", "air"])
def test_a_carbonate_alone_gives_its_gas_off_where_it_is(gas):
    """Nothing moves; above its decomposition all CO2 has left."""
    phases, stretches = load_phases("Ba-Ti-O"), ramp_and_hold(600.0, 1450.0, 10.0, 1.0)
    case = prepare(phases, {"BaCO3": 1.0}, stretches, gas=gas, cells=10)
    assert "nothing moves" in repr(case.system)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    shares = dict(zip(history.phases, history.fractions()[0, -1], strict=True))
    assert shares["BaO"] == pytest.approx(1.0) and history.gas_moles[0, -1].sum() == pytest.approx(1.0)
    assert history.fractions()[0, 0, history.phases.index("BaCO3")] == pytest.approx(1.0)


@pytest.mark.parametrize("precursors", [{"BaTi5O11": 1.0}, {"BaO": 0.01, "BaTi5O11": 1.0}])
def test_a_metastable_precursor_falls_apart_to_both_sides(precursors):
    """BaTi5O11 -> BaTi4O9 + TiO2 above 1600 K, though TiO2 lies outside of what was mixed."""
    phases, stretches = load_phases("Ba-Ti-O"), hold(1700.0, 1e9, 4)
    case = prepare(phases, precursors, stretches, cells=20)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    expected = equilibrium(phases, precursors, 1700.0)
    assert "TiO2" in expected and history.element_drift[0] < 1e-12
    for formula, moles in expected.items():
        assert history.moles[0, -1, history.phases.index(formula)] == pytest.approx(moles, abs=1e-4), formula


def test_where_sulfur_leaves_with_oxygen_sites_are_metal_atoms(tmp_path):
    """FeS2 + ZnO release SO2: with S and O in the gas, the O of a sulfide is a debt and no atom of its lattice."""
    rows = (
        "ZnO,-1.81,12,2248\nZnS,-1.06,19.8,2103\nFe2O3,-1.711,10,1838\nFeS2,-0.59,13.2,1461\nFeS,-0.52,15,1461\n"
        "ZnFe2O4,-1.74,10.6,1863\nFe3O4,-1.66,10.6,1870"
    )
    phases = with_gases(phases_of(rows, tmp_path), ["SO2"])
    system = components(phases, {"FeS2": 1.0, "ZnO": 2.0}, [300.0, 1300.0])
    assert system.gases == ("SO2",) and system.release_only.all()
    metals = [{"Fe", "Zn"} & set(phases[phases.index(f)].composition) for f in system.formulas]
    counts = [
        sum(phases[phases.index(f)].composition[e] for e in own) for f, own in zip(system.formulas, metals, strict=True)
    ]
    np.testing.assert_allclose(system.sites, counts)


def test_a_precursor_that_could_evaporate_is_refused(tmp_path):
    """Si3N4 could leave as SiO and N2, where something gives the oxygen; at a pressure SiO does not reach it stays."""
    rows = "Si3N4,-1.07,10.4,2150\nAlN,-1.65,10.4,3273\nAl2O3,-3.473,8.5,2345\nSiO2,-3.147,12.6,1996"
    phases = with_gases(phases_of(rows, tmp_path), ["N2", "SiO"])
    precursors, gas = {"Si3N4": 1.0, "SiO2": 3.0}, {"N2": 1e5}
    with pytest.raises(RecipeError, match="Si3N4 could leave as a whole by N2 and SiO"):
        components(phases, precursors, [1900.0], partial_pressure_Pa=gas)
    kept = components(phases, precursors, [1900.0], partial_pressure_Pa=gas, release_pressure_Pa=1e8)
    assert "SiO" not in kept.gases


@pytest.mark.parametrize(
    "rows, precursors, T, gases, said",
    [
        ("NH4Cl,-0.54,9.8,611\nZnO,-1.81,12,2248", {"NH4Cl": 2.0, "ZnO": 1.0}, 900.0, ["NH3", "HCl"], "NH4Cl"),
        ("Fe2O3,-1.711,10,1838\nFe,0,11.8,1811\nC,0,5.7,4000", {"Fe2O3": 2.0, "C": 3.0}, 1300.0, ["CO", "CO2"], "C"),
    ],
)
def test_a_precursor_of_which_nothing_stays_is_refused(rows, precursors, T, gases, said, tmp_path):
    phases = with_gases(phases_of(rows, tmp_path), gases)
    with pytest.raises(RecipeError, match=f"precursors: {said} could leave as a whole by"):
        components(phases, precursors, [T - 100.0, T])
