"""Observations that do not fit their recipe, and files that cannot be used."""

import pytest

from tammann.errors import DataError, RecipeError
from workflows.validation.made import file_of, refusal


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("", "expected at least one claim (present, absent"),
        ("major: Ba2TiO4x", "experiments[0].observations[0].major"),
        ("major: 3", "experiments[0].observations[0].major: expected a formula such as Ba2TiO4, got 3"),
        ("mayor: BaTiO3", "did you mean major?"),
        ("present: []", "present"),
        ("present: BaTi9O19", "experiments[0].observations[0].present[0]: phase 'BaTi9O19' is not in Ba-Ti-O"),
        ("present: CO2", "expected a condensed phase, got the gas CO2"),
        ("present: Ba3Ti3O9", "write BaTiO3"),
        ("present: BaTiO3\nabsent: BaTiO3", "got BaTiO3 as both"),
        ("more: BaTiO3", "more"),
        ("more:\n  - BaTiO3", "more"),
        ("amounts:\n  - phase: BaTiO3", "expected at_least_percent or at_most_percent, got neither"),
        ("amounts:\n  - phase: BaTiO3\n    at_most_percent: 101", "expected a percentage from 0 to 100, got 101"),
        ("amounts:\n  - phase: BaTiO3\n    at_most_percent: 5 %", "expected a percentage from 0 to 100, got '5 %'"),
        ("amounts:\n  - phase: BaTiO3\n    at_least_percent: 6\n    at_most_percent: 5", "got 6 and 5"),
        ("main_impurity: BaTiO3", "expected another phase than the target"),
        ("major: BaTiO3\nbasis: weight", "expected mole, mass or volume, got 'weight'"),
        ("grows: BaTiO3", "expected a range of temperatures or conversions in when for grows"),
        ("grows: BaTiO3\nwhen:\n  from_temperature_K: 900\n  sometime: true", "without sometime"),
        ("major: BaTiO3\nwhen:\n  step: 3", "when.step: expected a step from 1 to 2 of the recipe, got 3"),
        ("major: BaTiO3\nwhen:\n  step: 0", "when.step: expected the number of a step"),
        ("major: BaTiO3\nwhen:\n  temperature_K: 1300", "expected a temperature that the recipe visits, 300 to 1200 K"),
        ("major: BaTiO3\nwhen:\n  temperature_K: 1100\n  step: 1", "300 to 1000 K, got 1100"),
        ("major: BaTiO3\nwhen:\n  from_temperature_K: 1300", "when.from_temperature_K"),
        ("major: BaTiO3\nwhen:\n  hold_h: 1", "add step"),
        ("major: BaTiO3\nwhen:\n  hold_h: 3\n  step: 1", "expected at most the 2 h of the recipe's hold, got 3"),
        ("major: BaTiO3\nwhen:\n  temperature_K: 900\n  hold_h: 1\n  step: 1", "got 2 of them"),
        ("major: BaTiO3\nwhen:\n  from_temperature_K: 900\n  to_temperature_K: 800", "got 900 and 800"),
        ("major: BaTiO3\nwhen:\n  conversion_of: BaO", "expected conversion_of with"),
        (
            "major: BaTiO3\nwhen:\n  to_conversion_percent: 50\n  conversion_of: BaCO3",
            "expected a precursor (BaO, TiO2)",
        ),
        ("major: BaTiO3\nwhen:\n  sometime: true", "got a single moment"),
        (
            "major: BaTiO3\nfollows_from: BaO = TiO2",
            "follows_from: expected an equilibrium that constrains an energy set",
        ),
    ],
)
def test_bad_observations_are_refused(folder, claim, says):
    assert says in refusal(folder, file_of(claim))


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("", DataError, "empty file"),
        ("experiments: []", DataError, "experiments: expected a list of experiments"),
        ("experiments:\n  - recipe: one.yaml", DataError, "observations"),
        (file_of("major: BaTiO3", recipe="two.yaml"), RecipeError, "two.yaml: expected a file to read, got none"),
        (
            file_of("major: BaTiO3").replace("BaTiO3\n    obs", "BaO3Ti\n    obs"),
            DataError,
            "target: expected a formula",
        ),
        (file_of("main_impurity: Ba2TiO4").replace("    target: BaTiO3\n", ""), DataError, "expected a target beside"),
        (file_of("major: BaTiO3", top="detection_limit_mass_percent: -1"), DataError, "expected a percentage"),
        (file_of("major: BaTiO3", top="realizations: many"), DataError, "realizations: expected a whole number"),
        (file_of("observation: x\nmajor: BaTiO3\nsource: ' '"), DataError, "expected some printable text"),
    ],
)
def test_bad_files_are_refused(folder, text, kind, says):
    assert says in refusal(folder, text, kind)
