"""What is conserved in oxides, carbonates, metatheses and where the gas holds oxygen."""

import numpy as np
import pytest

from reactive_diffusion.systems import REDOX, SALTS, phases_of
from tammann import load_phases
from tammann.reactive_diffusion.components import components
from tammann.thermo import with_gases


def test_two_oxides_are_one_component():
    system = components(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, [300.0, 1500.0])
    assert system.anions == ("O",) and len(system.directions) == 1
    y = dict(zip(system.formulas, system.y, strict=True))
    assert {y["BaO"], y["TiO2"]} == {0.0, 1.0}
    assert (y["BaTiO3"] - y["BaO"]) / (y["TiO2"] - y["BaO"]) == pytest.approx(2.0 / 3.0)  # 2 Ti / (Ba + 2 Ti)


@pytest.mark.parametrize("gas", [{}, {"CO2": 40.0}, {"CO2": 1e5}], ids=["inert", "air", "CO2"])
def test_a_carbonate_is_one_component(gas):
    """BaCO3 lies where BaO does, and holds one CO2 more."""
    phases = load_phases("Ba-Ti-O")
    system = components(phases, {"BaCO3": 1.0, "TiO2": 1.0}, [600.0, 1400.0], partial_pressure_Pa=gas)
    k = system.formulas.index("BaCO3")
    assert system.y is not None and system.y[k] in (0.0, 1.0) and "CO2" in "".join(system.gases)
    assert system.gas_content[k].sum() == pytest.approx(1.0)
    assert system.release_only.any() == (not gas)


def test_a_metathesis_moves_two(tmp_path):
    system = components(phases_of(SALTS, tmp_path), {"LiCl": 1.0, "NaF": 1.0}, [300.0, 850.0])
    assert len(system.directions) == 2 and set(system.anions) == {"Cl", "F"}
    np.testing.assert_allclose(system.sites, 1.0)


def test_oxygen_of_the_gas_leaves_the_cations(tmp_path):
    """With iron of mixed valence no charge is certain, that of nickel is."""
    phases = with_gases(phases_of(REDOX, tmp_path), ["O2"])
    system = components(phases, {"NiO": 1.0, "Fe3O4": 1.0}, [1000.0, 1400.0], partial_pressure_Pa={"O2": 21000.0})
    assert system.anions == () and system.free == ("Fe", "Ni") and "O" in system.open_elements
    valence = dict(zip(phases.elements, system.valence, strict=True))
    assert valence["O"] == -2 and valence["Ni"] == pytest.approx(2.0) and valence["Fe"] == pytest.approx(8.0 / 3.0)
