"""XDATCAR files of VASP: fractional coordinates, in a cell that stays or is written anew with every frame.

The format: https://www.vasp.at/wiki/index.php/XDATCAR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from tammann.errors import DataError
from tammann.trajectory.assemble import BLOCK_BYTES, check_symbols
from tammann.trajectory.formats.lines import FLOAT, LEFT_OUT, BadRow, Cut, Lines
from tammann.trajectory.unwrap import Frames

__all__ = ["xdatcar_frames"]

_FRAME = re.compile(rb"\s*direct(?:\s+configuration\s*=?\s*(?:(\d+)|\*+)?)?\s*$", re.IGNORECASE)
"""The line before each frame; VASP prints stars in place of a number beyond 999,999."""
_RUN_TOGETHER = re.compile(rb"\s*" + 3 * rb"([+-]?\d*\.\d{8})\s*" + rb"[A-Za-z]{0,2}\s*$")
"""A row in VASP's format 3F12.8, in which numbers of three digits and a sign leave no space."""


def xdatcar_frames(
    lines: Lines,
    *,
    types: Sequence[str] | None,
    start: int,
    stop: int | None,
    every: int,
    notes: list[str],
) -> Iterator[Frames]:
    """Read an XDATCAR block by block; its positions are wrapped.

    Raises:
        DataError: A file that is not one, atoms that change, rows that cannot be read.
    """
    cell = np.zeros((3, 3))
    symbols: tuple[str, ...] = ()
    last_number = rise = offset = 0
    index = 0
    again: list[int] = []
    end = None
    while end is None and (stop is None or index < stop):
        filled, size = 0, 1
        while filled < size and (stop is None or index < stop):
            where = f"{lines.path}: frame {index}: "
            chosen = index >= start and (index - start) % every == 0
            try:
                text = lines.line_or_end()
                if text is None:
                    end = ""
                    break
                frame = _FRAME.match(text)
                if frame is None:
                    cell, found = _header(text, lines, types, where)
                    if index > start and found != symbols:
                        raise DataError(
                            f"{where}its atoms are not those of the frames before (mixed compositions); take each run "
                            "by itself."
                        )
                    symbols = found
                    text = lines.line()
                    frame = _FRAME.match(text)
                if frame is None or not symbols:
                    shown = text[:60].decode("utf-8", "replace")
                    raise DataError(
                        f"{where}{shown!r} stands where 'Direct configuration=' is expected; cut the file off before "
                        "it or write the XDATCAR anew."
                    )
                if chosen and filled == 0:
                    size = max(1, min(BLOCK_BYTES // (24 * len(symbols)), 4096))
                    floats = np.empty((size, len(symbols), 3))
                    cells, steps = np.empty((size, 3, 3)), np.empty(size, dtype=np.int64)
                if chosen:
                    kinds, slots = _columns(lines)
                    nothing = np.empty((0, 0), dtype=np.int64)
                    lines.table(len(symbols), kinds, slots, floats[filled], nothing, _split)
                else:
                    lines.skip(len(symbols))
            except Cut:
                end = lines.damage or "the file ends within it"
                break
            except BadRow as bad:
                if index and ("direct" in bad.text.lower() or not bad.text):
                    end = "its rows end early"
                    break
                raise DataError(
                    f"{where}row {bad.row + 1} is {bad.text!r}, expected three fractional coordinates; cut the file "
                    "off before it or write the XDATCAR anew."
                ) from None
            number = int(frame[1] or last_number + max(rise, 1)) + offset
            if index and number <= last_number:
                # A run that continues another one counts from the start.
                again.append(index)
                offset += last_number + max(rise, 1) - number
                number = last_number + max(rise, 1)
            rise, last_number = number - last_number, number
            if chosen:
                cells[filled], steps[filled] = cell, number
                filled += 1
            index += 1
        if filled:
            with np.errstate(over="ignore", invalid="ignore"):
                positions = np.matmul(floats[:filled], cells[:filled])
            yield Frames(positions, cells[:filled], symbols, steps=steps[:filled])
    if again:
        notes.append(
            f"The frames are numbered anew from frame {', '.join(map(str, again[:5]))} on; taken as the continuation "
            "of the frames before."
        )
    if end:
        notes.append(f"Frame {index} is cut off ({end}); the {index} whole frame(s) before it were read.")


def _columns(lines: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Return what to do with each column: three coordinates, and an element behind them as pymatgen writes it."""
    lines.lines_ahead(1)
    labelled = [word[:1].isalpha() for word in lines.ahead(1).split()] == [False, False, False, True]
    kinds, slots = [FLOAT] * 3 + [LEFT_OUT] * labelled, [0, 1, 2] + [0] * labelled
    return np.array(kinds, dtype=np.int64), np.array(slots, dtype=np.int64)


def _split(row: bytes) -> list[float] | None:
    found = _RUN_TOGETHER.match(row)
    return None if found is None else [float(number) for number in found.groups()]


def _header(title: bytes, lines: Lines, types: Sequence[str] | None, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
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
    return scale * cell, tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count))
