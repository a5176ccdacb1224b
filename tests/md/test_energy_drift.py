"""Conservation of energy: the order of the integrator, and forces that no energy belongs to."""

import numpy as np
import pytest

from potentials.broken import copper, swirling
from tammann.errors import DataError
from tammann.md.ase import AseEngine
from tammann.md.energy_drift import energy_drift
from tammann.potentials import imported_potential


def drift_of(name, **options):
    start = copper(rattle_A=0.05)
    forces = AseEngine().forces(imported_potential(f"potentials.broken:{name}"), start.symbols)
    return energy_drift(start, forces, temperature_K=600.0, rng=1, **options)


def test_the_fluctuation_falls_as_the_square_of_the_time_step():
    found = drift_of("sound", timesteps_fs=(8.0, 4.0, 2.0), sample_fs=8.0, duration_ps=0.8)
    assert found.order == pytest.approx(2.0, abs=0.15)
    ratio = found.fluctuation_meV_per_atom[:-1] / found.fluctuation_meV_per_atom[1:]
    np.testing.assert_allclose(ratio, 4.0, rtol=0.15)
    assert abs(found.drift_meV_per_atom_ps[-1]) < 3 * found.drift_stderr_meV_per_atom_ps[-1] + 0.05
    assert found.table()["timestep_fs"].tolist() == [8.0, 4.0, 2.0]
    assert "falls as dt^2" in repr(found) or "falls as dt^1.9" in repr(found)


def test_forces_that_are_no_gradient_leave_the_energy_at_no_time_step():
    assert swirling() is not None
    found = drift_of("swirling", timesteps_fs=(4.0, 2.0), sample_fs=4.0, duration_ps=0.8)
    assert found.order < 0.5
    assert found.fluctuation_meV_per_atom.min() > 1.0


def test_progress_and_refusals():
    seen = []
    drift_of("sound", timesteps_fs=(4.0, 2.0), sample_fs=4.0, duration_ps=0.1, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1.0)
    with pytest.raises(DataError, match="multiple of all time steps"):
        drift_of("sound", timesteps_fs=(3.0, 2.0), sample_fs=4.0)
    with pytest.raises(DataError, match="at least 20 samples"):
        drift_of("sound", timesteps_fs=(2.0, 1.0), duration_ps=0.01)
