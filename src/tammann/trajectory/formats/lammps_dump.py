"""Dumps of LAMMPS: text, any columns in any order, any cell.

The format is that of the commands ``dump custom`` and ``dump_modify`` (https://docs.lammps.org/dump.html); the bounds
of a triclinic box are those of the box around it (https://docs.lammps.org/Howto_triclinic.html).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.trajectory.formats.blocks import Block, Choice, Columns, Header, read_blocks
from tammann.trajectory.formats.lines import FLOAT, INTEGER, LEFT_OUT, WORD, Cut, Lines, unpacked
from tammann.trajectory.trajectory import check_symbols
from tammann.trajectory.unwrap import Frames

_HEADER = re.compile(
    rb"\s*(?:ITEM: UNITS\s*?\n\s*(?P<units>\w+)\s*?\n)?"
    rb"(?:ITEM: TIME\s*?\n\s*(?P<time>\S+)\s*?\n)?"
    rb"ITEM: TIMESTEP\s*?\n\s*(?P<step>-?\d{1,18})\s*?\n"
    rb"ITEM: NUMBER OF ATOMS\s*?\n\s*(?P<atoms>\d{1,12})\s*?\n"
    rb"ITEM: BOX BOUNDS(?P<kind>[^\n]*)\n(?P<box>[^\n]*\n[^\n]*\n[^\n]*)\n"
    rb"ITEM: ATOMS(?P<columns>[^\n]*)\n"
)

_LONGEST_HEADER = 13

_COORDINATES = (
    # columns, scaled, wrapped; what is unwrapped by the program comes first.
    (("xu", "yu", "zu"), False, False),
    (("xsu", "ysu", "zsu"), True, False),
    (("x", "y", "z"), False, True),
    (("xs", "ys", "zs"), True, True),
)

_PS = {"metal": 1.0, "real": 1e-3}
"""Units in which lengths are Å, and their unit of time in ps."""


class _Layout(NamedTuple):
    """What the columns of a dump hold; ``integers`` are the names of those of whole numbers and words, by slot."""

    columns: Columns
    scaled: bool
    wrapped: bool
    images: bool
    element: str | None
    integers: list[str]


def lammps_frames(lines: Lines, types: Sequence[str] | None, choice: Choice) -> tuple[bool, Iterator[Frames]]:
    """Read a dump: whether its positions are wrapped without image flags, and its frames, block by block."""
    header = _skip_to(lines, choice.start)
    layout = _layout(header["columns"], lines, types)
    return layout.wrapped and not layout.images, _frames(lines, header, layout, types, choice)


def _skip_to(lines: Lines, start: int) -> re.Match[bytes]:
    """Return the header of frame ``start``; whatever comes before it need not be of the same run."""
    index, last_step = -1, None
    try:
        while (header := _header(lines, index + 1)) is not None:
            step = int(header["step"])
            index += step != last_step  # a restart writes a frame twice
            if index == start and step != last_step:
                return header
            last_step = step
            lines.skip(int(header["atoms"]))
    except Cut:
        pass
    if index < 0:
        raise DataError(f"{lines.path}: no whole frame in it, expected 2 or more of a LAMMPS dump; has the run begun?")
    raise DataError(f"{lines.path}: 0 whole frame(s) chosen, it has none from {start} on; take an earlier start.")


def _header(lines: Lines, index: int) -> re.Match[bytes] | None:
    """Return the header of the next frame, or None at the end of the file."""
    found = _HEADER.match(lines.window, lines.position, lines.limit)
    if found is None:
        ahead = lines.lines_ahead(_LONGEST_HEADER)
        found = _HEADER.match(lines.window, lines.position, lines.limit)
        if found is None:
            text = lines.ahead(_LONGEST_HEADER)
            if not text.strip():
                if lines.damage:
                    raise Cut
                return None
            began = text.lstrip().startswith(b"ITEM:") or b"ITEM:".startswith(text.strip())
            if began and (not ahead or text.count(b"ITEM: TIMESTEP") > 1):
                raise Cut
            shown = text.strip().splitlines()[0][:60].decode("utf-8", "replace")
            raise DataError(
                f"{lines.path}: frame {index} begins with {shown!r}, expected the header of a LAMMPS dump (ITEM: "
                "TIMESTEP, ITEM: NUMBER OF ATOMS, ITEM: BOX BOUNDS, ITEM: ATOMS); cut the file off before it or "
                "write the dump anew."
            )
    # Bytes of the window move on; what was found must not.
    found = _HEADER.match(bytes(lines.window[lines.position : found.end()]))
    assert found is not None
    lines.position += found.end()
    return found


def _layout(header: bytes, lines: Lines, types: Sequence[str] | None) -> _Layout:
    names = tuple(header.decode("utf-8", "replace").split())
    chosen = next((entry for entry in _COORDINATES if set(entry[0]) <= set(names)), None)
    if chosen is None:
        raise DataError(
            f"{lines.path}: its columns are {' '.join(names)}, expected coordinates (xu yu zu, xsu ysu zsu, x y z or "
            "xs ys zs); write them with dump custom."
        )
    if "id" not in names:
        raise DataError(
            f"{lines.path}: its columns are {' '.join(names)}, expected id among them, as LAMMPS writes atoms in any "
            "order; write it with dump custom."
        )
    coordinates, scaled, wrapped = chosen
    images = wrapped and {"ix", "iy", "iz"} <= set(names)
    element = next((name for name in ("element", "typelabel") if name in names), None)
    kinds = np.full(len(names), LEFT_OUT, dtype=np.int64)
    slots = np.zeros(len(names), dtype=np.int64)

    floats = list(coordinates) + ["mass"] * ("mass" in names and element is None and types is None)
    integers = ["ix", "iy", "iz"] * images + ["id"] + ["type"] * ("type" in names) + ([element] if element else [])
    for held, kind in ((floats, FLOAT), (integers, INTEGER)):
        for slot, name in enumerate(held):
            kinds[names.index(name)], slots[names.index(name)] = kind, slot
    if element is not None:
        kinds[names.index(element)] = WORD
    columns = Columns(kinds, slots, f"{len(names)} columns, {' '.join(names)}", "ITEM:", names)
    return _Layout(columns, scaled, wrapped, images, element, integers)


def _cell(kind: str, box: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The lattice, shape (3, 3), and its origin, shape (3,), both Å."""
    words = kind.split()
    general, tilted = words[:2] == ["abc", "origin"], words[:3] == ["xy", "xz", "yz"]
    edges = words[2:] if general else words[3:] if tilted else words
    if any(edge != "pp" for edge in edges):
        raise DataError(
            f"{where}its box has the boundaries {' '.join(edges)}, expected pp pp pp; transport is per volume of a "
            "melt or solid without surfaces, so run it periodic in all directions."
        )
    try:
        rows = [[float(word) for word in line.split()] for line in box.splitlines()]
        lengths = {len(row) for row in rows}
        if lengths != {4 if general else 3 if tilted else 2} or not np.isfinite(rows).all():
            raise ValueError
    except ValueError:
        raise DataError(
            f"{where}its box is {box.decode('utf-8', 'replace')!r} below BOX BOUNDS{kind}, expected three lines of "
            f"{4 if general else 3 if tilted else 2} numbers; write the dump anew."
        ) from None
    numbers = np.array(rows)
    if general:
        return numbers[:, :3].copy(), numbers[:, 3].copy()
    xy, xz, yz = numbers[:, 2] if tilted else (0.0, 0.0, 0.0)
    # A triclinic box is written by the box around it.
    low = numbers[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = numbers[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    lx, ly, lz = (high - low).tolist()
    return np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]]), low


def _frames(
    lines: Lines, header: re.Match[bytes], layout: _Layout, types: Sequence[str] | None, choice: Choice
) -> Iterator[Frames]:
    """Yield the chosen frames in blocks; ``header`` is that of frame ``start``, which has been consumed."""
    if int(header["atoms"]) == 0:
        raise DataError(f"{lines.path}: frame {choice.start} has no atoms; choose another group in the dump.")
    unit_ps = _unit_of_time_ps(header["units"], lines) if header["time"] is not None else None
    atoms = _Atoms(layout, types, lines.path)
    headers = _headers(lines, header, layout.columns, unit_ps, choice)
    for block in read_blocks(lines, headers, choice):
        _, _, _, _, _, origins, steps, times, _ = zip(*block.headers, strict=True)
        positions, images = atoms.in_order(block)
        if layout.scaled:
            with np.errstate(over="ignore", invalid="ignore"):
                positions = np.matmul(positions, block.cells) + np.array(origins)[:, None]
        yield Frames(
            positions,
            block.cells,
            atoms.symbols,
            origins=np.array(origins),
            images=images,
            steps=np.array(steps, dtype=np.int64),
            times_ps=None if unit_ps is None else np.array(times),
        )


def _headers(
    lines: Lines, first: re.Match[bytes], columns: Columns, unit_ps: float | None, choice: Choice
) -> Generator[Header, None, None]:
    header: re.Match[bytes] | None = first
    index, repeated = choice.start, 0
    last_step = last_box = last_kind = time_ps = None
    cell, origin = np.zeros((3, 3)), np.zeros(3)
    try:
        while header is not None:
            step, kind, box = int(header["step"]), header["kind"], header["box"]
            _check_same_run(header, first, step, last_step, lines.path, index)
            again = step == last_step
            chosen = not again and choice.takes(index)
            if chosen and (box != last_box or kind != last_kind):
                cell, origin = _cell(kind.decode("utf-8", "replace"), box, f"{lines.path}: frame {index}: ")
                last_box, last_kind = box, kind
            if chosen and unit_ps is not None:
                time_ps = _time_ps(header["time"], unit_ps, f"{lines.path}: frame {index}: ")
            yield Header(index - again, chosen, int(header["atoms"]), columns, cell, origin, step, time_ps)
            repeated += again
            index += not again
            last_step = step
            header = _header(lines, index)
    finally:
        if repeated:
            lines.notes.append(
                f"{repeated} frame(s) with the time step of the frame before were left out, as a restart writes them "
                "twice."
            )


def _check_same_run(
    header: re.Match[bytes], first: re.Match[bytes], step: int, last_step: int | None, path: Path, index: int
) -> None:
    """Check that a frame has the columns of the first one and does not go back in time."""
    columns, expected = header["columns"], first["columns"]
    if columns != expected and columns.split() != expected.split():
        raise DataError(
            f"{path}: frame {index}: its columns are {columns.decode('utf-8', 'replace').strip()}, those before "
            f"{expected.decode('utf-8', 'replace').strip()}; take each run by itself."
        )
    if last_step is not None and step < last_step:
        raise DataError(
            f"{path}: frame {index}: its time step {step} lies before that of the last frame, {last_step}; the run was "
            f"restarted from an earlier state and appended: take one run (stop={index} the first, start={index} the "
            "second; command line: --stop, --start)."
        )


class _Atoms:
    """The atoms of a dump, sorted by id, as LAMMPS writes them in any order; the first block tells the ``symbols``."""

    def __init__(self, layout: _Layout, types: Sequence[str] | None, path: Path):
        self.symbols: tuple[str, ...] = ()
        self._layout, self._types, self._path = layout, types, path
        self._id = layout.integers.index("id")
        self._ids = self._labels = np.empty(0, dtype=np.int64)

    def in_order(self, block: Block) -> tuple[np.ndarray, np.ndarray | None]:
        """Return positions and images, shape (F, N, 3), in the order of the ids, which are those of the first block."""
        headers, floats, integers, _ = block

        def frame(wrong: np.ndarray) -> str:
            return f"{self._path}: frame {headers[int(np.argmax(wrong))].frame}: "

        ids = integers[:, :, self._id]
        if not self.symbols:
            self._ids = np.sort(ids[0])
            same = self._ids[1:] == self._ids[:-1]
            if same.any():
                twice = int(self._ids[1:][same][0])
                raise DataError(
                    f"{self._path}: frame {headers[0].frame}: id {twice} occurs twice; write the dump anew."
                )
        if (ids != self._ids).any():
            order = np.argsort(ids, axis=1, kind="stable")
            floats = np.take_along_axis(floats, order[:, :, None], axis=1)
            integers = np.take_along_axis(integers, order[:, :, None], axis=1)
            different = (integers[:, :, self._id] != self._ids).any(axis=1)
            if different.any():
                raise DataError(
                    f"{frame(different)}its atoms have other ids than those before; expected the same atoms in every "
                    "frame (was the group of the dump dynamic?)."
                )
        labels = integers[:, :, self._id + 1 :]
        if not self.symbols:
            self._labels = labels[0].copy()
            self.symbols = _symbols(self._labels, floats[0], self._layout, self._types, str(self._path))
        changed = (labels != self._labels).any(axis=(1, 2))
        if changed.any():
            raise DataError(
                f"{frame(changed)}atoms are of other elements or types than before (mixed compositions); "
                "expected atoms that keep theirs."
            )
        return floats[:, :, :3], integers[:, :, :3].astype(float) if self._layout.images else None


def _unit_of_time_ps(units: bytes | None, lines: Lines) -> float | None:
    if units is None:
        return None
    name = units.decode("utf-8", "replace")
    if name not in _PS:
        raise DataError(
            f"{lines.path}: its units are {name}, expected metal or real, with lengths in Å; convert it to Å and ps "
            "first."
        )
    return _PS[name]


def _time_ps(text: bytes, unit_ps: float | None, where: str) -> float:
    try:
        return float(text) * (unit_ps or 1.0)
    except ValueError:
        raise DataError(f"{where}its time is {text.decode('utf-8', 'replace')!r}, expected a number.") from None


def _symbols(
    labels: np.ndarray, floats: np.ndarray, layout: _Layout, types: Sequence[str] | None, where: str
) -> tuple[str, ...]:
    """Return the element of each atom."""
    names = layout.columns.names
    has_type = "type" in names
    if types is not None and has_type:
        numbers = labels[:, 0]
        beyond = (numbers < 1) | (numbers > len(types))
        if beyond.any():
            raise DataError(
                f"{where}: it has atoms of type {int(numbers[beyond][0])}, types names {len(types)} element(s), "
                f"{' '.join(types)}; name the element of each type, in order."
            )
        return check_symbols((str(types[k - 1]) for k in numbers.tolist()), "types")
    if layout.element is not None:
        symbols = check_symbols(unpacked(labels[:, -1]), f"{where}: {layout.element}")
        if has_type and set(symbols) == {"C"} and len(set(labels[:, 0].tolist())) > 1:
            raise DataError(
                f"{where}: all its types have the element C, which LAMMPS writes where none is set; give types=('Ba', "
                "'Ti', 'O'), the element of each type, or use dump_modify element."
            )
        return symbols
    if "mass" in names:
        elements = list(atomic_masses())
        masses = np.array([atomic_masses()[symbol] for symbol in elements])
        nearest = np.abs(floats[:, 3, None] - masses).argmin(axis=1)
        far = ~(np.abs(floats[:, 3] - masses[nearest]) <= 0.1)
        if far.any():
            raise DataError(
                f"{where}: a mass of {floats[far, 3][0]:g} g/mol is that of no element within 0.1; give types=('Ba', "
                "'Ti', 'O'), the element of each type."
            )
        return tuple(elements[k] for k in nearest.tolist())
    raise DataError(
        f"{where}: its columns {' '.join(names)} do not say which element an atom is; give types=('Ba', 'Ti', "
        "'O'), the element of each type (command line: --types Ba Ti O)."
    )
