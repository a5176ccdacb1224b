import numpy as np
import pytest

from tammann.errors import DataError
from tammann.thermo import energy_above_hull, load_phases, with_gases
from tammann.thermo.open_gases import balanced_gases, gas_frame
from tammann.units import BOLTZMANN_EV_PER_K


def test_held_gases_fix_their_potentials_and_leave_the_rest():
    phases = load_phases("Ba-Ti-O")
    T, gibbs = 1200.0, phases.gibbs(1200.0)
    frame = gas_frame(phases, gibbs, T, {"O2": 1e3, "CO2": 40.0})
    assert [phases.elements[e] for e in frame.free] == ["Ba", "Ti"]
    mu = frame.offset + frame.matrix @ np.array([-3.0, -4.0])
    assert mu[list(frame.free)] == pytest.approx([-3.0, -4.0])
    oxygen, carbon = phases.elements.index("O"), phases.elements.index("C")
    assert 2 * mu[oxygen] == pytest.approx(BOLTZMANN_EV_PER_K * T * np.log(1e-2))
    i = phases.index("CO2")
    assert mu[carbon] + 2 * mu[oxygen] == pytest.approx(3 * gibbs[i] + BOLTZMANN_EV_PER_K * T * np.log(40.0 / 1e5))


def test_what_cannot_be_held_is_refused():
    phases = load_phases("Ba-Ti-O")
    gibbs = phases.gibbs(1200.0)
    for held, message in (
        ({"BaO": 1.0}, r"'BaO' is a solid in Ba-Ti-O: expected a gas"),
        ({"O2": -1.0}, "expected Pa above zero"),
        ({"CO2": 1e3, "O2": 1e-40}, "cannot be held"),
    ):
        with pytest.raises(DataError, match=message):
            gas_frame(phases, gibbs, 1200.0, held)


@pytest.mark.parametrize(("T", "Pa"), [(1000.0, 5.7e4), (1300.0, 520.0)])
def test_carbon_monoxide_leaves_against_the_carbon_dioxide_of_its_own(T, Pa):
    """2 CO -> C + CO2, NIST-JANAF: CO -200.275 and -226.509, CO2 -395.886 and -396.177 kJ/mol."""
    phases = with_gases(load_phases("Ba-Ti-O"), ["CO"])
    rise, fall, reaction = balanced_gases(phases, phases.gibbs(T), T, {"CO": 1e5}, {"CO2": 1.0, "O2": 1.0})
    assert np.exp(rise) == pytest.approx(Pa, rel=0.05) and fall == 0.0 and reaction == "CO -> CO2 + C"


def test_what_cannot_be_held_is_named():
    phases = with_gases(load_phases("Ba-Ti-O"), ["CO"])
    with pytest.raises(DataError, match=r"at 700 K CO -> CO2 \+ C"):
        energy_above_hull(phases, 700.0, partial_pressure_Pa={"CO": 1e5})
