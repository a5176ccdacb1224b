import gzip
import os

import pytest

from tammann.errors import DataError
from tammann.thermo._tables import read_columns, read_data_file


def test_compressed_text_is_read_and_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("formula\nÅ\n".encode()))
    assert read_data_file(tmp_path / "a.csv.gz", "energies") == "formula\nÅ\n"
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"x" * 999)[:-12])
    os.mkfifo(tmp_path / "pipe.csv")
    for name, message in (
        ("b.gz", "expected a file to read"),
        ("pipe.csv", "a pipe or device"),
        ("no.csv", "got none"),
    ):
        with pytest.raises(DataError, match=f"energies file cannot be read.*{message}"):
            read_data_file(tmp_path / name, "energies")


def test_empty_cells_are_nan():
    temperature, table = read_columns("experiment/gibbs_of_formation.csv")
    assert temperature[0] == 300.0 and table["BaO"][-1] != table["BaO"][-1]
