import numpy as np
import pytest

from own_energies import computed, dump, magnesia, write
from tammann.errors import DataError
from tammann.thermo import energy_above_hull, load_phases
from tammann.thermo.computed_entries import read_entries
from tammann.thermo.gibbs import bartel_gibbs


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
    with pytest.raises(DataError, match=r"data\['melting_point_K'\] is 'hot'"):
        load_phases(
            dump(tmp_path, [*magnesia()[:2], computed("MgO", -6.2, melting_point_K="hot", volume_A3_per_atom=9.4)])
        )


def test_what_entries_do_not_have_is_looked_up_or_estimated(tmp_path):
    odd = [*magnesia()[:2], computed("MgO", -6.2), computed("Mg3O2", -5.0)]
    phases = load_phases(dump(tmp_path, odd))
    phases.require_melting_points()
    assert phases["MgO"].melting_point_K == 3105.0 and 8.5 < phases["MgO"].volume_A3_per_atom < 12.0
    for what in ("volumes", "melting points"):
        (said,) = [w for w in phases.warnings if w.startswith(f"{what} of") and "Mg3O2" in w]
        assert "estimated" in said and "median error" in said
    assert "MgO" not in said  # its melting point is measured
    assert np.isfinite(energy_above_hull(phases, 1000.0)).all()


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


def with_run_types(entries, *run_types):
    for entry, run_type in zip(entries, run_types, strict=True):
        entry.parameters["run_type"] = run_type
    return entries


def test_functionals_are_not_mixed(tmp_path):
    with pytest.raises(DataError, match=r"mixes functionals.*most entries are GGA, but not Mg \(Mg, R2SCAN\)"):
        load_phases(dump(tmp_path, with_run_types(magnesia(), "R2SCAN", "GGA", "GGA+U", "PBE")))
    usual = load_phases(dump(tmp_path, with_run_types(magnesia(), "GGA", "GGA", "GGA+U", None)))
    plain = load_phases(dump(tmp_path, magnesia()))
    np.testing.assert_array_equal(usual.gibbs(1000.0), plain.gibbs(1000.0))
    mixed = with_run_types(magnesia(), "R2SCAN", "GGA", "GGA+U", "GGA")
    from pymatgen.entries.computed_entries import ConstantEnergyAdjustment

    mixed[0].energy_adjustments.append(ConstantEnergyAdjustment(0.0, name="MP GGA(+U)/r2SCAN mixing adjustment"))
    assert any("mixing scheme" in w for w in load_phases(dump(tmp_path, mixed)).warnings)


def test_an_odd_entry_is_left_out_and_named(tmp_path):
    odd = [computed("MgO2", -4.0, volume_A3_per_atom=158.0), computed("Mg2O3", -40.0)]
    phases = load_phases(dump(tmp_path, [*magnesia(), *odd]))
    assert [p.formula for p in phases] == ["MgO", "O2"]
    said = next(w for w in phases.warnings if w.startswith("left out"))
    assert "entry 4: volume_A3_per_atom is 158" in said and "entry 5: formation_energy" in said
    with pytest.raises(DataError, match="phase 'MgO2' was left out of entries: entries.json, entry 4"):
        phases.index("MgO2")


def test_a_compressed_file_is_read(tmp_path):
    import gzip

    text = dump(tmp_path, magnesia()).read_bytes()
    (tmp_path / "mine.json.gz").write_bytes(gzip.compress(text))
    assert load_phases(tmp_path / "mine.json.gz").default_energies == "mine"


def test_one_adjusted_entry_does_not_vouch_for_the_others(tmp_path):
    from pymatgen.entries.computed_entries import ConstantEnergyAdjustment

    mixed = with_run_types(magnesia(), "R2SCAN", "R2SCAN", "GGA+U", "GGA")
    mixed[0].energy_adjustments.append(ConstantEnergyAdjustment(0.0, name="MP GGA(+U)/r2SCAN mixing adjustment"))
    with pytest.raises(DataError, match="mixes functionals"):
        load_phases(dump(tmp_path, mixed))


def test_formation_energies_of_two_functionals_are_a_mixture(tmp_path):
    data = {"volume": 18.8, "nsites": 2, "melting_point_K": 3105}
    oxides = [computed(f, -6.0, formation_energy_per_atom=-3.05, **data) for f in ("MgO", "CaO")]
    with pytest.raises(DataError, match=r"most entries are GGA, but not CaO \(CaO, R2SCAN\)"):
        load_phases(dump(tmp_path, with_run_types(oxides, "GGA", "r2SCAN")))
    assert "CaO" in load_phases(dump(tmp_path, with_run_types(oxides, "GGA", "GGA_U")))


def test_entries_without_a_functional_beside_others_are_named(tmp_path):
    phases = load_phases(dump(tmp_path, with_run_types(magnesia(), "GGA", None, "GGA+U", None)))
    (said,) = [w for w in phases.warnings if "run_type" in w]
    assert said.startswith("2 of 4 entries state no run_type and are taken as GGA like the others: O2 (O2), MgO (MgO);")
    assert not any("run_type" in w for w in load_phases(dump(tmp_path, magnesia())).warnings)
    with pytest.raises(DataError, match="mixes functionals"):
        load_phases(dump(tmp_path, with_run_types(magnesia(), "R2SCAN", "GGA", None, None)))


def test_a_formula_is_written_as_the_data_say(tmp_path):
    entries = [*magnesia()[:2], computed("MgO", -6.2), computed("Mg3O4", -5.6)]
    entries[2].data["formula"], entries[3].data["formula"] = "OMg", "MgO"
    assert [phase.formula for phase in load_phases(dump(tmp_path, entries))] == ["OMg", "Mg3O4", "O2"]
