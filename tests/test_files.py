"""Files are whole or not there, and JSON holds what it can."""

import gzip
import hashlib
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from tammann.errors import RecipeError, ResultError
from tammann.files import (
    check_empty,
    digest,
    json_safe,
    lock_folder,
    open_regular,
    read_json,
    read_text,
    whole_file,
    write_text,
)


def test_what_fails_half_way_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.txt"
    write_text(file, "old")
    with pytest.raises(RuntimeError), whole_file(file) as stream:
        stream.write(b"ne")
        raise RuntimeError
    assert file.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_two_that_write_the_same_file_do_not_meet(tmp_path):
    """Threads of one process, or processes of one number on two computers: the last to end wins, and is whole."""
    with whole_file(tmp_path / "a") as slow:
        slow.write(b"slow, ")
        with whole_file(tmp_path / "a") as fast:
            fast.write(b"fast")
        assert (tmp_path / "a").read_bytes() == b"fast"
        slow.write(b"and whole")
    assert (tmp_path / "a").read_bytes() == b"slow, and whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="modes of posix")
def test_a_whole_file_has_the_mode_that_the_user_asks_of_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_json_has_no_numbers_that_are_none():
    value = {"a": np.float64("nan"), 1: (np.int64(3), math.inf), "c": np.array([[1.5, -math.inf]]), "d": np.bool_(True)}
    safe = json_safe(value | {"e": {2.5}, "f": (x for x in "ab")})
    assert safe == {"a": None, "1": [3, None], "c": [[1.5, None]], "d": True, "e": [2.5], "f": ["a", "b"]}
    assert json.loads(json.dumps(safe, allow_nan=False)) == safe


def test_digest_of_bytes_and_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(b"abc") == digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_only_new_or_empty_folders(tmp_path):
    check_empty(tmp_path)
    check_empty(tmp_path / "new")
    (tmp_path / "a").write_text("x")
    with pytest.raises(ResultError, match="not empty; take another"):
        check_empty(tmp_path, advice="take another")
    with pytest.raises(ResultError, match="is a file"):
        check_empty(tmp_path / "a")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of posix")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (open_regular, digest):
        with pytest.raises(OSError, match="a pipe or device, expected a file"):
            read(tmp_path / "pipe")
    with pytest.raises(RecipeError, match="pipe: expected a file to read: a pipe or device"):
        read_text(tmp_path / "pipe")


@pytest.mark.skipif(os.name != "posix", reason="locks of posix")
def test_a_locked_folder_is_refused_until_its_process_ends(environment, tmp_path):
    script = f"import time\nfrom tammann.files import lock_folder\nwith lock_folder({str(tmp_path)!r}):\n"
    script += "    print(flush=True)\n    time.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(ResultError, match="is in use by another run"), lock_folder(tmp_path):
            pass
        other.kill()
        other.wait()
    with lock_folder(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert not list(tmp_path.iterdir())


def test_json_is_read_compressed_too_and_what_is_wrong_is_one_sentence(tmp_path):
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'{"a": [1, 2]}'))
    assert read_json(tmp_path / "a.json.gz") == {"a": [1, 2]}
    (tmp_path / "deep").write_text("[" * 100_000)
    (tmp_path / "cut").write_text('{"a": ')
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("deep", "nested too deeply"), ("cut", "not JSON"), ("bytes", "binary data"), ("none", "got none"),
        ("pipe", "a pipe or device|got none"),
    ):  # fmt: skip
        with pytest.raises(ResultError, match=f"^table cannot be read: .*{name}: expected .*({words})") as caught:
            read_json(tmp_path / name, error=ResultError, what="table")
        assert "\n" not in str(caught.value)
