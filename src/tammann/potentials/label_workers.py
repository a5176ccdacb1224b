"""Worker processes that label one configuration at a time, killed and replaced when they hang or die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from tammann.errors import DataError, TammannError
from tammann.parallel import become_worker, interrupts_blocked, script_hidden
from tammann.potentials.labellers import Answer, Labeller
from tammann.structures.configuration import Configuration

GRACE_SECONDS = 2.0
"""How long a process may take to end."""
LOAD_SECONDS = 300.0
"""How long a worker may take to load its labeller."""
WAKE_SECONDS = 1.0
"""How often the caller looks up, so that Ctrl-C reaches it."""


class Labelled(NamedTuple):
    """What has become of a configuration: its labels, or why it has none."""

    frame: int
    answer: Answer | None
    failure: str = ""


@dataclass
class _Worker:
    """A process, the pipe to it, the configuration that it labels, and when it has to be done (monotonic s)."""

    process: BaseProcess
    pipe: connection.Connection
    deadline: float
    index: int | None = None
    ready: bool = False


def label_in_processes(
    labeller: Labeller, configurations: Sequence[tuple[int, Configuration]], *, workers: int, timeout_s: float
) -> Iterator[Labelled | None]:
    """Yield labels as they come, in any order, and None about every second when there is nothing new.

    A process that takes too long for one configuration is killed, with the programs that it has started, and replaced.
    All are killed when the iteration ends, however it ends.

    Args:
        labeller: Pickled to each process.
        configurations: What to label, each with the number to name it by.
        workers: Processes.
        timeout_s: Longest time for one configuration, s; loading the labeller does not count.

    Raises:
        DataError: The labeller cannot be loaded.
    """
    waiting = deque(configurations)
    elements = sorted({symbol for _, configuration in configurations for symbol in configuration.symbols})
    running: list[_Worker] = []
    try:
        while waiting or any(worker.index is not None for worker in running):
            while len(running) < min(workers, len(waiting) + sum(worker.index is not None for worker in running)):
                running.append(_start(labeller, elements))
            connection.wait([worker.pipe for worker in running], timeout=WAKE_SECONDS)
            news: list[Labelled] = []
            for worker in list(running):
                if not _attend(worker, waiting, news, timeout_s):
                    _kill(worker)
                    running.remove(worker)
            yield from news or (None,)
    finally:
        for worker in running:
            _kill(worker)


def _attend(worker: _Worker, waiting: deque[tuple[int, Configuration]], news: list[Labelled], timeout_s: float) -> bool:
    """Take what a worker has sent and give it the next configuration; return whether it is of further use."""
    try:
        if worker.pipe.poll():
            message = worker.pipe.recv()
            if isinstance(message, Labelled):
                news.append(message)
                worker.index = None
            elif message:
                raise DataError(message)
            worker.ready = True
        elif time.monotonic() > worker.deadline:
            if not worker.ready:
                raise DataError(f"labeller: expected it to load within {LOAD_SECONDS:g} s; look at what it waits for.")
            if worker.index is not None:
                news.append(Labelled(worker.index, None, f"not done within {timeout_s:g} s"))
                return False
    except (EOFError, OSError):
        worker.process.join(GRACE_SECONDS)
        code = worker.process.exitcode
        if not worker.ready:
            raise DataError(
                f"labeller: its process ended with exit code {code} while loading; install it anew."
            ) from None
        if worker.index is not None:
            news.append(Labelled(worker.index, None, f"its process ended with exit code {code}"))
        return False
    if worker.ready and worker.index is None and waiting:
        index, configuration = waiting.popleft()
        worker.index, worker.deadline = index, time.monotonic() + timeout_s
        with suppress(OSError):  # it has died meanwhile, which is found next time
            worker.pipe.send((index, configuration))
    return True


def _start(labeller: Labeller, elements: list[str]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(os.getpid(), there, labeller, elements), daemon=True)
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the process loads its libraries
    try:
        with interrupts_blocked(), script_hidden():
            process.start()
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before
    there.close()
    return _Worker(process, here, time.monotonic() + LOAD_SECONDS)


def _kill(worker: _Worker) -> None:
    """End a process and the programs that it has started."""
    with suppress(OSError):
        worker.pipe.close()
    process = worker.process
    if worker.index is None:
        process.join(GRACE_SECONDS)  # its pipe is closed, so it ends on its own
    if process.is_alive() and process.pid is not None:
        with suppress(OSError):
            if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.join()


def _work(parent: int, pipe: connection.Connection, labeller: Labeller, elements: list[str]) -> None:
    """Label what arrives until the pipe is closed at the other end."""
    if hasattr(os, "setsid"):
        os.setsid()  # so that it can be killed with the programs that it starts
    become_worker(parent)
    try:
        label = labeller.open(elements)
    except Exception as error:
        reason = error if isinstance(error, TammannError) else f"labeller: loading it failed with {_one_line(error)}."
        pipe.send(" ".join(str(reason).split()))
        return
    pipe.send("")
    with suppress(EOFError, OSError):
        while True:
            index, configuration = pipe.recv()
            try:
                found = Labelled(index, label(configuration))
            except Exception as error:  # a calculator may raise anything
                found = Labelled(index, None, str(error) if isinstance(error, TammannError) else _one_line(error))
            pipe.send(found)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": ")
