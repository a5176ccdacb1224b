"""The shipped table, its defects and their repair; files; draws."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.transport import draw_transport, load_transport, save_transport
from tammann.units import ONSAGER_PER_CM_S_EV_IN_SI

ORDER = "BaTiO3 Ba2TiO4 Ba3TiO5 Ba4TiO6 BaTi2O5 Ba6Ti17O40 Ba4Ti13O30 Ba2Ti9O20 BaTi4O9 BaTi5O11 BaTi6O13".split()
BARIUM = [-0.68, -0.70, -0.63, -0.76, -0.55, -0.23, -0.21, -0.37, 0.06, 0.04, -0.26]
TITANIUM = [-0.03, 0.43, 0.26, 0.36, -0.11, -0.07, 0.48, 0.07, -0.30, -0.36, -0.60]


@pytest.fixture(scope="module")
def table():
    return load_transport("karan-2026")


def test_correlation_factors_of_the_paper(table):
    """Fig. 6a of Karan et al. 2026 at 1500 K, to two decimals."""
    factors = np.array([table.at(formula, 1500.0).correlation_factor[:2] for formula in ORDER])
    np.testing.assert_allclose(factors, np.column_stack([BARIUM, TITANIUM]), atol=0.00501)


def test_the_slip_is_mended_before_anything_else(table):
    mended = table.at("Ba4Ti13O30", 1000.0)
    assert mended.L[0, 2] == pytest.approx(-9.7442e17 * ONSAGER_PER_CM_S_EV_IN_SI)
    assert mended.smallest_eigenvalue_ratio > -0.03
    published = mended.L.copy()
    published[0, 2] *= 10
    published[2, 0] *= 10
    assert np.linalg.eigvalsh(published)[0] < -0.5 * np.linalg.eigvalsh(published)[-1]
    assert mended.centre_of_mass_deviation < 0.2
    assert any("ten times smaller" in warning for warning in table.warnings)


def test_the_shipped_table_is_the_published_one_in_si_but_for_the_slip(table):
    text = (Path(__file__).parents[2] / "docs/karan-2026.csv").read_text("utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        entry = table.at(row["formula"], float(row["temperature_K"]))
        assert entry.volume_A3 == pytest.approx(float(row["volume_A3"]), rel=1e-15)
        for i, a in enumerate(entry.species):
            assert entry.L_self[i] == float(row[f"Lself_{a}"]) * ONSAGER_PER_CM_S_EV_IN_SI
            for j, b in enumerate(entry.species[i:], start=i):
                slip = (row["formula"], row["temperature_K"], a + b) == ("Ba4Ti13O30", "1000", "BaO")
                published = -9.7442e17 if slip else float(row[f"L_{a}{b}"])
                assert entry.L[i, j] == entry.L[j, i] == published * ONSAGER_PER_CM_S_EV_IN_SI


def test_every_flux_dissipates(table):
    assert len(table.entries) == 55
    for entry in table.entries:
        assert np.linalg.eigvalsh(entry.dissipative)[0] >= -1e-12 * np.abs(entry.L).max()
    worst = min(table.entries, key=lambda entry: entry.smallest_eigenvalue_ratio)
    assert (worst.formula, worst.temperature_K) == ("BaTiO3", 750.0)
    assert worst.smallest_eigenvalue_ratio == pytest.approx(-0.085, abs=0.001)


def test_defects_are_announced(table):
    text = " ".join(table.warnings)
    for word in (
        "positive semidefinite",
        "centre-of-mass",
        "placeholders",
        "not monotonic",
        "standard errors",
        "absolute",
    ):
        assert word in text


def test_units_are_si(table):
    """L_OO of BaTiO3 at 1500 K: 1.097e20 1/(cm s eV); D = L_self kB T / c in the range of a melt."""
    entry = table.at("BaTiO3", 1500.0)
    assert entry.L[2, 2] == pytest.approx(1.097462e20 * 100 / 1.602176634e-19)
    concentration = 0.6 / 13.59e-30
    diffusivity = entry.L_self[2] * 1.380649e-23 * 1500.0 / concentration
    assert 1e-9 < diffusivity < 1e-7  # m2/s; 8e-4 cm2/s at 1750 K


def test_lookup(table):
    assert table.of("Ba2Ti4O10") == table.of("BaTi2O5")
    assert table.of("SrTiO3") == ()
    with pytest.raises(DataError, match="1100 K"):
        table.at("BaTiO3", 1100.0)
    assert load_transport(None) is None
    assert load_transport("none") is None
    with pytest.raises(DataError, match="nowhere.json"):
        load_transport("nowhere.json")


def test_round_trip(table, tmp_path):
    path = tmp_path / "table.json"
    save_transport(table, path)
    again = load_transport(path)
    assert (again.name, again.source, again.end_members) == (table.name, table.source, ("BaO", "TiO2"))
    for one, other in zip(table.entries, again.entries, strict=True):
        assert (one.formula, one.temperature_K, one.species) == (other.formula, other.temperature_K, other.species)
        assert np.array_equal(one.L, other.L)
        assert np.array_equal(one.L_self, other.L_self)
        assert one.volume_A3 == pytest.approx(other.volume_A3)
    assert set(table.warnings) <= set(again.warnings)


def document():
    entry = {
        "formula": "BaO",
        "temperature_K": 1000.0,
        "species": ["Ba", "O"],
        "L_per_J_m_s": [[2.0, 0.5], [0.5, 1.0]],
        "L_self_per_J_m_s": [2.0, 1.0],
        "L_stderr_per_J_m_s": [[0.2, 0.1], [0.1, 0.1]],
    }
    return {"name": "mine", "source": "me", "entries": [entry]}


def test_errors_are_carried(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    assert load_transport(path).entries[0].L_stderr.tolist() == [[0.2, 0.1], [0.1, 0.1]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d["entries"][0].pop("L_per_J_m_s"), "L_per_J_m_s"),
        (lambda d: d["entries"][0].update(L=1), "unknown key 'L'"),
        (lambda d: d["entries"][0].update(temperature_K="hot"), "temperature_K is 'hot'"),
        (lambda d: d["entries"][0].update(species=["Ba", "Ti"]), "species"),
        (lambda d: d["entries"][0].update(L_self_per_J_m_s=["a", 1]), "L_self_per_J_m_s"),
        (lambda d: d["entries"][0].update(formula="Ba-O"), "cannot be read"),
        (lambda d: d["entries"].append(d["entries"][0]), "twice"),
        (lambda d: d.update(entries=[]), "entries"),
        (lambda d: d.update(end_members=["BaO"]), "end_members"),
        (lambda d: d.update(unit="cgs"), "'unit'"),
    ],
)
def test_malformed_files_are_refused_in_one_sentence(spoil, message, tmp_path):
    data = document()
    spoil(data)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        load_transport(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("L_per_J_m_s", [[1e308, 1e308], [1e308, 1e308]], "check the unit"),
        ("L_per_J_m_s", [[-1.0, 0.0], [0.0, 1.0]], "expected 0 or more"),
        ("L_per_J_m_s", [[float("nan"), 0.0], [0.0, 1.0]], "not finite"),
        ("L_self_per_J_m_s", [1e60, 1.0], "check the unit"),
        ("L_stderr_per_J_m_s", [[1e308, 0.0], [0.0, 1.0]], "check the unit"),
        ("temperature_K", 1e9, "temperature_K of .* is 1e"),
        ("cell_volume_m3", -1.0, "volume"),
    ],
)
def test_absurd_values_are_refused(key, value, message, tmp_path):
    data = document()
    data["entries"][0][key] = value
    path = tmp_path / "absurd.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_transport(path)


def test_deeply_nested_file(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8")
    with pytest.raises(DataError, match="nested too deeply"):
        load_transport(tmp_path / "deep.json")


def test_truncated_file(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(document())[:50], encoding="utf-8")
    with pytest.raises(DataError, match="not JSON"):
        load_transport(path)


def test_the_table_made_here(table):
    """Errors everywhere, mass at rest, no negative dissipation; what is not diffusive is named and not filled in."""
    ours = load_transport("tammann-2026")
    assert ours.name == "tammann-2026" and "pedone-2006" in ours.source and ours.end_members == ("BaO", "TiO2")
    known = {composition_key(formula) for formula in table.formulas}
    assert {composition_key(formula) for formula in ours.formulas} <= known
    for entry in ours.entries:
        assert entry.L_stderr is not None and entry.L_self_stderr is not None
        assert (np.diag(entry.L_stderr) > 0).all() and (entry.L_self_stderr < 0.35 * entry.L_self).all()
        assert entry.centre_of_mass_deviation < 1e-4 and entry.smallest_eigenvalue_ratio > -1e-6
    left_out = next(note for note in ours.warnings if note.startswith("Left out, their ions"))
    for entry in ours.entries:
        assert f"{entry.formula} {entry.temperature_K:g} K" not in left_out
    named = re.findall(r"(\w+) (\d+) K", left_out)
    assert len(ours.entries) + len(named) == 4 * len({f for f, _ in named} | set(ours.formulas))


def test_draws_are_log_normal_about_the_table(table):
    rng = np.random.default_rng(3)
    one = replace(table, entries=table.entries[7:8])
    drawn = [draw_transport(one, relative_error=0.3, rng=rng).entries[0] for _ in range(1500)]
    ratio = np.log([entry.L[1, 1] / table.entries[7].L[1, 1] for entry in drawn])
    assert ratio.mean() == pytest.approx(0.0, abs=4 * 0.3 / np.sqrt(1500))
    assert ratio.std() == pytest.approx(0.3, rel=0.1)
    same = draw_transport(table, relative_error=0.3, rng=5).entries[0].L
    assert np.array_equal(same, draw_transport(table, relative_error=0.3, rng=5).entries[0].L)
    assert np.array_equal(draw_transport(table, rng=5).entries[0].L, table.entries[0].L)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 2))
def test_draws_keep_correlations_and_signs(seed, error):
    table = load_transport("karan-2026")
    drawn = draw_transport(table, relative_error=error, rng=seed)
    for one, other in zip(table.entries, drawn.entries, strict=True):
        size = np.sqrt(np.outer(np.diag(one.L), np.diag(one.L)))
        drawn_size = np.sqrt(np.outer(np.diag(other.L), np.diag(other.L)))
        np.testing.assert_allclose(one.L / size, other.L / drawn_size, rtol=1e-9, atol=1e-12)
        # Sylvester: a congruence keeps the signs of the eigenvalues.
        assert (np.linalg.eigvalsh(other.L / drawn_size)[0] < -1e-9) == (np.linalg.eigvalsh(one.L / size)[0] < -1e-9)


def test_stated_errors_win(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    mine = load_transport(path)
    ratio = [np.log(draw_transport(mine, relative_error=3.0, rng=n).entries[0].L[0, 0] / 2.0) for n in range(1000)]
    assert np.std(ratio) == pytest.approx(0.1, rel=0.15)
    with pytest.raises(DataError, match="transport_relative_error"):
        draw_transport(mine, relative_error=-1.0, rng=1)
