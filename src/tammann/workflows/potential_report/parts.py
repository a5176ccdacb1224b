"""Parts of a report on disk: each a file of its own with the settings it belongs to, so that a report can be resumed.

A part whose settings have changed, or that could not be computed, is computed again; the others are read.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import DataError, ResultError, TammannError
from tammann.files import digest, json_safe, read_json, whole_file
from tammann.md.energy_drift import EnergyDrift
from tammann.md.watched import Failure
from tammann.potentials.consistency import Check, Consistency
from tammann.potentials.crystals import CrystalCurve
from tammann.potentials.evaluate import Evaluation
from tammann.potentials.phonons import Phonons
from tammann.workflows.potential_report.melts import MeltStructure


@dataclass(frozen=True)
class Refused:
    """A part that could not be computed, and why, in one sentence."""

    sentence: str


KNOWN: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Check, Consistency, CrystalCurve, EnergyDrift, Evaluation, Failure, MeltStructure, Phonons, Refused)
}
"""Nouns that may stand in a file."""


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return what tells the settings of a part from any others.

    Example:
        >>> settings_digest({"a": 1}) == settings_digest({"a": 1.5})
        False
    """
    return digest(json.dumps(settings, sort_keys=True, default=str).encode())[:16]


def done(path: Path, key: str) -> bool:
    """Return whether a part with these settings is there; one that was refused is not.

    Its reason may be gone, such as a package that was missing. How a run of a melt failed is a result, and stays.
    """
    try:
        held = read_json(path)
        value = held["value"]
        return bool(held["key"] == key) and not (isinstance(value, Mapping) and Refused.__name__ in value)
    except (TammannError, KeyError, TypeError):
        return False


def part(path: Path, key: str, compute: Callable[[], Any]) -> Any:
    """Return a part, read where it is there with these settings, else computed and written.

    What cannot be computed gives ``Refused``, and is tried again the next time.
    """
    if done(path, key):
        return from_plain(read_json(path, error=ResultError)["value"])
    try:
        value = compute()
    except DataError as problem:
        value = Refused(str(problem))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"key": key, "value": to_plain(value)}, allow_nan=False)
    with whole_file(path) as file:
        file.write(gzip.compress(text.encode(), compresslevel=6, mtime=0))
    return value


def to_plain(value: Any) -> Any:
    """Return a noun of this report as JSON can hold it, each kind under its name.

    Example:
        >>> to_plain(Refused("no"))
        {'Refused': {'sentence': 'no'}}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}}
    if isinstance(value, Failure):
        return {"Failure": value._asdict()}
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a DataFrame
        return {"table": {str(name): to_plain(value[name].to_numpy())["array"] for name in value.columns}}
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            rounded = np.char.mod("%.7g", value).astype(float)
            return {"array": json_safe(rounded)}
        return {"array": value.tolist()}
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, Mapping):
        return {"mapping": {str(name): to_plain(item) for name, item in value.items()}}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    return value


def from_plain(value: Any) -> Any:
    """Return what ``to_plain`` has made plain; lists become tuples, null in an array NaN.

    Raises:
        ResultError: Something that it has not made.
    """
    if isinstance(value, list):
        return tuple(from_plain(item) for item in value)
    if not isinstance(value, Mapping):
        return value
    ((kind, inside),) = value.items()
    if kind == "array":
        return _array(inside)
    if kind == "table":
        import pandas as pd

        return pd.DataFrame({name: _array(column) for name, column in inside.items()})
    if kind == "mapping":
        return {name: from_plain(item) for name, item in inside.items()}
    if kind == "number":
        return float(inside)
    if kind not in KNOWN:
        raise ResultError(f"a part of the report holds {kind!r}, which is not known; remove it and run again.")
    return KNOWN[kind](**{name: from_plain(item) for name, item in inside.items()})


def _array(values: Any) -> np.ndarray:
    array = np.array(values)
    return np.array(values, dtype=float) if array.dtype == object and not _has_text(values) else array


def _has_text(values: Any) -> bool:
    return any(_has_text(v) if isinstance(v, list) else isinstance(v, str) for v in values)
