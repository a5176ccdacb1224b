"""Write the tables of the keys of plans into a page, from the plans themselves.

    python docs/plan_keys.py docs/potential-plans.md

A table stands between <!-- keys: module:Plan --> and <!-- /keys -->; tests/test_docs_potentials.py asks that nothing
would change.
"""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

TABLE = re.compile(r"(<!-- keys: ([\w.]+):(\w+) -->\n).*?(<!-- /keys -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The text of a page with its tables of keys."""

    def fill(match: re.Match[str]) -> str:
        plan = getattr(importlib.import_module(match[2]), match[3])
        rows = "\n".join(_rows(plan))
        return f"{match[1]}| key | default | expects |\n|---|---|---|\n{rows}\n{match[4]}"

    return TABLE.sub(fill, page)


def _rows(plan: type[BaseModel], above: str = "") -> list[str]:
    found = []
    for key, field in plan.model_fields.items():
        inner = field.annotation
        description = (field.description or "").replace("|", "\\|")
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _rows(inner, f"{above}{key}.")
            continue
        default = "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        found.append(f"| `{above}{key}` | {default} | {description} |")
    return found


def _shown(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(f'{x:g}' if isinstance(x, float) else str(x) for x in value)}]`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
