"""Any system made to agree with known equilibria from a file."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tammann.errors import DataError
from tammann.thermo.assessment import ContradictionError, assess
from tammann.thermo.cautions import MOVED_FAR
from tammann.thermo.constraints import load_constraints
from tammann.thermo.phase import EnergySet, Phases

_FAR, _TOO_FAR = 2.0, 6.0
"""Standard errors beyond which a shift changes what energies are worth, and beyond which a statement is a slip."""


def with_equilibria(phases: Phases, path: str | Path) -> Phases:
    r"""Return phases whose default energies satisfy the equilibria of a YAML file, see ``load_constraints``.

    Only computed energies move, if that is enough; otherwise measured ones as well, each the less the better it is
    known. The set keeps its name, so that a recipe finds it; the one before is there as ``NAME before equilibria``.

    Args:
        phases: The system; its default energies are assessed.
        path: The file.

    Returns:
        The same phases with both sets. Warnings name measured energies that had to move, and shifts of more than two
        standard errors.

    Raises:
        DataError: The file cannot be read, names a phase that is not there, contradicts itself, or would move an
            energy by more than six standard errors.

    Example:
        >>> import pathlib, tempfile
        >>> from tammann.thermo.measured import measured_phases
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "known.yaml"
        >>> text = "constraints:\n- {equilibrium: CaCO3 = CaO + CO2, kind: equality, temperature_K: 1170, source: me}"
        >>> _ = file.write_text(text)
        >>> known = with_equilibria(measured_phases(["Ca", "C", "O"]), file)
        >>> list(known.energy_sets)
        ['measured before equilibria', 'measured']
    """
    constraints, reference = load_constraints(path)
    before = phases.energy_set()
    start = replace(before, name=f"{before.name} before equilibria")
    named = {formula for c in constraints for formula in (*c.phases, *(f for f, _ in (*c.left, *c.right)))}
    for formula in sorted(named):
        try:
            phases.index(formula)
        except DataError as problem:
            raise DataError(f"equilibria file {Path(path).name!r}: {problem}") from None

    def solved(start: EnergySet) -> tuple[Phases, EnergySet]:
        base = replace(phases, energy_sets={start.name: start}, default_energies=start.name)
        return base, assess(base, constraints, name=before.name, reference_temperature_K=reference)

    said: list[str] = []
    found = None
    with suppress(ContradictionError):
        found = solved(start)
    if found is None:
        everything = np.array([len(phase.composition) > 1 for phase in phases]) & (start.standard_error_eV_per_atom > 0)
        found = solved(replace(start, is_computed=start.is_computed | everything))
        which = (np.abs(found[1].shifts_eV_per_atom) > 1e-6) & ~before.is_computed
        said.append(f"measured energies moved to satisfy known equilibria: {_shifts(phases, found[1], which)}")
    base, assessed = found
    sigmas = np.divide(
        np.abs(assessed.shifts_eV_per_atom),
        assessed.standard_error_eV_per_atom,
        out=np.zeros(len(phases)),
        where=assessed.standard_error_eV_per_atom > 0,
    )
    worst = int(sigmas.argmax())
    if sigmas[worst] > _TOO_FAR:
        alone = np.arange(len(phases)) == worst
        raise DataError(
            f"equilibria file {Path(path).name!r} would move {_shifts(phases, assessed, alone)}, {sigmas[worst]:.0f} "
            f"standard errors of its energy: check {'; '.join(dict.fromkeys(c.equation for c in constraints))} and "
            "temperature_K, or state a larger standard error of that energy"
        )
    far = sigmas > _FAR
    if far.any():
        moved = _shifts(phases, assessed, far)
        said.append(f"{MOVED_FAR}: {moved}")
    kept = replace(assessed, is_computed=before.is_computed, warnings=(*before.warnings, *said))
    return base.with_energies(kept, default=True)


def _shifts(phases: Phases, energies: EnergySet, which: np.ndarray) -> str:
    shifts = energies.shifts_eV_per_atom
    return ", ".join(f"{phases[int(i)].formula} by {1e3 * shifts[i]:+.1f} meV/atom" for i in np.flatnonzero(which))
