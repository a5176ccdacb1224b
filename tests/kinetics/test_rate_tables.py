"""The table of rates as an object and as a file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinetics.recipes import column, recipe
from tammann.errors import ResultError
from tammann.kinetics import RateTable, rate_table


def test_round_trip_is_exact(rates, tmp_path):
    path = tmp_path / "rates.json"
    rates.save(path)
    again = RateTable.open(path)
    for name in RateTable.__dataclass_fields__:
        one, other = getattr(rates, name), getattr(again, name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name
    assert again.equations == rates.equations and again.phases == rates.phases and again.warnings == rates.warnings
    assert again.metadata["scale_per_s_eV"] == rates.metadata["scale_per_s_eV"]
    assert [p.name for p in tmp_path.iterdir()] == ["rates.json"]
    # A person can read it: one channel a line.
    assert sum('"equations"' in line for line in path.read_text(encoding="utf-8").splitlines()) == len(rates.equations)


def test_round_trip_with_gas_and_gaps(reactions, transport, tmp_path):
    rates = rate_table(reactions, transport, recipe("BaCO3", atmosphere="air"))
    rates.save(tmp_path / "r.json")
    again = RateTable.open(tmp_path / "r.json")
    assert np.array_equal(again.growth_constant_m2_per_s, rates.growth_constant_m2_per_s, equal_nan=True)
    assert np.array_equal(again.gas_coefficients, rates.gas_coefficients)


@pytest.mark.parametrize("spoil", ["cut", "foreign", "missing", "negative", "pointer"])
def test_spoilt_files_are_refused(rates, tmp_path, spoil):
    path = tmp_path / "rates.json"
    rates.save(path)
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    if spoil == "cut":
        path.write_text(text[: len(text) // 2], encoding="utf-8")
    elif spoil == "foreign":
        path.write_text("{}", encoding="utf-8")
    else:
        if spoil == "missing":
            del data["channels"][3]["score"]
        elif spoil == "negative":
            data["channels"][3]["score"][0] = -1.0
        else:
            data["channels"][3]["reactants"][0] = 99
        path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ResultError, match="rate table") as caught:
        RateTable.open(path)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(ResultError, match="cannot be read"):
        RateTable.open(Path(tmp_path) / "none.json")


def test_it_shows_itself_in_one_line_and_as_a_table(rates):
    assert repr(rates) == "RateTable(183 reactions of 11 phases, 300 to 1500 K)"
    frame = rates.table()
    assert list(frame.columns) == [
        "equation", "score", "dG_eV_per_atom", "growth_constant_m2_per_s", "fallback"
    ]  # fmt: skip
    assert len(frame) == 183 and frame.score.is_monotonic_decreasing
    cold = rates.table(1001.0).set_index("equation")
    t = int(np.abs(rates.temperature_K - 1000.0).argmin())
    c = column(rates, "BaO + TiO2 -> BaTiO3")
    assert cold.score["BaO + TiO2 -> BaTiO3"] == rates.score[t, c]
    html = rates._repr_html_()
    assert html.count("<tr") == 13 and len(html) < 6000


def test_what_changes_the_answer_survives_the_file(rates, tmp_path):
    assert rates.nothing_opens is None and rates.important_warnings == ()
    shut = replace(rates, metadata={"nothing_opens": "Nothing reacts.", "important_warnings": ["Nothing reacts."]})
    shut.save(tmp_path / "r.json")
    again = RateTable.open(tmp_path / "r.json")
    assert again.nothing_opens == "Nothing reacts." and again.important_warnings == ("Nothing reacts.",)
