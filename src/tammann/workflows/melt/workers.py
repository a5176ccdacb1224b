"""Processes for the work on replicas, so that LAMMPS that dies takes no other with it, and Ctrl-C reaches none."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tammann.errors import DataError, TammannError
from tammann.workflows.melt.folder import Task
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.replica import compute_once, engine_of, record_task

__all__ = ["WorkerPool", "TaskEnded", "TaskProgress", "try_out"]

GRACE_SECONDS = 10.0
"""How long a process may take to end."""
SWITCH_SECONDS = 1e-4
"""How long a thread may keep others from running: one that sums up a replica is not to slow the boxes of all down."""
LOST_DEVICE = 70
"""Exit code of a process whose device computes no more."""


@dataclass(frozen=True)
class TaskProgress:
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
class TaskEnded:
    """A task is over.

    Attributes:
        place: The folder of its replica.
        failure: What went wrong, or nothing.
    """

    place: Path
    failure: str = ""


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process, what is said to it and by it, and what it is at.

    Attributes:
        process: The process.
        line: To it and from it.
        shared: Whether it takes more tasks while it is at one.
        tasks: What it is at, by the folders of the replicas.
    """

    process: BaseProcess
    line: connection.Connection
    shared: bool
    tasks: dict[Path, Task] = field(default_factory=dict)


class WorkerPool:
    """Processes at work on the tasks of a plan.

    Each task has a process of its own, which ends with it. With an engine that computes many boxes at a time, one
    process has them all, as threads; where that dies, each of its tasks is tried once more, in a process of its own.
    """

    def __init__(self, plan: MeltPlan) -> None:
        self.plan = plan
        self.workers: list[_Worker] = []
        self.alone: set[Path] = set()  # tasks that a shared process has died with

    def tasks(self) -> list[Task]:
        """What is being worked on."""
        return [task for worker in self.workers for task in worker.tasks.values()]

    def start(self, task: Task) -> None:
        """Begin a task."""
        shared = engine_of(self.plan).batched and task.place not in self.alone
        worker = next((w for w in self.workers if shared and w.shared and w.process.is_alive()), None)
        if worker is None:
            context = multiprocessing.get_context("spawn")  # forked processes inherit threads LAMMPS does not survive
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(self.plan, os.getpid(), there, shared), daemon=True)
            _begin(process)
            there.close()
            worker = _Worker(process, here, shared)
            self.workers.append(worker)
        worker.tasks[task.place] = task
        with suppress(OSError):  # it has died meanwhile, which is heard of next
            worker.line.send(task)

    def listen(self, timeout_s: float) -> list[TaskProgress | TaskEnded]:
        """What has been said meanwhile, waiting for it at most so long."""
        if self.workers:
            connection.wait([worker.line for worker in self.workers], timeout=timeout_s)
        heard: list[TaskProgress | TaskEnded] = []
        lost: list[Task] = []
        for worker in list(self.workers):
            gone = False
            try:
                while worker.line.poll():
                    said = worker.line.recv()
                    heard.append(said)
                    if isinstance(said, TaskEnded):
                        worker.tasks.pop(said.place, None)
            except (EOFError, OSError):
                gone = True
            if gone:
                worker.process.join(GRACE_SECONDS)
                code = worker.process.exitcode
                for task in worker.tasks.values():
                    if worker.shared:
                        lost.append(task)
                    else:
                        sentence = f"its process ended with exit code {code}; go on with it by a resumed run."
                        heard.append(TaskEnded(task.place, sentence))
                worker.tasks.clear()
            if gone or not (worker.tasks or worker.shared):
                self._dismiss(worker)
        for task in lost:
            self.alone.add(task.place)
            self.start(task)
        return heard

    def stop(self) -> None:
        """End all processes, whatever they are at."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in list(self.workers):
            self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        worker.line.close()  # which it takes for the end of its work
        worker.process.join(GRACE_SECONDS)
        if worker.process.is_alive():  # libraries of others hang on their way out
            worker.process.kill()
            worker.process.join()
        self.workers.remove(worker)


def _work(plan: MeltPlan, parent: int, line: connection.Connection, shared: bool) -> None:
    """Do what comes in on the line until it is closed at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ``_begin`` has it, where a process can be begun so
    os.environ["OMP_NUM_THREADS"] = "1"
    speaking = threading.Lock()

    def say(what: TaskProgress | TaskEnded) -> None:
        with speaking, suppress(OSError):  # nobody listens any more
            line.send(what)

    def carry_out(task: Task) -> None:
        def tell(done: int, steps: int, what: str) -> None:
            if os.getppid() != parent:
                raise SystemExit  # nobody waits for it any more, and a resumed run may be on its way
            say(TaskProgress(task.place, done, steps, what))

        failure = ""
        try:
            record_task(plan, task, parent, tell)
        except (TammannError, OSError) as error:
            failure = " ".join(str(error).split())
        except Exception as error:
            traceback.print_exc()  # a fault of this package's or of one that it uses, to be reported
            failure = f"{type(error).__name__} ({' '.join(str(error).split())}); go on with it by a resumed run."
        if failure and shared and not engine_of(plan).usable():
            os._exit(LOST_DEVICE)
        say(TaskEnded(task.place, failure))

    if not shared:
        with suppress(EOFError, OSError):
            while True:
                carry_out(line.recv())
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    at_work: list[threading.Thread] = []
    with engine_of(plan).batch_threads():
        with suppress(EOFError, OSError):
            while True:
                task = line.recv()
                at_work.append(threading.Thread(target=carry_out, args=(task,), name=str(task)))
                at_work[-1].start()
        for thread in at_work:
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
