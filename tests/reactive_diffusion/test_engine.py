"""Chains of one and of several components: conservation, equilibrium in the end, one path against the other."""

from dataclasses import replace

import numpy as np
import pytest

from reactive_diffusion.systems import CAS, REDOX, SALTS, filled, hold, phases_of, prepare, toy_tables
from tammann import load_phases, load_transport
from tammann.errors import ResultError
from tammann.reactive_diffusion import engine
from tammann.reactive_diffusion.mesh import couple
from tammann.thermo import equilibrium, with_gases

AVOGADRO = 6.02214076e23
LONG = 3e9


def shares(sites, system):
    moles = sites / system.sites
    return dict(zip(system.formulas, moles / moles.sum(), strict=True))


@pytest.mark.parametrize(
    "rows, precursors, T, gas",
    [
        (SALTS, {"LiCl": 1.0, "NaF": 1.0}, 850.0, {}),
        (REDOX, {"NiO": 1.0, "Fe3O4": 1.0}, 1400.0, {"O2": 21000.0}),
        (REDOX, {"NiO": 1.0, "Fe2O3": 1.0}, 1400.0, {}),
        pytest.param(CAS, {"CaO": 3.0, "Al2O3": 1.0, "SiO2": 1.0}, 1500.0, {}, marks=pytest.mark.slow),
    ],
    ids=["metathesis", "redox in air", "ferrite", "three oxides"],
)
def test_the_end_is_the_linear_programme(rows, precursors, T, gas, tmp_path):
    """Every kind of system runs, keeps its elements, loses Gibbs energy in every frame and ends in equilibrium."""
    phases = phases_of(rows, tmp_path)
    phases = with_gases(phases, list(gas)) if gas else phases
    stretches = [s for d in np.geomspace(1.0, LONG, 8) for s in hold(T, d)]
    case = prepare(phases, precursors, stretches, gas=gas, cells=24)
    expected = equilibrium(phases, precursors, T, partial_pressure_Pa=gas)
    total = sum(expected.values())
    for chain, content in zip(case.powder.particles, case.powder.contents, strict=True):
        run = engine.run(chain, content * case.system.sites, case.tables, stretches)
        atoms = run.sites.sum(axis=1) / case.system.sites @ case.system.amounts
        np.testing.assert_allclose(atoms - content.sum(axis=0) @ case.system.amounts, 0.0, atol=1e-12)
        assert (np.diff(run.gibbs_eV) <= 1e-9).all()
        found = shares(run.sites[-1].sum(axis=0), case.system)
        for formula, share in found.items():
            assert share == pytest.approx(expected.get(formula, 0.0) / total, abs=1e-4), formula


def test_exact_chain_against_convex_programme():
    """The two paths agree in amounts, energy and steps where both apply."""
    phases, stretches = load_phases("Ba-Ti-O"), hold(1300.0, 3000.0, 4)
    case = prepare(phases, {"BaO": 1.0, "TiO2": 1.0}, stretches, transport=load_transport("Ba-Ti-O"), cells=40)
    chain, content = case.powder.particles[0], case.powder.contents[0] * case.system.sites
    exact = engine.run(chain, content, case.tables, stretches, tolerance=1e-4)
    general = engine.run(chain, content, replace(case.tables, scalar=False), stretches, tolerance=1e-4)
    np.testing.assert_allclose(general.sites.sum(axis=1), exact.sites.sum(axis=1), atol=3e-3)
    np.testing.assert_allclose(general.gibbs_eV, exact.gibbs_eV, atol=3e-4)
    np.testing.assert_allclose(general.dissipated_eV.sum(axis=1), exact.dissipated_eV.sum(axis=1), rtol=0.02, atol=1e-5)


@pytest.mark.parametrize("scalar", [True, False])
def test_energy_lost_is_energy_dissipated(scalar):
    """As steps shrink, what the layers dissipate is what the Gibbs energy falls by; it is never more."""
    y, g, lam = np.array([0.0, 0.5, 1.0]), np.array([0.0, -0.1, 0.0]), np.array([1.0, 0.3, 2.0])
    tables = replace(toy_tables(y, g, lam, AVOGADRO), scalar=scalar)
    chain = couple([3.0, 3.0], cells=20)
    content = filled(chain, tables)
    ratio = []
    for tolerance in (1e-3, 1e-4):
        run = engine.run(chain, content, tables, hold(1000.0, 1.0, 2), tolerance=tolerance)
        start = (content @ g).sum() if tolerance else 0.0
        ratio.append(run.dissipated_eV[1].sum() / (run.gibbs_eV[0] - run.gibbs_eV[1]))
        assert run.gibbs_eV[0] < start
    assert ratio[0] <= 1.0 + 1e-6 and 0.9 < ratio[1] <= 1.0 + 1e-6


def test_formula_multiples_change_nothing(tmp_path):
    """Ca2Si2O6 is CaSiO3, and the order of the rows does not matter."""
    rows = [row for row in CAS.splitlines() if "Al" not in row]
    stretches = hold(1500.0, 1e6, 3)
    moles = []
    for variant in (rows, rows[::-1]):
        (folder := tmp_path / str(len(moles))).mkdir()
        case = prepare(phases_of("\n".join(variant), folder), {"CaO": 1.0, "SiO2": 1.0}, stretches, cells=20)
        run = engine.run(case.powder.particles[0], case.powder.contents[0] * case.system.sites, case.tables, stretches)
        moles.append(shares(run.sites[1].sum(axis=0), case.system))
    for formula, share in moles[0].items():
        assert moles[1][formula] == pytest.approx(share, abs=1e-9)


def test_a_contact_resistance_slows_the_start():
    tables = toy_tables([0.0, 0.5, 1.0], [0.0, -0.1, 0.0], 1.0, AVOGADRO)
    chain = couple([3.0, 3.0], cells=20)
    free, held = (
        engine.run(chain, filled(chain, tables), tables, hold(1000.0, 0.1), contact_resistance=np.full(19, r))
        for r in (0.0, 10.0)
    )
    assert held.sites[-1, :, 1].sum() < 0.5 * free.sites[-1, :, 1].sum()


def test_a_step_that_fails_is_shortened(monkeypatch):
    """The general path tries a shorter step, and says so only where none is left."""
    tables = replace(toy_tables([0.0, 0.5, 1.0], [0.0, -0.1, 0.0], 1.0, AVOGADRO), scalar=False)
    chain = couple([3.0, 3.0], cells=6)
    solve, calls = engine.ConvexStep.solve, []

    def sometimes(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise ResultError("no")
        return solve(self, *arguments)

    monkeypatch.setattr(engine.ConvexStep, "solve", sometimes)
    run = engine.run(chain, filled(chain, tables), tables, hold(1000.0, 1.0))
    assert run.steps[1] >= 1 and run.sites[-1].sum() == pytest.approx(filled(chain, tables).sum(), rel=1e-12)
