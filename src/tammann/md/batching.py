"""Boxes that several threads move, with the forces on all of them computed in one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tammann.md.state import ForceResult, Forces, MDState


@dataclass(eq=False)
class _Request:
    """A request of one thread for forces, and its outcome; without states, for making the force function only."""

    key: Hashable
    make: Callable[[], Forces]
    states: Sequence[MDState]
    stress: bool
    done: threading.Event = field(default_factory=threading.Event)
    results: Sequence[ForceResult] = ()
    error: BaseException | None = None


class ForceServer:
    """A thread that computes forces for other threads, in batches.

    A batch is computed as soon as every thread that is moving has made a request. Its boxes may differ in size,
    temperature, time step, and in whether they are relaxed or run. A force function is made and used in the server's
    thread only; where it fails on one box, only the thread of that box gets the error.

    Example:
        >>> import numpy as np
        >>> from tammann.md.conditions import Conditions
        >>> from tammann.md.state import initialize_state
        >>> from tammann.structures import Configuration
        >>> box = initialize_state(Configuration(("Ar",), np.zeros((1, 3)), 9.0 * np.eye(3)), Conditions(300.0), rng=0)
        >>> def ideal_gas():
        ...     return lambda states, stress: [ForceResult(0.0, 0.0 * m.positions_A, None) for m in states]
        >>> with ForceServer().running() as server, server.moving():
        ...     server.forces("ideal gas", ideal_gas)([box], False)[0].energy_eV
        0.0
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()  # only the server's thread waits for it
        self.threads_moving = 0
        self.requests: list[_Request] = []
        self.functions: dict[Hashable, Forces] = {}
        self.open = False

    @contextmanager
    def running(self) -> Iterator[ForceServer]:
        """Serve requests within this context."""
        thread = threading.Thread(target=self._serve, name="forces", daemon=True)
        self.open = True
        thread.start()
        try:
            yield self
        finally:
            with self.changed:
                self.open = False
                self.changed.notify()
            thread.join()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Let batches wait for the requests of this thread within this context."""
        with self.changed:
            self.threads_moving += 1
        try:
            yield
        finally:
            with self.changed:
                self.threads_moving -= 1
                self._notify()

    def forces(self, key: Hashable, make: Callable[[], Forces]) -> Forces:
        """Return a function that computes forces in batches with other threads, of boxes with the same ``key``.

        ``make`` makes the force function when the key is new; whatever it raises is raised here.
        """
        self._request(_Request(key, make, (), False))
        return lambda states, stress: self._request(_Request(key, make, states, stress))

    def _request(self, request: _Request) -> Sequence[ForceResult]:
        with self.changed:
            if not self.open:
                raise RuntimeError("forces were requested after their server had stopped.")
            self.requests.append(request)
            self._notify()
        try:
            request.done.wait()
        except BaseException:  # Ctrl-C
            with self.changed:
                self.requests = [other for other in self.requests if other is not request]
            raise
        if request.error is None:
            return request.results
        try:
            raise request.error
        finally:
            request.error = None  # a reference cycle would keep the memory of the failed batch alive

    def _notify(self) -> None:
        if self._ready():
            self.changed.notify()

    def _ready(self) -> bool:
        """Return whether a function is to be made, or all moving threads have made a request."""
        boxes = sum(bool(request.states) for request in self.requests)
        return boxes < len(self.requests) or 0 < boxes >= self.threads_moving

    def _serve(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self._ready() or not self.open)
                if not self.requests:
                    return
                making = [request for request in self.requests if not request.states]
                batch = making or self.requests
                self.requests = [request for request in self.requests if request.states] if making else []
            by_key: dict[Hashable, list[_Request]] = {}
            for request in batch:
                by_key.setdefault(request.key, []).append(request)
            for requests in by_key.values():
                self._compute(requests)
            for request in batch:
                request.done.set()

    def _compute(self, requests: list[_Request]) -> None:
        """Fill in the results or the errors of requests of one key."""
        key, states = requests[0].key, [state for request in requests for state in request.states]
        results: Sequence[ForceResult] = ()
        error = None
        try:
            if key not in self.functions:
                self.functions[key] = requests[0].make()
            if states:
                results = self.functions[key](states, any(request.stress for request in requests))
        except BaseException as reason:  # the requesting thread is to raise it, whatever it is
            error = reason.with_traceback(None)  # the frames hold the memory of the failed batch
            error.__context__ = error.__cause__ = None
        if error is None:
            remaining = iter(results)
            for request in requests:
                request.results = [next(remaining) for _ in request.states]
        elif len(requests) == 1:
            requests[0].error = error
        else:
            for request in requests:  # one by one, so that only the box that fails gets the error
                self._compute([request])
