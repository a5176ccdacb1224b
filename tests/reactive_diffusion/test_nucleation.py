"""Solids that wait for a nucleus: none where the interface costs too much, all at once where it costs nothing."""

from dataclasses import replace

import numpy as np
import pytest

from reactive_diffusion.systems import filled, hold, prepare, toy_tables
from tammann import load_phases
from tammann.reactive_diffusion import engine
from tammann.reactive_diffusion.mesh import couple
from tammann.reactive_diffusion.nucleation import LN_ATTEMPTS, nucleation_barrier
from tammann.reactive_diffusion.programme import ramp_and_hold
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.units import BOLTZMANN_EV_PER_K, EV_IN_J

SITE_M3 = 1.6e-29
Y, G = [0.0, 0.5, 0.75, 1.0], [0.0, -0.2, -0.11, 0.0]
"""The third phase lies 0.01 eV per site below the tie of the second and the fourth."""


def tables(scalar=True):
    made = toy_tables(Y, G, [1.0, 2.0, 0.5, 1.0], SITE_M3 * 6.02214076e23)
    return replace(made, scalar=scalar)


def run(interface_energy, *, scalar=True, cells=24, **options):
    chain = couple([3e-7, 3e-7], cells=cells)
    made = tables(scalar)
    return engine.run(chain, filled(chain, made), made, hold(1000.0, 1.5e15, 4),
                      interface_energy_J_per_m2=interface_energy, **options)  # fmt: skip


def gamma_for(dg_eV_per_site):
    """The interface energy, J/m^2, whose barrier a driving force just overcomes at 1000 K."""
    work = LN_ATTEMPTS * BOLTZMANN_EV_PER_K * 1000.0 * EV_IN_J
    return (3.0 * work * (dg_eV_per_site * EV_IN_J / SITE_M3) ** 2 / (16.0 * np.pi)) ** (1.0 / 3.0)


@pytest.mark.parametrize("scalar", [True, False], ids=["exact", "general"])
def test_only_what_overcomes_its_barrier_forms(scalar):
    """The second phase forms first, 0.2 eV below the mixture; the third would gain 0.11 eV then, 0.01 afterwards."""
    free, first, none = (run(g, scalar=scalar) for g in (0.0, gamma_for(0.03), gamma_for(0.25)))
    sites = [r.sites[-1].sum(axis=0) / r.sites[-1].sum() for r in (free, first, none)]
    assert (sites[0][1:3] > 0.02).all() and free.nucleated.all()
    assert sites[1][1] > 0.05 and sites[1][2] == 0.0 and first.nucleated.tolist() == [True, True, False, True]
    np.testing.assert_allclose(sites[2], [0.5, 0.0, 0.0, 0.5], atol=0.05)
    assert none.sites[:, :, 1:3].max() == 0.0
    for r in (free, first, none):
        assert (np.diff(r.gibbs_eV) <= 1e-12 * abs(r.gibbs_eV[0])).all()


def test_no_interface_energy_is_no_barrier():
    """A barrier that every driving force overcomes soon gives what no barrier gives."""
    assert nucleation_barrier(0.0) == 0.0
    free, low = run(0.0), run(gamma_for(1e-3))
    np.testing.assert_allclose(low.sites.sum(axis=1), free.sites.sum(axis=1), atol=4e-3 * free.sites[-1].sum())


def test_both_paths_agree():
    exact, general = (run(gamma_for(0.15), scalar=s, tolerance=1e-4) for s in (True, False))
    total = exact.sites[-1].sum()
    np.testing.assert_allclose(general.sites.sum(axis=1), exact.sites.sum(axis=1), atol=5e-3 * total)


def test_a_powder_of_few_phases():
    """With 0.6 J/m^2 fewer of the barium titanates form from BaO and TiO2, and no element is lost."""
    stretches = [*ramp_and_hold(1000.0, 1300.0, 10.0, 2.0), *ramp_and_hold(1300.0, 1400.0, 10.0, 1.0, regrind=True)]
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, stretches, mode="equal", cells=20)
    free, held = (
        simulate_powder(case.powder, case.system, case.conduct, stretches, interface_energy_J_per_m2=g, rng=1)
        for g in (0.0, 0.6)
    )
    formed = [(history.fractions()[0] > 1e-6).any(axis=0).sum() for history in (free, held)]
    assert 3 <= formed[1] < formed[0]
    assert held.element_drift[0] < 1e-12
