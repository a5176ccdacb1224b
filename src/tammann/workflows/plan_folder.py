"""The plan in the folder of a workflow: what may be added to it, and what must stay for the folder to be resumed."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tammann._version import __version__
from tammann.errors import ResultError
from tammann.files import check_empty, digest, json_safe, read_json, write_text
from tammann.potentials import load_potential
from tammann.strict import Document

PLAN = "plan.json"


def keep_plan(
    plan: Document, folder: Path, *, holds: str, growing: Collection[str], structure: str, files: Collection[str] = ()
) -> None:
    """Write a plan into its folder, added to the one that is there; refuse one that would alter what has been done.

    Potential and structure are known by the digests of their files, so that others of the same names are refused. Names
    of files become absolute, as the folder is read from other places.

    Args:
        plan: Plan with the key ``potential``.
        folder: Folder.
        holds: What the folder holds, for errors.
        growing: Keys whose values are lists to which more may be added.
        structure: Key that may name a file.
        files: Other keys whose value may name a file, or files in a list.

    Raises:
        ResultError: The folder holds another plan, or other files.
        RecipeError: What is added does not go together with what is there; the folder stays as it is.
    """
    file, named = folder / PLAN, ("potential", structure, *files)
    data = _placed(plan.model_dump(mode="json"), named)
    potential = load_potential(data["potential"])
    stamp: dict[str, Any] = {
        "tammann": __version__,
        "potential": str(getattr(potential, "digest", "") or potential.source),
    }
    if Path(data[structure]).is_file():
        stamp[structure] = digest(Path(data[structure]))
    if not file.exists():
        check_empty(folder, advice=f"it holds no {holds.removeprefix('a ')} to resume, so name another folder")
    else:
        there = read_json(file, error=ResultError)
        if not isinstance(there, dict) or not isinstance(there.get("plan"), dict):
            raise ResultError(f"{file}: expected the plan of {holds}, got something else; name another folder.")
        before = _placed(there["plan"], named)
        for key, value in data.items():
            if key in growing:
                kept = before.get(key) or []
                data[key] = [*kept, *(each for each in value if each not in kept)]
            elif before.get(key) != value:
                raise ResultError(
                    f"{folder}: holds {holds} with {_differing(key, before.get(key), value)}; "
                    "name another folder, or set it back."
                )
        for key in ("potential", structure):
            if there.get(key) != stamp.get(key):
                raise ResultError(f"{folder}: holds {holds} with another {key} of the same name; name another folder.")
        type(plan)(**data)
    write_text(file, json.dumps(json_safe({**stamp, "plan": data}), indent=1) + "\n")


def _differing(key: str, before: Any, value: Any) -> str:
    """Return which key of which block differs, and how."""
    if isinstance(before, dict) and isinstance(value, dict):
        for inner in (*value, *before):
            if before.get(inner) != value.get(inner):
                return _differing(f"{key}.{inner}", before.get(inner), value.get(inner))
    return f"{key} {before}, not {value}"


def _placed(data: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return the data with absolute names of the files under some keys."""

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(each) for each in value]
        return str(Path(value).resolve()) if isinstance(value, str) and Path(value).is_file() else value

    return data | {key: placed(data[key]) for key in keys if key in data}
