"""Draws of energies from what is not known of them: their standard errors, and how firmly equilibria are known."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from tammann.thermo.assessment import ContradictionError, solve_constraints
from tammann.thermo.correlated_errors import drawn_errors
from tammann.thermo.phase import Constraint, EnergySet, FloatArray, Phases

_TRIES = 200


def draw_energies(
    phases: Phases,
    *,
    energies: str | None = None,
    rng: np.random.Generator | np.random.SeedSequence | int | None = None,
) -> Phases:
    """Draw one set of energies within its standard errors.

    Each phase's Gibbs energy moves by sigma_p z_p at all temperatures, with z_p standard normal, and independent unless
    the set says which errors its phases share (``loadings_eV_per_atom`` L: then by sum_k L_pk z_k). For an assessed set
    the energies it started from are drawn, and the constraints are solved again: what the assessment knows holds in
    every draw. What it assumes is drawn as well, or all draws would agree wherever an assumption binds:

    - in place of a margin m, one that is exponentially distributed with the mean m (of all distributions of a positive
      quantity with that mean the one that assumes least), for each equilibrium and each phase on the hull;
    - in place of a reaction entropy S, S exp(s z - s²/2), of mean S, with s its ``entropy_spread``.

    Margins and entropies that contradict each other are drawn again.

    Args:
        phases: The system.
        energies: Name of the set to draw; the default set where none is given.
        rng: Source of randomness.

    Returns:
        The same phases with the drawn set in the place of the set, and as the default.

    Raises:
        DataError: There is no such set, or the constraints cannot be satisfied for the draw.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> drawn = draw_energies(phases, rng=1)
        >>> bool((drawn.gibbs(1000.0) != phases.gibbs(1000.0)).any())
        True
    """
    generator = np.random.default_rng(rng)
    chosen = phases.energy_set(energies)
    start = chosen if chosen.base is None else phases.energy_set(chosen.base)
    noise = drawn_errors(start, generator)
    if chosen.base is None:
        drawn = replace(chosen, gibbs_eV_per_atom=chosen.gibbs_eV_per_atom + noise)
    else:
        solved = _solved(phases, chosen, noise, generator)
        drawn = assessed_with(start, chosen, solved.shifts_eV_per_atom + noise, solved.entropy_shifts_eV_per_K_per_atom)
    return phases.with_energies(drawn, default=True)


def mean_of_draws(
    phases: Phases,
    *,
    energies: str | None = None,
    pairs: int = 500,
    rng: np.random.Generator | np.random.SeedSequence | int | None = 0,
) -> EnergySet:
    """Return an assessed set with its energies at the mean of its draws.

    The smallest shifts that satisfy known equilibria lie at the edge of what these allow, and draws on one side of it.
    Their mean is the better centre. What is known is linear in the energies, so it holds for the mean as it does for
    each draw.

    Args:
        phases: The system.
        energies: Name of the set, the default set if None; what is no assessed set is returned as it is.
        pairs: Half the number of draws; errors are taken with both signs, so that their mean is zero.
        rng: Source of randomness.

    Returns:
        The set under the same name.

    Raises:
        DataError: There is no such set, or the constraints cannot be satisfied for a draw.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> mean_of_draws(phases, pairs=1).name
        'assessed'
    """
    chosen = phases.energy_set(energies)
    if chosen.base is None:
        return chosen
    generator = np.random.default_rng(rng)
    start = phases.energy_set(chosen.base)
    shifts, entropies = np.zeros(len(phases)), np.zeros(len(phases))
    for _ in range(pairs):
        noise = drawn_errors(start, generator)
        for one in (_solved(phases, chosen, noise, generator), _solved(phases, chosen, -noise, generator)):
            shifts += one.shifts_eV_per_atom / (2 * pairs)
            entropies += one.entropy_shifts_eV_per_K_per_atom / (2 * pairs)
    return assessed_with(start, chosen, shifts, entropies)


def assessed_with(start: EnergySet, chosen: EnergySet, shifts: FloatArray, entropies: FloatArray) -> EnergySet:
    """Return an assessed set with other shifts, eV per atom, (n,), and entropies, eV/K per atom, of its ``start``."""
    above = start.temperature_K[:, None] - chosen.reference_temperature_K
    return replace(
        chosen,
        gibbs_eV_per_atom=start.gibbs_eV_per_atom + shifts - entropies * above,
        shifts_eV_per_atom=shifts,
        entropy_shifts_eV_per_K_per_atom=entropies,
    )


def _solved(phases: Phases, chosen: EnergySet, noise: FloatArray, generator: np.random.Generator) -> EnergySet:
    """Solve the constraints of an assessed set again for the energies it started from, moved by ``noise``, (n,)."""
    start = phases.energy_set(chosen.base)
    moved = replace(start, gibbs_eV_per_atom=start.gibbs_eV_per_atom + noise)
    for _ in range(_TRIES - 1):
        with suppress(ContradictionError):
            constraints = _drawn_constraints(chosen.constraints, generator)
            return solve_constraints(phases, moved, constraints, chosen.reference_temperature_K)
    return solve_constraints(
        phases, moved, _drawn_constraints(chosen.constraints, generator), chosen.reference_temperature_K
    )


def _drawn_constraints(constraints: Sequence[Constraint], generator: np.random.Generator) -> list[Constraint]:
    """Return the constraints with drawn margins, a constraint for each phase on the hull, and drawn entropies."""
    drawn = []
    for constraint in constraints:
        entropy = constraint.entropy_J_per_K_per_mol_atoms
        if entropy is not None:
            spread = constraint.entropy_spread
            entropy *= float(np.exp(spread * generator.standard_normal() - spread**2 / 2.0))
        parts: list[tuple[str, ...]] = [(formula,) for formula in constraint.phases] or [()]
        for part in parts:
            margin = constraint.margin_eV_per_atom * generator.standard_exponential()
            drawn.append(
                replace(constraint, phases=part, margin_eV_per_atom=margin, entropy_J_per_K_per_mol_atoms=entropy)
            )
    return drawn
