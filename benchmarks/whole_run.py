"""Wall time of `tammann run --engine automaton` on the 1:1 recipe: with a kernel to compile, and from then on."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import RECIPE, record

CASES = (
    ("8 realizations, the first time (the kernel is compiled)", ["--engine", "automaton"]),
    ("8 realizations, from then on", ["--engine", "automaton"]),
    ("1 realization", ["--engine", "automaton", "--realizations", "1"]),
)


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(place) / "numba")}
        for number, (name, options) in enumerate(CASES):
            out = Path(place) / str(number)
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "tammann", "run", str(RECIPE), "--out", str(out), "--quiet", *options],
                check=True,
                env=environment,
                timeout=170,
            )
            seconds = time.perf_counter() - begun
            summary = json.loads((out / "summary.json").read_text())
            size, realizations = 30, summary["realizations"]
            rows.append(
                {
                    "run": name,
                    "realizations": realizations,
                    "wall seconds": round(seconds, 1),
                    "cycles per realization": round(summary["visits"] / realizations / size**3),
                    "visits per second, millions": round(summary["visits_per_second"] / 1e6, 1),
                    "folder, MB": round(sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6, 1),
                }
            )
    record("whole_run", rows)


if __name__ == "__main__":
    main()
