"""One door for all formats: the same system comes back from each, and what is wrong is said in one sentence."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.errors import DataError, TammannError
from tammann.trajectory import read_trajectory

SYMBOLS = ("Ba", "Ti", "O", "O", "O")
SKEWED = np.array([[9.0, 0.5, 0], [4.0, 10.0, -1.0], [-3.0, 4.5, 11.0]])


def walk(seed=0, frames=9):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.4, size=(frames, len(SYMBOLS), 3))
    steps[0] = rng.uniform(0, 9, (len(SYMBOLS), 3))
    return np.cumsum(steps, axis=0)


def cells_of(frames, varying):
    return SKEWED * (1 + (0.002 * np.sin(np.arange(frames)) if varying else np.zeros(frames)))[:, None, None]


def folded(x, cells):
    s = np.matmul(x, np.linalg.inv(cells))
    return s - np.floor(s)


def displacements(x):
    return x - x[0]


def xdatcar(
    x, cells, *, repeat, numbers=None, symbols="Ba Ti O", counts="1 1 3", scale=1.0, lead="Direct configuration="
):
    text = []
    for k, s in enumerate(folded(x, cells)):
        if k == 0 or repeat:
            rows = "".join("  " + " ".join(repr(float(v)) for v in row) + "\n" for row in cells[k] / abs(scale))
            names = f"   {symbols}\n" if symbols else ""
            text.append(f"unknown system\n   {scale!r}\n{rows}{names}   {counts}\n")
        text.append(f"{lead}{k + 1 if numbers is None else numbers[k]:6d}\n" if lead else "Direct\n")
        text += ["  " + " ".join(f"{v:.12f}" for v in row) + "\n" for row in s.tolist()]
    return "".join(text)


def extxyz(x, cells, *, extra="pbc='T T T'", properties="species:S:1:pos:R:3:forces:R:3"):
    text = []
    for s, cell in zip(folded(x, cells), cells, strict=True):
        lattice = " ".join(repr(float(v)) for v in cell.ravel())
        text.append(f'{len(s)}\nProperties={properties} Lattice="{lattice}" {extra} energy=-1.0\n')
        for symbol, row in zip(SYMBOLS, (s @ cell).tolist(), strict=True):
            text.append(f"{symbol} {' '.join(map(repr, row))} 0.0 0.0 1e-3\n")
    return "".join(text)


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, *, name="run", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trajectory(path, **({"frame_interval_ps": 0.1} | options))

    return write_and_read


def same(found, x, cells, atol=1e-9):
    constant = np.ptp(cells, axis=0).max() < 1e-9
    np.testing.assert_allclose(found.cells, cells[:1] if constant else cells, atol=max(atol, 1e-9))
    if constant:
        np.testing.assert_allclose(displacements(found.positions), displacements(x), atol=atol)
    else:
        # Positions in a breathing cell differ by the breathing of a wrapped position at most.
        np.testing.assert_allclose(displacements(found.positions), displacements(x), atol=0.15)
    assert found.symbols == SYMBOLS


@pytest.mark.parametrize("varying", [False, True])
def test_xdatcar(read, varying):
    x, cells = walk(), cells_of(9, varying)
    found = read(xdatcar(x, cells, repeat=varying))
    same(found, x, cells)
    same(read(gzip.compress(xdatcar(x, cells, repeat=True).encode())), x, cells)
    some = read(xdatcar(x, cells, repeat=varying), start=1, stop=8, every=2)
    same(some, x[1:8:2], cells[1:8:2])
    assert some.frame_interval_ps == pytest.approx(0.2)


def test_xdatcar_scale_and_names(read):
    x, cells = walk(), cells_of(9, False)
    same(read(xdatcar(x, cells, repeat=False, scale=2.5)), x, cells)
    same(read(xdatcar(x, cells, repeat=False, symbols="Ba_sv Ti_pv O/abc12")), x, cells)
    same(read(xdatcar(x, cells, repeat=False, symbols=""), types=("Ba", "Ti", "O")), x, cells)
    same(read(xdatcar(x, cells, repeat=False, lead="")), x, cells)
    # A negative scale is the volume.
    text = xdatcar(x, cells, repeat=False).replace("\n   1.0\n", f"\n   {float(-np.linalg.det(SKEWED))!r}\n")
    same(read(text), x, cells)
    with pytest.raises(DataError, match="names no elements"):
        read(xdatcar(x, cells, repeat=False, symbols=""))


def test_numbered_configurations_are_no_steps(read):
    """How many steps lie between configurations of an XDATCAR its numbers do not say reliably."""
    x, cells = walk(), cells_of(9, False)
    for text in (xdatcar(x, cells, repeat=False), extxyz(x, cells)):
        with pytest.raises(DataError, match="timestep_fs does not help with this format.*give frame_interval_ps"):
            read(text, frame_interval_ps=None, timestep_fs=2.0)
    with pytest.raises(DataError, match="frames 3 and 4 are 2 time steps apart"):
        read(xdatcar(x, cells, repeat=False, numbers=[1, 2, 3, 4, 6, 7, 8, 9, 10]))
    again = read(xdatcar(x, cells, repeat=True, numbers=[1, 2, 3, 4, 1, 2, 3, 4, 5]))
    assert "numbered anew from frame 4" in again.notes[0]


@pytest.mark.parametrize("varying", [False, True])
def test_extended_xyz(read, varying):
    x, cells = walk(), cells_of(9, varying)
    same(read(extxyz(x, cells)), x, cells)
    same(read(extxyz(x, cells), start=1, every=2), x[1::2], cells[1::2])
    same(
        read(
            extxyz(x, cells).replace("Properties=species:S:1:pos:R:3:forces:R:3 ", "").replace(" 0.0 0.0 1e-3\n", "\n")
        ),
        x,
        cells,
    )


@pytest.mark.parametrize("varying", [False, True])
def test_files_that_ase_writes(tmp_path, varying):
    ase = pytest.importorskip("ase")
    from ase.io import write

    x, cells = walk(), cells_of(9, varying)
    frames = [
        ase.Atoms(SYMBOLS, scaled_positions=s, cell=cell, pbc=True)
        for s, cell in zip(folded(x, cells), cells, strict=True)
    ]
    # VASP's own format asks for sorted symbols, which these are not in general.
    for name, atol in (("a.traj", 1e-9), ("a.extxyz", 1e-6), ("a.xyz.gz", 1e-6), ("XDATCAR", 1e-6)):
        write(tmp_path / name, frames, format="vasp-xdatcar" if name == "XDATCAR" else None)
        said = []
        same(read_trajectory(tmp_path / name, frame_interval_ps=0.1, progress=said.append), x, cells, atol)
        assert said[-1] == 1.0
        same(
            read_trajectory(tmp_path / name, frame_interval_ps=0.1, start=2, stop=8, every=3),
            x[2:8:3],
            cells[2:8:3],
            atol,
        )
    text = (tmp_path / "a.traj").read_bytes()
    (tmp_path / "cut.traj").write_bytes(text[: len(text) // 2])
    cut = read_trajectory(tmp_path / "cut.traj", frame_interval_ps=0.1)
    assert 2 <= cut.n_frames < 9
    same(cut, x[: cut.n_frames], cells[: cut.n_frames])
    assert f"Frame {cut.n_frames} is cut off" in cut.notes[0]
    for end in (10, 100):
        (tmp_path / "cut.traj").write_bytes(text[:end])
        with pytest.raises(DataError, match="cannot be read as ASE"):
            read_trajectory(tmp_path / "cut.traj", frame_interval_ps=0.1)


def test_arrays_in_a_file(tmp_path):
    x, cells = walk(), cells_of(9, False)
    arrays = {"positions": folded(x, cells) @ SKEWED, "cells": SKEWED, "symbols": SYMBOLS}
    np.savez(tmp_path / "a.npz", **arrays, frame_interval_ps=0.25, temperature_K=1500.0)
    found = read_trajectory(tmp_path / "a.npz")
    same(found, x, cells)
    assert (found.frame_interval_ps, found.temperature_K) == (0.25, 1500.0)
    assert read_trajectory(tmp_path / "a.npz", every=2).frame_interval_ps == 0.5
    images = np.floor(x @ np.linalg.inv(SKEWED))
    np.savez(tmp_path / "b.npz", **arrays, images=images)
    np.testing.assert_allclose(read_trajectory(tmp_path / "b.npz", frame_interval_ps=1.0).positions, x, atol=1e-9)
    np.savez(tmp_path / "c.npz", positions=x)
    with pytest.raises(DataError, match="has no cells, symbols"):
        read_trajectory(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", **(arrays | {"symbols": np.array([object()])}))
    (tmp_path / "e.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:100])
    for name in "de":
        with pytest.raises(DataError, match="cannot be read as .npz"):
            read_trajectory(tmp_path / f"{name}.npz")


def test_positions_known_to_be_unwrapped_are_left_alone(read):
    text = "1\nLattice='9 0 0 0 9 0 0 0 9'\nO 0 0 {}\n"
    frames = "".join(text.format(z) for z in (0.0, 5.0, 10.0))
    assert read(frames, wrapped=False).positions[:, 0, 2].tolist() == [0.0, 5.0, 10.0]
    with pytest.raises(DataError, match="moved by 0.44 heights"):
        read(frames)


@pytest.mark.parametrize("kind", ["xdatcar", "xdatcar of a changing cell", "extxyz"])
def test_a_file_cut_anywhere_keeps_all_whole_frames(read, kind):
    x, cells = walk(frames=4), cells_of(4, kind == "xdatcar of a changing cell")
    make = extxyz if kind == "extxyz" else lambda x, cells: xdatcar(x, cells, repeat=kind != "xdatcar")
    text = make(x, cells)
    bounds = [len(make(x[:k], cells[:k])) for k in (2, 3, 4)]
    for end in [*range(bounds[0], len(text) + 1, 5), *bounds]:
        found = read(text[:end])
        assert found.n_frames == 2 + sum(end >= bound for bound in bounds[1:])
        assert any("is cut off" in note for note in found.notes) == (end not in bounds), end


def changed(old, new, count=1):
    def change(text):
        assert old in text
        return text.replace(old, new, count)

    return change


@pytest.mark.parametrize(
    ("make", "change", "message"),
    [
        (extxyz, lambda text: "", "is empty"),
        (extxyz, lambda text: "hello\nworld\n", "format that is not known; expected a LAMMPS text dump, .*XDATCAR"),
        (extxyz, lambda text: "\0\1\2" * 1000, "format that is not known"),
        (extxyz, changed("5\nP", "6\nP", 1), "stands where the number of atoms|row"),
        (
            extxyz,
            lambda text: text + text.split("O ")[0].replace("5\nP", "2\nP"),
            "2 atoms, the frames before 5; .*mixed",
        ),
        (
            extxyz,
            lambda text: text + text[: text.index("5\nP", 5)].replace("Ti ", "Zr "),
            "frame 9: .*mixed compositions",
        ),
        (extxyz, changed("Ba ", "Xx ", -1), "'Xx', which is not an element"),
        (extxyz, changed("T T T", "T T F", -1), "pbc is 'T T F', expected 'T T T'"),
        (extxyz, changed("species:S", "sort:S", -1), "Properties are 'sort"),
        (extxyz, changed(":R:3", ":R:x", -1), "Properties are"),
        (extxyz, changed('"9.0', '"x', -1), "expected nine numbers"),
        (extxyz, changed("Ba ", "Ba nan ", 1), "row 1 is|a coordinate of atom 1"),
        (xdatcar, changed("   Ba Ti O", "   Ba Ti Q"), "'Q', which is not an element"),
        (xdatcar, changed("1 1 3", "1 1"), "no header of an XDATCAR"),
        (xdatcar, changed("1 1 3", "1 1 -3"), "no header of an XDATCAR"),
        (xdatcar, changed("Direct", "Cartesian", -1), "where 'Direct configuration=' is expected"),
        (xdatcar, changed("  9.0 0.5 0.0", "  0.0 0.0 0.0"), "volume 0 Å³"),
        (xdatcar, changed("  0.", "  x0.", 1), "expected three fractional coordinates"),
        (xdatcar, changed("  0.", "  nan 0.", 1), "row 1|a coordinate of atom 1"),
    ],
)
def test_refusals(read, make, change, message):
    text = make(walk(), cells_of(9, False), **({"repeat": False} if make is xdatcar else {}))
    with pytest.raises(DataError, match=message) as found:
        read(change(text))
    assert "\n" not in str(found.value)


def test_an_xdatcar_whose_atoms_change_is_refused(read):
    x, cells = walk(), cells_of(9, False)
    one, two = xdatcar(x, cells, repeat=True), xdatcar(x, cells, repeat=True, symbols="Ba Zr O")
    with pytest.raises(DataError, match="frame 9: .*mixed compositions"):
        read(one + two)


def test_no_such_file(tmp_path):
    with pytest.raises(DataError, match="nothing.dump cannot be read: No such file"):
        read_trajectory(tmp_path / "nothing.dump", timestep_fs=1.0)
    with pytest.raises(DataError, match="directory"):
        read_trajectory(tmp_path, timestep_fs=1.0)


TEXTS = [
    extxyz(walk(frames=3), cells_of(3, False)).encode(),
    xdatcar(walk(frames=3), cells_of(3, False), repeat=True).encode(),
]


@given(st.data())
@settings(max_examples=150)
def test_whatever_is_in_a_file_the_answer_is_a_sentence(tmp_path_factory, data):
    text = bytearray(data.draw(st.sampled_from(TEXTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        fill = data.draw(
            st.sampled_from(
                [b"", b"nan", b"-1", b"1e300", b"1e999", b"99999999999", b"0", b"\n", b"Direct", b" ", b"\xff", b"O"]
            )
        )
        text[at : at + data.draw(st.integers(0, 40))] = fill
    path = tmp_path_factory.mktemp("fuzz") / "run"
    path.write_bytes(bytes(text))
    try:
        read_trajectory(path, frame_interval_ps=1.0)
    except TammannError as error:
        assert "\n" not in str(error)
