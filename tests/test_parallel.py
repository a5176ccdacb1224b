"""Worker processes: Ctrl-C reaches the parent alone, and no worker outlives it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tammann.parallel import available_cores, interrupts_blocked, worker_pool

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
