"""A recipe to start from, for any target: balanced, with a temperature and the sources of what it rests on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError, RecipeError
from tammann.recipe import ATMOSPHERES, Recipe
from tammann.synthesis import OpenSystem, PrecursorSet, precursor_sets
from tammann.synthesis.heating import solids_when_hot
from tammann.synthesis.oxidation import states_balance
from tammann.synthesis.sets import INERT_WORDS
from tammann.thermo import Phases, freed, load_phases
from tammann.thermo.gases import known_as_gas

SHARE_OF_MELTING_POINT = 2.0 / 3.0
"""Where solids react within hours: Tammann's rule puts the onset of mobility at half of the melting point in K, and
practice fires oxides somewhat above."""
BELOW_MELTING_K = 25.0
ABOVE_DECOMPOSITION_K = 100.0
ROUNDED_TO_K = 25.0
COLDEST_K, HOTTEST_K, USUAL_K = 400.0, 1950.0, 1300.0
RADIUS_UM = 0.5
HOLD_H = 12
RAMP_K_PER_MIN = 5


@dataclass(frozen=True)
class StartingRecipe:
    """A recipe for a target, and what it rests on.

    Attributes:
        text: The recipe, YAML with comments.
        precursors: The precursors and their reaction.
        temperature_K: Where it is held, K.
        notes: What a reader should know, a sentence each; they are comments of the text, too.
    """

    text: str
    precursors: PrecursorSet
    temperature_K: float
    notes: tuple[str, ...]


def starting_recipe(
    target: str,
    precursors: Sequence[str],
    *,
    atmosphere: str = "air",
    energies: str = "measured",
    computed: str | None = None,
    temperature_K: float | None = None,
    folder: str | os.PathLike[str] = ".",
) -> StartingRecipe:
    """Write a recipe for a target from its precursors.

    Amounts come from the reaction, balanced with the gases of the atmosphere. Without a temperature the furnace goes to
    2/3 of the melting point of the target, and stays below the melting points of all solids that react there (a
    hydroxide as the oxide that it has become) and of the salt that a metathesis leaves.

    Args:
        target: Formula of what is to be made.
        precursors: Formulas of what is weighed in, two or more (one where it only decomposes).
        atmosphere: One that a recipe can name: ``air``, ``inert`` (also ``argon`` or ``N2``), ``oxygen``, ``CO2`` or
            ``vacuum``.
        energies: ``measured``, or the path of a user's table or entries.
        computed: Beside ``measured``, the path of computed energies of what nobody has measured.
        temperature_K: Of the hold, K; chosen if None.
        folder: Where the recipe will lie, from which it finds its files.

    Raises:
        DataError: The target or a precursor has no energy, no reaction of these precursors makes it, or one of the
            solids melts below 425 K and no temperature is asked for.
        RecipeError: The atmosphere has no name, or a precursor is there twice.

    Example:
        >>> made = starting_recipe("MgAl2O4", ["MgO", "Al2O3"])
        >>> made.precursors.reaction.equation, made.temperature_K
        ('MgO + Al2O3 -> MgAl2O4', 1600.0)
        >>> Recipe.from_text(made.text).precursors[1].phase
        'Al2O3'
    """
    atmosphere = "inert" if atmosphere in INERT_WORDS else atmosphere
    if atmosphere not in ATMOSPHERES:
        raise RecipeError(f"atmosphere: expected {', '.join(ATMOSPHERES)}, got {atmosphere!r}")
    if len(set(precursors)) < len(precursors) or not precursors:
        given = ", ".join(precursors) or "none"
        raise RecipeError(f"precursors: expected formulas, each once, got {given}")
    if any(composition_key(formula) == composition_key(target) for formula in precursors):
        raise DataError(f"{target} is among its own precursors: expected what it is to be made of")
    phases = _phases(target, precursors, atmosphere, energies, computed)
    for formula in (target, *precursors):
        _check_known(phases, formula, energies, computed)
    names = [phases[phases.index(formula)].formula for formula in precursors]
    if temperature_K is None:
        hold_K, why, chosen = _hold(phases, target, names, atmosphere)
    else:
        hold_K, why = float(temperature_K), "as asked for"
        chosen = _chosen(phases, target, names, atmosphere, hold_K)
    notes = _notes(chosen, phases, hold_K)
    seen = energies if energies == "measured" else os.path.relpath(energies, folder)
    beside = None if computed is None else os.path.relpath(computed, folder)
    text = _text(chosen, names, atmosphere, seen, beside, hold_K, why, notes)
    Recipe.from_text(text)
    return StartingRecipe(text, chosen, hold_K, notes)


def _chosen(phases: Phases, target: str, names: Sequence[str], atmosphere: str, hold_K: float) -> PrecursorSet:
    """Return the set of all these precursors; refuse them where it leaves one out."""
    found = precursor_sets(
        phases, target, atmosphere=atmosphere, candidates=names, temperature_K=hold_K, uphill=True,
        max_precursors=max(len(names), 2),
    )  # fmt: skip
    whole = [one for one in found if len(one.precursors) == len(names)]
    if not whole:
        raise DataError(
            f"{target} comes from {found[0].name} alone: expected precursors that take part, got {', '.join(names)}; "
            "leave the others out"
        )
    return whole[0]


def _phases(target: str, precursors: Sequence[str], atmosphere: str, energies: str, computed: str | None) -> Phases:
    if energies != "measured":
        return load_phases(energies, computed=computed)
    elements = {element for formula in (target, *precursors) for element in parse_formula(formula)}
    elements |= {element for gas in ATMOSPHERES[atmosphere] for element in parse_formula(gas)}
    return load_phases(f"measured:{'-'.join(sorted(elements))}", computed=computed)


def _check_known(phases: Phases, formula: str, energies: str, computed: str | None) -> None:
    try:
        phase = phases[phases.index(formula)]
    except DataError as error:
        if formula in str(error) and "left out" in str(error):
            raise
        if known_as_gas(formula):
            raise DataError(f"{formula} is known as a gas only: expected solids as target and precursors") from None
        if not states_balance(parse_formula(formula)):
            raise DataError(
                f"{formula}: no oxidation states of its elements add up to zero; check the formula"
            ) from None
        source = "among the measured compounds" if energies == "measured" else f"in {energies}"
        if computed is not None:
            source += f", nor in {computed}"
        lacking = energies == "measured" and not freed.is_installed()
        more = "; more are known to pip install 'tammann[measured]'" if lacking else ""
        raise DataError(
            f"{formula} has no energy {source}: give it one, with those of its competitors, in a file of computed "
            f"energies (--computed FILE) or a table of your own (--energies FILE){more}"
        ) from None
    if phase.state == "gas":
        raise DataError(f"{formula} is a gas: expected solids as target and precursors")


def _hold(phases: Phases, target: str, names: Sequence[str], atmosphere: str) -> tuple[float, str, PrecursorSet]:
    """Return where the furnace holds, K, why, and the precursors as they react there.

    What reacts depends on the temperature: a hydroxide is its oxide before anything else happens. So the furnace starts
    from the temperature wanted and goes down until everything that reacts there is solid.

    A precursor that only turns into the target needs no more than to be above its own decomposition.

    Raises:
        DataError: No temperature that a furnace holds is below all melting points.
    """
    own = phases[phases.index(target)].melting_point_K
    gone_K = _falls_apart(phases, target, names, atmosphere)
    if gone_K is not None:
        hold_K = min(gone_K + ABOVE_DECOMPOSITION_K, HOTTEST_K)
        why = f"{ABOVE_DECOMPOSITION_K:g} K above where {names[0]} falls apart in 1 bar of its gases, {gone_K:.0f} K"
    elif math.isfinite(own):
        hold_K, why = _rounded(SHARE_OF_MELTING_POINT * own), f"2/3 of the melting point of {target}, {own:.0f} K"
    else:
        solids = _melting_points(phases, _chosen(phases, target, names, atmosphere, USUAL_K))
        if solids:
            lowest = min(solids, key=solids.__getitem__)
            hold_K = _rounded(SHARE_OF_MELTING_POINT * solids[lowest])
            why = f"2/3 of the melting point of {lowest}, {solids[lowest]:.0f} K"
        else:
            hold_K, why = USUAL_K, "no melting point of these solids is known"
    while True:
        chosen = _chosen(phases, target, names, atmosphere, hold_K)
        solids = _melting_points(phases, chosen)
        if gone_K is not None and hold_K > gone_K:
            solids.pop(chosen.reacts_as[0], None)
        lowest = min(solids, key=solids.__getitem__, default=target)
        if not solids or solids[lowest] - BELOW_MELTING_K >= hold_K:
            return hold_K, why, chosen
        if solids[lowest] - BELOW_MELTING_K < COLDEST_K:
            raise DataError(
                f"{lowest} melts at {solids[lowest]:.0f} K: no hold of {COLDEST_K:g} K or more stays below that, and a "
                "melt is not modelled; choose precursors that stay solid, or state a temperature (--temperature-K)"
            )
        hold_K = _rounded(solids[lowest] - BELOW_MELTING_K)
        why = f"below the melting point of {lowest}, {solids[lowest]:.0f} K"


def _falls_apart(phases: Phases, target: str, names: Sequence[str], atmosphere: str) -> float | None:
    """Return above which temperature, K, to 25 K, a single precursor is the target; None where it is not."""
    if len(names) != 1:
        return None
    hold_K = COLDEST_K
    while hold_K <= HOTTEST_K:
        chosen = _chosen(phases, target, names, atmosphere, hold_K)
        if len(chosen.reaction.reactants) > 1:  # it takes up a gas
            return None
        if composition_key(solids_when_hot(OpenSystem(phases, chosen.surroundings), chosen.precursors[0])[0]) == (
            composition_key(target)
        ):
            return hold_K
        hold_K += ROUNDED_TO_K
    return None


def _rounded(wanted_K: float) -> float:
    """Return a temperature that one sets, not above what is wanted but where that is colder than any."""
    return min(max(ROUNDED_TO_K * math.floor(wanted_K / ROUNDED_TO_K + 1e-9), COLDEST_K), HOTTEST_K)


def _melting_points(phases: Phases, chosen: PrecursorSet) -> dict[str, float]:
    """Return the melting points that are known, K, of the target, of what reacts and of what salt is left."""
    salt = () if chosen.by_product is None else (chosen.by_product,)
    solids = dict.fromkeys((chosen.target, *chosen.reacts_as, *salt))
    melting = {formula: phases[phases.index(formula)].melting_point_K for formula in solids}
    return {formula: T for formula, T in melting.items() if math.isfinite(T)}


def _notes(chosen: PrecursorSet, phases: Phases, hold_K: float) -> tuple[str, ...]:
    energy, error = chosen.gibbs_eV_per_target, chosen.standard_error_eV_per_target
    released = f"{energy:+.2f} ± {error:.2f} eV per {chosen.target} at {hold_K:g} K in this atmosphere."
    if chosen.solid_reaction == chosen.reaction:
        notes = [f"{chosen.reaction.equation}: {released}"]
    else:
        notes = [f"{chosen.reaction.equation}.", f"By then it is {chosen.solid_reaction.equation}: {released}"]
    if energy > 0:
        notes.append("By these energies it does not go forward there: expect little, or other products.")
    solids = [phases[phases.index(formula)] for formula in dict.fromkeys((chosen.target, *chosen.reacts_as))]
    if chosen.by_product is not None:
        solids.append(phases[phases.index(chosen.by_product)])
    molten = [f"{phase.formula} ({phase.melting_point_K:.0f} K)" for phase in solids if phase.melting_point_K < hold_K]
    if molten:
        notes.append(
            f"Melting or falling apart below {hold_K:g} K: {', '.join(molten)}. Energies are those of solids; a melt "
            "is not modelled."
        )
    estimated = [
        f"{phase.formula} ({what})"
        for formula in (chosen.target, *chosen.reacts_as)
        for phase in [phases[phases.index(formula)]]
        for what, source in (("melting point", phase.melting_point_source), ("volume", phase.volume_source))
        if source.startswith("estimated")
    ]
    if estimated:
        notes.append(f"Estimated, as no source has them: {', '.join(dict.fromkeys(estimated))}.")
    notes.append("No transport data: melting points stand in for what layers conduct, and hours are nominal.")
    return tuple(notes)


def _text(
    chosen: PrecursorSet,
    precursors: Sequence[str],
    atmosphere: str,
    energies: str,
    computed: str | None,
    hold_K: float,
    why: str,
    notes: Sequence[str],
) -> str:
    """Return the recipe as YAML."""
    amounts = dict(chosen.reaction.reactants)
    common = math.gcd(*(int(amounts[formula]) for formula in precursors))
    mixed = [f"  - phase: {formula}\n    ratio: {amounts[formula] // common}" for formula in precursors]
    where = "the elements' measured compounds" if energies == "measured" else "this file, relative to the recipe"
    return "\n".join(
        [
            *(f"# {note}" for note in notes),
            "# Every other key, and what it means: tammann new - (without options).",
            f"title: {chosen.target} from {' and '.join(precursors)}",
            "precursors:",
            *mixed,
            "# median radius of the powders' particles",
            f"particle_radius_um: {RADIUS_UM:g}",
            f"atmosphere: {atmosphere}",
            f"# energies: {where}",
            f"energies: {energies}",
            *([] if computed is None else ["# of what nobody has measured", f"computed: {computed}"]),
            "transport: none",
            "programme:",
            f"  # {why}",
            f"  - temperature_K: {hold_K:g}",
            f"    ramp_K_per_min: {RAMP_K_PER_MIN}",
            f"    hold_h: {HOLD_H}",
            "",
        ]
    )
