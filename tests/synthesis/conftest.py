"""A system with energies that can be checked by hand."""

import pytest

from made_up import system


@pytest.fixture(scope="session")
def toy():
    """AO + TiO2 in the guise of Sr-Ti-O-C: two compounds and a carbonate; all gases are at zero."""
    return system(
        "Sr-Ti-O-C",
        {"SrO": 0.0, "TiO2": 0.0, "SrTiO3": -1.0, "Sr2TiO4": -1.26, "SrCO3": -0.5, "O2": 0.0, "CO2": 0.0},
    )
