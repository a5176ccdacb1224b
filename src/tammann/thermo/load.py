"""Where phases come from: a shipped system, a user's file, or the Materials Project."""

from pathlib import Path

from tammann.errors import DataError
from tammann.thermo.phase import Phases

SHIPPED = ("Ba-Ti-O",)


def load_phases(source: str | Path = "Ba-Ti-O") -> Phases:
    """Load the phases of a system with their energies.

    Args:
        source: ``"Ba-Ti-O"``, the system that ships with the package (elements in any order); a path to the user's own
            entries, CSV or pymatgen JSON; or ``"mp-api:Sr-Ti-O"``, which asks the Materials Project (extra
            ``tammann[mp]`` and a key in the environment variable ``MP_API_KEY``).

    Raises:
        DataError: there is no such system or file, or its content cannot be used.

    Examples:
        >>> phases = load_phases("Ba-Ti-O")
        >>> phases.default_energies, "BaTiO3" in phases
        ('assessed', True)
    """
    text = str(source)
    if text.startswith("mp-api:"):
        from tammann.thermo.materials_project import fetch_phases

        return fetch_phases(text.removeprefix("mp-api:"))
    if isinstance(source, str) and set(text.split("-")) == {"Ba", "Ti", "O"}:
        from tammann.thermo.ba_ti_o import ba_ti_o

        return ba_ti_o()
    path = Path(source)
    if not path.suffix and not path.exists():
        raise DataError(
            f"system {text!r} does not ship with tammann: expected {', '.join(SHIPPED)}, a path to a CSV or JSON file "
            "of your own entries, or mp-api: followed by the elements"
        )
    from tammann.thermo.entries import read_csv, read_entries

    return read_entries(path) if path.suffix.lower() == ".json" else read_csv(path)
