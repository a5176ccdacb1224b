"""Two systems made one: phases and energies of the first, and what only the second has."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.thermo.phase import EnergySet, FloatArray, Phase, Phases, interpolated


def phase_key(phase: Phase) -> tuple[str, tuple[tuple[str, int], ...]]:
    """Return a key that is the same for all spellings of a phase; a gas is never the solid of its composition.

    A gas molecule keeps its size: S2 and S8 are two gases.
    """
    if phase.state == "gas":
        return "gas", tuple(sorted(phase.composition.items()))
    return phase.state, composition_key(phase.composition)


def on_grid(energies: EnergySet, temperature_K: FloatArray) -> FloatArray:
    """Return Gibbs energies at other temperatures, eV per atom, shape (nT, n).

    Raises:
        DataError: A temperature is outside the energies.
    """
    grid = energies.temperature_K
    if temperature_K[0] < grid[0] - 1e-6 or temperature_K[-1] > grid[-1] + 1e-6:
        raise DataError(
            f"energies {energies.name!r} are for {grid[0]:g} to {grid[-1]:g} K, expected {temperature_K[0]:g} to "
            f"{temperature_K[-1]:g} K like those they are joined with"
        )
    return interpolated(grid, energies.gibbs_eV_per_atom, temperature_K)


def merged(first: Phases, second: Phases, *, name: str | None = None, warnings: Sequence[str] = ()) -> Phases:
    """Return the phases of the first system and those that only the second has, with the default energies of both.

    Where both have a phase, the first counts, with its formula, energy and source; what it does not know of it (melting
    point, volume) comes from the second.

    Args:
        first: The system that counts.
        second: The system that is added.
        name: Name of the joint energy set; that of the first if None.
        warnings: To be said of the whole, after those of both.

    Raises:
        DataError: The energies of the second do not reach as far in temperature as those of the first.
    """
    ours, theirs = first.energy_set(), second.energy_set()
    known = {phase_key(phase): phase for phase in second}
    there = {phase_key(phase) for phase in first}
    added = [i for i, phase in enumerate(second) if phase_key(phase) not in there]
    phases = (*(_completed(phase, known.get(phase_key(phase))) for phase in first), *(second[i] for i in added))
    other = theirs.take(added)
    joint = replace(
        ours,
        name=ours.name if name is None else name,
        gibbs_eV_per_atom=np.hstack([ours.gibbs_eV_per_atom, on_grid(other, ours.temperature_K)]),
        standard_error_eV_per_atom=np.append(ours.standard_error_eV_per_atom, other.standard_error_eV_per_atom),
        loadings_eV_per_atom=ours.loadings_with(other.standard_error_eV_per_atom, other.loadings_eV_per_atom),
        source=(*ours.source, *other.source),
        is_computed=np.append(ours.is_computed, other.is_computed),
        shifts_eV_per_atom=np.append(ours.shifts_eV_per_atom, other.shifts_eV_per_atom),
        entropy_shifts_eV_per_K_per_atom=np.append(
            ours.entropy_shifts_eV_per_K_per_atom, other.entropy_shifts_eV_per_K_per_atom
        ),
        warnings=tuple(dict.fromkeys((*ours.warnings, *theirs.warnings))),
    )
    elements = tuple(sorted({e for phase in phases for e in phase.composition}))
    system = "-".join(elements)
    return Phases(
        system,
        elements,
        phases,
        {joint.name: joint},
        joint.name,
        tuple(dict.fromkeys((*first.warnings, *second.warnings, *warnings))),
        {**second.left_out, **first.left_out},
    )


def _completed(phase: Phase, other: Phase | None) -> Phase:
    """Return a phase with the melting point and volume of another where it has none."""
    if other is None or phase.state == "gas":
        return phase
    if not np.isfinite(phase.melting_point_K) and np.isfinite(other.melting_point_K):
        phase = replace(phase, melting_point_K=other.melting_point_K, melting_point_source=other.melting_point_source)
    if not np.isfinite(phase.volume_A3_per_atom) and np.isfinite(other.volume_A3_per_atom):
        phase = replace(phase, volume_A3_per_atom=other.volume_A3_per_atom, volume_source=other.volume_source)
    return phase
