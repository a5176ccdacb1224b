"""Options that several commands share, and what their words mean."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tammann.errors import DataError, ResultError

System = Annotated[str, typer.Argument(help="A shipped system, a .csv or .json file of phases, or mp-api:A-B-C.")]


Energies = Annotated[str | None, typer.Option(metavar="NAME", help="Energy set; the system's default if not given.")]


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write a figure: .png, .pdf or .svg.", callback=lambda file: check_figure_file(file)
    ),
]


Between = Annotated[tuple[str, str] | None, typer.Option(metavar="A B", help="Two phases, such as BaO TiO2.")]


Gases = Annotated[
    list[str] | None,
    typer.Option("--gas", metavar="GAS=PA", help="Partial pressure in Pa, such as CO2=40.5; repeatable."),
]


Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Cores to use; all of them if not given.")]


def parse_charges(words: list[str] | None) -> dict[str, float] | None:
    """Charges in e from words such as Ba=2."""
    if not words:
        return None
    charges: dict[str, float] = {}
    for word in words:
        symbol, _, number = word.partition("=")
        try:
            charges[symbol] = float(number)
        except ValueError:
            charges[symbol] = math.nan
        if not symbol or not math.isfinite(charges[symbol]):
            raise DataError(f"--charges: expected an element and its charge, such as Ba=2, got {word!r}.")
    return charges


def spread_values(arguments: Sequence[str]) -> list[str]:
    """Repeat an option that may take several words before each of them: --charges Ba=2 O=-2."""
    several = {
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
            spread.append(word)
        elif option and spread[-1] != option and several[option](word):
            spread += [option, word]
        else:
            if not (option and spread[-1] == option):
                option = ""
            spread.append(word)
    return spread


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def parse_pressures(gas: list[str] | None) -> dict[str, float] | None:
    """Partial pressures in Pa from words such as CO2=40.5."""
    if not gas:
        return None
    pressures: dict[str, float] = {}
    for word in gas:
        formula, _, number = word.partition("=")
        try:
            pressures[formula] = float(number)
        except ValueError:
            pressures[formula] = math.nan
        if not formula or not 0 < pressures[formula] < math.inf:
            raise DataError(f"--gas: expected a gas and its pressure in Pa, such as CO2=40.5, got {word!r}.")
    return pressures


def check_figure_file(file: Path | None) -> Path | None:
    """Checked before anything is calculated for it."""
    if file is not None and file.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ResultError(f"--plot: expected a file name that ends in .png, .pdf or .svg, got {str(file)!r}.")
    if file is not None and not file.parent.is_dir():
        raise ResultError(f"--plot: expected a directory that exists, got {str(file.parent)!r}; make it first.")
    return file


def check_temperature(temperature_K: float) -> float:
    """A temperature that the shipped energies cover."""
    if not 300 <= temperature_K <= 2000:
        raise DataError(f"--temperature-K: expected a temperature from 300 to 2000 K, got {temperature_K:g}.")
    return temperature_K
