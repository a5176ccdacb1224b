"""Visits per second of the kernel against grid size and threads, while the 1:1 recipe is reacting.

The rates are those of examples/recipes/batio3-1-1.yaml, and so is the heating rate; of its ramp the part from 1000 to
1250 K is run, in which BaO is used up. Before it hardly anything reacts, after it the kernel is faster, because most
contacts no longer react. Time is that of the kernel, compilation left out.
"""

import argparse
import os

from record import RECIPE, record

from tammann import Recipe, simulate
from tammann.analysis import conversion
from tammann.workflows.furnace import prepare

SIZES = (30, 50, 100, 200)
LEAST_SECONDS = 1.0


def reacting(size: int) -> Recipe:
    """The stretch of the recipe in which it reacts, on a grid of a size."""
    recipe = Recipe.from_file(RECIPE).with_options(engine="automaton").model_dump()
    recipe["start_temperature_K"] = 1000.0
    recipe["programme"] = [{"temperature_K": 1250.0, "ramp_K_per_min": 10.0, "hold_h": 0.0}]
    recipe["grid"]["size"] = size
    return Recipe(**recipe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    rates = prepare(reacting(30)).rates
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows = []
    for size in sizes:
        recipe = reacting(size)
        # below about 100 cells per edge there are too few blocks for two threads, and one runs in any case
        for threads in sorted({1, min(2, cores) if size >= 96 else 1}):
            speeds, visits, seconds = [], 0, 0.0
            while seconds < LEAST_SECONDS or len(speeds) < 3:
                history = simulate(recipe, rates, threads=threads, rng=len(speeds))
                speeds.append(float(history.lattice.visits[0] / history.lattice.kernel_seconds[0]))
                visits += int(history.lattice.visits[0])
                seconds += float(history.lattice.kernel_seconds[0])
                if seconds > 20 * LEAST_SECONDS:
                    break
            used = conversion(history, "BaO")["conversion"].iloc[-1]
            rows.append(
                {
                    "cells per edge": size,
                    "threads": threads,
                    "visits per second, millions": round(visits / seconds / 1e6, 1),
                    "fastest": round(max(speeds) / 1e6, 1),
                    "slowest": round(min(speeds) / 1e6, 1),
                    "BaO used up, %": round(100 * float(used), 1),
                    "visits measured, millions": round(visits / 1e6),
                }
            )
    record("visits", rows)


if __name__ == "__main__":
    main()
