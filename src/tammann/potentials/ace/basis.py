"""The functions of a linear atomic cluster expansion (ACE): invariant products of neighbour densities.

The neighbours of an atom enter through

    A_{znlm} = sum_j delta(z, z_j) R_n(r_j) Y_lm(r_j / |r_j|),

with radial functions R_n and real spherical harmonics Y_lm; products of up to four of them are combined, over all m, to
functions B that no rotation, reflection or permutation changes. Everything here is made once per potential; what is
evaluated at every step is in ``kernel``.

Reference:
    Drautz, Phys. Rev. B 2019, 99, 014104, doi 10.1103/PhysRevB.99.014104;
    Dusson et al., J. Comput. Phys. 2022, 454, 110946, doi 10.1016/j.jcp.2022.110946.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import numpy as np

from tammann.errors import DataError
from tammann.potentials.ace.kernel import harmonics

SAME = 1e-8
"""Couplings below this part of the largest are rounding."""


@dataclass(frozen=True, eq=False)
class AceBasis:
    """The invariant functions of every atom, as sparse sums of products of densities.

    Attributes:
        elements: Symbols; species are counted in this order.
        a_species: Shape (A,), species of the neighbours in each density; ascending.
        a_radial: Shape (A,), n - 1.
        a_harmonic: Shape (A,), l (l + 1) + m.
        products: Shape (P, 4), indices of up to four densities, padded with -1; ordered by the number of factors.
        orders: Shape (P,), number of factors of each product.
        rows: Shape (K + 1,), where the products of each function begin in ``columns``.
        columns: Shape (nonzeros,), indices of products.
        values: Shape (nonzeros,), coefficients.
        function_orders: Shape (K,), number of factors of each function, ascending.
        degrees: Shape (K,), sum of n + w l over its factors: how fast it varies.
        n_radial: Number of radial functions.
        l_max: Largest l.
    """

    elements: tuple[str, ...]
    a_species: np.ndarray
    a_radial: np.ndarray
    a_harmonic: np.ndarray
    products: np.ndarray
    orders: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    function_orders: np.ndarray
    degrees: np.ndarray
    n_radial: int
    l_max: int

    def __len__(self) -> int:
        return len(self.function_orders)


Factor = tuple[int, int, int]
"""Degree l, species and n - 1 of one factor of a function."""


def make_basis(elements: Sequence[str], degrees: Sequence[float], *, l_weight: float = 1.5, l_max: int = 6) -> AceBasis:
    """Return all invariant functions up to a total degree for each number of factors.

    A function of the factors (z_k, n_k, l_k) is kept if sum_k (n_k + w l_k) is at most the degree for that number of
    factors, with w the ``l_weight``; n counts from 1.

    Args:
        elements: Symbols.
        degrees: Largest degree for one, two, three and four factors (at most four numbers).
        l_weight: w.
        l_max: Largest l whatever the degree.

    Raises:
        DataError: No element, more than four degrees, or a degree that leaves no function.

    Example:
        >>> basis = make_basis(["Ba", "Ti", "O"], [10, 7])
        >>> len(basis), [int(n) for n in np.bincount(basis.function_orders)[1:]]
        (159, [30, 129])
    """
    if not elements or len(set(elements)) != len(elements):
        raise DataError(f"elements: expected different symbols, got {', '.join(elements) or 'none'}.")
    if not 1 <= len(degrees) <= 4:
        raise DataError(f"degrees: expected one to four numbers, one for each number of factors, got {len(degrees)}.")
    functions: list[tuple[int, float, dict[tuple[Factor_m, ...], float]]] = []
    for order, degree in enumerate(degrees, start=1):
        found = list(_families(order, degree, len(elements), l_weight, l_max))
        if not found:
            raise DataError(f"degrees: degree {degree:g} leaves no function of {order} factors; ask for more.")
        for factors in found:
            level = sum(n + 1 + l_weight * l for l, _, n in factors)
            functions += [(order, level, terms) for terms in _functions(factors)]
    used = sorted({a for _, _, terms in functions for monomial in terms for a in monomial}, key=lambda a: (a[1], a))
    number = {a: k for k, a in enumerate(used)}
    monomials = sorted({m for _, _, terms in functions for m in terms}, key=lambda m: (len(m), [number[a] for a in m]))
    place = {m: k for k, m in enumerate(monomials)}
    products = np.full((len(monomials), 4), -1, dtype=np.int32)
    for k, monomial in enumerate(monomials):
        products[k, : len(monomial)] = sorted(number[a] for a in monomial)
    rows = np.cumsum([0] + [len(terms) for _, _, terms in functions])
    return AceBasis(
        elements=tuple(elements),
        a_species=np.array([z for _, z, _, _ in used], dtype=np.int32),
        a_radial=np.array([n for _, _, n, _ in used], dtype=np.int32),
        a_harmonic=np.array([l * (l + 1) + m for l, _, _, m in used], dtype=np.int32),
        products=products,
        orders=(products >= 0).sum(axis=1).astype(np.int32),
        rows=rows.astype(np.int64),
        columns=np.array([place[m] for _, _, terms in functions for m in terms], dtype=np.int32),
        values=np.array([v for _, _, terms in functions for v in terms.values()]),
        function_orders=np.array([order for order, _, _ in functions], dtype=np.int32),
        degrees=np.array([level for _, level, _ in functions]),
        n_radial=max(n for _, _, n, _ in used) + 1,
        l_max=max(l for l, _, _, _ in used),
    )


Factor_m = tuple[int, int, int, int]
"""l, species, n - 1 and m of one density in a product."""


def _families(order: int, degree: float, n_species: int, l_weight: float, l_max: int) -> Iterator[tuple[Factor, ...]]:
    """Yield the ascending factors whose degree is at most ``degree`` and that can be invariant."""
    singles = sorted(
        (l, z, n)
        for l in range(min(l_max, int((degree - order) / l_weight)) + 1 if order > 1 else 1)
        for n in range(int(degree - order + 1 - l_weight * l))
        for z in range(n_species)
    )
    cost = {f: f[2] + 1 + l_weight * f[0] for f in singles}

    def grow(chosen: tuple[Factor, ...], start: int, spent: float) -> Iterator[tuple[Factor, ...]]:
        if len(chosen) == order:
            if _may_couple([f[0] for f in chosen]):
                yield chosen
            return
        for k in range(start, len(singles)):
            # the factors still missing cost at least 1 each
            if spent + cost[singles[k]] + (order - len(chosen) - 1) <= degree + 1e-9:
                yield from grow((*chosen, singles[k]), k, spent + cost[singles[k]])

    yield from grow((), 0, 0.0)


def _may_couple(degrees: Sequence[int]) -> bool:
    """Tell whether angular momenta can add up to zero and keep parity."""
    return sum(degrees) % 2 == 0 and 2 * max(degrees) <= sum(degrees)


def _functions(factors: tuple[Factor, ...]) -> list[dict[tuple[Factor_m, ...], float]]:
    """Return the independent invariants of some factors, each as coefficients of its products."""
    ls = tuple(f[0] for f in factors)
    tensors = invariants(ls)
    sums: list[dict[tuple[Factor_m, ...], float]] = []
    for tensor in tensors:
        terms: dict[tuple[Factor_m, ...], float] = {}
        for ms in product(*(range(2 * l + 1) for l in ls)):
            if abs(tensor[ms]) > SAME:
                # equal factors commute, so their products are the same whatever the order of m
                key = tuple(sorted((*f, m - f[0]) for f, m in zip(factors, ms, strict=True)))
                terms[key] = terms.get(key, 0.0) + float(tensor[ms])
        sums.append(terms)
    keys = sorted({key for terms in sums for key in terms})
    matrix = np.array([[terms.get(key, 0.0) for key in keys] for terms in sums])
    if not matrix.size:
        return []
    _, singular, rows = np.linalg.svd(matrix, full_matrices=False)
    kept = rows[singular > 1e-6 * max(1.0, singular[0])] if singular[0] > SAME else []
    return [{key: float(v) for key, v in zip(keys, row, strict=True) if abs(v) > SAME} for row in kept]


@cache
def invariants(ls: tuple[int, ...]) -> np.ndarray:
    """Return an orthonormal set of tensors over m_1, ..., m_k that no rotation changes.

    C is invariant if sum_m' D^{l_1}_{m_1 m'_1} ... D^{l_k}_{m_k m'_k} C_{m'} = C_m for every rotation; two rotations by
    angles that are no parts of a turn, about different axes, generate all of them. The tensors of one intermediate
    angular momentum after the other would do as well; this needs no table of couplings.

    Args:
        ls: Angular momenta, ascending.

    Returns:
        Shape (number of invariants, 2 l_1 + 1, ..., 2 l_k + 1).

    Example:
        >>> invariants((1, 1)).shape, invariants((1, 1, 2)).shape, invariants((2, 2, 2, 2)).shape[0]
        ((1, 3, 3), (1, 3, 3, 5), 5)
    """
    shape = tuple(2 * l + 1 for l in ls)
    if len(ls) == 2:
        return (np.eye(shape[0]) / np.sqrt(shape[0]))[None] if ls[0] == ls[1] else np.zeros((0, *shape))
    size = int(np.prod(shape))
    gram = np.zeros((size, size))
    for rotation in _rotations():
        whole = np.ones((1, 1))
        for l in ls:
            whole = np.kron(whole, _wigner(l, rotation))
        whole -= np.eye(size)
        gram += whole.T @ whole
    values, vectors = np.linalg.eigh(gram)
    kept = vectors[:, values < 1e-9].T
    # rows in a form that does not depend on how the eigenvalue solver turns them within their space
    kept = _echelon(kept)
    return kept.reshape(len(kept), *shape)


def _echelon(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the same row space that is a function of the space alone."""
    if len(rows) < 2:
        return rows * np.sign(rows[0, np.argmax(np.abs(rows[0]) > 1e-6)]) if len(rows) else rows
    projector = rows.T @ rows
    made: list[np.ndarray] = []
    for column in range(len(projector)):
        vector = projector[:, column].copy()
        for other in made:
            vector -= other * (other @ vector)
        if np.linalg.norm(vector) > 1e-5:
            made.append(vector / np.linalg.norm(vector))
        if len(made) == len(rows):
            break
    return np.array(made)


@lru_cache(maxsize=1)
def _rotations() -> tuple[np.ndarray, ...]:
    """Return two rotations that generate the whole group (to any accuracy)."""
    made = []
    for axis, angle in (((0.26, -0.54, 0.80), 1.0), ((0.71, 0.37, -0.60), 2.3)):
        x, y, z = np.array(axis) / np.linalg.norm(axis)
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        made.append(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
    return tuple(made)


def _wigner(l: int, rotation: np.ndarray) -> np.ndarray:
    """Return D with Y_l(R u) = D Y_l(u) for the real harmonics of ``kernel``."""
    rng = np.random.default_rng(l)
    points = rng.normal(size=(6 * (2 * l + 1), 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    part = slice(l * l, (l + 1) ** 2)
    before = np.array([harmonics(u, l)[part] for u in points])
    after = np.array([harmonics(rotation @ u, l)[part] for u in points])
    solution: np.ndarray = np.linalg.lstsq(before, after, rcond=None)[0]
    return solution.T
