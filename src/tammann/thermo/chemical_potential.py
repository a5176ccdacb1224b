"""Chemical potentials: the stability domain of every phase, and how far apart two domains are.

At one temperature the chemical potentials mu (eV per atom of each element, relative to the elements at that
temperature) that no phase forbids fill a convex polyhedron

    P = { mu : x_p . mu <= g_p for every phase p },

with x_p atom fractions and g_p Gibbs energies of formation per atom. A stable phase touches P in a face, its domain,
and the hull energy of any composition is h(x) = max over P of x . mu. A metastable phase gets the domain it would have
were it just stable: the face where x_p . mu = h(x_p), which is shared by its decomposition products.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tammann.errors import DataError
from tammann.thermo.open_gases import Frame, gas_frame, gases_conflict
from tammann.thermo.phase import FloatArray, Phases

# Domains of phases that lack an element reach to minus infinity in its potential, and where the element's gas is left
# out, all reach to plus infinity. They are cut here, far from the vertices of real systems; the ends of a closest pair
# can always be chosen between the cuts.
_FLOOR_EV, _CEILING_EV = -100.0, 100.0
_ON_FACE_EV = 1e-8


def _vertices(normals: FloatArray, bounds: FloatArray) -> FloatArray:
    """Return the corners of {z : normals z <= bounds, z >= floor}, shape (nv, K)."""
    K = normals.shape[1]
    if K == 0:
        return np.zeros((1, 0))
    normals = np.vstack([normals, -np.eye(K)])
    bounds = np.concatenate([bounds, np.full(K, -_FLOOR_EV)])
    if K == 1:
        normal = normals[:, 0]
        upper = np.min(bounds[normal > 1e-12] / normal[normal > 1e-12])
        lower = np.max(bounds[normal < -1e-12] / normal[normal < -1e-12])
        if lower > upper:
            raise gases_conflict()
        return np.array([[upper], [lower]])
    from scipy.spatial import HalfspaceIntersection

    inside = np.full(K, 0.5 * _FLOOR_EV)
    if np.any(normals @ inside >= bounds - 1e-6):
        inside = _chebyshev_centre(normals, bounds)
    return HalfspaceIntersection(np.column_stack([normals, -bounds]), inside).intersections


def _chebyshev_centre(normals: FloatArray, bounds: FloatArray) -> FloatArray:
    from scipy.optimize import linprog

    K = normals.shape[1]
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    objective = np.append(np.zeros(K), -1.0)
    limits = [(None, None)] * K + [(0.0, 1.0)]
    result = linprog(objective, A_ub=np.hstack([normals, lengths]), b_ub=bounds, bounds=limits, method="highs")
    if result.status != 0 or result.x[-1] < 1e-9:
        raise gases_conflict()
    return result.x[:-1]


def _corners(
    fractions: FloatArray, gibbs: FloatArray, frame: Frame, columns: Sequence[int], highest: FloatArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Build the polyhedron in the free elements ``columns`` (positions in frame.free) from the phases they form.

    Returns:
        Its corners, shape (nv, K); the hull energy of each phase in the frame, shape (n,), NaN for those of other
        elements; and which corners each phase touches, shape (nv, n).
    """
    others = [k for k in range(len(frame.free)) if k not in columns]
    reduced = fractions @ frame.matrix
    energy = gibbs - fractions @ frame.offset
    inside = ~np.any(np.abs(reduced[:, others]) > 1e-12, axis=1)
    usable = inside & np.isfinite(energy)
    # The elements themselves are always there, as the reference of all energies, unless their gas is left out.
    normals = np.vstack([reduced[usable], frame.matrix])
    bounds = np.concatenate([energy[usable], highest - frame.offset])
    keep = np.any(np.abs(normals) > 1e-12, axis=1) & ~np.any(np.abs(normals[:, others]) > 1e-12, axis=1)
    vertices = _vertices(normals[keep][:, list(columns)], bounds[keep])
    scores = vertices @ reduced[:, list(columns)].T
    hull = scores.max(axis=0)
    return vertices, np.where(inside, hull, np.nan), (scores >= hull - _ON_FACE_EV) & inside


def _highest(phases: Phases, gibbs: FloatArray, left_out: Sequence[int] = ()) -> FloatArray:
    """Return the largest potential of every element, eV per atom, shape (E,).

    It is 0, of the stable state; of a gas its own energy, not 0 at another pressure than 1 bar; without the gas, none.
    """
    highest = np.zeros(len(phases.elements))
    for i, phase in enumerate(phases):
        if phase.is_reference_gas and (i in left_out or np.isfinite(gibbs[i])):
            highest[phases.composition_matrix[i] > 0] = _CEILING_EV if i in left_out else gibbs[i]
    return highest


@dataclass(frozen=True)
class ChemicalPotentialDiagram:
    """The stability domains of all phases at one temperature.

    Attributes:
        elements: Symbols, the columns of all arrays.
        temperature_K: K.
        vertices_eV: Corners of the diagram, eV per atom of each element, shape (nv, E); domains that have no end are
            cut at -100 eV.
        formulas: The phases.
        energy_above_hull_eV_per_atom: Shape (n,), NaN for phases without an energy.
        touches: Which corners belong to the domain of which phase, shape (nv, n).
    """

    elements: tuple[str, ...]
    temperature_K: float
    vertices_eV: FloatArray
    formulas: tuple[str, ...]
    energy_above_hull_eV_per_atom: FloatArray
    touches: npt.NDArray[np.bool_]

    def domain(self, formula: str) -> FloatArray:
        """Return the corners of a phase's domain, eV per atom, shape (k, E); where metastable, as if it were stable."""
        if formula not in self.formulas:
            raise DataError(f"phase {formula!r} is not in the diagram: there are {', '.join(self.formulas)}")
        return self.vertices_eV[self.touches[:, self.formulas.index(formula)]]


def chemical_potential_diagram(
    phases: Phases,
    temperature_K: float,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
    without: Sequence[str] = (),
) -> ChemicalPotentialDiagram:
    """Compute the stability domain of every phase at one temperature.

    Args:
        phases: The system.
        temperature_K: K.
        energies: Name of the energy set, the default set if None.
        partial_pressure_Pa: Gases held at a pressure, Pa; elements they settle have the same potential everywhere.
        without: Formulas of phases that cannot form. Without O2 nothing can give off oxygen: its potential is then open
            upwards, and cut at +100 eV.

    Raises:
        DataError: The temperature or a gas is outside the data, or a phase is not in it.

    Example:
        >>> from tammann.thermo import load_phases
        >>> diagram = chemical_potential_diagram(load_phases("Ba-Ti-O"), 1250.0, energies="materials-project")
        >>> bool(diagram.domain("BaO").shape[1] == len(diagram.elements))
        True
    """
    T = float(temperature_K)
    gibbs = phases.gibbs(T, energies=energies)
    left_out = [phases.index(formula) for formula in without]
    gibbs[left_out] = np.nan
    frame = gas_frame(phases, gibbs, T, partial_pressure_Pa)
    highest = _highest(phases, gibbs, left_out)
    vertices, hull, touches = _corners(phases.atom_fractions, gibbs, frame, range(len(frame.free)), highest)
    above = gibbs - phases.atom_fractions @ frame.offset - hull
    return ChemicalPotentialDiagram(
        elements=phases.elements,
        temperature_K=T,
        vertices_eV=frame.offset + vertices @ frame.matrix.T,
        formulas=tuple(phase.formula for phase in phases),
        energy_above_hull_eV_per_atom=np.where(np.abs(above) < _ON_FACE_EV, 0.0, above),
        touches=touches,
    )


def closest_differences(
    phases: Phases,
    pairs: Sequence[tuple[str | int, str | int]],
    temperature_K: npt.ArrayLike,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> FloatArray:
    """Return the vector between the closest points of the stability domains of many pairs, at many temperatures.

    dmu = argmin |mu - nu| over mu in the domain of ``first`` and nu in the domain of ``second``. The points may lie
    anywhere in the two polytopes, not only at their corners, and both domains are those of the system of the two
    phases' elements. Metastable phases have the domain they would have were they just stable. With open gases the
    distance is measured in the elements that the gases leave free.

    The vector is unique; its length, as any distance between chemical potentials, depends on the choice of components.

    Args:
        phases: The system.
        pairs: (first, second) as formulas or positions.
        temperature_K: K, shape (nT,) or a scalar.
        energies: Name of the energy set; the default set where none is given.
        partial_pressure_Pa: Gases held at a pressure, Pa.

    Returns:
        mu(first) - mu(second), eV per atom of each element, shape (nT, n_pairs, E); NaN where the set has no energy.

    Raises:
        DataError: A phase, a gas or a temperature is outside the data.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5 (eq. 6).

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> closest_differences(phases, [("BaO", "TiO2"), ("BaO", "BaTiO3")], [1200.0, 1300.0]).shape[:2]
        (2, 2)
    """
    from tammann.thermo._closest import closest_in_faces

    temperatures = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    index = np.array([[_position(phases, p) for p in pair] for pair in pairs], dtype=np.int64).reshape(-1, 2)
    result = np.full((len(temperatures), len(index), len(phases.elements)), np.nan)
    gibbs = phases.gibbs(temperatures, energies=energies)
    fractions = phases.atom_fractions
    for t, T in enumerate(temperatures):
        frame = gas_frame(phases, gibbs[t], T, partial_pressure_Pa)
        highest = _highest(phases, gibbs[t])
        present = np.abs(fractions @ frame.matrix) > 1e-12
        needed = present[index[:, 0]] | present[index[:, 1]] | frame.coupled
        known = np.isfinite(gibbs[t][index]).all(axis=1)
        for columns in np.unique(needed[known], axis=0):
            mine = np.flatnonzero(known & (needed == columns).all(axis=1))
            where = np.flatnonzero(columns)
            vertices, _, touches = _corners(fractions, gibbs[t], frame, list(where), highest)
            face, members = np.nonzero(touches.T)
            starts = np.searchsorted(face, np.arange(len(phases) + 1))
            difference = closest_in_faces(np.ascontiguousarray(vertices), starts, members, index[mine])
            result[t, mine] = difference @ frame.matrix[:, where].T
    return result


def closest_difference(
    phases: Phases, first: str | int, second: str | int, temperature_K: float, **options: Any
) -> FloatArray:
    """Return what ``closest_differences`` does for one pair at one temperature, shape (E,).

    Raises:
        DataError: As there, or the set has no energy for a phase.

    Example:
        >>> from tammann.thermo import load_phases
        >>> d = closest_difference(load_phases("Ba-Ti-O"), "BaO", "BaTi2O5", 1250.0, energies="materials-project")
        >>> print(f"{np.linalg.norm(d):.2f} eV")
        1.68 eV
    """
    d = closest_differences(phases, [(first, second)], temperature_K, **options)
    if not np.isfinite(d).all():
        name = phases.energy_set(options.get("energies")).name
        raise DataError(f"energies {name!r} lack {first} or {second}: choose a set that has both")
    return d[0, 0]


def local_equilibrium_differences(
    phases: Phases,
    layers: Sequence[tuple[str | int, str | int, str | int | Mapping[str, float]]],
    temperature_K: npt.ArrayLike,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> FloatArray:
    """Return the difference in chemical potential across growing layers in equilibrium with their neighbours.

    At the boundary first | product both phases' potentials are met, x_first . mu = g_first and x_product . mu =
    g_product, and the same at product | second. The difference d = mu(first side) - mu(second side) therefore has

        x_product . d = 0   and   x_first . d = -dG / alpha,

    with x atom fractions, product = alpha first + beta second by atoms, and dG the reaction's Gibbs energy per atom of
    product. In a system of more than two elements the shortest such d is returned. It vanishes with the driving force,
    and changes sign with it.

    Args:
        phases: The system.
        layers: (first, second, product), as formulas or positions; a layer of several phases maps formulas to moles.
        temperature_K: K, shape (nT,) or a scalar.
        energies: Name of the energy set, the default set if None.
        partial_pressure_Pa: Gases held at a pressure, Pa; the difference is taken in the elements left free.

    Returns:
        eV per atom of each element, shape (nT, n_layers, E); NaN where the product is no mixture of the two phases and
        the open gases, or the set has no energy.

    Raises:
        DataError: A phase, a gas or a temperature is outside the data.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> d = local_equilibrium_differences(phases, [("BaO", "TiO2", "BaTiO3")], 1200.0)[0, 0]
        >>> bool(d @ phases.atom_fractions[phases.index("BaO")] > 0)
        True
    """
    temperatures = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    atoms = phases.composition_matrix.sum(axis=1)
    weights = np.zeros((len(layers), len(phases)))  # of the phases in each layer, by atoms
    ends = np.zeros((len(layers), 2), dtype=np.int64)
    for k, (first, second, product) in enumerate(layers):
        ends[k] = [_position(phases, first), _position(phases, second)]
        for name, moles in (product if isinstance(product, Mapping) else {product: 1.0}).items():
            p = _position(phases, name)
            weights[k, p] += moles * atoms[p]
    weights /= weights.sum(axis=1, keepdims=True)
    gibbs = phases.gibbs(temperatures, energies=energies)
    fractions = phases.atom_fractions
    result = np.full((len(temperatures), len(layers), len(phases.elements)), np.nan)
    for t, T in enumerate(temperatures):
        frame = gas_frame(phases, gibbs[t], T, partial_pressure_Pa)
        x, g = fractions @ frame.matrix, gibbs[t] - fractions @ frame.offset
        x_product, g_product = weights @ x, (weights * np.where(weights > 0.0, g, 0.0)).sum(axis=1)
        sides = np.swapaxes(x[ends], 1, 2)
        amounts = np.einsum("lij,lj->li", np.linalg.pinv(sides), x_product)
        fits = np.abs(np.einsum("lij,lj->li", sides, amounts) - x_product).max(axis=1, initial=0.0) < 1e-9
        fits &= amounts.min(axis=1) > 1e-9
        alpha = np.where(fits, amounts[:, 0], np.nan)
        dG = g_product - alpha * g[ends[:, 0]] - amounts[:, 1] * g[ends[:, 1]]
        conditions = np.stack([x_product, x[ends[:, 0]]], axis=1)
        targets = np.stack([np.zeros(len(layers)), -dG / alpha], axis=1)
        result[t] = np.einsum("lij,lj->li", np.linalg.pinv(conditions), targets) @ frame.matrix.T
    return result


def _position(phases: Phases, phase: str | int) -> int:
    return phases.index(phase) if isinstance(phase, str) else int(phase)
