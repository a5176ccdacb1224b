"""State of a run in one file, written whole, and recognized by a digest of what it is a run of."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import ResultError
from tammann.files import digest, whole_file
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.tables import Tables


def run_identity(tables: Tables, stretches: Sequence[Stretch], arrays: Sequence[np.ndarray], *settings: float) -> str:
    """Return a digest of all that a run depends on.

    Args:
        tables: Of the system.
        stretches: The programme.
        arrays: What the run starts from.
        settings: Numbers such as the tolerance.
    """
    own = [np.asarray(getattr(tables, field.name)) for field in fields(tables)]
    programme = [(s.start_K, s.end_K, s.seconds, s.regrind) for s in stretches]
    text = json.dumps([programme, settings, [array.shape for array in (*own, *arrays)]])
    return digest(text.encode() + b"".join(array.tobytes() for array in (*own, *arrays)))


def write_state(path: Path, identity: str, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write numbers and arrays, whole or not at all.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_state(Path(folder) / "state.npz", "mine", {"frame": 3}, {"y": np.zeros(2)})
        ...     numbers, arrays = read_state(Path(folder) / "state.npz", "mine")
        >>> numbers, arrays["y"].tolist()
        ({'frame': 3}, [0.0, 0.0])
    """
    text = np.array(json.dumps({"identity": identity, **numbers}))
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, numbers=text, **arrays)


def read_state(path: Path, identity: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what ``write_state`` wrote.

    Raises:
        ResultError: The file is cut off, or belongs to another run.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            numbers = json.loads(str(archive["numbers"]))
            arrays = {name: archive[name] for name in archive.files if name != "numbers"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path} is not a whole checkpoint ({error}); remove it to start afresh") from None
    if numbers.pop("identity", None) != identity:
        raise ResultError(f"{path} belongs to another run; remove it or name another file")
    return numbers, arrays
