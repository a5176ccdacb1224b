"""What labels configurations: any potential of this package, by name, file or import path, as a labeller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, Protocol

import numpy as np

from tammann.potentials.calculators import calculator_of, muted, prepare
from tammann.potentials.load import load_potential
from tammann.structures.configuration import Configuration


class Answer(NamedTuple):
    """Energy (eV), forces (N, 3) (eV/Å) and stress (3, 3) (eV/Å3) of one configuration; what computed them."""

    energy_eV: float
    forces_eV_per_A: Any
    stress_eV_per_A3: Any
    source: str


class Labeller(Protocol):
    """Something that labels, told to other processes by pickling; what it loads it loads in ``open``."""

    @property
    def method(self) -> str:
        """Name of the method, as in ``Label``."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return all that the labels depend on, for JSON."""
        ...

    def open(self, elements: Iterable[str]) -> Callable[[Configuration], Answer]:
        """Load what is needed for some elements, and return the function that labels."""
        ...


@dataclass(frozen=True)
class PotentialLabeller:
    """A potential that labels.

    Where its calculator tells the free energy from the energy, the free energy is the label: its gradient are the
    forces.

    Attributes:
        potential: Name, file or import path, for ``load_potential``.

    Raises:
        DataError: There is no such potential.

    Example:
        >>> PotentialLabeller("pedone-2006").method
        'pedone-2006'
    """

    potential: str

    def __post_init__(self) -> None:
        load_potential(self.potential)

    @property
    def method(self) -> str:
        """Name of the potential, and of the file its digest where it has one."""
        loaded = load_potential(self.potential)
        digest = str(getattr(loaded, "digest", "") or "")
        return f"{loaded.name} {digest[:12]}".strip()

    def describe(self) -> dict[str, str]:
        """Return the name and the source of the potential."""
        return {"potential": self.method, "source": load_potential(self.potential).source}

    def open(self, elements: Iterable[str]) -> Callable[[Configuration], Answer]:
        """Load the potential and return the function that labels.

        Raises:
            DataError: It cannot be loaded, or does not know an element.
        """
        potential = prepare(load_potential(self.potential), ())
        potential.check(list(elements))
        calculator_of(potential)
        source = f"{potential.source}{_package(potential)}"

        def label(configuration: Configuration) -> Answer:
            atoms = configuration.to_ase()
            atoms.calc = calculator_of(prepare(potential, configuration.symbols))
            with muted():
                energy, forces = atoms.get_potential_energy(), atoms.get_forces()
                stress = atoms.get_stress(voigt=False)
            free = atoms.calc.results.get("free_energy", energy)
            return Answer(float(free), np.array(forces), np.array(stress), source)

        return label


def _package(potential: Any) -> str:
    """Return the package that makes an imported potential, with its version."""
    package = str(getattr(potential, "extra", "") or getattr(potential, "make", "").partition(".")[0])
    try:
        return f"; {package} {version(package)}" if package else ""
    except PackageNotFoundError:
        return ""
