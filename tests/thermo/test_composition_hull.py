"""Hulls of total energies against pymatgen's, and known answers in pseudo-binary and reciprocal systems."""

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram

from tammann.errors import DataError
from tammann.thermo.composition_hull import composition_hull

CORNERS = ["Li3InCl6", "Li3InBr6", "Li3YCl6", "Li3YBr6"]


def reciprocal(rng, n):
    """Random members of Li6(In,Y)2(Br,Cl)12, those of the corners first."""
    counts = [(2, 0, 0, 12), (2, 0, 12, 0), (0, 2, 0, 12), (0, 2, 12, 0)]
    counts += [(2 - y, y, x, 12 - x) for y, x in zip(rng.integers(0, 3, n), rng.integers(0, 13, n), strict=True)]
    names = ("In", "Y", "Br", "Cl")
    rows = [{"Li": 6, **{e: int(k) for e, k in zip(names, c, strict=True) if k}} for c in counts]
    return rows, -80.0 + rng.normal(scale=0.5, size=len(rows))


@pytest.mark.parametrize("seed", range(3))
def test_pymatgen(seed):
    """The same distances with the elements far above, so that they take no part."""
    rng = np.random.default_rng(seed)
    rows, energies = reciprocal(rng, 40)
    hull = composition_hull(rows, energies)
    entries = [PDEntry(row, e) for row, e in zip(rows, energies, strict=True)]
    elements = [PDEntry({e: 1}, 100.0) for e in ("Li", "In", "Y", "Br", "Cl")]
    diagram = PhaseDiagram(entries + elements)
    theirs = [diagram.get_e_above_hull(entry) for entry in entries]
    assert hull.above_hull_eV_per_atom == pytest.approx(theirs, abs=1e-9)
    assert {hull.formulas[k] for k in hull.end_members} == set(composition_hull(CORNERS, [0.0] * 4).formulas)


def test_pseudo_binary_by_hand():
    hull = composition_hull(["LiCl", "LiBr", "Li2BrCl", "Li4BrCl3", "Li2BrCl"], [-8.0, -7.0, -15.4, -31.0, -15.2])
    # per LiX: -8, -7, and -7.7, -7.75, -7.6 at a half, a quarter, a half; the line between ends gives -7.5, -7.75
    assert hull.formation_eV_per_formula / np.array([1, 1, 2, 4, 2]) == pytest.approx([0, 0, -0.2, 0.0, -0.1])
    # the tie line of LiCl and Li2BrCl passes a quarter at -7.85
    assert hull.above_hull_eV_per_formula / np.array([1, 1, 2, 4, 2]) == pytest.approx([0, 0, 0, 0.1, 0.1])
    assert hull.stable.tolist() == [True, True, True, False, False]
    assert hull.lowest.tolist() == [True, True, True, True, False]
    assert hull.share("Br", ("Br", "Cl")) == pytest.approx([0, 1, 0.5, 0.25, 0.5])


def test_per_formula_as_told():
    hull = composition_hull(["Li6InYBr6Cl6", "Li3InCl6", "Li3YBr6"], [-70.0, -40.0, -31.0], formula_units=[2, 1, 1])
    assert hull.atoms_per_formula.tolist() == [10, 10, 10]
    # half a formula unit of each end for one: -35.5; -35 is half an eV above
    assert hull.above_hull_eV_per_formula[0] == pytest.approx(0.5)
    assert hull.above_hull_eV_per_atom[0] == pytest.approx(0.05)


def test_the_reference_of_a_reciprocal_system_is_its_lower_diagonal():
    """Li3In0.5Y0.5Br3Cl3 is half of InCl + YBr, and half of InBr + YCl; the lower of them counts."""
    hull = composition_hull(
        [*CORNERS, "Li6InYBr6Cl6"], [-40.0, -36.0, -41.0, -38.0, -77.5], formula_units=[1, 1, 1, 1, 2]
    )
    assert hull.formation_eV_per_formula[-1] == pytest.approx((-77.5 + 78.0) / 2)
    assert hull.formation_eV_per_formula[:4] == pytest.approx(0.0)


def test_nothing_changes_with_the_zero_of_energies_or_the_size_of_cells():
    rng = np.random.default_rng(5)
    rows, energies = reciprocal(rng, 20)
    hull = composition_hull(rows, energies)
    zero = {"Li": -1.9, "In": -2.7, "Y": -6.5, "Br": -1.6, "Cl": -1.8}
    shifted = energies + [sum(zero[e] * n for e, n in row.items()) for row in rows]
    doubled = [{e: 2 * n for e, n in row.items()} for row in rows]
    again = composition_hull(doubled, 2 * shifted)
    assert again.above_hull_eV_per_atom == pytest.approx(hull.above_hull_eV_per_atom, abs=1e-9)
    assert again.formation_eV_per_atom == pytest.approx(hull.formation_eV_per_atom, abs=1e-9)


def test_competing_phases_beyond_the_end_members():
    """A stable pair of binary halides lifts the ternary, which has no energy of formation from itself alone."""
    hull = composition_hull(["Li3YCl6", "LiCl", "YCl3"], [-40.0, -8.5, -15.0], end_members=["Li3YCl6"])
    assert hull.above_hull_eV_per_formula[0] == pytest.approx(-40.0 + 3 * 8.5 + 15.0)
    assert np.isnan(hull.formation_eV_per_atom[1:]).all()
    assert hull.formation_eV_per_atom[0] == 0.0


def test_a_table_and_what_is_refused():
    hull = composition_hull(["LiCl", "LiBr"], [-8.0, -7.0])
    assert hull.table()["formula"].tolist() == ["LiCl", "LiBr"]
    with pytest.raises(DataError, match="energies_eV: expected a finite energy of each of 2"):
        composition_hull(["LiCl", "LiBr"], [-8.0, np.nan])
    with pytest.raises(DataError, match="formula_units: expected a number above 0"):
        composition_hull(["LiCl"], [-8.0], formula_units=[0])
    with pytest.raises(DataError, match="end member 'LiI': expected a composition that is there, such as LiCl, LiBr"):
        composition_hull(["LiCl", "LiBr"], [-8.0, -7.0], end_members=["LiI"])
    with pytest.raises(DataError, match="share: expected elements of Li, Cl, Br, got 'I'"):
        hull.share("I", ("Br", "Cl"))


def test_what_a_chloride_falls_apart_into():
    """Energies made up, sums by hand."""
    rows = ["Li3InCl6", "Li3InCl6", "LiCl", "InCl3", "Li3YCl6", "YCl3", "LiInCl4"]
    energies = [-39.5, -39.0, -7.0, -18.0, -41.0, -20.5, -25.0]
    hull = composition_hull(rows, energies, end_members=["LiCl", "InCl3", "YCl3"])
    # 3 LiCl + InCl3 have -39.0, so half an electronvolt is won by a formula unit
    assert hull.formation_eV_per_formula[0] == pytest.approx(-0.5)
    assert hull.decomposition(0) == {"Li3InCl6": 1.0} and hull.decomposition(1) == {"Li3InCl6": 1.0}
    assert hull.above_hull_eV_per_formula[1] == pytest.approx(0.5)
    # LiInCl4 is a third of Li3InCl6 and two thirds of InCl3, -25.1667
    assert hull.decomposition(6) == pytest.approx({"Li3InCl6": 1 / 3, "InCl3": 2 / 3}, abs=1e-6)
    assert hull.above_hull_eV_per_formula[6] == pytest.approx(-25.0 + 39.5 / 3 + 12.0)
    # 3 LiCl + YCl3 have -41.5
    assert hull.above_hull_eV_per_formula[4] == pytest.approx(0.5)
    told = hull.table()["decomposes_into"].tolist()
    assert told == ["", "Li3InCl6", "", "", "3 LiCl + YCl3", "", "0.3333 Li3InCl6 + 0.6667 InCl3"]


@pytest.mark.parametrize("seed", range(3))
def test_products_as_pymatgen_has_them(seed):
    """Products hold the atoms and, together, the energy of the hull; they are those of pymatgen."""
    rng = np.random.default_rng(10 + seed)
    rows, energies = reciprocal(rng, 40)
    hull = composition_hull(rows, energies)
    entries = [PDEntry(row, e) for row, e in zip(rows, energies, strict=True)]
    diagram = PhaseDiagram(entries + [PDEntry({e: 1}, 100.0) for e in ("Li", "In", "Y", "Br", "Cl")])
    for k, entry in enumerate(entries):
        shares = hull.products[k]
        fractions = hull.counts / hull.counts.sum(axis=1, keepdims=True)
        assert sum(s * fractions[j] for j, s in shares.items()) == pytest.approx(fractions[k], abs=1e-8)
        energy = sum(s * hull.energies_eV_per_atom[j] for j, s in shares.items())
        assert hull.energies_eV_per_atom[k] - energy == pytest.approx(hull.above_hull_eV_per_atom[k], abs=1e-9)
        theirs = diagram.get_decomposition(entry.composition)
        expected = {e.composition.reduced_formula: s for e, s in theirs.items()}
        assert len(shares) == len(expected)
        assert sorted(shares.values()) == pytest.approx(sorted(expected.values()), abs=1e-6)
