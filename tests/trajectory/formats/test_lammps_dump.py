"""Dumps of LAMMPS: what was written is read, and what is wrong is said in one sentence."""

import bz2
import gc
import gzip
import lzma
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.errors import DataError, TammannError
from tammann.trajectory import read_trajectory

EDGES = "pp pp pp"


def header(step, atoms, cell, origin, columns, *, general=False, edges=EDGES, extra=""):
    cell = np.asarray(cell, dtype=float)
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell.tolist()
    x, y, z = np.asarray(origin, dtype=float).tolist()
    if general:
        kind = f"abc origin {edges}"
        box = [[*row, o] for row, o in zip(cell.tolist(), (x, y, z), strict=True)]
    elif xy or xz or yz:
        kind = f"xy xz yz {edges}"
        box = [
            [x + min(0, xy, xz, xy + xz), x + lx + max(0, xy, xz, xy + xz), xy],
            [y + min(0, yz), y + ly + max(0, yz), xz],
            [z, z + lz, yz],
        ]
    else:
        kind, box = edges, [[x, x + lx], [y, y + ly], [z, z + lz]]
    lines = "".join(" ".join(repr(float(value)) for value in row) + "\n" for row in box)
    return (
        f"{extra}ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{atoms}\nITEM: BOX BOUNDS {kind}\n{lines}"
        f"ITEM: ATOMS {columns}\n"
    )


def dump(
    x, cells, symbols, columns, *, origin=(0.0, 0.0, 0.0), every=100, order=None, form=repr, types="Ba Ti O", **how
):
    """The text of a dump of unwrapped positions x, shape (F, N, 3)."""
    cells = np.broadcast_to(cells, (len(x), 3, 3))
    masses = {"Ba": 137.327, "Ti": 47.867, "O": 15.999}
    text = []
    for k, (now, cell) in enumerate(zip(x, cells, strict=True)):
        scaled = (now - origin) @ np.linalg.inv(cell)
        images = np.floor(scaled)
        wrapped = now - images @ cell
        text.append(header(k * every, x.shape[1], cell, origin, columns, **how))
        for i in range(x.shape[1]) if order is None else order[k]:
            values = {"id": i + 1, "type": types.split().index(symbols[i]) + 1, "element": symbols[i], "vx": 0.125}
            values["mass"] = masses[symbols[i]]
            for axis, name in enumerate("xyz"):
                values[f"{name}u"], values[name] = form(float(now[i, axis])), form(float(wrapped[i, axis]))
                values[f"{name}su"] = form(float(scaled[i, axis]))
                values[f"{name}s"] = form(float(scaled[i, axis] - images[i, axis]))
                values[f"i{name}"] = int(images[i, axis])
            text.append(" ".join(str(values[name]) for name in columns.split()) + " \n")
    return "".join(text)


def walk(seed=0, frames=12, atoms=6):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.4, size=(frames, atoms, 3))
    steps[0] = rng.uniform(-20, 20, (atoms, 3))
    return np.cumsum(steps, axis=0)


SYMBOLS = ("Ba", "Ti", "O", "O", "O", "Ba")
ORTHOGONAL = np.diag([9.0, 10.0, 11.0])
SKEWED = np.array([[9.0, 0, 0], [4.0, 10.0, 0], [-3.0, 4.5, 11.0]])
TURNED = SKEWED @ np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1.0]])


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, *, name="a.dump", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trajectory(path, **({"timestep_fs": 2.0} | options))

    return write_and_read


def displacements(x):
    return x - x[0]


COORDINATES = ["xu yu zu", "xsu ysu zsu", "x y z ix iy iz", "xs ys zs ix iy iz", "x y z", "xs ys zs"]


@pytest.mark.parametrize("columns", COORDINATES)
@pytest.mark.parametrize(
    ("cell", "general"),
    [(ORTHOGONAL, False), (SKEWED, False), (TURNED, True)],
    ids=["orthogonal", "triclinic", "general"],
)
def test_all_ways_of_writing_positions_are_the_same(read, columns, cell, general):
    x = walk()
    text = dump(x, cell, SYMBOLS, f"id element {columns}", origin=(1.0, -2.0, 3.0), general=general)
    found = read(text)
    np.testing.assert_allclose(found.cells, cell[None], atol=1e-12)
    np.testing.assert_allclose(displacements(found.positions), displacements(x), atol=1e-9)
    if "u" in columns or "i" in columns:
        np.testing.assert_allclose(found.positions, x, atol=1e-9)
        assert found.notes == ()
    assert found.symbols == SYMBOLS
    assert found.frame_interval_ps == pytest.approx(0.2)
    assert (found.n_frames, found.n_atoms, found.formula) == (12, 6, "Ba2TiO3")


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, -1), (1, -1, -1), (-1, 1, 1)])
def test_bounds_of_a_triclinic_box_are_those_of_the_box_around_it(read, signs):
    xy, xz, yz = np.array(signs) * [4.0, 3.0, 4.5]
    cell = np.array([[9.0, 0, 0], [xy, 10.0, 0], [xz, yz, 11.0]])
    x = walk()
    found = read(dump(x, cell, SYMBOLS, "id element xs ys zs ix iy iz", origin=(1.0, -2.0, 3.0)))
    np.testing.assert_allclose(found.cells[0], cell, atol=1e-12)
    np.testing.assert_allclose(found.positions, x, atol=1e-9)


@given(
    st.integers(0, 2**31),
    st.sampled_from(COORDINATES),
    st.sampled_from(["element", "type", "mass"]),
    st.lists(st.sampled_from(["vx", "mass", "type"]), unique=True),
    st.randoms(use_true_random=False),
    st.integers(2, 9),
    st.integers(1, 7),
    st.integers(20, 400),
)
@settings(max_examples=60)
def test_random_dumps_come_back(tmp_path_factory, seed, coordinates, label, more, random, frames, atoms, window):
    rng = np.random.default_rng(seed)
    x = walk(seed, frames, atoms)
    names = ["id", label, *coordinates.split(), *(name for name in more if name != label)]
    random.shuffle(names)
    symbols = [("Ba", "Ti", "O")[k] for k in rng.integers(0, 3, atoms)]
    order = [rng.permutation(atoms) for _ in range(frames)]
    cell = SKEWED if seed % 2 else ORTHOGONAL
    path = tmp_path_factory.mktemp("dump") / "a.dump"
    path.write_text(dump(x, cell, symbols, " ".join(names), order=order))
    with pytest.MonkeyPatch.context() as patch:
        # A window of a few lines, moved many times.
        patch.setattr("tammann.trajectory.formats.lines.WINDOW_BYTES", window)
        found = read_trajectory(path, timestep_fs=1.0, types="Ba Ti O" if "type" in names else None)
    assert found.symbols == tuple(symbols)
    np.testing.assert_allclose(displacements(found.positions), displacements(x), atol=1e-9)


def test_numbers_are_exact_to_the_last_digit(read):
    x = walk()
    assert np.array_equal(read(dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu")).positions, x)
    short = read(dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu", form="{:.6g}".format)).positions
    assert np.array_equal(short, [[[float(f"{v:.6g}") for v in atom] for atom in frame] for frame in x.tolist()])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read_whole_or_cut(read, pack):
    x = walk(frames=40, atoms=6)
    text = dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu").encode()
    assert np.array_equal(read(pack(text)).positions, x)
    # A run that was continued appends a second member.
    half = text.index(b"ITEM: TIMESTEP\n2000\n")
    assert np.array_equal(read(pack(text[:half]) + pack(text[half:])).positions, x)
    found = read(pack(text[:half]) + pack(text[half:])[:-200])
    assert 20 <= found.n_frames < 40
    assert np.array_equal(found.positions, x[: found.n_frames])
    assert f"Frame {found.n_frames} is cut off (its compressed data" in found.notes[0]


def test_a_file_cut_anywhere_keeps_all_whole_frames(read):
    x = walk(frames=4)
    text = dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    bounds = [text.index(f"ITEM: TIMESTEP\n{step}\n") for step in (200, 300)] + [len(text)]
    for end in [*range(bounds[0], len(text) + 1, 3), *bounds]:
        found = read(text[:end])
        whole = 2 + sum(end >= bound for bound in bounds[1:])
        assert np.array_equal(found.positions, x[:whole])
        assert len(found.notes) == (end not in bounds)
        if found.notes:
            assert found.notes[0].startswith(f"Frame {whole} is cut off (the file ends within it); the {whole} whole")


def test_a_frame_cut_by_a_restart_ends_the_reading(read):
    text = dump(walk(frames=4), ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    at = text.index("ITEM: TIMESTEP\n300\n")
    for cut in (5, 20, 100, 250):
        found = read(text[: at - cut] + text[at:])
        assert found.n_frames == 2
        assert "Frame 2 is cut off" in found.notes[0]


def test_frames_written_twice_are_left_out(read):
    x = walk(frames=6)
    first, second = (dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu", every=100) for _ in range(2))
    at = second.index("ITEM: TIMESTEP\n300\n")
    found = read(first[: first.index("ITEM: TIMESTEP\n400\n")] + second[at:])
    assert np.array_equal(found.positions, x)
    assert found.notes[0].startswith("1 frame(s) with the time step of the frame before were left out")
    with pytest.raises(
        DataError, match=r"frame 6: its time step 300 lies before that of the last frame, 500; .*stop=6"
    ):
        read(first + second[at:])


def test_frames_are_chosen_without_looking_at_the_others(read):
    x = walk(frames=20)
    text = dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    found = read(text, start=3, stop=17, every=4)
    assert np.array_equal(found.positions, x[3:17:4])
    assert found.frame_interval_ps == pytest.approx(0.8)
    assert read(text, timestep_fs=None, frame_interval_ps=0.3, every=2).frame_interval_ps == pytest.approx(0.6)
    rows = text.splitlines(keepends=True)
    rows[9 + 15] = "not a row\n"
    broken = "".join(rows)
    assert np.array_equal(read(broken, every=2).positions, x[::2])
    with pytest.raises(DataError, match=r"frame 1: row 1 is 'not a row'"):
        read(broken)


def test_memory_is_given_up_for_a_temporary_file(read, tmp_path, monkeypatch):
    x = walk(frames=300, atoms=6)
    text = dump(x, ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    folder = tmp_path / "scratch"
    folder.mkdir()
    assert not isinstance(read(text).positions, np.memmap)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr("tammann.trajectory.assemble.IN_MEMORY_BYTES", 1e4)
    found = read(text)
    assert isinstance(found.positions, np.memmap)
    assert not found.positions.flags.writeable
    assert np.array_equal(found.positions, x)
    assert isinstance(found.frames(10, None, 5).positions, np.memmap)
    del found
    gc.collect()
    assert os.listdir(folder) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(DataError, match="temporary folder"):
        read(text)


def test_progress_rises_to_the_end(read):
    text = dump(walk(frames=300), ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tammann.trajectory.formats.lines.WINDOW_BYTES", 5000)
        said = []
        read(text, progress=said.append)
    assert len(said) > 10
    assert said == sorted(said)
    assert said[-1] == 1.0


def test_time_and_units_in_the_file(read):
    columns = "id element xu yu zu"
    x = walk(frames=3)
    for units, scale in (("metal", 1.0), ("real", 1e-3)):
        frames = [
            dump(x[k : k + 1], ORTHOGONAL, SYMBOLS, columns, extra=f"ITEM: TIME\n{k * 0.5}\n").replace(
                "ITEM: TIMESTEP\n0\n", f"ITEM: TIMESTEP\n{k * 50}\n"
            )
            for k in range(3)
        ]
        text = f"ITEM: UNITS\n{units}\n" + "".join(frames)
        assert read(text, timestep_fs=None).frame_interval_ps == pytest.approx(0.5 * scale)
        assert read(text, timestep_fs=10 * scale).frame_interval_ps == pytest.approx(0.5 * scale)
        with pytest.raises(DataError, match="the time given makes it"):
            read(text, timestep_fs=11 * scale)
        assert read(text, timestep_fs=None, every=2).frame_interval_ps == pytest.approx(scale)
    # A time without units is no time.
    with pytest.raises(DataError, match="how much time lies between frames"):
        read("".join(frames), timestep_fs=None)
    with pytest.raises(DataError, match="units are lj, expected metal or real"):
        read("ITEM: UNITS\nlj\n" + "".join(frames))


def test_elements_from_types_masses_or_their_column(read):
    x = walk()
    assert read(dump(x, ORTHOGONAL, SYMBOLS, "id type xu yu zu"), types=("Ba", "Ti", "O")).symbols == SYMBOLS
    assert read(dump(x, ORTHOGONAL, SYMBOLS, "id type mass xu yu zu")).symbols == SYMBOLS
    swapped = read(dump(x, ORTHOGONAL, SYMBOLS, "id type element xu yu zu"), types=("Sr", "Zr", "O")).symbols
    assert swapped == ("Sr", "Zr", "O", "O", "O", "Sr")


def test_a_cell_that_changes_is_kept_for_every_frame(read):
    x = walk(frames=10)
    cells = ORTHOGONAL * (1 + 0.001 * np.arange(10))[:, None, None]
    found = read(dump(x, cells, SYMBOLS, "id element x y z ix iy iz"))
    np.testing.assert_allclose(found.cells, cells, rtol=1e-12)
    assert "cell changes" in found.notes[0]


def changed(old, new, count=1):
    def change(text):
        assert old in text
        return text.replace(old, new, count)

    return change


STEP_3, STEP_5 = "ITEM: TIMESTEP\n300\n", "ITEM: TIMESTEP\n500\n"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda text: "", {}, "is empty"),
        (lambda text: text[:300], {}, "no whole frame|0 whole frame"),
        (lambda text: text[: text.index(STEP_3) // 3 + 10], {}, r"1 whole frame\(s\) chosen, expected at least 2"),
        (lambda text: text, {"start": 40}, "0 whole frame"),
        (lambda text: text, {"timestep_fs": None}, "give --timestep-fs .* --frame-interval-ps"),
        (lambda text: text, {"frame_interval_ps": 1.0}, "both given"),
        (lambda text: text, {"timestep_fs": -1.0}, "above zero"),
        (lambda text: text, {"start": -1}, "counted from 0"),
        (lambda text: text, {"every": 0}, "every"),
        (lambda text: text, {"temperature_K": 0.0}, "above 0 K"),
        (changed("pp pp pp", "pp pp ff", -1), {}, "boundaries pp pp ff, expected pp pp pp"),
        (changed("0.0 9.0\n", "0.0 0.0\n", -1), {}, "volume 0 Å³"),
        (changed("0.0 9.0\n", "0.0 nan\n", -1), {}, "three lines of 2 numbers"),
        (changed("0.0 9.0\n", "0.0\n", -1), {}, "three lines of 2 numbers"),
        (changed(STEP_3 + "ITEM: NUMBER OF ATOMS\n6", STEP_3 + "ITEM: NUMBER OF ATOMS\n5"), {}, "frame 3: .*5 atoms"),
        (changed("ATOMS id element xu yu zu", "ATOMS id element vx vy vz", -1), {}, "expected coordinates"),
        (changed("ATOMS id ", "ATOMS ix ", -1), {}, "expected id among"),
        (changed("\n2 Ti ", "\n1 Ti "), {}, "id 1 occurs twice"),
        (changed("\n6 Ba ", "\n9 Ba ", 3), {"start": 1}, "frame 3: .*other ids"),
        (lambda text: "\n6 Al ".join(text.rsplit("\n6 Ba ", 1)), {}, "frame 11: .*mixed comp"),
        (changed("\n3 O ", "\n3 Xx ", -1), {}, "'Xx', which is not an element"),
        (changed("\n3 O ", "\n3 nan ", -1), {}, "'nan', which is not an element"),
        (changed(STEP_3, "ITEM: TIMESTEP\n310\n"), {}, r"frames 2 and 3 are 110 time steps apart \(200 to 310\)"),
        (changed("ATOMS id element xu", "ATOMS id xu element", -1), {}, "row 1 .*cannot be read"),
        (changed("element xu yu zu\n", "element xu yu zu q\n", -1), {}, "frame 0: row 1 .*'q' cannot be read"),
        (changed("element xu yu zu\n", "element xu yu\n", -1), {}, "expected coordinates"),
        (changed("ITEM: ATOMS", "ITEM: ENTRIES", 1), {}, "frame 0 begins with|no whole frame"),
        (changed(STEP_5, "garbage\n" + STEP_5), {}, "frame 5 begins with 'garbage'"),
    ],
)  # fmt: skip
def test_refusals(read, change, options, message):
    text = dump(walk(), ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    with pytest.raises(DataError, match=message) as found:
        read(change(text), **options)
    assert "\n" not in str(found.value)


def test_a_missing_frame_is_refused_and_what_to_take_is_said(read):
    text = dump(walk(frames=20), ORTHOGONAL, SYMBOLS, "id element xu yu zu")
    at, next_one = text.index("ITEM: TIMESTEP\n600\n"), text.index("ITEM: TIMESTEP\n700\n")
    gap = text[:at] + text[next_one:]
    with pytest.raises(DataError, match=r"frames 5 and 6 are 200 .*those before 100; .*start=6, stop=19") as found:
        read(gap)
    assert read(gap, start=6, stop=19).n_frames == 13
    assert "every 100 steps" in str(found.value)
    # Two kinds of dump in one file: only every second frame is evenly spaced.
    alternating = text
    for k in range(1, 20, 2):
        alternating = alternating.replace(f"ITEM: TIMESTEP\n{k * 100}\n", f"ITEM: TIMESTEP\n{k * 100 - 90}\n")
    with pytest.raises(DataError, match=r"take every=2\."):
        read(alternating)
    assert read(alternating, every=2).frame_interval_ps == pytest.approx(0.4)


@pytest.mark.parametrize("word", ["nan", "inf", "-nan", "1e300", "-2e9"])
def test_coordinates_that_are_not_finite_are_named(read, word):
    rows = dump(walk(), ORTHOGONAL, SYMBOLS, "id element xu yu zu").splitlines(keepends=True)
    rows[15 * 4 + 9 + 2] = f"3 O 1.0 {word} 2.0\n"
    with pytest.raises(DataError, match=r"frame 4: a coordinate of atom 3 is -?(nan|inf|1e.300|2000000000.0).*stop=4"):
        read("".join(rows))


def test_elements_that_nobody_named_are_asked_for(read):
    x = walk()
    with pytest.raises(DataError, match=r"do not say which element .* types=\('Ba', 'Ti', 'O'\)"):
        read(dump(x, ORTHOGONAL, SYMBOLS, "id type xu yu zu"))
    with pytest.raises(DataError, match="type 3, types names 2"):
        read(dump(x, ORTHOGONAL, SYMBOLS, "id type xu yu zu"), types=("Ba", "Ti"))
    carbon = dump(x, ORTHOGONAL, SYMBOLS, "id type element xu yu zu").replace(" Ba ", " C ").replace(" Ti ", " C ")
    with pytest.raises(DataError, match="LAMMPS writes where none is set"):
        read(carbon.replace(" O ", " C "))
    with pytest.raises(DataError, match="mass of 100 g/mol"):
        read(dump(x, ORTHOGONAL, SYMBOLS, "id mass xu yu zu").replace("15.999", "100.0"))


def test_types_that_change_are_mixed_compositions(read):
    text = dump(walk(), ORTHOGONAL, SYMBOLS, "id type xu yu zu")
    at = text.index(STEP_5)
    with pytest.raises(DataError, match="frame 5: .*mixed compositions"):
        read(text[:at] + text[at:].replace("\n2 2 ", "\n2 1 ", 1), types="Ba Ti O")


TEXT = dump(walk(frames=3, atoms=2), SKEWED, SYMBOLS, "id element x y z ix iy iz").encode()


@given(st.data())
@settings(max_examples=150)
def test_whatever_is_in_a_file_the_answer_is_a_sentence(tmp_path_factory, data):
    text = bytearray(TEXT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 40))
        kind = data.draw(st.sampled_from(["drop", "bytes", "number", "copy"]))
        fill = {
            "drop": b"",
            "bytes": data.draw(st.binary(max_size=8)),
            "number": data.draw(
                st.sampled_from([b"nan", b"-1", b"1e300", b"1e999", b"99999999999999999999", b"0", b"\n", b"ITEM:"])
            ),
            "copy": bytes(text[: data.draw(st.integers(0, 300))]),
        }[kind]
        text[at : at + length] = fill
    path = tmp_path_factory.mktemp("fuzz") / "a.dump"
    path.write_bytes(gzip.compress(bytes(text))[:-9] if data.draw(st.integers(0, 9)) == 0 else bytes(text))
    try:
        read_trajectory(path, timestep_fs=1.0, types=("Ba",))
    except TammannError as error:
        assert "\n" not in str(error)


def test_what_is_left_out_at_the_start_is_not_looked_at(read):
    """A minimisation of other atoms, steps that fall at a restart: only the chosen frames must be of one run."""
    x = walk(frames=8)
    columns = "id element xu yu zu"
    text = dump(x, ORTHOGONAL, SYMBOLS, columns, every=100)
    minimised = dump(x[:3, :2], ORTHOGONAL, SYMBOLS[:2], "id type x y z", every=7)
    later = dump(x[:4], ORTHOGONAL, SYMBOLS, columns, every=5000)
    for before in (minimised, later, minimised + later):
        found = read(before + text, start=before.count("ITEM: TIMESTEP"))
        assert np.array_equal(found.positions, x) and found.frame_interval_ps == read(text).frame_interval_ps
        with pytest.raises(DataError):
            read(before + text)
    with pytest.raises(DataError, match=r"0 whole frame\(s\) chosen, it has none from 8 on"):
        read(text, start=8)
