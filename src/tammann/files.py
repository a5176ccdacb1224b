"""Files and folders of results: written whole or not at all, JSON-safe, and recognized by their digests."""

import errno
import gzip
import hashlib
import io
import json
import math
import os
import secrets
import stat
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from tammann.errors import DataError, RecipeError, ResultError, TammannError, check_argument

try:
    import fcntl
except ImportError:  # Windows, where no process waits
    fcntl = None  # type: ignore[assignment]

DATA_SUFFIXES = (".csv", ".json", ".csv.gz", ".json.gz")
"""How names of files with energies or transport data end."""
LOCK = "lock"
PARTIAL = ".partial"
"""How names of files end that are being written."""
LOCK_POLL_SECONDS = 0.2
MAX_BYTES = 200_000
"""How long a file written by hand may be."""
MAX_DATA_BYTES = 1_000_000_000


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a file for reading bytes; a pipe or device, which might never end, is refused at once.

    Raises:
        OSError: It is not there, not a regular file, or cannot be read.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "a pipe or device, expected a file; write it to the disk first", os.fspath(path))
    return open(path, "rb")


@contextmanager
def whole_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a name of its own to write to, and rename what was written to ``path`` at the end.

    Neither a crash nor a full disk nor another thread, process or computer that writes the same file leaves half a
    file behind.

    Args:
        path: Name of the file; its folder must exist.

    Yields:
        A name beside it that nobody else has.

    Raises:
        OSError: The folder cannot be written to, or the disk is full.
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing bytes that appears under its name only once all of it has been written (``whole_path``).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder) / "a.txt") as file:
        ...         _ = file.write(b"all of it")
        ...     [entry.name for entry in Path(folder).iterdir()]
        ['a.txt']
    """
    with whole_path(path) as partial, open(partial, "xb") as file:
        yield file


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        OSError: As ``whole_file``.
    """
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


def json_safe(value: Any) -> Any:
    """Return a value that JSON can hold: plain numbers, lists and texts, None for numbers that are not finite.

    Example:
        >>> import numpy as np
        >>> json_safe({"L": np.array([1.0, np.nan]), "path": Path("a"), "n": np.int64(3)})
        {'L': [1.0, None], 'path': 'a', 'n': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, str | bool) or value is None:
        return value
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [json_safe(item) for item in value]
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None  # -0.0 becomes 0.0
    return value


def read_text(
    path: str | os.PathLike[str], *, error: type[TammannError] = RecipeError, max_bytes: int = MAX_BYTES
) -> str:
    """Read the text of a file in UTF-8; a name that ends in ``.gz`` is decompressed.

    Args:
        path: The file.
        error: What to raise.
        max_bytes: How long the text may be.

    Raises:
        TammannError: Of the kind asked for, where the file cannot be read, is too long or is no text.
    """
    check_argument("file", path, (str, os.PathLike), "a name or path", error=error)
    try:
        with open_regular(path) as file:
            packed = os.fspath(path).lower().endswith(".gz")
            raw = (gzip.GzipFile(fileobj=file) if packed else file).read(max_bytes + 1)
    except FileNotFoundError:
        raise error(f"{path}: expected a file to read, got none; check the name.") from None
    except IsADirectoryError:
        raise error(f"{path}: expected a file to read, got a directory; name a file in it.") from None
    except (OSError, ValueError, EOFError, zlib.error) as reason:
        raise error(f"{path}: expected a file to read: {getattr(reason, 'strerror', None) or reason}.") from None
    if len(raw) > max_bytes:
        raise error(f"{path}: expected at most {max_bytes} bytes of text, got more; is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(
            f"{path}: expected text in UTF-8, got binary data at byte {reason.start}; is it the right file?"
        ) from None


def read_json(path: str | os.PathLike[str], *, error: type[TammannError] = DataError, what: str = "") -> Any:
    """Return what a JSON file holds, which may be compressed by gzip (``.gz``).

    Args:
        path: Name of the file.
        error: What to raise.
        what: What the file should be, for the message.

    Raises:
        TammannError: Of the kind asked for: it cannot be read, is not JSON, or lists in it are nested too deeply.
    """
    try:
        return json.loads(read_text(path, error=error, max_bytes=MAX_DATA_BYTES))
    except TammannError as problem:
        reason = str(problem)
    except RecursionError:
        reason = f"{path}: expected JSON, got lists nested too deeply; is it the right file?"
    except ValueError as problem:
        reason = f"{path}: expected JSON, got text that is not JSON ({problem}); is it the right file?"
    raise error(f"{what} cannot be read: {reason}" if what else reason)


def digest(data: bytes | str | os.PathLike[str]) -> str:
    """Return the SHA-256 of some bytes, or of the file of that name, in hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with open_regular(data) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def lock_folder(folder: str | os.PathLike[str], *, wait_s: float = 0.0, use: str = "in use") -> Iterator[None]:
    """Keep other processes out of a folder; the lock ends with this process, however that ends.

    The file ``lock`` in it is removed with the lock. Where files cannot be locked, no process is kept out.

    Args:
        folder: The folder; it exists.
        wait_s: How long to wait for another process, s.
        use: What that is doing, for the message.

    Raises:
        ResultError: Another process has it.
    """
    path = Path(folder) / LOCK
    until = time.monotonic() + wait_s
    descriptor = None
    while fcntl is not None and descriptor is None:
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # a folder that is not writable
            break
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the process before has removed the file that it had locked
            if os.path.samestat(os.fstat(opened), os.stat(path)):
                descriptor = opened
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(opened)
                raise ResultError(f"{folder}: is {use} by another run; wait for it or stop it.") from None
            time.sleep(LOCK_POLL_SECONDS)
        except FileNotFoundError:
            pass
        except OSError:  # a file system without locks
            os.close(opened)
            path.unlink(missing_ok=True)
            break
        if descriptor is None:
            os.close(opened)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def check_empty(folder: str | os.PathLike[str], *, advice: str = "name a new or empty folder") -> None:
    """Refuse a folder for results that is a file or holds something already, locks and unfinished files excepted.

    Args:
        folder: Where results shall go; it need not exist.
        advice: What to do instead.

    Raises:
        ResultError: It is a file, or not empty.
    """
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise ResultError(f"{place} is a file; name a new or empty folder.")
    if place.exists() and any(entry.name != LOCK and entry.suffix != PARTIAL for entry in place.iterdir()):
        raise ResultError(f"{place} is not empty; {advice}.")
