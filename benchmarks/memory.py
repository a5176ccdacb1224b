"""Memory of a run per cell: how much further the peak of a process rises when the grid grows from 100 to 200 cells.

Each size is run in a process of its own, for a few sweeps of the 1:1 recipe at 1250 K. Snapshots are recorded data, of
a size that is capped whatever the grid, and are counted apart.
"""

import json
import resource
import subprocess
import sys

from record import RECIPE, record

SIZES = (30, 100, 200)


def peak(size: int) -> dict[str, int]:
    """Peak memory of this process after a short run, and the memory of its snapshots, in bytes."""
    from tammann import Recipe, simulate
    from tammann.furnace import charge

    recipe = Recipe.from_file(RECIPE).model_dump()
    recipe["start_temperature_K"] = 1250.0
    recipe["programme"] = [{"temperature_K": 1250.0, "hold_h": 0.05}]
    rates = charge(Recipe(**recipe)).rates
    recipe["grid"]["size"] = size
    history = simulate(Recipe(**recipe), rates)
    unit = 1 if sys.platform == "darwin" else 1024
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "snapshots": history.snapshots.nbytes}


def measured(size: int) -> dict[str, int]:
    """``peak`` of a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, str(size)], capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main() -> None:
    found = {size: measured(size) for size in SIZES}
    rows = [
        {
            "cells per edge": size,
            "peak memory, MB": round(each["peak"] / 1e6),
            "of which snapshots, MB": round(each["snapshots"] / 1e6, 1),
        }
        for size, each in found.items()
    ]
    few, many = found[SIZES[-2]], found[SIZES[-1]]
    cells = SIZES[-1] ** 3 - SIZES[-2] ** 3
    per_cell = (many["peak"] - few["peak"]) / cells
    recorded = (many["snapshots"] - few["snapshots"]) / cells
    for row in rows:
        last = row["cells per edge"] == SIZES[-1]
        row["bytes per further cell"] = round(per_cell, 1) if last else ""
        row["of which snapshots"] = round(recorded, 1) if last else ""
    record("memory", rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(peak(int(sys.argv[1]))))
    else:
        main()
