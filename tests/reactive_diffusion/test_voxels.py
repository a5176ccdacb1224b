"""A cube of voxels: the same as a chain where it is one, energy falls, resumed to the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reactive_diffusion.systems import filled, hold, toy_tables
from tammann.errors import RecipeError, ResultError
from tammann.reactive_diffusion import engine
from tammann.reactive_diffusion.mesh import Chain
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.voxels import run_grid

AVOGADRO = 6.02214076e23
Y, G, LAM = [0.0, 0.3, 0.6, 1.0], [0.0, -0.3, -0.35, 0.1], [1.0, 2.0, 0.5, 1.0]
TABLES = toy_tables(Y, G, LAM, AVOGADRO)


def slabs(N):
    solid = np.zeros((N, N, N), dtype=int)
    solid[N // 2 :] = 3
    return solid


def moles_of(solid):
    return np.bincount(solid.ravel(), minlength=4).astype(float)


def random_powder(N, seed=1):
    grains = np.random.default_rng(seed).integers(0, 2, (N // 4,) * 3) * 3
    return np.kron(grains, np.ones((4, 4, 4), dtype=int))


@pytest.mark.parametrize(("N", "axis"), [(8, 0), (8, 1), (8, 2), (16, 0)])
def test_slabs_are_two_couples(N, axis):
    """A periodic cube of two slabs has two mirrored fronts: each half is a chain, along whichever axis."""
    stretches = hold(1000.0, 1.0, 3)
    grid = run_grid(np.moveaxis(slabs(N), 0, axis), moles_of(slabs(N)), 1.0, TABLES, stretches, tolerance=1e-4)
    half = N // 2
    chain = Chain(np.arange(half + 1.0), np.ones(half - 1), np.ones(half), (np.arange(half) >= half // 2) * 1, "planar")
    row = engine.run(chain, filled(chain, TABLES), TABLES, stretches, tolerance=1e-4)
    np.testing.assert_allclose(grid.sites[1:] / N**3, row.sites.sum(axis=1) * AVOGADRO / half, atol=2e-4)
    np.testing.assert_allclose(grid.gibbs_eV / N**3, row.gibbs_eV * AVOGADRO / half, atol=1e-4)
    np.testing.assert_allclose(grid.dissipated_eV / N**3, row.dissipated_eV * AVOGADRO / half, atol=2e-4)


def test_energy_falls_and_nothing_is_lost():
    solid = random_powder(16)
    run = run_grid(solid, moles_of(solid), 1.0, TABLES, hold(1000.0, 30.0, 10))
    assert (np.diff(run.gibbs_eV) < 1e-7 * abs(run.gibbs_eV[0])).all()  # what the solver leaves unbalanced
    np.testing.assert_allclose(run.sites.sum(axis=1), solid.size, rtol=1e-12)
    np.testing.assert_allclose(run.sites @ Y, run.sites[0] @ Y, rtol=1e-12)
    y = run.sites[0] @ Y / solid.size
    hull = np.interp(y, Y, G) * solid.size
    assert run.gibbs_eV[-1] >= hull - 1e-6
    assert run.snapshots.max() <= 4 and run.snapshots.min() >= 1


@pytest.mark.slow
def test_finer_voxels_change_little():
    """Grains 4, 8 and 16 voxels across: sites by phase differ by 2 % and 1 % of all from the finest."""
    powder, found = random_powder(8), []
    for k in (1, 2, 4):
        solid = np.kron(powder, np.ones((k, k, k), dtype=int))
        run = run_grid(solid, moles_of(solid), 1.0 / k, TABLES, hold(1000.0, 1.2, 3))
        found.append(run.sites[1:] / solid.size)
    errors = [np.abs(each - found[-1]).max() for each in found[:2]]
    assert errors[0] < 0.025 and errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize("N", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_any_number_of_threads(N):
    """The same bits on one thread and on several; 32 is above what one thread does alone."""
    solid = random_powder(N)
    whole, other = (run_grid(solid, moles_of(solid), 1.0, TABLES, hold(1000.0, 1.0), threads=n) for n in (1, 4))
    for name in ("sites", "gibbs_eV", "dissipated_eV", "snapshots", "steps", "cycles"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(other, name), err_msg=name)


def test_resumed(tmp_path):
    """The same bits when stopped after any frame; grinding included."""
    solid = random_powder(8)
    parts = [*hold(1000.0, 2.0, 3), Stretch(1000.0, 1050.0, 1.0, 1, regrind=True)]
    whole = run_grid(solid, moles_of(solid), 1.0, TABLES, parts, block=4, rng=3)

    class StopError(Exception):
        pass

    def stop(part, text, T):
        if part >= 0.5:
            raise StopError

    path = tmp_path / "state.npz"
    with pytest.raises(StopError):
        run_grid(solid, moles_of(solid), 1.0, TABLES, parts, block=4, rng=3, checkpoint=path, progress=stop)
    resumed = run_grid(solid, moles_of(solid), 1.0, TABLES, parts, block=4, checkpoint=path)
    for name in ("sites", "gibbs_eV", "dissipated_eV", "snapshots", "steps", "cycles"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(resumed, name), err_msg=name)
    with pytest.raises(ResultError, match="another run"):
        run_grid(slabs(8), moles_of(slabs(8)), 1.0, TABLES, parts, block=4, checkpoint=path)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_several_at_a_time(layer):
    """Two grids in two threads are what each is alone, also where numba's threads serve one caller at a time."""
    code = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from reactive_diffusion.systems import hold
from reactive_diffusion.test_voxels import TABLES, moles_of, random_powder
from tammann.reactive_diffusion.voxels import run_grid
def one(seed):
    solid = random_powder(8, seed)
    return run_grid(solid, moles_of(solid), 1.0, TABLES, hold(1000.0, 1.0), threads=2).sites
alone = [one(seed) for seed in range(4)]
with ThreadPoolExecutor(4) as pool:
    assert all(np.array_equal(a, b) for a, b in zip(alone, pool.map(one, range(4))))
"""
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root / "src"), str(root / "tests")])
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if layer == "omp" and "No threading layer could be loaded" in done.stderr:
        pytest.skip("numba has no OpenMP here")
    assert done.returncode == 0, done.stderr


def test_odd_cubes_are_refused():
    with pytest.raises(RecipeError, match="even edge"):
        run_grid(np.zeros((5, 5, 5), int), np.ones(4), 1.0, TABLES, hold(1000.0, 1.0))
