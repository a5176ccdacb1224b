"""Mobilities: Darken's limits of the tracers' metric, one solid in two atmospheres, the nominal magnitude."""

import numpy as np
import pytest

from reactive_diffusion.systems import CAS, SALTS, hold, phases_of, prepare
from tammann import load_phases, load_transport
from tammann.reactive_diffusion.conductivity import EQUAL_D_M2_PER_S
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.thermo import with_gases
from tammann.units import BOLTZMANN_EV_PER_K


@pytest.mark.parametrize("ratio", [1.0, 1e-4, 1e4])
def test_equal_conductivities_are_darkens(ratio):
    """M = D / (kB T) over the sum of b^2 / c: a common D for both cations, whatever the ratio.

    By hand: a site is half an oxygen; BaO has 1/2 Ba a site, TiO2 1/4 Ti; of equal numbers of sites of both
    c_Ba = 1/4 and c_Ti = 1/8 over the mean volume of a site; and a unit of y takes 1/2 Ba out of a site for 1/4 Ti.
    """
    phases = load_phases("Ba-Ti-O")
    case = prepare(phases, {"BaO": 1.0, "TiO2": ratio}, hold(1300.0, 1.0), mode="equal")
    mobility = np.interp(1300.0, case.conduct.temperature_K, case.conduct.scalar[:, 0])
    site = 0.5 * 1e-30 * (
        phases["BaO"].volume_A3_per_atom * 2 / 2 + phases["TiO2"].volume_A3_per_atom * 3 / 4
    )  # fmt: skip
    resistance = site * (0.5**2 / 0.25 + 0.25**2 / 0.125)
    assert mobility == pytest.approx(EQUAL_D_M2_PER_S / (BOLTZMANN_EV_PER_K * 1300.0) / resistance, rel=1e-6)


def test_equal_does_not_depend_on_other_candidates(tmp_path):
    """A phase more in the table changes no conductivity."""
    rows = [row for row in CAS.splitlines() if "Al" not in row]
    values = []
    for number, chosen in enumerate((rows, [row for row in rows if not row.startswith("Ca3Si2O7")])):
        (folder := tmp_path / str(number)).mkdir()
        case = prepare(phases_of("\n".join(chosen), folder), {"CaO": 1.0, "SiO2": 1.0}, hold(1300.0, 1.0), mode="equal")
        values.append(case.conduct.scalar[0, 0])
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_oxygen_held_by_the_gas_changes_no_solid_of_fixed_valence():
    """Neutral fluxes of Ba and Ti with O, in the cations' frame, are those in the oxygen's: Lambda per y, 9/64."""
    phases, transport = load_phases("Ba-Ti-O"), load_transport("Ba-Ti-O")
    lam = {}
    for gas in ({}, {"O2": 21000.0}):
        case = prepare(with_gases(phases, ["O2"]), {"BaO": 1.0, "TiO2": 1.0}, hold(1300.0, 1.0), gas=gas,
                       transport=transport, scale=1.0)  # fmt: skip
        k = case.system.formulas.index("BaTiO3")
        assert case.conduct.origin[k] == "table"
        lam[bool(gas)] = case.conduct.scalar[0, k]
    # (Ba, Ti, O) = (-1, 1, 1) is 4/3 (-1, 1/2, 0) seen from another lattice, and per site of y twice as much again
    assert lam[True] / lam[False] == pytest.approx(9.0 / 64.0, rel=1e-6)


def test_a_solid_conducts_the_same_whatever_the_ratio():
    """Neither the ratio of the mixture nor the programme, but only what is mixed, sets the level."""
    found = []
    for ratio, T in ((1.0, 1300.0), (5.0, 1300.0), (0.3, 1400.0)):
        for mode in ("full", "equal"):
            case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": ratio}, [Stretch(1300.0, T, 1.0, 0)],
                           transport=load_transport("Ba-Ti-O"), mode=mode)  # fmt: skip
            found.append(case.conduct.scalar[0, case.system.formulas.index("BaTiO3")])
    np.testing.assert_allclose(found[2:], np.tile(found[:2], 2), rtol=1e-12)


@pytest.mark.slow
def test_a_refractory_reactant_is_no_layer(tmp_path):
    """CaO and Al2O3 carry none of the fluxes of three cations, however high they melt; a silicate carries two."""
    phases, stretches = phases_of(CAS, tmp_path), hold(1500.0, 3.6e5, 3)
    moles = {"CaO": 1.0, "Al2O3": 1.0, "SiO2": 1.0}
    case = prepare(phases, moles, stretches, cells=24)
    origin = dict(zip(case.system.formulas, case.conduct.origin, strict=True))
    assert {name for name, one in origin.items() if one == "largest"} == set(moles)
    history = simulate_powder(case.powder, case.system, case.conduct, stretches)
    melts = CAS.replace("CaO,-3.290,13.9,2886", "CaO,-3.290,13.9,3600")
    (folder := tmp_path / "refractory").mkdir()
    other = prepare(phases_of(melts, folder), moles, stretches, cells=24)
    again = simulate_powder(other.powder, other.system, other.conduct, stretches)
    np.testing.assert_allclose(again.moles, history.moles, atol=1e-9)


def test_where_nothing_carries_fluxes_alone_the_rule_holds(tmp_path):
    """In LiCl + NaF every salt lacks an ion of each kind; none is the largest of the others."""
    case = prepare(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, hold(850.0, 1.0), cells=10)
    assert set(case.conduct.origin) == {"melting point"}


def test_without_data_conductivities_go_with_the_melting_points():
    """van Liempt: of two solids, at T, Lambda differs by exp(-17 (Tm - Tm') / T), and below the lower by no more."""
    phases = load_phases("Ba-Ti-O")
    case = prepare(phases, {"BaO": 1.0, "TiO2": 1.0}, hold(1200.0, 1.0))
    one, other = (case.system.formulas.index(name) for name in ("BaTiO3", "BaTi2O5"))
    apart = phases["BaTiO3"].melting_point_K - phases["BaTi2O5"].melting_point_K
    assert apart > 100 and case.conduct.origin[one] == "melting point"
    ratio = case.conduct.scalar[0, one] / case.conduct.scalar[0, other]
    assert ratio == pytest.approx(np.exp(-17.0 * apart / 1200.0), rel=1e-6)
