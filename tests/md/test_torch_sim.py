"""The engine torch-sim: a batch gives what each system alone gives, and what the engine ASE gives; CPU, small."""

import gzip
import itertools
import sys
from contextlib import suppress
from functools import partial

import numpy as np
import pytest

from md.stopping import Stopped, stop
from md.threads import in_threads
from tammann.errors import DataError, RecipeError
from tammann.md import torch_sim
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.md.state import initialize_state
from tammann.md.torch_sim import TorchSimEngine
from tammann.potentials import chgnet, imported_potential, pedone_2006
from tammann.structures import Configuration
from tammann.workflows.melt.plan import MeltPlan

engine = TorchSimEngine()
BORN = imported_potential("potentials.toys:born")


@pytest.fixture
def installed():
    pytest.importorskip("torch_sim")


def gas(n, edge, seed):
    x = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * edge / n
    x = x + np.random.default_rng(seed).normal(scale=0.1, size=x.shape)
    return Configuration(("Mg", "O") * (n**3 // 2) + ("Mg",) * (n**3 % 2), x, edge * np.eye(3))


MANY = [gas(2, 10.5, 1), gas(3, 11.0, 2), gas(2, 10.2, 3)]


def test_forces_and_pressure_are_slopes(installed):
    """A slanted cell goes over as it is, by its energy image by image; forces and pressure are slopes."""
    start = MANY[1]
    cell = 11.0 * np.eye(3)
    cell[1, 0] = 1.5
    start = Configuration(start.symbols, start.positions_A + 30.0, cell)
    per_atom, forces, pressure = engine.single_point(start, BORN)
    h, n = 1e-4, start.n_atoms
    shifts = [np.array(k) @ cell for k in itertools.product((-1, 0, 1), repeat=3)]
    r = np.array([np.linalg.norm(start.positions_A[j] - start.positions_A[i] + s)
                  for i in range(n) for j in range(i) for s in shifts])  # fmt: skip
    assert per_atom * n == pytest.approx(np.sum(np.exp((2.5 - r[r < 5]) / 0.4) - np.exp(-2.5 / 0.4)), rel=1e-9)
    for atom, axis in ((0, 0), (5, 2), (13, 1)):
        sides = []
        for sign in (-1, 1):
            x = start.positions_A.copy()
            x[atom, axis] += sign * h
            sides.append(engine.single_point(Configuration(start.symbols, x, cell), BORN)[0] * n)
        assert forces[atom, axis] == pytest.approx(-(sides[1] - sides[0]) / (2 * h), abs=1e-6)
    V = start.volume_A3
    low, high = (engine.single_point(start.at_volume(V * (1 + s)), BORN)[0] * n for s in (-h, h))
    assert pressure[:3].mean() == pytest.approx(-(high - low) / (2 * h * V) * 160.21766, rel=1e-5)


def test_a_killed_run_is_resumed_beside_others(installed, tmp_path):
    """Batched with others or alone, interrupted or not: the same trajectory, byte by byte."""
    options = {"duration_ps": 0.08, "frame_fs": 8.0, "sample_fs": 4.0, "rng": 2}
    conditions = Conditions(1000.0, thermostat="langevin")

    def produce(run, **more):
        def one(k):
            with suppress(Stopped):
                return engine.produce(MANY[k], BORN, conditions, tmp_path / run / str(k), **options, **more)

        with engine.batch_threads():
            return in_threads([partial(one, k) for k in range(3)])

    assert produce("a", progress=stop) == [None] * 3
    for k, (resumed, straight) in enumerate(zip(produce("a"), produce("b"), strict=True)):
        alone = engine.produce(MANY[k], BORN, conditions, tmp_path / "c" / str(k), **options)
        first, *others = (gzip.decompress(path.read_bytes()) for path in (resumed, straight, alone))
        assert others == [first, first]
        assert len(list(resumed.parent.iterdir())) == 3


@pytest.mark.parametrize(
    "potential, words",
    [
        (pedone_2006(), "takes chgnet or a model"),
        (imported_potential("potentials.toys:ions"), "takes models of torch-sim, got RigidIonsCalculator"),
        (imported_potential("potentials.toys:broken"), "weights not found"),
        (imported_potential("potentials.toys:rigid"), "take the engine lammps or ase with it"),
        (imported_potential("potentials.toys:commands"), "works with engine lammps only"),
        (imported_potential("builtins:dict"), "takes models of torch-sim, got dict"),
    ],
)
def test_what_is_refused(installed, potential, words):
    with pytest.raises(DataError, match=words) as caught:
        engine.single_point(MANY[0], potential)
    assert "\n" not in str(caught.value)


def test_missing_packages_name_their_extra(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torch_sim", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[torch-sim\]'"):
        engine.single_point(MANY[0], BORN)


def test_plans_that_cannot_be():
    with pytest.raises(RecipeError, match="engine: expected lammps or ase with the potential pedone-2006"):
        MeltPlan.from_text("melts: [MgO]\nengine: torch-sim")
    assert MeltPlan.from_text("melts: [MgO]\nengine: torch-sim\npotential: chgnet").engine == "torch-sim"
    with pytest.raises(RecipeError, match="potential: expected module:callable"):
        MeltPlan.from_text("melts: [MgO]\nengine: ase\npotential: 'a b:c'")


@pytest.mark.slow
def test_chgnet_in_a_batch_is_chgnet(installed):
    pytest.importorskip("chgnet")
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = np.concatenate([faces, faces + [0.5, 0, 0]])
    rng = np.random.default_rng(1)
    some = [
        Configuration((metal,) * 4 + ("O",) * 4, edge * sites + rng.normal(scale=0.05, size=(8, 3)), edge * np.eye(3))
        for metal, edge in (("Mg", 4.3), ("Ba", 5.6))
    ]
    with engine.batch_threads():
        runs = in_threads([
            lambda c=c: engine.run(c, chgnet(), Conditions(500.0), duration_ps=0.01, sample_fs=2.0, rng=1) for c in some
        ])  # fmt: skip
    for run in runs:
        per_atom, _, _ = load_engine("ase").single_point(run.configuration, chgnet())
        assert run.energy_eV_per_atom[-1] == pytest.approx(per_atom, abs=1e-4)
    ours, theirs = (e.single_point(some[1], chgnet()) for e in (engine, load_engine("ase")))
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-3)
    np.testing.assert_allclose(ours[2], theirs[2], atol=0.01)


@pytest.fixture
def counted(monkeypatch):
    """The number of boxes in each call of the model."""
    sizes = []
    compute = torch_sim._compute

    def counting(model, name, states):
        sizes.append(len(states))
        return compute(model, name, states)

    monkeypatch.setattr(torch_sim, "_compute", counting)
    return sizes


def test_threads_side_by_side_move_as_each_alone(installed, counted):
    """Boxes of other sizes, temperatures, thermostats and lengths in one batch."""

    def jobs():
        hot, warm = Conditions(2000.0, thermostat="langevin"), Conditions(800.0)
        return [
            lambda: engine.run(MANY[0], BORN, hot, duration_ps=0.04, rng=1),
            lambda: engine.run(MANY[1], BORN, warm, duration_ps=0.08, rng=2),
            lambda: engine.run(MANY[2], BORN, warm, duration_ps=0.04, rng=3),
        ]

    alone = [job() for job in jobs()]
    assert counted == [1] * (21 + 41 + 21)
    counted.clear()
    with engine.batch_threads():
        together = in_threads(jobs())
    # a thread that begins late is behind, so the number of calls is known only within limits
    assert 41 <= len(counted) <= 83 and sum(counted) == 83
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one.configuration.positions_A, other.configuration.positions_A, atol=1e-9)
        np.testing.assert_allclose(one.pressure_GPa, other.pressure_GPa, atol=1e-9)


def test_a_batch_is_as_large_as_memory_allows(installed, monkeypatch):
    import torch

    compute, room, sizes = torch_sim._compute, 2, []

    def cramped(model, name, states):
        if len(states) > room:
            raise torch.cuda.OutOfMemoryError("no more")
        sizes.append(len(states))
        return compute(model, name, states)

    monkeypatch.setattr(torch_sim, "_compute", cramped)
    forces = engine.forces(BORN, MANY[0].symbols)
    states = [initialize_state(c, Conditions(300.0), rng=0) for c in MANY * 2]
    for state, result in zip(states, forces(states, True), strict=True):
        (alone,) = compute(forces.model, BORN.name, [state])
        np.testing.assert_allclose(result.forces_eV_per_A, alone.forces_eV_per_A, atol=1e-12)
    assert sizes == [1] * 6  # 6, 3 and then 1 at a time
    room = 0
    with pytest.raises(DataError, match="a box of 8 atoms does not fit"):
        engine.single_point(MANY[0], BORN)
    with engine.batch_threads():
        found = in_threads([lambda c=c: engine.single_point(c, BORN) for c in MANY])
    assert all("does not fit" in str(error) for error in found)


def test_compiled_models_say_in_words_that_memory_is_out(installed, monkeypatch):
    import torch

    def greedy():
        def model(state):
            raise RuntimeError("CUDA out of memory. Tried to allocate")

        return model

    monkeypatch.setattr(torch_sim, "_model", lambda potential: greedy())
    with pytest.raises(torch.cuda.OutOfMemoryError):
        torch_sim._compute(greedy(), "greedy", [initialize_state(MANY[0], Conditions(300.0), rng=0)])
    with pytest.raises(DataError, match="potential potentials.toys:born: a box of 8 atoms does not fit"):
        engine.single_point(MANY[0], BORN)


def test_two_potentials_side_by_side(installed):
    """Boxes of different potentials are no batch, though they may be asked for at the same time."""
    twice = imported_potential("potentials.toys:born_twice")
    with engine.batch_threads():
        one, two, again = in_threads(
            [
                lambda p=p: engine.run(MANY[0], p, Conditions(800.0), duration_ps=0.04, rng=1)
                for p in (BORN, twice, BORN)
            ]
        )
    assert np.array_equal(one.energy_eV_per_atom, again.energy_eV_per_atom)
    assert two.energy_eV_per_atom[0] == pytest.approx(2 * one.energy_eV_per_atom[0], rel=1e-9)
    assert engine.usable()
