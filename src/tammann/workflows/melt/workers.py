"""Worker processes for replicas, so that a crash of LAMMPS ends only the replica that it was moving."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from tammann.errors import DataError, TammannError
from tammann.md.load import load_engine
from tammann.parallel import become_worker, interrupts_blocked, script_hidden
from tammann.workflows.melt.folder import ReplicaTask
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.replica import compute_one_energy, record_task

MOST_WORKERS = 1024
GRACE_SECONDS = 10.0
"""How long a process may take to end."""
SWITCH_SECONDS = 1e-4
"""How long a thread may keep others from running, so that summarizing one replica does not slow the others down."""
LOST_DEVICE = 70
"""Exit code of a process whose device no longer computes."""


class TaskProgress(NamedTuple):
    """Steps of molecular dynamics that a task has done and needs at most, by the folder of its replica."""

    folder: Path
    done: int
    steps: int
    what: str


class TaskEnded(NamedTuple):
    """A task has ended; ``failure`` says what went wrong, or nothing."""

    folder: Path
    failure: str = ""


Message = TaskProgress | TaskEnded


class _Worker(NamedTuple):
    """A process, the pipe to it, whether it takes several tasks at a time, and its tasks by folder."""

    process: BaseProcess
    pipe: connection.Connection
    shared: bool
    tasks: dict[Path, ReplicaTask]


class WorkerPool:
    """Processes that work on the tasks of a plan.

    Each task has a process of its own, which ends with it. With an engine that computes many boxes at a time, one
    process runs all tasks as threads; if it dies, each of its tasks is tried once more in a process of its own.
    """

    def __init__(self, plan: MeltPlan) -> None:
        self.plan = plan
        self.workers: list[_Worker] = []
        self.alone: set[Path] = set()  # tasks that a shared process has died with

    def tasks(self) -> list[ReplicaTask]:
        """Return the tasks that are being worked on."""
        return [task for worker in self.workers for task in worker.tasks.values()]

    def start(self, task: ReplicaTask) -> None:
        """Begin a task."""
        shared = load_engine(self.plan.engine).batched and task.folder not in self.alone
        worker = next((w for w in self.workers if shared and w.shared and w.process.is_alive()), None)
        if worker is None:
            worker = _Worker(*_start_process(_work, self.plan, shared), shared, {})
            self.workers.append(worker)
        worker.tasks[task.folder] = task
        with suppress(OSError):  # it has died meanwhile, which ``messages`` finds
            worker.pipe.send(task)

    def messages(self, timeout_s: float) -> list[Message]:
        """Return what the workers have sent, after waiting for it for at most ``timeout_s``."""
        if self.workers:
            connection.wait([worker.pipe for worker in self.workers], timeout=timeout_s)
        received: list[Message] = []
        lost: list[ReplicaTask] = []
        for worker in list(self.workers):
            if dead := not _receive(worker, received):
                worker.process.join(GRACE_SECONDS)
                if worker.shared:
                    lost += worker.tasks.values()
                else:
                    failure = f"its process ended with exit code {worker.process.exitcode}; resume the run to retry."
                    received += [TaskEnded(folder, failure) for folder in worker.tasks]
                worker.tasks.clear()
            if dead or not (worker.tasks or worker.shared):
                self._end(worker)
        self.alone |= {task.folder for task in lost}
        for task in lost:
            self.start(task)
        return received

    def stop(self) -> None:
        """End all processes, whatever they are doing."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in list(self.workers):
            self._end(worker)

    def _end(self, worker: _Worker) -> None:
        worker.pipe.close()  # tells it that there is no more to do
        worker.process.join(GRACE_SECONDS)
        if worker.process.is_alive():  # some libraries hang on exit
            worker.process.kill()
            worker.process.join()
        self.workers.remove(worker)


def _receive(worker: _Worker, received: list[Message]) -> bool:
    """Append what a worker has sent; whether it is alive."""
    try:
        while worker.pipe.poll():
            message = worker.pipe.recv()
            received.append(message)
            if isinstance(message, TaskEnded):
                worker.tasks.pop(message.folder, None)
    except (EOFError, OSError):
        return False
    return True


def check_energy(plan: MeltPlan) -> None:
    """Refuse at once an engine or potential that gives no energy of the first melt.

    In a process of its own, as a production is: a broken MPI library kills the process that loads LAMMPS.
    """
    process, pipe = _start_process(_report_energy, plan)
    failure = None
    with suppress(EOFError, OSError):  # nothing comes from a process that has died
        failure = str(pipe.recv())
    pipe.close()
    process.join()
    if failure is None:
        raise DataError(
            f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got a process that "
            f"ended with exit code {process.exitcode}; install the engine and the libraries it needs anew."
        )
    if failure:
        raise DataError(failure)


def _start_process(work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, connection.Connection]:
    context = multiprocessing.get_context("spawn")  # LAMMPS does not survive the threads that a forked process inherits
    here, there = context.Pipe()
    process = context.Process(target=work, args=(os.getpid(), there, *arguments), daemon=True)
    with interrupts_blocked(), script_hidden():
        process.start()
    there.close()
    return process, here


def _work(parent: int, pipe: connection.Connection, plan: MeltPlan, shared: bool) -> None:
    """Do the tasks that arrive until the pipe is closed at the other end."""
    become_worker(parent)
    os.environ["OMP_NUM_THREADS"] = "1"
    sending = threading.Lock()

    def send(message: Message) -> None:
        with sending, suppress(OSError):  # the other end has gone
            pipe.send(message)

    def carry_out(task: ReplicaTask) -> None:
        failure = ""
        try:
            record_task(plan, task, lambda done, steps, what: send(TaskProgress(task.folder, done, steps, what)))
        except (TammannError, OSError) as error:
            failure = " ".join(str(error).split())
        except Exception as error:
            traceback.print_exc()  # a fault of this package or of one that it uses, to be reported
            failure = f"{type(error).__name__} ({' '.join(str(error).split())}); resume the run to retry."
        if failure and shared and not load_engine(plan.engine).usable():
            os._exit(LOST_DEVICE)
        send(TaskEnded(task.folder, failure))

    if not shared:
        with suppress(EOFError, OSError):
            while True:
                carry_out(pipe.recv())
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    with load_engine(plan.engine).batch_threads(), ThreadPoolExecutor(MOST_WORKERS) as threads:
        with suppress(EOFError, OSError):
            while True:
                threads.submit(carry_out, pipe.recv())


def _report_energy(parent: int, pipe: connection.Connection, plan: MeltPlan) -> None:
    """Send what is wrong with the engine or the potential of a plan, or nothing."""
    become_worker(parent)
    os.environ["OMP_NUM_THREADS"] = "1"
    with open(os.devnull, "w") as null:  # a library that fails may print pages
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)
    failure = ""
    try:
        compute_one_energy(plan)
    except TammannError as error:
        failure = str(error)
    except Exception as error:  # whatever is wrong with another package
        failure = (
            f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got "
            f"{type(error).__name__} ({error}); install the engine and the potential anew."
        )
    pipe.send(" ".join(failure.split()))
    pipe.close()
