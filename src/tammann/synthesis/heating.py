"""What a precursor has turned into by the time it reacts."""

from __future__ import annotations

from collections.abc import Callable

from tammann.composition import parse_formula
from tammann.synthesis.exchange import VOLATILE, OpenSystem
from tammann.synthesis.precursor_list import Precursor, decomposition_chain


def solids_when_hot(system: OpenSystem, one: Precursor) -> list[str]:
    """Return the solids that a precursor may stand for, the likeliest first.

    Along its decomposition the first solid with an energy counts, then the next for as long as the gases that this step
    gives off would have more than 1 bar: above its decomposition temperature a nitrate or hydroxide is its oxide. What
    the furnace's O2 then oxidizes on its own, lower oxides, elements and many halides, counts as the oxide it becomes,
    and an oxide that takes up the furnace's CO2 as its carbonate.

    Args:
        system: Phases and gases.
        one: The precursor.

    Returns:
        Formulas of solids with energies; empty where there is none. What comes after the first is for balances that the
        first does not fit: of chlorine that a salt must keep, or of the target itself.

    Example:
        >>> from tammann.synthesis import Precursor, Surroundings
        >>> from tammann.thermo import load_phases
        >>> air = Surroundings(1300.0, {"O2": 21000.0, "CO2": 40.0})
        >>> system = OpenSystem(load_phases("Ba-Ti-O"), air)
        >>> solids_when_hot(system, Precursor("BaCO3", "carbonate", "BaO"))[0]
        'BaCO3'
        >>> solids_when_hot(system, Precursor("Ti2O3", "oxide"))
        ['TiO2', 'Ti2O3']
    """
    known = [formula for formula in decomposition_chain(one) if system.solid(formula) is not None]
    if not known:
        return []
    here = known[0]
    for following in known[1:]:
        energy = _change_eV(system, here, following, system.boiling_potential_eV)[0]
        if energy is None or energy > 0:
            break
        here = following
    return list(dict.fromkeys([_taken_up(system, here), here, *known]))


def _taken_up(system: OpenSystem, formula: str) -> str:
    """Return the oxide or carbonate of its one metal that O2 or CO2 makes of a solid downhill, or the solid."""
    held = {"O2", "CO2"} & set(system.surroundings.partial_pressure_Pa)
    metals = set(parse_formula(formula)) - set(VOLATILE)
    if not held or len(metals) != 1:
        return formula
    made_of = [{*metals, "O"}, {*metals, "O", "C"}] if "CO2" in held else [{*metals, "O"}]
    best, name = -1e-9, formula
    for i in system.solids:
        other = system.phases[i]
        if set(other.composition) in made_of:
            energy, gases = _change_eV(system, formula, other.formula, system.potential_eV)
            if energy is not None and energy < best:
                best, name = energy, other.formula if any(gases.get(gas, 0.0) < 0 for gas in held) else formula
    return name


def _change_eV(
    system: OpenSystem, before: str, after: str, leaving_eV: Callable[[str], float]
) -> tuple[float | None, dict[str, float]]:
    """Return the Gibbs energy of a change of one solid into another, per atom of metal, and the gases given off.

    ``leaving_eV`` is the potential of those; the energy is None where the metals differ, or a gas would be taken up
    that is not held.
    """
    first, second = parse_formula(before), parse_formula(after)
    metal = next((element for element in first if element not in VOLATILE), None)
    if metal is None or metal not in second:
        return None, {}
    over = second[metal] * system.row(first) - first[metal] * system.row(second)
    names, amounts, allowed = system.exchanged(over[None], VOLATILE)
    if not allowed[0]:
        return None, {}
    (i, a), (j, b) = system.solid_units(before), system.solid_units(after)
    gases = dict(zip(names, amounts[0].tolist(), strict=True))
    energy = first[metal] * b * system.gibbs_eV[j] - second[metal] * a * system.gibbs_eV[i]
    energy += sum(n * (leaving_eV(gas) if n > 0 else system.potential_eV(gas)) for gas, n in gases.items())
    return float(energy / (first[metal] * second[metal])), gases
