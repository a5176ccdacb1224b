"""Crystals whose sites are partly occupied or shared: what a refinement of a disordered crystal says."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.read import read_structure

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

VACANCY = "vacancy"
"""Name of nothing on a site."""
OCCUPANCY_DIGITS = 6
LISTED = 6
"""Labels of one beginning that are all written out."""
OVER = 1e-3
"""Sums of occupancies above 1 by less than this are rounding."""
_NO_CHARGES: Mapping[str, float] = MappingProxyType({})


def element_of(species: str) -> str:
    """Return the element of a species, such as Fe of ``Fe3+``; a vacancy has none.

    Example:
        >>> element_of("Fe3+"), element_of("vacancy")
        ('Fe', '')
    """
    if species == VACANCY:
        return ""
    match = re.match(r"[A-Z][a-z]?", species)
    if match is None or match[0] not in atomic_masses():
        raise DataError(
            f"species {species!r}: expected an element such as Li, with a charge such as Fe3+, or {VACANCY!r}; check "
            "its spelling."
        )
    return match[0]


def listed_labels(labels: Sequence[str], between: str = ", ") -> str:
    """Return labels, each once; of more than six that differ in their last number only the first and the last.

    Example:
        >>> listed_labels(["M", "X-4i", "X-8j"]), listed_labels([f"Li{k}" for k in range(96)] + ["O96"])
        ('M, X-4i, X-8j', 'Li0 ... Li95 (96 labels), O96')
    """
    alike: dict[str, list[str]] = {}
    for label in dict.fromkeys(labels):
        alike.setdefault(label.rstrip("0123456789") if label[-1:].isdigit() else label, []).append(label)
    parts = [
        between.join(each) if len(each) <= LISTED else f"{each[0]} ... {each[-1]} ({len(each)} labels)"
        for each in alike.values()
    ]
    return between.join(parts)


@dataclass(frozen=True, eq=False, repr=False)
class DisorderedStructure:
    """A unit cell with N sites, each occupied by several species with some probability.

    Attributes:
        cell_A: Shape (3, 3), Å, rows are the lattice vectors.
        fractional: Fractional coordinates, shape (N, 3).
        occupancies: Of each site, the probability of each species (an element, or one with a charge such as ``Fe3+``).
            What is missing to 1 is vacant.
        labels: Name of each site, as in a CIF; crystallographically equivalent sites have one name.
        charges: Charge of each species, e; where it is empty, those of the likeliest oxidation states are taken.

    Raises:
        DataError: Arrays of the wrong shape, an unknown species, a probability that is none, or a site with more than
            one atom.

    Example:
        >>> sites = ({"Li": 0.5}, {"Br": 0.25, "Cl": 0.75})
        >>> DisorderedStructure(5.0 * np.eye(3), [[0, 0, 0], [0.5, 0.5, 0.5]], sites, ("Li1", "X1"))
        DisorderedStructure(Li0.5 Br0.25 Cl0.75, 2 sites, 125.0 Å3)
    """

    cell_A: np.ndarray
    fractional: np.ndarray
    occupancies: tuple[Mapping[str, float], ...]
    labels: tuple[str, ...]
    charges: Mapping[str, float] = field(default_factory=lambda: _NO_CHARGES)

    def __post_init__(self) -> None:
        n = len(self.occupancies)
        for name, shape in (("cell_A", (3, 3)), ("fractional", (n, 3))):
            array = np.array(getattr(self, name), dtype=float)
            if array.shape != shape or not np.isfinite(array).all():
                raise DataError(f"{name}: expected finite numbers of shape {shape} for {n} sites, got {array.shape}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if n == 0 or len(self.labels) != n or not self.volume_A3 > 0:
            raise DataError(
                f"expected sites with one label each in a cell with a volume, got {n} sites, {len(self.labels)} labels "
                f"and {self.volume_A3:g} Å³."
            )
        whole = tuple(_whole(o, label) for o, label in zip(self.occupancies, self.labels, strict=True))
        object.__setattr__(self, "occupancies", whole)
        object.__setattr__(self, "labels", tuple(map(str, self.labels)))
        object.__setattr__(self, "charges", MappingProxyType({k: float(v) for k, v in self.charges.items()}))

    def __reduce__(self) -> tuple[Any, ...]:
        occupancies = tuple(map(dict, self.occupancies))
        return DisorderedStructure, (self.cell_A, self.fractional, occupancies, self.labels, dict(self.charges))

    def __repr__(self) -> str:
        formula = " ".join(f"{species}{n:g}" for species, n in self.composition().items())
        return f"DisorderedStructure({formula}, {self.n_sites} sites, {self.volume_A3:.1f} Å3)"

    @property
    def n_sites(self) -> int:
        """Number of sites N."""
        return len(self.occupancies)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å³."""
        return float(abs(np.linalg.det(self.cell_A)))

    def composition(self) -> dict[str, float]:
        """Return the mean number of atoms of each species in the cell; vacancies are left out."""
        total: dict[str, float] = {}
        for occupancy in self.occupancies:
            for species, share in occupancy.items():
                if species != VACANCY:
                    total[species] = total.get(species, 0.0) + share
        return {species: round(n, OCCUPANCY_DIGITS) for species, n in total.items()}

    def with_occupancies(self, occupancies: Mapping[str, Mapping[str, float]]) -> DisorderedStructure:
        """Return the same sites with others on those of some labels: one host at many compositions.

        Args:
            occupancies: By label, the probability of each species.

        Raises:
            DataError: No site has such a label, or as the class itself.

        Example:
            >>> host = DisorderedStructure(5.0 * np.eye(3), [[0, 0, 0]], ({"Br": 1.0},), ("X1",))
            >>> host.with_occupancies({"X1": {"Br": 0.25, "Cl": 0.75}})
            DisorderedStructure(Br0.25 Cl0.75, 1 sites, 125.0 Å3)
        """
        for label in occupancies:
            if label not in self.labels:
                known = listed_labels(self.labels)
                raise DataError(f"site {label!r}: expected one of {known}; check its spelling.")
        both = zip(self.labels, self.occupancies, strict=True)
        return replace(self, occupancies=tuple(occupancies.get(label, now) for label, now in both))

    def with_charges(self, charges: Mapping[str, float]) -> DisorderedStructure:
        """Return the same sites with charges of their species, e."""
        return replace(self, charges=dict(charges))

    @classmethod
    def from_pymatgen(cls, structure: Structure) -> DisorderedStructure:
        """Return the sites of a pymatgen ``Structure``, with the charges of decorated species.

        Raises:
            DataError: As the class itself.

        Example:
            >>> from pymatgen.core import Lattice, Structure
            >>> DisorderedStructure.from_pymatgen(Structure(Lattice.cubic(4.2), [{"Na+": 0.5, "K+": 0.5}], [[0, 0, 0]]))
            DisorderedStructure(K0.5 Na0.5, 1 sites, 74.1 Å3)
        """
        states: dict[str, set[float]] = {}
        for site in structure:
            for species in site.species:
                states.setdefault(species.symbol, set()).add(float(getattr(species, "oxi_state", None) or 0.0))
        occupancies, charges = [], {}
        for site in structure:
            here: dict[str, float] = {}
            for species, share in sorted(site.species.items(), key=lambda pair: str(pair[0])):
                several = len(states[species.symbol]) > 1  # Fe2+ and Fe3+ stay apart
                name = str(species) if several else species.symbol
                charge = float(getattr(species, "oxi_state", None) or 0.0)
                if charge:
                    charges[name] = charge
                here[name] = here.get(name, 0.0) + float(share)
            occupancies.append(here)
        labels = tuple(site.label or site.species_string for site in structure)
        return cls(structure.lattice.matrix, structure.frac_coords, tuple(occupancies), labels, charges)

    @classmethod
    def from_configuration(cls, configuration: Configuration) -> DisorderedStructure:
        """Return the atoms of a configuration as full sites, labelled with their elements.

        Example:
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
            >>> DisorderedStructure.from_configuration(pair)
            DisorderedStructure(Ba1 O1, 2 sites, 175.6 Å3)
        """
        fractional = configuration.positions_A @ np.linalg.inv(configuration.cell_A)
        occupancies = tuple({symbol: 1.0} for symbol in configuration.symbols)
        return cls(configuration.cell_A, fractional, occupancies, configuration.symbols)


def read_disordered(path: str | os.PathLike[str]) -> DisorderedStructure:
    """Return the sites in a CIF with their occupancies; any other file must hold an ordered structure.

    Raises:
        DataError: The file cannot be read, or more than one atom is on a site.

    Example:
        >>> import tempfile
        >>> from tammann.structures import write_structure
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "pair.cif"
        ...     write_structure(Configuration(("Ba", "O"), [[0, 0, 0], [2.8, 0, 0]], 5.6 * np.eye(3)), file)
        ...     read_disordered(file)
        DisorderedStructure(O1 Ba1, 2 sites, 175.6 Å3)
    """
    file = Path(path)
    if file.suffix.lower() != ".cif":
        return DisorderedStructure.from_configuration(read_structure(file))
    import warnings

    from pymatgen.io.cif import CifParser

    if not file.is_file():
        raise DataError(f"structure {os.fspath(path)!r}: expected a file, got none of this name; check its spelling.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # sites with more than one atom are read, and refused below in words of their own
            found = CifParser(file, occupancy_tolerance=100.0).parse_structures(primitive=False, check_occu=False)
        structure = found[0]
    except Exception as error:  # pymatgen raises many kinds
        problem = " ".join(str(error).split())[:200]
        raise DataError(
            f"structure {file.name!r}: expected a CIF with sites and occupancies, got another file ({problem})."
        ) from None
    try:
        return DisorderedStructure.from_pymatgen(structure)
    except DataError as error:
        raise DataError(f"structure {file.name!r}: {error}") from None


def disordered_crystal(
    space_group: int | str,
    cell: Sequence[float],
    sites: Mapping[str, tuple[Mapping[str, float], ArrayLike]],
    *,
    charges: Mapping[str, float] | None = None,
) -> DisorderedStructure:
    """Return the conventional cell of a disordered crystal from its space group and asymmetric unit.

    Args:
        space_group: Number or symbol.
        cell: a, b, c in Å and alpha, beta, gamma in degrees.
        sites: By label, the probability of each species and three fractional coordinates.
        charges: Charge of each species, e.

    Raises:
        DataError: There is no such space group, or as ``DisorderedStructure``.

    Example:
        >>> salt = {"M": ({"Na": 0.5, "K": 0.5}, (0, 0, 0)), "X": ({"Cl": 1}, (0.5, 0.5, 0.5))}
        >>> disordered_crystal("Fm-3m", (6, 6, 6, 90, 90, 90), salt)
        DisorderedStructure(Na2 K2 Cl4, 8 sites, 216.0 Å3)
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.symmetry.groups import SpaceGroup

    try:
        lattice = Lattice.from_parameters(*cell)
        group = SpaceGroup.from_int_number(space_group) if isinstance(space_group, int) else SpaceGroup(space_group)
        orbits = {label: group.get_orbit(np.asarray(at, dtype=float)) for label, (_, at) in sites.items()}
    except Exception as error:  # pymatgen raises many kinds
        problem = " ".join(str(error).split())[:200]
        raise DataError(
            f"crystal: expected a space group, six numbers of the cell and three coordinates of each site, got "
            f"{space_group!r} and {tuple(cell)} ({problem})."
        ) from None
    fractional = [np.asarray(point, dtype=float) % 1.0 for orbit in orbits.values() for point in orbit]
    labels = [label for label, orbit in orbits.items() for _ in orbit]
    occupancies = tuple(sites[label][0] for label in labels)
    return DisorderedStructure(lattice.matrix, np.array(fractional), occupancies, tuple(labels), charges or {})


def _whole(occupancy: Mapping[str, float], label: str) -> Mapping[str, float]:
    """Return the occupancy of a site with its vacancies, in the order given."""
    here: dict[str, float] = {}
    for species, share in occupancy.items():
        element_of(species)
        if not (isinstance(share, int | float) and math.isfinite(share) and share >= 0):
            raise DataError(f"site {label!r}: expected an occupancy from 0 to 1 of {species}, got {share!r}.")
        if share > 0:
            here[species] = float(share)
    total = sum(here.values())
    if total > 1.0 + OVER:
        raise DataError(
            f"site {label!r}: expected at most one atom, got {total:g} ("
            + ", ".join(f"{share:g} {species}" for species, share in here.items())
            + "); correct its occupancies."
        )
    if total > 1.0:
        here = {species: share / total for species, share in here.items()}
    if VACANCY not in here and round(1.0 - total, OCCUPANCY_DIGITS) > OVER:
        here[VACANCY] = 1.0 - total
    elif VACANCY in here:
        here[VACANCY] += max(0.0, 1.0 - total)
    return MappingProxyType(here)
