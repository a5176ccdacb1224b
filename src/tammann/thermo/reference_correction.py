"""Computed energies corrected on compounds that have been measured.

A computed formation energy is off by what the functional, the potential or the descriptor of the thermal part does to
the elements and anions in it, and compounds alike are off alike. Where the same file has measured compounds too, their
differences from experiment correct the others, and leaving them out in turn says how well.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.thermo.cautions import NOT_CORRECTED
from tammann.thermo.gibbs import COMPUTED_STANDARD_ERROR_EV_PER_ATOM, bartel_gibbs, enthalpy_of
from tammann.thermo.merged import merged, on_grid, phase_key
from tammann.thermo.phase import FloatArray, Phase, Phases

if TYPE_CHECKING:
    import pandas as pd

REFERENCE_TEMPERATURE_K = 1000.0
"""Where reactions are chosen and errors are counted: the middle of what solid-state synthesis uses."""
UNCORRECTED_ERROR_EV_PER_ATOM = 0.060
"""Mean error of the descriptor of Bartel et al. with computed energies, taken where nothing can be compared."""
_RIDGE = 0.1
# (0.03 eV of scatter per compound over 0.1 eV per element) squared: an element that no reference has is not corrected.
_METHODS = ("reactions", "elements", "none")
_FEWEST = 3
_AVOIDED_EV_PER_ATOM = 100.0
"""Energy given to elements, so that a compound falls into references alone where it can: YMn2O5 into MnO2, not O2."""
_MIXTURE = 1e-6
"""Atom fraction of elements left over, below which a compound is a mixture of references."""


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceCorrection(ShownAsTable):
    """What is added to computed energies, and how well it does on measured compounds that are left out.

    Attributes:
        method: For a compound that is no mixture of references: "reactions", "elements" or "none"; see
            ``reference_correction``.
        references: Formulas of the compounds that are both computed and measured, in the order of their arrays.
        elements: Symbols, the columns of ``atom_fractions``.
        temperature_K: Shape (nT,).
        atom_fractions: Of the references, shape (m, E).
        measured_eV_per_atom: Measured Gibbs energies of the references, shape (nT, m).
        differences_eV_per_atom: Measured less computed, shape (nT, m).
        standard_error_eV_per_atom: Of the measured energies, shape (m,).
        is_mixture: Which references are mixtures of the others, shape (m,).
        left_out_eV_per_atom: Error of each reference when it is left out, at 1000 K, shape (m,).
    """

    method: str
    references: tuple[str, ...]
    elements: tuple[str, ...]
    temperature_K: FloatArray
    atom_fractions: FloatArray
    measured_eV_per_atom: FloatArray
    differences_eV_per_atom: FloatArray
    standard_error_eV_per_atom: FloatArray
    is_mixture: npt.NDArray[np.bool_]
    left_out_eV_per_atom: FloatArray

    def shares(self, composition: Mapping[str, int]) -> FloatArray:
        """Return by how much the difference of each reference counts in the correction of a compound, shape (m,)."""
        return self._found(composition)[0]

    def correction(self, composition: Mapping[str, int]) -> FloatArray:
        """Return what is added to the Gibbs energy of a compound, eV per atom, shape (nT,)."""
        return np.asarray(self.differences_eV_per_atom @ self.shares(composition))

    def is_mixture_of_references(self, composition: Mapping[str, int]) -> bool:
        """Tell whether a compound could be made of the references alone, without elements."""
        return self._found(composition)[1]

    def error_eV_per_atom(self, composition: Mapping[str, int]) -> float:
        """Return the standard error of a corrected energy.

        It is the root mean square of the references left out that are like it: mixtures of the others, or not. With
        fewer than three of these it is at least 40 meV/atom for a mixture and 60 otherwise. Those of the measured
        energies that are used are added in quadrature.
        """
        shares, inside = self._found(composition)
        alike = self.left_out_eV_per_atom[self.is_mixture == inside]
        scatter = float(np.sqrt(np.mean(alike**2))) if len(alike) else 0.0
        if len(alike) < _FEWEST:
            scatter = max(scatter, COMPUTED_STANDARD_ERROR_EV_PER_ATOM if inside else UNCORRECTED_ERROR_EV_PER_ATOM)
        return math.hypot(scatter, float(np.linalg.norm(shares * self.standard_error_eV_per_atom)))

    def _found(self, composition: Mapping[str, int]) -> tuple[FloatArray, bool]:
        atoms = sum(composition.values())
        fractions = np.array([composition.get(e, 0) / atoms for e in self.elements])
        energies = self.measured_eV_per_atom[_nearest(self.temperature_K)]
        return _shares(self.method, fractions, self.atom_fractions, energies)

    def table(self) -> "pd.DataFrame":
        """Return one row a reference: its difference from experiment at 1000 K, and its error when it is left out."""
        import pandas as pd

        return pd.DataFrame(
            {
                "phase": self.references,
                "measured_less_computed_meV_per_atom": 1e3 * self.differences_eV_per_atom[_nearest(self.temperature_K)],
                "error_left_out_meV_per_atom": 1e3 * self.left_out_eV_per_atom,
                "is_mixture": self.is_mixture,
            }
        )

    def __repr__(self) -> str:
        return f"ReferenceCorrection({len(self.references)} references, others by {self.method})"


def _nearest(temperature_K: FloatArray) -> int:
    return int(np.argmin(np.abs(temperature_K - REFERENCE_TEMPERATURE_K)))


def _shares(method: str, target: FloatArray, fractions: FloatArray, energies: FloatArray) -> tuple[FloatArray, bool]:
    """Return the weights of the references in the correction of a target, shape (m,), and whether it is a mixture."""
    if not len(fractions):
        return np.zeros(0), False
    shares, rest = _decomposed(target, fractions, energies)
    if rest.sum() < _MIXTURE:
        return shares, True
    if method == "none":
        return np.zeros(len(fractions)), False
    if method == "elements":
        return _of_elements(target, fractions), False
    return shares + _of_elements(rest, fractions), False


def _decomposed(target: FloatArray, fractions: FloatArray, energies: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mixture of lowest energy with fewest elements: shares of references (m,) and of elements (E,)."""
    from scipy.optimize import linprog

    elements = np.eye(fractions.shape[1])
    cost = np.append(energies, np.full(len(elements), _AVOIDED_EV_PER_ATOM))
    result = linprog(cost, A_eq=np.vstack([fractions, elements]).T, b_eq=target, bounds=(0, None), method="highs")
    shares = np.where(result.x > 1e-9, result.x, 0.0)
    return shares[: len(fractions)], shares[len(fractions) :]


def _of_elements(target: FloatArray, fractions: FloatArray) -> FloatArray:
    """Return the weights that a ridge regression on energies of the elements gives the references, shape (m,)."""
    normal = fractions @ fractions.T + _RIDGE * np.eye(len(fractions))
    return np.asarray(np.linalg.solve(normal, fractions @ target))


def reference_correction(computed: Phases, measured: Phases, *, method: str | None = None) -> ReferenceCorrection:
    """Find how computed energies are to be corrected, from the solid compounds that are measured as well.

    With d_k(T) the measured less the computed Gibbs energy per atom of reference k, what is added to a compound X is
    sum_k w_k d_k(T). If X is a mixture of references, X = sum_k w_k A_k in atoms, w_k are those into which it would
    fall at 1000 K: only the energy of that reaction between compounds is then computed, where errors cancel. If
    elements are left over, it is one of

    - ``elements``: an energy per atom of each element, fitted to all d_k by ridge regression;
    - ``reactions``: the w_k as above, and for the elements left over the correction by elements;
    - ``none``: zero.

    Each reference is left out in turn and corrected by the others; of these three the one with the smallest root mean
    square over references that are no mixtures, at 1000 K, is taken. Standard errors are the root mean squares over
    references that are mixtures, or are not, as X is.

    Args:
        computed: Computed energies, measured compounds among them.
        measured: Measured energies.
        method: One of the three; the best if None.

    Raises:
        DataError: The method is unknown.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> sets = [phases.energy_set(name) for name in ("materials-project", "experiment-anchored")]
        >>> computed, measured = (phases.with_energies(one, default=True) for one in sets)
        >>> known = [measured.index(formula) for formula in ("BaO", "TiO2", "BaTiO3", "Ba2TiO4")]
        >>> found = reference_correction(computed, measured.take(known))
        >>> found.references, found.is_mixture.tolist()
        (('Ba2TiO4', 'BaO', 'BaTiO3', 'TiO2'), [True, False, True, False])
    """
    if method not in (None, *_METHODS):
        raise DataError(f"method {method!r} is unknown: expected {', '.join(_METHODS)}")
    ours, theirs = computed.energy_set(), measured.energy_set()
    places = {phase_key(phase): i for i, phase in enumerate(measured) if phase.state == "solid"}
    shared = [
        (i, places[phase_key(phase)])
        for i, phase in enumerate(computed)
        if phase_key(phase) in places and len(phase.composition) > 1 and ours.is_computed[i]
    ]
    grid = ours.temperature_K
    mine, experiment = ours.gibbs_eV_per_atom, on_grid(theirs, grid)
    kept = [(i, j) for i, j in shared if np.isfinite(mine[:, i]).all() and np.isfinite(experiment[:, j]).all()]
    here, there = [i for i, _ in kept], [j for _, j in kept]
    fractions = computed.atom_fractions[here]
    energies, differences = experiment[:, there], experiment[:, there] - mine[:, here]
    at = _nearest(grid)
    left_out = {one: _left_out(one, fractions, energies[at], differences[at]) for one in _METHODS}
    inside = left_out["none"][1]
    spread = {one: float(np.mean(errors[~inside] ** 2)) for one, (errors, _) in left_out.items() if not inside.all()}
    best = method or min(spread, key=lambda one: spread[one], default="reactions")
    return ReferenceCorrection(
        best,
        tuple(computed[i].formula for i in here),
        computed.elements,
        grid,
        fractions,
        energies,
        differences,
        theirs.standard_error_eV_per_atom[there],
        inside,
        left_out[best][0],
    )


def thermal_correction(composition: Mapping[str, int], measured: Phases) -> FloatArray:
    """Return what the descriptor of the thermal part lacks for a compound beside measured ones, eV per atom, (nT,).

    The descriptor's error e_k(T) is known for each measured compound k, G_k(T) less what the descriptor makes of its
    enthalpy and volume, and in the reaction of X from those into which it would fall, X = sum_k w_k A_k, it is taken to
    be sum_k w_k e_k(T): the entropy of that reaction between solids is then neglected.

    Args:
        composition: Of X, atoms by element.
        measured: Measured energies with volumes.

    Example:
        >>> from tammann.thermo.measured import measured_phases
        >>> library = measured_phases(["Mg", "Al", "O"])
        >>> bool(abs(thermal_correction({"Mg": 1, "O": 1}, library)[7]) < 0.06)
        True
    """
    energies = measured.energy_set()
    grid, table = energies.temperature_K, energies.gibbs_eV_per_atom
    known = [
        i
        for i, phase in enumerate(measured)
        if phase.state == "solid"
        and len(phase.composition) > 1
        and math.isfinite(phase.volume_A3_per_atom)
        and np.isfinite(table[:, i]).all()
    ]
    errors = np.zeros((len(grid), len(known)))
    for column, i in enumerate(known):
        enthalpy = enthalpy_of(table[:, i], grid)
        errors[:, column] = table[:, i] - bartel_gibbs(
            measured[i].composition, enthalpy, measured[i].volume_A3_per_atom, grid
        )
    atoms = sum(composition.values())
    target = np.array([composition.get(e, 0) / atoms for e in measured.elements])
    shares, _ = _shares("reactions", target, measured.atom_fractions[known], table[_nearest(grid), known])
    return np.asarray(errors @ shares)


def _left_out(
    method: str, fractions: FloatArray, energies: FloatArray, differences: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the error of each reference corrected by the others, eV per atom, (m,), and which are mixtures of them."""
    errors, inside = np.zeros(len(fractions)), np.zeros(len(fractions), dtype=bool)
    for k in range(len(fractions)):
        others = np.arange(len(fractions)) != k
        shares, inside[k] = _shares(method, fractions[k], fractions[others], energies[others])
        errors[k] = differences[k] - shares @ differences[others]
    return errors, inside


def corrected(
    computed: Phases, measured: Phases, *, name: str | None = None, correction: ReferenceCorrection | None = None
) -> Phases:
    """Return measured phases, and the computed ones that have not been measured, corrected.

    Energies of the computed system that are not computed (a user's own measurement) stay as they are and count before
    the measured ones.

    Args:
        computed: Computed energies, the references among them.
        measured: Measured energies; where both have a phase, these count.
        name: Name of the energy set; that of the computed one if None.
        correction: From ``reference_correction``; found if None.

    Returns:
        The joint system, with a standard error for each corrected energy, and warnings that name the references and
        the error of those left out.

    Raises:
        DataError: The energies do not cover the same temperatures.
    """
    found = reference_correction(computed, measured) if correction is None else correction
    ours = computed.energy_set()
    own = [
        i for i, p in enumerate(computed) if p.state == "solid" and not ours.is_computed[i] and len(p.composition) > 1
    ]
    known = {phase_key(phase) for phase in measured}
    new = [i for i, p in enumerate(computed) if ours.is_computed[i] and phase_key(p) not in known]
    table, errors, sources = ours.gibbs_eV_per_atom.copy(), ours.standard_error_eV_per_atom.copy(), list(ours.source)
    for i in new:
        table[:, i] += found.correction(computed[i].composition)
        errors[i] = found.error_eV_per_atom(computed[i].composition)
        sources[i] += _described(found, computed[i])
    changed = replace(  # errors that computed energies share, if any, are not those left after the correction
        ours, gibbs_eV_per_atom=table, standard_error_eV_per_atom=errors, source=tuple(sources),
        loadings_eV_per_atom=None,
    )  # fmt: skip
    base = computed.with_energies(changed, default=True)
    said = list(_sentences(found, [computed[i] for i in new]))
    joint = merged(measured, base.take(np.array(new, dtype=int)), name=name or ours.name, warnings=said)
    joint = _with_errors_of_references(joint, found, [computed[i] for i in new])
    if own:
        joint = merged(base.take(np.array(own)), joint, name=name or ours.name)
    return replace(joint, warnings=tuple(dict.fromkeys((*computed.warnings, *joint.warnings))))


def _with_errors_of_references(joint: Phases, found: ReferenceCorrection, new: list[Phase]) -> Phases:
    """Return the joint system with what each corrected energy has of the errors of its references.

    In the correction sum_k w_k (measured - computed)_k the error of each measured energy counts w_k times, in the
    compound as in the reference, so that a reaction between them has the error of the computed energies only.
    """
    energies = joint.energy_set()
    places = {phase_key(phase): i for i, phase in enumerate(joint)}
    references = [places.get(("solid", composition_key(formula)), -1) for formula in found.references]
    if energies.loadings_eV_per_atom is None or not references or min(references) < 0:
        return joint
    loadings = energies.loadings_eV_per_atom.copy()
    for phase in new:
        i, shares = places[phase_key(phase)], found.shares(phase.composition)
        total = float(energies.standard_error_eV_per_atom[i])
        measured = float(np.linalg.norm(shares * found.standard_error_eV_per_atom))
        loadings[i] *= math.sqrt(max(0.0, total**2 - measured**2)) / (total or 1.0)
        loadings[i] += shares @ loadings[references]
    errors = np.linalg.norm(loadings, axis=1)
    changed = replace(energies, loadings_eV_per_atom=loadings, standard_error_eV_per_atom=errors)
    return joint.with_energies(changed, default=True)


def _described(found: ReferenceCorrection, phase: Phase) -> str:
    shares = found.shares(phase.composition)
    if found.is_mixture_of_references(phase.composition):
        names = [formula for formula, share in zip(found.references, shares, strict=True) if share > 0.0]
        return f", relative to measured {' + '.join(names)}"
    corrected_by = f"energies of its elements fitted to {len(found.references)} measured compounds"
    return f", corrected by {corrected_by}" if shares.any() else ", not corrected"


def _sentences(found: ReferenceCorrection, new: list[Phase]) -> Iterator[str]:
    some = ", ".join(found.references[:8]) + (", ..." if len(found.references) > 8 else "")
    for inside in (True, False):
        alike = [phase for phase in new if found.is_mixture_of_references(phase.composition) == inside]
        if not alike:
            continue
        how = f"tied by computed reaction energies to measured {some}"
        if not inside and not found.references:
            how = f"{NOT_CORRECTED} no compound of the same source has been measured; add computed ones that have"
        elif not inside:
            how = {
                "none": f"not corrected, which does best for measured {some}",
                "elements": f"corrected by energies of the elements fitted to measured {some}",
                "reactions": f"corrected by reactions and energies of the elements fitted to measured {some}",
            }[found.method]
        errors = sorted({round(1e3 * found.error_eV_per_atom(phase.composition)) for phase in alike})
        count = int((found.is_mixture == inside).sum())
        origin = f"from leaving {count} such compounds out" if count >= _FEWEST else "as usual, too few to leave out"
        span = f"{errors[0]}" if len(errors) == 1 else f"{errors[0]} to {errors[-1]}"
        yield f"{', '.join(p.formula for p in alike)}: computed, {how}; standard error {span} meV/atom, {origin}"
