"""What ships with the package: a system's phases, energy sets, constraints, transport tables and end members."""

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
        transport: Names of its transport tables and their files in ``data/``; the first is the default.
        end_members: The two ends of the line that its figures and growth constants are drawn on.
        colours: Colour of each of its common phases in figures.
    """

    name: str
    phases: str
    constraints: str
    transport: dict[str, str]
    end_members: tuple[str, str]
    colours: dict[str, str]


DEFAULT_SYSTEM = "Ba-Ti-O"

SYSTEMS = {
    "Ba-Ti-O": System(
        name="Ba-Ti-O",
        phases="phases/Ba-Ti-O.csv",
        constraints="constraints/Ba-Ti-O.yaml",
        transport={"karan-2026": "ba-ti-o-karan-2026.json", "tammann-2026": "ba-ti-o-melts.json"},
        end_members=("BaO", "TiO2"),
        # Phases that are often seen together get colours that are far apart.
        colours={
            "BaTiO3": "#0072B2",
            "Ba2TiO4": "#D55E00",
            "BaTi2O5": "#009E73",
            "BaO": "#E69F00",
            "TiO2": "#7A7A7A",
            "BaCO3": "#663300",
            "Ba6Ti17O40": "#CC79A7",
            "Ba4Ti13O30": "#332288",
            "BaTi4O9": "#556600",
            "Ba2Ti9O20": "#56B4E9",
            "BaTi5O11": "#882255",
            "Ba3TiO5": "#88BB55",
            "Ba4TiO6": "#BB3399",
            "BaTi6O13": "#004433",
            "BaO2": "#6677FF",
            # Rare ones share a colour with something they are seldom seen beside.
            "Ba4Ti12O27": "#7733BB",
            "Ba2Ti6O13": "#6677FF",
            "Ti2O3": "#88BB55",
            "Ti3O5": "#BB3399",
            "TiO": "#663300",
        },
    )
}


def shipped_system(name: str) -> System | None:
    """Return the shipped system of a name, its elements in any order, or None where there is none."""
    wanted = sorted(name.split("-"))
    return next((system for system in SYSTEMS.values() if sorted(system.name.split("-")) == wanted), None)


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
