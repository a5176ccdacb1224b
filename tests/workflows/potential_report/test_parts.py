"""What is written is read again, number by number."""

import math

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError, ResultError
from tammann.md.watched import Failure
from tammann.potentials.consistency import Check, Consistency
from tammann.workflows.potential_report.parts import Refused, done, from_plain, part, settings_digest, to_plain


def test_nouns_come_back():
    consistency = Consistency((Check("a", 0.5, 1.0, "eV"), Check("b", math.inf, 1.0, "eV")))
    back = from_plain(to_plain(consistency))
    assert back.checks == consistency.checks and not back.passed


def test_arrays_tables_and_what_is_unknown_come_back():
    table = pd.DataFrame({"t": [0.0, 0.5], "x": [math.nan, 1.25], "name": ["a", "b"], "n": [1, 2]})
    value = {"a": np.array([[1.0, math.nan], [2.0, 3.0]]), "t": table, "n": math.nan, "f": Failure("grade", "high")}
    back = from_plain(to_plain(value))
    np.testing.assert_array_equal(back["a"], value["a"])
    pd.testing.assert_frame_equal(back["t"], table, check_dtype=False)
    assert math.isnan(back["n"]) and back["f"] == Failure("grade", "high")
    assert from_plain(to_plain((None, True, "x", 3))) == (None, True, "x", 3)
    assert from_plain(to_plain(np.empty((0, 0)))).size == 0


def test_a_part_is_computed_once_and_again_where_its_settings_change(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return Check("a", 1.0, 2.0, "eV")

    file = tmp_path / "deep" / "a.json.gz"
    one, other = settings_digest({"seed": 1}), settings_digest({"seed": 2})
    assert not done(file, one)
    first = part(file, one, compute)
    assert done(file, one) and part(file, one, compute) == first and len(calls) == 1
    part(file, other, compute)
    assert len(calls) == 2 and not done(file, one)


def test_what_was_refused_is_tried_again(tmp_path):
    """Such as phonons for want of a package, which has been installed since."""
    file = tmp_path / "a.json.gz"

    def fail():
        raise DataError("phonopy is not installed.")

    assert part(file, "k", fail) == Refused("phonopy is not installed.") and file.exists()
    assert not done(file, "k")
    assert part(file, "k", lambda: 1) == 1 and done(file, "k")
    assert part(file, "k", fail) == 1


def test_a_failed_run_is_a_result_that_stays(tmp_path):
    file = tmp_path / "a.json.gz"
    part(file, "k", lambda: Failure("collapse", "two atoms met"))
    assert part(file, "k", lambda: 1) == Failure("collapse", "two atoms met")


def test_what_is_not_known_is_refused():
    with pytest.raises(ResultError, match="'os.system'"):
        from_plain({"os.system": {}})
