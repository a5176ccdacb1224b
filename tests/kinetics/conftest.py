"""Ba-Ti-O, read once for all tests of the kinetics."""

import pytest

from kinetics.recipes import recipe
from tammann.kinetics import rate_table
from tammann.reactions import enumerate_reactions
from tammann.thermo import load_phases
from tammann.transport import load_transport


@pytest.fixture(scope="session")
def reactions():
    return enumerate_reactions(load_phases("Ba-Ti-O"))


@pytest.fixture(scope="session")
def transport():
    return load_transport("karan-2026")


@pytest.fixture(scope="session")
def rates(reactions, transport):
    return rate_table(reactions, transport, recipe())
