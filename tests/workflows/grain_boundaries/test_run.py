"""Energies of grain boundaries: known answers, and what the folder holds."""

import numpy as np
import pandas as pd
import pytest
from ase.calculators.emt import EMT
from ase.io import read

from tammann.workflows.grain_boundaries import run_grain_boundaries

SIGMA_5 = "sigma 5 about 0 0 1"


def test_the_energy_is_zero_at_zero_angle_and_that_of_metals_at_sigma_5(tiny, tmp_path):
    told = []
    plan = tiny(boundaries=[{"angle_deg": 0.0}, {"sigma": 5}])
    found = run_grain_boundaries(plan, "out", progress=lambda *news: told.append(news[0]))
    table = found.table().set_index("boundary")
    assert table.energy_J_per_m2["tilt 0 about 0 0 1"] == pytest.approx(0.0, abs=1e-4)
    best = table.loc[SIGMA_5]
    assert 0.5 < best.energy_J_per_m2 < best.unrelaxed_J_per_m2
    assert (best.kind, best.candidates, best.relaxed, best.failed) == ("symmetric tilt", 4, 2, 0)
    assert best.converged and best.largest_force_eV_per_A <= 0.05
    assert best.angle_deg == pytest.approx(36.87, abs=0.01)
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)
    made = found.configuration(SIGMA_5)
    assert set(made.labels) >= {"grain", "boundary_distance_A", "energy_eV"}
    atoms, crystal = made.to_ase(), read("copper.extxyz")
    atoms.calc, crystal.calc = EMT(), EMT()
    excess_eV = atoms.get_potential_energy() - len(atoms) / 4 * crystal.get_potential_energy()
    area_A2 = 3.61**2 * np.sqrt(5)  # of the (210) plane in a cell that is as thick as the axis
    assert best.area_A2 == pytest.approx(area_A2, rel=1e-6)
    assert best.energy_J_per_m2 == pytest.approx(excess_eV / (2 * area_A2) * 16.0217663, rel=1e-3)
    depth, energies = made.labels["boundary_distance_A"], made.labels["energy_eV"]
    assert energies[depth < 2.0].mean() > energies[depth > 3.0].mean() + 0.02
    written = pd.read_csv(tmp_path / "out" / "boundaries.csv")
    np.testing.assert_allclose(written.energy_J_per_m2, table.energy_J_per_m2)
    assert len(pd.read_csv(tmp_path / "out" / "candidates.csv")) == 8
    assert (tmp_path / "out" / "energies.png").stat().st_size > 8000
