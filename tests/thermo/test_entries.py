import json
import math
import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.thermo import energy_above_hull, equilibrium, load_phases
from tammann.thermo.entries import read_csv, read_entries
from tammann.thermo.gibbs import bartel_gibbs

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
SPINEL = HEADER + "MgO,-3.05,9.4,3105,0.02\nAl2O3,-3.43,8.7,2327,0.01\nMgAl2O4,-3.35,9.6,2408,\n"


def write(tmp_path, text, name="mine.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_table_becomes_a_system(tmp_path):
    phases = load_phases(write(tmp_path, "# my own\n\n" + SPINEL))
    assert [p.formula for p in phases] == ["MgO", "Al2O3", "MgAl2O4", "O2"]
    assert phases.system == "Al-Mg-O" and phases.default_energies == "mine"
    chosen = phases.energy_set()
    np.testing.assert_allclose(chosen.standard_error_eV_per_atom, [0.02, 0.01, 0.04, 0.0])
    np.testing.assert_allclose(chosen.gibbs_eV_per_atom[:, 2], bartel_gibbs({"Mg": 1, "Al": 2, "O": 4}, -3.35, 9.6))
    assert phases["MgO"].melting_point_source == "stated by the user"
    said = "; ".join(phases.warnings)
    assert "O2" in said and "40 meV/atom is taken" in said and "MgAl2O4" in said
    assert set(equilibrium(phases, {"MgO": 1, "Al2O3": 1}, 1500.0)) <= {"MgO", "Al2O3", "MgAl2O4"}
    assert np.isfinite(energy_above_hull(phases, 1500.0)).all()


def test_gases_that_a_system_needs_are_added(tmp_path):
    text = HEADER + "SrO,-3.07,17.1,2938,0.03\nSrCO3,-2.55,13.0,1770,0.03\nO2,0,10,50,0\n"
    phases = load_phases(write(tmp_path, text))
    assert [p.formula for p in phases if p.state == "gas"] == ["O2", "CO2"]
    assert any("gases from tables: O2, CO2 (in place of the entries for O2)" in w for w in phases.warnings)


def test_a_measured_melting_point_fills_an_empty_cell(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "BaO,-2.82,21.2,,\nBaTiO3,-3.49,13.0,,\n"))
    assert phases["BaO"].melting_point_K == 2286.0 and phases["BaO"].melting_point_source.startswith("measured")
    with pytest.raises(DataError, match=r"mine.csv, line 2: SrTiO3 has no melting point.*melting_point_K"):
        read_csv(write(tmp_path, HEADER + "SrTiO3,-3.5,12.0,,\n"))


def test_a_wrong_volume_is_noticed(tmp_path):
    phases = read_csv(write(tmp_path, HEADER + "BaO,-2.82,21.2,2286,\nTiO2,-3.49,17.1,2130,\n"))
    assert any("TiO2" in w and "rutile" in w for w in phases.warnings)
    pairs = [(a, b) for a in range(1, 4) for b in range(1, 4) if math.gcd(a, b) == 1]
    volume = dict.fromkeys(pairs, 9.0) | {(2, 3): 16.0}
    rows = "".join(f"Mg{a}Al{2 * b}O{a + 3 * b},-3.3,{volume[a, b]},2300,\n" for a, b in pairs)
    phases = read_csv(write(tmp_path, HEADER + rows))
    assert [w.split(":")[0] for w in phases.warnings if "A3/atom" in w] == ["Mg2Al6O11"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no phases"),
        (HEADER, "no phases"),
        ("formula,volume_A3_per_atom\nMgO,9", "lacks the column formation_energy_eV_per_atom"),
        (HEADER.replace("melting", "smelting") + "MgO,-3,9,3000,0.1\n", "'smelting_point_K'"),
        (HEADER + "MgO,-3,9\n", "line 2 has 3 cells: expected 5"),
        (HEADER + "MgO,minus three,9,3000,\n", "line 2: formation_energy_eV_per_atom is 'minus three'"),
        (HEADER + "MgO,nan,9,3000,\n", "expected a number"),
        (HEADER + "MgO,-3,0,3000,\n", "volume_A3_per_atom is 0"),
        (HEADER + "MgO,-3,9,-5,\n", "melting_point_K is -5"),
        (HEADER + "MgO,-3,9,3000,-1\n", "standard_error_eV_per_atom is -1"),
        (HEADER + "MgX2,-3,9,3000,\n", "'X'"),
        (HEADER + "PoO2,-3,9,3000,\n", "line 2: element Po"),
        (HEADER + "MgO,-3,9,3000,\nMg2O2,-3,9,3000,\n", "line 3: Mg2O2 is the same phase as on mine.csv, line 2"),
        (HEADER + "O2,0,9,3000,\n", "no solid compound"),
        (HEADER + '"MgO,-3,9,3000,\n', "not a CSV table|cells"),
    ],
)
def test_a_wrong_table_is_refused_in_a_sentence(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_csv(write(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["Sr-Ti-O", "no/such/file.csv", "missing.json"])
def test_what_is_not_there_is_refused(source):
    with pytest.raises(DataError, match="Ba-Ti-O|cannot be read"):
        load_phases(source)


def test_the_shipped_system_in_any_order():
    assert load_phases("O-Ti-Ba") is load_phases("Ba-Ti-O")


@given(st.text(alphabet=string.printable, max_size=300))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_read_or_refused(tmp_path, text):
    for body in (text, HEADER + text):
        try:
            read_csv(write(tmp_path, body))
        except DataError as error:
            assert str(error)


numbers = st.floats(-5, 5).map(lambda x: round(x, 6))
compounds = st.dictionaries(
    st.sampled_from(["Mg", "Al", "Si", "Ca", "O", "C", "N"]), st.integers(1, 9), min_size=2, max_size=4
)


@given(st.lists(st.tuples(compounds, numbers, st.floats(5, 60), st.floats(300, 4000)), min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_sound_table_is_carried_over_exactly(tmp_path, rows):
    from tammann.composition import composition_key
    from tammann.thermo.experiment import is_gas

    unique = {composition_key(c): (c, e, v, m) for c, e, v, m in rows if not is_gas(c)}
    if not unique:
        return
    lines = []
    for composition, energy, volume, melting in unique.values():
        formula = "".join(f"{element}{count}" for element, count in composition.items())
        lines.append(f"{formula},{energy!r},{volume!r},{melting!r},0.05")
    phases = read_csv(write(tmp_path, HEADER + "\n".join(lines)))
    for phase, (composition, energy, volume, melting) in zip(phases, unique.values(), strict=False):
        assert phase.composition == composition and phase.melting_point_K == melting
        i = phases.index(phase.formula)
        expected = bartel_gibbs(composition, energy, volume)
        np.testing.assert_array_equal(phases.energy_set().gibbs_eV_per_atom[:, i], expected)


# --- pymatgen's entries ---------------------------------------------------------------------------------------------


def computed(formula, energy_per_atom, **data):
    entries = pytest.importorskip("pymatgen.entries.computed_entries")
    from pymatgen.core import Composition

    composition = Composition(formula)
    return entries.ComputedEntry(composition, energy_per_atom * composition.num_atoms, data=data, entry_id=formula)


def dump(tmp_path, entries, name="entries.json"):
    return write(tmp_path, json.dumps([e.as_dict() for e in entries]), name)


def magnesia(**data):
    return [
        computed("Mg", -1.5, volume_A3_per_atom=22.0),
        computed("O2", -4.9, volume_A3_per_atom=13.0),
        computed("Mg4O4", -6.2, volume_A3_per_atom=9.4, melting_point_K=3105, **data),
        computed("MgO", -6.0, volume_A3_per_atom=9.9, melting_point_K=3105),
    ]


def test_energies_are_relative_to_the_elements_in_the_file(tmp_path):
    phases = load_phases(dump(tmp_path, magnesia(melting_point_source="a book", standard_error_eV_per_atom=0.01)))
    assert [p.formula for p in phases] == ["MgO", "O2"]
    expected = bartel_gibbs({"Mg": 1, "O": 1}, -6.2 + (1.5 + 4.9) / 2, 9.4)
    np.testing.assert_allclose(phases.energy_set().gibbs_eV_per_atom[:, 0], expected, atol=1e-12)
    assert phases["MgO"].melting_point_source == "a book"
    assert phases.energy_set().standard_error_eV_per_atom[0] == 0.01
    assert any("less stable polymorphs" in w for w in phases.warnings)


def test_structures_give_volumes_and_corrections_count(tmp_path):
    entries = pytest.importorskip("pymatgen.entries.computed_entries")
    from pymatgen.core import Lattice, Structure

    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.22), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    oxide = entries.ComputedStructureEntry(cell, -6.0 * 8, correction=-0.8, data={"melting_point_K": 3105})
    phases = load_phases(dump(tmp_path, [*magnesia()[:2], oxide]))
    assert phases["MgO"].volume_A3_per_atom == pytest.approx(4.22**3 / 8)
    expected = bartel_gibbs({"Mg": 1, "O": 1}, -6.1 + 3.2, 4.22**3 / 8)
    np.testing.assert_allclose(phases.energy_set().gibbs_eV_per_atom[:, 0], expected, atol=1e-12)


def test_formation_energies_serve_where_elements_are_missing(tmp_path):
    one = computed("MgO", -6.2, formation_energy_per_atom=-3.05, volume=18.8, nsites=2, melting_point_K=3105)
    phases = load_phases(dump(tmp_path, [one]))
    expected = bartel_gibbs({"Mg": 1, "O": 1}, -3.05, 9.4)
    np.testing.assert_allclose(phases.energy_set().gibbs_eV_per_atom[:, 0], expected, atol=1e-12)


def test_entries_that_lack_something_are_refused(tmp_path):
    with pytest.raises(DataError, match="no entry for the element Mg"):
        load_phases(dump(tmp_path, magnesia()[1:]))
    with pytest.raises(DataError, match="entry 2: MgO has no melting point"):
        load_phases(dump(tmp_path, [*magnesia()[:2], computed("MgO", -6.2, volume_A3_per_atom=9.4)]))
    with pytest.raises(DataError, match="entry 2: MgO has no structure"):
        load_phases(dump(tmp_path, [*magnesia()[:2], computed("MgO", -6.2, melting_point_K=3105)]))
    with pytest.raises(DataError, match=r"data\['melting_point_K'\] is 'hot'"):
        load_phases(
            dump(tmp_path, [*magnesia()[:2], computed("MgO", -6.2, melting_point_K="hot", volume_A3_per_atom=9.4)])
        )


@pytest.mark.parametrize(
    "text",
    ["", "{", "3", "[]", "[3]", '[{"@class": "Structure"}]', '[{"@class": "ComputedEntry"}]', '{"entries": 4}',
     '[{"@module": "os", "@class": "system"}]', "[" * 100000,
     '[{"@class": "ComputedEntry", "energy": NaN, "composition": {"Mg": 1}}]',
     '[{"@class": "ComputedEntry", "energy": 1, "composition": {"Mg": 0.5}}]'],
)  # fmt: skip
def test_json_that_is_no_list_of_entries_is_refused(tmp_path, text):
    pytest.importorskip("pymatgen")
    with pytest.raises(DataError, match="expected") as caught:
        read_entries(write(tmp_path, text, "entries.json"))
    assert "\n" not in str(caught.value)


def test_a_table_of_melting_points_counts_before_the_file(tmp_path):
    energies, melting = tmp_path / "mine.csv", tmp_path / "melting.csv"
    energies.write_text(HEADER + "SrTiO3,-3.5,12,,\nMgO,-3.05,9.4,3105,\n")
    melting.write_text("formula,melting_point_K,source\nSrTiO3,2353,a book\n")
    phases = load_phases(energies, melting_points=melting)
    assert phases["SrTiO3"].melting_point_K == 2353.0 and phases["SrTiO3"].melting_point_source == "a book"
    assert phases["MgO"].melting_point_K == 3105.0
    melting.write_text("formula,melting_point_K,source\nSrTiO3,2353,a book\nMgO,3000,other\n")
    assert load_phases(energies, melting_points=melting)["MgO"].melting_point_K == 3000.0
    with pytest.raises(DataError, match="ships with its own"):
        load_phases("Ba-Ti-O", melting_points=melting)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("formula,melting_point_K\nMgO,3000\n", "lacks the column source"),
        ("formula,melting_point_K,source,colour\nMgO,3000,x,white\n", "has the columns .*colour"),
        ("formula,melting_point_K,source\nMgO,hot,x\n", "line 2: melting_point_K is 'hot'"),
        ("formula,melting_point_K,source\nMgO,3000,\n", "line 2: MgO has no source"),
        ("formula,melting_point_K,source\nMgO,3000,x\nMg2O2,3001,y\n", "Mg2O2 is there twice"),
        ("formula,melting_point_K,source\nMgO,3000\n", "2 cells"),
        ("", "no phases"),
    ],
)
def test_a_wrong_table_of_melting_points_is_refused(tmp_path, text, message):
    energies, melting = tmp_path / "mine.csv", tmp_path / "melting.csv"
    energies.write_text(HEADER + "MgO,-3.05,9.4,3105,\n")
    melting.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load_phases(energies, melting_points=melting)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot be read"):
        load_phases(energies, melting_points=tmp_path / "none.csv")
