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

import numpy as np
import numpy.typing as npt

from tammann.errors import DataError
from tammann.thermo.open_gases import Frame, GasConflict, conflict_named, gas_frame
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
            raise GasConflict
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
        raise GasConflict
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
    highest = _highest(phases, gibbs, left_out)
    frame = gas_frame(phases, gibbs, T, partial_pressure_Pa)
    with conflict_named(phases, gibbs, T, partial_pressure_Pa):
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
    index = np.array([[i if isinstance(i, (int, np.integer)) else phases.index(i) for i in pair] for pair in pairs])
    index = index.reshape(-1, 2).astype(np.int64)
    result = np.full((len(temperatures), len(index), len(phases.elements)), np.nan)
    gibbs = phases.gibbs(temperatures, energies=energies)
    fractions = phases.atom_fractions
    for t, T in enumerate(temperatures):
        highest = _highest(phases, gibbs[t])
        frame = gas_frame(phases, gibbs[t], T, partial_pressure_Pa)
        present = np.abs(fractions @ frame.matrix) > 1e-12
        needed = present[index[:, 0]] | present[index[:, 1]] | frame.coupled
        known = np.isfinite(gibbs[t][index]).all(axis=1)
        for columns in np.unique(needed[known], axis=0):
            mine = np.flatnonzero(known & (needed == columns).all(axis=1))
            where = np.flatnonzero(columns)
            with conflict_named(phases, gibbs[t], T, partial_pressure_Pa):
                vertices, _, touches = _corners(fractions, gibbs[t], frame, list(where), highest)
            face, members = np.nonzero(touches.T)
            starts = np.searchsorted(face, np.arange(len(phases) + 1))
            difference = closest_in_faces(np.ascontiguousarray(vertices), starts, members, index[mine])
            result[t, mine] = difference @ frame.matrix[:, where].T
    return result
