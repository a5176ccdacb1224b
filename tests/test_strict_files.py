import gzip
import os

import pytest

from tammann.errors import DataError
from tammann.files import read_text
from tammann.strict import finite_number


@pytest.mark.parametrize("value", [True, "3", None, float("nan"), float("inf"), 10**400, [1]])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(DataError, match="mine.json: volume is .*, expected a finite number"):
        finite_number(value, "mine.json: volume")
    assert finite_number(3, "x") == 3.0


def test_files_are_regular_text_of_a_stated_length(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"\xef\xbb\xbfBaO" + 100 * b" "))
    assert read_text(tmp_path / "a.txt.gz").strip() == "BaO"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "b.gz").write_bytes(b"no gzip")
    (tmp_path / "c").write_bytes(b"\xff\xfe")
    for name, message in (
        ("pipe", "pipe"),
        ("b.gz", "gzipped"),
        ("c", "binary data"),
        ("d", "got none"),
        ("", "directory"),
    ):
        with pytest.raises(DataError, match=message):
            read_text(tmp_path / name, error=DataError)
    with pytest.raises(DataError, match="at most 50 bytes"):
        read_text(tmp_path / "a.txt.gz", error=DataError, max_bytes=50)
