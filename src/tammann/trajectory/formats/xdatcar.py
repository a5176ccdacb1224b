"""XDATCAR files of VASP: fractional coordinates, in a cell that stays or is written anew with every frame.

The format: https://www.vasp.at/wiki/index.php/XDATCAR.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import count

import numpy as np

from tammann.errors import DataError
from tammann.trajectory.formats.blocks import Choice, Columns, Header, read_blocks
from tammann.trajectory.formats.lines import FLOAT, LEFT_OUT, Lines
from tammann.trajectory.trajectory import check_symbols
from tammann.trajectory.unwrap import Frames

_FRAME = re.compile(rb"\s*direct(?:\s+configuration\s*=?\s*(?:(\d+)|\*+)?)?\s*$", re.IGNORECASE)
"""The line before each frame; VASP prints stars in place of a number beyond 999,999."""
_RUN_TOGETHER = re.compile(rb"\s*" + 3 * rb"([+-]?\d*\.\d{8})\s*" + rb"[A-Za-z]{0,2}\s*$")
"""A row in VASP's format 3F12.8, in which numbers of three digits and a sign leave no space."""


def xdatcar_frames(lines: Lines, types: Sequence[str] | None, choice: Choice) -> Iterator[Frames]:
    """Read an XDATCAR block by block; its positions are wrapped."""
    for block in read_blocks(lines, _headers(lines, types, choice), choice, _split):
        with np.errstate(over="ignore", invalid="ignore"):
            positions = np.matmul(block.floats, block.cells)
        steps = np.array([header.step for header in block.headers], dtype=np.int64)
        yield Frames(positions, block.cells, block.headers[0].symbols, steps=steps)


def _headers(lines: Lines, types: Sequence[str] | None, choice: Choice) -> Generator[Header, None, None]:
    cell = np.zeros((3, 3))
    symbols: tuple[str, ...] = ()
    last_number = rise = offset = 0
    again: list[int] = []
    try:
        for index in count():
            where = f"{lines.path}: frame {index}: "
            text = lines.line_or_end()
            if text is None:
                return
            frame = _FRAME.match(text)
            if frame is None:
                cell, found = _cell_and_atoms(text, lines, types, where)
                if index > choice.start and found != symbols:
                    raise DataError(
                        f"{where}its atoms are not those of the frames before (mixed compositions); take each run by "
                        "itself."
                    )
                symbols = found
                text = lines.line()
                frame = _FRAME.match(text)
            if frame is None or not symbols:
                shown = text[:60].decode("utf-8", "replace")
                raise DataError(
                    f"{where}{shown!r} stands where 'Direct configuration=' is expected; cut the file off before it or "
                    "write the XDATCAR anew."
                )
            number = int(frame[1] or last_number + max(rise, 1)) + offset
            restarted = index > 0 and number <= last_number
            if restarted:
                # A run that continues another one counts from the start.
                offset += last_number + max(rise, 1) - number
                number = last_number + max(rise, 1)
            columns = _columns(lines, index)
            yield Header(index, choice.takes(index), len(symbols), columns, cell, step=number, symbols=symbols)
            if restarted:
                again.append(index)
            rise, last_number = number - last_number, number
    finally:
        if again:
            lines.notes.append(
                f"The frames are numbered anew from frame {', '.join(map(str, again[:5]))} on; taken as the "
                "continuation of the frames before."
            )


def _columns(lines: Lines, index: int) -> Columns:
    """Return the columns: three coordinates, and an element behind them as pymatgen writes it."""
    lines.lines_ahead(1)
    labelled = [word[:1].isalpha() for word in lines.ahead(1).split()] == [False, False, False, True]
    kinds, slots = np.array([FLOAT] * 3 + [LEFT_OUT] * labelled), np.array([0, 1, 2] + [0] * labelled)
    return Columns(kinds, slots, "three fractional coordinates", "direct|^$" if index else "(?!)")


def _split(row: bytes) -> list[float] | None:
    found = _RUN_TOGETHER.match(row)
    return None if found is None else [float(number) for number in found.groups()]


def _cell_and_atoms(
    title: bytes, lines: Lines, types: Sequence[str] | None, where: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The cell, shape (3, 3), Å, and the element of each atom; ``title`` is the first line."""
    text = [lines.line().decode("utf-8", "replace") for _ in range(5)]
    try:
        scale = float(text[0])
        cell = np.array([[float(word) for word in line.split()[:3]] for line in text[1:4]])
        if cell.shape != (3, 3) or not np.isfinite(cell).all() or scale == 0 or not np.isfinite(scale):
            raise ValueError
        words = text[4].split()
        if words and words[0].isdecimal():
            if types is None:
                raise DataError(
                    f"{where}its header names no elements, as before VASP 5; give types, the element of each species."
                )
            names, numbers = tuple(types), words
        else:
            names, numbers = tuple(re.split(r"[_/]", word)[0] for word in words), lines.line().decode().split()
        counts = [int(number) for number in numbers]
        if not counts or len(counts) != len(names) or min(counts) < 0 or sum(counts) == 0 or sum(counts) > 10**9:
            raise ValueError
    except UnicodeDecodeError:
        raise DataError(f"{where}its header cannot be read; expected an XDATCAR of VASP.") from None
    except DataError:
        raise
    except ValueError:
        raise DataError(
            f"{where}below {title[:60].decode('utf-8', 'replace')!r} stands no header of an XDATCAR (scale, three "
            "lattice vectors, elements, numbers of atoms); write the file anew."
        ) from None
    if scale < 0:
        # A negative scale is the volume.
        scale = float(np.cbrt(-scale / max(abs(np.linalg.det(cell)), 1e-300)))
    check_symbols(names, f"{where}its header")
    return scale * cell, tuple(name for name, number in zip(names, counts, strict=True) for _ in range(number))
