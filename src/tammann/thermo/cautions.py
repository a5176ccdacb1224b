"""Which remarks on energies change the answer of a run, and how these sentences begin or read."""

from tammann.thermo.phase import Phases

MOVED_FAR = "moved by more than two standard errors to satisfy known equilibria"
NOT_CORRECTED = "not corrected, because"
LEFT_OUT = "left out as unusable"
FAR_FROM_LIBRARY = "far from what the library of measured energies has"


def cautions(phases: Phases, energies: str | None = None) -> tuple[str, ...]:
    """Return the warnings of a system and of one of its energy sets that change the answer.

    These are energies that known equilibria move far, computed ones that nothing corrects, lines of a user's table that
    are left out, and numbers in it that the library contradicts.

    Args:
        phases: The system.
        energies: Name of the energy set; the default set where none is given.

    Example:
        >>> from tammann.thermo import load_phases
        >>> cautions(load_phases("measured:Mg-Al-O"))
        ()
    """
    said = (*phases.warnings, *phases.energy_set(energies).warnings)
    return tuple(w for w in said if any(words in w for words in (MOVED_FAR, NOT_CORRECTED, LEFT_OUT, FAR_FROM_LIBRARY)))
