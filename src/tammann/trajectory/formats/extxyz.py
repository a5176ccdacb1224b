"""Extended XYZ files: a line of keys with the lattice, then a row per atom, for every frame.

The format: https://github.com/libAtoms/extxyz.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from itertools import count

import numpy as np

from tammann.errors import DataError
from tammann.trajectory.formats.blocks import Choice, Columns, Header, read_blocks
from tammann.trajectory.formats.lines import FLOAT, LEFT_OUT, WORD, Lines, unpacked
from tammann.trajectory.trajectory import check_symbols
from tammann.trajectory.unwrap import Frames

_KEY = r"""(?:^|\s){}\s*=\s*(?:"([^"]*)"|'([^']*)'|\{{([^}}]*)\}}|\[([^\]]*)\]|(\S+))"""
_LATTICE, _PROPERTIES, _PERIODIC = (
    re.compile(_KEY.format(name), re.IGNORECASE) for name in ("lattice", "properties", "pbc")
)

_UNWRAPPED = frozenset({"unwrapped_position", "unwrapped_positions", "unwrapped_pos", "unwrapped", "pos_unwrapped"})
"""Names under which programs (GPUMD for one) write unwrapped positions beside ``pos``."""


def extxyz_frames(lines: Lines, choice: Choice) -> tuple[bool, Iterator[Frames]]:
    """Read an extended XYZ file: whether its positions may be wrapped (no unwrapped ones are there), and its frames."""
    keys = lines.ahead(2).partition(b"\n")[2].decode("utf-8", "replace")
    names = (_value(_PROPERTIES, keys) or "").split(":")[::3]
    unwrapped = next((name for name in names if name.lower() in _UNWRAPPED), None)
    return unwrapped is None, _frames(lines, unwrapped or "pos", choice)


def _frames(lines: Lines, position: str, choice: Choice) -> Iterator[Frames]:
    words: np.ndarray | None = None
    for headers, floats, integers, cells in read_blocks(lines, _headers(lines, position, choice), choice):
        if words is None:
            words = integers[0].copy()
            symbols = check_symbols(unpacked(words[:, 0]), str(lines.path))
        changed = (integers != words).any(axis=(1, 2))
        if changed.any():
            raise DataError(
                f"{lines.path}: frame {headers[int(np.argmax(changed))].frame}: atoms are of other elements than "
                "before or in another order (mixed compositions); expected the same atoms in every frame."
            )
        yield Frames(floats, cells, symbols)


def _headers(lines: Lines, position: str, choice: Choice) -> Generator[Header, None, None]:
    comment, properties, columns = None, "", Columns(np.empty(0, np.int64), np.empty(0, np.int64), "")
    cell = np.zeros((3, 3))
    for index in count():
        where = f"{lines.path}: frame {index}: "
        text = lines.line_or_end()
        if text is None:
            return
        atoms = _number(text, where)
        keys = lines.line()
        if choice.takes(index) and keys != comment:
            decoded = keys.decode("utf-8", "replace")
            cell = _lattice(decoded, where)
            if properties != (properties := _value(_PROPERTIES, decoded) or "species:S:1:pos:R:3"):
                columns = _columns(properties, position, where)
            comment = keys
        yield Header(index, choice.takes(index), atoms, columns, cell)


def _number(text: bytes, where: str) -> int:
    try:
        number = int(text)
        if not 0 < number < 10**10:
            raise ValueError
        return number
    except ValueError:
        raise DataError(
            f"{where}{text[:60].decode('utf-8', 'replace')!r} stands where the number of atoms is expected; write the "
            "file anew."
        ) from None


def _value(key: re.Pattern[str], text: str) -> str | None:
    found = key.search(text)
    return None if found is None else next(group for group in found.groups() if group is not None)


def _lattice(text: str, where: str) -> np.ndarray:
    value = _value(_LATTICE, text)
    if value is None:
        raise DataError(
            f"{where}it has no Lattice, expected that of a periodic system; write extended XYZ with Lattice=."
        )
    periodic = _value(_PERIODIC, text)
    if periodic is not None and any(word[:1] in "Ff0" for word in periodic.replace(",", " ").split()):
        raise DataError(
            f"{where}its pbc is {periodic!r}, expected 'T T T'; transport is per volume of a melt or solid without "
            "surfaces."
        )
    try:
        cell = np.array([float(word) for word in value.replace(",", " ").split()]).reshape(3, 3)
    except ValueError:
        raise DataError(
            f"{where}its Lattice is {value[:80]!r}, expected nine numbers, Å; write the file anew."
        ) from None
    return cell


def _columns(properties: str, position: str, where: str) -> Columns:
    kinds: list[int] = []
    slots: list[int] = []
    parts = properties.split(":")
    try:
        for name, letter, number in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            width = int(number)
            if not 0 < width < 1000:
                raise ValueError
            if name == "species" and letter == "S" and width == 1:
                kinds.append(WORD)
                slots.append(0)
            elif name == position and letter == "R" and width == 3:
                kinds += [FLOAT] * 3
                slots += [0, 1, 2]
            else:
                kinds += [LEFT_OUT] * width
                slots += [0] * width
        if kinds.count(FLOAT) != 3 or kinds.count(WORD) != 1:
            raise ValueError
    except ValueError:
        raise DataError(
            f"{where}its Properties are {properties[:80]!r}, expected species:S:1 and {position}:R:3 among them; write "
            "the file anew."
        ) from None
    return Columns(np.array(kinds), np.array(slots), f"{len(kinds)} columns, {properties}")
