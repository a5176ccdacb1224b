"""What the library of measured energies lacks of a system, and what would fill it."""

from itertools import combinations

from tammann.thermo.freed import is_installed as freed_is_installed
from tammann.thermo.handbook import is_installed as handbook_is_installed
from tammann.thermo.phase import Phases

_NONMETALS = frozenset("H B C N O F Si P S Cl Ge As Se Br Sb Te I He Ne Ar Kr Xe Rn".split())
_NAMED = 12


def gaps_of(phases: Phases) -> tuple[str, ...]:
    """Return a sentence for each thing that the library does not know of a system.

    Looked for are packages that would add compounds, oxides of two metals of which no table has any, and volumes and
    melting points that are estimated or missing.

    Example:
        >>> from tammann.thermo import measured_phases
        >>> any("Mn-Y-O" in sentence for sentence in gaps_of(measured_phases(["Y", "Mn", "O"])))
        True
    """
    found = []
    lacking = [
        f"{package} ({what})"
        for package, what, there in (
            ("reaction-network", "the energies of FREED", freed_is_installed()),
            ("chemicals", "melting points and volumes of the CRC Handbook", handbook_is_installed()),
        )
        if not there
    ]
    if lacking:
        found.append(
            f"not installed: {' and '.join(lacking)}; pip install 'tammann[measured]' brings more compounds and data"
        )
    found += _oxides(phases)
    for name, unit in (("volume", "volume_A3_per_atom"), ("melting_point", "melting_point_K")):
        estimated = [p.formula for p in phases if "estimated" in getattr(p, f"{name}_source")]
        unknown = [p.formula for p in phases if p.state == "solid" and not getattr(p, f"{name}_source")]
        words = name.replace("_", " ")
        advice = "a table of your own, the recipe's melting_points, counts before them" if "melt" in name else ""
        if estimated:
            found.append(f"{words}s of {_listed(estimated)} are estimated{'; ' if advice else ''}{advice}")
        if unknown:
            found.append(f"no {words} of {_listed(unknown)} is known: give {unit} with energies of your own")
    return tuple(found)


def _oxides(phases: Phases) -> list[str]:
    """Return the sentence on pairs of metals without a common oxide, if there are any."""
    metals = [element for element in phases.elements if element not in _NONMETALS]
    known = {frozenset(phase.composition) for phase in phases}
    pairs = [f"{a}-{b}-O" for a, b in combinations(metals, 2) if "O" in phases.elements and {a, b, "O"} not in known]
    if not pairs:
        return []
    return [
        f"no table has a compound of {_listed(pairs)}: if there is one, give its energy in a file of your own, or take "
        "computed energies (mp-api) corrected on measured compounds"
    ]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
