"""Expansions of the package ace-jax: Bayesian fits, and potentials for JAX-MD and LAMMPS.

Its licence is MIT. It is trained by its own command, in an interpreter that has it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tammann.errors import DataError
from tammann.files import read_text
from tammann.potentials.calculators import ModelFile, model_file, one_line
from tammann.potentials.dataset import DataSet
from tammann.potentials.programs import python_of, run_program, write_frames

SUFFIX = ".ace-jax.npz"
SOURCE = (
    "ace-jax, linear atomic cluster expansion, Witt et al., J. Chem. Phys. 2023, 159, 164101, doi 10.1063/5.0158783"
)
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


@dataclass(frozen=True)
class AceJaxSettings:
    """How ace-jax makes its basis and fits it.

    Attributes:
        order: Largest number of factors.
        max_degree: Largest total degree.
        cutoff_A: Å.
        seed: Of its choices.
    """

    order: int = 2
    max_degree: int = 10
    cutoff_A: float = 5.5
    seed: int = 0


def ace_jax_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return a potential fitted by ace-jax, by its file.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_ace_jax", SOURCE, extra="ace-jax")


def open_ace_jax(path: str | os.PathLike[str]) -> Any:
    """Return the ASE calculator of a potential fitted by ace-jax.

    Raises:
        DataError: ``ace-jax`` is not installed.
    """
    os.environ.setdefault("XLA_FLAGS", ONE_THREAD)
    try:
        import jax
        from ace_jax import ACECalculator
    except ImportError as reason:
        raise DataError(
            f"potential ace-jax: it is not installed ({one_line(reason)}); pip install 'tammann[ace-jax]' brings it."
        ) from None
    jax.config.update("jax_enable_x64", True)
    from ase.data import chemical_symbols

    calculator: Any = ACECalculator(os.fspath(path))
    elements = getattr(calculator, "meta", {}).get("elements", ())
    if elements:
        calculator.elements = frozenset(chemical_symbols[int(number)] for number in elements)
    return calculator


def train_ace_jax(
    train: DataSet,
    test: DataSet,
    folder: str | os.PathLike[str],
    settings: AceJaxSettings | None = None,
    *,
    python: str | None = None,
) -> ModelFile:
    """Fit a linear expansion by ace-jax, which weights energies, forces and stresses by their evidence.

    Args:
        train: Labelled frames.
        test: Labelled frames, for the errors that ace-jax reports.
        folder: For frames, what the program prints, and the potential.
        settings: Basis and cutoff.
        python: Interpreter that has ace-jax, by default this one.

    Raises:
        DataError: ace-jax is missing or fails.
    """
    s = settings or AceJaxSettings()
    place = Path(folder).resolve()
    write_frames(place, train=train, test=test)
    command = [
        python_of(python), "-m", "ace_jax.cli", "fit", "--train", "train.extxyz", "--test", "test.extxyz",
        "--energy-key", "energy", "--force-key", "forces", "--stress-key", "stress",
        "--order", str(s.order), "--max-degree", str(s.max_degree), "--rcut", str(s.cutoff_A),
        "--e0", "lsq", "--opt", "lbfgs", "--map-polish", "off", "--seed", str(s.seed), "--out", "fit",
    ]  # fmt: skip
    run_program(command, place, log="ace-jax.txt")
    made = place / f"potential{SUFFIX}"
    os.replace(place / "fit" / "model.npz", made)
    return ace_jax_file(made)


class OwnErrors(NamedTuple):
    """Root mean square errors on the test frames, eV per atom and eV/Å, and how much larger they are than those stated.

    The ratio is the root mean square of error over stated standard error: 1 where the stated ones hold; they are
    calibrated by multiplying them with it.
    """

    energy_eV_per_atom: float
    force_eV_per_A: float
    energy_ratio: float
    force_ratio: float


def own_errors(folder: str | os.PathLike[str]) -> OwnErrors:
    """Return the errors on the test frames that ace-jax found itself while training in a folder.

    Evaluated anew, JAX would compile for every frame.

    Raises:
        DataError: ace-jax has not left its table there.
    """
    file = Path(folder) / "fit" / "metrics.csv"
    try:
        head, *lines = [line.split(",") for line in read_text(file, error=DataError).splitlines()]
        rows = {row["quantity"]: row for row in (dict(zip(head, line, strict=True)) for line in lines)}
        energy, force = ((float(rows[name]["rmse"]), float(rows[name]["rms_z"])) for name in ("E", "F"))
    except (KeyError, ValueError) as problem:
        raise DataError(f"{file}: expected the errors of ace-jax, got something else ({problem}).") from None
    return OwnErrors(energy[0] / 1000.0, force[0], energy[1], force[1])  # energies are in meV
