"""Grain boundaries of copper by effective-medium theory, small and quick."""

import pytest

from tammann.workflows.grain_boundaries import GrainBoundaryPlan

TINY = {
    "crystal": "copper.extxyz", "potential": "ase.calculators.emt:EMT", "boundaries": [{"sigma": 5}],
    "thickness_A": 6.0, "translations": [2, 2], "relax": 2, "steps": 100, "force_eV_per_A": 0.05,
}  # fmt: skip


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    from ase.build import bulk

    monkeypatch.chdir(tmp_path)
    bulk("Cu", cubic=True).write("copper.extxyz")
    return lambda **changes: GrainBoundaryPlan(**TINY | changes)
