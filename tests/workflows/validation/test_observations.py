"""Files of observations: read, or refused in one sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann import Recipe
from tammann.errors import DataError
from tammann.workflows.validation import Observation, Observations, When, validate
from workflows.validation.made import SHIPPED, evolution, file_of, refusal


def test_a_missing_file_and_a_missing_source(tmp_path):
    with pytest.raises(DataError, match="expected a file to read, got none"):
        validate(tmp_path / "none.yaml")
    text = "experiments:\n  - recipe: a\n    observations:\n      - observation: b\n        major: BaTiO3\n"
    with pytest.raises(DataError, match=r"observations\[0\].source: expected who saw it"):
        Observations.from_text(text)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.lists(st.text(max_size=6), max_size=3),
    st.sampled_from(["BaTiO3", "Ba2TiO4", 50, 1000, ["BaO", "TiO2"], [{"phase": "BaO", "at_least_percent": 1}], {}]),
)  # fmt: skip
KEYS = st.sampled_from([*Observation.model_fields, "nonsense"])
WHEN_KEYS = st.sampled_from([*When.model_fields, "nonsense"])


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.dictionaries(WHEN_KEYS, VALUES, max_size=4), st.booleans())
def test_any_block_is_read_or_refused_in_one_sentence(claims, when, named):
    """Built through JSON, which is YAML; whatever comes through makes sense of its own words."""
    block = {"observation": "a", "source": "b", **claims} if named else dict(claims)
    text = json.dumps({"experiments": [{"recipe": "r", "observations": [{**block, "when": when}]}]})
    try:
        read = Observations.from_text(text)
    except DataError as error:
        assert "\n" not in str(error)
        return
    observation = read.experiments[0].observations[0]
    assert observation.claims and observation.phases and observation.when.words
    evolution().holds(observation, detection_limit_mass_percent=1, basis="mole", target=None)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    try:
        Observations.from_text(text)
    except DataError as error:
        assert "\n" not in str(error)


@given(st.data())
def test_a_shipped_file_with_a_slip(data):
    lines = SHIPPED[0].read_text(encoding="utf-8").splitlines()
    k = data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["drop", "double", "indent", "cut", "number"]))
    line = lines[k]
    lines[k : k + 1] = {
        "drop": [], "double": [line, line], "indent": ["  " + line], "cut": [line[: len(line) // 2]],
        "number": [line.partition(":")[0] + ": -7"],
    }[change]  # fmt: skip
    try:
        Observations.from_text("\n".join(lines))
    except DataError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_read(path):
    read = Observations.from_file(path)
    assert read.realizations == 4
    for experiment in read.experiments:
        recipe = Recipe.from_file(experiment.recipe)
        assert recipe.precursors and all(o.source for o in experiment.observations)


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("major: BaTiO3\nabsent: BaTiO3", "major and absent of BaTiO3"),
        ("main_impurity: Ba2TiO4\nabsent: Ba2TiO4", "main_impurity and absent of Ba2TiO4"),
        ("only: BaTiO3\npresent: BaO", "present and only of BaO"),
        ("only: BaTiO3\nmajor: BaO", "major and only of BaO"),
        ("only: BaTiO3\nabsent: BaTiO3", "only and absent of BaTiO3"),
        ("more:\n  - BaO\n  - TiO2\n  - BaO", "two places in more of BaO"),
        ("more:\n  - BaO\n  - TiO2\nmajor: TiO2", "major and more of TiO2"),
        ("more:\n  - BaO\n  - TiO2\nabsent: BaO", "more and absent of BaO"),
        ("absent: BaO\namounts:\n  - phase: BaO\n    at_least_percent: 30", "amounts and absent of BaO"),
        ("present: BaO\namounts:\n  - phase: BaO\n    at_most_percent: 0", "present and amounts of BaO"),
        (
            "amounts:\n  - phase: BaO\n    at_least_percent: 30\n  - phase: BaO\n    at_most_percent: 20",
            "two amounts of BaO",
        ),
        (
            "amounts:\n  - phase: BaO\n    at_least_percent: 60\n  - phase: TiO2\n    at_least_percent: 60",
            "expected amounts of at most 100 % in all, got at least 120 %",
        ),
        ("major: BaTiO3\namounts:\n  - phase: BaO\n    at_least_percent: 51", "major of BaTiO3 and amounts of BaO"),
        ("grows: BaO\nshrinks: BaO\nwhen:\n  from_temperature_K: 900", "grows and shrinks of BaO"),
        ("grows: BaO\nabsent: BaO\nwhen:\n  from_temperature_K: 900", "grows and absent of BaO"),
        ("sooner:\n  - BaO\n  - TiO2\nabsent: BaO\nwhen:\n  from_temperature_K: 900", "sooner and absent of BaO"),
        ('observation: "two\\nlines"\nmajor: BaTiO3', "expected some printable text on one line, got 'two\\nlines'"),
        ("major: BaTiO3\ndetection_limit_mass_percent: 99", "expected a percentage from 0 to 50, got 99"),
        ("major: BaTiO3\nwhen:\n  temperature_K: 1e9", "expected a temperature from 300 to 2000 K, got 1000000000.0"),
        ("major: BaTiO3\nwhen:\n  step: 1\n  hold_h: 1e300", "expected hours into the hold of the step"),
    ],
)
def test_observations_that_cannot_hold_are_refused(folder, claim, says):
    message = refusal(folder, file_of(claim))
    assert says in message and "experiments[0].observations[0]" in message


@pytest.mark.parametrize(
    "claim",
    [
        "present: BaTiO3\nmajor: BaTiO3\nmore:\n  - BaTiO3\n  - BaO\nabsent: TiO2",
        "only:\n  - BaTiO3\n  - BaO\nmajor: BaTiO3\nabsent: TiO2",
        "amounts:\n  - phase: BaO\n    at_least_percent: 50\n  - phase: TiO2\n    at_least_percent: 50",
        "absent: BaO\namounts:\n  - phase: BaO\n    at_most_percent: 0",
        "shrinks: BaO\ngrows: BaTiO3\nsooner:\n  - BaTiO3\n  - Ba2TiO4\nwhen:\n  from_temperature_K: 900",
    ],
)
def test_claims_that_go_together_are_read(folder, claim):
    assert Observations.from_text(file_of(claim), directory=folder).experiments[0].observations[0].claims


def test_a_recipe_is_no_file_of_observations(tmp_path):
    (tmp_path / "a.yaml").write_text("precursors: []\n")
    with pytest.raises(DataError, match="a.yaml: expected observations, got a recipe; run it with tammann run"):
        Observations.from_file(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("top", "says"),
    [
        ("range:\n  particle_size: [1, 1]", "particle_size: expected each value once, got 1, 1"),
        ("range:\n  particle_size: []", "range.particle_size"),
        ("range:\n  time: [0]", "range.time[0]: expected a list of factors from 0.001 to 1000, got 0"),
        ("range:\n  mixing: [3]", "range.mixing[0]: expected a list of standard deviations from 0 to 2, got 3"),
        ("range:\n  pressure: [1]", "range.pressure"),
    ],
)
def test_ranges_that_are_none_are_refused(folder, top, says):
    assert says in refusal(folder, file_of("major: BaTiO3", top=top))


def test_a_range_has_defaults(folder):
    read = Observations.from_text(file_of("major: BaTiO3", top="range:\n  mixing: [0.2]"), directory=folder)
    assert read.range.mixing == (0.2,) and read.range.particle_size == (0.5, 1.0, 2.0)


def test_an_observation_counts_with_another_of_its_recipe(folder):
    one, two = "observation: one\nmajor: BaTiO3", "observation: two\npresent: BaTiO3\ncounted_with: {}"
    read = Observations.from_text(file_of(one, two.format("one")), directory=folder)
    assert read.experiments[0].observations[1].counted_with == "one"
    for wrong in ("three", "two"):
        message = refusal(folder, file_of(one, two.format(wrong)))
        assert "observations[1].counted_with: expected the words of one other observation" in message
