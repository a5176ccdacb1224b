"""Diffusion of ions that hop faster one way than another."""

import numpy as np
import pytest

from hopping import hopping, hopping_D, hopping_tensor, vectors_of
from tammann.errors import DataError
from tammann.transport import displacement_correlations, measure_onsager, planar_diffusion

RATES = (0.3, 0.15, 0.03)


@pytest.fixture(scope="module")
def found():
    walks = [hopping(RATES, frames=3000, seed=seed, ions=20) for seed in range(12)]
    measured = [measure_onsager(displacement_correlations(walk, frame="Cl")) for walk in walks]
    return [planar_diffusion(m, "Li", walks[0].cells[0]) for m in measured], measured


def test_each_axis_within_its_error(found):
    """Errors are those of the scatter over twelve trajectories, within what that is known to."""
    planar, _ = found
    along, errors = np.array([p.along for p in planar]), np.array([p.along_stderr for p in planar])
    D = hopping_D(RATES)
    pulls = (along - D) / errors
    assert np.abs(pulls).max() < 4.5 and 0.5 < np.sqrt((pulls**2).mean()) < 1.6
    assert np.abs(along.mean(axis=0) - D).max() < 0.08 * D.max()


def test_plane_and_normal(found):
    planar, measured = found
    for p, m in zip(planar, measured, strict=True):
        k = m.species.index("Li")
        D = np.trace(m.D_tensor_m2_per_s[k]) / 3
        assert (2 * p.in_plane + p.across) / 3 == pytest.approx(D)
        assert p.in_plane_tensor.trace() / 2 == pytest.approx(p.in_plane)
        assert p.across == pytest.approx(p.along[2]) and p.across_stderr == pytest.approx(p.along_stderr[2])
        assert np.allclose(p.in_plane_axes @ p.normal, 0.0)
        # what is known of the plane is known better than the mean of its axes apart would be
        assert p.in_plane_stderr < p.along_stderr[:2].max()
    assert planar[0].table()["direction"].tolist() == ["a", "b", "c", "in plane", "across"]


def test_a_cell_that_is_not_orthogonal():
    """In a monoclinic cell, along a, b, c and c*: n . D n of the tensor of the hops, within errors that are small."""
    monoclinic, rates = [[3.0, 0, 0], [0, 3.4, 0], [-1.2, 0, 3.1]], (0.2, 0.02, 0.2)
    walk = hopping(rates, spacing_A=monoclinic, frames=6000, ions=20, seed=4)
    measured = measure_onsager(displacement_correlations(walk, frame="Cl"))
    p = planar_diffusion(measured, "Li", walk.cells[0])
    D = hopping_tensor(rates, spacing_A=monoclinic)
    unit = vectors_of(monoclinic) / np.linalg.norm(monoclinic, axis=1, keepdims=True)
    along = np.einsum("na,ab,nb->n", unit, D, unit)
    assert (np.abs(p.along - along) < 4 * p.along_stderr).all() and (p.along_stderr[[0, 2]] < 0.05 * along.max()).all()
    assert np.allclose(p.normal, [0, 0, 1])
    assert abs(p.across - D[2, 2]) < 4 * p.across_stderr and abs(p.in_plane - (D[0, 0] + D[1, 1]) / 2) < (
        4 * p.in_plane_stderr
    )
    # across is not along c, by far more than the errors
    assert abs(D[2, 2] - along[2]) > 10 * p.across_stderr
    assert p.in_plane_tensor[0, 0] > p.in_plane_tensor[1, 1] and abs(p.in_plane_axes[0, 0]) > 0.99
    # the plane of a and c holds most of it, and b is across
    flat = planar_diffusion(measured, "Li", walk.cells[0], normal=(0, 5, 0))
    assert flat.across == pytest.approx(p.along[1]) and flat.across < 0.2 * flat.in_plane


def test_the_principal_directions_of_a_plane():
    """In a plane askew to the cell D along each principal direction is its principal value, the larger first."""
    walk = hopping((0.2, 0.1, 0.02), frames=2000)
    measured = measure_onsager(displacement_correlations(walk, frame="Cl"))
    tensor = measured.D_tensor_m2_per_s[measured.species.index("Li")]
    for normal in ((1, 2, -1.5), (-1, 1, 0.3), (0.2, -0.7, 1), (1, 1, 1)):
        p = planar_diffusion(measured, "Li", walk.cells[0], normal=normal)
        axes = p.in_plane_axes
        assert np.allclose(axes @ tensor @ axes.T, p.in_plane_tensor, atol=1e-6 * p.in_plane)
        assert np.allclose(axes @ axes.T, np.eye(2)) and np.allclose(axes @ p.normal, 0.0)
        assert p.in_plane_tensor[0, 0] > p.in_plane_tensor[1, 1]


def test_the_error_of_an_isotropic_trace():
    """Var(D) of an isotropic tensor is a third of that of one axis."""
    walk = hopping((0.1, 0.1, 0.1), frames=2000)
    m = measure_onsager(displacement_correlations(walk, frame="Cl"))
    p = planar_diffusion(m, "Li", np.eye(3), normal=(1, 1, 1))
    k = m.species.index("Li")
    error = m.apparent.L_self_stderr[k] * m.kT_over_c[k]
    assert np.sqrt((p.along_stderr**2).mean() / 3) == pytest.approx(error, rel=0.1)


def test_bad_input_is_told(found):
    _, measured = found
    with pytest.raises(DataError, match="there is no 'Na'"):
        planar_diffusion(measured[0], "Na", np.eye(3))
    with pytest.raises(DataError, match="normal"):
        planar_diffusion(measured[0], "Li", np.eye(3), normal=(0, 0, 0))
