"""The potential of Pedone et al.: the printed parameters, forces that are slopes, charges that cancel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potentials.ewald import energy, short
from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.potentials import LammpsCommands, load_potential, pedone_2006

POTENTIAL = pedone_2006()


@given(st.sampled_from(sorted(POTENTIAL.charges)), st.sampled_from(sorted(POTENTIAL.charges)), st.floats(0.8, 8.2))
def test_energy_is_the_printed_formula(first, second, r):
    found, _ = POTENTIAL.short_range(first, second, np.array([r]))
    assert found[0] == pytest.approx(short(POTENTIAL, first, second, r), rel=1e-9, abs=1e-12)


@given(st.sampled_from(sorted(POTENTIAL.charges)), st.floats(0.9, 8.3))
def test_force_is_the_slope_of_the_energy(cation, r):
    h = 1e-5
    (low, high), _ = POTENTIAL.short_range(cation, "O", np.array([r - h, r + h]))
    _, force = POTENTIAL.short_range(cation, "O", np.array([r]))
    assert force[0] == pytest.approx(-(high - low) / (2 * h), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "element, charge, row",
    [
        ("O", -1.2, (0.042395, 1.379316, 3.618701, 22.0)),
        ("Ba", 1.2, (0.065011, 1.547596, 3.393410, 5.0)),
        ("Ti", 2.4, (0.024235, 2.254703, 2.708943, 1.0)),
        ("Sr", 1.2, (0.019623, 1.886000, 3.328330, 3.0)),
        ("Zr", 2.4, (0.206237, 2.479675, 2.436997, 1.0)),
        ("Li", 0.6, (0.001114, 3.429506, 2.681360, 1.0)),
        ("Na", 0.6, (0.023363, 1.763867, 3.006315, 5.0)),
        ("K", 0.6, (0.011612, 2.062605, 3.305308, 5.0)),
        ("Ca", 1.2, (0.030211, 2.241334, 2.923245, 5.0)),
        ("Mg", 1.2, (0.038908, 2.281000, 2.586153, 5.0)),
    ],
)
def test_parameters_are_the_printed_ones(element, charge, row):
    assert POTENTIAL.charges[element] == charge
    pair = POTENTIAL.pairs[element, "O"]
    assert (pair.depth_eV, pair.stiffness_per_A, pair.distance_A, pair.repulsion_eV_A12) == row


def test_cations_feel_each_other_by_charge_only():
    assert not np.any(POTENTIAL.short_range("Ba", "Ti", np.linspace(1, 9, 50)))


def test_nothing_is_left_beyond_the_cutoff():
    assert not np.any(POTENTIAL.short_range("Ba", "O", np.array([8.0, 9.0])))


def test_well_of_a_pair():
    """U(r0) = -D + C/r0**12."""
    energy_eV, _ = POTENTIAL.short_range("Zr", "O", np.array([2.436997]))
    assert energy_eV[0] == pytest.approx(-0.206237 + 1.0 / 2.436997**12, rel=1e-12)


@pytest.mark.parametrize("pair", ["Ti-O", "Ba-O", "Li-O", "O-O"])
def test_no_ion_falls_into_another(pair):
    """With its Coulomb part every pair still repels far below a bond."""
    first, second = pair.split("-")
    r = np.linspace(0.6, 1.0, 50)
    _, force = POTENTIAL.short_range(first, second, r)
    coulomb = 14.4 * POTENTIAL.charges[first] * POTENTIAL.charges[second] / r**2
    assert (force + coulomb > 0).all()


@pytest.mark.parametrize(
    "formula", ["BaTiO3", "Ba6Ti17O40", "SrTiO3", "CaZrO3", "Li2TiO3", "K2O", "MgO", "Na2ZrO3", "BaO"]
)
def test_oxides_are_neutral(formula):
    POTENTIAL.check(parse_formula(formula), formula=formula)


@pytest.mark.parametrize(
    "formula, word", [("BaTiO2", "sum to +1.2"), ("BaFeO3", "no parameters for Fe"), ("Ba", "sum")]
)
def test_what_it_cannot_do_is_refused(formula, word):
    with pytest.raises(DataError) as caught:
        POTENTIAL.check(parse_formula(formula), formula=formula)
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_name():
    with pytest.raises(
        DataError, match="expected pedone-2006, chgnet, sevennet-0, .* or module:callable .*, got 'buckingham'"
    ):
        load_potential("buckingham")


def test_the_twin_knows_rock_salt():
    """Madelung's constant of NaCl, 1.747565, from the brute-force sum."""
    from tammann.potentials import RigidIons

    bare = RigidIons("bare", {"A": 1.0, "B": -1.0}, {}, 8.0, "")
    sites = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)], dtype=float) * 2.0
    kinds = ["A" if round(site.sum() / 2) % 2 == 0 else "B" for site in sites]
    found = energy(sites, kinds, 4.0, bare, alpha=1.0, images=2, waves=6)
    assert found / 4 == pytest.approx(-1.747565 * 14.399645 / 2.0, rel=1e-5)


def test_potentials_say_themselves_in_a_line():
    ions = "RigidIons(name='pedone-2006', cutoff_A=8.0, source='Pedone et al., J. Phys. Chem. B 2006, 110, 11780, doi "
    assert repr(pedone_2006()) == ions + "10.1021/jp0611018')"
    commands = LammpsCommands("mine", ("Mg", "O"), ("pair_style zero 5.0",) * 100, {"Mg": 2.0, "O": -2.0})
    assert repr(commands) == "LammpsCommands(name='mine', elements=('Mg', 'O'), source='')"
