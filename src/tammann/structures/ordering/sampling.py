"""Orderings of blocks too large to enumerate: at random, or by Monte Carlo on their electrostatic energy."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from tammann.errors import DataError
from tammann.structures.ordering.block import OrderingBlock
from tammann.structures.ordering.counting import count_orderings
from tammann.structures.ordering.ewald import EwaldEnergies, ewald_energies
from tammann.structures.ordering.kernels import canonical
from tammann.structures.ordering.orderings import Orderings
from tammann.units import BOLTZMANN_EV_PER_K

SAMPLING_TEMPERATURE_K = 10_000.0
"""Of bare point charges: hot enough for more than the ground state of an ionic crystal."""
BATCH = 1024
MOST_DRAWS = 50
"""Draws for every ordering asked for, before those found are all there are to be found."""


def sample_orderings(
    block: OrderingBlock, number: int, *, rng: np.random.Generator | int | None = None, most_draws: int | None = None
) -> Orderings:
    """Return distinct orderings drawn at random, each arrangement as likely as any other.

    Of equivalent arrangements the first in lexicographic order stands for all, so what is drawn twice, or drawn again
    turned or shifted, counts once; degeneracies are exact.

    Args:
        block: As ``ordering_block`` returns it.
        number: How many distinct orderings to find; fewer come where the block has no more.
        rng: Seed or generator.
        most_draws: Arrangements to draw at most; 50 for every ordering asked for where None.

    Raises:
        DataError: Fewer than one ordering is asked for.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, ordering_block
        >>> alloy = disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), {"M": ({"Cu": 0.5, "Au": 0.5}, (0, 0, 0))})
        >>> sample_orderings(ordering_block(alloy, (1, 1, 2)), 8, rng=1)
        Orderings(8 of 8 distinct, 1 of 70 arrangements, random)
    """
    if number < 1:
        raise DataError(f"number: expected 1 or more orderings, got {number}.")
    generator = np.random.default_rng(rng)
    count = count_orderings(block)
    left = MOST_DRAWS * number if most_draws is None else most_draws
    found: dict[bytes, int] = {}
    while len(found) < min(number, count.distinct) and left > 0:
        drawn = random_arrangements(block, min(left, max(16, min(BATCH, 2 * number))), generator)
        left -= len(drawn)
        for row, times in _canonical(block, drawn):
            if len(found) < number:
                found.setdefault(row, times)
    return _gathered(block, found, "random")


def sample_by_energy(
    block: OrderingBlock,
    *,
    temperature_K: float = SAMPLING_TEMPERATURE_K,
    sweeps: int = 200,
    chains: int = 8,
    start_temperature_K: float | None = None,
    cooling_sweeps: int = 200,
    permittivity: float = 1.0,
    energies: EwaldEnergies | None = None,
    rng: np.random.Generator | int | None = None,
) -> Orderings:
    """Return the distinct orderings that a Metropolis Monte Carlo on the electrostatic energy passes through.

    An exchange of two different species of a sublattice that raises the energy by dE is accepted with the probability
    exp(-dE / (eps k_B T)). Each chain starts at random, is cooled geometrically to ``temperature_K``, and then gives
    its arrangement after each sweep of M trials. Bare electrostatic energies of point charges are many times those of
    real ions, so either a high temperature or a relative permittivity brings out more than the ground state.

    Args:
        block: As ``ordering_block`` returns it.
        temperature_K: Of the sampling, K.
        sweeps: Of each chain at that temperature.
        chains: Independent chains.
        start_temperature_K: Where cooling starts, K; 20 times ``temperature_K`` where None.
        cooling_sweeps: Of each chain before any is kept.
        permittivity: eps, dimensionless, by which energies are divided in the acceptance, not in the result.
        energies: As ``ewald_energies`` returns them for this block, computed where None.
        rng: Seed or generator.

    Returns:
        Orderings with their energies, the lowest first.

    Raises:
        DataError: A number out of range, or as ``ewald_energies``.

    Reference:
        Metropolis et al., J. Chem. Phys. 1953, 21, 1087, doi 10.1063/1.1699114.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, ordering_block
        >>> sites = {"M": ({"Li": 0.5, "Al": 0.5}, (0, 0, 0)), "X": ({"O": 1}, (0.5, 0.5, 0.5))}
        >>> block = ordering_block(disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), sites), (1, 1, 2))
        >>> found = sample_by_energy(block, temperature_K=3000, chains=2, sweeps=50, rng=1)
        >>> round(float(found.energies_eV[0]), 3)
        -435.958
    """
    hottest = 20.0 * temperature_K if start_temperature_K is None else start_temperature_K
    for name, value in (("temperature_K", temperature_K), ("permittivity", permittivity)):
        if not (math.isfinite(value) and value > 0):
            raise DataError(f"{name}: expected a number above 0, got {value}.")
    if not hottest >= temperature_K or min(sweeps, chains) < 1 or cooling_sweeps < 0:
        raise DataError(
            f"start_temperature_K, sweeps, chains, cooling_sweeps: expected {temperature_K:g} K or more, 1, 1 and 0 or "
            f"more, got {hottest:g}, {sweeps}, {chains} and {cooling_sweeps}."
        )
    field = energies or ewald_energies(block)
    steps = np.arange(cooling_sweeps) / max(1, cooling_sweeps)
    cooling = hottest * (temperature_K / hottest) ** steps
    beta = 1.0 / (BOLTZMANN_EV_PER_K * permittivity * np.concatenate([cooling, np.full(sweeps, temperature_K)]))
    generator = np.random.default_rng(rng)
    group = np.repeat(np.arange(len(block.sublattices)), [s.n_sites for s in block.sublattices])
    ends = np.array([s.sites for s in block.sublattices], dtype=np.int64)[group].reshape(-1, 2)
    found: dict[bytes, int] = {}
    for arrangement in random_arrangements(block, chains, generator):
        path = _exchange(
            arrangement,
            ends,
            field.charges_e,
            field.field_eV_per_e,
            field.matrix_eV_per_e2,
            beta,
            cooling_sweeps,
            generator,
        )
        found.update(dict(_canonical(block, np.unique(path, axis=0))))
    gathered = _gathered(block, found, f"Monte Carlo at {temperature_K:g} K")
    values = field.energies_eV(gathered.arrangements)
    order = np.lexsort((*gathered.arrangements.T[::-1], values.round(9)))
    taken = gathered.take(order)
    return Orderings(block, taken.arrangements, taken.degeneracies, taken.count, values[order], taken.origin)


def random_arrangements(block: OrderingBlock, number: int, rng: np.random.Generator | int | None = None) -> np.ndarray:
    """Return arrangements drawn at random, shape (number, M), int8; some may be equivalent."""
    generator = np.random.default_rng(rng)
    parts = []
    for s in block.sublattices:
        row = np.repeat(np.arange(len(s.species), dtype=np.int8), s.counts)
        parts.append(generator.permuted(np.tile(row, (number, 1)), axis=1))
    return np.hstack(parts) if parts else np.zeros((number, 0), np.int8)


def canonical_arrangements(block: OrderingBlock, arrangements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of all arrangements equivalent to each, in lexicographic order, and how many there are.

    Args:
        block: The block.
        arrangements: Shape (n, M).

    Returns:
        Arrangements, shape (n, M), int8, and degeneracies, shape (n,).
    """
    identity_first = _identity_first(block.permutations)
    firsts, fixing = canonical(np.ascontiguousarray(arrangements, dtype=np.int8), identity_first)
    return firsts, len(identity_first) // fixing


def _identity_first(permutations: np.ndarray) -> np.ndarray:
    identity = np.flatnonzero((permutations == np.arange(permutations.shape[1])).all(axis=1))[0]
    return permutations if identity == 0 else np.roll(permutations, -int(identity), axis=0)


def _canonical(block: OrderingBlock, arrangements: np.ndarray) -> list[tuple[bytes, int]]:
    firsts, degeneracies = canonical_arrangements(block, arrangements)
    return [(row.tobytes(), times) for row, times in zip(firsts, degeneracies.tolist(), strict=True)]


def _gathered(block: OrderingBlock, found: dict[bytes, int], origin: str) -> Orderings:
    arrangements = np.frombuffer(b"".join(found), dtype=np.int8).reshape(len(found), block.n_sites).copy()
    return Orderings(
        block, arrangements, np.array(list(found.values()), np.int64), count_orderings(block), None, origin
    )


@njit(cache=True)
def _exchange(start, ends, charges, field, matrix, beta, dropped, rng):  # type: ignore[no-untyped-def]
    """Return the arrangement after each sweep but those dropped, shape (sweeps, M)."""
    m = len(start)
    here = start.copy()
    kept = np.empty((len(beta) - dropped, m), np.int8)
    potential = field.copy()  # of all other ions at each site, and of the images of its own
    for i in range(m):
        for j in range(m):
            potential[i] += matrix[i, j] * charges[j, here[j]]
    for sweep in range(len(beta)):
        for _ in range(m):
            i = int(rng.random() * m)
            j = ends[i, 0] + int(rng.random() * (ends[i, 1] - ends[i, 0]))
            if here[i] == here[j]:
                continue
            more = charges[j, here[j]] - charges[i, here[i]]  # what i gains and j loses
            change = more * (potential[i] - potential[j])
            change += more * more * (0.5 * (matrix[i, i] + matrix[j, j]) - matrix[i, j])
            if change <= 0.0 or rng.random() < np.exp(-beta[sweep] * change):
                here[i], here[j] = here[j], here[i]
                for k in range(m):
                    potential[k] += more * (matrix[k, i] - matrix[k, j])
        if sweep >= dropped:
            kept[sweep - dropped] = here
    return kept
