import numpy as np
import pytest

from potentials.ace.expansions import cell_of_atoms, expansion
from tammann.potentials.ace import kernel
from tammann.potentials.ace.moments import rows_of
from tammann.potentials.ace.neighbours import find_neighbours


def test_harmonics_are_normalised_and_their_gradients_are_theirs():
    rng = np.random.default_rng(0)
    u = rng.normal(size=3)
    u /= np.linalg.norm(u)
    values, (gradients, *scratch) = np.zeros(49), kernel._scratch(6)
    kernel.fill_harmonics(*u, 6, kernel.NORMS, values, gradients, *scratch)
    for l in range(7):
        assert (values[l * l : (l + 1) ** 2] ** 2).sum() == pytest.approx(2 * l + 1)
    along = rng.normal(size=3)
    along -= (along @ u) * u
    step = 1e-6
    ahead, behind = ((u + s * along) / np.linalg.norm(u + s * along) for s in (step, -step))
    numerical = (kernel.harmonics(ahead, 6) - kernel.harmonics(behind, 6)) / (2 * step)
    np.testing.assert_allclose(gradients @ along, numerical, atol=1e-8)


def test_radial_functions_vanish_smoothly_at_both_ends():
    values, slopes = np.zeros(8), np.zeros(8)
    for r in (0.9, 1.0, 5.0, 5.1):
        kernel.fill_radial(r, 2.0, 1.0, 0.5, 5.0, values, slopes)
        assert not values.any() and not slopes.any()
    for r in (1.0 + 1e-4, 5.0 - 1e-4):
        kernel.fill_radial(r, 2.0, 1.0, 0.5, 5.0, values, slopes)
        # zero of third order: R falls with the cube of the distance from the end, dR/dr with its square
        assert np.abs(values).max() < 1e-9 and np.abs(slopes).max() < 1e-5
    for r in (1.2, 2.0, 4.0):
        ahead, behind, unused = np.zeros(8), np.zeros(8), np.zeros(8)
        kernel.fill_radial(r, 2.0, 1.0, 0.5, 5.0, values, slopes)
        kernel.fill_radial(r + 1e-6, 2.0, 1.0, 0.5, 5.0, ahead, unused)
        kernel.fill_radial(r - 1e-6, 2.0, 1.0, 0.5, 5.0, behind, unused)
        np.testing.assert_allclose(slopes, (ahead - behind) / 2e-6, atol=1e-7)


def test_screened_repulsion():
    # bare Coulomb at short range; the published screening at one screening length, 0.18175 e^-3.1998 + ...
    v, _ = kernel.screened_repulsion(1e-6, 22.0, 8.0, 1.0, 1.5)
    assert v == pytest.approx(14.399645 * 22 * 8 / 1e-6, rel=1e-3)
    a = 0.46850 / (22**0.23 + 8**0.23)
    v, dv = kernel.screened_repulsion(a, 22.0, 8.0, 1.0, 1.5)
    assert v == pytest.approx(14.399645 * 22 * 8 / a * 0.41638, rel=1e-3)
    for r in (a, 0.9, 1.2, 1.45):
        ahead, behind = (kernel.screened_repulsion(r + s, 22.0, 8.0, 1.0, 1.5)[0] for s in (1e-6, -1e-6))
        _, dv = kernel.screened_repulsion(r, 22.0, 8.0, 1.0, 1.5)
        assert dv == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)
        assert dv < 0
    assert kernel.screened_repulsion(1.5, 22.0, 8.0, 1.0, 1.5) == (0.0, 0.0)


def slow_functions(model, atoms, i):
    """Return the invariant functions of one atom straight from their definition, over explicit images."""
    basis, radii = model.basis, model.radii
    place = {e: k for k, e in enumerate(model.elements)}
    densities = np.zeros(len(basis.a_species))
    for j in range(len(atoms)):
        for image in np.ndindex(5, 5, 5):
            vector = atoms.positions[j] + (np.array(image) - 2) @ atoms.cell.array - atoms.positions[i]
            r = np.linalg.norm(vector)
            if r < 1e-9 or r > radii.cutoff:
                continue
            a, b = place[atoms.symbols[i]], place[atoms.symbols[j]]
            far, near, here = (
                1 / (1 + (x / radii.scales[a, b]) ** 2) for x in (radii.cutoff, radii.inner[a, b], r)
            )  # fmt: skip
            x = 2 * (here - far) / (near - far) - 1
            q = np.clip((r - radii.inner[a, b]) / radii.width, 0, 1)
            envelope = (1 - (r / radii.cutoff) ** 2) ** 3 * q**3 * (10 - 15 * q + 6 * q**2)
            y = kernel.harmonics(vector / r, basis.l_max)
            for k in range(len(densities)):
                if basis.a_species[k] == b:
                    n = int(basis.a_radial[k])
                    chebyshev = np.cos(n * np.arccos(np.clip(x, -1, 1)))
                    densities[k] += envelope * chebyshev * y[basis.a_harmonic[k]]
    products = [np.prod(densities[p[p >= 0]]) for p in basis.products]
    return np.array(
        [
            sum(basis.values[t] * products[basis.columns[t]] for t in range(basis.rows[k], basis.rows[k + 1]))
            for k in range(len(basis))
        ]
    )


def test_functions_are_those_of_the_slow_twin():
    model = expansion((5, 5, 5, 4))
    atoms = cell_of_atoms(6, edge=4.5)
    result = model.single(atoms.get_chemical_symbols(), atoms.positions, atoms.cell.array, functions=True)
    for i in (0, 1, 5):
        expected = slow_functions(model, atoms, i)
        np.testing.assert_allclose(result.functions[i], expected, rtol=1e-9, atol=1e-10)


def test_rows_of_the_fit_give_the_energies_and_forces_of_the_model():
    model = expansion()
    atoms = cell_of_atoms(9)
    species = model.species(atoms.get_chemical_symbols())
    cell = np.array(atoms.cell.array)
    energy, force, virial, functions = rows_of(model, atoms.positions, cell, species)
    near = find_neighbours(atoms.positions, cell, model.cutoff_A)
    result = model.evaluate(atoms.positions, cell, species, near, functions=True)
    zero = expansion()
    zero.coefficients[:] = 0.0
    rest = type(zero)(zero.basis, zero.radii, zero.coefficients, zero.reference_energies_eV).evaluate(
        atoms.positions, cell, species, near, functions=False
    )
    c = model.coefficients.ravel()
    np.testing.assert_allclose(functions, result.functions, atol=1e-12)
    np.testing.assert_allclose(energy @ c, (result.energies_eV - rest.energies_eV).sum(), atol=1e-10)
    np.testing.assert_allclose((force @ c).reshape(-1, 3), result.forces_eV_per_A - rest.forces_eV_per_A, atol=1e-10)
    np.testing.assert_allclose((virial @ c).reshape(3, 3), result.virial_eV - rest.virial_eV, atol=1e-10)
