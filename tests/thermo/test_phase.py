import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.composition import atomic_masses, composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo import Phase, load_phases

symbols = st.sampled_from(sorted(atomic_masses()))
compositions = st.dictionaries(symbols, st.integers(1, 99), min_size=1, max_size=5)


@given(compositions)
def test_a_formula_is_read_back_as_it_was_written(composition):
    text = "".join(f"{element}{count}" for element, count in composition.items())
    assert parse_formula(text) == composition


@given(compositions, st.integers(2, 7))
def test_a_bracket_multiplies(composition, times):
    text = "".join(f"{element}{count}" for element, count in composition.items())
    assert parse_formula(f"({text}){times}") == {e: times * n for e, n in composition.items()}
    assert composition_key(parse_formula(f"({text}){times}")) == composition_key(composition)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    try:
        composition = parse_formula(text)
    except DataError as error:
        assert "\n" not in str(error) or "\n" in text
    else:
        assert composition and all(n >= 1 for n in composition.values())


@pytest.mark.parametrize("wrong", ["", "BaTi2.5O5", "Xx2O", "Ba(OH", "BaO)2", "ba", "Ba0O", "Ba-O", "()"])
def test_what_is_no_formula_is_refused(wrong):
    with pytest.raises(DataError, match="expected|element"):
        parse_formula(wrong)


def test_molar_mass_and_volume_of_rutile():
    rutile = Phase("TiO2", {"Ti": 1, "O": 2}, volume_A3_per_atom=10.41)
    density = rutile.molar_mass_kg_per_mol / rutile.molar_volume_m3_per_mol
    assert rutile.n_atoms == 3
    assert density == pytest.approx(4250.0, rel=0.005)  # handbook density of rutile


def test_molar_volume_goes_with_the_formula_and_density_does_not():
    one = Phase("TiO2", parse_formula("TiO2"), volume_A3_per_atom=10.41)
    three = Phase("Ti3O6", parse_formula("Ti3O6"), volume_A3_per_atom=10.41)
    assert three.molar_volume_m3_per_mol == pytest.approx(3 * one.molar_volume_m3_per_mol)
    assert three.molar_mass_kg_per_mol == pytest.approx(3 * one.molar_mass_kg_per_mol)


def test_phases_are_found_by_any_spelling_and_not_otherwise():
    phases = load_phases("Ba-Ti-O")
    assert phases.index("O3TiBa") == phases.index("BaTiO3") == phases.index("Ba2Ti2O6")
    assert phases["BaTiO3"] is phases[phases.index("BaTiO3")]
    assert "BaTiO3" in phases and "SrTiO3" not in phases
    with pytest.raises(DataError, match="'BaTio3'.*closest is BaTiO3"):
        phases.index("BaTio3")
    with pytest.raises(DataError, match="'SrTiO3' is not in Ba-Ti-O"):
        phases.index("SrTiO3")


def test_composition_matrix_counts_atoms_as_written():
    phases = load_phases("Ba-Ti-O")
    row = phases.composition_matrix[phases.index("Ba4Ti13O30")]
    assert dict(zip(phases.elements, row, strict=True)) == {"Ba": 4, "C": 0, "O": 30, "Ti": 13}
    np.testing.assert_allclose(phases.atom_fractions.sum(axis=1), 1.0)
    assert [p.formula for p in phases if p.state == "gas"] == ["O2", "CO2"]


def test_gibbs_takes_any_shape_and_refuses_what_is_outside():
    phases = load_phases("Ba-Ti-O")
    grid = phases.gibbs(np.array([[300.0, 1234.5], [1999.0, 2000.0]]))
    assert grid.shape == (2, 2, len(phases))
    np.testing.assert_array_equal(grid[0, 1], phases.gibbs(1234.5))
    for T in (299.0, 2001.0, math.nan):
        with pytest.raises(DataError, match="expected 300 to 2000 K"):
            phases.gibbs([1000.0, T])
    with pytest.raises(DataError, match="'exact'.*materials-project"):
        phases.gibbs(1000.0, energies="exact")


def test_a_system_travels_between_processes():
    phases = load_phases("Ba-Ti-O")
    copy = pickle.loads(pickle.dumps(phases))
    np.testing.assert_array_equal(copy.gibbs(1234.0), phases.gibbs(1234.0))
    assert copy.index("BaTiO3") == phases.index("BaTiO3")


def test_objects_show_themselves_in_one_line():
    phases = load_phases("Ba-Ti-O")
    assert repr(phases).startswith("Phases('Ba-Ti-O', 30 solids, 2 gases, energies: ")
    chosen = phases.energy_set()
    assert repr(chosen) == f"EnergySet('assessed', {len(phases)} phases, 300 to 2000 K, 6 constraints)"
    for one, rows in ((phases, len(phases)), (chosen, len(phases))):
        assert len(repr(one)) < 120 and "\n" not in repr(one)
        assert len(one.table()) == rows and "<table" in one._repr_html_() and len(one._repr_html_()) < 10_000
    assert chosen.table()["1500"].tolist() == chosen.gibbs_eV_per_atom[12].tolist()
    assert phases.table().set_index("formula").loc["TiO2", "melting_point_K"] == 2130.0


def test_what_has_no_volume_is_named():
    phases = load_phases("Ba-Ti-O")
    phases.require_volumes(range(len(phases)))
    k = phases.index("BaTiO3")
    bare = [replace(phase, volume_A3_per_atom=math.nan) if i == k else phase for i, phase in enumerate(phases)]
    without = replace(phases, phases=tuple(bare))
    without.require_volumes([0 if k else 1])
    with pytest.raises(DataError, match="BaTiO3 has no volume, measured or estimated; give it"):
        without.require_volumes([0, k])
