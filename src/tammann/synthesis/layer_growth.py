"""Transport through a layer of the target between two precursors, where it is known."""

from __future__ import annotations

import math

from tammann.composition import composition_key
from tammann.kinetics import growth_constants
from tammann.synthesis.precursor_list import Precursor, decomposition_chain
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.thermo import Phases
from tammann.transport import TransportTable


def layer_growth_constant_m2_per_s(
    phases: Phases, one: PrecursorSet, transport: TransportTable | None, *, energies: str | None = None
) -> float:
    """Return K_D of a layer of the target between its two precursors, h^2 = 2 K_D t.

    It is that of the oxides the precursors turn into, so a carbonate has the value of its oxide. It needs Onsager
    coefficients of the target; the rule for solids without any, by which they conduct as their melting points say,
    would give every set the same diffusivity and so tells nothing here.

    Returns:
        m^2/s; NaN where the table does not have the target at this temperature, or the set is not two solids that the
        target lies between.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5.

    Example:
        >>> from tammann.synthesis import precursor_sets
        >>> from tammann.thermo import load_phases
        >>> from tammann.transport import load_transport
        >>> phases, transport = load_phases("Ba-Ti-O"), load_transport("karan-2026")
        >>> one = precursor_sets(phases, "BaTiO3", candidates=["BaCO3", "TiO2"], temperature_K=1500)[0]
        >>> f"{layer_growth_constant_m2_per_s(phases, one, transport):.0e}"
        '8e-07'
    """
    T = one.surroundings.temperature_K
    if transport is None or len(one.precursors) != 2 or not transport.of(one.target):
        return math.nan
    ends = [_oxide(phases, precursor) for precursor in one.precursors]
    if None in ends or composition_key(str(ends[0])) == composition_key(str(ends[1])):
        return math.nan
    table = growth_constants(phases, transport, [T], energies=energies, between=(str(ends[0]), str(ends[1])), draws=0)
    mine = table[[composition_key(f) == composition_key(one.target) for f in table["phase"]]]
    return float(mine["K_D_m2_per_s"].iloc[0]) if len(mine) else math.nan


def _oxide(phases: Phases, precursor: Precursor) -> str | None:
    """Return the last solid that a precursor turns into, None where the phases lack it."""
    last = decomposition_chain(precursor)[-1]
    return phases[last].formula if last in phases else None
