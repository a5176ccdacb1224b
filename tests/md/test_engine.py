"""What every engine shares: steps, ramps, samples, folders; with an engine that only counts."""

from contextlib import contextmanager

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.engine import Engine, Simulation, SinglePoint
from tammann.md.recording import Segment
from tammann.potentials import pedone_2006
from tammann.structures import Configuration

BOX = Configuration(("Mg", "O"), np.zeros((2, 3)) + [[0, 0, 0], [2, 2, 2]], 4.0 * np.eye(3))


class Counting(Engine, Simulation):
    """Writes down what it is asked for; its atoms have the temperature ``kelvin``."""

    def __init__(self, kelvin=300.0):
        self.kelvin, self.asked, self.opened = kelvin, [], []

    @contextmanager
    def simulation(self, configuration, potential, start=None):
        self.opened.append(start)
        yield self

    def advance(self, steps, *, sample_every, frame_every=None):
        self.asked.append((steps, sample_every, frame_every))
        samples = np.full((steps // sample_every, 9), self.kelvin)
        return Segment(samples)

    def minimize(self, steps):
        self.asked.append(steps)

    def single_point(self, *box):
        return Engine.single_point(self, *box) if box else SinglePoint(1.0, np.zeros((2, 3)), np.zeros(6))

    def configuration(self):
        return Configuration(BOX.symbols, BOX.positions_A, BOX.cell_A, np.ones((2, 3)))

    def save(self, path):
        path.write_text("state")


@pytest.mark.parametrize(
    "timestep_fs, duration_ps, sample_fs, steps, every",
    [(2.0, 1.0, 10.0, 500, 5), (2.0, 0.009, 4.0, 4, 2), (2.0, 0.001, 10.0, 5, 5), (3.0, 0.1, 1.0, 33, 1)],
)
def test_runs_are_whole_samples(timestep_fs, duration_ps, sample_fs, steps, every):
    engine = Counting()
    run = engine.run(BOX, None, Conditions(300.0, timestep_fs), duration_ps=duration_ps, sample_fs=sample_fs)
    assert engine.asked == [(steps, every, None)]
    assert run.duration_ps == pytest.approx(steps * timestep_fs / 1000)
    assert run.configuration.velocities_A_per_ps is not None and engine.opened[0].ramp is None


def test_a_ramp_lasts_as_long_as_its_run():
    engine = Counting()
    engine.run(BOX, None, Conditions(300.0), duration_ps=0.1, final_temperature_K=500.0)
    assert engine.opened[0].ramp == (500.0, 50)


def test_atoms_far_hotter_than_the_thermostat_have_exploded():
    with pytest.raises(DataError, match=r"has exploded \(its atoms reached 1500 K\)"):
        Counting(1500.0).run(BOX, None, Conditions(300.0), duration_ps=0.1)
    Counting(1500.0).run(BOX, None, Conditions(300.0), duration_ps=0.1, final_temperature_K=600.0)


def test_relaxed_atoms_have_no_velocities():
    engine = Counting()
    assert engine.relax(BOX, None, steps=7).velocities_A_per_ps is None
    assert engine.asked == [7] and engine.opened == [None]
    assert engine.single_point(BOX, None).energy_eV_per_atom == 1.0


def test_a_finished_trajectory_opens_no_simulation(tmp_path):
    (tmp_path / "trajectory-500.dump.gz").touch()
    (tmp_path / "restart-500.bin").touch()
    engine = Counting()
    path = engine.produce(BOX, pedone_2006(), Conditions(300.0), tmp_path, duration_ps=1.0)
    assert path == tmp_path / "trajectory-500.dump.gz" and engine.opened == []
