"""The client against a fake of the network library: what is asked, and what is made of the answer."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.thermo import load_phases
from tammann.thermo.gibbs import bartel_gibbs


def document(material_id, formula, energy, volume, nsites, theoretical=False):
    return SimpleNamespace(
        material_id=material_id,
        formula_pretty=formula,
        formation_energy_per_atom=energy,
        volume=volume,
        nsites=nsites,
        theoretical=theoretical,
    )


ANSWER = [
    document("mp-1", "BaO", -2.82, 88.0, 4),
    document("mp-2", "TiO2", -3.40, 62.0, 6),
    document("mp-3", "TiO2", -3.47, 62.4, 6),
    document("mp-4", "BaTiO3", -3.49, 68.0, 5, theoretical=True),
    document("mp-5", "O2", 0.0, 50.0, 4),
    document("mp-6", "Ti", 0.0, 51.0, 3),
    document("mp-7", "Ba3TiO5", None, 100.0, 9),
]


@pytest.fixture
def asked(monkeypatch):
    """Install a fake ``mp_api.client`` and record what it is asked."""
    record = SimpleNamespace(key=None, search=None, answer=ANSWER)

    class MPRester:
        def __init__(self, key):
            record.key = key
            self.materials = SimpleNamespace(summary=SimpleNamespace(search=self.search))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def search(self, **options):
            record.search = options
            if isinstance(record.answer, Exception):
                raise record.answer
            return record.answer

    client = ModuleType("mp_api.client")
    client.MPRester = MPRester
    monkeypatch.setitem(sys.modules, "mp_api", ModuleType("mp_api"))
    monkeypatch.setitem(sys.modules, "mp_api.client", client)
    monkeypatch.setenv("MP_API_KEY", "secret")
    return record


def test_all_subsystems_are_asked_for_and_the_stablest_is_kept(asked):
    phases = load_phases("mp-api:Ti-Ba-O")
    assert asked.key == "secret"
    assert set(asked.search["chemsys"]) == {"Ba", "O", "Ti", "Ba-O", "Ba-Ti", "O-Ti", "Ba-O-Ti"}
    assert [p.formula for p in phases] == ["BaO", "TiO2", "BaTiO3", "Ti", "O2"]
    assert phases["TiO2"].material_id == "mp-3" and phases["TiO2"].volume_A3_per_atom == pytest.approx(10.4)
    assert phases["BaTiO3"].observed is False and phases["BaO"].observed is True
    i = phases.index("BaTiO3")
    np.testing.assert_allclose(
        phases.energy_set("materials-project").gibbs_eV_per_atom[:, i],
        bartel_gibbs({"Ba": 1, "Ti": 1, "O": 3}, -3.49, 13.6),
    )
    assert phases["BaTiO3"].melting_point_source.startswith("measured")


def test_melting_points_that_nobody_measured_are_estimated(asked):
    asked.answer = [document("mp-9", "Sr5Ti4O13", -3.5, 270.0, 22)]
    phases = load_phases("mp-api:Sr-Ti-O")
    phases.require_melting_points()
    assert any(w.startswith("melting points of Sr5Ti4O13: estimated") for w in phases.warnings)


def test_melting_points_come_from_a_table_beside_it(asked, tmp_path):
    asked.answer = [
        document("mp-9", "SrTiO3", -3.5, 60.0, 5),
        document("mp-8", "SrO", -3.1, 34.0, 2),
        document("mp-7", "Sr", 0.0, 56.0, 1),
    ]
    table = tmp_path / "melting.csv"
    table.write_text("# mine\nformula,melting_point_K,source\nSr2Ti2O6,2353,a book\nSrO,2938,another\nSr,1050,third\n")
    phases = load_phases("mp-api:Sr-Ti-O", melting_points=table)
    assert {p.formula: (p.melting_point_K, p.melting_point_source) for p in phases if p.state == "solid"} == {
        "SrTiO3": (2353.0, "a book"),
        "SrO": (2938.0, "another"),
        "Sr": (1050.0, "third"),
    }


def test_an_empty_answer_or_a_failure_is_said(asked):
    asked.answer = []
    with pytest.raises(DataError, match="no compound in Ba-Ti-O"):
        load_phases("mp-api:Ba-Ti-O")
    asked.answer = RuntimeError("REST query returned with error status code 403\nbad key")
    with pytest.raises(DataError, match="did not answer for Ba-Ti-O: .*403.*MP_API_KEY") as caught:
        load_phases("mp-api:Ba-Ti-O")
    assert "\n" not in str(caught.value)


def test_without_a_key_or_the_client_it_says_what_to_do(asked, monkeypatch):
    monkeypatch.delenv("MP_API_KEY")
    with pytest.raises(DataError, match="MP_API_KEY"):
        load_phases("mp-api:Ba-Ti-O")
    monkeypatch.setenv("MP_API_KEY", "secret")
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    with pytest.raises(DataError, match=r"tammann\[mp\]"):
        load_phases("mp-api:Ba-Ti-O")


@pytest.mark.parametrize("system", ["", "BaTiO3", "Ba-Xx", "Ba--O"])
def test_a_system_that_is_none_is_refused(asked, system):
    with pytest.raises(DataError, match="expected|not an element"):
        load_phases(f"mp-api:{system}")
