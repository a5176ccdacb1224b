"""Errors of measured energies as calorimetry makes them: a compound shares those of the compounds it was measured from.

A ternary oxide is dissolved beside its binary oxides, or held in equilibrium with them. What is measured is the energy
of that reaction, far better known than the binary oxides are, and their errors are part of its own.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.thermo import freed, janaf
from tammann.thermo.anions import anion_groups
from tammann.thermo.experiment import STATED_ERRORS_KJ_PER_MOL
from tammann.thermo.phase import EnergySet, FloatArray, Phases
from tammann.units import KJ_PER_MOL_IN_EV, ROOM_TEMPERATURE_K

SHARE_OF_REACTION = 0.3
"""Error of a formation from binaries, of that which the collection has: 0.6 kJ of 2 per mole of atoms, FREED 0.9 of 3.

The 92 compounds of three and more elements that two of JANAF, literature and FREED share differ, in their formation
from binaries of the same collection, at 1000 K by less than 0.81 kJ per mole of atoms in two thirds of all cases: over
sqrt(2), as two values that differ by d are each d / sqrt(2) off, 0.57."""
ENTROPY_ERROR_J_PER_K_PER_MOL_ATOMS = 0.3
"""Of entropies and heat capacities: two thirds of what two collections share differ by less than 0.3 to 0.4 in
(G(1000 K) - G(300 K)) / 700 K."""
_T_K = 1000.0
"""Where an error that grows with temperature is taken, and where the constituents are the most stable."""
_OXIDES_AND_HALIDES = frozenset({"O", "F", "Cl", "Br", "I"})
_OTHERS = frozenset({"S", "Se", "Te", "N", "P", "As"})
_MEASURED_FROM: Mapping[str, tuple[tuple[str, ...], float | None]] = MappingProxyType(
    {"LiCoO2": (("Li2O", "CoO", "O2"), 1.7)}  # Wang and Navrotsky, Solid State Ionics 2004, 166, 167
)
"""Compounds with a reaction that its authors state with its error, kJ per mole."""


def with_correlated_errors(phases: Phases) -> Phases:
    """Return phases of the library whose default energies carry the errors that they share.

    Per formula unit i, E_i = e_i + sum_j nu_ij E_j: the error of a binary compound is its own, e_i; that of a compound
    of several cations or groups is that of its constituents j in the reaction of formation from them, and its own. In
    matrices E = (1 - nu)^-1 e.

    The own error of a binary, and of what has no such reaction, is the stated one or else that of the collection; of
    others it is ``SHARE_OF_REACTION`` of that, unless one is stated for the very reaction: one that is stated for the
    formation from the elements says nothing of the reaction. Where sources differ it is at least what that made of it.
    To an error stated for an enthalpy at 298 K that of the entropy is added, at 1000 K.

    Args:
        phases: From ``measured_phases``; its sources name the collections.

    Returns:
        The same phases, with ``loadings_eV_per_atom`` and the standard errors that follow from them.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("measured:Mg-Al-O")
        >>> made = {"MgO": -1.0, "Al2O3": -1.0, "MgAl2O4": 1.0}
        >>> moles = [made.get(phase.formula, 0.0) for phase in phases]
        >>> round(float(reaction_standard_error(phases, moles)) * 96.485, 1)  # kJ/mol
        4.2
    """
    energies = phases.energy_set()
    atoms = phases.composition_matrix.sum(axis=1)
    own = energies.standard_error_eV_per_atom * atoms / KJ_PER_MOL_IN_EV
    shares = np.zeros((len(phases), len(phases)))
    at = int(np.argmin(np.abs(energies.temperature_K - _T_K)))
    molar = energies.gibbs_eV_per_atom[at] * atoms
    for i, phase in enumerate(phases):
        if phase.state == "gas" or len(phase.composition) == 1:
            continue
        source = energies.source[i]
        usual = (freed if source.startswith(freed.SOURCE) else janaf).STANDARD_ERROR_KJ_PER_MOL_ATOMS * phase.n_atoms
        made_of = formation_from_binaries(phases, i, molar) if len(phase.composition) > 2 else {}
        for j, moles in made_of.items():
            shares[i, j] = moles
        error, stated = usual, STATED_ERRORS_KJ_PER_MOL.get(phase.formula, own[i] if own[i] < usual else None)
        if made_of:
            error, stated = SHARE_OF_REACTION * usual, _MEASURED_FROM.get(phase.formula, ((), None))[1]
        if stated is not None:
            thermal = 1e-3 * ENTROPY_ERROR_J_PER_K_PER_MOL_ATOMS * (_T_K - ROOM_TEMPERATURE_K) * phase.n_atoms
            error = math.hypot(stated, thermal)
        differ = "kJ/mol of atoms in" in source
        own[i] = max(own[i], error) if differ else error
    loadings = np.linalg.inv(np.eye(len(phases)) - shares) * own * KJ_PER_MOL_IN_EV / atoms[:, None]
    errors = np.sqrt((loadings**2).sum(axis=1))
    changed = replace(energies, loadings_eV_per_atom=loadings, standard_error_eV_per_atom=errors)
    return phases.with_energies(changed, default=True)


def formation_from_binaries(phases: Phases, i: int, molar_gibbs: FloatArray) -> dict[int, float]:
    """Return the moles of the binary compounds, by position, that one mole of a compound is made of.

    For a compound that holds oxygen or a halogen oxides (no peroxides) and halides, CO2 and H2O among them, and O2
    where it is taken up; sulfides, nitrides and their like for others. Of several sets the one of lowest Gibbs energy
    counts. A nitrate or sulfate has none: no oxide of nitrogen or sulfur is among the phases.

    Args:
        phases: The system.
        i: Position of the compound.
        molar_gibbs: Gibbs energies of formation, eV per mole of formula units, shape (n,).

    Returns:
        Moles by position, O2 not among them; empty where there is no such set of binaries.
    """
    from scipy.optimize import linprog

    phase = phases[i]
    held = set(phase.composition)
    anions = held & _OXIDES_AND_HALIDES or held & _OTHERS
    named = [composition_key(parse_formula(f)) for f in _MEASURED_FROM.get(phase.formula, ((), 0.0))[0]]
    columns = []
    for j, other in enumerate(phases):
        own = set(other.composition)
        is_binary = len(own) == 2 and own <= held and bool(own & anions) and not any(anion_groups(other.composition))
        is_oxygen = other.formula == "O2" and "O" in held
        is_constituent = is_binary and (other.state == "solid" or other.formula in ("CO2", "H2O"))
        if (is_constituent or is_oxygen) and (not named or composition_key(other.composition) in named):
            columns.append(j)
    if not columns:
        return {}
    matrix = phases.composition_matrix
    result = linprog(molar_gibbs[columns], A_eq=matrix[columns].T, b_eq=matrix[i], bounds=(0.0, None), method="highs")
    if result.status != 0:
        return {}
    pairs = zip(columns, result.x, strict=True)
    return {j: float(moles) for j, moles in pairs if moles > 1e-9 and phases[j].formula != "O2"}


def reaction_standard_error(
    phases: Phases, coefficients: FloatArray | list[float], *, energies: str | None = None
) -> FloatArray:
    r"""Return the standard error of the Gibbs energy of reactions, with the errors that their phases share.

    sigma² = sum_k (sum_p nu_p N_p L_pk)², with L the ``loadings_eV_per_atom`` of the set and N_p the atoms of a formula
    unit; without loadings errors are independent, sigma² = sum_p (nu_p N_p sigma_p)².

    Args:
        phases: The system.
        coefficients: nu, moles of formula units made, negative for those used, shape (..., n).
        energies: Name of the set, the default set if None.

    Returns:
        eV per mole of reaction, shape (...).

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> moles = [{"BaO": -1.0, "TiO2": -1.0, "BaTiO3": 1.0}.get(phase.formula, 0.0) for phase in phases]
        >>> float(reaction_standard_error(phases, moles)).__round__(3)
        0.03
    """
    chosen = phases.energy_set(energies)
    atoms = np.asarray(coefficients, dtype=float) * phases.composition_matrix.sum(axis=1)
    if chosen.loadings_eV_per_atom is None:
        return np.asarray(np.sqrt(atoms**2 @ chosen.standard_error_eV_per_atom**2))
    return np.asarray(np.linalg.norm(atoms @ chosen.loadings_eV_per_atom, axis=-1))


def drawn_errors(energies: EnergySet, generator: np.random.Generator) -> FloatArray:
    """Return the errors of one draw, eV per atom, shape (n,): sum_k L_pk z_k, or sigma_p z_p without loadings L."""
    loadings = energies.loadings_eV_per_atom
    if loadings is None:
        return np.asarray(generator.standard_normal(len(energies.source)) * energies.standard_error_eV_per_atom)
    return np.asarray(loadings @ generator.standard_normal(loadings.shape[1]))
