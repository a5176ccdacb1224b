"""Recipes: what they mean, what is refused, and in which words."""

import math
import re
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tammann.errors import RecipeError
from tammann.recipe import Recipe

PLAIN = """\
precursors:
  - phase: BaO
    ratio: 1
  - phase: TiO2
    ratio: 1
programme:
  - temperature_K: 1500
    ramp_K_per_min: 10
    hold_h: 0.2
"""


def refusal(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_text(text)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500
    assert message.endswith((".", "?"))
    return message


# ------------------------------------------------------------------------------------------------------ what it means


def test_defaults_are_those_of_the_paper():
    recipe = Recipe.from_text(PLAIN)
    assert recipe.energies == "assessed"
    assert recipe.transport == "karan-2026"
    assert recipe.particle_radius_um == 0.1
    assert recipe.partial_pressure_Pa == {}
    c = recipe.kinetics.constants
    assert (c.a, c.b, c.c, c.d, c.e, c.scale, c.cap) == (3, 14, 11.2, 35, 0.03, None, None)
    assert (recipe.kinetics.transport, recipe.kinetics.form, recipe.kinetics.score) == ("full", "paper", "repaired")
    assert recipe.grid.size == 30 and recipe.ensemble.realizations == 8 and recipe.seed == 0
    assert not recipe.calibrated and recipe.hours_per_sweep == 0.01


def test_recipes_do_not_change():
    recipe = Recipe.from_text(PLAIN)
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 1  # type: ignore[misc]
    assert hash(recipe.precursors) == hash(Recipe.from_text(PLAIN).precursors)


@pytest.mark.parametrize(
    ("phases", "transport"),
    [(["BaO", "TiO2"], "karan-2026"), (["BaCO3", "TiO2"], "karan-2026"), (["SrO", "TiO2"], "none"), (["BaO"], "none")],
)
def test_transport_follows_the_chemistry(phases, transport):
    recipe = Recipe(
        precursors=[{"phase": phase, "ratio": 1} for phase in phases], programme=[{"temperature_K": 900, "hold_h": 1}]
    )
    assert recipe.transport == transport
    assert recipe.elements == tuple(sorted(recipe.elements)) and "O" in recipe.elements


@pytest.mark.parametrize(
    ("atmosphere", "pressures"),
    [
        ("inert", {}),
        ("air", {"O2": 21228, "CO2": 40.5}),
        ("vacuum", {"O2": 1.01, "CO2": 1.01}),
        ("CO2", {"CO2": 101325}),
        ("oxygen", {"O2": 101325}),
    ],
)
def test_named_atmospheres(atmosphere, pressures):
    recipe = Recipe.from_text(PLAIN + f"atmosphere: {atmosphere}\n")
    assert recipe.partial_pressure_Pa == pytest.approx(pressures, rel=5e-3)


def test_atmosphere_as_a_mixture():
    recipe = Recipe.from_text(PLAIN + "atmosphere:\n  partial_pressure_Pa:\n    CO2: 40.5\n    O2: 21200\n")
    assert recipe.partial_pressure_Pa == {"CO2": 40.5, "O2": 21200.0}


def test_segments_of_a_plain_ramp_and_hold():
    recipe = Recipe.from_text(PLAIN)
    segments = recipe.segments(max_step_K=10)
    assert len(segments) == 121
    assert [s.ramp for s in segments] == [True] * 120 + [False]
    assert segments[0].temperature_start_K == 300 and segments[0].duration_h == pytest.approx(1 / 60)
    assert segments[-1].temperature_end_K == 1500 and segments[-1].duration_h == 0.2
    assert recipe.duration_h == pytest.approx(2.2)


def test_ground_powder_starts_cold_again():
    recipe = Recipe.from_text(PLAIN + "  - temperature_K: 1400\n    hold_h: 1\n    regrind: true\n")
    second = [s for s in recipe.segments() if s.stage == 1]
    assert second[0].temperature_start_K == 300
    assert [s.regrind for s in second] == [True] + [False] * (len(second) - 1)
    assert recipe.duration_h == pytest.approx(2.2 + 1100 / 600 + 1)
    unground = Recipe.from_text(PLAIN + "  - temperature_K: 1400\n    hold_h: 1\n")
    assert [s.temperature_start_K for s in unground.segments() if s.stage == 1][0] == 1500


def test_the_recipe_as_run_leaves_nothing_to_defaults():
    text = Recipe.from_text(PLAIN + "engine: automaton\n").to_yaml()
    for line in (
        "engine: automaton",
        "energies: assessed",
        "transport: karan-2026",
        "atmosphere: inert",
        "  size: 30",
        "    c: 11.2",
        "seed: 0",
    ):
        assert f"{line}\n" in text
    assert "{" not in text and "[" not in text


def test_calibration_replaces_the_nominal_time():
    recipe = Recipe.from_text(PLAIN + "calibration:\n  hours_per_sweep: 0.02\n  observation: Bondioli 1998\n")
    assert recipe.calibrated and recipe.hours_per_sweep == 0.02


def test_options_stand_in_for_entries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = Recipe.from_text(PLAIN)
    changed = recipe.with_options(seed=7, size=12, kinetics="self", energies="own.csv", realizations=3)
    assert (changed.seed, changed.grid.size, changed.kinetics.transport) == (7, 12, "self")
    assert changed.ensemble.realizations == 3
    assert changed.energies == str(tmp_path / "own.csv")
    assert recipe.with_options(transport="tammann-2026").transport == "tammann-2026"
    assert recipe.with_options(transport="own.json").transport == str(tmp_path / "own.json")
    assert recipe.seed == 0 and recipe.with_options() == recipe
    with pytest.raises(RecipeError, match=r"^grid\.size: expected .* from 4 to 1000, got 3\.$"):
        recipe.with_options(size=3)
    with pytest.raises(RecipeError, match=r"^kinetics\.transport: expected full, self or none, got 'half'\.$"):
        recipe.with_options(kinetics="half")


def test_any_entry_can_be_replaced():
    recipe = Recipe.from_text(PLAIN)
    hotter = recipe.with_options(
        atmosphere={"partial_pressure_Pa": {"CO2": 40.5}}, programme=[{"temperature_K": 1600, "hold_h": 2}], size=12
    )
    assert hotter.partial_pressure_Pa == {"CO2": 40.5} and hotter.grid.size == 12
    assert [(step.temperature_K, step.hold_h) for step in hotter.programme] == [(1600.0, 2.0)]
    assert hotter.precursors == recipe.precursors
    assert recipe.with_options(atmosphere="air").atmosphere == "air"
    with pytest.raises(RecipeError, match=r"^atmosfere: expected no such key, got 'air'; did you mean atmosphere\?"):
        recipe.with_options(atmosfere="air")


def test_a_recipe_shows_itself_in_one_line():
    recipe = Recipe.from_text(PLAIN.replace("ratio: 1", "ratio: 2", 1) + "atmosphere: air\n")
    assert repr(recipe) == str(recipe)
    assert repr(recipe) == "Recipe(2 BaO + TiO2, in air, 300 -> 1500 K in 2.2 h, reactive diffusion, 8 realizations)"
    assert repr(recipe.with_options(engine="automaton")).endswith("in 2.2 h, 30^3 cells, 8 realizations)")


def test_files_are_relative_to_the_recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(PLAIN + "energies: data/own.csv\ntransport: ../own.json\n", encoding="utf-8")
    recipe = Recipe.from_file(path)
    assert recipe.energies == str(tmp_path / "data" / "own.csv")
    assert recipe.transport == str(tmp_path.parent / "own.json")
    assert Recipe.from_text(recipe.to_yaml(), directory="/elsewhere") == recipe


# ---------------------------------------------------------------------------------------------------------- two engines


def test_a_recipe_runs_by_reactive_diffusion_unless_it_says_otherwise():
    plain = Recipe.from_text(PLAIN)
    assert plain.engine == "reactive-diffusion" and plain.diffusion.conductivity == "full"
    assert Recipe.from_text(PLAIN + "engine: automaton\n").grid.size == 30
    # keys that only one engine knows say which is meant
    for text in ("grid:\n  size: 8\n", "kinetics:\n  transport: self\n", "sweeps_per_hour: 10\n"):
        assert Recipe.from_text(PLAIN + text).engine == "automaton"
    assert plain.with_options(size=8).engine == "automaton"
    assert plain.with_options(conductivity="equal").diffusion.conductivity == "equal"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("engine: reactive-diffusion\ngrid:\n  size: 8\n", "grid"),
        ("engine: reactive-diffusion\nsweeps_per_hour: 10\n", "sweeps_per_hour"),
        ("engine: automaton\nmixing: 0.1\n", "mixing"),
    ],
)
def test_keys_of_the_other_engine_are_refused(text, key):
    assert re.match(
        rf"{key}: expected no such key with engine .*, which does not know it; leave it out", refusal(PLAIN + text)
    )


def test_keys_of_both_engines_are_refused():
    text = "kinetics:\n  transport: self\nsize_spread: 0.1\n"
    assert refusal(PLAIN + text).startswith(
        "kinetics: expected keys of one engine, got kinetics of the automaton beside"
    )
    spread = Recipe.from_text(PLAIN + "size_spread: 0.1\n")
    with pytest.raises(
        RecipeError, match="grid: expected keys of one engine, got grid of the automaton beside size_spread"
    ):
        spread.with_options(size=8)


def test_a_stated_engine_is_kept_and_can_be_changed():
    stated = Recipe.from_text(PLAIN + "engine: reactive-diffusion\nmixing: 0.2\n")
    with pytest.raises(RecipeError, match="grid: expected no such key with engine reactive-diffusion"):
        stated.with_options(size=8)
    other = stated.with_options(engine="automaton", size=8)
    assert (other.engine, other.grid.size) == ("automaton", 8) and "mixing" not in other.to_yaml()
    assert other.with_options(engine="reactive-diffusion").mixing == 0.02


def test_each_engine_has_its_own_calibration():
    text = PLAIN + "calibration:\n  observation: somebody\n  rate_factor: 2\n"
    recipe = Recipe.from_text(text)
    assert recipe.calibrated and recipe.rate_factor == 2.0
    other = recipe.with_options(engine="automaton")
    assert not other.calibrated and other.hours_per_sweep == 0.01
    both = Recipe.from_text(text + "  hours_per_sweep: 0.5\n")
    assert both.engine == "reactive-diffusion" and both.with_options(engine="automaton").hours_per_sweep == 0.5


# ------------------------------------------------------------------------------------------- what ships with tammann


SHIPPED = {
    "batio3-1-1": ({"BaO": 1, "TiO2": 1}, [1500], "inert"),
    "bati5o11-1-5": ({"BaO": 1, "TiO2": 5}, [1250, 1300, 1350, 1400, 1450, 1500], "inert"),
    "ba2ti9o20-2-9": ({"BaO": 2, "TiO2": 9}, [1400, 1680], "inert"),
    "bati2o5-1-2": ({"BaO": 1, "TiO2": 2}, [1200, 1300, 1400], "inert"),
    "ba3tio5-3-1": ({"BaO": 3, "TiO2": 1}, [1300], "inert"),
    "bati2o5-1-2-24h": ({"BaO": 1, "TiO2": 2}, [1550], "inert"),
    "batio3-1-1.02": ({"BaO": 1, "TiO2": 1.02}, [1500], "inert"),
    "batio3-1-0.98": ({"BaO": 1, "TiO2": 0.98}, [1500], "inert"),
    "batio3-carbonate-air": ({"BaCO3": 1, "TiO2": 1}, [1300], "air"),
    "batio3-carbonate-vacuum": ({"BaCO3": 1, "TiO2": 1}, [1300], "vacuum"),
    "batio3-carbonate-co2": ({"BaCO3": 1, "TiO2": 1}, [1300], "CO2"),
    "batio3-carbonate-bondioli": ({"BaCO3": 1, "TiO2": 1}, [1300], "air"),
    "batio3-carbonate-50nm-1073": ({"BaCO3": 1, "TiO2": 1}, [1073], "air"),
    "batio3-carbonate-650nm-1073": ({"BaCO3": 1, "TiO2": 1}, [1073], "air"),
    "batio3-carbonate-650nm-1273": ({"BaCO3": 1, "TiO2": 1}, [1273], "air"),
}


def test_every_shipped_recipe_is_listed_here(recipes):
    assert {path.stem for path in recipes.glob("*.yaml")} == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipe(recipes, name):
    mixture, temperatures, atmosphere = SHIPPED[name]
    recipe = Recipe.from_file(recipes / f"{name}.yaml")
    assert {p.phase: p.ratio for p in recipe.precursors} == mixture
    assert [step.temperature_K for step in recipe.programme] == temperatures
    assert recipe.atmosphere == atmosphere
    assert recipe.energies == "assessed" and recipe.transport == "karan-2026" and recipe.title
    # nothing of the published holds of the paper is left to chance
    if name == "ba2ti9o20-2-9":
        assert [step.hold_h for step in recipe.programme] == [3, 6]
    if name == "bati2o5-1-2-24h":
        assert recipe.programme[0].hold_h == 24


def test_the_commented_recipe_says_what_the_defaults_are():
    text = files("tammann").joinpath("data", "recipe.yaml").read_text(encoding="utf-8")
    recipe = Recipe.from_text(text)
    everything = Recipe.from_text(re.sub(r"(?m)^( *)#(?=\S)", r"\1", text))
    assert everything.calibration is not None
    update = {"calibration": None, "precursors": recipe.precursors}
    assert everything.model_copy(update=update) == recipe
    automaton = re.sub(r"(?m)^##(?=[ \w])", "", re.sub(r"(?ms)^(size_spread|mixing|diffusion).*?\n(?=\S)", "", text))
    automaton = Recipe.from_text(automaton + "engine: automaton\n")
    assert automaton.calibration is not None and automaton.calibration.hours_per_sweep == 0.01
    assert automaton.model_copy(update={"calibration": None}) == recipe.with_options(engine="automaton")
    silent = Recipe(
        title=recipe.title,
        precursors=[p.model_dump() for p in recipe.precursors],
        programme=[s.model_dump() for s in recipe.programme],
    )
    assert silent == recipe


def test_the_commented_recipe_has_every_key():
    text = files("tammann").joinpath("data", "recipe.yaml").read_text(encoding="utf-8")

    def keys(schema: dict[str, Any]) -> set[str]:
        found = set(schema.get("properties", {}))
        return found.union(*(keys(block) for block in schema.get("$defs", {}).values()))

    missing = [key for key in keys(Recipe.model_json_schema()) if not re.search(rf"\b{key}:", text)]
    assert missing == []


def kinetics(**keys: Any) -> Any:
    return Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}], programme=[{"temperature_K": 900, "hold_h": 1}], kinetics=keys
    ).kinetics


def test_the_literal_score_is_the_literal_model():
    repaired, literal = kinetics(), kinetics(score="literal")
    assert repaired.metastable_limit_eV_per_atom == 0.067 and not repaired.coupled_release
    assert literal.metastable_limit_eV_per_atom is None and literal.coupled_release
    assert (repaired.potential_difference, repaired.contact_area) == ("local-equilibrium", "shared")
    assert (literal.potential_difference, literal.contact_area, literal.decomposition) == ("reactants", "each", False)
    assert literal.constants.thermodynamic_above_eV_per_atom == 0.01
    assert repaired.constants.thermodynamic_above_eV_per_atom is None
    # what is stated counts
    gate = {"constants": {"thermodynamic_above_eV_per_atom": None, "a": 2.0}}
    assert kinetics(score="literal", **gate).constants.thermodynamic_above_eV_per_atom is None
    assert kinetics(score="literal", decomposition=True, potential_difference="local-equilibrium").decomposition
    stated = kinetics(score="literal", metastable_limit_eV_per_atom=0.03, coupled_release=False)
    assert stated.metastable_limit_eV_per_atom == 0.03 and not stated.coupled_release
    assert kinetics(metastable_limit_eV_per_atom=None).metastable_limit_eV_per_atom is None


def test_melting_points_are_a_file_beside_the_recipe(tmp_path):
    assert Recipe.from_text(PLAIN).melting_points is None
    one = Recipe.from_text(PLAIN + "melting_points: melting.csv\n", directory=tmp_path)
    assert one.melting_points == str(tmp_path / "melting.csv")
    assert Recipe.from_text(one.to_yaml()) == one
    with pytest.raises(RecipeError, match=r"melting_points: expected a \.csv file .*, got 'melting\.txt'"):
        Recipe.from_text(PLAIN + "melting_points: melting.txt\n")


def test_presets():
    assert kinetics(preset="paper") == kinetics()
    code = kinetics(preset="public-code")
    assert code.score == "literal" and code.constants.cap == 20.0 and code.coupled_release
    assert kinetics(preset="public-code", score="repaired").metastable_limit_eV_per_atom == 0.067
    some = kinetics(preset="public-code", two_products="harmonic", constants={"cap": None, "a": 2.0})
    assert (some.two_products, some.constants.cap, some.constants.a) == ("harmonic", None, 2.0)
    assert some.constants.sigma2_prefactor == 1.0
    with pytest.raises(RecipeError, match=r"kinetics\.preset: expected paper or public-code, got 'code'"):
        kinetics(preset="code")
    with pytest.raises(RecipeError, match=r"kinetics\.constants"):
        kinetics(preset="public-code", constants=3)


def test_null_in_the_kinetics_survives_writing():
    recipe = Recipe.from_text(PLAIN + "kinetics:\n  metastable_limit_eV_per_atom: null\n")
    assert "metastable_limit_eV_per_atom: null\n" in recipe.to_yaml()
    assert Recipe.from_text(recipe.to_yaml()) == recipe
    assert recipe.with_options(kinetics="none").kinetics.metastable_limit_eV_per_atom is None


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("1500", "-5"), "programme[0].temperature_K: expected a temperature from 300 to 2000 K, got -5."),
        (
            PLAIN.replace("1500", "hot"),
            "programme[0].temperature_K: expected a temperature from 300 to 2000 K, got 'hot'.",
        ),
        (PLAIN.replace("1500", "2000.1"), "programme[0].temperature_K: expected"),
        (PLAIN.replace("1500", "299"), "programme[0].temperature_K: expected"),
        (PLAIN.replace("1500", "true"), "programme[0].temperature_K: expected"),
        (PLAIN.replace("1500", "1500 K"), "got '1500 K'."),
        (PLAIN.replace("1500", ".nan"), "programme[0].temperature_K: expected"),
        (PLAIN.replace("0.2", ".inf"), "programme[0].hold_h: expected a time from 0 to 10000 h, got '.inf'."),
        (PLAIN.replace("0.2", "1e999"), "programme[0].hold_h: expected"),
        (PLAIN.replace("0.2", "9" * 5000), "programme[0].hold_h: expected"),
        (PLAIN.replace("ratio: 1", "ratio: -1"), "precursors[0].ratio: expected moles of formula units"),
        (PLAIN.replace("ratio: 1", "ratio: 0"), "precursors[0].ratio: expected"),
        (PLAIN.replace("ratio: 1", "ratio: 1e-300"), "precursors[0].ratio: expected moles of formula units, a number"),
        (PLAIN + "particle_radius_um: 1e-30\n", "particle_radius_um: expected a radius in micrometres from 0.001"),
        (PLAIN.replace("1500", "1e9"), "programme[0].temperature_K: expected a temperature from 300 to 2000 K"),
        (PLAIN + "start_temperature_K: 1e9\n", "start_temperature_K: expected a temperature from 300 to 2000 K"),
        (PLAIN.replace("0.2", "1e5"), "programme[0].hold_h: expected a time from 0 to 10000 h, got 100000.0."),
        (PLAIN.replace("0.2", "9000") + "grid:\n  size: 1000\n", "grid.size: expected at most 1e+14 visits of cells"),
        (PLAIN + "grid:\n  size: 2000\n", "grid.size: expected cells per edge, a whole number from 4 to 1000"),
        (PLAIN + "ensemble:\n  realizations: 0\n", "ensemble.realizations: expected a whole number from 1"),
        (PLAIN + "atmosphere:\n  partial_pressure_Pa:\n    C02: 1\n", "is the letter O meant?"),
        (PLAIN.replace("ratio: 1", "ratio: '1'"), "precursors[0].ratio: expected"),
        (PLAIN.replace("TiO2", "XyO2"), "Xy"),
        (PLAIN.replace("TiO2", "titania"), "precursors[1].phase:"),
        (PLAIN.replace("TiO2", "BaO"), "precursors: expected each phase once, got BaO 2 times"),
        (
            PLAIN.replace("hold_h", "hold"),
            "programme[0].hold: expected no such key, got 0.2 (and 1 more error); did you mean",
        ),
        (PLAIN.replace("    hold_h: 0.2\n", ""), "programme[0].hold_h: expected a time from 0 to 10000 h, got nothing"),
        (PLAIN.replace("hold_h: 0.2", "hold_h: 0").replace("1500", "300"), "programme: expected some time"),
        (PLAIN + "frobnicate: 3\n", "frobnicate: expected no such key, got 3; the keys there are title, precursors,"),
        (PLAIN + "grid:\n  sise: 30\n", "grid.sise: expected no such key, got 30; did you mean size?"),
        (PLAIN + "grid:\n  size: 1000000\n", "grid.size: expected cells per edge"),
        (PLAIN + "grid:\n  size: 30.0\n", "grid.size: expected cells per edge"),
        (PLAIN + "seed: -1\n", "seed: expected a whole number from 0"),
        (PLAIN + "seed: 1\nseed: 2\n", "seed: expected the key once, got it again on line 11"),
        (PLAIN + "seed: &a 1\ntitle: *a\n", "got an anchor or alias on line 10"),
        (PLAIN + "seed: !!python/object/apply:os.system [ls]\n", "got the tag"),
        (PLAIN + "atmosphere: argon\n", "atmosphere: expected inert, air, vacuum, CO2, oxygen, or a block"),
        (PLAIN + "atmosphere:\n  partial_pressure_Pa:\n    CO2: -1\n", "atmosphere.partial_pressure_Pa.CO2: expected"),
        (PLAIN + "atmosphere:\n  partial_pressure_Pa:\n    Zz: 1\n", "Zz"),
        (PLAIN + "atmosphere:\n  pressure: 1\n", "atmosphere.pressure: expected no such key"),
        (PLAIN + "kinetics: full\n", "kinetics: expected a block of keys such as transport: full, got 'full'."),
        (PLAIN + "kinetics:\n  constants:\n    a: 0\n", "kinetics.constants.a: expected"),
        (PLAIN + "kinetics:\n  potential_difference: end-members\n", "kinetics: potential_difference"),
        (PLAIN + "calibration:\n  hours_per_sweep: 1e-9\n  observation: x\n", "calibration.hours_per_sweep: expected"),
        (PLAIN + 'title: "a\\nb"\n', "title: expected one line"),
        (PLAIN + "mixture: 1\n", "mixture: expected no such key"),
        (PLAIN + "'': 1\n", "'': expected no such key"),
        (PLAIN + "? [a]\n: 1\n", "expected a word as a key on line 10"),
        (PLAIN[:40], "programme: expected a list of 1 to 200 steps"),
        ("", "got an empty file."),
        ("# only a comment\n", "got an empty file."),
        ("- 1\n", "got no keys"),
        ("just text", "got no keys"),
        ("a: 1\n---\nb: 2\n", "expected YAML"),
        ("a: [1, 2", "expected YAML"),
        ("\x00\x01", "expected YAML"),
        ("[" * 100_000, "expected blocks at most 12 deep"),
        ("precursors: []\nprogramme: []\n", "precursors: expected a list of 1 to 20 precursors"),
    ],
)
def test_refusals_name_the_key(text, words):
    assert words in refusal(text)


def test_aliases_cannot_multiply():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    start = time.perf_counter()
    assert "anchor or alias" in refusal(bomb)
    assert time.perf_counter() - start < 1.0


def test_unreadable_files(tmp_path):
    def said(path: Path) -> str:
        with pytest.raises(RecipeError) as caught:
            Recipe.from_file(path)
        assert str(path) in str(caught.value)
        return str(caught.value)

    assert "got none" in said(tmp_path / "none.yaml")
    assert "got a directory" in said(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\x00\xff\xfe")
    assert "binary" in said(tmp_path / "binary.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * 300_000)
    assert "200000 bytes" in said(tmp_path / "big.yaml")
    (tmp_path / "wrong.yaml").write_text(PLAIN + "x: 1\n")
    assert "x: expected no such key" in said(tmp_path / "wrong.yaml")
    (tmp_path / "marked.yaml").write_bytes(b"\xef\xbb\xbf" + PLAIN.encode())
    assert Recipe.from_file(tmp_path / "marked.yaml") == Recipe.from_text(PLAIN)


def test_recipes_made_in_python_are_refused_in_the_same_words():
    with pytest.raises(RecipeError, match=r"^precursors: expected a list of 1 to 20 precursors, .* got nothing"):
        Recipe(programme=[{"temperature_K": 1000, "hold_h": 1}])


# ------------------------------------------------------------------------------------------------------------ whatever


def survives(text: str) -> None:
    try:
        recipe = Recipe.from_text(text)
    except RecipeError as error:
        assert "\n" not in str(error)
    else:
        assert Recipe.from_text(recipe.to_yaml()) == recipe


@given(st.text(max_size=300))
@example("\ud800")
@example("? ? ?")
@example("a: 2001-99-99")
@example("a: 0x" + "f" * 100)
@example("%YAML 1.1\n---\na: 012\n")
@example("a: !<tag:yaml.org,2002:int> b")
@example("<<: {a: 1}")
@example("a: |\n")
@example("\t")
def test_any_text_is_read_or_refused(text):
    survives(text)


@given(st.lists(st.sampled_from([*PLAIN.splitlines(), *"-:?[]{}&*!|>'\"%@`#,~", "  ", "\n", "1e5", "null", "true"])))
def test_scrambled_yaml_is_read_or_refused(tokens):
    survives("\n".join(tokens))
    survives(" ".join(tokens))


@given(st.integers(0, len(PLAIN)), st.integers(0, 12), st.text(max_size=12))
def test_damaged_recipes_are_read_or_refused(where, length, splice):
    survives(PLAIN[:where] + splice + PLAIN[where + length :])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("bytes") / "recipe.yaml"
    path.write_bytes(raw)
    with pytest.raises(RecipeError):  # no 200 random bytes make a recipe
        Recipe.from_file(path)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just(10**400)
    | st.sampled_from(["BaO", "TiO2", "CO2", "full", "air", "own.csv"])
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: ANYTHING
            | st.lists(st.dictionaries(st.sampled_from(["phase", "ratio", "temperature_K", "hold_h"]), LEAVES))
            for key in Recipe.model_fields
        },
    ),
    st.booleans(),
)
def test_any_structure_is_taken_or_refused(data, sound):
    if sound:  # an otherwise good recipe, so that the damage is elsewhere
        data = {
            **data,
            "precursors": [{"phase": "BaO", "ratio": 1}],
            "programme": [{"temperature_K": 900, "hold_h": 1}],
        }
    try:
        recipe = Recipe(**data)
    except RecipeError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
    else:
        assert Recipe.from_text(recipe.to_yaml()) == recipe


def finite(low: float, high: float, **options: Any) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False, **options)


TITLES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(lambda t: t.strip() and t.isprintable())
STEPS = st.fixed_dictionaries(
    {"temperature_K": finite(301, 2000), "hold_h": finite(0.01, 100), "ramp_K_per_min": finite(0.1, 1e4)},
    optional={"regrind": st.booleans()},
)
RECIPES = st.fixed_dictionaries(
    {
        "precursors": st.lists(
            st.fixed_dictionaries(
                {
                    "phase": st.sampled_from(["BaO", "TiO2", "BaCO3", "Ba4Ti13O30", "Ba(OH)2"]),
                    "ratio": finite(1e-6, 1e6),
                },
                optional={"particle_radius_um": finite(1e-3, 1e4)},
            ),
            min_size=1,
            max_size=5,
            unique_by=lambda p: p["phase"],
        ),
        "programme": st.lists(STEPS, min_size=1, max_size=5),
        "sweeps_per_hour": finite(1e-3, 10),
    },
    optional={
        "title": TITLES,
        "energies": st.sampled_from(["assessed", "null", "1e3", "true", "own.csv", "mp-api"]),
        "transport": st.sampled_from(["none", "karan-2026", "t.json", "~"]),
        "atmosphere": st.sampled_from(["inert", "air", "vacuum", "CO2", "oxygen"])
        | st.fixed_dictionaries(
            {
                "partial_pressure_Pa": st.dictionaries(
                    st.sampled_from(["CO2", "O2", "NO"]), finite(1e-30, 1e8), min_size=1
                )
            }
        ),
        "start_temperature_K": finite(300, 2000),
        "kinetics": st.fixed_dictionaries(
            {},
            optional={
                "transport": st.sampled_from(["full", "self", "none"]),
                "decomposition": st.booleans(),
                "preset": st.sampled_from(["paper", "public-code"]),
                "score": st.sampled_from(["repaired", "literal"]),
                "metastable_limit_eV_per_atom": st.none() | finite(0, 10),
                "coupled_release": st.booleans(),
                "constants": st.fixed_dictionaries({}, optional={"e": finite(-10, 10), "scale": finite(1e-300, 1e300)}),
                "transport_relative_error": finite(0, 5),
            },
        ),
        "grid": st.fixed_dictionaries({}, optional={"size": st.integers(4, 1000), "grain_cells": finite(1, 1000)}),
        "ensemble": st.fixed_dictionaries(
            {}, optional={"realizations": st.integers(1, 100), "energies": st.booleans()}
        ),
        "seed": st.integers(0, 2**63 - 1),
    },
)


@settings(max_examples=50)
@given(RECIPES)
def test_what_is_written_reads_back_the_same(data):
    try:
        recipe = Recipe(**data)
    except RecipeError as error:  # a hundred steps at 0.1 K/min can be too long a programme
        assert "sweeps" in str(error)
        return
    text = recipe.to_yaml()
    again = Recipe.from_text(text, directory="/")
    if recipe.energies.endswith(".csv") or recipe.transport.endswith(".json"):
        recipe = Recipe.from_text(text, directory="/")  # a bare name from Python becomes a path when read
    assert again == recipe
    assert Recipe.from_text(again.to_yaml()) == again


@given(st.lists(STEPS, min_size=1, max_size=5), finite(300, 2000), finite(1, 50))
def test_segments_cover_the_programme(steps, start, width):
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}], programme=steps, start_temperature_K=start, sweeps_per_hour=0.01
    )
    segments = recipe.segments(max_step_K=width)
    assert math.fsum(s.duration_h for s in segments) == pytest.approx(recipe.duration_h, rel=1e-12)
    assert all(s.duration_h > 0 for s in segments)
    assert all(abs(s.temperature_end_K - s.temperature_start_K) <= width * (1 + 1e-9) for s in segments)
    assert all((s.temperature_start_K == s.temperature_end_K) or s.ramp for s in segments)
    assert [s.stage for s in segments] == sorted(s.stage for s in segments)
    for stage, step in enumerate(steps):
        own = [s for s in segments if s.stage == stage]
        assert own[-1].temperature_end_K == step["temperature_K"] and not own[-1].ramp
        assert own[-1].duration_h == step["hold_h"]
        assert [s.regrind for s in own] == [step.get("regrind", False)] + [False] * (len(own) - 1)
        assert all(a.temperature_end_K == b.temperature_start_K for a, b in zip(own, own[1:], strict=False))
    T = recipe.temperatures_K(25.0)
    visited = [s.temperature_start_K for s in segments] + [s.temperature_end_K for s in segments]
    assert T[0] <= min(visited) and T[-1] >= max(visited)
    assert T.ndim == 1 and np.all(np.diff(T) > 0) and np.all(np.diff(T) <= 25.0 * (1 + 1e-9))
    assert {start, *(step["temperature_K"] for step in steps)} <= set(T.tolist())
