"""Memory of a run per cell: how far the peak of a process rises above what it held before the run.

Each grid is run in a process of its own, after a tiny one that loads all code, for a few sweeps of the 1:1 recipe at
1250 K; once as a random mixture and once with grains. Snapshots are recorded data, of a size that is capped whatever
the grid, and are counted apart.
"""

import json
import resource
import subprocess
import sys

from record import RECIPE, record

CASES = {"random mixture": (1.0, 200), "grains of 3 cells": (3.0, 100)}


def held() -> int:
    """Bytes that this process holds now; its peak so far where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return highest()


def highest() -> int:
    """Peak of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def rise(size: int, grain_cells: float) -> dict[str, int]:
    """What a run added to this process at most, its peak, and the memory of its snapshots, in bytes."""
    from tammann import Recipe, simulate
    from tammann.workflows.furnace import prepare

    data = Recipe.from_file(RECIPE).with_options(engine="automaton").model_dump()
    data["start_temperature_K"] = 1250.0
    data["programme"] = [{"temperature_K": 1250.0, "hold_h": 0.05}]
    data["grid"] |= {"size": 8, "grain_cells": grain_cells}
    rates = prepare(Recipe(**data)).rates
    simulate(Recipe(**data), rates)
    before = held()
    data["grid"]["size"] = size
    history = simulate(Recipe(**data), rates)
    return {"rise": highest() - before, "peak": highest(), "snapshots": history.lattice.snapshots.nbytes}


def measured(size: int, grain_cells: float) -> dict[str, int]:
    """``rise`` in a fresh process."""
    words = [sys.executable, __file__, str(size), str(grain_cells)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main() -> None:
    rows = []
    for powder, (grain_cells, size) in CASES.items():
        found = measured(size, grain_cells)
        rows.append(
            {
                "powder": powder,
                "cells per edge": size,
                "peak of the process, MB": round(found["peak"] / 1e6),
                "of which snapshots, MB": round(found["snapshots"] / 1e6),
                "bytes per cell, all": round(found["rise"] / size**3, 1),
                "bytes per cell, snapshots left out": round((found["rise"] - found["snapshots"]) / size**3, 1),
            }
        )
    record("memory", rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(rise(int(sys.argv[1]), float(sys.argv[2]))))
    else:
        main()
