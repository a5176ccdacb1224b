"""Chains of one and of several components: conservation, equilibrium in the end, one path against the other."""

from dataclasses import replace

import numpy as np
import pytest

from reactive_diffusion.systems import CAS, REDOX, SALTS, filled, hold, phases_of, prepare, toy_tables
from tammann import load_phases, load_transport
from tammann.errors import ResultError
from tammann.reactive_diffusion import engine
from tammann.reactive_diffusion.convex import ConvexStep, split
from tammann.reactive_diffusion.mesh import couple
from tammann.reactive_diffusion.tables import within_ceiling
from tammann.thermo import equilibrium, with_gases

AVOGADRO = 6.02214076e23
LONG = 3e9


def shares(sites, system):
    moles = sites / system.sites
    return dict(zip(system.formulas, moles / moles.sum(), strict=True))


@pytest.mark.parametrize(
    "rows, precursors, T, gas, within",
    [
        (SALTS, {"LiCl": 1.0, "NaF": 1.0}, 850.0, {}, 1e-5),
        (REDOX, {"NiO": 1.0, "Fe3O4": 1.0}, 1400.0, {"O2": 21000.0}, 1e-9),
        (REDOX, {"NiO": 1.0, "Fe2O3": 1.0}, 1400.0, {}, 1e-9),
        (CAS, {"CaO": 3.0, "Al2O3": 1.0, "SiO2": 1.0}, 1500.0, {}, 1e-5),
    ],
    ids=["metathesis", "redox in air", "ferrite", "three oxides"],
)
def test_the_end_is_the_linear_programme(rows, precursors, T, gas, within, tmp_path):
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
            assert share == pytest.approx(expected.get(formula, 0.0) / total, abs=within), formula


@pytest.mark.slow
def test_exact_chain_against_convex_programme():
    """The two paths agree in amounts, energy and steps where both apply."""
    phases, stretches = load_phases("Ba-Ti-O"), hold(1300.0, 3000.0, 4)
    case = prepare(phases, {"BaO": 1.0, "TiO2": 1.0}, stretches, transport=load_transport("Ba-Ti-O"), cells=40)
    chain, content = case.powder.particles[0], case.powder.contents[0] * case.system.sites
    exact = engine.run(chain, content, case.tables, stretches, tolerance=1e-5)
    general = engine.run(chain, content, replace(case.tables, scalar=False), stretches, tolerance=1e-5)
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


@pytest.mark.parametrize("scalar", [True, False], ids=["exact", "general"])
def test_formulas_and_their_order_change_nothing(scalar, tmp_path):
    """Ca2Si2O6 is CaSiO3; rows and precursors may come in any order."""
    rows = [row for row in CAS.splitlines() if "Al" not in row]
    double = [row.replace("CaSiO3", "Ca2Si2O6").replace("SiO2,", "Si3O6,") for row in rows]
    stretches = hold(1500.0, 1e6, 3)
    found = []
    for variant, precursors in (
        (rows, {"CaO": 1.0, "SiO2": 1.0}),
        (rows[::-1], {"CaO": 1.0, "SiO2": 1.0}),
        (double, {"CaO": 1.0, "Si3O6": 1.0 / 3.0}),
        (rows, {"SiO2": 1.0, "CaO": 1.0}),
    ):
        (folder := tmp_path / str(len(found))).mkdir()
        case = prepare(phases_of("\n".join(variant), folder), precursors, stretches, cells=20)
        tables, system = replace(case.tables, scalar=scalar), case.system
        core = 0 if next(iter(precursors)) == "CaO" else 1
        content = case.powder.contents[core] * system.sites
        run = engine.run(case.powder.particles[core], content, tables, stretches)
        # moles of atoms, by composition per atom
        size = system.phases.composition_matrix[system.solids].sum(axis=1)
        atoms = run.sites[1].sum(axis=0) / system.sites * size
        keys = [tuple((system.amounts[k] / size[k]).round(9)) for k in range(len(size))]
        found.append((dict(zip(keys, atoms, strict=True)), run.gibbs_eV))
    for amounts, energy in found[1:]:
        assert amounts.keys() == found[0][0].keys()
        for key, value in found[0][0].items():
            assert amounts[key] == pytest.approx(value, abs=1e-9 if scalar else 1e-4)
        np.testing.assert_allclose(energy, found[0][1], atol=1e-9 if scalar else 1e-4)


@pytest.mark.parametrize("dt", [1e-3, 1.0, 1e3, 1e9])
def test_gibbs_energy_of_three_components_falls_in_any_step(dt):
    """By more than is dissipated, and after a long step to the hull."""
    rng = np.random.default_rng(1)
    z = np.concatenate([np.eye(3)[:, :2], rng.dirichlet([1, 1, 1], 9)[:, :2]])
    g = np.concatenate([np.zeros(3), -0.3 * rng.random(9)])
    sites, now = rng.random(12) + 0.5, np.repeat(z[:3], 4, axis=0)
    content = np.kron(np.eye(3), np.ones((4, 1))) * sites[:, None]
    total, before = sites @ now, (content @ g[:3]).sum()
    step = ConvexStep(sites, np.stack([np.arange(11), np.arange(1, 12)], axis=1), z)
    for _ in range(5):
        R = np.eye(2)[None] / dt * (0.5 + rng.random(11))[:, None, None]
        Q, guess, _, used = step.solve(g, now, R)
        now = now + (np.concatenate([[[0.0, 0.0]], Q]) - np.concatenate([Q, [[0.0, 0.0]]])) / sites[:, None]
        after = (split(sites, now, guess, z) @ g).sum()
        heat = np.einsum("fd,fde,fe,f->", Q, R, Q, used)
        assert before - after >= heat - 1e-7
        before = after
    np.testing.assert_allclose(sites @ now, total, rtol=1e-13)


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


PHOSPHATES = """Li2CO3,-2.10,9.7,993
FePO4,-2.25,12.6,1200
LiFePO4,-2.56,10.4,1250
Fe2O3,-1.711,10.0,1838
Li3PO4,-2.70,10.0,1478
Li3Fe2(PO4)3,-2.42,12.0,1200
Fe3O4,-1.66,10.6,1870"""
SULFIDES = """ZnO,-1.81,12.0,2248
ZnS,-1.06,19.8,2103
Fe2O3,-1.711,10.0,1838
FeS2,-0.59,13.2,1461
FeS,-0.52,15.0,1461
ZnFe2O4,-1.74,10.6,1863
Fe3O4,-1.66,10.6,1870"""


@pytest.mark.parametrize(
    "rows, precursors, T, gases",
    [
        (PHOSPHATES, {"Li2CO3": 1.0, "FePO4": 2.0}, 900.0, ["O2", "CO2"]),
        (SULFIDES, {"FeS2": 1.0, "ZnO": 2.0}, 1300.0, ["SO2"]),
    ],
)
def test_what_a_gas_leaves_may_form_among_several_components(rows, precursors, T, gases, tmp_path):
    """Products may hold of a gas that only leaves what the precursors brought; in the end it is equilibrium."""
    phases = with_gases(phases_of(rows, tmp_path), gases)
    stretches = [s for d in np.geomspace(1.0, 1e12, 8) for s in hold(T, d)]
    case = prepare(phases, precursors, stretches, cells=20)
    assert len(case.system.directions) > 1 and case.system.release_only.any()
    expected = equilibrium(phases, precursors, T, release_pressure_Pa=dict.fromkeys(case.system.gases, 1.0))
    total = sum(n for formula, n in expected.items() if formula not in gases)
    for chain, content in zip(case.powder.particles, case.powder.contents, strict=True):
        run = engine.run(chain, content * case.system.sites, case.tables, stretches)
        assert (np.diff(run.gibbs_eV) <= 1e-9).all()
        for formula, share in shares(run.sites[-1].sum(axis=0), case.system).items():
            assert share == pytest.approx(expected.get(formula, 0.0) / total, abs=1e-3), formula


def test_a_gas_that_has_left_does_not_come_back(tmp_path):
    """Once all is BaO, or where nothing but an oxide is there, no carbonate forms."""
    rows = "BaCO3,-2.46,15.2,1084\nBaO,-2.84,12.8,2246\nSrO,-3.06,10.3,2804\nSrCO3,-2.5,12.9,1770\nTiO2,-3.26,10.4,2130"
    phases = with_gases(phases_of(rows, tmp_path), ["CO2"])
    case = prepare(phases, {"BaCO3": 1.0, "SrO": 1.0, "TiO2": 1.0}, hold(1400.0, 1.0), cells=10)
    there = {"BaCO3": np.isin(case.system.formulas, ["BaCO3", "SrO", "TiO2"]),
             "BaO": np.isin(case.system.formulas, ["BaO", "SrO", "TiO2"])}  # fmt: skip
    for present, forms in (("BaCO3", {"BaCO3": True, "SrCO3": False}), ("BaO", {"BaCO3": False, "SrCO3": False})):
        allowed = dict(zip(case.system.formulas, within_ceiling(case.tables, there[present]), strict=True))
        assert {name: allowed[name] for name in forms} == forms and allowed["BaO"]
