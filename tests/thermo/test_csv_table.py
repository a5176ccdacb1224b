import string

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from own_energies import HEADER, SPINEL, write
from tammann.errors import DataError
from tammann.thermo import energy_above_hull, equilibrium, load_phases
from tammann.thermo.csv_table import read_csv, read_melting_points
from tammann.thermo.estimates import estimated_volume
from tammann.thermo.gibbs import bartel_gibbs


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


def written(composition):
    return "".join(f"{element}{count}" for element, count in composition.items())


@given(st.lists(st.tuples(compounds, numbers, st.floats(0.6, 1.7), st.floats(300, 4000)), min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_sound_table_is_carried_over_exactly(tmp_path, rows):
    from tammann.composition import composition_key
    from tammann.thermo.gases import gas_named

    unique = {composition_key(c): (c, e, v, m) for c, e, v, m in rows if gas_named(written(c)) is None}
    if not unique:
        return
    lines = []
    for composition, energy, ratio, melting in unique.values():
        try:
            volume = min(max(ratio * estimated_volume(composition).value, 3.0), 70.0)
        except DataError:  # no solid has the volume that the increments give: C3Si
            assume(False)
        lines.append(f"{written(composition)},{energy!r},{volume!r},{melting!r},0.05")
    phases = read_csv(write(tmp_path, HEADER + "\n".join(lines)))
    for phase, (composition, energy, ratio, melting) in zip(phases, unique.values(), strict=False):
        assert phase.composition == composition and phase.melting_point_K == melting
        i = phases.index(phase.formula)
        expected = bartel_gibbs(composition, energy, min(max(ratio * estimated_volume(composition).value, 3.0), 70.0))
        np.testing.assert_array_equal(phases.energy_set().gibbs_eV_per_atom[:, i], expected)


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


def test_a_row_that_cannot_be_used_is_left_out_and_named(tmp_path):
    rows = "CaO,nonsense,13.9,2886,\nSrO,-3.07,171,2938,\nXyO,-3,9,3000,\nFeO,-1.4,10,1e9,\nTiO2,-3.5,10.4\n"
    phases = load_phases(write(tmp_path, SPINEL + rows))
    assert [p.formula for p in phases] == ["MgO", "Al2O3", "MgAl2O4", "O2"]
    said = next(w for w in phases.warnings if w.startswith("left out"))
    for piece in (
        "mine.csv, line 5: formation_energy_eV_per_atom is 'nonsense'",
        "line 6: volume_A3_per_atom is 171",
        "line 7: formula 'XyO'",
        "line 8: melting_point_K is 1e+09",
        "line 9 has 3 cells",
    ):
        assert piece in said
    with pytest.raises(DataError, match="phase 'Sr2O2' was left out of mine: mine.csv, line 6: volume"):
        phases.index("Sr2O2")


def test_semicolons_and_bad_formulas_are_told_with_line_and_cause(tmp_path):
    with pytest.raises(DataError, match="mine.csv, line 1: cells are separated by ';', expected commas"):
        read_csv(write(tmp_path, SPINEL.replace(",", ";")))
    with pytest.raises(DataError, match="a quoted cell over several lines"):
        read_csv(write(tmp_path, SPINEL + '"Ca\nO",-3,13.9,2886,\n'))
    melting = write(tmp_path, "formula,melting_point_K,source\nMg0O,3000,x\n", "melting.csv")
    with pytest.raises(DataError, match="melting.csv, line 2: formula 'Mg0O'"):
        read_melting_points(melting)
    melting.write_text("formula,melting_point_K,source\nMgO,1e9,x\n")
    with pytest.raises(DataError, match="melting.csv, line 2: melting_point_K is 1e"):
        read_melting_points(melting)


def test_a_compressed_table_is_read(tmp_path):
    import gzip

    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(SPINEL.encode()))
    assert load_phases(tmp_path / "mine.csv.gz").default_energies == "mine"
