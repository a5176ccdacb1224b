"""Crystals of the package: distances as published, whole formula units."""

import numpy as np
import pytest

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures.crystals import crystal_from_row, load_crystal, load_crystals
from tammann.systems import read_rows


def neighbours(configuration, first, second, within_A):
    from ase.neighborlist import neighbor_list

    i, j, d = neighbor_list("ijd", configuration.to_ase(), within_A)
    kinds = np.array(configuration.symbols)
    near = (kinds[i] == first) & (kinds[j] == second)
    return np.sort(d[near]), near.sum() / (kinds == first).sum()


@pytest.mark.parametrize("name", load_crystals())
def test_crystals_have_their_formula_and_six_anions_about_a_cation(name):
    formula = {row["name"]: row["formula"] for row in read_rows("structures/crystals.csv")}[name]
    crystal = load_crystal(name)
    counts = {symbol: crystal.symbols.count(symbol) for symbol in crystal.symbols}
    assert composition_key(counts) == composition_key(formula)
    cation, within = next(one for one in (("Ti", 2.4), ("Zr", 3.1), ("Ba", 3.0)) if one[0] in crystal.symbols)
    assert neighbours(crystal, cation, "S" if "S" in crystal.symbols else "O", within)[1] == 6


def test_barium_zirconium_sulfide_is_in_the_setting_pbnm():
    crystal = load_crystal("BaZrS3")
    assert np.allclose(np.diag(crystal.cell_A), [6.96228, 7.08885, 9.96352]) and crystal.n_atoms == 20
    distances, _ = neighbours(crystal, "Zr", "S", 3.1)
    assert distances.mean() == pytest.approx(2.5335, abs=1e-3)
    fractional = crystal.positions_A / np.diag(crystal.cell_A)
    for position in ((0.48884, 0.95159, 0.25), (0.43869, 0.49600, 0.75), (0.70948, 0.78991, 0.53238)):
        assert np.abs((fractional - position + 0.5) % 1.0 - 0.5).sum(axis=1).min() < 1e-6


@pytest.mark.parametrize(
    ("name", "shortest", "longest"),  # Å, as in the papers of the table
    [("TiO2-rutile", 1.948, 1.982), ("TiO2-anatase", 1.934, 1.980), ("TiO2-brookite", 1.863, 2.052)],
)
def test_distances_in_the_octahedra_are_the_published_ones(name, shortest, longest):
    found, _ = neighbours(load_crystal(name), "Ti", "O", 2.4)
    assert found[[0, -1]] == pytest.approx([shortest, longest], abs=0.002)


def test_a_table_of_ones_own(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("# mine\nname,space_group,cell,atoms\nsalt,225,5.64 5.64 5.64 90 90 90,Na 0 0 0; Cl 0.5 0.5 0.5\n")
    assert load_crystals(table)["salt"].n_atoms == 2


def test_a_crystal_from_a_cif_file(tmp_path):
    from ase.io import write

    file = tmp_path / "rutile.cif"
    write(file, load_crystal("TiO2-rutile").to_ase())
    assert load_crystal(file).n_atoms == 6


def test_what_is_no_crystal_is_refused():
    with pytest.raises(DataError, match="correct its row"):
        crystal_from_row({"name": "x", "space_group": "many", "cell": "1", "atoms": "Ba"})
    with pytest.raises(DataError, match="TiO2-rutile"):
        load_crystal("unobtainium")
