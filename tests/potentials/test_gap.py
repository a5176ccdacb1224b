"""GAP: its file, its command."""

import sys

import pytest

from tammann.errors import DataError
from tammann.potentials import load_potential
from tammann.potentials.gap import elements_in


def test_the_file_names_its_elements(tmp_path):
    path = tmp_path / "small.xml"
    path.write_text('<GAP_1><GAP_data do_core="F"><e0 Z="8" value="-2.0"/><e0 Z="56" value="-1"/></GAP_data></GAP_1>')
    assert elements_in(path) == {"Ba", "O"}
    path.write_text("<GAP_1/>")
    with pytest.raises(DataError, match="energy e0 of every element, found none"):
        elements_in(path)


def test_a_missing_package_names_its_extra(monkeypatch, tmp_path):
    (tmp_path / "small.xml").write_text("<GAP_1/>")
    monkeypatch.setitem(sys.modules, "quippy.potential", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[gap\]'"):
        load_potential(str(tmp_path / "small.xml")).build()
