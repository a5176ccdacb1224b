"""Li3(In,Y)(Br,Cl)6 from a disordered host to conductivities; run it again to go on.

    python run.py [WORKERS]

Needs tammann[sevennet]. Everything lies in ``out/``; a step that is done is not done again, and one that was
interrupted is resumed. The page at the end is ``out/electrolytes.html``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
POTENTIAL = Path("out/learned/potential.ace.npz")


def main(workers: str = "2", potential: str = "sevennet-0") -> None:
    """Do what is not done."""
    os.chdir(HERE)
    os.environ["OMP_NUM_THREADS"] = "1"  # processes, not threads

    def python(*words: str) -> None:
        print("$ python", *words, flush=True)
        if status := subprocess.run([sys.executable, *words]).returncode:
            raise SystemExit(status)

    def electrolyte(*stages: str) -> None:
        words = [word for stage in stages for word in ("--stage", stage)]
        python("-m", "tammann", "electrolyte", "plan.yaml", "--out", "out", "--workers", workers, *words, "--resume")

    if not Path("out/hull/selected.json").exists():
        electrolyte("orderings", "energies", "hull")
    if not Path("out/frames.extxyz").exists():
        python("sample.py", "out", potential)
    if not Path("out/labelled/labelled.extxyz").exists():
        words = ("out/frames.extxyz", "--labeller", potential, "--out", "out/labelled", "--workers", workers)
        python("-m", "tammann", "potential", "label", *words)
    if not POTENTIAL.exists():
        resume = ["--resume"] if Path("out/active").exists() else []
        words = ("active.yaml", "--out", "out/active", "--workers", workers, *resume)
        python("-m", "tammann", "potential", "active", *words)
        POTENTIAL.parent.mkdir(exist_ok=True)
        rounds = Path("out/active").glob("round-*/potential.ace.npz")
        shutil.copy(max(rounds, key=lambda file: int(file.parent.name[6:])), POTENTIAL)
    electrolyte("dynamics", "pathways", "conductivity")


if __name__ == "__main__":
    main(*sys.argv[1:3])
