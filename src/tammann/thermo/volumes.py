"""Volumes that cannot be those of the phase they are listed for.

A database may carry another polymorph than the one in the furnace. The descriptor of the temperature term grows with
the volume, and so do growth constants, hence a wrong volume is worth a warning.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tammann.thermo.experiment import measured_properties
from tammann.thermo.phase import Phase

_MEASURED_TOLERANCE = 0.10
# Functionals of the generalised-gradient kind give volumes 3 to 6 % above experiment.
_ADDITIVE_TOLERANCE = 0.30


def volume_warnings(phases: Sequence[Phase], volume_A3_per_atom: Mapping[str, float]) -> tuple[str, ...]:
    """Name the compounds whose volume, by formula, differs from the measured one, or from what the others suggest.

    Where a measured volume is carried, more than 10 % off is reported. Elsewhere, with at least twice as many compounds
    as elements, each is compared with the sum of atomic volumes that fits all of them best (least absolute deviations,
    which one odd volume does not pull), and more than 30 % off is reported.

    Example:
        >>> from tammann.composition import parse_formula
        >>> volume_warnings([Phase("TiO2", parse_formula("TiO2"))], {"TiO2": 17.1})[0][:52]
        'TiO2: 17.1 A3/atom is not the volume of rutile (10.4'
    """
    compounds = [p for p in phases if len(p.composition) > 1 and np.isfinite(volume_A3_per_atom[p.formula])]
    additive = _additive_volumes(compounds, volume_A3_per_atom)
    found = []
    for i, phase in enumerate(compounds):
        volume = volume_A3_per_atom[phase.formula]
        measured = measured_properties(phase.composition)
        if measured is not None and np.isfinite(measured.volume_A3_per_atom):
            if abs(volume / measured.volume_A3_per_atom - 1.0) > _MEASURED_TOLERANCE:
                found.append(
                    f"{phase.formula}: {volume:.1f} A3/atom is not the volume of {measured.structure} "
                    f"({measured.volume_A3_per_atom:.1f} A3/atom, measured); it may be another polymorph"
                )
        elif additive is not None and abs(volume / additive[i] - 1.0) > _ADDITIVE_TOLERANCE:
            found.append(
                f"{phase.formula}: {volume:.1f} A3/atom is far from what the other phases suggest "
                f"({additive[i]:.1f} A3/atom, sum of atomic volumes); it may be another polymorph or a slip"
            )
    return tuple(found)


def _additive_volumes(compounds: Sequence[Phase], volume: Mapping[str, float]) -> list[float] | None:
    from scipy.optimize import linprog

    elements = sorted({e for p in compounds for e in p.composition})
    if len(compounds) < 2 * len(elements) or not elements:
        return None
    x = np.array([[p.composition.get(e, 0) / p.n_atoms for e in elements] for p in compounds])
    v = np.array([volume[p.formula] for p in compounds])
    m, k = x.shape
    # Minimise the sum of t with -t <= x a / v - 1 <= t over atomic volumes a >= 0.
    ratio = x / v[:, None]
    result = linprog(
        np.concatenate([np.zeros(k), np.ones(m)]),
        A_ub=np.block([[ratio, -np.eye(m)], [-ratio, -np.eye(m)]]),
        b_ub=np.concatenate([np.ones(m), -np.ones(m)]),
        method="highs",
    )
    return list(x @ result.x[:k]) if result.status == 0 else None
