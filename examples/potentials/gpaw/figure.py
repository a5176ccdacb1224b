"""Draw the forces of a potential against the density-functional labels, one panel an element.

python figure.py labelled.extxyz chgnet ../../../docs/images/gpaw-chgnet.png
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from tammann.composition import conventional_formula, parse_formula
from tammann.plot.potentials import plot_parity
from tammann.plot.style import save_figure
from tammann.potentials import load_potential
from tammann.potentials.dataset import read_dataset
from tammann.potentials.evaluate import evaluate_potential


def main(labelled: Path, potential: str, out: Path) -> None:
    """Evaluate the potential on the frames and write the figure."""
    dataset = read_dataset(labelled)
    evaluation = evaluate_potential(load_potential(potential), dataset)
    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    elements = list(parse_formula(conventional_formula(dict.fromkeys(dataset.elements, 1))))
    for element, ax in zip(elements, figure.subplots(1, len(elements)), strict=True):
        plot_parity(evaluation, "force", element=element, ax=ax)
        ax.set(xlabel=f"force on {element}, PBE (eV/Å)", ylabel="CHGNet (eV/Å)" if element == elements[0] else "")
    save_figure(figure, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
