"""The application: its commands, its exit statuses, and what Ctrl-C does.

Libraries are imported inside the commands that need them, so that ``tammann --help`` answers at once.
"""

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Annotated, Any

import typer

from tammann._version import __version__
from tammann.cli import (
    couple,
    data,
    database,
    diffract,
    diffusivity,
    electrolyte,
    melt,
    options,
    potential,
    precursors,
    run,
    structure,
    system,
    transport,
    validate,
)
from tammann.errors import TammannError

app = typer.Typer(
    name="tammann",
    help="From a solid-state recipe to the phases a furnace would give.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
REPEAT_SECONDS = 2.0


def call(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The words after ``tammann``.

    Returns:
        0, 1 where a part of the work has failed, 2 for bad input (one sentence goes to standard error), 130 when
        interrupted, 141 when the reader of a pipe has gone.
    """
    command = typer.main.get_command(app)
    if "_TAMMANN_COMPLETE" in os.environ:  # the shell asks how a word could end
        command.main([], "tammann")
    interrupted = Event()
    try:
        # not through command.main, which has answers of its own to interruptions and broken pipes
        with (
            _persistent_interruption(interrupted),
            command.make_context("tammann", options.spread_values(arguments)) as context,
        ):
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _interruption(arguments)
    except Exception as error:
        if interrupted.is_set():  # an error caused by the interruption
            return _interruption(arguments)
        status = _answer(error)
        if status is None:
            raise
        return status
    return 0


def _answer(error: Exception) -> int | None:
    """Print an error that the user can mend and return the exit status; return None for a bug."""
    # recognized by its method: typer brings its own click, older versions use the package
    message = getattr(error, "format_message", None)
    if message is not None:
        sentence = _usage(error, message().replace("Value error, ", "").rstrip("."))
        # nothing where 'tammann' alone has printed the help
        stop = "" if sentence.endswith("?") else "."
        return _refuse(f"{sentence}{stop} See the option --help.") if sentence else BAD_INPUT
    if isinstance(error, TammannError):
        return _refuse(str(error))
    if isinstance(error, BrokenPipeError):
        # the rest of the buffer has no reader; without this the interpreter complains when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{where}{(error.strerror or str(error)).lower()}; mend that and try again.")
    if isinstance(error, MemoryError):
        return _refuse(f"there is not enough memory ({str(error).rstrip('.') or 'none left'}); take a smaller grid.")
    return None


def _usage(error: Any, sentence: str) -> str:
    """Return what typer says of the words of a command, with the option, what was expected and what was given."""
    problems = getattr(error.__cause__, "errors", None)  # of pydantic, which reads numbers for typer
    if problems is not None and problems()[0]["type"] != "value_error":
        problem, option = problems()[0], max(error.param.opts, key=len)
        expected = problem["msg"].removeprefix("Input should be ").partition(", unable")[0]
        expected = expected.replace("a valid integer", "a whole number").replace("a valid number", "a number")
        return f"{option}: expected {'' if expected.startswith('a') else 'a number '}{expected}, got {problem['input']}"
    context = getattr(error, "ctx", None)
    if context is not None and sentence.startswith("Got unexpected extra"):
        usage = " ".join(context.command.collect_usage_pieces(context)).replace("[[", "[").replace("]]", "]")
        sentence += f", expected {context.command_path} {usage}"
        if any(parameter.name == "between" for parameter in context.command.params):
            sentence += "; two phases are named by --between"
    return sentence


def _interruption(arguments: Sequence[str]) -> int:
    words = [word for word in arguments if word != "--resume"]
    resumable = words[:1] in (["run"], ["melt"], ["potential"], ["structure"], ["electrolyte"], ["database"])
    again = f"; continue with: {shlex.join(['tammann', *words, '--resume'])}" if resumable else "."
    print(f"\ntammann: interrupted{again}", file=sys.stderr)
    return INTERRUPTED


@contextmanager
def _persistent_interruption(interrupted: Event) -> Iterator[None]:
    """Repeat Ctrl-C every two seconds until the command has ended.

    A KeyboardInterrupt raised in a callback of numba's compiler is dropped there with a printed traceback, and the
    command would continue.
    """
    if not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def interrupt(*_: object) -> None:
        interrupted.set()
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS)
        raise KeyboardInterrupt

    def report_dropped(dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            hook(dropped)

    before = signal.signal(signal.SIGINT, interrupt), signal.signal(signal.SIGALRM, interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, report_dropped
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGALRM, before[1])


def _refuse(sentence: str) -> int:
    line = " ".join(sentence.split())
    print(f"tammann: {line if line.endswith(('.', '?')) else line + '.'}", file=sys.stderr)
    return BAD_INPUT


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"tammann {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a solid-state recipe to the phases a furnace would give: which appear, when, how much, how sure and why."""


app.command()(run.run)
app.command()(run.new)
app.command()(couple.couple)
app.command()(data.reactions)
app.command()(data.kd)
app.command()(data.hull)
app.command("energies")(data.show_energies)
app.command()(precursors.precursors)
app.command()(system.system)
app.command()(transport.transport)
app.command("melt")(melt.melt_command)
app.command("collect")(melt.collect_command)
app.add_typer(potential.app)
app.add_typer(structure.app)
app.command("features")(diffusivity.features_command)
app.add_typer(diffusivity.app)
app.command("database")(database.database_command)
app.command("diffract")(diffract.diffract_command)
app.command("electrolyte")(electrolyte.electrolyte_command)
app.command()(validate.calibrate)
app.command()(validate.validate)
