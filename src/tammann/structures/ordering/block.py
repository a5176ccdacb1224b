"""A block of a disordered crystal: how many of each species go on which sites, and what permutes the sites."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.ordering.disordered import VACANCY, DisorderedStructure, element_of, listed_labels
from tammann.thermo.oxidation_states import oxidation_states

SYMPREC_A = 0.01
OCCUPANCY_TOLERANCE = 0.005
"""By how much a share in a block may differ from the occupancy that was refined."""
ROUNDING_ERROR = 1e-9
"""Of a difference of two shares."""
CHARGE_TOLERANCE = 1e-6
MOST_SITES = 1000
"""Disordered sites of a block; arrays of operations and of energies grow with their square."""
MOST_MULTIPLE = 100
"""Cells of a block that is looked for."""
MOST_SUGGESTED = 8
"""Cells of a block worth proposing; larger ones are named nowhere."""
ROUNDING = 5e-5
"""Of an occupancy such as 0.3333."""
MATCH_A = 0.1
"""Sites that an operation brings nearer than this are the same."""


@dataclass(frozen=True, eq=False)
class Sublattice:
    """Sites that share one composition.

    Attributes:
        name: Labels of its sites.
        sites: First site of the block on it, and the one after its last.
        species: What is on it, vacancies included.
        counts: How many of each.
    """

    name: str
    sites: tuple[int, int]
    species: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def n_sites(self) -> int:
        """Number of its sites."""
        return self.sites[1] - self.sites[0]


@dataclass(frozen=True, eq=False, repr=False)
class OrderingBlock:
    """A supercell whose disordered sites are to be occupied, one species on each.

    Attributes:
        cell_A: Shape (3, 3), Å.
        fractional: Of the M disordered sites, sublattice by sublattice, shape (M, 3).
        sublattices: With the counts of their species.
        permutations: Every distinct permutation of the disordered sites by an operation of the crystal that leaves the
            block as it is: the site that comes to each site, shape (G, M). They form a group.
        fixed: Species of the F other sites.
        fixed_fractional: Shape (F, 3).
        charges: Charge of each species, e; empty where none is known.
    """

    cell_A: np.ndarray
    fractional: np.ndarray
    sublattices: tuple[Sublattice, ...]
    permutations: np.ndarray
    fixed: tuple[str, ...]
    fixed_fractional: np.ndarray
    charges: Mapping[str, float]

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{' '.join(f'{n} {species}' for species, n in zip(s.species, s.counts, strict=True))} on {s.name}"
            for s in self.sublattices
        )
        return f"OrderingBlock({parts or 'nothing to order'}; {len(self.permutations)} operations)"

    @property
    def n_sites(self) -> int:
        """Number of disordered sites M."""
        return len(self.fractional)

    @property
    def composition(self) -> dict[str, int]:
        """Number of atoms of each species in the block."""
        total: dict[str, int] = {}
        for species in self.fixed:
            total[species] = total.get(species, 0) + 1
        for s in self.sublattices:
            for species, n in zip(s.species, s.counts, strict=True):
                if species != VACANCY:
                    total[species] = total.get(species, 0) + n
        return total

    @property
    def formula_units(self) -> int:
        """Formula units of the host in the block: the greatest common divisor of its numbers of alike sites.

        Example:
            >>> from tammann.structures.ordering import disordered_crystal
            >>> salt = {"M": ({"Na": 0.5, "K": 0.5}, (0, 0, 0)), "X": ({"Cl": 1}, (0.5, 0.5, 0.5))}
            >>> ordering_block(disordered_crystal("Fm-3m", (6, 6, 6, 90, 90, 90), salt)).formula_units
            4
        """
        return math.gcd(*(s.n_sites for s in self.sublattices), *(self.fixed.count(s) for s in set(self.fixed)))

    def configuration(self, arrangement: ArrayLike) -> Configuration:
        """Return the atoms of one arrangement, vacancies left out, with the label ``site`` of the site of each.

        Args:
            arrangement: Number of the species of its sublattice on each of the M sites.

        Raises:
            DataError: Not M numbers of species.
        """
        codes = np.asarray(arrangement)
        if codes.shape != (self.n_sites,):
            raise DataError(f"arrangement: expected {self.n_sites} numbers of species, got shape {codes.shape}.")
        species = [s.species[int(k)] for s in self.sublattices for k in codes[slice(*s.sites)]] + list(self.fixed)
        places = np.vstack([self.fractional, self.fixed_fractional]) @ self.cell_A
        there = [k for k, name in enumerate(species) if name != VACANCY]
        symbols = {k: element_of(species[k]) for k in there}
        elements = list(dict.fromkeys(symbols.values()))
        kept = sorted(there, key=lambda k: elements.index(symbols[k]))
        names = tuple(symbols[k] for k in kept)
        return Configuration(names, places[kept], self.cell_A, labels={"site": np.array(kept)})


def ordering_block(
    structure: DisorderedStructure,
    repeat: Sequence[int] | ArrayLike = (1, 1, 1),
    *,
    together: Literal["occupancy", "label"] = "occupancy",
    tolerance: float = OCCUPANCY_TOLERANCE,
    symprec_A: float = SYMPREC_A,
) -> OrderingBlock:
    """Return a block of a disordered crystal with whole numbers of every species.

    Its symmetry is that of the mean structure: every operation of the space group that leaves the lattice of the block
    as it is, combined with every translation of the crystal within it. They act on all sublattices at once.

    Args:
        structure: The disordered crystal.
        repeat: How often the cell is repeated along its edges, or an integer matrix, shape (3, 3), whose rows are the
            vectors of the block in those of the cell.
        together: Which sites share a composition: all those of the same ``occupancy``, such as Br and Cl on 4i and 8j
            alike, so that the bromide may gather on one of them; or only those of the same ``label`` as well.
        tolerance: By how much the share of a species in the block may differ from its occupancy.
        symprec_A: Å, as spglib knows it.

    Raises:
        DataError: The block cannot hold the composition, its charges do not balance, it has more than 1000 disordered
            sites, or ``repeat`` is no block.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal
        >>> alloy = disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), {"M": ({"Cu": 0.5, "Au": 0.5}, (0, 0, 0))})
        >>> ordering_block(alloy)
        OrderingBlock(2 Cu 2 Au on M; 24 operations)
    """
    matrix = _block_matrix(repeat)
    shifts = _lattice_points(matrix)
    kinds = _kinds(structure, together)
    open_kinds = [k for k, (occupancy, _) in enumerate(kinds.names) if len(occupancy) > 1]
    to_block = np.linalg.inv(matrix.T.astype(float))
    disordered = len(shifts) * sum(k in open_kinds for k in kinds.of_site)
    if disordered > MOST_SITES:
        raise DataError(
            f"repeat: expected at most {MOST_SITES} disordered sites, got {disordered}; repeat it less often."
        )
    places: dict[int, list[np.ndarray]] = {k: [] for k in range(len(kinds.names))}
    for site, k in enumerate(kinds.of_site):
        places[k] += [(structure.fractional[site] + shift) @ to_block.T for shift in shifts]
    sublattices, start = [], 0
    for k in open_kinds:
        occupancy, name = kinds.names[k]
        n = len(places[k])
        counts = _counts(name, dict(occupancy), n, tolerance, structure)
        sublattices.append(Sublattice(name, (start, start + n), tuple(s for s, _ in occupancy), counts))
        start += n
    active = np.array([at for k in open_kinds for at in places[k]]).reshape(-1, 3) % 1.0
    closed = [k for k in range(len(kinds.names)) if k not in open_kinds and kinds.names[k][0][0][0] != VACANCY]
    fixed = tuple(kinds.names[k][0][0][0] for k in closed for _ in places[k])
    fixed_fractional = np.array([at for k in closed for at in places[k]]).reshape(-1, 3) % 1.0
    cell = matrix @ structure.cell_A
    which = np.repeat(np.arange(len(sublattices)), [s.n_sites for s in sublattices])
    permutations = _permutations(structure, kinds.of_site, matrix, shifts, active, which, cell, symprec_A)
    block = OrderingBlock(cell, active, tuple(sublattices), permutations, fixed, fixed_fractional, {})
    return replace(block, charges=_charges(structure, block))


def smallest_multiple(structure: DisorderedStructure, *, together: Literal["occupancy", "label"] = "occupancy") -> int:
    """Return how many cells a block has at least that holds the composition, each occupancy to its fourth decimal.

    Raises:
        DataError: None of up to 100 cells does.

    Example:
        >>> site = DisorderedStructure(4 * np.eye(3), [[0, 0, 0]], ({"Cu": 0.25, "Au": 0.75},), ("M",))
        >>> smallest_multiple(site)
        4
    """
    kinds = _kinds(structure, together)
    shares = [(share, kinds.of_site.count(k)) for k, (own, _) in enumerate(kinds.names) for _, share in own]
    for cells in range(1, MOST_MULTIPLE + 1):
        if all(abs(round(share * n * cells) / (n * cells) - share) <= ROUNDING for share, n in shares):
            return cells
    raise DataError(
        f"no supercell of up to {MOST_MULTIPLE} cells holds the composition of {structure!r}; round its occupancies "
        "or allow a larger tolerance."
    )


@dataclass(frozen=True)
class _Kinds:
    """Which sites are alike: occupancy and name of each kind, and the kind of each site."""

    names: list[tuple[tuple[tuple[str, float], ...], str]]
    of_site: list[int]


def _kinds(structure: DisorderedStructure, together: str) -> _Kinds:
    if together not in ("occupancy", "label"):
        raise DataError(f"together: expected occupancy or label, got {together!r}.")
    groups: dict[object, list[int]] = {}
    for site, (occupancy, label) in enumerate(zip(structure.occupancies, structure.labels, strict=True)):
        shares = frozenset((species, round(share, 6)) for species, share in occupancy.items())
        groups.setdefault((shares, label if together == "label" else ""), []).append(site)
    names, of_site = [], [0] * structure.n_sites
    for k, sites in enumerate(groups.values()):
        name = listed_labels([structure.labels[site] for site in sites], "+")
        names.append((tuple(structure.occupancies[sites[0]].items()), name))
        for site in sites:
            of_site[site] = k
    return _Kinds(names, of_site)


def _counts(
    name: str, occupancy: dict[str, float], n: int, tolerance: float, structure: DisorderedStructure
) -> tuple[int, ...]:
    """Return whole numbers of each species on n sites, by largest remainders."""
    exact = np.array([share * n for share in occupancy.values()])
    counts = np.floor(exact + 1e-9).astype(int)
    for k in np.argsort(counts - exact)[: n - int(counts.sum())]:
        counts[k] += 1
    apart = np.abs(counts / n - exact / n)
    if apart.max() > tolerance + ROUNDING_ERROR:
        k = int(apart.argmax())
        nearest = ", ".join(
            f"{species} {c}/{n} = {c / n:.4g}"
            for species, c in zip(occupancy, counts, strict=True)
            if species != VACANCY
        )
        advice = f"write the nearest that fits, {nearest}"
        with suppress(DataError):
            if (cells := smallest_multiple(structure)) <= MOST_SUGGESTED:
                advice += f", or take a block of {cells} cells"
        raise DataError(
            f"sites {name}: expected whole numbers of species, got {exact[k]:g} {list(occupancy)[k]} on the {n} sites "
            f"of this block; {advice}."
        )
    return tuple(int(c) for c in counts)


def _charges(structure: DisorderedStructure, block: OrderingBlock) -> Mapping[str, float]:
    """Return the charge of every species of a block, given or likeliest; refuse charges that do not balance."""
    counts = block.composition
    given = dict(structure.charges)
    if given:
        for species in counts:
            if species not in given and element_of(species) not in given:
                raise DataError(f"charges: expected one of {species} as well, got only {', '.join(given)}.")
        charges = {s: given.get(s, given.get(element_of(s), 0.0)) for s in counts}
    else:
        if any(element_of(s) != s for s in counts):
            raise DataError(f"charges: expected those of {', '.join(counts)}, got none; name them.")
        charges = {s: float(q) for s, q in oxidation_states(counts).items()}
        if any(q != round(q) for q in charges.values()):
            listed = ", ".join(f"{n} {s}" for s, n in counts.items())
            raise DataError(
                f"charges: expected a neutral block, got {listed}, which no usual oxidation states balance; correct "
                "its occupancies, or name the charges."
            )
    total = sum(charges[s] * n for s, n in counts.items())
    if abs(total) > CHARGE_TOLERANCE * max(1, sum(counts.values())):
        listed = ", ".join(f"{n} {s} of {charges[s]:+g}" for s, n in counts.items())
        source = "given" if given else "likeliest"
        raise DataError(
            f"charges: expected a neutral block, got {total:+g} e from the {source} charges ({listed}); correct the "
            "occupancies or the charges."
        )
    return {**charges, VACANCY: 0.0}


def _block_matrix(repeat: Sequence[int] | ArrayLike) -> np.ndarray:
    given = np.asarray(repeat)
    rounded = np.round(given.astype(float)) if given.dtype.kind in "iuf" else np.zeros(0)
    matrix = np.diag(rounded) if rounded.shape == (3,) else rounded
    if matrix.shape != (3, 3) or not np.array_equal(rounded, given) or abs(np.linalg.det(matrix)) < 0.5:
        raise DataError(
            f"repeat: expected three whole numbers, or an integer matrix of three rows whose determinant is not zero, "
            f"got {given.tolist()}."
        )
    return matrix.astype(int)


def _lattice_points(matrix: np.ndarray) -> np.ndarray:
    """Return the translations of the cell within the block, one of each, shape (det, 3), integers."""
    corners = np.array(list(product((0, 1), repeat=3))) @ matrix
    low, high = corners.min(axis=0), corners.max(axis=0)
    grid = np.array(list(product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))))
    inside = grid @ np.linalg.inv(matrix.astype(float))
    return np.asarray(grid[((inside > -1e-9) & (inside < 1 - 1e-9)).all(axis=1)])


def _permutations(
    structure: DisorderedStructure,
    kinds: list[int],
    matrix: np.ndarray,
    shifts: np.ndarray,
    active: np.ndarray,
    which: np.ndarray,
    cell: np.ndarray,
    symprec_A: float,
) -> np.ndarray:
    """Return the distinct permutations of the disordered sites, the identity first, shape (G, M)."""
    if len(active) == 0:
        return np.zeros((1, 0), dtype=np.int32)
    to_block = np.linalg.inv(matrix.T.astype(float))
    turned = []
    for rotation, translation in zip(*_operations(structure, kinds, symprec_A), strict=True):
        own = to_block @ rotation @ matrix.T
        if np.abs(own - np.round(own)).max() < 1e-6:
            turned.append(_permuted(active, active @ own.T + to_block @ translation, which, cell))
    moved = [_permuted(active, active + to_block @ shift, which, cell) for shift in shifts]
    every = np.array(moved)[None, :, :][:, :, np.array(turned)].reshape(-1, len(active))
    return np.ascontiguousarray(np.unique(every.astype(np.int32), axis=0))


def _operations(structure: DisorderedStructure, kinds: list[int], symprec_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations and translations of the mean structure, in fractional coordinates."""
    import warnings

    import spglib

    found = None
    cell: Any = (structure.cell_A, structure.fractional, np.array(kinds) + 1)
    failures: Any = getattr(spglib, "SpglibError", ())  # before version 2.8 they are None, and exceptions since
    with warnings.catch_warnings(), suppress(failures):
        warnings.simplefilter("ignore", DeprecationWarning)
        found = spglib.get_symmetry(cell, symprec=symprec_A)
    if found is None:
        raise DataError(f"{structure!r}: found no symmetry within {symprec_A:g} Å; are two sites nearer than that?")
    return found["rotations"], found["translations"]


def _permuted(active: np.ndarray, images: np.ndarray, which: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return to which site each site comes."""
    apart = images[:, None] - active[None]
    apart -= np.round(apart)
    distance = np.linalg.norm(apart @ cell, axis=-1)
    distance[which[:, None] != which[None]] = np.inf
    to = distance.argmin(axis=1)
    if distance[np.arange(len(to)), to].max() > MATCH_A or len(set(to.tolist())) != len(to):
        raise DataError("sites of the structure lie too near to each other to tell which is which; separate them.")
    return np.asarray(to)
