"""Options that several commands share, and how their values are read."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tammann.errors import DataError, ResultError


def check_figure_file(file: Path | None) -> Path | None:
    """Return the name of a figure after checking its ending and its folder, before anything is computed."""
    if file is None:
        return None
    if file.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ResultError(f"--plot: expected a file name that ends in .png, .pdf or .svg, got {str(file)!r}.")
    if not file.parent.is_dir():
        raise ResultError(f"--plot: expected a directory that exists, got {str(file.parent)!r}; make it first.")
    return file


System = Annotated[
    str, typer.Argument(help="A shipped system, a .csv or .json file of phases, measured:A-B-C, or mp-api:A-B-C.")
]
Energies = Annotated[str | None, typer.Option(metavar="NAME", help="Energy set; the system's default if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a figure: .png, .pdf or .svg.", callback=check_figure_file)
]
Between = Annotated[tuple[str, str] | None, typer.Option(metavar="A B", help="Two phases, such as BaO TiO2.")]
Gases = Annotated[
    list[str] | None,
    typer.Option("--gas", metavar="GAS=PA", help="Partial pressure in Pa, such as CO2=40.5; repeatable."),
]
Fill = Annotated[
    bool, typer.Option("--fill", help="Add what the library of measured energies knows of the elements of a file.")
]
Computed = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Computed energies for measured:A-B-C, corrected on what both have."),
]
Equilibria = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Known equilibria (YAML) that the energies have to satisfy.")
]
MeltingPoints = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="CSV table: formula, melting_point_K, source; for phases of your own."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=1024, metavar="N", help="Cores to use; all of them if not given.")
]


def parse_numbers(words: list[str] | None, option: str, expected: str) -> dict[str, float] | None:
    """Return the numbers in words such as Ba=2 or CO2=40.5, by what stands before the sign; None without words.

    ``option`` and what is ``expected`` of it stand in the message on a word without a name or a finite number.
    """
    numbers: dict[str, float] = {}
    for word in words or ():
        name, _, number = word.partition("=")
        try:
            numbers[name] = float(number)
        except ValueError:
            numbers[name] = math.nan
        if not name or not math.isfinite(numbers[name]):
            raise DataError(f"{option}: expected {expected}, got {word!r}.")
    return numbers or None


def parse_pressures(words: list[str] | None) -> dict[str, float] | None:
    """Return partial pressures, Pa, from words such as CO2=40.5."""
    expected = "a gas and its pressure in Pa, such as CO2=40.5"
    pressures = parse_numbers(words, "--gas", expected)
    for gas, pressure in (pressures or {}).items():
        if not 0 < pressure <= 1e12:
            raise DataError(f"--gas: expected {expected}, got {gas}={pressure:g}.")
    return pressures


def spread_values(arguments: Sequence[str]) -> list[str]:
    """Repeat an option that may take several words before each of them: --charges Ba=2 O=-2."""
    several = {
        "--from": lambda word: word[:1].isalpha() and not word.lower().endswith((".yaml", ".yml")) and "/" not in word,
        "--charges": lambda word: "=" in word,
        "--temperature-K": _is_number,
        "--temperatures": _is_number,
        "--types": lambda word: word.isalpha() and len(word) < 3 and word[0].isupper() and not Path(word).exists(),
    }
    spread: list[str] = []
    option = ""
    for word in arguments:
        if word in several:
            option = word
        elif option and spread[-1] != option and several[option](word):
            spread.append(option)
        elif option and spread[-1] != option:
            option = ""
        spread.append(word)
    return spread


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
