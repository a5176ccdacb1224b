import pytest

from tammann.errors import DataError
from tammann.thermo import load_phases


@pytest.mark.parametrize("source", ["Sr-Ti-O", "no/such/file.csv", "missing.json"])
def test_what_is_not_there_is_refused(source):
    with pytest.raises(DataError, match="Ba-Ti-O|cannot be read"):
        load_phases(source)


def test_the_shipped_system_in_any_order():
    assert load_phases("O-Ti-Ba") is load_phases("Ba-Ti-O")
