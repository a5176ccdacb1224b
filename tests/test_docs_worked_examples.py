"""The recipes of ``examples/chemistries``: as ``tammann new`` writes them, run as they are, true to their chemistry."""

import csv
import re
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import pytest

from tammann import Recipe
from tammann.thermo import equilibrium, load_phases
from tammann.workflows.couple import couple_recipe, run_couple
from tammann.workflows.furnace import FurnaceRun, run_recipe
from tammann.workflows.starting_recipe import starting_recipe

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "chemistries"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
TABLE = FOLDER / "y-mn-na-cl-o.csv"
SLOW = ["ymno3", "ymno3-assisted"]
needs_freed = pytest.mark.skipif(find_spec("rxn_network") is None, reason="ZnFe2O4 is in FREED only")
ONE_COMPONENT = ["catio3", "licoo2", "mgal2o4", "srtio3", pytest.param("znfe2o4", marks=needs_freed)]


@cache
def reported(name: str, hold_K: float | None = None, hold_h: float | None = None) -> tuple[FurnaceRun, str]:
    """A recipe with few cells and one realization, and its report; with another hold where one is given."""
    recipe = Recipe.from_file(FOLDER / f"{name}.yaml").with_options(realizations=1)
    data = recipe.model_dump()
    data["diffusion"] |= {"cells": 20}
    if hold_K is not None:
        data["programme"] = [{"temperature_K": hold_K, "hold_h": hold_h}]
    with TemporaryDirectory() as place:
        run = run_recipe(Recipe(**data), Path(place) / "out", null=False, threads=1)
        return run, (Path(place) / "out" / "report.html").read_text(encoding="utf-8")


def ran(name: str, hold_K: float | None = None, hold_h: float | None = None) -> FurnaceRun:
    return reported(name, hold_K, hold_h)[0]


def amounts(run: FurnaceRun, frame: int = -1) -> dict[str, float]:
    """Moles of solids and exchanged gas at the end, for one mole of formula units of precursors as written."""
    history = run.history
    solids = dict(zip(history.phases, history.moles[0, frame], strict=True))
    return solids | {f"{gas}(g)": float(x) for gas, x in zip(history.gases, history.gas_moles[0, frame], strict=True)}


# -------------------------------------------------------------------------------------------------------- as they are


def new_words(name: str) -> tuple[str, list[str], dict[str, object]]:
    """Target, precursors and options that the recipe was written with."""
    recipe = Recipe.from_file(FOLDER / f"{name}.yaml")
    title = re.match(r"(\w+) from", recipe.title)
    assert title is not None
    options: dict[str, object] = {"atmosphere": recipe.atmosphere, "folder": FOLDER}
    if recipe.computed:
        options["computed"] = str(TABLE)
    if name == "ymno3-assisted":
        options["temperature_K"] = 923.0
    return title[1], [precursor.phase for precursor in recipe.precursors], options


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_freed) if name == "znfe2o4" else name for name in RECIPES]
)
def test_recipes_are_what_new_writes(name):
    """Keys and values; the numbers in comments follow the tables that are installed."""
    target, precursors, options = new_words(name)
    made = Recipe.from_text(starting_recipe(target, precursors, **options).text)
    shipped = Recipe.from_text((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert made == shipped


@pytest.mark.parametrize("name", ONE_COMPONENT + [pytest.param(name, marks=pytest.mark.slow) for name in SLOW])
def test_recipes_run_to_a_report(name):
    run, page = reported(name, None, None)
    assert all(precursor.phase in page for precursor in run.prepared.recipe.precursors)
    assert run.history.element_drift.max() < 1e-9
    supplied = run.prepared.furnace.supplied
    for k, gas in enumerate(run.history.gases):
        if gas not in supplied:
            assert run.history.gas_moles[0, :, k].min() > -1e-6, f"{gas} came from nowhere"


# ---------------------------------------------------------------------------------------------------------- chemistry


def test_strontium_titanate_gives_off_its_carbon_dioxide():
    """One CO2 a formula, no more and no less, once the carbonate is gone; all solids are titanates or oxides."""
    found = amounts(ran("srtio3"))
    assert found["SrCO3"] == pytest.approx(0.0, abs=1e-9)
    assert found["CO2(g)"] == pytest.approx(amounts(ran("srtio3"), 0)["SrCO3"], rel=1e-9)
    assert found.get("O2(g)", 0.0) == pytest.approx(0.0, abs=1e-9)
    assert found["SrTiO3"] > 0.1
    strontium = found["SrTiO3"] + 2 * found["Sr2TiO4"] + found["SrO"]
    titanium = found["SrTiO3"] + found["Sr2TiO4"] + found["TiO2"]
    assert strontium == pytest.approx(titanium, rel=1e-6)


def test_lithium_cobaltate_takes_up_oxygen_as_it_is_balanced():
    """6 Li2CO3 + 4 Co3O4 + O2 -> 12 LiCoO2 + 6 CO2, while there is carbonate; long enough to count."""
    found = amounts(ran("licoo2", 950.0, 100.0))
    assert found["LiCoO2"] > 0.02
    assert found["O2(g)"] == pytest.approx(-found["LiCoO2"] / 12, rel=1e-6)
    assert found["CO2(g)"] == pytest.approx(found["LiCoO2"] / 2, rel=1e-6)


def test_lithium_cobaltate_is_the_equilibrium_in_air_and_not_without_oxygen():
    """Without oxygen the balanced reaction has nowhere to take it from: Co stays divalent in part."""
    phases = load_phases("measured:Li-Co-O-C")
    powder = {"Li2CO3": 3.0, "Co3O4": 2.0}
    air = equilibrium(phases, powder, 950.0, partial_pressure_Pa={"O2": 21e3, "CO2": 40.0})
    assert air["LiCoO2"] == pytest.approx(6.0)
    closed = equilibrium(phases, powder, 950.0, partial_pressure_Pa={"CO2": 40.0})
    assert closed.get("LiCoO2", 0.0) < 5.99


@pytest.mark.parametrize(
    "name, product",
    [("mgal2o4", "MgAl2O4"), ("catio3", "CaTiO3"), pytest.param("znfe2o4", "ZnFe2O4", marks=needs_freed)],
)
def test_there_is_one_product(name, product):
    run = ran(name)
    history = run.history
    there = {phase for k, phase in enumerate(history.phases) if history.moles[0, -1, k] > 1e-6}
    allowed = {precursor.phase for precursor in run.prepared.recipe.precursors} | {"CaO", product}
    assert product in there and there <= allowed
    assert run.equilibrium is not None


def test_spinel_grows_parabolically_with_the_activation_energy_of_the_rule():
    """By van Liempt's rule D goes as exp(-17 Tm / T); the driving force changes little with temperature."""
    constants = []
    for T in (1573.0, 1773.0):
        couple = couple_recipe("MgO", "Al2O3", temperature_K=T, hold_h=10, energies="measured", transport="none")
        layers = run_couple(couple, cells=120).layers.set_index("phase")
        assert list(layers.index) == ["MgO", "MgAl2O4", "Al2O3"] and layers.growth["MgAl2O4"] == "parabolic"
        constants.append(layers.k_m2_per_s["MgAl2O4"])
    activation_K = np.log(constants[1] / constants[0]) / (1 / 1573.0 - 1 / 1773.0)
    melting = load_phases("measured:Mg-Al-O")
    assert activation_K == pytest.approx(17 * melting[melting.index("MgAl2O4")].melting_point_K, rel=0.05)


def test_metathesis_leaves_sodium_chloride():
    """YCl3 + Y2O3 + 3 NaMnO2 -> 3 YMnO3 + 3 NaCl: all chlorine ends there, whatever the computed energies are."""
    phases = load_phases("measured:Cl-Mn-Na-O-Y", computed=TABLE)
    powder = {"YCl3": 1.0, "Y2O3": 1.0, "NaMnO2": 3.0}
    for T in (700.0, 950.0):
        found = equilibrium(phases, powder, T)
        assert found["NaCl"] == pytest.approx(3.0) and found["YMnO3"] == pytest.approx(3.0), T


def test_hot_in_oxygen_the_published_route_ends_with_the_manganite():
    """All alkalis yield YMnO3 above 950 C (Todd and Neilson, J. Am. Chem. Soc. 2019, 141, 1191)."""
    phases = load_phases("measured:C-Cl-Mn-Na-O-Y", computed=TABLE)
    powder = {"YCl3": 2.0, "Mn2O3": 1.0, "Na2CO3": 3.0}
    found = equilibrium(
        phases, powder, 1250.0, partial_pressure_Pa={"O2": 1e5}, release_pressure_Pa={"CO2": 1.0, "Cl2": 1.0}
    )
    solids = {formula: amount for formula, amount in found.items() if formula not in ("O2", "CO2", "Cl2")}
    assert solids == {"YMnO3": pytest.approx(2.0), "NaCl": pytest.approx(6.0)}


@pytest.mark.slow
def test_metathesis_keeps_its_chlorine():
    """No gas of chlorine leaves or comes: what YCl3 loses is in NaCl, MnCl2 and YOCl."""
    run = ran("ymno3")
    found = amounts(run)
    chlorine = {"YCl3": 3, "NaCl": 1, "MnCl2": 2, "YClO": 1, "Mn8Cl3O10": 3}
    assert not any("Cl" in gas for gas in run.history.gases)
    held = sum(n * found.get(formula, 0.0) for formula, n in chlorine.items())
    assert held == pytest.approx(3 * amounts(run, 0)["YCl3"], rel=1e-6)
    assert found["NaCl"] > 0


@needs_freed  # or the sentence names what would bring more
def test_what_no_table_has_is_refused_in_one_sentence(call, tmp_path, monkeypatch):
    """As the page shows it."""
    monkeypatch.chdir(tmp_path)
    done = call("new", "--target", "YMnO3", "--from", "YCl3", "Y2O3", "NaMnO2", "--atmosphere", "inert")
    assert done.status == 2 and "Traceback" not in done.err and len(done.err.strip().splitlines()) == 1
    assert "YMnO3 has no energy among the measured compounds" in done.err
    page = (ROOT / "docs" / "worked-examples.md").read_text(encoding="utf-8")
    assert " ".join(done.err.split()) in " ".join(page.split())
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------------- the sweep


def sweep() -> ModuleType:
    spec = spec_from_file_location("sweep", ROOT / "docs" / "sweep.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["sweep"] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def swept() -> list[dict[str, str]]:
    with (ROOT / "docs" / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_of_the_sweep_has_no_fault():
    rows = swept()
    assert len(rows) == 100 and len({frozenset((row["first"], row["second"])) for row in rows}) == 100
    assert {row["outcome"] for row in rows} <= {"report", "refused"}
    assert all(row["products"] for row in rows)


def fire_again(rows: list[dict[str, str]]) -> None:
    script = sweep()
    known = script.oxides()
    for row in rows:
        if row["first"] in known and row["second"] in known:  # without FREED there are fewer
            fired = script.fire(row["first"], row["second"], row["atmosphere"], known)
            assert fired.outcome in ("report", "refused"), fired


@pytest.mark.parametrize("number", [0, 16, 40, 60, 97])
def test_pairs_end_in_a_report_or_a_sentence(number):
    fire_again([swept()[number]])


@pytest.mark.slow
def test_every_fifth_pair_ends_in_a_report_or_a_sentence():
    fire_again(swept()[::5])
