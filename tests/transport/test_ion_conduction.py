"""Conduction by ions that hop with a known barrier."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hopping import attempt, hopping, hopping_D
from tammann.errors import DataError
from tammann.transport import displacement_correlations, ion_conduction, measure_onsager
from tammann.transport.ion_conduction import _inverse_haven
from tammann.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C

ENERGY_EV = 0.25
TEMPERATURES_K = (600.0, 750.0, 1000.0)


def rates(T):
    return 3 * (attempt(T, ENERGY_EV, 2.0),)


@pytest.fixture(scope="module")
def measured():
    found = []
    for T in TEMPERATURES_K:
        walk = hopping(rates(T), frames=6000, transit_ps=0.1, ions=20, temperature_K=T, seed=int(T))
        found.append(measure_onsager(displacement_correlations(walk, frame="Cl")))
    return found


def test_the_barrier_comes_back(measured):
    """The barrier within its error (transit lowers it a little: what is compared is the law through the true D)."""
    found = ion_conduction(measured, "Li", charges={"Li": 1.0, "Cl": -1.0})
    true = [hopping_D(rates(T), transit_ps=0.1).mean() for T in TEMPERATURES_K]
    table = found.table()
    assert (np.abs(table["D_m2_per_s"] - true) < 4 * table["D_stderr"]).all()
    slope = np.polyfit(-1 / (8.617333262e-5 * np.array(TEMPERATURES_K)), np.log(true), 1)[0]
    fit = found.diffusion
    assert abs(fit.activation_energy_eV - slope) < 4 * fit.activation_energy_stderr_eV < 0.08
    assert slope == pytest.approx(ENERGY_EV, abs=0.01)


def test_independent_ions_have_a_haven_ratio_of_one(measured):
    found = ion_conduction(measured, "Li", charges={"Li": 1.0, "Cl": -1.0})
    mean, error = found.inverse_haven
    assert abs(mean - 1.0) < 4 * error < 1.0
    table = found.table()
    expected = (
        20 / 27 / 27e-30 * ELEMENTARY_CHARGE_C**2 * table["D_m2_per_s"] / (BOLTZMANN_J_PER_K * table["temperature_K"])
    )
    assert np.allclose(table["sigma_NE_S_per_m"], expected)
    assert np.allclose(table["sigma_S_per_m"] * table["haven_ratio"], table["sigma_NE_S_per_m"])
    # of one walk of all ions the collective slope is less sure than that of the mean of them
    assert (table["D_collective_stderr"] > 1.5 * table["D_stderr"]).all()
    assert (np.abs(table["D_collective_m2_per_s"] / table["D_m2_per_s"] - 1) < 1.0).all()
    relative = table["D_collective_stderr"] / table["D_collective_m2_per_s"]
    assert np.allclose(table["sigma_stderr"] / table["sigma_S_per_m"], relative)


def test_conductivity_goes_with_the_square_of_the_charge(measured):
    once, twice = (ion_conduction(measured, "Li", charges={"Li": q, "Cl": -1.0}) for q in (1.0, -2.0))
    assert np.allclose(twice.table()["sigma_NE_S_per_m"], 4 * once.table()["sigma_NE_S_per_m"])
    assert twice.conductivity_at(300.0).sigma_S_per_m == pytest.approx(4 * once.conductivity_at(300.0).sigma_S_per_m)


def test_extrapolated_to_a_stated_temperature(measured):
    """The band holds the true value and widens away from the measurements, and with the measured Haven ratio."""
    found = ion_conduction(measured, "Li", charges={"Li": 1.0, "Cl": -1.0})
    cold = found.conductivity_at(300.0)
    D = hopping_D(rates(300.0), transit_ps=0.1).mean()
    true = found.density_per_m3 * ELEMENTARY_CHARGE_C**2 * D / (BOLTZMANN_J_PER_K * 300.0)
    assert cold.low_S_per_m < true < cold.high_S_per_m and cold.nearest_K == 600.0 and cold.haven_ratio == 1.0
    warm = found.conductivity_at(700.0)
    assert warm.high_S_per_m / warm.low_S_per_m < cold.high_S_per_m / cold.low_S_per_m
    with_haven = found.conductivity_at(300.0, haven_ratio=None)
    assert with_haven.sigma_S_per_m * with_haven.haven_ratio == pytest.approx(cold.sigma_S_per_m)
    assert with_haven.high_S_per_m / with_haven.low_S_per_m > cold.high_S_per_m / cold.low_S_per_m
    assert found.conductivity_at(300.0, haven_ratio=2.0).sigma_S_per_m == pytest.approx(cold.sigma_S_per_m / 2)


def test_few_hops_are_told(measured):
    """With the number of hops, counted or estimated: 6 D t N over the square of the distance of atoms."""
    charges = {"Li": 1.0, "Cl": -1.0}
    found = ion_conduction(measured, "Li", charges=charges)
    m = measured[0]
    distance = (9.0**3 / 47) ** (1 / 3)
    expected = 6 * m.D_m2_per_s[m.species.index("Li")] * 1e8 * 599.9 * 20 / distance**2
    assert found.hops[0] == int(expected) and not any("Few hops" in note for note in found.notes)
    counted = ion_conduction(measured, "Li", charges=charges, hops={600.0: 12, 750.0: 300, 1000.0: 3000})
    assert any("12 at 600 K" in note for note in counted.notes) and counted.table()["hops"].tolist() == [12, 300, 3000]


def test_hops_that_are_taken_back_are_told(measured):
    """Many hops that carry as far as few: the sentence says how many; temperatures without a count have an estimate."""
    charges = {"Li": 1.0, "Cl": -1.0}
    slow = [replace(m, duration_ps=m.duration_ps / 50) for m in measured]  # as far as a fiftieth of the hops leads
    found = ion_conduction(slow, "Li", charges=charges, hops={600.0: 5000})
    (note,) = [n for n in found.notes if "taken back" in n]
    assert f"5000 at 600 K, as far as {ion_conduction(slow, 'Li', charges=charges).hops[0]} independent" in note
    assert found.hops[1:].tolist() == ion_conduction(slow, "Li", charges=charges).hops[1:].tolist()
    assert not any("taken back" in n for n in ion_conduction(measured, "Li", charges=charges, hops={600.0: 5000}).notes)


def test_the_mean_haven_ratio_does_not_favour_low_values():
    """Collective slopes that scatter by a third, each with an error in proportion to itself, have a mean of one."""
    rng = np.random.default_rng(1)

    def value(dof=18):
        x = rng.chisquare(dof) / dof
        f, error = np.array([x - 1.0]), np.array([x * np.sqrt(2 / dof)])
        return SimpleNamespace(correlation_factor=f, correlation_factor_stderr=error)

    found = [_inverse_haven([value() for _ in range(5)], 0)[0] for _ in range(400)]
    mean, error = np.array(found).T
    assert mean.mean() == pytest.approx(1.0, abs=4 * mean.std() / 20)
    assert 0.62 < (np.abs(mean - 1) < error).mean() < 0.76 and error.mean() == pytest.approx(mean.std(), rel=0.15)


def test_haven_ratios_that_differ_or_are_not_known_are_told():
    def value(x, error):
        return SimpleNamespace(correlation_factor=np.array([x - 1.0]), correlation_factor_stderr=np.array([error]))

    mean, notes = _inverse_haven([value(1.0, 0.05), value(3.0, 0.15)], 0)
    assert mean[1] > 0.4 and any("differ between temperatures" in n for n in notes)
    mean, notes = _inverse_haven([value(1.0, 0.8), value(np.nan, np.nan)], 0)
    assert mean == pytest.approx((1.0, 0.8)) and any("factor of two" in n for n in notes)
    assert _inverse_haven([value(-0.5, 0.2)], 0)[0] is None and _inverse_haven([], 0) == (None, [])


def test_without_a_law():
    """Ions that stay where they are: no number, and a sentence that says so."""
    walk = hopping((1e-9, 0, 0), frames=2000, ions=20)
    found = ion_conduction([measure_onsager(displacement_correlations(walk, frame="Cl"))], "Li", charges={"Li": 1.0})
    assert found.diffusion is None and np.isnan(found.table()["sigma_NE_S_per_m"][0]) and found.hops[0] == 0
    with pytest.raises(DataError, match="fewer than two temperatures"):
        found.conductivity_at(300.0)


def test_bad_input_is_told(measured):
    with pytest.raises(DataError, match="each temperature once"):
        ion_conduction([measured[0]] * 2, "Li", charges={"Li": 1.0})
    with pytest.raises(DataError, match="there is no 'Na'"):
        ion_conduction(measured, "Na", charges={"Li": 1.0})
    with pytest.raises(DataError, match="give its charge"):
        ion_conduction(measured, "Li", charges={"Cl": -1.0})
    walk = hopping((0.1, 0.1, 0.1), frames=500)
    with pytest.raises(DataError, match="frame Cl of all other elements"):
        ion_conduction([measure_onsager(displacement_correlations(walk))], "Li", charges={"Li": 1.0})
    with pytest.raises(DataError, match="above 0"):
        ion_conduction(measured, "Li", charges={"Li": 1.0}).conductivity_at(-3.0)
