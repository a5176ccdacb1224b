"""Training of CHGNet."""

import sys

import pytest

from tammann.errors import DataError
from tammann.potentials import load_potential


def test_a_missing_package_names_its_extra(monkeypatch, tmp_path):
    (tmp_path / "mine.chgnet.tar").write_bytes(b"no model")
    monkeypatch.setitem(sys.modules, "chgnet.model.dynamics", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[chgnet\]'"):
        load_potential(str(tmp_path / "mine.chgnet.tar")).build()
