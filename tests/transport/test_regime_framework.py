"""Ions that hop through a lattice that only rattles: the lattice is at rest, whatever its recoil looks like."""

import numpy as np
import pytest

from tammann.trajectory import trajectory_from_arrays
from tammann.transport import (
    displacement_correlations,
    find_regime,
    in_frame,
    ionic_conductivity,
    load_measurements,
    measure_onsager,
    natural_frame,
    save_measurements,
)

D = 2.0**2 * 0.042 / (6 * 0.1) * 1e-8
"""Of a hop of 2 Å with a probability of 0.042 in every 0.1 ps, m²/s."""

SIGMA = 32 * 1.602176634e-19**2 * D / (1.380649e-23 * 1200.0 * 16.0**3 * 1e-30)
"""Of 32 independent charges in a cube of 16 Å, S/m: 33.9."""


def hopper(seed, frames, *, lattice=(("O", 32),), mobile="Li"):
    rng = np.random.default_rng(seed)
    ways = 2.0 * np.concatenate([np.eye(3), -np.eye(3)])
    hops = (rng.random((frames, 32)) < 0.042)[:, :, None] * ways[rng.integers(0, 6, (frames, 32))]
    parts = [hops.cumsum(axis=0) + rng.normal(0, 0.15, (frames, 32, 3))]
    parts += [rng.normal(0, 0.1, (frames, n, 3)) for _, n in lattice]
    symbols = [mobile] * 32 + [symbol for symbol, n in lattice for _ in range(n)]
    return trajectory_from_arrays(
        np.concatenate(parts, axis=1), 16.0 * np.eye(3), symbols, frame_interval_ps=0.1, wrapped=False
    )


@pytest.mark.parametrize(
    ("seed", "frames", "mobile", "lattice"),
    [
        (1, 2000, "Li", (("O", 32),)),
        (2, 8000, "Li", (("O", 32),)),
        (3, 4000, "Ag", (("I", 32),)),
        (4, 4000, "Ag", (("N", 16),)),  # lighter than what hops: it recoils by most of every hop
        (5, 4000, "Li", (("La", 16), ("O", 48))),
    ],
)
def test_a_framework_is_at_rest_and_is_the_frame(seed, frames, mobile, lattice):
    curves = displacement_correlations(hopper(seed, frames, lattice=lattice, mobile=mobile))
    immobile = {symbol for symbol, _ in lattice}
    regime = find_regime(curves)  # barycentric, where the lattice recoils
    assert {s for s, stays in zip(curves.species, regime.immobile, strict=True) if stays} == immobile
    assert {s for s, moves in zip(curves.species, regime.diffusive, strict=True) if moves} == {mobile}
    frame = natural_frame(curves)
    assert set(frame.split("+")) == immobile
    measured = measure_onsager(in_frame(curves, frame), temperature_K=1200.0)
    assert measured.frame == frame and measured.usable and set(measured.immobile) == immobile
    assert any("framework at rest, whose mean position is the frame" in note for note in measured.notes)
    i = measured.species.index(mobile)
    assert np.isnan(measured.D_m2_per_s).sum() == len(lattice)
    assert abs(measured.D_m2_per_s[i] - D) < 4 * measured.D_stderr[i] < 0.4 * D
    if len(lattice) == 1 and lattice[0][1] == 32:
        sigma = ionic_conductivity(measured, charges={mobile: 1, lattice[0][0]: -1})
        assert abs(sigma.sigma_S_per_m - SIGMA) < 4 * sigma.sigma_stderr
        barycentric = ionic_conductivity(
            measure_onsager(curves, temperature_K=1200.0), charges={mobile: 1, lattice[0][0]: -1}
        )
        assert barycentric.sigma_S_per_m == pytest.approx(sigma.sigma_S_per_m, rel=0.02)  # no frame changes it


def test_a_frame_that_was_asked_for_is_kept_and_noted():
    measured = measure_onsager(displacement_correlations(hopper(2, 2000)), temperature_K=1200.0)
    assert measured.frame == "barycentric" and measured.immobile == ("O",) and not measured.diffusive
    assert any("recoil adds noise in the barycentric frame" in note for note in measured.notes)


def test_nothing_is_at_rest_in_a_liquid_or_in_a_cold_crystal():
    rng = np.random.default_rng(7)
    liquid = rng.normal(size=(2000, 64, 3)).cumsum(axis=0) * 0.3
    cold = rng.normal(size=(2000, 64, 3)) * 0.1
    for positions in (liquid, cold):
        walk = trajectory_from_arrays(
            positions, 16.0 * np.eye(3), ["Li", "O"] * 32, frame_interval_ps=0.1, wrapped=False
        )
        assert natural_frame(displacement_correlations(walk)) == "barycentric"


def test_what_stays_in_place_has_no_part_in_the_haven_ratio(tmp_path):
    """Saved and loaded, a measurement gives the same conductivity."""
    measured = measure_onsager(displacement_correlations(hopper(2, 4000)), temperature_K=1200.0)
    save_measurements(tmp_path / "transport.json", [measured])
    (loaded,) = load_measurements(tmp_path / "transport.json")
    charges = {"Li": 1.0, "O": -1.0}
    before, after = (ionic_conductivity(m, charges=charges) for m in (measured, loaded))
    alone = measured.apparent.L_self[measured.species.index("Li")]
    assert before.nernst_einstein_S_per_m == pytest.approx(1.602176634e-19**2 * alone)
    assert after.haven_ratio == pytest.approx(before.haven_ratio, rel=1e-6)
