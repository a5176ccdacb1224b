"""Where phases come from: a shipped system, a user's file, or the Materials Project."""

from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from tammann.errors import DataError, check_argument
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS, shipped_system
from tammann.thermo.phase import Phases

if TYPE_CHECKING:
    from tammann.thermo.entries import MeltingPoints


def load_phases(
    source: str | Path = DEFAULT_SYSTEM,
    *,
    melting_points: str | Path | None = None,
    fill: bool = False,
    computed: str | Path | None = None,
    equilibria: str | Path | None = None,
) -> Phases:
    """Load the phases of a system with their energies.

    Args:
        source: ``"Ba-Ti-O"``, which ships with the package (elements in any order); a path to the user's own entries,
            CSV or pymatgen JSON, also compressed (``.gz``); ``"measured:Sr-Ti-O-C"``, what tables of measurements know
            of these elements; or ``"mp-api:Sr-Ti-O"``, which asks the Materials Project (extra ``tammann[mp]`` and a
            key in the environment variable ``MP_API_KEY``).
        melting_points: A CSV table with the columns ``formula``, ``melting_point_K`` and ``source``, which counts
            before what entries say; the Materials Project has none. Not for a shipped system.
        fill: Add what the library of measured energies knows of the elements; computed energies are then corrected on
            it, see ``filled``. Not for a shipped system.
        computed: A file of computed energies, for ``measured:`` only: compounds that nobody measured come from it,
            corrected on those that are in both.
        equilibria: A YAML file of known equilibria that the energies are made to satisfy, see ``with_equilibria``.

    Raises:
        DataError: There is no such system or file, or its content cannot be used.

    Example:
        >>> phases = load_phases("Ba-Ti-O")
        >>> phases.default_energies, "BaTiO3" in phases
        ('assessed', True)
    """
    check_argument("phases", source, (str, PathLike), "the name of a system or file")
    for name, file in (("melting_points", melting_points), ("computed", computed), ("equilibria", equilibria)):
        check_argument(name, file, (str, PathLike, NoneType), "the name of a file, or None")
    if equilibria is not None and isinstance(source, str) and shipped_system(source) is not None:
        raise DataError(
            f"equilibria {str(equilibria)!r} cannot go with {source}, which ships with its own: leave it out, or use "
            "energies of your own"
        )
    phases = _loaded(source, melting_points, fill=fill, computed=computed)
    if equilibria is None:
        return phases
    from tammann.thermo.known_equilibria import with_equilibria

    return with_equilibria(phases, equilibria)


def _loaded(
    source: str | Path, melting_points: str | Path | None, *, fill: bool, computed: str | Path | None
) -> Phases:
    from tammann.thermo.against_library import melting_points_apart
    from tammann.thermo.csv_table import read_melting_points
    from tammann.thermo.fill import filled, with_computed
    from tammann.thermo.measured import MEASURED, measured_phases, with_melting_points

    text = str(source)
    if computed is not None and not text.startswith(f"{MEASURED}:"):
        raise DataError(
            f"computed {str(computed)!r} goes with measured: followed by the elements only, got {text!r}; to add "
            "measured energies to a file of your own, set fill"
        )
    stated = None if melting_points is None else read_melting_points(melting_points)
    if text.startswith("mp-api:"):
        from tammann.thermo.materials_project import fetch_phases

        fetched = fetch_phases(text.removeprefix("mp-api:"), melting_points=stated)
        return filled(fetched) if fill else fetched
    if text.startswith(f"{MEASURED}:"):
        phases = measured_phases([element for element in text.removeprefix(f"{MEASURED}:").split("-") if element])
        if computed is not None:
            phases = with_computed(phases, _read(Path(computed), stated))
        if stated is None:
            return phases
        changed = with_melting_points(phases, stated)
        return replace(changed, warnings=(*changed.warnings, *melting_points_apart(changed, phases)))
    if isinstance(source, str) and shipped_system(text) is not None:
        if fill:
            raise DataError(f"fill cannot go with {text}, which ships with its competitors: leave it out")
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
    phases = _read(path, stated)
    return filled(phases) if fill else phases


def _read(path: Path, stated: "MeltingPoints | None") -> Phases:
    from tammann.thermo.against_library import checked
    from tammann.thermo.computed_entries import read_entries
    from tammann.thermo.csv_table import read_csv

    read = read_entries if path.name.lower().removesuffix(".gz").endswith(".json") else read_csv
    return checked(read(path, melting_points=stated))
