"""Plans of melts: what is taken, what is refused and in which words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import RecipeError
from tammann.workflows.melt.plan import MeltPlan

EXAMPLES = Path(__file__).parents[3] / "examples" / "melts"


def test_a_formula_is_enough():
    plan = MeltPlan.from_text("melts: [BaTiO3]")
    assert plan.temperatures_K == (1500.0, 1750.0, 2000.0) and plan.potential == "pedone-2006"
    conditions = plan.conditions(1500.0)
    assert conditions.timestep_fs == 2.0 and conditions.steps(1.0) == 500


def test_packing_is_asked_for_by_pairs():
    plan = MeltPlan.from_text("melts: [BaTiO3, TiO2]\nminimum_distances_A:\n  O-Ti: 1.7\n  Ba-O: 2.4")
    assert plan.distances_A("BaTiO3") == {("O", "Ti"): 1.7, ("Ba", "O"): 2.4}
    assert plan.distances_A("TiO2") == {("O", "Ti"): 1.7} and MeltPlan(melts=("TiO2",)).distances_A("TiO2") == {}
    assert MeltPlan(**plan.model_dump(mode="json")) == plan


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_plans_are_plans(path):
    plan = MeltPlan.from_file(path)
    assert MeltPlan(**plan.model_dump(mode="json")) == plan


def test_the_shipped_table_is_what_it_is_said_to_be():
    plan = MeltPlan.from_file(EXAMPLES / "ba-ti-o.yaml")
    assert len(plan.melts) >= 9 and set(plan.temperatures_K) >= {1250, 1500, 1750, 2000}
    assert plan.replicas >= 3 and plan.production_ps >= 300


@pytest.mark.parametrize(
    "text, words",
    [
        ("melts: BaTiO3", "melts: expected a list of formulas"),
        ("melts: []", "melts: expected a list"),
        ("temperatures_K: [1500]", "melts: expected a list of formulas, such as [BaTiO3, Ba2TiO4], got nothing"),
        ("melts: [BaTiO3]\natom: 3", "did you mean atoms?"),
        ("melts: [BaTiO3]\natoms: 3", "from 20 to 100000, got 3"),
        ("melts: [BaTiO3]\natoms: 200.5", "atoms: expected"),
        ("melts: [BaTiO3]\ntemperatures_K: 1500", "temperatures_K: expected"),
        ("melts: [BaTiO3]\ntemperatures_K: [1500, 1500]", "each temperature once"),
        ("melts: [BaTiO3]\ntemperatures_K: 2000", "in a list, such as [1500, 1750], got 2000"),
        ("melts: [BaTiO3]\ntemperatures_K: [20]", "temperatures_K[0]: expected temperatures from 300 to 6000 K"),
        ("melts: [BaTiO3, Ba2Ti2O6]", "got BaTiO3 and Ba2Ti2O6"),
        ("melts: [UO2]", "UO2: potential pedone-2006 has no parameters for U"),
        ("melts: [MgO, BaTiO2]", "BaTiO2: its charges with pedone-2006 (Ba +1.2, Ti +2.4, O -1.2) sum to +1.2"),
        ("melts: [Qq]", "melts[0]: formula 'Qq'"),
        ("melts: [BaTiO3]\nstress_fs: 3", "stress_fs: expected a multiple of timestep_fs 2, got 3"),
        ("melts: [BaTiO3]\nframe_fs: 50", "frame_fs: expected a multiple of stress_fs 20, got 50"),
        ("melts: [BaTiO3]\nend_members: [BaO, Ba2O2]", "twice; name another"),
        ("melts: [BaTiO3]\nend_members: [BaO, CaO]", "hold no Ti for BaTiO3"),
        ("melts: [BaTiO3]\nproduction_ps: 0.01", "at least one frame of 100 fs"),
        ("melts: [BaTiO3]\nengine: gromacs", "engine: expected"),
        ("melts: [BaTiO3]\nthermostat: none", "thermostat: expected nose-hoover, langevin or berendsen"),
        ("melts: [BaTiO3]\nvolume:\n  scales: [1, 1.2]", "volume.scales: expected three or more"),
        ("melts: [BaTiO3]\nvolume:\n  hold: 3", "did you mean hold_ps?"),
        ("melts: [BaTiO3]\nend_members: [BaO]", "end_members[1]: expected two formulas"),
        ("melts: [MgO]\nvolume_per_atom_A3: 0", "volume_per_atom_A3: expected a volume"),
        ("melts: [MgO]\nminimum_distances_A: 2", "minimum_distances_A: expected distances"),
        ("melts: [MgO]\nminimum_distances_A: {Mg-O: wide}", "minimum_distances_A.Mg-O: expected distances"),
        ("melts: [MgO]\nminimum_distances_A: {Mg-O: -1}", "minimum_distances_A.Mg-O: expected distances"),
        ("melts: [MgO]\nminimum_distances_A: {MgO: 2}", "expected two elements such as Ba-O, got 'MgO'"),
        ("melts: [MgO, CaO]\nminimum_distances_A: {Mg-Ca: 2}", "expected elements of one melt, got Mg-Ca"),
        ("melts: [MgO]\nminimum_distances_A: {Mg-O: 2, O-Mg: 3}", "expected each pair once, got O-Mg again"),
        ("melts: [BaTiO3]\natoms: 1.0e+12", "atoms: expected"),
        ("melts: [BaTiO3]\natoms: 1000000000000", "atoms: expected a number from 20 to 100000, got 1000000000000"),
        ("melts: [BaTiO3]\ntemperatures_K: [1.0e+9]", "temperatures from 300 to 6000 K"),
        ("melts: [BaTiO3]\nmelt_K: 1.0e+9", "melt_K: expected a temperature from 300 to 6000 K"),
        ("melts: [BaTiO3]\ntimestep_fs: 1.0e-300", "timestep_fs: expected a time from 0.01 to 10 fs, got 1e-300"),
        ("melts: [BaTiO3]\nproduction_ps: 1.0e+300", "production_ps: expected a time from 0.001 to 1e6 ps"),
        ("melts: [BaTiO3]\nsettle_ps: 1.0e-300", "settle_ps: expected a time from 0.001 to 1e6 ps"),
        ("melts: [BaTiO3]\ndamping_fs: 1.0e-300", "damping_fs: expected a time from 0.01 to 1e6 fs"),
        ("melts: [BaTiO3]\nreplicas: 100000", "replicas: expected a whole number from 1 to 100"),
        ("melts: [MgO]\natoms: 100000\nreplicas: 100\nproduction_ps: 1.0e+6", "at most 1e+15; take fewer atoms"),
        ("melts: [BaTiO3]\nvolume: {attempts: 100}", "steps times atoms, expected at most 1e+15"),
        ("melts: &a [BaTiO3]", "anchor"),
        ("", "empty file"),
    ],
)
def test_refusals(text, words):
    with pytest.raises(RecipeError) as caught:
        MeltPlan.from_text(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_cost_is_counted():
    """One state of 100 atoms, steps of 2 fs: a search of 5, 3 x 4 and 20 ps, 2 replicas melted for 5 and 10 ps."""
    plan = MeltPlan.from_text(
        "melts: [MgO]\ntemperatures_K: [3000]\natoms: 100\nreplicas: 2\nlongest_ps: 600\nvolume: {attempts: 1}"
    )
    cost = plan.cost()
    assert (cost.states, cost.replicas) == (1, 2)
    assert cost.steps_to_prepare_at_most == 500 * (5 + 12 + 20 + (5 + 20) + (10 + 20))
    assert cost.steps_of_production == 500 * 2 * 300 and cost.steps_of_production_at_most == 500 * 2 * 600
    assert cost.atom_steps_at_most == 100 * (500 * 92 + 500 * 1200)
    assert cost.core_hours_at_most == pytest.approx(100 * 500 * 1292 / 4.6e5 / 3600)  # 200 atoms, 300 ps: 65 s
    assert plan.model_copy(update={"engine": "ase"}).cost().core_hours_at_most is None


def test_files_are_named(tmp_path):
    with pytest.raises(RecipeError, match="nowhere.yaml: expected a file"):
        MeltPlan.from_file(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("melts: 3")
    with pytest.raises(RecipeError, match=r"bad.yaml: melts: expected"):
        MeltPlan.from_file(tmp_path / "bad.yaml")


@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_a_sentence(text):
    try:
        MeltPlan.from_text(text)
    except RecipeError as error:
        assert "\n" not in str(error)
