"""D and Ea by element and anion, and exports."""

import json

import pytest

from tammann.diffusivity.table import load_table
from tammann.errors import DataError
from tammann.workflows.database.summaries import (
    activation_table,
    contributions,
    distributions_by,
    export_contributions,
    export_table,
)
from workflows.database.toys import made_up_store


def test_activation_energies_and_anions(tmp_path):
    found = activation_table(made_up_store(tmp_path / "db")).set_index("formula")
    assert found.loc["Li2O", "Ea_eV"] == pytest.approx(0.3) and found.loc["LiF", "Ea_eV"] == pytest.approx(0.4)
    assert found["anion"].to_dict() == {"Li2O": "O", "Li2S": "S", "LiF": "F"}


def test_activation_energies_are_kept(tmp_path):
    store = made_up_store(tmp_path / "db")
    for _ in range(2):
        store.keep_activations(activation_table(store))
    kept = store.query("SELECT Ea_eV FROM activations WHERE formula = 'LiF'")
    assert kept["Ea_eV"].tolist() == pytest.approx([0.4])
    store.keep_activations(activation_table(store).iloc[:0])
    assert store.query("SELECT * FROM activations").empty


def test_distributions(tmp_path):
    counts = {"Li2O": ({"Li": 2, "O": 1}, 0.3), "LiPO3": ({"Li": 1, "P": 1, "O": 3}, 0.5)}
    store = made_up_store(tmp_path / "db", formulas=counts)
    by_anion = distributions_by(store, "anion").set_index(["anion", "temperature_K"])
    assert by_anion.loc[("O", 1000.0), "compositions"] == 2
    assert by_anion.loc[("O", 1000.0), "Ea_50_eV"] == pytest.approx(0.4)
    by_element = distributions_by(store, "element").set_index(["element", "temperature_K"])
    assert by_element.loc[("P", 2000.0), "Ea_50_eV"] == pytest.approx(0.5) and "Li" not in by_element.index
    with pytest.raises(DataError, match="element or anion"):
        distributions_by(store, "colour")


def test_exports(tmp_path):
    store = made_up_store(tmp_path / "db")
    export_table(store, tmp_path / "table.csv")
    assert load_table(tmp_path / "table.csv").n_rows == 9
    export_contributions(store, tmp_path / "c.json", project="mine")
    found = json.loads((tmp_path / "c.json").read_text())
    assert found == json.loads(json.dumps(contributions(store, project="mine")))
    assert {one["identifier"] for one in found} == {"Li2O", "Li2S", "LiF"}
    oxide = next(one for one in found if one["formula"] == "Li2O")["data"]
    assert oxide["states"]["1500K"]["D"].endswith(" m^2/s") and oxide["Ea"].startswith("0.3 eV")

    def keys(value):
        return [k for k, v in value.items() for k in (k, *(keys(v) if isinstance(v, dict) else ()))]

    assert not any("." in key for one in found for key in keys(one["data"]))  # nested keys are joined by dots there
