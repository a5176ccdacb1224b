"""Numbers of a table are those that ``float`` gives, bit by bit."""

import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tammann.trajectory.formats.lines import FLOAT, INTEGER, LEFT_OUT, WORD, BadRow, Cut, Lines


def table(path, text, kinds=(FLOAT,), rows=None, window_bytes=64):
    path.write_bytes(text)
    kinds = np.array(kinds, dtype=np.int64)
    slots = np.zeros(len(kinds), dtype=np.int64)
    for kind in ((FLOAT,), (INTEGER, WORD)):
        of_kind = np.isin(kinds, kind)
        slots[of_kind] = np.arange(of_kind.sum())
    rows = text.count(b"\n") if rows is None else rows
    floats = np.zeros((rows, (kinds == FLOAT).sum()))
    integers = np.zeros((rows, np.isin(kinds, (INTEGER, WORD)).sum()), dtype=np.int64)
    with Lines(path, window_bytes=window_bytes) as lines:
        lines.table(rows, kinds, slots, floats, integers)
    return floats, integers


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("numbers") / "table"


def same_bits(a, b):
    return struct.pack("d", a) == struct.pack("d", b)


decimals = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.floats(-1e4, 1e4).map("{:.6g}".format),
    st.floats(-1e4, 1e4).map("{:.17g}".format),
    st.floats(allow_nan=False, allow_infinity=False).map("{:.16e}".format),
    st.builds("{}{}.{}e{}".format, st.sampled_from(["", "+", "-"]), st.integers(0, 10**12), st.integers(0, 10**12),
              st.integers(-40, 40)),
    st.sampled_from("0 -0.0 .5 5. 1e5 1E-5 +1.5e+03 000012.50 0.000000000000000000001234567890123".split()),
)  # fmt: skip


@given(st.lists(decimals, min_size=1, max_size=30))
# Half way between two doubles, and next to it; the largest and smallest ones; digits beyond 64 bits.
@example(["9007199254740993", "9007199254740993.0000001", "9007199254740992.9999999", "1e23", "8.5e22", "2.5e-5"])
@example(
    ["1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "18446744073709551616", "18446744073709551615"]
)
@example(["123456789012345678901234567890.5", "0.1", "0.30000000000000004", "7.2057594037927933e+16"])
def test_floats_are_those_of_python(path, words):
    floats, _ = table(path, "".join(f" {word} \n" for word in words).encode())
    for word, found in zip(words, floats[:, 0].tolist(), strict=True):
        assert same_bits(found, float(word)), word


def test_many_random_floats_are_those_of_python(path):
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(size=20_000) * 10.0 ** rng.integers(-12, 12, 20_000), rng.random(20_000)])
    for form in ("%.17g", "%.9f", "%.15e", "%.18e"):
        words = [form % value for value in values]
        floats, _ = table(path, "\n".join([*words, ""]).encode(), window_bytes=2**20)
        np.testing.assert_array_equal(floats[:, 0], [float(word) for word in words])


@pytest.mark.parametrize("word", ["nan", "-nan", "inf", "-Infinity"])
def test_what_is_not_finite_is_read_as_such(path, word):
    floats, _ = table(path, f"{word}\n".encode())
    assert not np.isfinite(floats).any()


@pytest.mark.parametrize("word", ["x", "1.2.3", "1e", "--1", "1_0", "0x10", "1,5", "", "."])
def test_what_is_no_number_is_refused(path, word):
    with pytest.raises(BadRow) as found:
        table(path, f"1.5\n{word}\n2.5\n".encode())
    assert found.value.row == 1
    assert found.value.text == word


@pytest.mark.parametrize(
    ("row", "column"), [("1 2.0", 2), ("1 2.0 Ba x extra", 4), ("1.5 2.0 Ba x", 0), ("1 2.0 toolongaword x", 2)]
)
def test_rows_of_another_kind_are_refused(path, row, column):
    kinds = (INTEGER, FLOAT, WORD, LEFT_OUT)
    _, integers = table(path, b"-7 2.0 Ba x\r\n\t8 2.0  O\ty \n", kinds)
    assert integers[:, 0].tolist() == [-7, 8]
    assert [int(word).to_bytes(8, "little").rstrip(b"\0") for word in integers[:, 1]] == [b"Ba", b"O"]
    with pytest.raises(BadRow) as found:
        table(path, f"{row}\n1 2.0 Ba x\n".encode(), kinds)
    assert found.value.column == column


def test_a_last_row_without_its_end_may_be_cut_within_a_number(path):
    with pytest.raises(Cut):
        table(path, b"1.25\n1.2", rows=2)
