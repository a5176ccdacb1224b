"""Anions whose computed energies err beside measured gases: carbonates, nitrates, sulfates, peroxides, superoxides.

A generalised-gradient functional binds C, N and S in their oxyanions, and oxygen in peroxides, otherwise than in the
binary oxides that corrections of oxygen are fitted to. Beside CO2, NO2, SO2 and O2 from measured tables the errors do
not cancel: uncorrected, CaCO3 decomposes some 700 K too high.
"""

import math
from collections.abc import Mapping

from tammann.thermo.equilibrium import decomposition_temperature
from tammann.thermo.phase import Phases

CARBONATE_CORRECTION_EV = 0.830
"""eV per CO3, to be added to energies of the Materials Project (MP2020 corrections included) beside measured CO2.

Fitted to measured enthalpies in the package reaction-network (data/fit_carbonate_correction.ipynb).
"""

_OXYANIONS = {"C": ("carbonate", 3), "N": ("nitrate", 3), "S": ("sulfate", 4)}
_CHARGE = dict.fromkeys(("Li", "Na", "K", "Rb", "Cs"), 1) | dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Ba"), 2)


def anion_of(composition: Mapping[str, int]) -> str | None:
    """Return the kind of anion that needs a correction, or None, by the composition of a compound.

    Carbonates, nitrates and sulfates have a cation and at least 3, 3 and 4 O for each C, N and S; peroxides and
    superoxides are oxides of the alkali and alkaline earth metals with more O than their charges take.

    Example:
        >>> anion_of({"Ca": 1, "C": 1, "O": 3}), anion_of({"Ba": 1, "O": 2}), anion_of({"K": 1, "O": 2})
        ('carbonate', 'peroxide', 'superoxide')
        >>> anion_of({"Ti": 1, "O": 2}) is None
        True
    """
    oxygen = composition.get("O", 0)
    centres = [e for e in _OXYANIONS if e in composition]
    if len(centres) == 1 and set(composition) - {*_OXYANIONS, "O", "H"}:
        name, ratio = _OXYANIONS[centres[0]]
        return name if oxygen >= ratio * composition[centres[0]] else None
    metals = set(composition) - {"O"}
    if oxygen and metals and metals <= set(_CHARGE):
        charge = sum(_CHARGE[e] * composition[e] for e in metals) / oxygen
        return None if charge >= 2.0 else "peroxide" if charge >= 1.0 else "superoxide"
    return None


def anion_warnings(phases: Phases, corrections: Mapping[str, str | None]) -> list[str]:
    """Return what should be said of anions, corrected in words or not (None) by formula, and of what follows."""
    kinds = {f: kind for f in corrections if (kind := anion_of(phases[f].composition)) is not None}
    found = []
    for correction in sorted({corrections[f] or "" for f in kinds}):
        formulas = [f for f in kinds if (corrections[f] or "") == correction]
        names = ", ".join(f"{f} ({kinds[f]})" for f in formulas)
        size = f", of carbonates about -{CARBONATE_CORRECTION_EV:.2f} eV per CO3" if "carbonate" in names else ""
        what = correction or (
            f"no correction of the anion was applied; computed energies of such anions err beside measured gases{size}"
        )
        ends = [(f, decomposition_temperature(phases, f)) for f in formulas[:10]]
        told = ", ".join(f"{f} decomposes at {T:.0f} K" for f, T in ends if math.isfinite(T))
        found.append(f"{names}: {what}" + (f"; as it stands, with gases at 1 bar, {told}" if told else ""))
    return found
