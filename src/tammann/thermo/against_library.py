"""A user's phases beside the library of measured energies: slips of sign, unit or digits, which no error explains."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tammann.errors import DataError
from tammann.thermo.cautions import FAR_FROM_LIBRARY, LEFT_OUT
from tammann.thermo.equilibrium import best_mixture
from tammann.thermo.measured import measured_phases
from tammann.thermo.merged import phase_key
from tammann.thermo.phase import Phases

COMPARED_AT_K = 1000.0
FARTHEST_EV_PER_ATOM, FARTHEST_COMPUTED_EV_PER_ATOM = 0.3, 1.0
"""How far an energy may be from a measured one. Computed ones without corrections are off by up to 0.4 (O2 of GGA)."""
MELTING_POINT_SHARE = 0.15


def checked(phases: Phases) -> Phases:
    r"""Return phases without the compounds whose energies the library contradicts, each left out by name.

    A compound that was measured is compared with its measured energy; another one must not lie far above the best
    mixture of measured phases. Computed energies that are far off, but no further than what corrections of their method
    explain, and melting points that differ by more than 15 % are kept, with a warning.

    Args:
        phases: From a file of the user.

    Raises:
        DataError: No compound is left.

    Example:
        >>> import pathlib, tempfile
        >>> from tammann.thermo.csv_table import read_csv
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = file.write_text("formula,formation_enthalpy_298K_kJ_per_mol\nMgO,601.6\nAl2O3,-1675.7")
        >>> checked(read_csv(file)).left_out["MgO"]
        'MgO: +3.66 eV/atom at 1000 K, far from what the library of measured energies has, -2.55; check sign and unit'
    """
    try:
        library = measured_phases(phases.elements)
    except DataError:  # of these elements it knows nothing
        return phases
    energies = phases.energy_set()
    gibbs = phases.gibbs(COMPARED_AT_K)
    fractions, known = _reference(phases, library)
    measured = {phase_key(phase): float(g) for phase, g in zip(library, library.gibbs(COMPARED_AT_K), strict=True)}
    refused, said = {}, []
    for i, phase in enumerate(phases):
        if phase.state != "solid" or len(phase.composition) < 2 or not np.isfinite(gibbs[i]):
            continue
        theirs = measured.get(phase_key(phase))
        if theirs is None:  # what nobody has measured may be metastable, but not by an eV
            mixture = best_mixture(np.vstack([fractions, phases.atom_fractions[i]]), np.append(known, np.nan), -1)
            off = 0.0 if mixture is None else max(0.0, float(gibbs[i]) - mixture[1])
            there = "" if mixture is None else f"{mixture[1]:+.2f} for phases that make it up"
        else:
            off, there = abs(float(gibbs[i]) - theirs), f"{theirs:+.2f}"
        if off <= FARTHEST_EV_PER_ATOM:
            continue
        text = f"{phase.formula}: {gibbs[i]:+.2f} eV/atom at {COMPARED_AT_K:g} K, {FAR_FROM_LIBRARY}, {there}"
        if off > (FARTHEST_COMPUTED_EV_PER_ATOM if energies.is_computed[i] else FARTHEST_EV_PER_ATOM):
            refused[phase.formula] = f"{text}; check sign and unit"
        else:
            said.append(text)
    kept = [i for i, phase in enumerate(phases) if phase.formula not in refused]
    if refused and not any(len(phases[i].composition) > 1 and phases[i].state == "solid" for i in kept):
        raise DataError(f"{next(iter(refused.values()))}; energies {energies.name!r} have no other solid compound")
    if refused:
        said.insert(0, f"{LEFT_OUT}: {'; '.join(refused.values())}")
        phases = phases.take(np.array(kept, dtype=int))
    return replace(
        phases,
        left_out={**phases.left_out, **refused},
        warnings=(*phases.warnings, *said, *melting_points_apart(phases, library)),
    )


def _reference(phases: Phases, library: Phases) -> tuple[np.ndarray, np.ndarray]:
    """Return atom fractions, by the elements of the phases, and energies, eV per atom, of the library and elements."""
    rows = np.array([[phase.composition.get(e, 0) for e in phases.elements] for phase in library], dtype=float)
    rows /= rows.sum(axis=1, keepdims=True)
    elements = np.eye(len(phases.elements))
    return np.vstack([rows, elements]), np.append(library.gibbs(COMPARED_AT_K), np.zeros(len(elements)))


def melting_points_apart(phases: Phases, library: Phases) -> Iterator[str]:
    """Yield a sentence for each melting point that differs from a measured one of the library by more than 15 %."""
    known = {phase_key(phase): phase for phase in library if phase.melting_point_source.startswith("measured")}
    for phase in phases:
        other = known.get(phase_key(phase))
        if phase.state != "solid" or other is None or not math.isfinite(phase.melting_point_K):
            continue
        theirs = other.melting_point_K
        if abs(phase.melting_point_K - theirs) > MELTING_POINT_SHARE * theirs:
            yield (
                f"{phase.formula}: melting point {phase.melting_point_K:g} K, {FAR_FROM_LIBRARY}, {theirs:g} K; check "
                "unit and digits"
            )
