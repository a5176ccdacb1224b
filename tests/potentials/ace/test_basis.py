import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from potentials.ace.expansions import cell_of_atoms, expansion
from tammann.errors import DataError
from tammann.potentials.ace.basis import invariants, make_basis
from tammann.potentials.ace.kernel import harmonics


def test_pairs_couple_to_the_legendre_polynomial():
    # sum_m Y_lm(u) Y_lm(v) = (2 l + 1) P_l(u . v) for harmonics with sum_m Y_lm^2 = 2 l + 1
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 3))
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    for l in range(7):
        part = slice(l * l, (l + 1) ** 2)
        legendre = np.polynomial.legendre.Legendre.basis(l)(u @ v)
        assert harmonics(u, 6)[part] @ harmonics(v, 6)[part] == pytest.approx((2 * l + 1) * legendre, abs=1e-12)


@pytest.mark.parametrize(
    ("ls", "number"),
    # how many times the product of representations holds the trivial one: triangles for three, shared middles for four
    [((0,), 1), ((1, 1), 1), ((1, 2), 0), ((1, 1, 2), 1), ((2, 2, 2), 1), ((1, 1, 3), 0), ((1, 1, 1, 1), 3),
     ((2, 2, 2, 2), 5), ((1, 1, 2, 2), 3), ((0, 1, 1, 2), 1)],
)  # fmt: skip
def test_number_of_invariants_is_that_of_group_theory(ls, number):
    assert len(invariants(ls)) == number


def test_three_factors_are_the_wigner_symbol():
    # the only invariant of three vectors l = 1, 1, 2 is u . Q . v, with the traceless quadrupole Q
    rng = np.random.default_rng(1)
    u, v, w = (x / np.linalg.norm(x) for x in rng.normal(size=(3, 3)))
    tensor = invariants((1, 1, 2))[0]
    value = np.einsum("abc,a,b,c", tensor, harmonics(u, 1)[1:], harmonics(v, 1)[1:], harmonics(w, 2)[4:])
    expected = (u @ w) * (v @ w) - (u @ v) / 3
    other = np.einsum("abc,a,b,c", tensor, harmonics(w, 1)[1:], harmonics(w, 1)[1:], harmonics(w, 2)[4:])
    assert value / other == pytest.approx(expected / (2 / 3), rel=1e-10)


def test_equal_factors_leave_fewer_functions():
    # four equal vectors make one symmetric invariant, (A . A)^2, out of three
    basis = make_basis(["Ti"], [1, 2, 3, 8], l_weight=1.0, l_max=1)
    fours = [k for k in range(len(basis)) if basis.function_orders[k] == 4]
    vectors_only = [
        k for k in fours
        if (basis.a_harmonic[basis.products[basis.columns[basis.rows[k]]]] > 0).all()
    ]  # fmt: skip
    assert len(vectors_only) == 1


@pytest.mark.slow
def test_functions_are_invariant_and_independent():
    model = expansion((4, 5, 5, 5))
    atoms = cell_of_atoms(12)
    symbols = atoms.get_chemical_symbols()
    functions = model.single(symbols, atoms.positions, atoms.cell.array, functions=True).functions
    turn = Rotation.random(random_state=3).as_matrix() @ np.diag([1.0, 1.0, -1.0])  # with a reflection
    turned = model.single(symbols, atoms.positions @ turn.T, atoms.cell.array @ turn.T, functions=True).functions
    np.testing.assert_allclose(turned, functions, rtol=1e-9, atol=1e-9 * np.abs(functions).max())

    many = []
    for seed in range(2 * len(model.basis) // 12 + 5):
        other = cell_of_atoms(12, seed=seed + 10, closest=1.2)
        many.append(
            model.single(other.get_chemical_symbols(), other.positions, other.cell.array, functions=True).functions
        )
    rows = np.concatenate(many)
    rows = rows / np.linalg.norm(rows, axis=0)
    assert np.linalg.matrix_rank(rows, tol=1e-9) == len(model.basis)


@pytest.mark.parametrize(
    ("elements", "degrees", "word"),
    [([], [6], "elements"), (["O", "O"], [6], "elements"), (["O"], [], "degrees"), (["O"], [6] * 5, "degrees"),
     (["O"], [6, 1], "degree")],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(elements, degrees, word):
    with pytest.raises(DataError, match=word):
        make_basis(elements, degrees)
