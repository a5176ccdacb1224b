"""Work on several cores: tasks in threads that Ctrl-C stops, worker processes that end with their parent."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import ModuleType
from typing import Any

Progress = Callable[[float, str, float | None], None]
"""Called now and then with the fraction done, what is being done, and the temperature in K or None."""

PARENT_CHECK_SECONDS = 0.5
WAKE_SECONDS = 0.5
"""How often a thread that waits for others looks up, so that Ctrl-C reaches it."""
LEAVE_SECONDS = 2.0
"""How long a failed or interrupted run waits for its threads to notice."""


def available_cores() -> int:
    """Return the number of cores this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started, which inherit that; the parent ends them itself."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def script_hidden() -> Iterator[None]:
    """Keep the processes started in this block from importing the user's script, which would run all of it again."""
    script, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def become_worker(parent: int) -> None:
    """Ignore Ctrl-C from now on, and end this process when its parent has gone.

    Args:
        parent: Process number of the parent.
    """
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def pool_if_several(number: int) -> AbstractContextManager[Executor | None]:
    """Return ``worker_pool`` of several workers, and for a single one a context without an executor.

    Example:
        >>> with pool_if_several(1) as executor:
        ...     print(executor)
        None
    """
    return worker_pool(number) if number > 1 else nullcontext()


@contextmanager
def worker_pool(number: int) -> Iterator[Executor]:
    """Start worker processes that leave Ctrl-C to this one and do not outlive it.

    Args:
        number: Of processes.

    Yields:
        Their executor; where the block is left by an exception the processes are terminated.
    """
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=become_worker, initargs=(os.getpid(),))
    try:
        with interrupts_blocked(), script_hidden():
            for _ in range(number):
                pool.submit(os.getpid)  # starts a worker
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):  # a worker must not go on writing checkpoints
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def run_tasks(
    function: Callable[..., Any],
    tasks: Mapping[str, tuple[Any, ...]],
    *,
    threads: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Any]:
    """Run a function on many arguments, several at a time, and return the results in the order of the tasks.

    Without an executor the tasks run in threads, so that Ctrl-C reaches the caller whatever they do, and the function
    also receives a ``progress`` of its own. When the caller is interrupted or a task fails, the next call of that
    raises ``CancelledError``, which ends the other tasks.

    Args:
        function: Called with the arguments of each task; for threads to help, it must release the interpreter's lock.
        tasks: Label of each task to its arguments.
        threads: Most tasks at a time.
        executor: Any ``concurrent.futures.Executor`` to run them in place of threads.
        progress: Called by one thread at a time with the mean over all tasks, and with the label and the report of
            the first task that is not finished.

    Raises:
        Exception: The first that a task raised.

    Example:
        >>> run_tasks(lambda x, progress: x**2, {"first": (2,), "second": (3,)}, threads=2)
        [4, 9]
    """
    latest: dict[str, tuple[float, str, float | None]] = dict.fromkeys(tasks, (0.0, "", None))
    stop, telling = threading.Event(), threading.Lock()

    def report(label: str, done: float, what: str = "", temperature_K: float | None = None) -> None:
        if stop.is_set():
            raise CancelledError
        if progress is not None:
            with telling:
                latest[label] = (done, what, temperature_K)
                first = next((name for name, news in latest.items() if news[0] < 1.0), label)
                mean = sum(news[0] for news in latest.values()) / len(latest)
                progress(min(1.0, mean), ", ".join(filter(None, (first, latest[first][1]))), latest[first][2])

    def work() -> None:
        for label, arguments in iter(lambda: next(waiting, None), None):
            if stop.is_set() or not futures[label].set_running_or_notify_cancel():
                return
            try:
                result = function(*arguments, progress=partial(report, label))
                report(label, 1.0)
                futures[label].set_result(result)
            except BaseException as error:
                futures[label].set_exception(error)

    futures: dict[str, Future[Any]] = {}
    workers: list[threading.Thread] = []
    try:
        if executor is not None:
            futures = {label: executor.submit(function, *arguments) for label, arguments in tasks.items()}
        else:
            waiting = iter(list(tasks.items()))
            futures = {label: Future() for label in tasks}
            workers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, len(tasks)))]
            for worker in workers:
                worker.start()
        labels, pending = {future: label for label, future in futures.items()}, set(futures.values())
        while pending:
            done, pending = wait(pending, timeout=WAKE_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                if executor is not None:
                    report(labels[future], 1.0)
    except BaseException:
        stop.set()
        for future in futures.values():
            future.cancel()
        for worker in workers:
            worker.join(LEAVE_SECONDS)
        raise
    return [future.result() for future in futures.values()]
