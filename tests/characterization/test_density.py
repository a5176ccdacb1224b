"""Densities of ions: as many as there are, in any cell, where they are."""

import numpy as np
import pytest

from breathing import CSCL, drifting_crystal
from characterization.boxes import SKEWED
from hopping import hopping
from tammann.characterization import find_jumps, find_sites, ion_density
from tammann.characterization.density import mean_density
from tammann.characterization.ion_paths import ion_paths, mean_framework
from tammann.errors import DataError
from tammann.trajectory import Trajectory, trajectory_from_arrays


def gaussian(cell, ions=4, frames=400, width=0.3, drift=0.0, seed=3):
    rng = np.random.default_rng(seed)
    places = rng.random((ions, 3)) @ cell
    paths = places + rng.normal(scale=width, size=(frames, ions, 3))
    anions = rng.random((5, 3)) @ cell + np.zeros((frames, 1, 1))
    moving = drift * np.arange(frames)[:, None, None] * np.array([1.0, -2.0, 0.5])
    positions = np.concatenate([paths, anions], axis=1) + moving
    return places, Trajectory(("Li",) * ions + ("Cl",) * 5, positions, cell[None], 0.1, temperature_K=700.0)


@pytest.mark.parametrize("cell", [6.0 * np.eye(3), SKEWED], ids=["cubic", "triclinic"])
@pytest.mark.parametrize("smoothing", [0.0, 0.4, 3.0])
def test_it_integrates_to_the_number_of_ions(cell, smoothing):
    """Also where the Gaussian is as wide as the cell; nothing is negative."""
    _, walk = gaussian(cell)
    found = ion_density(walk, "Li", spacing_A=0.5, smoothing_A=smoothing)
    assert found.integral() == pytest.approx(4.0, abs=1e-12) and found.values_per_A3.min() >= 0.0


@pytest.mark.parametrize("cell", [8.0 * np.eye(3), SKEWED], ids=["cubic", "triclinic"])
def test_an_ion_is_a_gaussian_where_it_sits(cell):
    """An ion at rest becomes the Gaussian itself, whatever the angles of the cell, across its faces too."""
    place = np.array([[0.02, 0.97, 0.5]]) @ cell
    walk = Trajectory(("Li", "Cl"), np.stack([np.concatenate([place, [[1.0, 1, 1]]])] * 2), cell[None], 1.0)
    found = ion_density(walk, "Li", spacing_A=0.2, smoothing_A=0.6)
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in found.shape], indexing="ij"), axis=-1)
    steps = points - place @ np.linalg.inv(cell)
    squares = (((steps - np.round(steps)) @ cell) ** 2).sum(axis=-1)
    width = 0.6**2 + found.voxel_A3 ** (2 / 3) / 6
    expected = np.exp(-0.5 * squares / width) / (2 * np.pi * width) ** 1.5
    assert np.abs(found.values_per_A3 - expected).max() < 0.02 * expected.max()
    assert found.visit_per_A3 * found.n_frames == pytest.approx(expected.max(), rel=0.02)


def test_drift_of_the_crystal_does_not_matter():
    places, walk = gaussian(8.0 * np.eye(3))
    _, moving = gaussian(8.0 * np.eye(3), drift=0.02)
    still, found = (ion_density(t, "Li").values_per_A3 for t in (walk, moving))
    # the drift over 400 frames is 8 Å; its mean is where the framework is held
    shift = np.round(0.02 * 199.5 * np.array([1, -2, 0.5]) / 0.25).astype(int)
    assert np.corrcoef(np.roll(still, shift, (0, 1, 2)).ravel(), found.ravel())[0, 1] > 0.99


def test_wrapping_changes_nothing():
    _, walk = gaussian(SKEWED)
    moved = walk.positions + np.random.default_rng(1).integers(-2, 3, (1, 9, 3)) @ SKEWED
    again = Trajectory(walk.symbols, moved, walk.cells, 0.1)
    assert np.allclose(ion_density(walk, "Li").values_per_A3, ion_density(again, "Li").values_per_A3, atol=1e-9)


def test_the_free_energy_of_a_harmonic_site():
    """-kT ln rho of a Gaussian is a parabola: half of its maximum costs kT ln 2."""
    _, walk = gaussian(10.0 * np.eye(3), ions=1, frames=20000, width=0.7)
    found = ion_density(walk, "Li", spacing_A=0.25, smoothing_A=0.2)
    top = np.unravel_index(found.values_per_A3.argmax(), found.shape)
    energy = found.free_energy_eV()[tuple((np.array(top) + [3, 0, 0]) % 40)]
    width = 0.7**2 + 0.2**2 + 0.25**2 / 6
    assert found.kT_eV() == pytest.approx(8.617333262e-5 * 700)
    assert energy == pytest.approx(found.kT_eV() * 0.5 * 0.75**2 / width, abs=0.02)


def test_the_mean_over_cells_of_a_supercell():
    walk = hopping((0.1, 0.1, 0.1), frames=500)
    found = ion_density(walk, "Li", multiples_of=(3, 3, 3))
    folded = found.repeated_cell((3, 1, 1))
    assert folded.cell_A.diagonal().tolist() == [3.0, 9.0, 9.0]
    assert folded.n_ions == 4 and folded.integral() == pytest.approx(4.0)
    # each cell is a replica: a visit in one frame of the supercell is a third of one in the mean
    assert folded.visit_per_A3 == pytest.approx(found.visit_per_A3 / 3)
    assert folded.n_frames == 1500 and folded.duration_ps == pytest.approx(3 * found.duration_ps)
    with pytest.raises(DataError, match="multiples_of"):
        found.repeated_cell((5, 1, 1))


@pytest.mark.parametrize("tilt", [0.0, 0.4], ids=["cubic", "tilted"])
def test_it_integrates_to_the_number_of_ions_in_a_cell_that_breathes(tilt):
    w, cells, _ = drifting_crystal(tilt=tilt)
    found = ion_density(trajectory_from_arrays(w, cells, CSCL, frame_interval_ps=1.0), "Cs", spacing_A=0.6)
    assert found.integral() == pytest.approx(27.0, abs=1e-11)
    assert np.allclose(found.cell_A, cells.mean(axis=0))
    assert len(find_sites(found)) == 27 and np.allclose(find_sites(found).occupancies, 1.0)


def test_replicas_lie_upon_each_other():
    """A replica whose crystal has moved, its atoms images of the first one's, adds to it as one that stays."""
    one = hopping((0.1, 0.1, 0.0), frames=1500, seed=1)
    other = hopping((0.1, 0.1, 0.0), frames=1500, seed=2)
    images = np.random.default_rng(3).integers(-1, 2, (1, one.n_atoms, 3)) @ one.cells[0]
    away = Trajectory(one.symbols, other.positions + [1.2, 4.0, -7.5] + images, one.cells, 0.1, temperature_K=800.0)
    first = ion_density(one, "Li")
    with pytest.raises(DataError, match="framework of number 1 lies"):
        mean_density([first, ion_density(away, "Li")])
    second, still = (ion_density(walk, "Li", framework=first.framework) for walk in (away, other))
    assert np.allclose(second.values_per_A3, still.values_per_A3, atol=1e-9)
    steps = (second.framework.positions_A - still.framework.positions_A) @ np.linalg.inv(one.cells[0])
    assert np.abs(steps - np.round(steps)).max() < 1e-9
    sites = find_sites(mean_density([first, second]))
    assert len(sites) == 27 and sites.occupancies.sum() == pytest.approx(12.0)
    jumps, expected = find_jumps(away, sites), find_jumps(other, sites)
    assert np.array_equal(jumps.frames, expected.frames) and np.array_equal(jumps.targets, expected.targets)
    with pytest.raises(DataError, match="other atoms"):
        ion_density(hopping((0.1, 0.1, 0.0), frames=50, anion="Br"), "Li", framework=first.framework)


def test_bad_input_is_told():
    _, walk = gaussian(6.0 * np.eye(3))
    with pytest.raises(DataError, match="there is no 'Na'"):
        ion_density(walk, "Na")
    with pytest.raises(DataError, match="spacing_A"):
        ion_density(walk, "Li", spacing_A=0.0)
    for wrong in ((0, 1, 1), (1, 1)):
        with pytest.raises(DataError, match="multiples_of"):
            ion_density(walk, "Li", multiples_of=wrong)
    blown = Trajectory(
        walk.symbols, np.where(np.arange(400)[:, None, None] == 7, np.nan, walk.positions), walk.cells, 0.1
    )
    with pytest.raises(DataError, match="not all finite"):
        ion_density(blown, "Li")
    with pytest.raises(DataError, match="voxels"):
        ion_density(walk, "Li", spacing_A=0.01)
    with pytest.raises(DataError, match="temperature_K"):
        ion_density(Trajectory(walk.symbols, walk.positions, walk.cells, 0.1), "Li").free_energy_eV()


def test_ions_keep_their_sites_in_a_cell_that_breathes():
    """The ions of a rigid crystal that drifts by four cells stay where they are in the framework."""
    w, cells, _ = drifting_crystal()
    run = trajectory_from_arrays(w, cells, CSCL, frame_interval_ps=1.0)
    paths = np.concatenate([part for _, part in ion_paths(run, "Cs")])
    assert np.abs(paths - paths[0]).max() < 1e-6
    found = mean_framework(run, "Cs")
    between = (found.positions_A[:, None] @ np.linalg.inv(found.cell_A) - paths.mean(axis=0)) * 6.0
    np.testing.assert_allclose(between, np.rint(between), atol=1e-5)
