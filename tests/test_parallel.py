"""Worker processes: Ctrl-C reaches the parent alone, and no worker outlives it."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from tammann.parallel import available_cores, interrupts_blocked, run_tasks, worker_pool

POSIX = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of posix")


def test_cores_are_those_of_this_process():
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@POSIX
def test_an_interruption_waits_until_the_block_ends():
    with pytest.raises(KeyboardInterrupt):
        reached = False
        with interrupts_blocked():
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            time.sleep(0.05)
            reached = True
    assert reached


@POSIX
def test_workers_ignore_interruptions():
    with worker_pool(1) as pool:
        process = pool.submit(os.getpid).result(timeout=60)
        os.kill(process, signal.SIGINT)
        assert pool.submit(pow, 2, 5).result(timeout=60) == 32


def test_workers_do_not_import_the_script_again(environment, tmp_path):
    """A script without a guard would start workers in every worker, or break the pool."""
    script = tmp_path / "script.py"
    script.write_text(
        "from tammann.parallel import worker_pool\nprint('script')\n"
        "with worker_pool(2) as pool:\n    print(pool.submit(pow, 2, 5).result())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["script", "32"]), done.stderr


@POSIX
def test_workers_end_with_their_parent(environment, tmp_path):
    """Killed at once, the parent has no time to end them itself."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\nfrom tammann.parallel import worker_pool\n"
        "if __name__ == '__main__':\n    with worker_pool(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n        time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
            with open(f"/proc/{worker}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.1)
    pytest.fail(f"worker {worker} is still there")


def square(x, *, progress=None):
    if progress is not None:
        progress(0.5, "half way", 300.0 + x)
    return x**2


TASKS = {f"task {x}": (x,) for x in range(5)}


def test_results_come_in_the_order_of_the_tasks_on_any_number_of_threads():
    for threads in (1, 2, 9):
        assert run_tasks(square, TASKS, threads=threads) == [0, 1, 4, 9, 16]
    with ThreadPoolExecutor(2) as pool:
        assert run_tasks(square, TASKS, executor=pool) == [0, 1, 4, 9, 16]


def test_progress_is_the_mean_and_names_the_first_unfinished():
    told = []
    run_tasks(square, TASKS, progress=lambda *news: told.append(news))
    assert [done for done, _, _ in told] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert told[0] == (0.1, "task 0, half way", 300.0) and told[1] == (0.2, "task 1", None)
    assert told[-1] == (1.0, "task 4", None)


def test_the_first_failure_ends_the_others():
    ended = threading.Event()

    def work(x, *, progress):
        if x == 0:
            raise ValueError("no such thing")
        try:
            while True:
                progress(0.1, "waiting", None)
                time.sleep(0.005)
        except CancelledError:
            ended.set()
            raise

    with pytest.raises(ValueError, match="no such thing"):
        run_tasks(work, TASKS, threads=2)
    assert ended.wait(1.0) or threading.active_count() == 1


@POSIX
def test_an_interruption_does_not_wait_for_a_task(monkeypatch):
    """As in a grid of 1000^3 cells that is being mixed: the task does not look up for a long time."""
    monkeypatch.setattr("tammann.parallel.LEAVE_SECONDS", 0.1)
    begun = threading.Event()
    release = threading.Event()

    def work(*, progress):
        begun.set()
        release.wait(20)

    def interrupt():
        begun.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(work, {"mixing": ()})
    assert time.monotonic() - start < 5
    release.set()
