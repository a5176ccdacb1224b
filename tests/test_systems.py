"""What ships: every file that a system names is there, and its phases are those of its elements."""

import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS, data_file, shipped_system


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_file_of_a_system_is_there(name):
    system = SYSTEMS[name]
    for file in (system.phases, system.constraints, *system.transport.values()):
        assert data_file(file).read_text(encoding="utf-8").strip()
    formulas = {row.split(",")[0] for row in data_file(system.phases).read_text(encoding="utf-8").splitlines()}
    assert set(system.end_members) <= formulas
    elements = set(system.name.split("-"))
    for formula in system.colours:
        assert set(parse_formula(formula)) <= elements | {"C"}


def test_elements_may_come_in_any_order():
    assert shipped_system("O-Ti-Ba") is SYSTEMS[DEFAULT_SYSTEM]
    assert shipped_system("Ba-Ti") is None and shipped_system("Mg-Si-O") is None


def test_a_file_that_does_not_ship():
    with pytest.raises(DataError, match="install the package again"):
        data_file("phases/Xx.csv")
