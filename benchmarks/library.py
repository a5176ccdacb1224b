"""Time to read the library of measured energies, in a fresh process each, and then from memory.

Imports are not counted: what is timed is the first `measured_phases` of a process, which reads every table, the second
one of other elements, and one that was asked for before. With the packages that carry FREED and the CRC Handbook where
they are installed.
"""

import json
import subprocess
import sys
from statistics import median

from record import record

REPEATS = 7
CODE = """
import json, time

import scipy.optimize
from tammann.thermo import measured_phases

def timed(elements):
    begun, cpu = time.perf_counter(), time.process_time()
    phases = measured_phases(elements)
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu, "phases": len(phases)}

rows = [timed("Sr Ti O C".split()), timed("Na Ca Al Si O H Cl S".split()), timed("Sr Ti O C".split())]
print(json.dumps(rows))
"""
NAMES = ("first, Sr-Ti-O-C", "another, Na-Ca-Al-Si-O-H-Cl-S", "again, Sr-Ti-O-C")


def main() -> None:
    runs = []
    for _ in range(REPEATS + 1):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True, text=True, timeout=60)
        runs.append(json.loads(done.stdout))
    rows = []
    for k, name in enumerate(NAMES):
        seconds = [run[k]["seconds"] for run in runs[1:]]
        rows.append(
            {
                "system": name,
                "phases": runs[0][k]["phases"],
                "milliseconds": round(1e3 * median(seconds), 1),
                "of processor": round(1e3 * median(run[k]["cpu"] for run in runs[1:]), 1),
                "fastest": round(1e3 * min(seconds), 1),
                "slowest": round(1e3 * max(seconds), 1),
            }
        )
    record("library", rows)


if __name__ == "__main__":
    main()
