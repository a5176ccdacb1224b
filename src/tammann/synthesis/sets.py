"""The sets of precursors that make a target, balanced exactly with gases and salts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError, check_argument
from tammann.recipe import ATMOSPHERES
from tammann.synthesis.exchange import VOLATILE, OpenSystem, Surroundings
from tammann.synthesis.oxidation import states_balance
from tammann.synthesis.precursor_list import USUAL_KINDS, Precursor, choose_precursors
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.synthesis.search import Search
from tammann.thermo import Phases
from tammann.thermo.gases import known_as_gas

INERT_WORDS = frozenset({"argon", "Ar", "nitrogen", "N2"})
"""What else an inert atmosphere is called; nitrogen makes no nitrides here."""


def precursor_sets(
    phases: Phases,
    target: str,
    *,
    atmosphere: str = "air",
    partial_pressure_Pa: Mapping[str, float] | None = None,
    release_pressure_Pa: float = 1.0,
    temperature_K: float = 1300.0,
    kinds: Iterable[str] = USUAL_KINDS,
    candidates: Iterable[str | Precursor] | None = None,
    max_precursors: int | None = None,
    metathesis: bool = True,
    uphill: bool = False,
    energies: str | None = None,
) -> tuple[PrecursorSet, ...]:
    """Return the sets of precursors that make a target and no other solid but a salt.

    A set is balanced in exactly one way: sum_i a_i P_i (+ gases) -> T (+ salt) (+ gases) with the smallest whole
    numbers, all a_i > 0, and it cannot do without one of its precursors. Elements that gases carry, O, C, H, N and
    halogens, come and go as O2, CO2, H2O, NO2 (NH3 from ammonium salts), HCl or Cl2; a gas that the atmosphere does not
    hold is only given off. In metathesis a chloride (any halide among ``candidates``) and a carbonate or mixed oxide of
    Li, Na or K leave an alkali halide.
    For their energy precursors count as what they have turned into by then: acetates and oxalates, which have none, as
    carbonate or oxide; nitrates and the like above their decomposition temperature, and what oxygen oxidizes, as oxide.

    Args:
        phases: Energies; the target must be among them.
        target: Formula, any multiple.
        atmosphere: ``air``, ``inert`` (also ``argon`` or ``N2``), ``oxygen``, ``CO2`` or ``vacuum``.
        partial_pressure_Pa: Gases held at a pressure, Pa, instead of a named atmosphere.
        release_pressure_Pa: Pressure, Pa, against which all other gases leave.
        temperature_K: Temperature of the energies.
        kinds: Kinds of precursor of the shipped list.
        candidates: Formulas or precursors to choose from instead of the list.
        max_precursors: The most in a set; if None 3 or the number of cations, and one more in metathesis where needed.
        metathesis: Whether salts may be by-products.
        uphill: Whether sets are kept that would have to take up Gibbs energy.
        energies: Name of the energy set, the default set if None.

    Returns:
        The sets, in the order of the list of precursors, those of metathesis last.

    Raises:
        DataError: The target has no energy, an element has no precursor, or no set balances or goes downhill.

    Example:
        >>> from tammann.thermo import load_phases
        >>> sets = precursor_sets(load_phases("Ba-Ti-O"), "BaTiO3", kinds=["oxide", "carbonate"])
        >>> [one.name for one in sets if "TiO2" in one.name]
        ['BaO + TiO2', 'BaCO3 + TiO2', 'BaO2 + TiO2']
    """
    check_argument("phases", phases, "Phases", "what load_phases returns")
    if partial_pressure_Pa is None:
        atmosphere = "inert" if atmosphere in INERT_WORDS else atmosphere
        if atmosphere not in ATMOSPHERES:
            raise DataError(f"atmosphere {atmosphere!r} has no name here: expected {', '.join(ATMOSPHERES)}.")
        partial_pressure_Pa = ATMOSPHERES[atmosphere]
    furnace = Surroundings(float(temperature_K), dict(partial_pressure_Pa), release_pressure_Pa)
    system = OpenSystem(phases, furnace, energies)
    search = Search(system, _position(system, target))
    if not search.metals:
        raise DataError(f"{target} has no element that stays in a solid; expected a compound that precursors make.")
    there = choose_precursors({*phases.elements, *VOLATILE}, kinds=kinds, candidates=candidates)
    others = tuple(one for one in there if composition_key(one.composition) != search.key)
    if candidates is not None and len(others) < len(there) and not others:
        raise DataError(f"{target} is its own precursor here; name what it is to be made of.")
    there = others
    found = list(search.with_gases(there, max_precursors or max(3, len(search.metals))))
    if metathesis:
        found += search.with_salts(there, max_precursors, named=candidates is not None)
    if not found:
        raise search.no_set(there, named=candidates is not None)
    known = [one for one in found if one is not None]
    if not known:
        raise search.lacking_gas(there) or DataError(
            f"{target}: {len(found)} sets of precursors balance, but none has energies of all its solids at "
            f"{temperature_K:g} K; use energies that have them, or other kinds of precursor."
        )
    kept = tuple(one for one in known if uphill or one.gibbs_eV_per_target < 0)
    if not kept:
        raise DataError(
            f"{target}: {len(known)} sets of precursors balance, but at {temperature_K:g} K each would have to take up "
            "Gibbs energy; change the temperature or the gases."
        )
    return kept


def _position(system: OpenSystem, target: str) -> int:
    """Return where the target is.

    Raises:
        DataError: It cannot be read, or has no energy.
    """
    composition = parse_formula(target)
    found = system.solid(target)
    if found is None and known_as_gas(target):
        raise DataError(f"{target} is known as a gas only; expected a solid that precursors make.")
    if found is None:
        doubt = "" if states_balance(composition) else ", and no oxidation states of its elements add up to zero"
        advice = "check the formula" if doubt else "give it one in a table of your own, with its competitors"
        why = next((f" ({reason})" for name, reason in system.phases.left_out.items() if _same(name, target)), "")
        raise DataError(
            f"{target} has no energy in the set {system.phases.energy_set(system.energies).name!r} at "
            f"{system.surroundings.temperature_K:g} K{why}{doubt}: {advice}."
        )
    return found


def _same(name: str, formula: str) -> bool:
    """Tell whether a name is a formula of the same composition."""
    try:
        return composition_key(name) == composition_key(formula)
    except DataError:
        return False
