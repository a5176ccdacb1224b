"""The download: a pinned commit and digest, and a clear sentence when offline."""

import gc
import hashlib
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pandas as pd
import pytest

import tammann.diffusivity.pooch
from tammann.diffusivity.definitions import FEATURES
from tammann.diffusivity.pooch import COMMIT, FILE, SHA256, URL, fetch_published
from tammann.errors import DataError

from . import published
from .made_up_table import made_up_table


def test_the_digest_is_that_of_the_file():
    assert hashlib.sha256(published.path().read_bytes()).hexdigest() == SHA256


def test_a_copy_that_is_there_is_read_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(tammann.diffusivity.pooch, "URL", "http://127.0.0.1:9/nothing")
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


LEFT_OPEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on this machine with the file as the public one has it; anything else is not there."""
    pytest.importorskip("pooch")
    content = made_up_file()
    seen = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_response(200 if self.path == "/there.dat" else 404)
            self.end_headers()
            self.wfile.write(content if self.path == "/there.dat" else b"")

        def log_message(self, *_):
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as found:
        found.daemon_threads = False  # so that all answers have ended when it closes
        thread = Thread(target=found.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(tammann.diffusivity.pooch, "SHA256", hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(tammann.diffusivity.pooch, "URL", f"http://127.0.0.1:{found.server_port}/there.dat")
        yield seen
        found.shutdown()
        thread.join()
    gc.collect()  # connections that pooch has left open, whose warning would strike a later test


def made_up_file() -> bytes:
    """Columns of the published table with numbers that are not its own."""
    table = made_up_table()
    column = {f.column: table.column(f.name) if f.name in table.names else np.ones(table.n_rows)
              for f in FEATURES if f.column}  # fmt: skip
    frame = pd.DataFrame({"formula": table.formulas, **column, "diff_coeff_mul_thousand": table.D_m2_per_s * 1e7})
    return frame.to_csv(sep=" ", index=False).encode()


@LEFT_OPEN
def test_a_file_is_downloaded_once_and_kept(server, tmp_path):
    table = fetch_published(tmp_path)
    assert (
        table.n_rows == 80 and len(table.names) == 43 and table.D_m2_per_s == pytest.approx(made_up_table().D_m2_per_s)
    )
    fetch_published(tmp_path)
    assert server == ["/there.dat"] and (tmp_path / "feature_target.dat").is_file()


@LEFT_OPEN
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"URL": "http://127.0.0.1:9/nothing"}, r"cannot be downloaded \(ConnectionError: .*\); go online, or fetch"),
        ({"SHA256": "0" * 64}, "another one"),
        ({}, "404"),
    ],
)
def test_what_goes_wrong_on_the_way_is_one_sentence(server, tmp_path, monkeypatch, change, sentence):
    for name, value in (change or {"URL": tammann.diffusivity.pooch.URL.replace("there", "elsewhere")}).items():
        monkeypatch.setattr(tammann.diffusivity.pooch, name, value)
    with pytest.raises(DataError, match=sentence) as caught:
        fetch_published(tmp_path)
    assert "\n" not in str(caught.value) and not (tmp_path / "feature_target.dat").exists()


def test_the_address_is_of_one_commit():
    assert re.fullmatch("[0-9a-f]{40}", COMMIT) and re.fullmatch("[0-9a-f]{64}", SHA256)
    assert URL == f"https://raw.githubusercontent.com/Tinaatucsd/DFT_amorphous_structure/{COMMIT}/{FILE}"


def test_without_pooch(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="tammann.learn"):
        fetch_published(tmp_path)
