"""GAP: Gaussian approximation potentials, fitted by the program ``gap_fit`` of the package ``quippy-ase``.

Its energy is a sum of a pair term and a SOAP many-body term, each a Gaussian process on a sparse set of environments.
The package stands under the GPL, so it is an extra.

Reference:
    Bartók et al., Phys. Rev. Lett. 2010, 104, 136403, doi 10.1103/PhysRevLett.104.136403.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.potentials.calculators import ModelFile, model_file, one_line
from tammann.potentials.dataset import DataSet
from tammann.potentials.programs import python_of, run_program, write_frames
from tammann.potentials.reference_energies import fit_reference_energies

SOURCE = "GAP, Bartók et al., Phys. Rev. Lett. 2010, 104, 136403, doi 10.1103/PhysRevLett.104.136403"


def gap_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return the potential in a file of GAP (``*.xml``); the files of sparse points that it names lie beside it.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_gap", SOURCE, extra="gap")


def open_gap(path: str | os.PathLike[str]) -> Any:
    """Return the ASE calculator of a GAP.

    Raises:
        DataError: ``quippy-ase`` is not installed.
    """
    try:
        from quippy.potential import Potential
    except ImportError as reason:
        raise DataError(
            f"potential gap: it is not installed ({one_line(reason)}); pip install 'tammann[gap]' brings it."
        ) from None
    calculator = Potential(param_filename=os.fspath(path))
    calculator.elements = elements_in(path)
    return calculator


def elements_in(path: str | os.PathLike[str]) -> frozenset[str]:
    """Return the elements for which a GAP has reference energies.

    Raises:
        DataError: No file of a GAP.
    """
    from ase.data import chemical_symbols

    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as reason:
        raise DataError(f"{os.fspath(path)}: expected a GAP in XML, got {one_line(reason)}.") from None
    numbers = {int(node.attrib["Z"]) for node in root.iter("e0")}
    if not numbers:
        raise DataError(f"{os.fspath(path)}: expected a GAP in XML with an energy e0 of every element, found none.")
    return frozenset(chemical_symbols[number] for number in numbers)


@dataclass(frozen=True)
class GapSettings:
    """What ``gap_fit`` is asked for.

    Attributes:
        cutoff_A: Cut-off radius of both terms, Å.
        l_max: Largest angular momentum of the SOAP.
        n_max: Number of radial functions of the SOAP.
        zeta: Power of the SOAP kernel.
        sparse: Number of representative environments of each element.
        atom_sigma_A: Width of the Gaussian put on every atom, Å.
        energy_sigma_eV: Expected error of the energy per atom, eV.
        force_sigma_eV_per_A: Expected error of a force component, eV/Å.
        stress_sigma_eV: Expected error of a virial component per atom, eV.
    """

    cutoff_A: float = 5.0
    l_max: int = 4
    n_max: int = 6
    zeta: int = 4
    sparse: int = 200
    atom_sigma_A: float = 0.5
    energy_sigma_eV: float = 0.005
    force_sigma_eV_per_A: float = 0.2
    stress_sigma_eV: float = 0.05


def gap_command(
    train: str, model: str, e0_eV: dict[str, float], settings: GapSettings | None = None
) -> tuple[str, ...]:
    """Return the arguments of ``gap_fit``, without its name.

    Args:
        train: extxyz file of the training frames.
        model: XML file to write.
        e0_eV: Reference energy of every element, eV per atom.
        settings: Cut-off, basis, sparse points and expected errors.

    Example:
        >>> gap_command("train.extxyz", "gap.xml", {"O": -2.5, "Ba": -1.0})[2]
        'e0={Ba:-1.0:O:-2.5}'
    """
    s = settings or GapSettings()
    pair = (
        f"distance_2b n_sparse=15 covariance_type=ard_se cutoff={s.cutoff_A} theta_uniform=1.0 delta=2.0 "
        "sparse_method=uniform add_species=T"
    )
    soap = (
        f"soap l_max={s.l_max} n_max={s.n_max} atom_sigma={s.atom_sigma_A} zeta={s.zeta} cutoff={s.cutoff_A} "
        f"cutoff_transition_width=1.0 delta=0.2 n_sparse={s.sparse} covariance_type=dot_product "
        "sparse_method=cur_points add_species=T"
    )
    reference = ":".join(f"{symbol}:{e0_eV[symbol]}" for symbol in sorted(e0_eV))
    return (
        f"at_file={train}",
        f"gp_file={model}",
        f"e0={{{reference}}}",
        f"gap={{{pair} : {soap}}}",
        f"default_sigma={{{s.energy_sigma_eV} {s.force_sigma_eV_per_A} {s.stress_sigma_eV} 0.0}}",
        "energy_parameter_name=energy",
        "force_parameter_name=forces",
        "stress_parameter_name=stress",
        "config_type_parameter_name=none",
        "sparse_jitter=1e-8",
        "do_copy_at_file=F",
        "sparse_separate_file=F",
    )


def train_gap(
    train: DataSet, folder: str | os.PathLike[str], settings: GapSettings | None = None, *, python: str | None = None
) -> ModelFile:
    """Fit a Gaussian approximation potential: a term of pairs and one of environments.

    Args:
        train: Labelled frames.
        folder: For the frames, what the program prints, and the potential ``potential.xml`` with its tables.
        settings: Cut-off, basis, sparse points and expected errors.
        python: Interpreter of the environment that has quippy-ase, by default this one.

    Raises:
        DataError: ``gap_fit`` is missing or fails.
    """
    place = Path(folder).resolve()
    write_frames(place, train=train)
    program = Path(python_of(python)).with_name("gap_fit")
    energies = fit_reference_energies(train).by_element
    command = [str(program), *gap_command("train.extxyz", "potential.xml", energies, settings)]
    run_program(command, place, log="gap.txt")
    return gap_file(place / "potential.xml")
