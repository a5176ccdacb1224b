"""Formulas and their keys."""

import pytest

from tammann.composition import composition_key
from tammann.errors import DataError


def test_composition_key_of_formulas():
    assert composition_key("Ba2Ti2O6") == composition_key("TiBaO3")
    for text in ("", "ba", "BaO-", "Ba0", "Ba2.5"):
        with pytest.raises(DataError):
            composition_key(text)
