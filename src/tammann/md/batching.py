"""Boxes that threads move side by side, with the forces on all of them computed at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tammann.md.integrators import ForceResult, Forces, MDState

__all__ = ["Company"]


@dataclass(eq=False)
class _Question:
    """What one thread asks for, and the answer: results or an error. Without states: to have the forces made."""

    key: Hashable
    make: Callable[[], Forces]
    states: Sequence[MDState]
    stress: bool
    answered: threading.Event = field(default_factory=threading.Event)
    results: Sequence[ForceResult] = ()
    failure: BaseException | None = None


class Company:
    """Threads whose boxes are computed together, by a thread that does nothing else.

    A batch is computed as soon as every thread that is moving has asked. What is in it may differ in everything: the
    temperature, the step it is at, relaxing or moving. What gives the forces is made and used in one thread only, and
    its failure on one box is that of the thread that asked for it.

    Example:
        >>> import numpy as np
        >>> from tammann.md.conditions import Conditions
        >>> from tammann.md.integrators import initialize_state
        >>> from tammann.structures import Configuration
        >>> box = initialize_state(Configuration(("Ar",), np.zeros((1, 3)), 9.0 * np.eye(3)), Conditions(300.0), rng=0)
        >>> def nothing():
        ...     return lambda states, stress: [ForceResult(0.0, 0.0 * m.positions_A, None) for m in states]
        >>> with Company().at_work() as company, company.moves():
        ...     company.forces("nothing", nothing)([box], False)[0].energy_eV
        0.0
    """

    def __init__(self) -> None:
        self.turn = threading.Condition()  # what only the computing thread waits for
        self.moving = 0
        self.asked: list[_Question] = []
        self.made: dict[Hashable, Forces] = {}
        self.open = False

    @contextmanager
    def at_work(self) -> Iterator[Company]:
        """Compute what is asked for, as long as this lasts."""
        computing = threading.Thread(target=self._compute, name="forces", daemon=True)
        self.open = True
        computing.start()
        try:
            yield self
        finally:
            with self.turn:
                self.open = False
                self.turn.notify()
            computing.join()

    @contextmanager
    def moves(self) -> Iterator[None]:
        """Be waited for by the others."""
        with self.turn:
            self.moving += 1
        try:
            yield
        finally:
            with self.turn:
                self.moving -= 1
                self._wake()

    def forces(self, key: Hashable, make: Callable[[], Forces]) -> Forces:
        """What gives the forces on the boxes of one thread, together with those of others.

        Args:
            key: Of what gives them: boxes with the same one are computed together.
            make: Makes it, where there is none yet of this key.

        Raises:
            Exception: What ``make`` raises.
        """
        self._ask(_Question(key, make, (), False))
        return lambda states, stress: self._ask(_Question(key, make, states, stress))

    def _ask(self, question: _Question) -> Sequence[ForceResult]:
        with self.turn:
            if not self.open:
                raise RuntimeError("nobody computes any more: the company has left.")
            self.asked.append(question)
            self._wake()
        try:
            question.answered.wait()
        except BaseException:  # Ctrl-C: nobody is to wait for it
            with self.turn:
                self.asked = [other for other in self.asked if other is not question]
            raise
        if question.failure is None:
            return question.results
        try:
            raise question.failure
        finally:
            question.failure = None  # or it would keep alive, in a circle, whatever was being computed

    def _wake(self) -> None:
        if self._ready():
            self.turn.notify()

    def _ready(self) -> bool:
        """Whether something is to be made, or all that are moving have asked."""
        boxes = sum(bool(question.states) for question in self.asked)
        return boxes < len(self.asked) or 0 < boxes >= self.moving

    def _compute(self) -> None:
        while True:
            with self.turn:
                self.turn.wait_for(lambda: self._ready() or not self.open)
                if not self.asked:
                    return
                making = [question for question in self.asked if not question.states]
                asked = making or self.asked
                self.asked = [question for question in self.asked if question.states] if making else []
            alike: dict[Hashable, list[_Question]] = {}
            for question in asked:
                alike.setdefault(question.key, []).append(question)
            for questions in alike.values():
                self._answer(questions)
            for question in asked:
                question.answered.set()

    def _answer(self, asked: list[_Question]) -> None:
        """Give results, or what went wrong, to questions of one key."""
        key, states = asked[0].key, [state for question in asked for state in question.states]
        results: Sequence[ForceResult] = ()
        failure = None
        try:
            if key not in self.made:
                self.made[key] = asked[0].make()
            if states:
                results = self.made[key](states, any(question.stress for question in asked))
        except BaseException as reason:  # whatever it is, the thread that has asked is to hear of it
            failure = reason.with_traceback(None)  # its frames hold all that was being computed
            failure.__context__ = failure.__cause__ = None
        if failure is None:
            found = iter(results)
            for question in asked:
                question.results = [next(found) for _ in question.states]
        elif len(asked) == 1:
            asked[0].failure = failure
        else:
            for question in asked:  # one that cannot be computed takes nobody with it
                self._answer([question])
