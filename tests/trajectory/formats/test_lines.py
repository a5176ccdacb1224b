"""What can be opened: files, and nothing that would keep the reader waiting."""

import os

import pytest

from tammann.errors import DataError
from tammann.trajectory import read_trajectory


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of posix")
def test_a_named_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe cannot be read: a pipe or device, expected a file"):
        read_trajectory(tmp_path / "pipe")
