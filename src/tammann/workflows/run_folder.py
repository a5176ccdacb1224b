"""The folder of a run: what it is stamped with, when it may be used, and who has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tammann._version import __version__
from tammann.errors import ResultError, TammannError
from tammann.files import check_empty, digest, lock_folder, read_json, read_text, write_text
from tammann.recipe import FILES, Recipe

CHECKPOINTS = "checkpoints"
STAMP = "checkpoints/run.json"


def stamp_of(recipe: Recipe) -> dict[str, str]:
    """Return what tells a run from any other: the version, and digests of the recipe and of the files it names."""
    stamp = {"version": __version__, "recipe_sha256": digest(recipe.to_yaml().encode())}
    for key in FILES:
        name = getattr(recipe, key)
        if name and Path(name).is_file():
            stamp[f"{key}_sha256"] = digest(name)
    return stamp


def check_folder(folder: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that is in the way of a run, or that does not hold the one to resume; nothing is written."""
    file = folder / STAMP
    if not resume or not file.exists():
        there = "name another folder, or add --resume (in Python resume=True) to continue the run in it"
        empty = "it holds no run to resume: name another folder" if resume else "name another folder"
        check_empty(folder, advice=there if file.exists() else empty)
        return
    found = read_keys(file, "checkpoint", f"remove {file.parent} to start afresh")
    stamp = stamp_of(recipe)
    if found != stamp:
        changed = sorted(key for key in {*found, *stamp} if found.get(key) != stamp.get(key))
        what = " and ".join(key.removesuffix("_sha256") for key in changed)
        with suppress(TammannError):
            what += _differences(Recipe.from_text(read_text(folder / "recipe.yaml")), recipe)
        raise ResultError(f"{folder} belongs to a run with another {what}; name another folder")


def read_keys(file: Path, what: str, advice: str) -> dict[str, Any]:
    """Return a JSON object of a run's folder."""
    try:
        return dict(read_json(file, error=ResultError))
    except (ValueError, TypeError) as problem:
        raise ResultError(f"{file} is no whole {what} ({problem}); {advice}") from None


def _differences(there: Recipe, here: Recipe) -> str:
    """Return in what two recipes differ, key by key, in brackets."""

    def flat(value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, Mapping):
            return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}").items()}
        return {path.removeprefix("."): value}

    old, new = (flat(one.model_dump(mode="json"), "") for one in (there, here))
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    listed = "; ".join(f"{key}: {old.get(key)!r:.60} there, {new.get(key)!r:.60} here" for key in keys[:5])
    return f" ({listed})" if listed else ""


@contextmanager
def own_folder(folder: Path, recipe: Recipe, *, resume: bool) -> Iterator[None]:
    """Make the folder of a run with its recipe and stamp, locked; one that nothing could be written to goes again."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = folder / CHECKPOINTS
    try:
        with lock_folder(folder):
            check_folder(folder, recipe, resume=resume)
            try:
                checkpoints.mkdir(exist_ok=True)
                if not (folder / STAMP).exists():
                    write_text(folder / STAMP, json.dumps(stamp_of(recipe)))
            except OSError:
                with suppress(OSError):
                    checkpoints.rmdir()
                raise
            write_text(folder / "recipe.yaml", recipe.to_yaml())
            yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
