"""What tests of histories share: comparing two, and changing what belongs to the lattice."""

from dataclasses import fields, replace

import numpy as np


def assert_same(one, other, *, ignore=("kernel_seconds",)):
    """Both histories hold the same, by default apart from the time the kernel took."""
    assert (one.lattice is None) == (other.lattice is None)
    pairs = [(one, other)] + ([] if one.lattice is None else [(one.lattice, other.lattice)])
    for own, its in pairs:
        for field in fields(own):
            if field.name not in ("lattice", *ignore):
                np.testing.assert_equal(getattr(own, field.name), getattr(its, field.name), err_msg=field.name)


def with_lattice(history, **changes):
    """The same history with another lattice record."""
    return replace(history, lattice=replace(history.lattice, **changes))
