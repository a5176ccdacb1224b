"""Plans of grain boundaries: bad input, and no strain unasked for."""

import pytest

from tammann.errors import RecipeError
from tammann.structures.crystals import load_crystal
from tammann.workflows.grain_boundaries import GrainBoundaryPlan


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"crystal": "none.cif"}, "crystal: expected one of"),
        ({"boundaries": []}, "boundaries"),
        ({"boundaries": [{}]}, "angle_deg of a tilt or the sigma"),
        ({"boundaries": [{"sigma": 6}]}, "sigma 6 .*no such coincidence"),
        ({"boundaries": [{"sigma": 5, "plane": [1, 1, 1]}]}, "expected a plane of this coincidence"),
        ({"boundaries": [{"angle_deg": 5.0, "plane": [1, 1, 1]}]}, "plane only with the sigma"),
        ({"boundaries": [{"sigma": 5}, {"sigma": 5}]}, "each boundary"),
        ({"boundaries": [{"angle_deg": 120.0}]}, "from 0 to 90"),
        ({"axis": [0, 0, 2]}, "axis: expected three integers"),
        ({"translations": [0, 2]}, "translations"),
        ({"thickness_A": -1.0}, "thickness_A"),
        ({"engine": "torch-sim", "potential": "pedone-2006"}, "Cu"),
        ({"engine": "gromacs"}, "engine"),
        ({"spread": 1}, "spread"),
    ],
)
def test_bad_plans_are_refused_in_one_sentence(tiny, changes, words):
    with pytest.raises(RecipeError, match=words) as refused:
        tiny(**changes)
    assert "\n" not in str(refused.value)


def test_strain_is_not_applied_unless_allowed(tiny, tmp_path):
    from ase.io import read

    cell = read("copper.extxyz")
    cell.set_cell(cell.cell.array * [1.0, 1.01, 1.0], scale_atoms=True)
    cell.write("stretched.extxyz")
    cell = load_crystal("stretched.extxyz")
    # the tilt keeps the lengths of both grains and gives the angle instead
    ((_, tilt),) = tiny(crystal="stretched.extxyz").planes(cell)
    assert tilt.strain == 0.0 and abs(tilt.angle_deg - 36.87) > 0.1
    twist = {"crystal": "stretched.extxyz", "boundaries": [{"sigma": 5, "plane": [0, 0, 1]}]}
    with pytest.raises(RecipeError, match=r"needs a strain of 0\.\d+ %; allow it with largest_strain"):
        tiny(**twist)
    ((_, plane),) = tiny(**twist, largest_strain=0.02).planes(cell)
    assert 0.001 < plane.strain <= 0.02


def test_planes_are_named_as_one_likes(tiny):
    crystal = load_crystal("copper.extxyz")
    boundaries = [{"sigma": 5, "plane": plane} for plane in ([2, 1, 0], [1, -2, 0], [3, 1, 0], [0, 0, 1])]
    found = [plane for _, plane in tiny(boundaries=boundaries).planes(crystal)]
    indices = [sorted(map(abs, plane.miller_1)) for plane in found]
    assert indices == [[0, 1, 2], [0, 1, 2], [0, 1, 3], [0, 0, 1]]
    assert [plane.kind for plane in found] == ["symmetric tilt"] * 3 + ["twist"]


def test_files_of_a_plan_are_beside_it(tiny, tmp_path):
    (tmp_path / "plans").mkdir()
    (tmp_path / "copper.extxyz").rename(tmp_path / "plans" / "mine.extxyz")
    text = "crystal: mine.extxyz\npotential: ase.calculators.emt:EMT\nboundaries: [{angle_deg: 16.26}]\n"
    (tmp_path / "plans" / "plan.yaml").write_text(text)
    plan = GrainBoundaryPlan.from_file(tmp_path / "plans" / "plan.yaml")
    ((name, plane),) = plan.planes(load_crystal(plan.crystal))
    assert name == "tilt 16.26 about 0 0 1" and plane.angle_deg == pytest.approx(16.26, abs=0.01)


def test_potentials_of_ions_take_crystals_whose_charges_cancel(tiny):
    plan = tiny(crystal="BaO", potential="pedone-2006", engine="lammps", boundaries=[{"sigma": 3}], axis=[1, 0, 0])
    assert plan.planes(load_crystal("BaO"))
