"""Read the frames of a text file in blocks, whatever stands above the rows of a frame."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np

from tammann.errors import DataError
from tammann.trajectory.assemble import BLOCK_BYTES
from tammann.trajectory.formats.lines import FLOAT, INTEGER, WORD, BadRow, Cut, Lines, Split


class Choice(NamedTuple):
    """Every ``every``-th frame of a file from ``start`` on, until before ``stop``."""

    start: int = 0
    stop: int | None = None
    every: int = 1

    def takes(self, index: int) -> bool:
        """Return whether frame ``index``, before ``stop``, is one of them."""
        return index >= self.start and (index - self.start) % self.every == 0


class Columns(NamedTuple):
    """How rows are read (``parse_rows``), what is expected in one, and what is found where the frame ends early."""

    kinds: np.ndarray
    slots: np.ndarray
    expected: str
    early: str = "(?!)"
    names: tuple[str, ...] = ()


class Header(NamedTuple):
    """What stands above the rows of a frame; cell, origin, step and time are needed of chosen frames only."""

    frame: int
    chosen: bool
    atoms: int
    columns: Columns
    cell: np.ndarray
    origin: np.ndarray | None = None
    step: int = 0
    time_ps: float | None = None
    symbols: tuple[str, ...] = ()


class Block(NamedTuple):
    """The numbers of some chosen frames, shapes (F, N, columns) and (F, 3, 3), Å."""

    headers: list[Header]
    floats: np.ndarray
    integers: np.ndarray
    cells: np.ndarray


def read_blocks(
    lines: Lines, headers: Generator[Header, None, None], choice: Choice, split: Split | None = None
) -> Iterator[Block]:
    """Read the rows below each of ``headers``, which reads on when they are consumed; a note tells of a cut frame."""
    whole, end = 0, None
    with closing(headers):
        while end is None and (choice.stop is None or whole < choice.stop):
            held: list[Header] = []
            size = 1
            while end is None and len(held) < size and (choice.stop is None or whole < choice.stop):
                try:
                    header = next(headers)
                    _, chosen, atoms, columns, *_ = header
                    if header.frame <= choice.start:
                        known = atoms  # frames that are left out may be of something else
                    elif atoms != known:
                        raise DataError(
                            f"{lines.path}: frame {header.frame}: it has {atoms} atoms, the frames before {known}; "
                            "expected the same atoms in every frame (mixed compositions); take each run by itself."
                        )
                    if not chosen:
                        lines.skip(atoms)
                    else:
                        if not held:
                            size = max(1, min(BLOCK_BYTES // (24 * atoms), 4096))
                            width = 1 + int(columns.slots[columns.kinds == FLOAT].max())
                            words = int(np.isin(columns.kinds, (INTEGER, WORD)).sum())
                            floats = np.empty((size, atoms, width))
                            integers = np.empty((size, atoms, words), dtype=np.int64)
                        k = len(held)
                        lines.table(atoms, columns.kinds, columns.slots, floats[k], integers[k], split)
                        held.append(header)
                    whole = header.frame + 1
                except StopIteration:
                    end = ""
                except Cut:
                    end = lines.damage or "the file ends within it"
                except BadRow as bad:
                    if re.search(columns.early, bad.text, re.IGNORECASE):
                        end = "its rows end early"
                        continue
                    culprit = [*map(repr, columns.names), "one column too many"][bad.column] if columns.names else ""
                    raise DataError(
                        f"{lines.path}: frame {header.frame}: row {bad.row + 1} is {bad.text!r}, "
                        f"{culprit and f'where {culprit} cannot be read, '}expected {columns.expected}; cut the file "
                        "off before this frame or write it anew."
                    ) from None
            if held:
                count = len(held)
                yield Block(held, floats[:count], integers[:count], np.array([header.cell for header in held]))
    if end:
        lines.notes.append(f"Frame {whole} is cut off ({end}); the {whole} whole frame(s) before it were read.")
