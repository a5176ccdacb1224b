"""GPAW, density-functional theory by plane waves, as a separate program in its own interpreter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from tammann.errors import DataError
from tammann.potentials.labellers import Answer
from tammann.recipe_blocks import number_field
from tammann.strict import Block
from tammann.structures.configuration import Configuration

PROGRAM = Path(__file__).with_name("gpaw_program.py")
START_SECONDS = 120.0
"""How long an interpreter may take to tell its version of GPAW."""
INSTALL = (
    "install GPAW (Debian: apt install gpaw; else pip or conda, with its setups), or name its interpreter in python"
)


class GpawSettings(Block):
    """Settings of GPAW, the same for all frames so that their energies can be compared.

    The label is the free energy of the smeared occupations, of which forces and stress are the derivatives, not the
    energy extrapolated to zero smearing. Spins are not polarized.

    Oxygen needs many plane waves. In cubic BaTiO3, 5 atoms, against 1000 eV: forces are off by 0.05 eV/Å (root mean
    square) at 400 eV and 0.005 at 600 eV; the stress, with GPAW's estimate of Pulay's term for the cut-off
    (``pulay_stress``; without it, it is 51 GPa off at 400 eV), by 8 GPa at 400, 5 at 600 and 2 at 700 eV. Energies of
    different cells at 400 eV scatter by tens of meV/atom, as the number of plane waves jumps. So 400 eV is for forces,
    and for energies in equal cells; for stresses and volumes take 800 eV or more.

    Example:
        >>> GpawSettings().method
        'gpaw PBE pw 400'
    """

    python: Annotated[str, Field(strict=True, max_length=1000)] = Field(
        "", description="the interpreter that GPAW is installed in; found if left out"
    )
    xc: Annotated[str, Field(strict=True, min_length=1, max_length=100)] = Field(
        "PBE", description="a functional that GPAW knows, such as PBE, PBEsol or LDA"
    )
    cutoff_eV: Annotated[float, number_field("an energy from 100 to 2000 eV", ge=100, le=2000)] = 400.0
    kpoints: tuple[
        Annotated[int, Field(strict=True, ge=1, le=50)],
        Annotated[int, Field(strict=True, ge=1, le=50)],
        Annotated[int, Field(strict=True, ge=1, le=50)],
    ] = Field((1, 1, 1), description="three whole numbers of k-points, such as [2, 2, 2]; the mesh includes Gamma")
    smearing_eV: Annotated[float, number_field("an energy above 0 and at most 1 eV", gt=0, le=1)] = 0.1
    energy_convergence_eV_per_electron: Annotated[
        float, number_field("an energy from 1e-9 to 1e-2 eV per valence electron", ge=1e-9, le=1e-2)
    ] = 1e-5
    density_convergence: Annotated[
        float, number_field("electrons per valence electron, from 1e-9 to 1e-2", ge=1e-9, le=1e-2)
    ] = 1e-5
    iterations: Annotated[int, number_field("a whole number from 10 to 1000", ge=10, le=1000)] = 150
    pulay_stress: Annotated[bool, Field(strict=True, description="true or false")] = True

    @property
    def method(self) -> str:
        """Name of the method, as in ``Label``."""
        points = "" if self.kpoints == (1, 1, 1) else f" k {'x'.join(map(str, self.kpoints))}"
        return f"gpaw {self.xc} pw {self.cutoff_eV:g}{points}"


@dataclass(frozen=True)
class GpawLabeller:
    """GPAW as a labeller, one process of its program for each configuration.

    Attributes:
        settings: Of GPAW.
        logs: Folder for its text output, or None.
    """

    settings: GpawSettings = field(default_factory=GpawSettings)
    logs: Path | None = None

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.settings.method

    def describe(self) -> dict[str, Any]:
        """Return the settings that the labels depend on."""
        return {"program": "gpaw", **self.settings.model_dump(mode="json", exclude={"python"})}

    def open(self, elements: Iterable[str]) -> Callable[[Configuration], Answer]:
        """Look for GPAW and return the function that labels.

        Raises:
            DataError: No interpreter with GPAW is found.
        """
        python = find_gpaw(self.settings.python)

        def label(configuration: Configuration) -> Answer:
            return run_gpaw(configuration, self.settings, python, logs=self.logs)

        return label


@cache
def find_gpaw(python: str = "") -> str:
    """Return an interpreter that imports GPAW.

    Args:
        python: The only one to try; by default that of the program ``gpaw``, then ``python3`` in the usual places,
            then this one.

    Raises:
        DataError: None of them imports it.
    """
    tried = [python] if python else list(dict.fromkeys(_interpreters()))
    for candidate in tried:
        if gpaw_versions(candidate):
            return candidate
    raise DataError(f"python: expected an interpreter with GPAW, got none in {', '.join(tried)}; {INSTALL}.")


def _interpreters() -> Iterator[str]:
    program = shutil.which("gpaw")
    if program:
        with open(program, "rb") as file:
            first = file.readline(200).decode("utf-8", "replace").strip()
        if first.startswith("#!") and " " not in first:
            yield first[2:]
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin"]
    yield from (str(Path(folder, "python3")) for folder in folders if folder and Path(folder, "python3").exists())
    yield sys.executable


def gpaw_versions(python: str) -> dict[str, str]:
    """Return the versions of GPAW and ASE that an interpreter imports, or nothing where it imports none."""
    try:
        done = subprocess.run(
            [python, str(PROGRAM)],
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
        )
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        return {}


def run_gpaw(
    configuration: Configuration, settings: GpawSettings, python: str, *, logs: str | os.PathLike[str] | None = None
) -> Answer:
    """Label one configuration.

    Args:
        configuration: Any; small cells, as its k-points have to be few.
        settings: Of GPAW.
        python: An interpreter that imports GPAW (``find_gpaw``).
        logs: Folder for GPAW's text output, or None.

    Returns:
        Free energy, forces and stress.

    Raises:
        DataError: GPAW failed, for example did not converge.
    """
    with tempfile.TemporaryDirectory(prefix="tammann-gpaw-") as name:
        folder = Path(name)
        log = ""
        if logs is not None:
            Path(logs).mkdir(parents=True, exist_ok=True)
            log = str(Path(logs).resolve() / f"{folder.name}.txt")
        task = {
            "symbols": configuration.symbols,
            "positions_A": configuration.positions_A.tolist(),
            "cell_A": configuration.cell_A.tolist(),
            "settings": {**settings.model_dump(mode="json", exclude={"python"}), "log": log},
        }
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        done = subprocess.run(
            [python, str(PROGRAM), "task.json", "answer.json"],
            cwd=folder,
            capture_output=True,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
        )
        if not (folder / "answer.json").exists():
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise DataError(f"GPAW ended with exit code {done.returncode}{f' ({last[0]:.200})' if last else ''}")
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    if "failure" in answer:
        raise DataError(f"GPAW failed: {answer['failure']}")
    versions = answer["versions"]
    source = f"GPAW {versions['gpaw']}, ASE {versions['ase']}, setups {versions['setups']}"
    return Answer(answer["free_energy_eV"], answer["forces_eV_per_A"], answer["stress_eV_per_A3"], source)


def _environment() -> dict[str, str]:
    """Return the environment without what points Python to the packages of this interpreter."""
    leave = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {**{key: value for key, value in os.environ.items() if key not in leave}, "OMP_NUM_THREADS": "1"}
