"""A recipe to start from: balanced, runnable, and clear about what it rests on."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tammann import Recipe
from tammann.errors import DataError, RecipeError
from tammann.workflows.starting_recipe import starting_recipe

TABLE = Path(__file__).parents[2] / "examples" / "chemistries" / "y-mn-na-cl-o.csv"

needs_freed = pytest.mark.skipif(find_spec("rxn_network") is None, reason="its energies are in FREED only")


@pytest.mark.parametrize(
    "target, precursors, ratios, gas",
    [
        ("MgAl2O4", ["MgO", "Al2O3"], [1, 1], ""),
        ("SrTiO3", ["SrCO3", "TiO2"], [1, 1], "CO2"),
        ("LiCoO2", ["Li2CO3", "Co3O4"], [3, 2], "O2"),
        ("Mg2SiO4", ["SiO2", "MgO"], [1, 2], ""),
    ],
)
def test_amounts_come_from_the_balanced_reaction(target, precursors, ratios, gas):
    made = starting_recipe(target, precursors)
    recipe = Recipe.from_text(made.text)
    assert [p.phase for p in recipe.precursors] == precursors
    assert [p.ratio for p in recipe.precursors] == ratios
    assert gas in made.precursors.reaction.equation and recipe.energies == "measured"
    assert all(f"# {note}" in made.text for note in made.notes)


def test_nothing_melts_at_the_temperature_chosen():
    """Two thirds of the target's melting point, but below that of lithium carbonate."""
    assert starting_recipe("MgAl2O4", ["MgO", "Al2O3"]).temperature_K == pytest.approx(2 / 3 * 2408, abs=25)
    made = starting_recipe("LiCoO2", ["Li2CO3", "Co3O4"])
    assert 900 < made.temperature_K < 993 and "below the melting point of Li2CO3" in made.text
    asked = starting_recipe("LiCoO2", ["Li2CO3", "Co3O4"], temperature_K=1100.0)
    assert asked.temperature_K == 1100.0 and Recipe.from_text(asked.text).programme[0].temperature_K == 1100.0


@pytest.mark.parametrize(
    "target, precursors",
    [pytest.param("CaAl2O4", ["CaCO3", "Al(OH)3"], marks=needs_freed), ("MgAl2O4", ["Mg(OH)2", "Al2O3"])],
)
def test_what_has_decomposed_by_then_sets_no_limit(target, precursors):
    """Hydroxides are oxides at the hold: their decomposition points, 500 to 600 K, do not hold the furnace back."""
    made = starting_recipe(target, precursors)
    assert made.temperature_K > 1000.0 and made.precursors.gibbs_eV_per_target <= 0.0
    assert not {"Al(OH)3", "Mg(OH)2"} & set(made.precursors.reacts_as)
    assert f"2/3 of the melting point of {target}" in made.text


@pytest.mark.parametrize("target, precursor, gone_K", [("CaO", "CaCO3", 1163), ("MgO", "Mg(OH)2", 540)])
def test_a_lone_precursor_is_held_above_its_decomposition(target, precursor, gone_K):
    """Not below, as its point of decomposition would have it, nor at 2/3 of the melting point of the oxide."""
    made = starting_recipe(target, [precursor])
    assert gone_K + 75 < made.temperature_K <= gone_K + 150 and f"where {precursor} falls apart" in made.text


@pytest.mark.parametrize(
    "target, precursors, liquid",
    [
        pytest.param("HgS", ["Hg", "S"], "Hg melts at 234 K", marks=needs_freed),
        ("FeS", ["Fe", "S"], "S melts at 388 K"),
        ("HgO", ["Hg"], "Hg melts at 234 K"),
    ],
)
def test_what_melts_in_any_furnace_is_refused_where_no_temperature_is_asked_for(target, precursors, liquid):
    atmosphere = "oxygen" if target == "HgO" else "inert"
    with pytest.raises(DataError, match=liquid + ": no hold of 400 K or more stays below that"):
        starting_recipe(target, precursors, atmosphere=atmosphere)
    asked = starting_recipe(target, precursors, atmosphere=atmosphere, temperature_K=500.0)
    assert any(f"below 500 K: {liquid.split()[0]} (" in note for note in asked.notes)


@pytest.mark.parametrize("word", ["argon", "Ar", "N2", "nitrogen"])
def test_argon_and_nitrogen_are_inert(word):
    inert = starting_recipe("MgAl2O4", ["MgO", "Al2O3"], atmosphere="inert")
    assert starting_recipe("MgAl2O4", ["MgO", "Al2O3"], atmosphere=word).text == inert.text
    assert "atmosphere: inert" in inert.text


def test_the_salt_of_a_metathesis_stays_solid():
    """NaCl melts at 1074 K, far below the manganite; and what melts at a temperature that was asked for is named."""
    words = {"computed": str(TABLE), "atmosphere": "inert"}
    made = starting_recipe("YMnO3", ["YClO", "NaMnO2"], **words)
    assert made.precursors.by_product == "NaCl" and 900 < made.temperature_K < 1074
    assert "below the melting point of NaCl" in made.text
    asked = starting_recipe("LiCoO2", ["Li2CO3", "Co3O4"], temperature_K=1100.0)
    assert any("below 1100 K: Li2CO3 (993 K)" in note for note in asked.notes)
    assert not any("not modelled" in note for note in (*made.notes, *starting_recipe("CaO", ["CaCO3"]).notes))


def test_what_goes_uphill_is_said_and_written():
    """Magnesium carbonate does not come from its oxide in argon; with carbon dioxide at a bar it does, when cold."""
    made = starting_recipe("CaO", ["CaCO3"], atmosphere="CO2", temperature_K=900.0)
    assert any("does not go forward" in note for note in made.notes)
    hot = starting_recipe("CaO", ["CaCO3"], atmosphere="CO2", temperature_K=1400.0)
    assert not any("does not go forward" in note for note in hot.notes)


@pytest.mark.parametrize(
    "target, precursors, options, error, words",
    [
        ("SrTi9O9", ["SrO", "TiO2"], {}, DataError, "SrTi9O9: no oxidation states"),
        ("SrTi7O15", ["SrO", "TiO2"], {}, DataError, "SrTi7O15 has no energy among the measured compounds"),
        ("MgAl2O4", ["MgO", "Al2O3", "CaO"], {}, DataError, "comes from MgO [+] Al2O3 alone"),
        ("MgAl2O4", ["MgO", "MgO"], {}, RecipeError, "each once"),
        ("MgAl2O4", ["MgO", "Al2O3"], {"atmosphere": "steam"}, RecipeError, "atmosphere: expected inert, air"),
        ("CO2", ["MgO", "Al2O3"], {}, DataError, "CO2 is a gas"),
        ("MgAl2O4", ["MgO", "TiO2"], {}, DataError, "no precursor brings Al; name one that does[.]"),
        ("TiCl4", ["Ti", "NaCl"], {}, DataError, "TiCl4 is known as a gas only"),
        ("SrTiO3", ["SrTiO3"], {}, DataError, "SrTiO3 is among its own precursors"),
        pytest.param(
            "WC", ["W", "C"], {"atmosphere": "inert"}, DataError, "carbon from the solid.*by hand", marks=needs_freed
        ),
        ("NaCl", ["Na2CO3", "CaCl2"], {}, DataError, "Na2CO3, CaCl2 make nothing of it.*name other precursors"),
    ],
)
def test_what_cannot_be_written_is_refused(target, precursors, options, error, words):
    with pytest.raises(error, match=words):
        starting_recipe(target, precursors, **options)


def test_computed_energies_are_found_from_where_the_recipe_lies(call, tmp_path, monkeypatch):
    """No table has YMnO3; files are named relative to the recipe, wherever the command is given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.csv").write_text(TABLE.read_text(encoding="utf-8"), encoding="utf-8")
    words = ["--target", "YMnO3", "--from", "YCl3", "Y2O3", "NaMnO2", "--atmosphere", "inert"]
    done = call("new", "data/y.yaml", *words)
    assert done.status == 2 and "YMnO3 has no energy among the measured compounds" in done.err
    done = call("new", "data/y.yaml", *words, "--computed", "data/own.csv")
    assert done.status == 0, done.err
    recipe = Recipe.from_file(tmp_path / "data" / "y.yaml")
    assert [p.ratio for p in recipe.precursors] == [1, 1, 3] and recipe.energies == "measured"
    assert "computed: own.csv" in (tmp_path / "data" / "y.yaml").read_text(encoding="utf-8")
    done = call("new", "data/z.yaml", "--target", "NaYMn2O6", *words[2:], "--computed", "data/own.csv")
    assert done.status == 2 and "nor in data/own.csv" in done.err


def test_on_the_command_line(call, tmp_path, monkeypatch):
    """Several words follow --from; the file is named after the target, or stands before or behind."""
    monkeypatch.chdir(tmp_path)
    done = call("new", "--target", "MgAl2O4", "--from", "MgO", "Al2O3", "--atmosphere", "air")
    assert done.status == 0 and (tmp_path / "mgal2o4.yaml").exists() and "tammann run mgal2o4.yaml" in done.out
    for words in (["a.yaml", "--target", "MgAl2O4", "--from", "MgO", "Al2O3"],
                  ["--target", "MgAl2O4", "--from", "MgO", "Al2O3", "b.yaml"]):  # fmt: skip
        assert call("new", *words).status == 0
    assert (tmp_path / "a.yaml").read_text() == (tmp_path / "b.yaml").read_text()
    for words, said in (
        (["--target", "MgAl2O4"], "tammann precursors MgAl2O4"),
        (["--from", "MgO"], "--from: expected --target"),
    ):
        done = call("new", *words)
        assert done.status == 2 and said in done.err
        assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "target, precursors, ratios, salt",
    [("LiF", ["LiCl", "NaF"], [1, 1], "NaCl"), ("CaF2", ["CaCl2", "NaF"], [1, 2], "NaCl")],
)
def test_two_halides_change_their_ions(target, precursors, ratios, salt):
    """Powders that are named may bring the salt's cation with another halogen."""
    made = starting_recipe(target, precursors, atmosphere="inert")
    assert [p.ratio for p in Recipe.from_text(made.text).precursors] == ratios
    assert made.precursors.by_product == salt
