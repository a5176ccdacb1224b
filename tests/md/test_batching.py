"""Forces on the boxes of many threads at once: what each gets is its own, whatever the others ask for or break."""

import gc
import threading
import weakref

import numpy as np
import pytest

from md.threads import in_threads
from tammann.errors import DataError
from tammann.md.batching import ForceServer
from tammann.md.conditions import Conditions
from tammann.md.driver import ForceEngine
from tammann.md.state import ForceResult, initialize_state
from tammann.structures import Configuration

WARM = Conditions(300.0)


def box(n, seed):
    rng = np.random.default_rng(seed)
    return Configuration(("Ar",) * n, 10.0 * rng.random((n, 3)), 10.0 * np.eye(3))


def springs(strength=1e-3, sizes=None):
    """Each atom on a spring of its own at the origin; the numbers of boxes asked for at a time go to ``sizes``."""

    def forces(states, stress):
        if sizes is not None:
            sizes.append(len(states))
        return [
            ForceResult(0.5 * strength * float((m.positions_A**2).sum()), -strength * m.positions_A, np.zeros((3, 3)))
            for m in states
        ]

    return forces


class Springs(ForceEngine):
    """Springs, computed by a server where there is one."""

    def __init__(self, server=None, key="springs", make=springs):
        self.server, self.key, self.make = server, key, make

    def forces(self, potential, symbols):
        return self.make() if self.server is None else self.server.forces(self.key, self.make)

    def moving(self):
        return super().moving() if self.server is None else self.server.moving()


def move(server, configuration, *, steps=20, **options):
    return Springs(server, **options).run(configuration, None, WARM, duration_ps=steps * 0.002, sample_fs=2.0, rng=3)


@pytest.fixture
def server():
    with ForceServer().running() as running:
        yield running


def test_every_thread_gets_its_own(server):
    """Those that have asked wait for those that are moving; each gets the forces on its own atoms."""
    sizes = []
    begun = threading.Barrier(5)

    def job(k):
        begun.wait()
        return move(server, box(2 + k, k), make=lambda: springs(sizes=sizes), steps=40 + 20 * k)

    runs = in_threads([lambda k=k: job(k) for k in range(5)])
    assert sum(sizes) == sum(41 + 20 * k for k in range(5))
    assert len(sizes) >= 121 and max(sizes) <= 5
    for k, run in enumerate(runs):
        alone = move(None, box(2 + k, k), steps=40 + 20 * k)
        assert np.array_equal(run.energy_eV_per_atom, alone.energy_eV_per_atom)
        assert np.array_equal(run.configuration.positions_A, alone.configuration.positions_A)


def test_all_that_move_are_waited_for(server):
    """A batch of two, and not two of one, however late the second asks."""
    sizes, asked, moving = [], threading.Event(), threading.Event()

    def late():
        forces = server.forces("springs", lambda: springs(sizes=sizes))
        with server.moving():
            moving.set()
            asked.wait(10)
            return forces([motion(2)], False)

    def early():
        forces = server.forces("springs", lambda: springs(sizes=sizes))
        moving.wait(10)
        with server.moving():
            threading.Timer(0.2, asked.set).start()
            return forces([motion(1)], False)

    in_threads([late, early])
    assert sizes == [2]


def motion(n):
    return initialize_state(box(n, n), WARM, rng=0)


@pytest.mark.parametrize("error", [DataError("atoms too close."), KeyError("stress"), SystemExit(3)])
def test_a_box_that_fails_leaves_the_others_alone(server, error):
    def choosy():
        good = springs()

        def forces(states, stress):
            if any(len(m.symbols) == 3 for m in states):
                raise error
            return good(states, stress)

        return forces

    found = in_threads([lambda n=n: move(server, box(n, n), make=choosy) for n in (2, 3, 4)])
    assert found[1] is error
    assert found[0].duration_ps == found[2].duration_ps == pytest.approx(0.04)


def test_what_cannot_be_made_is_said_to_all_who_ask(server):
    def broken():
        raise DataError("weights not found.")

    found = in_threads(
        [lambda: move(server, box(2, 1), key="broken", make=broken)] * 3 + [lambda: move(server, box(2, 1))]
    )
    assert [str(error) for error in found[:3]] == ["weights not found."] * 3
    assert found[3].duration_ps == pytest.approx(0.04)


def test_boxes_of_other_potentials_are_no_batch(server):
    made = {key: [] for key in "ab"}
    runs = in_threads(
        [
            lambda key=key, k=k: move(server, box(2, 1), key=key, make=lambda: springs(k, made[key]))
            for key, k in (("a", 1e-3), ("b", 2e-3), ("a", 1e-3))
        ]
    )
    assert np.array_equal(runs[0].energy_eV_per_atom, runs[2].energy_eV_per_atom)
    assert runs[1].energy_eV_per_atom[0] == 2.0 * runs[0].energy_eV_per_atom[0]
    assert sum(made["a"]) == 42 and made["b"] == [1] * 21


def test_what_has_failed_is_not_kept_alive(server):
    """A device has no memory to spare for a batch that could not be computed."""

    class Activations:
        pass

    kept = []

    def greedy():
        def forces(states, stress):
            activations = Activations()
            kept.append(weakref.ref(activations))
            raise DataError("no.")

        return forces

    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(DataError):
                move(server, box(2, 1), key="greedy", make=greedy)
        assert len(kept) == 3 and not any(held() for held in kept)
    finally:
        gc.enable()


def test_a_thread_between_two_pieces_is_not_waited_for(server, tmp_path):
    """What is called after a piece is written may ask for forces itself."""
    forces = server.forces("springs", springs)
    seen = []

    def ask(fraction):
        with server.moving():
            seen.append(forces([motion(2)], False)[0].energy_eV)

    options = {"duration_ps": 0.04, "frame_fs": 4.0, "sample_fs": 2.0, "rng": 1, "progress": ask}
    (path,) = in_threads([lambda: Springs(server).produce(box(2, 1), None, WARM, tmp_path, **options)])
    assert path.name == "trajectory-20.dump.gz" and len(seen) >= 2


def test_whoever_comes_too_late_is_told():
    with ForceServer().running() as server:
        forces = server.forces("springs", springs)
        assert len(forces([motion(1)], False)) == 1
    with pytest.raises(RuntimeError, match="after their server had stopped"):
        forces([motion(1)], False)
