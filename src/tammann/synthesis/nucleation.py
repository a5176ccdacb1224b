"""Nucleation of the target on its precursors, and how many phases compete with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import numpy as np

from tammann.composition import parse_formula
from tammann.synthesis.exchange import VOLATILE, OpenSystem
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.units import EV_IN_J

if TYPE_CHECKING:
    from tammann.structures import Configuration

INTERFACE_ENERGY_J_PER_M2 = 2.0
"""Of the target with its precursors, the same for all: the value of the authors' public code, piro."""
TRANSPORT_EV = 10.0
"""Barrier of diffusion between two structures that have nothing in common, from the same code."""
MATCH_AREA_A2 = 1000.0
"""Area of the smallest common cell of two faces above which they do not match at all, from the same code."""

_REACH = 2.5
"""Distances compared, in units of the cube root of the volume per atom."""
_BINS = 50


def wetting_factor(mismatch: float) -> float:
    r"""Return by how much a surface lowers a barrier of nucleation, f = (2 - 3 S + S^3) / 4 with S = 1 - 2 q.

    Args:
        mismatch: q from 0, the nucleus is the continuation of its substrate, to 1, it does not touch it.

    Reference:
        Aykol, Montoya and Hummelshøj, J. Am. Chem. Soc. 2021, 143, 9244, doi 10.1021/jacs.1c04888.

    Example:
        >>> wetting_factor(0.0), wetting_factor(0.5), wetting_factor(1.0)
        (0.0, 0.5, 1.0)
    """
    S = 1.0 - 2.0 * min(max(mismatch, 0.0), 1.0)
    return (2.0 - 3.0 * S + S**3) / 4.0


def nucleation_barrier_eV(
    gibbs_eV_per_A3: float,
    *,
    epitaxy: float,
    similarity: float,
    interface_energy_J_per_m2: float = INTERFACE_ENERGY_J_PER_M2,
    transport_eV: float = TRANSPORT_EV,
) -> float:
    r"""Return the metric of the barrier to nucleate a target on its precursors.

    16 pi gamma^3 f(q) / (3 dG_v^2) + E_d q_sim, with f the ``wetting_factor`` of q = (q_epi + q_sim) / 2. It ranks sets
    of precursors; with one interface energy for all it is no barrier in the furnace.

    Args:
        gibbs_eV_per_A3: dG_v, Gibbs energy of the reaction per volume of the target, negative.
        epitaxy: q_epi, smallest of the precursors: area of the common cell over 1000 Å2, at most 1.
        similarity: q_sim, smallest of the precursors: 0 for the same structure, 1 for nothing in common.
        interface_energy_J_per_m2: gamma.
        transport_eV: E_d.

    Returns:
        eV; infinite where the reaction does not release energy.

    Reference:
        Aykol, Montoya and Hummelshøj, J. Am. Chem. Soc. 2021, 143, 9244, doi 10.1021/jacs.1c04888.

    Example:
        >>> round(nucleation_barrier_eV(-0.02, epitaxy=0.2, similarity=0.4), 1)
        21.6
    """
    if gibbs_eV_per_A3 >= 0.0:
        return math.inf
    gamma = interface_energy_J_per_m2 / EV_IN_J * 1e-20
    q = 0.5 * (min(epitaxy, 1.0) + similarity)
    return 16.0 * math.pi * gamma**3 * wetting_factor(q) / (3.0 * gibbs_eV_per_A3**2) + transport_eV * similarity


def structural_distance(first: Configuration, second: Configuration) -> float:
    """Return how differently the atoms of two crystals are arranged, 0 for the same and 1 for nothing in common.

    Half the area between the distributions of the distances of pairs, each distance in units of the cube root of the
    volume per atom and weighted by its inverse square; blind to size and to which element is where. The published
    metric is the quantile of a distance of features among all pairs of a database, which cannot be had without it;
    this one takes its place.

    Example:
        >>> import numpy as np
        >>> from tammann.structures import Configuration
        >>> cubic = Configuration(("Po",), np.zeros((1, 3)), 3.3 * np.eye(3))
        >>> larger = Configuration(("Cs", "Cl"), np.array([[0.0, 0, 0], [2, 2, 2]]), 4.0 * np.eye(3))
        >>> structural_distance(cubic, cubic), structural_distance(cubic, larger) > 0.3
        (0.0, True)
    """
    return float(0.5 * np.abs(_distances(first) - _distances(second)).sum())


def _distances(crystal: Configuration) -> np.ndarray:
    """Return the distribution of scaled distances, shape (B,), with sum 1."""
    from tammann.structures.pairs import find_pairs  # numba is slow to import

    cell = np.asarray(crystal.cell_A)
    scale = float(abs(np.linalg.det(cell)) / len(crystal.symbols)) ** (1.0 / 3.0)
    r = find_pairs(crystal.positions_A, cell, cutoff_A=_REACH * scale, threads=1).distances_A / scale
    edges = np.linspace(0.0, _REACH, _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    # each distance is smeared over three bins or so, that a small strain is a small difference
    weights = np.exp(-0.5 * ((middle[:, None] - r) / (_REACH / _BINS)) ** 2) / r**2
    density = weights.sum(axis=1)
    return np.asarray(density / density.sum())


def epitaxial_mismatch(target: Configuration, precursor: Configuration) -> float:
    """Return q_epi, the area of the smallest cell common to a face of each of two crystals over 1000 Å2, at most 1.

    Faces to Miller index 1, by the lattice matching of Zur and McGill as pymatgen has it.

    Reference:
        Zur and McGill, J. Appl. Phys. 1984, 55, 378, doi 10.1063/1.333084; Aykol et al., J. Am. Chem. Soc. 2021, 143,
        9244, doi 10.1021/jacs.1c04888, whose faces go to 2.
    """
    from pymatgen.analysis.interfaces.substrate_analyzer import SubstrateAnalyzer

    with catch_warnings():
        simplefilter("ignore")  # of spglib, on how pymatgen calls it
        film, substrate = target.to_pymatgen(), precursor.to_pymatgen()
        for area in (50.0, 100.0, 200.0, 400.0):  # the time grows with a power of the largest area
            analyzer = SubstrateAnalyzer(film_max_miller=1, substrate_max_miller=1, max_area=area)
            found = [match.match_area for match in analyzer.calculate(film=film, substrate=substrate, lowest=True)]
            if found:
                return float(min(found) / MATCH_AREA_A2)
    return 1.0


def competing_phases(system: OpenSystem, one: PrecursorSet) -> tuple[str, ...]:
    """Return the phases with all elements of the target that its precursors could form as well.

    Each is made of the precursors of the set, in the ratio that it needs, with gases and the by-product of the set, and
    releases Gibbs energy. Their number is the second axis of Aykol et al.

    Reference:
        Aykol, Montoya and Hummelshøj, J. Am. Chem. Soc. 2021, 143, 9244, doi 10.1021/jacs.1c04888.

    Example:
        >>> from tammann.synthesis import precursor_sets
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> one = precursor_sets(phases, "BaTiO3", candidates=["BaCO3", "TiO2"])[0]
        >>> "Ba2TiO4" in competing_phases(OpenSystem(phases, one.surroundings), one)
        True
    """
    from scipy.optimize import nnls

    volatile = tuple(e for e in VOLATILE if e not in one.halogens)
    target = system.solid_units(one.target)[0]
    used = [system.solid_units(formula)[0] for formula in dict.fromkeys(one.reacts_as)]
    left = [system.solid_units(one.by_product)[0]] if one.by_product else []
    sources = np.concatenate([system.matrix[used], -system.matrix[left]])
    stay = [i for i, e in enumerate(system.elements) if e not in volatile]
    needed = system.columns(parse_formula(one.target))
    inside = set(system.columns({e for f in one.reacts_as for e in parse_formula(f)} | set(VOLATILE)))
    energies = np.concatenate([system.gibbs_eV[used], -system.gibbs_eV[left]])
    found = []
    for i in system.solids:
        row = system.matrix[i]
        if i == target or i in used or not row[needed].all() or any(row[k] for k in range(len(row)) if k not in inside):
            continue
        amounts, missing = nnls(sources[:, stay].T.astype(float), row[stay].astype(float))
        if missing > 1e-8:
            continue
        gases = _gas_energy_eV(system, amounts @ sources - row, volatile)
        if gases is not None and system.gibbs_eV[i] - amounts @ energies + gases < -1e-9:
            found.append(system.phases[i].formula)
    return tuple(found)


def _gas_energy_eV(system: OpenSystem, over: np.ndarray, volatile: tuple[str, ...]) -> float | None:
    """Return what the gases that carry atoms away cost, None where a gas would be taken up that is not held."""
    whole = 5040  # amounts of two or three precursors are fractions with small denominators
    names, amounts, allowed = system.exchanged(np.rint(over * whole).astype(np.int64)[None], volatile)
    if not allowed[0]:
        return None
    return float(sum(n * system.potential_eV(g) for g, n in zip(names, amounts[0], strict=True)) / whole)
