"""Functions in threads of their own."""

import threading


def in_threads(jobs):
    """What some functions return or raise, each in a thread of its own."""
    found = [None] * len(jobs)

    def work(k):
        try:
            found[k] = jobs[k]()
        except BaseException as error:
            found[k] = error

    threads = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "waits for ever"
    return found
