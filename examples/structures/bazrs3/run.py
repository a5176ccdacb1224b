"""From the crystal of BaZrS3 to a glass, tilt boundaries and polycrystals; run it again to go on.

    python run.py [WORKERS]

Needs tammann[sevennet]. Everything lies in ``out/``; a step that is done is not done again, and one that was
interrupted is resumed.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GRAINS = "1", "8", "50"
BOX_A = "200"  # of the polycrystals
FIGURES = str(HERE.parents[2] / "docs" / "images")


def main(workers: str = "2") -> None:
    """Do what is not done."""
    os.chdir(HERE)
    os.environ["OMP_NUM_THREADS"] = "1"  # processes, not threads
    Path("out").mkdir(exist_ok=True)

    def python(*words: str) -> None:
        print("$ python", *words, flush=True)
        if status := subprocess.run([sys.executable, *words]).returncode:
            raise SystemExit(status)

    def tammann(command: str, out: str, done: str, *options: str) -> None:
        if not Path(out, done).exists():
            resume = ["--resume"] if Path(out).exists() else []
            python("-m", "tammann", *command.split(), "--out", out, *options, *resume)

    two = ("--workers", workers)
    tammann("potential active active.yaml", "out/active", "active-learning.csv", *two)
    if not Path("out/crystal-sevennet.extxyz").exists():
        python("crystals.py", "sevennet-0", "out/crystal-sevennet.extxyz")
        python("bicrystals.py", "out/crystal-sevennet.extxyz", "out")
    if not Path("out/train.extxyz").exists():
        frames = [str(file) for file in sorted(Path("out/active").glob("round-*/labelled.xyz"))]
        python("-m", "tammann", "potential", "data", *frames, "--write", "out/train.extxyz")
    tammann("potential active active-large.yaml", "out/active-large", "active-learning.csv", *two)
    if not Path("out/potential/summary.json").exists():
        python("-m", "tammann", "potential", "train", "train.yaml", "--out", "out/potential")
    if not Path("out/crystal-ace.extxyz").exists():
        python("crystals.py", "out/potential/low-energy.ace.npz", "out/crystal-ace.extxyz")
    tammann("structure boundary boundaries.yaml", "out/boundaries", "boundaries.csv", *two)
    tammann("structure boundary boundaries-thick.yaml", "out/boundaries-thick", "boundaries.csv", *two)
    tammann("structure boundary boundaries-sevennet.yaml", "out/boundaries-sevennet", "boundaries.csv")
    for grains in GRAINS:
        target = f"out/polycrystal-{grains}.extxyz"
        if not Path(target).exists():
            options = ("--grains", grains, "--box-A", BOX_A, "--out", target)
            python("-m", "tammann", "structure", "polycrystal", "out/crystal-ace.extxyz", *options)
    if not Path("out/melted.extxyz").exists():
        python("melted.py", "out/active", "out/melted.extxyz")
    tammann("structure quench rates-first.yaml", "out/rates-first", "quenches.csv", *two)
    if not Path("out/glasses.extxyz").exists():
        python("glasses.py", "out/rates-first", "out/potential/potential.ace.npz", "out/glasses.extxyz")
    tammann("potential label out/glasses.extxyz --labeller sevennet-0", "out/glasses", "labelled.extxyz", *two)
    if not Path("out/potential-glass/summary.json").exists():
        python("-m", "tammann", "potential", "train", "train-glass.yaml", "--out", "out/potential-glass")
    tammann("structure quench rates.yaml", "out/rates", "quenches.csv", *two)
    tammann("structure quench glass.yaml", "out/glass", "quenches.csv")
    tammann("structure quench anneal.yaml", "out/anneal", "quenches.csv")
    if not Path("out/checks.extxyz").exists():
        python("checks.py", "out", "out/checks.extxyz")
    tammann("potential label out/checks.extxyz --labeller sevennet-0", "out/checks", "labelled.extxyz")
    python("collect.py", "out", "results.json", FIGURES)


if __name__ == "__main__":
    main(*sys.argv[1:2])
