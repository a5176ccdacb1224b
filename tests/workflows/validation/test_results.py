"""Marks, skill and the table."""

from dataclasses import replace

import pytest

from tammann.workflows.validation import Judgement, Skill, Validation
from workflows.validation.made import judgement, observation


@pytest.mark.parametrize(
    ("shares", "mark", "discriminates"),
    [
        ((1.0, 0.0, 0.0), "discriminates", True),
        ((0.0, 0.0, 0.0), "discriminates", True),  # hard for all of them: the model could have shown something
        ((1.0, 1.0, 0.0), "not discriminating", False),
        ((1.0, 0.0, 1.0), "not discriminating", False),
        ((0.0, 0.75, 0.0), "not discriminating", False),
        ((1.0, 0.5, 0.0), "discriminates", True),  # half of the realizations is not enough
    ],
)
def test_marks(shares, mark, discriminates):
    v = judgement(*shares)
    assert (v.mark, v.discriminates, v.counts) == (mark, discriminates, True)


def test_inputs_and_calibrations_do_not_count():
    given_in = judgement(1.0, 0.0, 0.0, input="A = B")
    fitted = judgement(1.0, 0.0, 0.0, calibration=True)
    both = judgement(1.0, 0.0, 0.0, calibration=True, input="A = B")
    assert [v.mark for v in (given_in, fitted, both)] == ["input", "calibration", "calibration"]
    assert not any(v.counts or v.discriminates for v in (given_in, fitted, both))
    outcome = Validation("x", (given_in, fitted, both, judgement(1.0, 1.0, 0.0)))
    assert outcome.skill("full", "null") == Skill("full", "null", 1, 1, 1, 0, 0)
    assert outcome.notes[0].startswith("1 of 4 observations count; 0 of them discriminate")


@pytest.mark.parametrize(("share", "answer"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True), (None, None)])
def test_more_than_half(share, answer):
    assert judgement(share, 0.0, 0.0).holds("full") is answer


def test_skill_is_gained_less_lost():
    outcome = Validation(
        "x",
        (
            judgement(1.0, 0.0, 0.0),
            judgement(1.0, 0.0, 1.0),
            judgement(1.0, 1.0, 1.0),
            judgement(0.0, 1.0, 0.0),
            judgement(0.0, 0.0, 0.0),
            judgement(None, 1.0, 1.0),  # not run: it counts neither way
        ),
    )
    assert outcome.skill("full", "null") == Skill("full", "null", 5, 3, 2, 2, 1)
    assert outcome.skill("full", "equilibrium") == Skill("full", "equilibrium", 5, 3, 2, 1, 0)
    for s in outcome.skills():
        assert s.value == s.gained - s.lost == s.satisfied - s.by_baseline
    assert [(s.model, s.baseline) for s in outcome.skills()] == [
        *(("full", "null"), ("full", "equilibrium"), ("full", "equal")),
        *(("self", "null"), ("self", "equilibrium"), ("self", "equal")),
        *(("equal", "null"), ("equal", "equilibrium")),
    ]
    line = next(note for note in outcome.notes if note.startswith("Reactive diffusion:"))
    assert line == (
        "Reactive diffusion: 3 of 5 hold; over geometric null (2) skill +1 = 2 gained - 1 lost; over plain equilibrium "
        "(2) skill +1 = 1 gained - 0 lost; over reactive diffusion, equal conductivities (0) skill +3 = 3 gained - 0 "
        "lost; 1 that neither baseline satisfies."
    )


@pytest.mark.parametrize(
    ("held", "answer", "cell"),
    [(27, True, "yes 27/27"), (14, True, "yes 14/27"), (13, False, "no 13/27"), (0, False, "no 0/27")],
)
def test_more_than_half_of_the_settings(held, answer, cell):
    """However it comes out as the recipe is written."""
    settings = {"full": {f"setting {k}": k < held for k in range(27)}}
    for share in (0.0, 1.0):
        v = judgement(share, 0.0, 0.0, settings=settings)
        assert v.holds("full") is answer and v.over("full") == (held, 27)
        assert v.holds("self") is True and v.over("self") == (1, 1)
        assert Validation("x", (v,)).table()["full"].tolist() == [cell]
    half = judgement(1.0, 0.0, 0.0, settings={"full": {"a": True, "b": False}})
    assert half.holds("full") is False


def test_what_says_nearly_the_same_counts_once():
    def about(words, with_=None, **shares):
        filled = {"full": 1.0, "null": 0.0, "equilibrium": 0.0, **shares}
        return Judgement("1:1.02", observation(words, absent="Ba2TiO4", counted_with=with_), filled, {})

    first, second = about("none is left", null=1.0), about("the other is", "none is left")
    outcome = Validation("x", (judgement(1.0, 1.0, 0.0), first, second))
    assert [len(each) for each in outcome.statements] == [1, 2]
    # one statement, which the null does not satisfy: it holds only one half of it
    assert outcome.skill("full", "null") == Skill("full", "null", 2, 2, 1, 1, 0)
    assert outcome.table()["mark"].tolist() == ["not discriminating", "discriminates", "counted with no. 2"]
    assert outcome.notes[0].startswith("3 of 3 observations count, as 2 statements; 1 of them discriminate")
    halves = Validation("x", (about("none is left", full=0.0), second))
    assert halves.skill("full", "null").satisfied == 0
    # where the first is the calibration the second counts by itself
    alone = Validation("x", (replace(first, calibration=True), second))
    assert alone.table()["mark"].tolist() == ["calibration", "discriminates"]


def test_table_and_words():
    v = Judgement(
        "1:1",
        observation(main_impurity="Ba2TiO4", when={"from_temperature_K": 1000, "to_temperature_K": 1050}),
        {"full": 0.25, "self": 0.75, "automaton-none": 1.0, "null": 0.0, "equilibrium": 0.0},
        {"full": {"Ba2TiO4": (0.21, 0.52)}, "equilibrium": {}},
    )
    outcome = Validation("x", (v,))
    row = outcome.table().iloc[0].to_dict()
    assert row == {
        "recipe": "1:1",
        "observation": "something",
        "when": "1000 to 1050 K",
        "full": "no (25 %)",
        "self": "yes (75 %)",
        "equal": "-",
        "a. full": "-",
        "a. self": "-",
        "a. none": "yes",
        "null": "no",
        "equil.": "not reached",
        "mark": "discriminates",
    }
    missed = [note for note in outcome.notes if note.startswith("Not reproduced")]
    assert missed == [
        "Not reproduced with reactive diffusion: 1:1: something (1000 to 1050 K); found Ba2TiO4 0.2 to 0.5 %."
    ]


def test_a_validation_shows_itself_in_one_line():
    outcome = Validation("oxides", (judgement(1.0, 0.0, 0.0), judgement(1.0, 1.0, 0.0)))
    assert repr(outcome) == "Validation(oxides: 2 of 2 observations count; 1 of them discriminate)"
    assert outcome._repr_html_().count("<tr") == 3
