"""What commands print: tables, numbers with errors, notes, JSON and a progress bar."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tammann.files import json_safe


def format_percent(share: float) -> str:
    """Return a share in percent with one decimal, without the sign."""
    return f"{100 * share:.1f}"


def format_with_error(value: float, error: float | None, *, digits: int = 2) -> str:
    """Return a value with its standard error in the last ``digits``, such as 2.03(4)e-10."""
    if value is None or not math.isfinite(value):
        return "-"
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    exponent = math.floor(math.log10(max(abs(value), error)))
    power = exponent if abs(exponent) > 3 else 0
    mantissa, spread = value / 10.0**power, error / 10.0**power
    places = max(0, digits - 1 - math.floor(math.log10(spread)))
    shown = f"{mantissa:.{places}f}({spread * 10.0**places:.0f})"
    return f"{shown}e{power:+03d}" if power else shown


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal, or as wide as it needs to be without one."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True, header_style="bold")
    for k, name in enumerate(columns):
        words = k == 0 or name in ("source", "observation", "when", "mark")
        table.add_column(name, justify="left" if words else "right", no_wrap=k == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=500)
    console.print(table)


def print_warnings(*groups: Iterable[str]) -> None:
    """Print a line for each note."""
    for group in groups:
        for warning in group:
            print(f"Note: {warning}")


def merge_volume_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the notes with those on doubtful volumes made one where they are more than three."""
    volumes = [warning for warning in warnings if "it may be another polymorph" in warning]
    notes = [warning for warning in warnings if warning not in volumes]
    if len(volumes) <= 3:
        return [*volumes, *notes]
    names = ", ".join(warning.partition(":")[0] for warning in volumes[:3])
    doubt = f"{len(volumes)} volumes may be of another polymorph or a slip: {names} and {len(volumes) - 3} more"
    return [f"{doubt}; 'tammann energies --json' lists them.", *notes]


def format_number(value: float, form: str) -> str:
    """Return a number in a Python format, or a dash for one that is not known."""
    if math.isnan(value):
        return "-"
    text = format(round(float(value), 9) if abs(value) > 1e-3 else value, form)
    return text if float(text) else format(0.0, form)  # no figure reads -0.0


def print_json(value: Any) -> None:
    """Print a result as JSON, null for numbers that are not finite."""
    print(json.dumps(json_safe(value), indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress_bar(
    *, hidden: bool = False, window_s: float = 30.0, heading: str = ""
) -> Iterator[Callable[[float, str, float | None], None] | None]:
    """Yield a progress callback that draws a bar on standard error, or None if it is hidden or there is no terminal.

    The speed is averaged over ``window_s``, s, long where reports are rare or uneven; ``heading`` is a line above.
    """
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[temperature]}"),
        TimeRemainingColumn(compact=True, table_column=Column(min_width=5, no_wrap=True)),
        console=Console(stderr=True),
        transient=True,
        expand=True,
        speed_estimate_period=window_s,
    )
    with bar:
        if heading:
            bar.console.print(heading, highlight=False)
        task = bar.add_task("starting", total=1.0, temperature="")

        def report(fraction: float, stage: str, temperature_K: float | None = None) -> None:
            temperature = "" if temperature_K is None else f"{temperature_K:.0f} K"
            bar.update(task, completed=fraction, description=stage, temperature=temperature)

        yield report
