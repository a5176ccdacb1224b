"""What the tests of every room share: settings of hypothesis, the shipped recipes, the command line."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import tammann
from tammann.reactions import Reactions
from tammann.thermo import Phases

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it for what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("tammann", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tammann")


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: the garbage collector need not walk through them again and again."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def recipes() -> Path:
    """The shipped recipes."""
    return Path(__file__).parents[1] / "examples" / "recipes"


@pytest.fixture(scope="session", autouse=True)
def enumerated_once() -> Iterator[None]:
    """A furnace asks for the same reactions in a hundred tests; those of the enumeration itself are in its own."""
    from tammann.kinetics import relevance

    enumerate_reactions, known = relevance.enumerate_reactions, {}

    def remembered(phases: Phases, **options: Any) -> Reactions:
        if options:
            return enumerate_reactions(phases, **options)
        key = phases.elements, *((phase.formula, phase.state) for phase in phases)
        if key not in known:
            known[key] = enumerate_reactions(phases)
        return known[key].of(phases)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relevance, "enumerate_reactions", remembered)
        yield


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """``tammann`` in this process."""
    from tammann.cli import app

    def invoke(*words: object) -> Outcome:
        capsys.readouterr()
        status = app.call([str(word) for word in words])
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return invoke


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """For processes of their own: they import the same tammann as the tests."""
    home = str(Path(tammann.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": home, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


@pytest.fixture
def process(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``tammann`` in a process of its own."""

    def invoke(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tammann", *(str(word) for word in words)]
        options = {"capture_output": True, "timeout": 120} | options
        return subprocess.run(command, text=True, env=environment, check=False, **options)  # type: ignore[call-overload]

    return invoke
