"""Processes of their own for the work on replicas: LAMMPS that dies takes nobody with it, and Ctrl-C reaches none."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tammann.errors import DataError, TammannError
from tammann.md.plan import MeltPlan
from tammann.melt.folder import Task
from tammann.melt.work import ENGINES, compute_once, engine_of, record_task

__all__ = ["Crew", "Ended", "News", "try_out"]


@dataclass(frozen=True)
class News:
    """How far a task has come.

    Attributes:
        place: The folder of its replica.
        done: Steps of molecular dynamics.
        steps: How many there are, at most.
        what: What it is at.
    """

    place: Path
    done: int
    steps: int
    what: str


@dataclass(frozen=True)
class Ended:
    """A task is over.

    Attributes:
        place: The folder of its replica.
        failure: What went wrong, or nothing.
    """

    place: Path
    failure: str = ""


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process, what is said to it and by it, and what it is at: one task, or many with an engine that shares."""

    process: BaseProcess
    line: connection.Connection
    tasks: dict[Path, Task] = field(default_factory=dict)


class Crew:
    """Processes at work on the tasks of a plan, at most so many tasks at a time.

    Each task has a process of its own, which ends with it. With an engine that computes many boxes at a time, one
    process has them all, as threads.
    """

    def __init__(self, plan: MeltPlan, size: int) -> None:
        self.plan, self.size = plan, size
        self.shared = ENGINES[plan.engine].side_by_side
        self.workers: list[_Worker] = []

    def tasks(self) -> list[Task]:
        """What is being worked on."""
        return [task for worker in self.workers for task in worker.tasks.values()]

    def start(self, task: Task) -> None:
        """Begin a task."""
        if self.shared and self.workers:
            (worker,) = self.workers
        else:
            context = multiprocessing.get_context("spawn")  # forked processes inherit threads LAMMPS does not survive
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(self.plan, self.size, os.getpid(), there), daemon=True)
            _begin(process)
            there.close()
            worker = _Worker(process, here)
            self.workers.append(worker)
        worker.tasks[task.place] = task
        with suppress(OSError):  # a process that has died meanwhile is heard of next
            worker.line.send(task)

    def listen(self, timeout_s: float) -> list[News | Ended]:
        """What has been said meanwhile, waiting for it at most so long."""
        if self.workers:
            connection.wait([worker.line for worker in self.workers], timeout=timeout_s)
        heard: list[News | Ended] = []
        for worker in list(self.workers):
            gone = False
            try:
                while worker.line.poll():
                    heard.append(worker.line.recv())
            except (EOFError, OSError):
                gone = True
            for said in heard:
                if isinstance(said, Ended):
                    worker.tasks.pop(said.place, None)
            if gone:
                worker.process.join()
                heard += [
                    Ended(
                        place,
                        f"its process ended with exit code {worker.process.exitcode}; go on with it by a resumed run.",
                    )
                    for place in worker.tasks
                ]
                worker.tasks.clear()
            if gone or not (worker.tasks or self.shared):
                self._dismiss(worker)
        return heard

    def stop(self) -> None:
        """End all processes, whatever they are at."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in list(self.workers):
            self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        worker.line.close()  # which it takes for the end of its work
        worker.process.join()
        self.workers.remove(worker)


def _work(plan: MeltPlan, size: int, parent: int, line: connection.Connection) -> None:
    """Do what comes in on the line until it is closed at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ``_begin`` has it, where a process can be begun so
    shared = ENGINES[plan.engine].side_by_side
    os.environ["OMP_NUM_THREADS"] = str(min(size, os.cpu_count() or 1)) if shared else "1"
    speaking = threading.Lock()

    def say(what: News | Ended) -> None:
        with speaking, suppress(OSError):  # nobody listens any more
            line.send(what)

    def carry_out(task: Task) -> None:
        def tell(done: int, steps: int, what: str) -> None:
            if os.getppid() != parent:
                raise SystemExit  # nobody waits for it any more, and a resumed run may be on its way
            say(News(task.place, done, steps, what))

        failure = "it stopped before its end; go on with it by a resumed run."
        try:
            record_task(plan, task, parent, tell)
            failure = ""
        except (TammannError, OSError) as error:
            failure = " ".join(str(error).split())
        finally:
            say(Ended(task.place, failure))

    threads: list[threading.Thread] = []
    with engine_of(plan).side_by_side() if shared else nullcontext():
        with suppress(EOFError, OSError):
            while True:
                task = line.recv()
                if shared:
                    threads.append(threading.Thread(target=carry_out, args=(task,), name=str(task)))
                    threads[-1].start()
                else:
                    carry_out(task)
        for thread in threads:
            thread.join()


def try_out(plan: MeltPlan) -> None:
    """Compute one energy of the first melt, so that an engine or potential that cannot be had is refused at once.

    In a process of its own, as a production is: a broken MPI library takes the process with it that loads lammps.

    Raises:
        DataError: There is no energy.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_compute_once, args=(plan, sender), daemon=True)
    _begin(process)
    sender.close()
    said = None
    with suppress(EOFError, OSError):  # nothing comes from a process that has died
        said = str(receiver.recv())
    receiver.close()
    process.join()
    if said is None:
        raise DataError(
            f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got a process that "
            f"ended with exit code {process.exitcode}; install the engine and the libraries it needs anew."
        )
    if said:
        raise DataError(said)


def _begin(process: BaseProcess) -> None:
    """Start a process that Ctrl-C does not reach, not even while it is starting: the parent ends it itself."""
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _compute_once(plan: MeltPlan, said: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    with open(os.devnull, "w") as nowhere:  # a library on its way down prints pages
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        compute_once(plan)
        said.send("")
    except Exception as error:  # whatever is wrong with somebody else's package
        text = (
            str(error)
            if isinstance(error, TammannError)
            else f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got "
            f"{type(error).__name__} ({error}); install the engine and the potential anew."
        )
        said.send(" ".join(text.split()))
    finally:
        said.close()
