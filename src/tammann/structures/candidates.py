"""Configurations to learn a potential from: random cells, strained, rattled, faulty crystals, crystals beside a glass.

All are periodic, have whole formula units, and follow from a seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement, product

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.structures.amorphous import CHARGES, LOOSE, atoms_in_box, estimate_volume_per_atom
from tammann.structures.configuration import Configuration, wrapped

RANDOM_TEMPERATURE_K = 2000.0
ANGLES_DEG = (60.0, 120.0)
LONGEST_OVER_SHORTEST = 2.5
"""Of the edges of a random cell."""
ATTEMPTS = 200
"""Random cells, or trials for each atom, before there is said to be no room."""
CLOSER = 0.97
"""By what the distances that nobody asked for are multiplied after an attempt without room."""
TOUCHING = 0.85
"""Smallest distance of ions over the sum of their radii."""
SMALLEST_DISTANCE_A = 0.5


def random_cell(
    formula: str,
    *,
    atoms: int = 16,
    volume_per_atom_A3: float | None = None,
    volume_scales: tuple[float, float] = (0.7, 1.4),
    minimum_distances_A: Mapping[tuple[str, str], float] | None = None,
    cubic: bool = False,
    rng: np.random.Generator | int | None = None,
) -> Configuration:
    """Return a random cell of random shape and volume with atoms at random places: a candidate of a structure search.

    Three edges and three angles from 60 to 120 degrees are drawn, and the volume is a multiple, between
    ``volume_scales``, of the estimate. Atoms are inserted one by one, the element with the longest distances first;
    one that is too near to another, or to its own image, is drawn again. Where there is no room, another cell is
    drawn, with distances shorter by 3 % but for those asked for.

    Args:
        formula: Composition.
        atoms: Approximate number of atoms, in whole formula units; random structure search takes 8 to 24.
        volume_per_atom_A3: Å3; of a melt at 2000 K where None (``estimate_volume_per_atom``).
        volume_scales: Smallest and largest multiple of it.
        minimum_distances_A: Smallest distances by pair of elements, Å, in either order; by default those of
            ``least_distances``, shorter in proportion in a compressed cell.
        cubic: Whether the cell is a cube, as that of a melt.
        rng: Seed or generator; the same seed gives the same cell.

    Raises:
        DataError: The formula cannot be read, or there is no room for the atoms.

    Reference:
        Pickard, Needs, J. Phys. Condens. Matter 2011, 23, 053201, doi 10.1088/0953-8984/23/5/053201.

    Example:
        >>> random_cell("BaTiO3", atoms=10, rng=1).n_atoms
        10
    """
    generator = np.random.default_rng(rng)
    counts = atoms_in_box(formula, atoms)
    volume = volume_per_atom_A3 or estimate_volume_per_atom(formula, temperature_K=RANDOM_TEMPERATURE_K)
    low, high = volume_scales
    if not 0 < low <= high or not np.isfinite(high):
        raise DataError(f"volume_scales: expected two multiples above 0, the smaller first, got {volume_scales}.")
    symbols = tuple(Counter(counts).elements())
    usual, given = least_distances(formula, volume_per_atom_A3=volume), _given(symbols, minimum_distances_A)
    for attempt in range(ATTEMPTS):
        scale = float(generator.uniform(low, high))
        closer = CLOSER**attempt * min(scale, 1.0) ** (1 / 3)
        distances = {pair: closer * distance for pair, distance in usual.items()} | given
        content = len(symbols) * volume * scale
        cell = content ** (1 / 3) * np.eye(3) if cubic else _random_lattice(content, generator)
        if _heights(cell).min() < max(distances.values()):
            continue
        positions = _insert(symbols, cell, distances, generator)
        if positions is not None:
            return Configuration(symbols, positions, cell)
    raise DataError(
        f"random cell of {formula}: found no room for {len(symbols)} atoms; ask for shorter distances or more volume "
        "per atom."
    )


def supercell(configuration: Configuration, atoms: int) -> Configuration:
    """Return the repetition of a cell along its edges with about a number of atoms, as near to a cube as possible.

    Of all repetitions within a third of the number it is the one with the greatest smallest height; where none is
    within a third, the one with the nearest number.

    Raises:
        DataError: Fewer than one atom is asked for.

    Example:
        >>> import numpy as np
        >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2, 0, 0]]), np.diag([4.0, 4.0, 8.0]))
        >>> supercell(pair, 64).cell_A.diagonal().tolist()
        [16.0, 16.0, 16.0]
    """
    if atoms < 1:
        raise DataError(f"atoms: expected a whole number above 0, got {atoms}.")
    n, heights = configuration.n_atoms, _heights(configuration.cell_A)
    most = max(1, round(1.5 * atoms / n))
    shapes = [(a, b, c) for a, b in product(range(1, most + 1), repeat=2) for c in range(1, most // (a * b) + 1)]

    def preference(shape: tuple[int, int, int]) -> tuple[bool, float, float]:
        total = n * int(np.prod(shape))
        apart = abs(total - atoms)
        near = 3 * apart <= atoms
        return not near, -float((heights * shape).min()) if near else apart, apart

    return repeated(configuration, min(shapes, key=preference))


def repeated(configuration: Configuration, times: tuple[int, int, int]) -> Configuration:
    """Return a cell repeated along its edges; velocities are left out.

    Example:
        >>> import numpy as np
        >>> repeated(Configuration(("Ba",), np.zeros((1, 3)), 5.0 * np.eye(3)), (1, 1, 3))
        Configuration(Ba, 3 atoms, 375.0 Å3)
    """
    shifts = np.array(list(product(*map(range, times)))) @ configuration.cell_A
    positions = (shifts[:, None] + configuration.positions_A[None]).reshape(-1, 3)
    cell = configuration.cell_A * np.array(times)[:, None]
    return Configuration(configuration.symbols * len(shifts), positions, cell)


def strained(
    configuration: Configuration, *, limit: float = 0.03, rng: np.random.Generator | int | None = None
) -> Configuration:
    """Return a configuration under a random homogeneous strain, atoms moved with the cell.

    The six components of the symmetric strain e are uniform from -``limit`` to ``limit``; rows of cell and positions
    are multiplied by 1 + e, so the shear angle is 2 e_xy.

    Raises:
        DataError: A limit that is not from 0 to 0.5.

    Example:
        >>> import numpy as np
        >>> cube = Configuration(("Ba",), np.zeros((1, 3)), 5.0 * np.eye(3))
        >>> bool(abs(strained(cube, limit=0.03, rng=1).cell_A / 5.0 - np.eye(3)).max() <= 0.03)
        True
    """
    if not 0 <= limit <= 0.5:
        raise DataError(f"limit: expected a strain from 0 to 0.5, got {limit}.")
    xx, yy, zz, yz, xz, xy = np.random.default_rng(rng).uniform(-limit, limit, size=6)
    deformation = np.eye(3) + np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return replace(
        configuration,
        positions_A=configuration.positions_A @ deformation,
        cell_A=configuration.cell_A @ deformation,
    )


def rattled(
    configuration: Configuration, *, displacement_A: float = 0.05, rng: np.random.Generator | int | None = None
) -> Configuration:
    """Return a configuration with every atom displaced at random.

    Args:
        configuration: Any.
        displacement_A: Standard deviation of each Cartesian component, Å.
        rng: Seed or generator.

    Raises:
        DataError: A displacement below 0.
    """
    if not displacement_A >= 0:
        raise DataError(f"displacement_A: expected a length of 0 Å or more, got {displacement_A}.")
    shifts = np.random.default_rng(rng).normal(scale=displacement_A, size=(configuration.n_atoms, 3))
    return replace(configuration, positions_A=configuration.positions_A + shifts)


def close_pair(
    configuration: Configuration,
    first: str,
    second: str,
    *,
    factor: float = 0.8,
    rng: np.random.Generator | int | None = None,
) -> Configuration:
    """Return a configuration with two neighbours brought nearer to each other, both by the same distance.

    One atom is drawn among those of ``first``; the other is its nearest neighbour of ``second``. Molecular dynamics
    seldom comes to such distances, and a potential that has never seen them may have a hole there.

    Args:
        configuration: Any.
        first: Element.
        second: Element; may be the same.
        factor: New distance over the old one, between 0 and 1.
        rng: Seed or generator.

    Raises:
        DataError: There is no such pair, or a factor that is not between 0 and 1.

    Example:
        >>> import numpy as np
        >>> pair = Configuration(("Li", "Cl"), np.array([[0, 0, 0], [2.5, 0, 0]]), np.diag([9.0, 9.0, 9.0]))
        >>> close_pair(pair, "Li", "Cl", factor=0.5).positions_A[:, 0].tolist()
        [0.625, 1.875]
    """
    if not 0.0 < factor < 1.0:
        raise DataError(f"factor: expected a number between 0 and 1, got {factor}.")
    one, other, apart = _neighbours(configuration, first, second, np.random.default_rng(rng))
    positions = np.array(configuration.positions_A)
    positions[one] += 0.5 * (1.0 - factor) * apart
    positions[other] -= 0.5 * (1.0 - factor) * apart
    return replace(configuration, positions_A=positions)


def antisite(
    configuration: Configuration, first: str, second: str, *, rng: np.random.Generator | int | None = None
) -> Configuration:
    """Return a configuration in which an atom and its nearest neighbour of another element have exchanged places.

    Args:
        configuration: Any.
        first: Element; which of its atoms is drawn.
        second: Another element.
        rng: Seed or generator.

    Raises:
        DataError: There is no such pair, or the elements are the same.

    Example:
        >>> import numpy as np
        >>> pair = Configuration(("Li", "Cl"), np.array([[0, 0, 0], [2.5, 0, 0]]), np.diag([9.0, 9.0, 9.0]))
        >>> antisite(pair, "Li", "Cl").positions_A[:, 0].tolist()
        [2.5, 0.0]
    """
    if first == second:
        raise DataError(f"antisite: expected two elements, got {first} twice; name another one.")
    one, other, _ = _neighbours(configuration, first, second, np.random.default_rng(rng))
    positions = np.array(configuration.positions_A)
    positions[[one, other]] = positions[[other, one]]
    return replace(configuration, positions_A=positions)


def _neighbours(
    configuration: Configuration, first: str, second: str, rng: np.random.Generator
) -> tuple[int, int, np.ndarray]:
    """Return an atom of one element, the nearest of another, and the vector from it to that, Å."""
    symbols = np.array(configuration.symbols)
    ones, others = np.flatnonzero(symbols == first), np.flatnonzero(symbols == second)
    if not len(ones) or len(others) <= (first == second):
        raise DataError(f"expected a pair of {first} and {second}, got {configuration!r}; name elements that it has.")
    one = rng.choice(ones)
    others = others[others != one]
    apart = configuration.positions_A[others] - configuration.positions_A[one]
    fractional = apart @ np.linalg.inv(configuration.cell_A)
    nearest = (fractional - np.round(fractional)) @ configuration.cell_A
    every = nearest[:, None] + _images(configuration.cell_A)[None]
    lengths = np.linalg.norm(every, axis=2)
    other, image = np.unravel_index(lengths.argmin(), lengths.shape)
    return int(one), int(others[other]), every[other, image]


def crystal_glass_interface(
    crystal: Configuration,
    formula: str,
    *,
    atoms: int = 120,
    normal: int = 2,
    gap_A: float = 1.0,
    volume_per_atom_A3: float | None = None,
    minimum_distances_A: Mapping[tuple[str, str], float] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Configuration:
    """Return a slab of a crystal beside a random packing, in one periodic cell with two interfaces.

    The slab is whole unit cells, cut along the plane of two lattice vectors; its atoms, about half of all, come first.
    The third edge of the cell is along the normal of that plane. The packing is one of ``formula``, of its own volume,
    and of any elements; ``interface.crystal_glass`` puts a glass of one's own beside a crystal of the same elements.

    Args:
        crystal: Unit cell.
        formula: Composition of the glass or melt.
        atoms: Approximate number of atoms of both.
        normal: Lattice vector, 0, 1 or 2, along which the crystal is cut.
        gap_A: Empty space at each interface, Å, beside the distances that are kept anyway.
        volume_per_atom_A3: Of the packing, Å3; estimated for 2000 K where None.
        minimum_distances_A: Smallest distances within the packing and to the slab by pair of elements, Å; by default
            those of ``least_distances``.
        rng: Seed or generator; the same seed gives the same interface.

    Raises:
        DataError: The formula cannot be read, there is no such lattice vector, or there is no room for the atoms.
    """
    if normal not in (0, 1, 2):
        raise DataError(f"normal: expected the lattice vector 0, 1 or 2, got {normal}.")
    if not gap_A >= 0:
        raise DataError(f"gap_A: expected a length of 0 Å or more, got {gap_A}.")
    generator = np.random.default_rng(rng)
    order = [(normal + 1) % 3, (normal + 2) % 3, normal]
    unit = replace(crystal, cell_A=crystal.cell_A[order], velocities_A_per_ps=None)
    slab = supercell(unit, max(1, atoms // 2))
    plane = slab.cell_A[:2]
    direction = np.cross(*plane) / np.linalg.norm(np.cross(*plane))
    thickness = abs(float(slab.cell_A[2] @ direction))
    direction *= np.sign(slab.cell_A[2] @ direction)
    counts = atoms_in_box(formula, max(1, atoms - slab.n_atoms))
    glass = tuple(Counter(counts).elements())
    volume = volume_per_atom_A3 or estimate_volume_per_atom(formula, temperature_K=RANDOM_TEMPERATURE_K)
    area = float(np.linalg.norm(np.cross(*plane)))
    room = len(glass) * volume / area
    elements = (*slab.symbols, *glass)
    content = "".join(f"{symbol}{count}" for symbol, count in Counter(elements).items())
    usual, given = least_distances(content, volume_per_atom_A3=volume), _given(elements, minimum_distances_A)
    inside = wrapped(slab.positions_A, slab.cell_A)
    fixed = inside @ slab.cell_A
    height = thickness + room + 2.0 * gap_A
    cell = np.array([*plane, height * direction])
    limits = (thickness + gap_A) / height, 1.0 - gap_A / height
    for attempt in range(ATTEMPTS // 4):
        distances = {pair: CLOSER**attempt * distance for pair, distance in usual.items()} | given
        positions = _insert(glass, cell, distances, generator, fixed=(slab.symbols, fixed), between=limits)
        if positions is not None:
            return Configuration(elements, np.concatenate([fixed, positions]), cell)
    raise DataError(
        f"interface with {formula}: found no room for {len(glass)} atoms in {room:.1f} Å; ask for shorter distances or "
        "more volume per atom."
    )


def least_distances(formula: str, *, volume_per_atom_A3: float) -> dict[frozenset[str], float]:
    """Return distances that atoms of a random configuration should keep, by pair of elements, Å.

    0.85 times what ions would have that touch: the sum of the radii of cation and anion, twice the radius of two equal
    anions, and 1/sqrt(2) of the sum of their distances from the anion, as around a shared edge at a right angle, for
    two cations. Without an anion, or a radius, 0.7 times the cube root of the volume per atom.

    Args:
        formula: Composition.
        volume_per_atom_A3: Å3.

    Reference:
        Shannon, Acta Cryst. A 1976, 32, 751, doi 10.1107/S0567739476001551 (crystal radii).

    Example:
        >>> found = least_distances("BaTiO3", volume_per_atom_A3=20.0)
        >>> {"-".join(sorted(pair)): round(distance, 2) for pair, distance in found.items()}
        {'Ba': 3.31, 'Ba-O': 2.34, 'Ba-Ti': 2.92, 'O': 2.14, 'O-Ti': 1.79, 'Ti': 2.54}
    """
    from pymatgen.core.periodic_table import Element

    symbols = sorted(parse_formula(formula))
    loose = LOOSE * volume_per_atom_A3 ** (1 / 3)
    anions = {s: float(Element(s).ionic_radii.get(-CHARGES[s]) or 0.0) for s in symbols if s in CHARGES}
    cations = {s: float(Element(s).average_cationic_radius or 0.0) for s in symbols if s not in CHARGES}
    smallest = min(anions.values(), default=0.0)
    found = {}
    for a, b in combinations_with_replacement(symbols, 2):
        if not (smallest and all((anions | cations)[each] for each in (a, b))):
            distance = loose
        elif a in cations and b in cations:
            distance = TOUCHING * (cations[a] + cations[b] + 2.0 * smallest) / np.sqrt(2.0)
        else:
            distance = TOUCHING * ((anions | cations)[a] + (anions | cations)[b])
        found[frozenset((a, b))] = float(distance)
    return found


def _given(symbols: Sequence[str], given: Mapping[tuple[str, str], float] | None) -> dict[frozenset[str], float]:
    """Return the smallest distances asked for, by pair of elements, Å."""
    known = {frozenset(pair) for pair in combinations_with_replacement(sorted(set(symbols)), 2)}
    table = {}
    for pair, value in (given or {}).items():
        if frozenset(pair) not in known:
            raise DataError(f"minimum_distances_A: {'-'.join(pair)} is no pair of these elements; remove it.")
        if not SMALLEST_DISTANCE_A <= value < np.inf:
            raise DataError(
                f"minimum_distances_A: expected a distance of at least {SMALLEST_DISTANCE_A} Å for {'-'.join(pair)}, "
                f"got {value}."
            )
        table[frozenset(pair)] = float(value)
    return table


def _random_lattice(volume_A3: float, rng: np.random.Generator) -> np.ndarray:
    """Return a random cell of a given volume, shape (3, 3), Å, not too flat."""
    while True:
        edges = rng.uniform(1.0, LONGEST_OVER_SHORTEST, size=3)
        a, b, c = np.cos(np.radians(rng.uniform(*ANGLES_DEG, size=3)))
        squared = 1.0 - a**2 - b**2 - c**2 + 2.0 * a * b * c
        if squared < 0.25:  # half the volume of a box with the same edges
            continue
        sine = np.sqrt(1.0 - c**2)
        rows = np.array([[1.0, 0.0, 0.0], [c, sine, 0.0], [b, (a - b * c) / sine, np.sqrt(squared) / sine]])
        cell = rows * edges[:, None]
        return np.asarray(cell * (volume_A3 / abs(np.linalg.det(cell))) ** (1 / 3))


def _heights(cell: np.ndarray) -> np.ndarray:
    """Return the distances between opposite faces of a cell, shape (3,), Å."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0))


def _images(cell: np.ndarray) -> np.ndarray:
    """Return the translations to the cells around, shape (M, 3), Å, among them none; far enough for nearest images."""
    reach = np.ceil(np.linalg.norm(cell, axis=1).max() / 2.0 / _heights(cell)).astype(int).clip(1, 3)
    return np.array(list(product(*(range(-r, r + 1) for r in reach)))) @ cell


def _distances_to(point: np.ndarray, others: np.ndarray, cell: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return the distances from a point to the nearest images of others, all fractional, shape (N,), Å."""
    apart = point - others
    apart = (apart - np.round(apart)) @ cell
    return np.asarray(np.linalg.norm(apart[:, None] + images[None], axis=2).min(axis=1))


def _insert(
    symbols: Sequence[str],
    cell: np.ndarray,
    distances: Mapping[frozenset[str], float],
    rng: np.random.Generator,
    *,
    fixed: tuple[Sequence[str], np.ndarray] | None = None,
    between: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray | None:
    """Return random positions, shape (N, 3), Å, in the order of ``symbols``; None where an atom found no room.

    ``between`` are the limits of the third fractional coordinate; ``fixed`` are atoms that are there already.
    """
    # in a large cell only the image found by rounding can be nearer than the distances wanted
    large = _heights(cell).min() >= 2.0 * max(distances.values())
    images = np.zeros((1, 3)) if large else _images(cell)
    placed_symbols, placed = (list(fixed[0]), wrapped(fixed[1], cell)) if fixed else ([], np.empty((0, 3)))
    need = {symbol: max(distances[frozenset((symbol, other))] for other in symbols) for symbol in symbols}
    order = sorted(range(len(symbols)), key=lambda k: -need[symbols[k]])
    found = np.empty((len(symbols), 3))
    for k in order:
        wanted = np.array([distances[frozenset((symbols[k], other))] for other in placed_symbols])
        for _ in range(ATTEMPTS):
            point = rng.uniform(size=3)
            point[2] = between[0] + point[2] * (between[1] - between[0])
            if not len(placed) or (_distances_to(point, placed, cell, images) >= wanted).all():
                break
        else:
            return None
        found[k] = point
        placed_symbols.append(symbols[k])
        placed = np.vstack([placed, point])
    return np.asarray(found @ cell)
