"""Fitted potentials begin with ions that touch, others with a looser packing."""

import numpy as np
import pytest

from tammann.md import starts
from tammann.md.starts import random_start
from tammann.potentials import ModelFile, load_potential
from tammann.structures.candidates import least_distances
from tammann.structures.contacts import closest_contacts

FITTED = ModelFile("mine.ace.npz", "mine.ace.npz", "0" * 64, "nothing:nothing", "")


def test_ions_of_a_fitted_potential_touch_and_are_no_closer():
    start = random_start("TiO2", FITTED, atoms=48, volume_per_atom_A3=13.0, rng=1)
    assert start.n_atoms == 48 and start.volume_A3 == pytest.approx(48 * 13.0)
    assert np.allclose(start.cell_A, np.eye(3) * start.cell_A[0, 0])
    found = closest_contacts(start)
    for pair, least in least_distances("TiO2", volume_per_atom_A3=13.0).items():
        assert found[min(pair), max(pair)] >= 0.8 * least


def test_any_other_potential_gets_a_packing(monkeypatch):
    asked = {}
    monkeypatch.setattr(starts, "random_packing", lambda formula, **options: asked.update(options, formula=formula))
    random_start("TiO2", load_potential("pedone-2006"), atoms=48, temperature_K=1800.0, rng=1)
    assert asked["formula"] == "TiO2" and asked["temperature_K"] == 1800.0 and asked["atoms"] == 48
