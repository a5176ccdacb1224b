"""Where phases come from: a shipped system, a user's file, or the Materials Project."""

from os import PathLike
from pathlib import Path
from types import NoneType

from tammann.errors import DataError, check_argument
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS, shipped_system
from tammann.thermo.phase import Phases


def load_phases(source: str | Path = DEFAULT_SYSTEM, *, melting_points: str | Path | None = None) -> Phases:
    """Load the phases of a system with their energies.

    Args:
        source: ``"Ba-Ti-O"``, which ships with the package (elements in any order); a path to the user's own entries,
            CSV or pymatgen JSON, also compressed (``.gz``); ``"measured:Sr-Ti-O-C"``, what tables of measurements know
            of these elements; or ``"mp-api:Sr-Ti-O"``, which asks the Materials Project (extra ``tammann[mp]`` and a
            key in the environment variable ``MP_API_KEY``).
        melting_points: A CSV table with the columns ``formula``, ``melting_point_K`` and ``source``, which counts
            before what entries say; the Materials Project has none. Not for a shipped system.

    Raises:
        DataError: There is no such system or file, or its content cannot be used.

    Example:
        >>> phases = load_phases("Ba-Ti-O")
        >>> phases.default_energies, "BaTiO3" in phases
        ('assessed', True)
    """
    from tammann.thermo.computed_entries import read_entries
    from tammann.thermo.csv_table import read_csv, read_melting_points
    from tammann.thermo.measured import MEASURED, measured_phases, with_melting_points

    check_argument("phases", source, (str, PathLike), "the name of a system or file")
    check_argument("melting_points", melting_points, (str, PathLike, NoneType), "the name of a table, or None")
    text = str(source)
    stated = None if melting_points is None else read_melting_points(melting_points)
    if text.startswith("mp-api:"):
        from tammann.thermo.materials_project import fetch_phases

        return fetch_phases(text.removeprefix("mp-api:"), melting_points=stated)
    if text.startswith(f"{MEASURED}:"):
        phases = measured_phases([element for element in text.removeprefix(f"{MEASURED}:").split("-") if element])
        return phases if stated is None else with_melting_points(phases, stated)
    if isinstance(source, str) and shipped_system(text) is not None:
        if stated is not None:
            raise DataError(
                f"melting_points {str(melting_points)!r} cannot go with {text}, which ships with its own: leave it "
                "out, or use energies of your own"
            )
        from tammann.thermo.ba_ti_o import ba_ti_o

        return ba_ti_o()
    path = Path(source)
    if not path.suffix and not path.exists():
        raise DataError(
            f"system {text!r} does not ship with tammann: expected {', '.join(SYSTEMS)}, a path to a CSV or JSON file "
            "of your own entries, or measured: or mp-api: followed by the elements"
        )
    read = read_entries if path.name.lower().removesuffix(".gz").endswith(".json") else read_csv
    return read(path, melting_points=stated)
