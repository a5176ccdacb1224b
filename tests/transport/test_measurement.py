"""What a measurement says of ions that move alone, and of those that do not move."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.transport import displacement_correlations, ionic_conductivity, measure_onsager
from transport.walks import independent_walk, moved

T = 1200.0


def test_independent_ions_have_a_haven_ratio_of_one():
    result = measure_onsager(
        displacement_correlations(
            independent_walk(np.random.default_rng(5), 40000, counts=(20, 40)), frame="laboratory", threads=1
        ),
        temperature_K=T,
        regime_ps=(0.1, 10.0),
    )
    assert np.all(np.abs(result.haven_ratio - 1) < 3 * result.haven_ratio_stderr)
    assert result.haven_ratio_stderr.max() < 0.02
    assert abs(result.apparent.L[0, 1]) < 3 * result.apparent.L_stderr[0, 1]


def test_a_caged_ion_is_flagged_and_gives_no_number():
    rng = np.random.default_rng(14)
    walk = independent_walk(rng, 4000, counts=(8, 8))
    positions = np.array(walk.positions)
    positions[:, 8:] = positions[0, 8:] + 0.3 * rng.normal(size=(4000, 8, 3))
    caged = moved(walk, positions)
    result = measure_onsager(displacement_correlations(caged, frame="laboratory"), temperature_K=T)
    assert result.regime.diffusive == (True, False) and not result.diffusive
    assert np.isfinite(result.D_m2_per_s[0]) and np.isnan(result.D_m2_per_s[1])
    assert np.isnan(result.haven_ratio[1]) and np.isnan(result.correlation_factor[1])
    assert any("rattle about fixed places" in note for note in result.notes)
    # a framework with mobile ions in it: L is known, zero for the framework within its error
    assert result.usable and result.regime.immobile == (False, True)
    L = result.coefficients
    assert abs(L.L[1, 1]) < 4 * L.L_stderr[1, 1] < 0.3 * L.L[0, 0]
    sigma = ionic_conductivity(result, charges={"Na": 1, "Cl": -1})
    assert sigma.transference[0] == pytest.approx(1.0, abs=0.05)
    positions[:, :8] = positions[0, :8] + 0.3 * rng.normal(size=(4000, 8, 3))
    frozen = measure_onsager(displacement_correlations(moved(walk, positions), frame="laboratory"), temperature_K=T)
    with pytest.raises(DataError, match="log-log slope.*not shown to be diffusive"):
        _ = frozen.coefficients
    # as the frame of the others it need not diffuse
    positions[:, :8] = walk.positions[:, :8]
    own = measure_onsager(displacement_correlations(moved(walk, positions), frame="Cl"), temperature_K=T)
    assert own.diffusive and own.coefficients.L[1, 1] == pytest.approx(0.0, abs=1e-9 * own.coefficients.L[0, 0])
