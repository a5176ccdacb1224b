"""The download: a pinned commit and digest, and a clear sentence when offline."""

import hashlib
import sys

import pytest

from tammann.diffusivity.pooch import COMMIT, SHA256, URL, fetch_published
from tammann.errors import DataError

from . import published


def test_the_digest_is_that_of_the_file():
    assert hashlib.sha256(published.path().read_bytes()).hexdigest() == SHA256


def test_a_copy_that_is_there_is_read_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    (tmp_path / "feature_target.dat").write_bytes(published.path().read_bytes())
    assert fetch_published(tmp_path).n_rows == 792
    assert COMMIT in URL


def test_offline_or_another_file(tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")

    def offline(url, known_hash, **_):
        assert url == URL and known_hash == f"sha256:{SHA256}"
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DataError, match="go online, or fetch"):
        fetch_published(tmp_path)

    def other(*_, **__):
        raise ValueError("SHA256 hash of downloaded file does not match")

    monkeypatch.setattr(pooch, "retrieve", other)
    with pytest.raises(DataError, match="another one"):
        fetch_published(tmp_path)


def test_without_pooch(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="tammann.learn"):
        fetch_published(tmp_path)
