"""Equations of motion: ensembles, conservation of energy, ideal gases, ramps, relaxation."""

import numpy as np
import pytest
from scipy import stats

from md.boxes import crystal, molten_magnesia
from tammann.md.ase import AseEngine
from tammann.md.block_average import block_stderr
from tammann.md.conditions import Conditions
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import imported_potential
from tammann.structures import Configuration
from tammann.units import BOLTZMANN_EV_PER_K

engine = AseEngine()
POTENTIAL = pedone_2006()
TRAPS = imported_potential("potentials.toys:Traps")
NOTHING = imported_potential("potentials.toys:nothing")
THERMOSTATS = ["nose-hoover", "langevin"]


@pytest.fixture(scope="module")
def melt():
    return molten_magnesia()


@pytest.mark.slow
@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_kinetic_energies_are_canonical(melt, thermostat):
    """Mean and variance of the kinetic temperature: T and 2 T**2/f; in traps and in a melt."""
    conditions = Conditions(2000.0, thermostat=thermostat)
    start = crystal(repeats=1)
    run = engine.run(start, TRAPS, conditions, duration_ps=60.0, sample_fs=20.0, rng=2)
    T, f = run.temperature_K[250:], 3 * start.n_atoms - 3
    if thermostat == "nose-hoover":  # springs of two frequencies are not ergodic under it; the melt below is
        run = engine.run(melt, POTENTIAL, Conditions(4000.0), duration_ps=16.0, sample_fs=20.0, rng=2)
        T, f = run.temperature_K[250:] / 2.0, 3 * melt.n_atoms - 3
    assert T.mean() == pytest.approx(2000.0, abs=4 * block_stderr(T, blocks=10))
    assert T.var() / 2000.0**2 == pytest.approx(2.0 / f, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_velocities_are_maxwells(melt, thermostat):
    """Velocities over sqrt(kT/m) are normal, over atoms of two masses and many instants (Kolmogorov-Smirnov)."""
    from tammann.md.integrators import advance
    from tammann.md.state import initialize_state

    # momentum at rest takes a little: the variance of a velocity is (kT/m)(1 - m/M)
    state = initialize_state(melt, Conditions(4000.0, thermostat=thermostat), rng=3)
    forces = engine.forces(POTENTIAL, melt.symbols)
    scale = np.sqrt(BOLTZMANN_EV_PER_K * 4000.0 / state.masses * (1.0 - state.masses / state.masses.sum()))
    seen = [state.velocities_A_per_ps / scale for _ in advance(state, forces, 4000, every=200)]
    for part in (slice(0, 32), slice(32, 64)):
        z = np.concatenate([v[part].ravel() for v in seen[3:]])
        assert stats.kstest(z, "norm").pvalue > 1e-3
        assert z.var() == pytest.approx(1.0, abs=4 * np.sqrt(2.0 / len(z)) * 1.5)


@pytest.mark.slow
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
    """Without a thermostat the total energy wavers by an amount that falls as the square of the step."""
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


@pytest.mark.parametrize("thermostat", ["langevin", "berendsen", "nose-hoover"])
def test_a_ramp_is_followed(thermostat):
    start = crystal(rattle=0.05, edge=4.25)
    conditions = Conditions(300.0, thermostat=thermostat, damping_fs=50.0)
    run = engine.run(start, POTENTIAL, conditions, duration_ps=1.2, final_temperature_K=900.0, rng=1)
    half = len(run.temperature_K) // 2
    assert run.temperature_K[:half].mean() < run.temperature_K[half:].mean()
    assert run.temperature_K[-20:].mean() == pytest.approx(850.0, abs=170.0)


def test_relaxing_slides_downhill():
    rattled = crystal(edge=4.25, rattle=0.1)
    relaxed = engine.relax(rattled, POTENTIAL)
    assert np.abs(engine.single_point(relaxed, POTENTIAL)[1]).max() < 0.06
    assert engine.single_point(relaxed, POTENTIAL)[0] < engine.single_point(rattled, POTENTIAL)[0] - 0.01
