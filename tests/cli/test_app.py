"""The commands there are, how they end, and what Ctrl-C does."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import tammann
from cli.refusals import refused
from tammann.cli import app, run
from tammann.errors import DataError, ResultError
from tammann.recipe import Recipe

COMMANDS = ("run", "reactions", "kd", "hull", "energies", "validate", "new")


def test_help_names_every_command(call):
    outcome = call("--help")
    assert outcome.status == 0
    for command in COMMANDS:
        assert re.search(rf"│ {command}\s", outcome.out)
        assert call(command, "--help").status == 0


def test_version(call):
    for option in ("--version", "-V"):
        assert call(option).out == f"tammann {tammann.__version__}\n"


def test_help_needs_no_science(environment):
    script = (
        "import sys; from tammann.cli.app import call; call(['--help']);"
        "print(*sorted(set(sys.modules) & {'numpy', 'scipy', 'pandas', 'numba', 'pymatgen', 'matplotlib', 'ruamel'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    "words",
    [
        ["anneal"],
        ["run"],
        ["run", "recipe.yaml"],
        ["run", "recipe.yaml", "--out", "x", "--seed", "many"],
        ["run", "recipe.yaml", "--out", "x", "--threads", "0"],
        ["run", "recipe.yaml", "--out", "x", "--frobnicate"],
        ["hull", "--temperature-K", "hot"],
        ["new", "a", "b"],
    ],
)
def test_wrong_words_get_one_sentence(call, words):
    assert "--help" in refused(call(*words))


def test_nothing_at_all_gets_help(call):
    outcome = call()
    assert outcome.status == 2 and "Usage" in outcome.out and outcome.err == ""


def ending(monkeypatch, call, error):
    """What becomes of an error out of the depths of the library."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(run.Path, "open", fail)
    return call("new", "recipe.yaml")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("phase 'XyO' is not\nin Ba-Ti-O"), "phase 'XyO' is not in Ba-Ti-O."),
        (ResultError("out: expected an empty directory."), "out: expected an empty directory."),
        (OSError(28, "No space left on device", "out/x.csv"), "out/x.csv: no space left on device"),
        (PermissionError(13, "Permission denied", "out"), "out: permission denied"),
        (MemoryError("Unable to allocate 60 GiB"), "not enough memory (Unable to allocate 60 GiB)"),
    ],
)
def test_errors_end_in_one_sentence(monkeypatch, call, error, words):
    assert words in refused(ending(monkeypatch, call, error))


def test_slips_of_our_own_are_not_hidden(monkeypatch, call):
    with pytest.raises(ZeroDivisionError):
        ending(monkeypatch, call, ZeroDivisionError("a bug"))


def test_interruption(monkeypatch, call, recipes):
    outcome = ending(monkeypatch, call, KeyboardInterrupt())
    assert outcome.status == 130
    assert outcome.err == "\ntammann: interrupted.\n"


def test_interrupted_run_says_how_to_go_on(monkeypatch, call, recipes):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recipe, "from_file", interrupt)
    outcome = call("run", "my recipe.yaml", "--out", "there", "--resume")
    assert outcome.status == 130
    assert outcome.err == "\ntammann: interrupted; continue with: tammann run 'my recipe.yaml' --out there --resume\n"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of posix")
def test_interruptions_are_repeated_until_heard(monkeypatch, call):
    def deaf(*_, **__):
        with contextlib.suppress(KeyboardInterrupt):  # as in a callback from C
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        time.sleep(5)

    monkeypatch.setattr(app, "REPEAT_SECONDS", 0.05)
    monkeypatch.setattr(run.Path, "open", deaf)
    start = time.perf_counter()
    assert call("new", "recipe.yaml").status == 130
    assert time.perf_counter() - start < 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of posix")
def test_what_stumbles_over_an_interruption_is_one(monkeypatch, call):
    def stumble(*_, **__):
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise RuntimeError("no compiled object yet") from None

    monkeypatch.setattr(run.Path, "open", stumble)
    assert call("new", "recipe.yaml").status == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_disk_behind_standard_output(process):
    with open("/dev/full", "w") as full:
        done = process("new", "-", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert "no space left" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes of posix")
def test_reader_that_leaves_early(process):
    read, write = os.pipe()
    os.close(read)
    done = process("new", "-", capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


def test_the_shell_completes_commands(environment):
    asked = {"_TAMMANN_COMPLETE": "complete_bash", "COMP_WORDS": "tammann ru", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tammann"], env=environment | asked, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["run"] and done.stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "a", "--out", "o", "--threads", "0"), "expected a number greater than or equal to 1, got 0"),
        (("run", "a.yaml", "--out", "o", "--size", "1.5"), "--size: expected a whole number, got 1.5"),
        (("hull", "--temperature-K", "hot"), "--temperature-K: expected a number, got hot"),
        (("hull", "BaO", "BaO"), "(BaO), expected tammann hull [OPTIONS] [system]; two phases are named by --between"),
        (("new", "a", "b"), "(b), expected tammann new [OPTIONS] [FILE]."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_words_is_said_with_the_value_and_what_was_expected(call, words, said):
    assert said in refused(call(*words))
