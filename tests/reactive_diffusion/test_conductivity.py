"""Mobilities: Darken's limits of the tracers' metric, one solid in two atmospheres, the nominal magnitude."""

import numpy as np
import pytest

from reactive_diffusion.systems import CAS, SALTS, hold, phases_of, prepare
from tammann import load_phases, load_transport
from tammann.reactive_diffusion.conductivity import EQUAL_D_M2_PER_S, site_volumes_m3
from tammann.reactive_diffusion.powder import mix
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.thermo import with_gases
from tammann.units import BOLTZMANN_EV_PER_K


def expected_mobility(case, D, T):
    """1 / sum b^2 kB T / (D c): a common D for both cations, concentrations of the mixture."""
    system = case.system
    volume = site_volumes_m3(system) @ (system.start * system.sites)
    total = 0.0
    for b, moles in zip(system.along, system.mixture, strict=True):
        total += b**2 / (moles / volume) if abs(b) > 1e-12 else 0.0
    return D / (BOLTZMANN_EV_PER_K * T) / total


@pytest.mark.parametrize("ratio", [1.0, 1e-4, 1e4])
def test_equal_conductivities_are_darkens(ratio):
    """M = D c_A c_B / (c_A + c_B) kT per exchange of A and B; where one is rare it alone decides."""
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": ratio}, hold(1300.0, 1.0), mode="equal")
    mobility = np.interp(1300.0, case.conduct.temperature_K, case.conduct.scalar[:, 0])
    assert mobility == pytest.approx(expected_mobility(case, EQUAL_D_M2_PER_S, 1300.0), rel=1e-6)
    free = dict(zip(case.system.free, case.system.along, strict=True))
    moles = dict(zip(case.system.free, case.system.mixture, strict=True))
    rare = min(("Ba", "Ti"), key=moles.get)
    if ratio != 1.0:
        volume = site_volumes_m3(case.system) @ (case.system.start * case.system.sites)
        alone = EQUAL_D_M2_PER_S * moles[rare] / volume / free[rare] ** 2 / (BOLTZMANN_EV_PER_K * 1300.0)
        assert mobility == pytest.approx(alone, rel=1e-3)


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


@pytest.mark.parametrize(("mode", "table"), [("full", "Ba-Ti-O"), ("equal", "Ba-Ti-O"), ("full", None)])
def test_nominal_magnitude_is_that_of_the_observation(mode, table):
    """BaO + TiO2, radius 0.1 um, size spread 0.3, is 95 mol% BaTiO3 after 100 min at 1300 K (Bondioli 1998)."""
    stretches = [Stretch(1300.0, 1300.0, 6000.0 * d, 0) for d in np.diff(np.linspace(0.0, 1.5, 31))]
    transport = None if table is None else load_transport(table)
    case = prepare(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, stretches, transport=transport, mode=mode)
    volumes = np.array([case.system.phases[int(p)].molar_volume_m3_per_mol for p in case.system.solids])
    solids = [case.system.formulas.index(name) for name in ("BaO", "TiO2")]
    powder = mix([1.0, 1.0], solids, volumes, [1e-7, 1e-7], size_spread=0.3)
    history = simulate_powder(powder, case.system, case.conduct, stretches)
    share = history.fractions()[0, :, history.phases.index("BaTiO3")]
    assert np.interp(0.95, share, history.programme_h * 60.0) == pytest.approx(100.0, rel=0.1)


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
