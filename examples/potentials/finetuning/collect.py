"""Copy what a folder of ``tammann potential finetune`` found into ``results/`` and its figure into the documentation.

python collect.py FOLDER NAME      # halide or melt; then: python ../../../docs/fill.py
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
IMAGES = HERE.parents[2] / "docs" / "images"


def main(folder, name):
    """Copy table, summary and figures."""
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    for end in ("csv", "json"):
        shutil.copyfile(folder / f"learning-curves.{end}", results / f"{name}.{end}")
    for quantity in ("forces", "energy"):
        shutil.copyfile(folder / f"learning-curves-{quantity}.png", IMAGES / f"finetuning-{name}-{quantity}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
