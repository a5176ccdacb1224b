"""What counts: limits of the file, calibrations, and inputs."""

import numpy as np
import pytest

from workflows.validation.made import ONE, evolution, file_of, judged

CALIBRATED = ONE + 'calibration:\n  hours_per_sweep: 0.01\n  observation: "{}"\n'


def test_the_file_speaks_for_each_model(folder, furnace):
    never = np.tile([0.9, 0.9, 0.02, 0.0], (10, 1))
    furnace(null=never, equal=never)
    outcome = judged(folder, file_of("major: BaTiO3", "absent: Ba2TiO4", "present: BaTiO3"))
    models = ["full", "self", "equal", "automaton-full", "automaton-self", "automaton-none", "null", "equilibrium"]
    alike = dict.fromkeys(models, 1.0)
    assert [v.shares for v in outcome.judgements] == [
        alike | {"equal": 0.0, "null": 0.0},
        dict.fromkeys(models, 0.0) | {"equal": 1.0, "null": 1.0},
        alike,
    ]
    assert [v.mark for v in outcome.judgements] == ["not discriminating"] * 3
    assert outcome.skill("full", "null").value == 0 and outcome.skill("equal", "equilibrium").value == 0
    assert outcome.judgements[0].found["full"]["BaTiO3"] == pytest.approx((98, 98))


def test_limits_of_the_file_and_of_an_observation(folder, furnace):
    furnace()
    mass = evolution().percent(0, np.array([9.0]), "mass")[0, 3]
    top = f"detection_limit_mass_percent: {mass + 0.01}"
    own = f"present: Ba2TiO4\ndetection_limit_mass_percent: {mass - 0.01}"
    outcome = judged(folder, file_of("present: Ba2TiO4", own, top=top))
    assert [v.holds("full") for v in outcome.judgements] == [False, True]
    amount = f"amounts:\n  - phase: Ba2TiO4\n    at_least_percent: {mass - 0.01}\n"
    outcome = judged(folder, file_of(amount, amount + "basis: mass"))
    assert [v.holds("full") for v in outcome.judgements] == [False, True]


@pytest.mark.parametrize(
    "calibration",
    [
        "Beauger 1983: Ba2TiO4 comes first",
        "ba2tio4  comes FIRST",
        "Beauger and others, J. Mater. Sci. 1983",
    ],
)
def test_the_observation_of_a_calibration_is_left_out(folder, furnace, calibration):
    furnace()
    (folder / "timed.yaml").write_text(CALIBRATED.format(calibration), encoding="utf-8")
    first = "observation: Ba2TiO4 comes first\nsource: Beauger 1983\npresent: Ba2TiO4"
    other = "observation: in the end BaTiO3\nsource: Nobody 2001\nmajor: BaTiO3"
    text = file_of(first, other, recipe="timed.yaml")
    # and wherever else in the file it stands
    text += file_of(first, recipe="one.yaml").partition("\n")[2]
    outcome = judged(folder, text)
    assert [v.calibration for v in outcome.judgements] == [True, False, True]
    assert [v.mark for v in outcome.judgements] == ["calibration", "not discriminating", "calibration"]
    assert outcome.skill("full", "null").counted == 1
    # the recipe has hours per sweep, the automaton's alone
    assert any("the automaton is not calibrated in 1 of 2 recipes" in note for note in outcome.notes)
    assert any("reactive diffusion is not calibrated in 2 of 2 recipes" in note for note in outcome.notes)


def test_words_come_before_sources(folder, furnace):
    furnace()
    (folder / "timed.yaml").write_text(CALIBRATED.format("Beauger 1983: Ba2TiO4 comes first"), encoding="utf-8")
    first = "observation: Ba2TiO4 comes first\nsource: Beauger 1983\npresent: Ba2TiO4"
    second = "observation: then there is BaTiO3\nsource: Beauger 1983\npresent: BaTiO3"
    assert [v.calibration for v in judged(folder, file_of(first, second, recipe="timed.yaml")).judgements] == [
        True,
        False,
    ]


def test_a_calibration_may_be_marked_or_unknown(folder, furnace):
    furnace()
    (folder / "timed.yaml").write_text(CALIBRATED.format("our own, unpublished"), encoding="utf-8")
    outcome = judged(folder, file_of("major: BaTiO3\ncalibration: true", "present: BaTiO3", recipe="timed.yaml"))
    assert [v.calibration for v in outcome.judgements] == [True, False]
    outcome = judged(folder, file_of("major: BaTiO3", recipe="timed.yaml"))
    assert any("our own, unpublished; no observation of this file" in note for note in outcome.notes)


def test_a_calibration_of_the_file_is_for_recipes_that_have_none(folder, furnace):
    furnace()
    (folder / "timed.yaml").write_text(CALIBRATED.format("our own"), encoding="utf-8")
    top = "calibration:\n  rate_factor: 3.0\n  observation: Beauger 1983"
    text = file_of("source: Beauger 1983\nmajor: BaTiO3", top=top)
    text += file_of("major: BaTiO3", recipe="timed.yaml").partition("\n")[2]
    outcome = judged(folder, text)
    assert [v.mark for v in outcome.judgements] == ["calibration", "not discriminating"]
    # "our own" has hours per sweep only
    assert any("reactive diffusion is not calibrated in 1 of 2 recipes" in note for note in outcome.notes)


def test_what_nominal_conductivities_rest_on_is_left_out(folder, furnace):
    furnace()
    pure = "observation: pure at 1300 K\nsource: Bondioli et al. 1998\nmajor: BaTiO3"
    outcome = judged(folder, file_of(pure, "major: BaTiO3"))
    assert [v.mark for v in outcome.judgements] == ["calibration", "not discriminating"]


TOLD = "follows_from: 11 BaTi2O5 = 5 BaTiO3 + Ba6Ti17O40"


def test_what_follows_from_the_energies_is_an_input(folder, furnace):
    furnace()
    (folder / "computed.yaml").write_text(ONE + "energies: materials-project\n", encoding="utf-8")
    claim = f"major: BaTiO3\n{TOLD}"
    assert [v.mark for v in judged(folder, file_of(claim, "major: BaTiO3")).judgements] == [
        "input",
        "not discriminating",
    ]
    # that set was told nothing
    assert [v.mark for v in judged(folder, file_of(claim, recipe="computed.yaml")).judgements] == ["not discriminating"]


@pytest.mark.slow
def test_inputs_are_found(folder):
    """BaTi2O5 at 1550 K: stable in the energies that the assessment began with, decomposed after it was told."""
    (folder / "hot.yaml").write_text(
        ONE.replace("temperature_K: 1200", "temperature_K: 1550").replace("TiO2\n    ratio: 1", "TiO2\n    ratio: 2"),
        encoding="utf-8",
    )
    outcome = judged(folder, file_of("absent: BaTi2O5", "present: BaTiO3\nwhen:\n  step: 1", recipe="hot.yaml"))
    first, second = outcome.judgements
    assert first.mark == "input" and "experiment-anchored" in first.input
    assert first.shares["equilibrium"] == 1.0
    assert second.mark != "input"  # equilibrium has no BaTiO3 at 1000 K, told or not
    assert any(note.startswith("Input: one to one: number 0 (follows from") for note in outcome.notes)
