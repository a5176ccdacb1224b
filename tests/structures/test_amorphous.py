"""Random packings: as many atoms as asked, as far apart as asked, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import DataError
from tammann.structures import Configuration, amorphous, atoms_in_box, estimate_volume_per_atom, random_packing


def distances(packing):
    d = packing.positions_A[:, None] - packing.positions_A[None]
    edge = packing.cell_A[0, 0]
    return np.linalg.norm(d - edge * np.round(d / edge), axis=-1)


def nearest(packing, first, second):
    kinds = np.array(packing.symbols)
    r = distances(packing) + 1e9 * np.eye(packing.n_atoms)
    return r[np.ix_(kinds == first, kinds == second)].min()


@given(st.sampled_from(["BaTiO3", "Ba6Ti17O40", "Li2TiO3", "MgO"]), st.integers(1, 3000))
def test_boxes_hold_whole_formula_units(formula, atoms):
    unit = parse_formula(formula)
    counts = atoms_in_box(formula, atoms)
    units = {counts[s] / n for s, n in unit.items()}
    assert len(units) == 1 and units.pop() >= 1
    size = sum(unit.values())
    assert abs(sum(counts.values()) - atoms) <= max(size / 2, size - 1)


def test_formula_written_twice_over_is_the_same_box():
    assert atoms_in_box("Ba2Ti2O6", 100) == atoms_in_box("BaTiO3", 100)


def test_volume_of_molten_batio3_is_near_the_measured_one():
    """About 19 to 21 Å3 per atom between 1900 and 2200 K, whichever of the densities one takes."""
    assert 18.5 < estimate_volume_per_atom("BaTiO3", temperature_K=2000) < 21.5


def test_volume_of_an_element_without_figures_of_its_own():
    assert 15 < estimate_volume_per_atom("SrTiO3", temperature_K=2500) < 22


# Melts at their melting points, g/cm3: Janz, J. Phys. Chem. Ref. Data 1988, 17, Suppl. 2, as in the table of densities
# of molten salts in the CRC Handbook; FeS and Cu2S at 1473 K: review at aaltodoc.aalto.fi/handle/123456789/14194.
MELTS = {
    "LiF": 1.81,
    "NaCl": 1.556,
    "KCl": 1.527,
    "CaF2": 2.52,
    "BaF2": 4.14,
    "BaCl2": 3.174,
    "BaBr2": 3.991,
    "BaI2": 4.26,
    "AgCl": 4.83,
    "AlCl3": 1.302,
    "FeS": 3.8,
    "Cu2S": 5.18,
}
# Crystals with 8 atoms in a cube of this edge, Å: Wyckoff, Crystal Structures, 1963, vol. 1.
CUBES = {"TiN": 4.24, "MgS": 5.20, "CaS": 5.69, "ZnSe": 5.67, "CdTe": 6.48}


@pytest.mark.parametrize("formula", [*MELTS, *CUBES])
def test_volumes_without_oxygen(formula):
    """Within 30 % of what was measured: enough to pack from."""
    unit = parse_formula(formula)
    if formula in MELTS:
        mass = sum(atomic_masses()[symbol] * n for symbol, n in unit.items())
        measured = mass / sum(unit.values()) / MELTS[formula] / 0.602214
    else:
        measured = CUBES[formula] ** 3 / 8
    assert estimate_volume_per_atom(formula, temperature_K=1500.0) == pytest.approx(measured, rel=0.3)


@pytest.mark.parametrize(
    "formula, shares",
    [
        ("BaTiO3", {}),
        ("BaSO4", {}),
        ("NaNO3", {}),
        ("TiC", {}),
        ("NaCl", {"Cl": 1.0}),
        ("SF6", {"F": 1.0}),
        ("Y2O2S", {"S": 1 / 3}),
        ("TaON", {"N": 0.6}),
    ],
)
def test_which_elements_are_anions(formula, shares):
    assert amorphous._anions(parse_formula(formula)) == pytest.approx(shares)


def test_a_trace_of_fluorine_changes_little():
    """Between the oxide and the fluoride there is no step."""
    pure, little = (estimate_volume_per_atom(f, temperature_K=1700.0) for f in ("CaO", "Ca100O99F2"))
    assert little == pytest.approx(pure, rel=0.02)


def test_no_radius_is_known():
    with pytest.raises(DataError, match="Ar: no radius is known"):
        estimate_volume_per_atom("NaClAr", temperature_K=300.0)


def test_packing():
    pytest.importorskip("packmol")
    packing = random_packing(
        "BaTiO3", atoms=100, volume_per_atom_A3=20.0, minimum_distances_A={("O", "Ti"): 1.6}, rng=3
    )
    assert packing.symbols == ("Ba",) * 20 + ("Ti",) * 20 + ("O",) * 60
    assert packing.volume_A3 == pytest.approx(2000.0)
    assert nearest(packing, "Ti", "O") >= 1.6
    assert min(nearest(packing, *p) for p in [("Ba", "O"), ("O", "O"), ("Ti", "Ti")]) >= 0.7 * 20 ** (1 / 3)


def test_seeds():
    pytest.importorskip("packmol")
    one, same, other = (random_packing("MgO", atoms=40, rng=seed).positions_A for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_atoms_fill_the_box_evenly():
    """A pair distribution near 1 beyond the first shell: no gap is left at the walls of the cell."""
    pytest.importorskip("packmol")
    packing = random_packing("BaTiO3", atoms=400, volume_per_atom_A3=20.0, rng=5)
    thirds = np.floor(3 * packing.positions_A / packing.cell_A[0, 0]).astype(int) % 3
    for axis in range(3):
        counts = np.bincount(thirds[:, axis], minlength=3)
        assert counts.min() > 0.8 * 400 / 3
    assert np.ptp(packing.positions_A, axis=0).min() > 0.96 * packing.cell_A[0, 0]
    wall = np.minimum(packing.positions_A, packing.cell_A[0, 0] - packing.positions_A) % packing.cell_A[0, 0]
    assert wall.min() < 0.5


@pytest.mark.parametrize(
    "options, word",
    [
        ({"minimum_distances_A": {("O", "O"): 4.0}}, "fill"),
        ({"volume_per_atom_A3": -1.0}, "volume above 0"),
        ({"minimum_distances_A": {("Zr", "O"): 2.0}}, "no pair of the elements"),
        ({"minimum_distances_A": {("O", "O"): -2.0}}, "0 Å or more"),
        ({"atoms": 0}, "above 0"),
    ],
)
def test_what_cannot_be_packed_is_refused(options, word):
    with pytest.raises(DataError) as caught:
        random_packing("BaTiO3", **{"atoms": 50, "rng": 1, **options})
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_packmol_that_finds_no_room(monkeypatch):
    pytest.importorskip("packmol")
    monkeypatch.setattr(amorphous, "PACKMOL_SECONDS", 1e-4)
    with pytest.raises(DataError, match="found no room"):
        random_packing("BaTiO3", atoms=300, rng=1)


def test_packmol_that_is_not_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "packmol.cli", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[lammps\]'"):
        random_packing("BaTiO3", atoms=50, rng=1)


def test_stretching_keeps_fractions():
    start = Configuration(("Ba", "O"), np.array([[1.0, 2, 3], [4, 5, 6]]), 8.0 * np.eye(3))
    after = start.at_volume(64.0)
    assert after.volume_A3 == pytest.approx(64.0)
    np.testing.assert_allclose(after.positions_A / after.cell_A[0, 0], start.positions_A / 8.0)


@pytest.mark.parametrize(
    "positions, cell",
    [(np.zeros((1, 3)), np.eye(3)), (np.full((2, 3), np.nan), np.eye(3)), (np.zeros((2, 3)), np.zeros((3, 3)))],
)
def test_impossible_configurations(positions, cell):
    with pytest.raises(DataError):
        Configuration(("Ba", "O"), positions, cell)


def test_pymatgen_gets_the_same_atoms():
    structure = Configuration(("Ba", "O"), np.array([[0.0, 0, 0], [9, 0, 0]]), 8.0 * np.eye(3)).to_pymatgen()
    assert structure.composition.reduced_formula == "BaO"
    assert structure.get_distance(0, 1) == pytest.approx(1.0)
