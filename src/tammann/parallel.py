"""Worker processes: how many, started so that Ctrl-C reaches the parent alone, and ended with it."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

__all__ = ["available_cores", "become_worker", "interrupts_blocked", "worker_pool"]

PARENT_CHECK_SECONDS = 0.5


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
        with interrupts_blocked():
            for _ in range(number):
                pool.submit(os.getpid)  # starts a worker
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):  # a worker must not go on writing checkpoints
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
