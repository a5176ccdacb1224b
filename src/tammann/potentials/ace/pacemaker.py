"""Expansions with Finnis-Sinclair embedding by pacemaker (the package python-ace).

Its licence is academic: free for academic, non-commercial work only. It needs old versions of numpy and pandas, so it
lives in an environment of its own, where it is trained by its own command.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.files import read_json, write_text
from tammann.potentials.calculators import ModelFile, model_file, one_line
from tammann.potentials.dataset import DataSet
from tammann.potentials.programs import python_of, run_program, write_frames
from tammann.potentials.reference_energies import fit_reference_energies

SUFFIX = ".pace.yaml"
ENERGIES = ".energies.json"
"""Ending of the file with the reference energies beside a potential, which pacemaker does not keep."""
SOURCE = (
    "pacemaker, atomic cluster expansion, Bochkarev et al., Phys. Rev. Mater. 2022, 6, 013804, "
    "doi 10.1103/PhysRevMaterials.6.013804"
)
PREPARE = """
import sys, pandas as pd
from ase.io import read
for name in ("train", "test"):
    frames = read(name + ".extxyz", ":")
    table = pd.DataFrame({
        "ase_atoms": [a for a in frames],
        "energy": [a.get_potential_energy() for a in frames],
        "forces": [a.get_forces() for a in frames],
    })
    table["energy_corrected"] = table["energy"]
    for a in frames:
        a.calc = None
    table.to_pickle(name + ".pckl.gzip", compression="gzip", protocol=4)
"""
"""What the interpreter of pacemaker runs first: pacemaker reads tables of pandas."""


@dataclass(frozen=True)
class PacemakerSettings:
    """How pacemaker fits; the defaults are those of Karan et al. 2026 but for the number of functions and iterations.

    Attributes:
        functions_per_element: Number of functions.
        cutoff_A: Å.
        ladder_step: Functions added at each rung, 0 for one fit of all.
        force_weights: Share of forces in the loss, stage after stage.
        iterations: Iterations of each stage.
        early_stopping: Iterations without a lower test loss after which a stage ends.
    """

    functions_per_element: int = 300
    cutoff_A: float = 5.0
    ladder_step: int = 100
    force_weights: tuple[float, ...] = (0.99, 0.90)
    iterations: int = 300
    early_stopping: int = 50


def pacemaker_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return a potential fitted by pacemaker, by its file.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_pacemaker", SOURCE, extra="ace")


def open_pacemaker(path: str | os.PathLike[str]) -> Any:
    """Return the ASE calculator of a potential fitted by pacemaker.

    Reference energies are read from the file beside it that ends in ``.energies.json``.

    Raises:
        DataError: ``python-ace`` is not installed.
    """
    try:
        from pyace import PyACECalculator
    except ImportError as reason:
        raise DataError(
            f"potential pacemaker: python-ace is not installed ({one_line(reason)}); see the page on potentials for an "
            "environment of its own."
        ) from None
    name = os.fspath(path)
    bare: Any = PyACECalculator(name)
    energies = Path(name.removesuffix(SUFFIX) + ENERGIES)
    return _shifted(bare, read_json(energies) if energies.is_file() else {})


def _shifted(bare: Any, energies_eV: dict[str, float]) -> Any:
    """Return a calculator that adds the reference energies of the atoms to those of another."""
    from ase.calculators.calculator import Calculator, all_changes

    class Shifted(Calculator):  # type: ignore[misc, unused-ignore]
        implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

        def calculate(
            self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
        ) -> None:
            super().calculate(atoms, properties, system_changes)
            bare.calculate(atoms, ["energy", "forces", "stress"], all_changes)
            energy = bare.results["energy"] + sum(energies_eV.get(s, 0.0) for s in atoms.get_chemical_symbols())
            self.results = {
                "energy": energy,
                "free_energy": energy,
                "forces": bare.results["forces"],
                "stress": bare.results["stress"],
            }

    return Shifted()


def pacemaker_input(elements: Sequence[str], settings: PacemakerSettings, *, stage: int, start: str | None) -> str:
    """Return the input file of one stage, in JSON, which is YAML too.

    Args:
        elements: Symbols.
        settings: Basis and loss.
        stage: Which of the force weights.
        start: Potential that a former stage made.

    Example:
        >>> json.loads(pacemaker_input(["O"], PacemakerSettings(), stage=1, start="a.yaml"))["fit"]["loss"]["kappa"]
        0.9
    """
    s = settings
    potential: Any = start
    if start is None:
        potential = {
            "deltaSplineBins": 0.001,
            "elements": list(elements),
            "embeddings": {
                "ALL": {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1, 1, 0.5], "ndensity": 2}
            },
            "bonds": {
                "ALL": {
                    "radbase": "SBessel", "radparameters": [5.25], "rcut": s.cutoff_A, "dcut": 0.01,
                    "NameOfCutoffFunction": "cos",
                }
            },
            "functions": {
                "number_of_functions_per_element": s.functions_per_element,
                "ALL": {"nradmax_by_orders": [12, 6, 3, 2], "lmax_by_orders": [0, 3, 2, 1]},
            },
        }  # fmt: skip
    fit: dict[str, Any] = {
        "loss": {"kappa": s.force_weights[stage], "L1_coeffs": 1e-8, "L2_coeffs": 1e-8},
        "optimizer": "BFGS",
        "maxiter": s.iterations,
        "min_relative_test_loss_per_iter": 1e-5,
        "early_stopping_patience": s.early_stopping,
    }
    if start is None and s.ladder_step:
        fit |= {"ladder_step": s.ladder_step, "ladder_type": "power_order"}
    return json.dumps(
        {
            "cutoff": s.cutoff_A,
            "seed": 1,
            "data": {"filename": "train.pckl.gzip", "test_filename": "test.pckl.gzip"},
            "potential": potential,
            "fit": fit,
            "backend": {"evaluator": "tensorpot", "batch_size": 20, "display_step": 50},
        },
        indent=1,
    )


def train_pacemaker(
    train: DataSet,
    test: DataSet,
    folder: str | os.PathLike[str],
    settings: PacemakerSettings | None = None,
    *,
    python: str | None = None,
) -> ModelFile:
    """Fit an expansion with Finnis-Sinclair embedding: a ladder of functions, then stages with other force weights.

    Args:
        train: Labelled frames.
        test: Labelled frames; the error on them ends a stage.
        folder: For frames, inputs, what the program prints, and the potential.
        settings: Basis, ladder and loss.
        python: Interpreter of the environment that has python-ace.

    Raises:
        DataError: pacemaker is missing or fails.
    """
    s = settings or PacemakerSettings()
    place = Path(folder).resolve()
    reference = fit_reference_energies(train, train.elements)
    energies = reference.by_element
    write_frames(place, train=_less_atoms(train, energies), test=_less_atoms(test, energies))
    interpreter = python_of(python)
    run_program([interpreter, "-c", PREPARE], place, log="prepare.txt")
    start = None
    for stage in range(len(s.force_weights)):
        (place / f"input-{stage + 1}.yaml").write_text(pacemaker_input(train.elements, s, stage=stage, start=start))
        program = Path(interpreter).with_name("pacemaker")
        run_program([str(program), f"input-{stage + 1}.yaml"], place, log=f"pacemaker-{stage + 1}.txt")
        start = f"stage-{stage + 1}.yaml"
        os.replace(place / "output_potential.yaml", place / start)
    made = place / f"potential{SUFFIX}"
    write_text(place / f"potential{ENERGIES}", json.dumps(energies, indent=1) + "\n")
    os.replace(place / str(start), made)
    return pacemaker_file(made)


def _less_atoms(data: DataSet, energies: dict[str, float]) -> DataSet:
    """Return frames without the reference energies of their atoms, which pacemaker does not fit.

    Raises:
        DataError: A frame without a label, or with an element that no training frame has.
    """
    unknown = sorted(set(data.elements) - set(energies))
    if unknown:
        raise DataError(
            f"test: holds {unknown[0]}, which is in no training frame; label frames with it, or leave it out."
        )
    if any(frame.energy_eV is None or frame.forces_eV_per_A is None for frame in data):
        raise DataError("pacemaker: expected an energy and forces for every frame; label them first.")
    return DataSet(
        tuple(
            replace(frame, energy_eV=frame.energy_eV - sum(energies[symbol] for symbol in frame.configuration.symbols))
            for frame in data
            if frame.energy_eV is not None
        )
    )
