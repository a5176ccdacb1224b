"""Charge carried together and alone: known numbers, frames of reference, errors against draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tammann.errors import DataError
from tammann.transport import OnsagerCoefficients
from tammann.transport.conductivity import charges_from_composition, ionic_conductivity
from tammann.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C

CHARGES = {"Ba": 2, "Ti": 4, "O": -2}
COUNTS = np.array([1.0, 1.0, 3.0])
MASSES = np.array([137.327, 47.867, 15.999])
A = np.array([[1.0, 0.2, 0.1], [0.3, 2.0, -0.4], [0.1, -0.5, 4.0]])
L = 1e38 * A @ A.T


def oxide(L, L_self=None, **more):
    L_self = np.diag(L) if L_self is None else L_self
    return OnsagerCoefficients("BaTiO3", 1500.0, ("Ba", "Ti", "O"), np.asarray(L), np.asarray(L_self), **more)


def test_independent_ions_give_nernst_einstein():
    result = ionic_conductivity(oxide(np.diag([1e38, 2e38, 3e38])), charges=CHARGES)
    assert result.haven_ratio == pytest.approx(1.0)
    assert result.sigma_S_per_m == pytest.approx(result.nernst_einstein_S_per_m)
    np.testing.assert_allclose(result.transference, np.array([4, 32, 12]) / 48)
    assert result.sigma_stderr is None and result.haven_stderr is None and result.transference_stderr is None


def test_known_number():
    # 20 Na+ and 20 Cl- in 1000 A^3 with D = 1e-8 and 2e-8 m^2/s at 1200 K:
    # sigma = c e^2 (D+ + D-) / kB T = 2e28 * (1.602176634e-19)^2 * 3e-8 / (1.380649e-23 * 1200) = 929.63 S/m
    per_D = 20 / 1000e-30 / (BOLTZMANN_J_PER_K * 1200)
    L_self = per_D * np.array([1e-8, 2e-8])
    salt = OnsagerCoefficients("NaCl", 1200.0, ("Na", "Cl"), np.diag(L_self), L_self)
    result = ionic_conductivity(salt, charges={"Na": 1, "Cl": -1})
    assert result.sigma_S_per_m == pytest.approx(929.63, rel=1e-4)


def test_haven_ratio_of_known_coefficients():
    # Cation and anion that follow each other: L12 > 0 lowers sigma to 3 + 2 - 2 * 1.5 = 2, of 4 + 2 = 6 alone.
    salt = OnsagerCoefficients("NaCl", 1200.0, ("Na", "Cl"), 1e38 * np.array([[3, 1.5], [1.5, 2]]), [4e38, 2e38])
    result = ionic_conductivity(salt, charges={"Na": 1, "Cl": -1})
    assert result.haven_ratio == pytest.approx(3.0)
    np.testing.assert_allclose(result.transference, [0.75, 0.25])
    # The number of ions in the cell must not matter: L is per volume.
    assert result.sigma_S_per_m == pytest.approx(2e38 * ELEMENTARY_CHARGE_C**2)


@given(arrays(float, (3,), elements=st.floats(-1, 1)))
def test_conductivity_does_not_depend_on_the_frame(weights):
    # Velocities in another frame: v_i - sum_j w_j v_j, so dX_i' = dX_i - N_i sum_j (w_j / N_j) dX_j.
    frame = np.eye(3) - np.outer(COUNTS, weights / COUNTS)
    moved = frame @ L @ frame.T
    here = ionic_conductivity(oxide(L), charges=CHARGES)
    there = ionic_conductivity(oxide(moved, np.diag(L)), charges=CHARGES)
    assert there.sigma_S_per_m == pytest.approx(here.sigma_S_per_m, rel=1e-9)
    assert there.transference.sum() == pytest.approx(1.0)
    assert here.transference.sum() == pytest.approx(1.0)


def test_transference_depends_on_the_frame():
    weights = MASSES * COUNTS / (MASSES @ COUNTS)
    frame = np.eye(3) - np.outer(COUNTS, weights / COUNTS)
    here = ionic_conductivity(oxide(L), charges=CHARGES)
    there = ionic_conductivity(oxide(frame @ L @ frame.T, np.diag(L)), charges=CHARGES)
    assert np.abs(here.transference - there.transference).max() > 0.01
    assert any("frame" in note for note in here.notes)


def test_errors_agree_with_draws():
    rng = np.random.default_rng(1)
    n = 3
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    mixing = 0.02 * np.abs(L).max() * rng.normal(size=(len(pairs), len(pairs)))
    covariance = np.zeros((n, n, n, n))
    small = mixing @ mixing.T
    for a, (i, j) in enumerate(pairs):
        for b, (k, m) in enumerate(pairs):
            for p, q in {(i, j), (j, i)}:
                for r, s in {(k, m), (m, k)}:
                    covariance[p, q, r, s] = small[a, b]
    L_self_stderr = np.array([1e36, 2e36, 3e36])
    result = ionic_conductivity(oxide(L, L_self_stderr=L_self_stderr), charges=CHARGES, covariance=covariance)
    draws = []
    for _ in range(4000):
        noise = mixing @ rng.normal(size=len(pairs))
        drawn = L.copy()
        for a, (i, j) in enumerate(pairs):
            drawn[i, j] += noise[a]
            if i != j:
                drawn[j, i] += noise[a]
        L_self = np.diag(L) + L_self_stderr * rng.normal(size=3)
        one = ionic_conductivity(oxide(drawn, L_self), charges=CHARGES)
        draws.append([one.sigma_S_per_m, one.nernst_einstein_S_per_m, one.haven_ratio, *one.transference])
    spread = np.std(draws, axis=0)
    stated = [result.sigma_stderr, result.nernst_einstein_stderr, result.haven_stderr, *result.transference_stderr]
    np.testing.assert_allclose(stated, spread, rtol=0.1)
    # The same errors without their covariances can only be stated wider.
    stderr = np.sqrt(np.einsum("ijij->ij", covariance))
    bound = ionic_conductivity(oxide(L, L_stderr=stderr, L_self_stderr=L_self_stderr), charges=CHARGES)
    assert bound.sigma_stderr > result.sigma_stderr
    assert (bound.transference_stderr > result.transference_stderr).all()
    assert any("largest" in note for note in bound.notes)


def test_errors_without_covariance_are_exact_where_all_move_together():
    # Two ions in their barycentric frame have one coefficient: L = l u u^T, u = (1/m1, -1/m2).
    u = np.array([1 / 22.99, -1 / 35.45])
    L = 1e40 * np.outer(u, u)
    salt = OnsagerCoefficients("NaCl", 1200.0, ("Na", "Cl"), L, np.diag(L), L_stderr=0.1 * np.abs(L))
    result = ionic_conductivity(salt, charges={"Na": 1, "Cl": -1})
    assert result.sigma_stderr == pytest.approx(0.1 * result.sigma_S_per_m)
    full = 0.01 * np.einsum("ij,kl->ijkl", L, L)
    same = ionic_conductivity(salt, charges={"Na": 1, "Cl": -1}, covariance=full)
    assert same.sigma_stderr == pytest.approx(result.sigma_stderr)
    np.testing.assert_allclose(same.transference_stderr, 0.0, atol=1e-7)


def test_conductivity_lost_in_noise_is_named():
    L = np.diag([1e38, 1e38, 1e38])
    weak = ionic_conductivity(oxide(L, L_stderr=L), charges=CHARGES)
    assert any("two standard errors" in note for note in weak.notes)
    negative = ionic_conductivity(oxide(-L, np.diag(L), L_stderr=L), charges=CHARGES)
    assert negative.sigma_S_per_m < 0 and np.isnan(negative.haven_ratio) and np.isnan(negative.transference).all()
    assert negative.haven_stderr is None and negative.transference_stderr is None
    assert any("not above zero" in note for note in negative.notes)


@pytest.mark.parametrize(
    ("formula", "charges"),
    [
        ("BaTiO3", {"Ba": 2, "Ti": 4, "O": -2}),
        ("BaCO3", {"Ba": 2, "C": 4, "O": -2}),
        ("Li7La3Zr2O12", {"Li": 1, "La": 3, "Zr": 4, "O": -2}),
        ("Ba20Ti80O180", {"Ba": 2, "Ti": 4, "O": -2}),
        ("NaCl", {"Na": 1, "Cl": -1}),
    ],
)
def test_charges_from_composition(formula, charges):
    assert charges_from_composition(formula) == charges


def test_guessed_charges_are_stated():
    result = ionic_conductivity(oxide(L))
    assert result.charges.tolist() == [2, 4, -2]
    assert any("Ba +2, Ti +4, O -2" in note for note in result.notes)


@pytest.mark.parametrize("formula", ["BaO2", "Ar", "Cu", "LiO"])
def test_formulas_without_known_charges(formula):
    with pytest.raises(DataError, match="give charges"):
        charges_from_composition(formula)


@pytest.mark.parametrize(
    ("charges", "message"),
    [
        ({"Ba": 2, "Ti": 4}, "lack O"),
        ({"Ba": 2, "Ti": 4, "O": -2, "Li": 1}, "does not hold"),
        ({"Ba": 2, "Ti": 4, "O": -2, "ba": 1}, "check its spelling"),
        ({"Ba": 2, "Ti": 4, "O": np.nan}, "finite"),
    ],
)
def test_refusals(charges, message):
    with pytest.raises(DataError, match=message):
        ionic_conductivity(oxide(L), charges=charges)


def test_covariance_of_another_shape():
    with pytest.raises(DataError, match="covariance"):
        ionic_conductivity(oxide(L), charges=CHARGES, covariance=np.eye(3))


def test_errors_of_a_measurement_are_the_scatter_over_repeats():
    from tammann.trajectory import trajectory_from_arrays
    from tammann.transport import displacement_correlations, measure_onsager

    # Ions in pairs that share half their steps: sigma and the Nernst-Einstein value differ.
    results = []
    for seed in range(120):
        steps = np.random.default_rng(seed).normal(size=(600, 4, 3)) * 0.1
        common = np.random.default_rng(1000 + seed).normal(size=(600, 4, 3)) * 0.1
        paths = np.concatenate([steps + common, common - steps[:, ::-1]], axis=1).cumsum(axis=0)
        walk = trajectory_from_arrays(
            paths, 15.0 * np.eye(3), ["Na"] * 4 + ["Cl"] * 4, frame_interval_ps=0.1, wrapped=False
        )
        measured = measure_onsager(displacement_correlations(walk), temperature_K=1000.0, regime_ps=(0.1, 1.0))
        measured = replace(measured, regime=replace(measured.regime, diffusive=(True, True), immobile=(False, False)))
        results.append(ionic_conductivity(measured, charges={"Na": 1, "Cl": -1}))
    for value, stderr in (
        ("sigma_S_per_m", "sigma_stderr"),
        ("nernst_einstein_S_per_m", "nernst_einstein_stderr"),
        ("haven_ratio", "haven_stderr"),
    ):
        scatter = np.std([getattr(r, value) for r in results])
        assert np.mean([getattr(r, stderr) for r in results]) == pytest.approx(scatter, rel=0.25), value


def test_charges_that_do_not_cancel_are_told():
    ions = OnsagerCoefficients("BaO2", 1500.0, ("Ba", "O"), np.diag([1e37, 5e37]), np.array([1e37, 5e37]))
    result = ionic_conductivity(ions, charges={"Ba": 2, "O": -2})
    assert any("sum to -2 per formula unit" in note for note in result.notes)
    assert not any("sum to" in note for note in ionic_conductivity(ions, charges={"Ba": 2, "O": -1}).notes)
