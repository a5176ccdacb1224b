"""Where figures go: one section of results.json a script, each with the machine it was measured on.

Run by itself it prints all tables that are in the file.
"""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
RECIPE = Path(__file__).parents[1] / "examples" / "recipes" / "batio3-1-1.yaml"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def record(section: str, rows: list[dict[str, Any]]) -> None:
    """Put one section into results.json, in the place of what was there, and print it."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[section] = {"machine": machine(), "rows": rows}
    partial = RESULTS.with_name(RESULTS.name + ".partial")
    partial.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n", encoding="utf-8")
    os.replace(partial, RESULTS)
    print(f"\n{section}\n\n{table(rows)}")


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table; keys are its columns."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join(" ---: " for _ in columns) + "|"]
    return "\n".join(lines + ["| " + " | ".join(_shown(row[name]) for name in columns) + " |" for row in rows])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    for name, content in json.loads(RESULTS.read_text(encoding="utf-8")).items() if RESULTS.exists() else ():
        print(f"\n{name} ({content['machine']})\n\n{table(content['rows'])}")
