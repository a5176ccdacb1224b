"""Read a text file, plain or compressed, whole or truncated, through a moving window of bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import DataError
from tammann.files import open_regular
from tammann.trajectory.formats.numbers import FLOAT, INTEGER, LEFT_OUT, WORD, parse_rows, skip_rows

__all__ = ["FLOAT", "INTEGER", "LEFT_OUT", "WORD", "BadRow", "Cut", "Lines", "Split", "unpacked"]

WINDOW_BYTES = 8 * 2**20
COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""What opens a compressed file, by its first bytes."""

Split = Callable[[bytes], list[float] | None]
"""Splits a row whose numbers no blanks separate, or returns None."""


class Cut(Exception):
    """The file ends before the frame does."""


class BadRow(Exception):
    """A row does not match its header; the arguments are its number, its text and the column."""

    def __init__(self, row: int, text: str, column: int):
        super().__init__(row, text, column)
        self.row, self.text, self.column = row, text, column


class Lines:
    """The lines of a file, seen through a window.

    Attributes:
        window: Bytes read; those from ``position`` to ``limit`` are complete lines not yet consumed.
        damage: Why decompression ended early, or None.
        notes: What a user of the frames must know, one sentence each.
    """

    def __init__(self, path: Path, progress: Callable[[float], None] | None = None, window_bytes: int | None = None):
        self.path = path
        self.damage: str | None = None
        self.notes: list[str] = []
        self.position = self.limit = 0
        self._filled = 0
        self._progress = progress
        try:
            self._file = open_regular(path)
            self.size = os.fstat(self._file.fileno()).st_size
            head = self._file.read(6)
            self._file.seek(0)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}; give the path of a file.") from None
        opened = (unpack(self._file) for magic, unpack in COMPRESSED.items() if head.startswith(magic))
        self._unpacked: Any = next(opened, None)
        size = window_bytes or WINDOW_BYTES
        self.window = bytearray(size if self._unpacked else min(size, self.size + 1))
        self._bytes = np.frombuffer(self.window, dtype=np.uint8)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def more(self) -> bool:
        """Advance the window; return whether the file had more bytes."""
        kept = self._filled - self.position
        self.window[:kept] = self.window[self.position : self._filled]
        self.position, self._filled = 0, kept
        if kept > len(self.window) // 2:
            self.window = self.window + bytearray(len(self.window))
            self._bytes = np.frombuffer(self.window, dtype=np.uint8)
        try:
            count = self._read(len(self.window) - kept)
        except OSError as error:
            raise DataError(f"{self.path} cannot be read to its end: {error.strerror or error}.") from None
        self._filled += count
        self.limit = self.window.rfind(b"\n", 0, self._filled) + 1
        if self._progress is not None and self.size:
            self._progress(min(self._file.tell() / self.size, 1.0))
        return count > 0

    def _read(self, space: int) -> int:
        place = memoryview(self.window)[self._filled : self._filled + space]
        if self._unpacked is None:
            return self._file.readinto(place) or 0
        count = 0
        try:
            while count < space and self.damage is None and (piece := self._unpacked.read1(space - count)):
                place[count : count + len(piece)] = piece
                count += len(piece)
        except EOFError:
            self.damage = "its compressed data are cut off"
        except (zlib.error, OSError, lzma.LZMAError) as error:
            if getattr(error, "errno", None) is not None:  # of the disk, not of the data
                raise
            self.damage = "its compressed data are damaged"
        return count

    def lines_ahead(self, count: int) -> bool:
        """Return whether ``count`` more complete lines can be had, advancing the window where needed."""
        while True:
            position, found = self.position, 0
            while found < count and (position := self.window.find(b"\n", position, self.limit) + 1) > 0:
                found += 1
            if found == count or not self.more():
                return found == count

    def line(self) -> bytes:
        """Return the next line, without its end; raise Cut where there is none."""
        if not self.lines_ahead(1):
            raise Cut
        end = self.window.find(b"\n", self.position, self.limit)
        text = bytes(self.window[self.position : end])
        self.position = end + 1
        return text

    def line_or_end(self) -> bytes | None:
        """Return the next line that is not blank, or None at the end; raise Cut where the file ends within a line."""
        while self.lines_ahead(1):
            if text := self.line().strip():
                return text
        if self.damage or self.ahead(1).strip():
            raise Cut
        return None

    def ahead(self, count: int) -> bytes:
        """Return the next ``count`` lines without consuming them, an unfinished last line included."""
        end = self.position
        for _ in range(count):
            found = self.window.find(b"\n", end, self._filled)
            if found < 0:
                return bytes(self.window[self.position : self._filled])
            end = found + 1
        return bytes(self.window[self.position : end])

    def table(
        self,
        rows: int,
        kinds: np.ndarray,
        slots: np.ndarray,
        floats: np.ndarray,
        integers: np.ndarray,
        split: Split | None = None,
    ) -> None:
        """Read the next ``rows`` lines into ``floats`` and ``integers`` (see ``parse_rows``).

        A row that does not fit is given to ``split``, if any, which returns its floats or None; raise BadRow where it
        does not, and Cut where the file ends before.
        """
        slow = np.empty((max(1024, len(kinds)), 4), dtype=np.int64)
        bits = floats.view(np.uint64)
        row = 0
        while row < rows:
            row, position, left, column = parse_rows(
                self._bytes, self.position, self.limit, row, rows, kinds, slots, floats, bits, integers, slow
            )
            for where, slot, begin, end in slow[:left].tolist():
                word = bytes(self.window[begin:end])
                try:
                    if b"_" in word:
                        raise ValueError
                    floats[where, slot] = float(word)
                except ValueError:
                    begin = self.window.rfind(b"\n", 0, begin) + 1
                    self._mend(where, begin, int(np.flatnonzero((kinds == FLOAT) & (slots == slot))[0]), floats, split)
            self.position = position
            if column >= 0:
                self.position = self._mend(row, position, column, floats, split)
                row += 1
            elif row < rows and left + len(kinds) <= len(slow) and not self.more():
                raise Cut

    def _mend(self, row: int, begin: int, column: int, floats: np.ndarray, split: Split | None) -> int:
        """Fill a row from ``split``, if it can be split, and return where the next one begins."""
        end = self.window.find(b"\n", begin)
        numbers = None if split is None else split(bytes(self.window[begin:end]))
        if numbers is None:
            text = bytes(self.window[begin:end]).decode("utf-8", "replace").strip()
            raise BadRow(row, text if len(text) <= 80 else text[:77] + "...", column)
        floats[row] = numbers
        return end + 1

    def skip(self, rows: int) -> None:
        """Skip the next ``rows`` lines; raise Cut where the file ends before."""
        while True:
            rows, self.position = skip_rows(self._bytes, self.position, self.limit, rows)
            if rows == 0:
                return
            if not self.more():
                raise Cut


def unpacked(words: np.ndarray) -> Iterator[str]:
    """Yield the words that ``parse_rows`` has packed into int64 numbers, shape (N,)."""
    for word in words.tolist():
        yield word.to_bytes(8, "little", signed=True).rstrip(b"\0").decode("utf-8", "replace")
