"""Time of commands that should answer at once, as processes of their own: `tammann --help` and a few tables."""

import subprocess
import sys
import time
from statistics import median

from record import record

COMMANDS = (["--help"], ["--version"], ["new", "-"], ["hull"], ["reactions"], ["kd"])
REPEATS = 7


def seconds(words: list[str]) -> list[float]:
    """Wall times of a command, after one run that fills the disk cache."""
    measured = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tammann", *words], capture_output=True, check=True, timeout=60)
        measured.append(time.perf_counter() - begun)
    return measured[1:]


def main() -> None:
    rows = []
    for words in COMMANDS:
        measured = seconds(words)
        rows.append(
            {
                "command": "tammann " + " ".join(words),
                "seconds": round(median(measured), 3),
                "fastest": round(min(measured), 3),
                "slowest": round(max(measured), 3),
            }
        )
    record("startup", rows)


if __name__ == "__main__":
    main()
