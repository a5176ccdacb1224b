"""XDATCAR as VASP and pymatgen write it: what is not used may be anything, what has run together is taken apart."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory import read_trajectory

HEAD = "melt\n 1.0\n 10.0 0.0 0.0\n 0.0 10.0 0.0\n 0.0 0.0 10.0\n Na Cl\n 1 1\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, **options):
        path = tmp_path / "XDATCAR"
        path.write_text(text)
        return read_trajectory(path, **({"frame_interval_ps": 0.1} | options))

    return write_and_read


def frames(numbers, *, row="{:12.8f}{:12.8f}{:12.8f}\n", s=None):
    s = np.linspace(0.1, 0.4, 6 * len(numbers)).reshape(len(numbers), 2, 3) if s is None else s
    text = [
        f"Direct configuration={n:>6}\n" + "".join(row.format(*r) for r in rows)
        for n, rows in zip(numbers, s, strict=True)
    ]
    return HEAD + "".join(text), 10.0 * np.asarray(s)


def test_stars_in_place_of_large_numbers(read):
    """VASP writes the number as I6."""
    text, x = frames([999_800, 999_900, "******", "******", "******"])
    found = read(text)
    np.testing.assert_allclose(found.positions, x, atol=1e-9)
    assert found.notes == read(frames([998, 999, 1000, 1001, 1002])[0]).notes
    np.testing.assert_allclose(read(frames(["******"] * 4)[0]).positions, frames([1] * 4)[1], atol=1e-9)


def test_an_element_behind_each_row(read):
    text, x = frames([1, 2, 3], row="{:12.8f}{:12.8f}{:12.8f} Na\n")
    np.testing.assert_allclose(read(text).positions, x, atol=1e-9)


@pytest.mark.parametrize("label", ["", " Cl"])
def test_numbers_that_have_run_together(read, label):
    """F12.8 has no room for a space before -10.12345678."""
    s = np.array([[[0.5, 0.25, 0.75], [-10.12345678, -11.25, -12.125]], [[0.5, 0.25, 0.75], [-10.125, -11.5, 0.125]]])
    text, x = frames([1, 2], s=s, row="{:12.8f}{:12.8f}{:12.8f}" + label + "\n")
    assert "-10.12345678-11.25000000-12.12500000" in text
    found = read(text, wrapped=False)
    np.testing.assert_allclose(found.positions, x, atol=1e-9)
    with pytest.raises(DataError, match="row 2 is .*expected three fractional coordinates"):
        read(text.replace("-10.12345678-11.25000000", "-10.1234567-11.25000000"))


def test_another_run_before_the_first_frame(read):
    text, _ = frames([1, 2, 3])
    other, x = frames([1, 2, 3, 4])
    joined = text + other.replace("Na Cl\n 1 1", "Cl Na\n 1 1")
    with pytest.raises(DataError, match="frame 3: .*mixed compositions"):
        read(joined)
    found = read(joined, start=3)
    assert found.symbols == ("Cl", "Na")
    np.testing.assert_allclose(found.positions, x, atol=1e-9)
