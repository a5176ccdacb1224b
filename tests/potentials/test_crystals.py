"""Equations of state with known answers."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from potentials.broken import collapsing, sound
from tammann.errors import DataError
from tammann.potentials.crystals import crystal_curve, relax_crystal
from tammann.structures import Configuration
from tammann.units import EV_PER_A3_IN_GPA


def face_centred(a_A, n=1):
    return Configuration.from_ase(bulk("Cu", a=a_A, cubic=True).repeat(n))


def test_bulk_modulus_is_the_curvature_of_the_energy():
    """B = V d²E/dV² from the energy itself, by differences at the volume found."""
    curve = crystal_curve(sound(), face_centred(3.7, 2), scales=(0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03))
    cell = face_centred(3.7, 2)
    v0, h, n = curve.volume_A3_per_atom, 0.02, cell.n_atoms

    def energy(volume):
        atoms = cell.at_volume(volume * n).to_ase()
        atoms.calc = sound()
        return atoms.get_potential_energy() / n

    second = (energy(v0 + h) - 2.0 * energy(v0) + energy(v0 - h)) / h**2
    assert curve.bulk_modulus_GPa == pytest.approx(v0 * second * EV_PER_A3_IN_GPA, rel=0.01)
    assert (energy(v0 + h) - energy(v0 - h)) / (2 * h) == pytest.approx(0.0, abs=1e-3)
    assert curve.relaxed and curve.residual_eV_per_atom < 1e-4


def test_emt_has_the_lattice_of_copper():
    """EMT was fitted to copper: 3.61 Å and about 134 GPa (Jacobsen, Stoltze, Norskov, Surf. Sci. 1996, 366, 394)."""
    copper, converged = relax_crystal(EMT(), face_centred(3.8))
    assert converged
    assert copper.cell_A[0, 0] == pytest.approx(3.59, abs=0.02)
    curve = crystal_curve(EMT(), Configuration.from_ase(bulk("Cu")))
    assert curve.bulk_modulus_GPa == pytest.approx(134.0, abs=8.0)


def test_volumes_do_not_depend_on_where_relaxation_starts():
    volumes = [relax_crystal(sound(), face_centred(a))[0].volume_A3 for a in (3.5, 3.7)]
    assert volumes[0] == pytest.approx(volumes[1], rel=2e-3)


def test_a_crystal_that_nothing_holds_is_refused():
    with pytest.raises(DataError, match="no minimum|failed"):
        crystal_curve(collapsing(), face_centred(3.6), steps=5)


def test_too_few_volumes_are_refused():
    with pytest.raises(DataError, match="five or more"):
        crystal_curve(EMT(), face_centred(3.6), scales=(0.9, 1.0, 1.1))


def test_atoms_relax_within_a_cell():
    start = face_centred(3.7)
    moved = Configuration(start.symbols, start.positions_A + np.array([[0.1, 0, 0]] + [[0, 0, 0]] * 3), start.cell_A)
    relaxed, converged = relax_crystal(sound(), moved, cell=False)
    assert converged and np.allclose(relaxed.cell_A, start.cell_A)
    apart = relaxed.positions_A - relaxed.positions_A[0]
    assert np.allclose(apart, start.positions_A - start.positions_A[0], atol=0.02)
