"""MACE from a file: refusals, and the physics of a model with random weights."""

import sys

import pytest

from tammann.errors import DataError
from tammann.potentials import load_potential


def test_a_missing_package_names_its_extra(monkeypatch, tmp_path):
    (tmp_path / "mine.model").write_bytes(b"no model")
    potential = load_potential(str(tmp_path / "mine.model"))
    assert len(potential.digest) == 64
    monkeypatch.setitem(sys.modules, "mace.calculators", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[mace\]'.*without sevenn"):
        potential.build()
    (tmp_path / "mine.model").write_bytes(b"another")
    with pytest.raises(DataError, match="the file has changed since it was loaded"):
        potential.build()
