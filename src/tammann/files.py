"""Results on disk are whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file", "write_text"]


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when all of it has been written.

    It is written beside its place under a name of this process's own and then renamed, so that neither a crash nor a
    full disk nor a second process leaves half a file behind.

    Args:
        path: of the file; its folder must exist.

    Yields:
        The file, open for writing bytes.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder) / "a.txt") as file:
        ...         _ = file.write(b"all of it")
        ...     [entry.name for entry in Path(folder).iterdir()]
        ['a.txt']
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        OSError: as ``whole_file``.
    """
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))
