"""Products that lie in the span of the precursors only together: exchanges, displacements, decompositions.

The right equations are those of textbooks; energies of formation are rounded tabulated ones, eV per atom.
"""

import numpy as np
import pytest

from tammann.kinetics import KineticsOptions, rate_table, with_atmosphere
from tammann.reactions import enumerate_reactions
from tammann.recipe import Recipe
from tammann.thermo import load_phases
from tammann.units import BOLTZMANN_EV_PER_K, KJ_PER_MOL_IN_EV

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
SALTS = {
    "LiCl": (-2.117, 883), "NaF": (-2.974, 1269), "LiF": (-3.192, 1118), "NaCl": (-2.130, 1074), "KBr": (-2.04, 1007),
    "KF": (-2.94, 1131), "KCl": (-2.26, 1043), "NaBr": (-1.87, 1020), "LiBr": (-1.82, 825),
}  # fmt: skip
IRON = {
    "Fe2O3": (-1.71, 1838), "Al2O3": (-3.47, 2345), "Fe": (0.0, 1811), "Al": (0.0, 933), "FeO": (-1.41, 1650),
    "Fe3O4": (-1.65, 1870),
}  # fmt: skip
DOLOMITE = {
    "CaMgC2O6": (-2.42, 1700), "CaO": (-3.29, 2886), "MgO": (-3.12, 3125), "CaCO3": (-2.5, 1612), "MgCO3": (-2.3, 1263),
}  # fmt: skip
TITANATE = {
    "CaCl2": (-2.75, 1045), "Na2CO3": (-1.95, 1124), "TiO2": (-3.26, 2130), "CaTiO3": (-3.44, 2248),
    "NaCl": (-2.13, 1074), "CaCO3": (-2.5, 1612), "CaO": (-3.29, 2886), "Na2O": (-1.44, 1405),
    "Na2TiO3": (-2.69, 1303),
}  # fmt: skip
NITRIDE = {"Li3N": (-0.43, 1086), "MgCl2": (-2.22, 987), "Mg3N2": (-0.96, 1700), "LiCl": (-2.117, 883)}


@pytest.fixture
def rates_of(tmp_path):
    def rates(energies, precursors, top=850.0, atmosphere="inert", **options):
        path = tmp_path / "mine.csv"
        path.write_text(HEADER + "".join(f"{f},{e},12,{m},0.005\n" for f, (e, m) in energies.items()))
        recipe = Recipe(
            precursors=[{"phase": phase, "ratio": 1} for phase in precursors],
            programme=[{"temperature_K": top, "hold_h": 1}],
            energies=str(path),
            atmosphere=atmosphere,
        )
        reactions = enumerate_reactions(with_atmosphere(load_phases(path), recipe))
        return rate_table(reactions, None, recipe, options=KineticsOptions(**options) if options else None)

    return rates


def test_two_salts_exchange_their_ions(rates_of):
    rates = rates_of(SALTS, ["LiCl", "NaF"])
    assert rates.equations == ("LiCl + NaF -> LiF + NaCl",)
    assert rates.score[-1, 0] > 0 and rates.nothing_opens is None
    assert rates.dG_eV_per_atom[-1, 0] < -0.1


def test_the_exchange_does_not_run_backwards(rates_of):
    rates = rates_of(SALTS, ["LiF", "NaCl"])
    assert rates.equations == ()
    assert "every reaction is uphill" in rates.nothing_opens and "LiF + NaCl -> LiCl + NaF" in rates.nothing_opens


def test_three_salts_exchange_with_each_other(rates_of):
    """NaBr comes of the first exchange and feeds another; of the nine salts those with K and F stay away."""
    rates = rates_of(SALTS, ["LiBr", "NaF", "KCl"])
    assert {"NaF + LiBr -> LiF + NaBr", "KCl + NaBr -> NaCl + KBr"} <= set(rates.equations)
    assert set(rates.phases) == set(SALTS) - {"KF"}


def test_a_metal_displaces_another(rates_of):
    """Thermite: neither alumina nor iron lies between rust and aluminium."""
    rates = rates_of(IRON, ["Fe2O3", "Al"], top=900.0)
    assert "Fe2O3 + 2 Al -> Al2O3 + 2 Fe" in rates.equations


def test_one_phase_decomposes_into_two(rates_of):
    rates = rates_of(DOLOMITE, ["CaMgC2O6"], top=1300.0)
    assert "CaMgC2O6 -> CaO + MgO + 2 CO2" in rates.equations
    assert not rates_of(DOLOMITE, ["CaMgC2O6"], top=500.0).equations


def test_metathesis_by_way_of_a_by_product(rates_of):
    """CaCl2 + Na2CO3 + TiO2: the titanate needs the carbonate that the exchange makes beside salt."""
    rates = rates_of(TITANATE, ["CaCl2", "Na2CO3", "TiO2"], top=1100.0)
    assert {"CaCl2 + Na2CO3 -> 2 NaCl + CaCO3", "TiO2 + CaCO3 -> CaTiO3 + CO2"} <= set(rates.equations)


def test_a_nitride_and_its_salt(rates_of):
    assert rates_of(NITRIDE, ["Li3N", "MgCl2"]).equations == ("2 Li3N + 3 MgCl2 -> Mg3N2 + 6 LiCl",)


def test_hydrogen_of_the_atmosphere_reduces(rates_of):
    """The water that leaves is no phase of the table: it comes with the H that the atmosphere brings."""
    oxide = {name: IRON[name] for name in ("Fe2O3", "Fe", "FeO", "Fe3O4")}
    rates = rates_of(oxide, ["Fe2O3"], top=1100.0, atmosphere={"partial_pressure_Pa": {"H2": 1e5}})
    assert "Fe2O3 + 3 H2 -> 2 Fe + 3 H2O" in rates.equations
    assert rates.nothing_opens is None and set(rates.gases) == {"H2", "H2O"}


@pytest.mark.parametrize(("share", "opens"), [(0.9, True), (1.1, False)])
def test_hydrogen_reduces_up_to_the_ratio_of_equilibrium(rates_of, tmp_path, share, opens):
    """Fe3O4 + 4 H2 = 3 Fe + 4 H2O with 187.033 kJ/mol for water at 1100 K (NIST-JANAF), without FeO in between."""
    oxide = {name: IRON[name] for name in ("Fe", "Fe3O4")}
    rates_of(oxide, ["Fe3O4"])
    phases = load_phases(tmp_path / "mine.csv")
    magnetite = 7 * phases.gibbs(1100.0)[phases.index("Fe3O4")]
    ratio = share * np.exp(-(4 * -187.033 * KJ_PER_MOL_IN_EV - magnetite) / (4 * BOLTZMANN_EV_PER_K * 1100.0))
    gas = {"H2": 1e4, "H2O": 1e4 * float(ratio)}
    rates = rates_of(oxide, ["Fe3O4"], top=1100.0, atmosphere={"partial_pressure_Pa": gas})
    row = [k for k, equation in enumerate(rates.equations) if equation == "Fe3O4 + 4 H2 -> 3 Fe + 4 H2O"]
    assert bool(row and rates.score[-1, row[0]] > 0) is opens


def test_heat_of_mixing_pays_for_no_change_of_valence():
    """5 BaO + 12 TiO2 -> Ba4Ti12O27 + BaO2 is downhill by 0.11 eV per atom, and no equilibrium holds its products."""
    phases = load_phases("Ba-Ti-O")
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 5}, {"phase": "TiO2", "ratio": 12}],
        programme=[{"temperature_K": 1500, "hold_h": 1}],
    )
    reactions = enumerate_reactions(phases)
    assert "5 BaO + 12 TiO2 -> Ba4Ti12O27 + BaO2" in [reaction.equation for reaction in reactions]
    options = KineticsOptions(metastable_limit_eV_per_atom=None, coupled_release=True)
    rates = rate_table(reactions, None, recipe, options=options)
    assert not {"BaO2", "Ba4Ti12O27", "Ba2Ti6O13"} & set(rates.phases)
