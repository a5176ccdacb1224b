"""Melting points and volumes of the handbook that an optional package carries."""

import pytest

from tammann.composition import parse_formula
from tammann.thermo import handbook
from tammann.thermo.handbook import handbook_properties

carried = pytest.mark.skipif(not handbook._rows(), reason="the package chemicals is not installed")


@carried
@pytest.mark.parametrize(
    ("formula", "melts_K", "volume_A3_per_atom"),  # other tables
    [
        ("SrTiO3", 2350, 11.9), ("Y2O3", 2710, 14.9), ("NaCl", 1074, 22.4), ("MgAl2O4", 2400, 9.4), ("Li", 453.6, 21.6),
        ("Nb2O5", 1785, 14.1), ("ZnO", 2247, 12.0),
    ],
)  # fmt: skip
def test_compounds_are_found_by_their_molar_mass(formula, melts_K, volume_A3_per_atom):
    known = handbook_properties(parse_formula(formula))
    assert known.melting_point_K == pytest.approx(melts_K, rel=0.03)
    assert known.volume_A3_per_atom == pytest.approx(volume_A3_per_atom, rel=0.05)


@carried
def test_multiples_and_names_are_told_apart():
    assert "mercury(i) chloride" in handbook_properties(parse_formula("HgCl")).name
    assert "mercury(ii)" in handbook_properties(parse_formula("HgCl2")).name
    assert handbook_properties(parse_formula("SrTi7O15")) is None
    sodium = handbook_properties(parse_formula("Na"))
    assert sodium.name == "sodium" and sodium.melting_point_K == pytest.approx(371, abs=1)


def test_without_the_package_nothing_is_known(monkeypatch):
    monkeypatch.setattr(handbook, "find_spec", lambda name: None)
    for cached in (handbook._rows, handbook._by_tenth, handbook._properties):
        cached.cache_clear()
    assert handbook_properties(parse_formula("Y2O3")) is None
    for cached in (handbook._rows, handbook._by_tenth, handbook._properties):
        cached.cache_clear()
