"""Compositions between end members: what is exchanged, where each lies, and which figures a page has of them."""

import numpy as np
import pytest

from tammann.structures import Configuration, write_structure
from tammann.thermo.composition_hull import composition_hull
from tammann.workflows.electrolyte import ElectrolytePlan
from tammann.workflows.electrolyte.composition_maps import composition_figures, exchanged_elements
from tammann.workflows.electrolyte.results import ElectrolyteResult
from tammann.workflows.electrolyte.structures import hull_table, own_end_members
from workflows.electrolyte.oxides import fcc_host

HOST = fcc_host(5.0, "A Li 0 0 0 1", "X Br 0.5 0.5 0.5 1")
CHARGES = {"Li": 1.0, "Na": 1.0, "K": 1.0, "F": -1.0, "Cl": -1.0, "Br": -1.0}


def plan_of(folder, *compositions):
    (folder / "host.cif").write_text(HOST)
    blocks = [{"occupancies": {"A": cations, "X": anions}} for cations, anions in compositions]
    return ElectrolytePlan(
        host=str(folder / "host.cif"), compositions=blocks, charges=CHARGES, potential="ase.calculators.lj:LennardJones"
    )


def result_of(plan, per_atom, sigma=None, reference=None):
    """A result with one structure of each composition, and a table with given conductivities."""
    rows = [plan.composition(name) for name in plan.names]
    names = [f"{name}-001" for name in plan.names]
    energies = [e * sum(row.values()) for e, row in zip(per_atom, rows, strict=True)]
    if reference:
        rows, names, energies = [*rows, {"Na": 1, "Br": 1}], [*names, "reference-NaBr"], [*energies, 2 * reference]
    ends = own_end_members(names, rows, np.array(energies))
    table = hull_table(composition_hull(rows, energies, end_members=ends), names, {})
    table["selected"] = [not name.startswith("reference") for name in names]
    chosen = tuple(names[: len(plan.names)])
    found = ElectrolyteResult(plan, plan.host, {}, table, chosen, {}, {}, {}, ())
    if sigma is None:
        return found
    rows = found.table().set_index("structure")
    for part, factor in (("", 1.0), ("_low", 0.5), ("_high", 2.0)):
        rows[f"sigma_NE{part}_S_per_cm"] = np.array(sigma) * factor

    class Known(ElectrolyteResult):
        def table(self):
            return rows.reset_index()

    return Known(**{name: getattr(found, name) for name in found.__dataclass_fields__})


LI, HALF = {"Li": 1.0}, {"Li": 0.5, "Na": 0.5}


def test_what_shares_sites_is_exchanged(tmp_path):
    mixed = {"Br": 0.5, "Cl": 0.5}
    square = plan_of(tmp_path, (LI, {"Br": 1.0}), (HALF, {"Br": 1.0}), (LI, {"Cl": 1.0}), (HALF, mixed))
    assert sorted(exchanged_elements(square)) == [("Br", "Cl"), ("Li", "Na")]
    line = plan_of(tmp_path, (LI, {"Br": 1.0}), (LI, mixed))
    assert exchanged_elements(line) == [("Br", "Cl")]
    assert exchanged_elements(plan_of(tmp_path, (LI, mixed))) == []


def test_ordered_structures_of_one_charge(tmp_path):
    """LiCl and LiBr exchange their anion; beside Li2O there is no line of one share."""
    for name, symbols in {"a": ("Li", "Cl"), "b": ("Li", "Br"), "c": ("Li", "Li", "O")}.items():
        places = np.array([[0, 0, 0], [2.5, 2.5, 2.5], [2.5, 0, 0]])[: len(symbols)]
        write_structure(Configuration(symbols, places, 5.0 * np.eye(3)), tmp_path / f"{name}.cif")
    keys = {"potential": "ase.calculators.lj:LennardJones"}
    pair = [str(tmp_path / f"{name}.cif") for name in "ab"]
    assert exchanged_elements(ElectrolytePlan(structures=pair, **keys)) == [("Cl", "Br")]
    assert exchanged_elements(ElectrolytePlan(structures=[*pair, str(tmp_path / "c.cif")], **keys)) == []


def test_a_line_with_the_property(tmp_path):
    plan = plan_of(tmp_path, *((LI, each) for each in ({"Br": 1.0}, {"Br": 0.5, "Cl": 0.5}, {"Cl": 1.0})))
    figures = composition_figures(result_of(plan, (-3.0, -3.49, -4.0), (1e-3, 4e-3, 2e-3)))
    assert [ax.get_ylabel() for _, ax in figures] == ["energy of formation (meV/atom)", "σ(300 K) (S/cm)"]
    _, ax = figures[1]
    points = {tuple(row) for line in ax.lines if line.get_marker() == "o" for row in line.get_xydata().tolist()}
    assert points == {(0.0, 1e-3), (0.5, 4e-3), (1.0, 2e-3)}
    assert [text.get_text() for text in ax.texts] == ["10"] and ax.get_xlabel() == "Cl / (Br + Cl)"
    # no conductivity yet: the energies alone
    assert len(composition_figures(result_of(plan, (-3.0, -3.49, -4.0)))) == 1


def test_a_square_and_a_triangle(tmp_path):
    corners = [(a, {x: 1.0}) for a in (LI, HALF) for x in ("Br", "Cl")]
    plan = plan_of(tmp_path, *corners)
    _, ax = composition_figures(result_of(plan, (-3.0, -3.0, -3.1, -2.9), (1e-3, 1e-2, 1e-4, 1e-5)))[-1]
    assert {ax.get_xlabel(), ax.get_ylabel()} == {"Na / (Li + Na)", "Cl / (Br + Cl)"}
    assert len(ax.figure.axes) == 2
    # too few for contours: the map alone
    caption, ax = composition_figures(result_of(plan, (-3.0, -3.0, -3.1, -2.9), (1e-3, np.nan, np.nan, np.nan)))[-1]
    assert len(ax.figure.axes) == 1 and "contours" not in caption
    triangle = plan_of(tmp_path, *((LI, {x: 1.0}) for x in ("Br", "Cl", "F")))
    ((_, ax),) = composition_figures(result_of(triangle, (-3.0, -3.0, -3.0), (1e-3, 1e-2, 1e-4)))
    assert {text.get_text() for text in ax.texts} >= {"Br", "Cl", "F"}


def test_what_only_competes_is_no_end_member_and_not_drawn(tmp_path):
    plan = plan_of(tmp_path, (LI, {"Br": 1.0}), (HALF, {"Br": 1.0}))
    result = result_of(plan, (-3.0, -3.0), reference=-3.5)
    table = result.hull.set_index("structure")
    assert np.isnan(table.loc["reference-NaBr", "formation_eV_per_atom"])
    # halfway between -3.0 and -3.5
    assert table.loc[f"{plan.names[1]}-001", "above_hull_eV_per_atom"] == pytest.approx(0.25)
    assert table.loc[f"{plan.names[1]}-001", "decomposes_into"] == "LiBr + NaBr"
    assert table.loc[f"{plan.names[1]}-001", "formation_eV_per_atom"] == pytest.approx(0.0)
    ((_, ax),) = composition_figures(result)
    assert max(x for line in ax.lines if line.get_marker() == "." for x in line.get_xdata()) == 0.5


def test_one_composition_has_no_map(tmp_path):
    assert composition_figures(result_of(plan_of(tmp_path, (LI, {"Br": 1.0})), (-3.0,))) == []
