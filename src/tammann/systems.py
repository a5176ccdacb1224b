"""What ships with the package: a system's phases, energy sets, constraints, transport tables and end members."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from tammann.errors import DataError


@dataclass(frozen=True)
class System:
    """A chemical system that ships with the package.

    Attributes:
        name: Its elements, joined by hyphens.
        phases: Name of its table of phases in ``data/``.
        constraints: Name of its file of known equilibria in ``data/``.
        assessed: Name of its table of the shifts that these give in ``data/``.
        transport: Names of its transport tables and their files in ``data/``; the first is the default.
        end_members: The two ends of the line that its figures and growth constants are drawn on.
        colours: Colour of each of its common phases in figures.
    """

    name: str
    phases: str
    constraints: str
    assessed: str
    transport: dict[str, str]
    end_members: tuple[str, str]
    colours: dict[str, str]


def data_file(name: str) -> Traversable:
    """Return a file of the package's ``data`` folder.

    Args:
        name: Path below ``data``, with forward slashes.

    Raises:
        DataError: There is no such file.
    """
    file = files("tammann").joinpath("data", *name.split("/"))
    if not file.is_file():
        raise DataError(f"{name}: expected a file that ships with tammann, found none; install the package again.")
    return file


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV table in ``data``, keyed by its header, without its comments, which start with #."""
    lines = data_file(name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")))


def load_colours(group: str) -> dict[str, str]:
    """Return colours by name from ``colours.csv``: those of a system, the ``elements`` or the ``palette``."""
    return {row["name"]: row["colour"] for row in read_rows("colours.csv") if row["group"] == group}


DEFAULT_SYSTEM = "Ba-Ti-O"

SYSTEMS = {
    "Ba-Ti-O": System(
        name="Ba-Ti-O",
        phases="phases/Ba-Ti-O.csv",
        constraints="constraints/Ba-Ti-O.yaml",
        assessed="phases/Ba-Ti-O-assessed.csv",
        transport={"karan-2026": "ba-ti-o-karan-2026.json", "tammann-2026": "ba-ti-o-melts.json"},
        end_members=("BaO", "TiO2"),
        colours=load_colours("Ba-Ti-O"),
    )
}


def shipped_system(name: str) -> System | None:
    """Return the shipped system of a name, its elements in any order, or None where there is none."""
    wanted = sorted(name.split("-"))
    return next((system for system in SYSTEMS.values() if sorted(system.name.split("-")) == wanted), None)
