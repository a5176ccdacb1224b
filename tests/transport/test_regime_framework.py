"""Ions that hop through a lattice that only rattles: the lattice is at rest, whatever its recoil looks like."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

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


# ---------------------------------------------------------------------------------- groups that rotate, lone ions


def rotors(seed, frames, *, relaxation_ps, D=0.28, bond=1.48, centre="S", groups=16):
    """Brownian Li against a lattice of rigid tetrahedra that rotate, <u(0).u(t)> = exp(-t/tau), and recoil."""
    rng = np.random.default_rng(seed)
    corners = bond / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    now = Rotation.random(groups, random_state=seed)
    turned = np.empty((frames, groups, 4, 3))
    for k in range(frames):
        now = Rotation.from_rotvec(rng.normal(0, np.sqrt(0.1 / relaxation_ps), (groups, 3))) * now
        turned[k] = np.einsum("gij,aj->gai", now.as_matrix(), corners)
    lithium = rng.normal(0, np.sqrt(2 * D * 0.1), (frames, 32, 3)).cumsum(axis=0) + rng.normal(0, 0.15, (frames, 32, 3))
    middles = rng.normal(0, 0.08, (frames, groups, 3))
    outer = turned + middles[:, :, None] + rng.normal(0, 0.05, turned.shape)
    parts = [lithium, middles, outer.reshape(frames, -1, 3)]
    recoil = -6.94 * lithium.sum(axis=1) / (32 * 6.94 + groups * 96.0)
    return trajectory_from_arrays(
        np.concatenate(parts, axis=1) + recoil[:, None],
        14.0 * np.eye(3),
        ["Li"] * 32 + [centre] * groups + ["O"] * 4 * groups,
        frame_interval_ps=0.1,
        wrapped=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frames", "relaxation_ps", "bond"), [(1000, 1.0, 1.48), (4000, 0.1, 1.48), (4000, 10.0, 1.54), (2000, 1.0, 2.9)]
)
def test_a_group_that_rotates_is_part_of_the_framework(frames, relaxation_ps, bond):
    """2 R² is 4.4 Å² for sulfate, 4.7 for phosphate and 17 for closo-borate: bounded, though not small."""
    sigma = 32 * 1.602176634e-19**2 * 0.28e-8 / (1.380649e-23 * 1000.0 * 14.0**3 * 1e-30)
    off_D, off_sigma = [], []
    for seed in range(5):
        curves = displacement_correlations(rotors(seed, frames, relaxation_ps=relaxation_ps, bond=bond))
        assert curves.self_part()[2, frames // 4] > 4.0
        frame = natural_frame(curves)
        measured = measure_onsager(in_frame(curves, frame), temperature_K=1000.0)
        assert frame == "S+O" and measured.usable and measured.immobile == ("S", "O")
        off_D.append((measured.D_m2_per_s[0] - 0.28e-8) / measured.D_stderr[0])
        found = ionic_conductivity(measured, charges={"Li": 1, "S": 6, "O": -2})
        off_sigma.append((found.sigma_S_per_m - sigma) / found.sigma_stderr)
    # of five standard normal variables one mean in two hundred lies beyond 1.26, one root mean square beyond 1.84
    for off in (off_D, off_sigma):
        assert abs(np.mean(off)) < 1.26 and np.sqrt(np.mean(np.square(off))) < 1.84


@pytest.mark.slow
def test_intervals_hold_in_a_lattice_of_rotors_as_often_as_they_say():
    sigma = 32 * 1.602176634e-19**2 * 0.28e-8 / (1.380649e-23 * 1000.0 * 14.0**3 * 1e-30)
    held = []
    for seed in range(100, 200):
        curves = displacement_correlations(rotors(seed, 1000, relaxation_ps=1.0))
        measured = measure_onsager(in_frame(curves, natural_frame(curves)), temperature_K=1000.0)
        found = ionic_conductivity(measured, charges={"Li": 1, "S": 6, "O": -2})
        held.append(
            (
                abs(measured.D_m2_per_s[0] - 0.28e-8) < 1.96 * measured.D_stderr[0],
                abs(found.sigma_S_per_m - sigma) < 1.96 * found.sigma_stderr,
            )
        )
    assert (np.sum(held, axis=0) >= 88).all()  # of 100; fewer than 88 has a probability of 0.4 %


@pytest.mark.parametrize("relaxation_ps", [20.0, 50.0])
def test_rotation_that_has_not_ended_is_said(relaxation_ps):
    measured = measure_onsager(
        displacement_correlations(rotors(1, 4000, relaxation_ps=relaxation_ps)), temperature_K=1000.0
    )
    assert measured.immobile == ("S",) and not measured.regime.diffusive[2] and not measured.usable
    assert any("O (log-log slope" in note and "nor to stay in place" in note for note in measured.notes)
    assert not any("S (log-log slope" in note for note in measured.notes)


def test_rotation_that_has_barely_begun_is_noted():
    measured = measure_onsager(displacement_correlations(rotors(1, 4000, relaxation_ps=500.0)), temperature_K=1000.0)
    assert "O" not in measured.immobile
    assert any("groups that rotate slowly" in note and "O (" in note and "Li (" not in note for note in measured.notes)


def test_ions_that_hop_slowly_off_a_wide_bound_are_not_immobile():
    """One ion in seven hops while time doubles to the last lag: 4 Å² of rattling do not hide it."""
    rng = np.random.default_rng(3)
    rate = 1 / 7 / 500  # per frame; the last lag is 1000 frames
    ways = 3.0 * np.concatenate([np.eye(3), -np.eye(3)])
    hops = (rng.random((4000, 64)) < rate)[:, :, None] * ways[rng.integers(0, 6, (4000, 64))]
    walk = trajectory_from_arrays(
        hops.cumsum(axis=0) + rng.normal(0, np.sqrt(4 / 6), (4000, 64, 3)),
        14.0 * np.eye(3),
        ["O"] * 64,
        frame_interval_ps=0.1,
        wrapped=False,
    )
    assert find_regime(displacement_correlations(walk, frame="laboratory")).immobile == (False,)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("counts", "framework"),
    [
        ({"Li": 1, "Zr": 1, "O": 2}, {"Zr", "O"}),  # the lone Zr belongs to a framework found from O
        ({"Li": 8, "Zr": 1, "O": 8}, {"Zr", "O"}),
        ({"Li": 1, "Zr": 4, "O": 8}, {"Zr", "O"}),
        ({"Zr": 1, "O": 2}, {"O"}),
    ],
)
def test_lone_ions_are_seen_from_the_framework(seed, counts, framework):
    rng = np.random.default_rng(seed)
    masses = {"Li": 6.94, "Zr": 91.224, "O": 15.999}
    parts, momentum = [], np.zeros((4000, 3))
    for symbol, n in counts.items():
        paths = rng.normal(0, 0.1, (4000, n, 3))
        if symbol not in framework:
            paths += rng.normal(0, np.sqrt(2 * 0.3 * 0.1), paths.shape).cumsum(axis=0)
        momentum += masses[symbol] * paths.sum(axis=1)
        parts.append(paths)
    recoil = -momentum / sum(n * masses[symbol] for symbol, n in counts.items())
    symbols = [symbol for symbol, n in counts.items() for _ in range(n)]
    curves = displacement_correlations(
        trajectory_from_arrays(
            np.concatenate(parts, axis=1) + recoil[:, None],
            10.0 * np.eye(3),
            symbols,
            frame_interval_ps=0.1,
            wrapped=False,
        )
    )
    frame = natural_frame(curves)
    assert set(frame.split("+")) == framework
    seen = in_frame(curves, frame)
    assert natural_frame(seen) == frame
    assert find_regime(seen).immobile == find_regime(curves).immobile  # whatever the frame
    measured = measure_onsager(seen, temperature_K=1000.0)
    i = measured.species.index(next(symbol for symbol in counts if symbol not in framework))
    assert measured.usable and abs(measured.D_m2_per_s[i] - 0.3e-8) < 4 * measured.D_stderr[i]
