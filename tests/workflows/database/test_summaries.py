"""D and Ea by element and anion, and exports."""

import json

import numpy as np
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
from workflows.database.toys import KB, made_up_store, state


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
    # half of the compositions lie below the median, and states that do not diffuse do not count
    D = [1e-7 * np.exp(-Ea / (KB * 1000.0)) for Ea in (0.3, 0.5)]
    assert by_anion.loc[("O", 1000.0), "D_50_m2_per_s"] == pytest.approx(np.mean(D))
    assert by_anion.loc[("O", 1000.0), "D_25_m2_per_s"] == pytest.approx(0.75 * D[1] + 0.25 * D[0])
    known = store.distribution("Li2O", 1000.0)
    store.keep(state(T=1000.0, diffusive=0), features={}, elements={}, distribution=known)
    assert distributions_by(store, "anion")["compositions"].tolist() == [1, 2, 2]
    assert "Li2O" in set(activation_table(store)["formula"]) and len(activation_table(store)) == 2
    store.keep(state(T=1500.0, crystalline=1), features={}, elements={}, distribution=known)
    assert set(activation_table(store)["formula"]) == {"LiPO3"}  # one temperature is left
    still = made_up_store(tmp_path / "still", formulas={"Li2O": ({"Li": 2, "O": 1}, 0.3)})
    with still.connection(write=True) as connection:
        connection.execute("UPDATE states SET diffusive = 0")
    with pytest.raises(DataError, match="ion diffuses, found none"):
        distributions_by(still)
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
    D = 1e-7 * np.exp(-0.3 / (KB * 1500.0))
    assert oxide["states"]["1500K"]["D"] == f"{D:.6g}+/-{0.1 * D:.2g} m^2/s"
    Ea, error = oxide["Ea"].removesuffix(" eV").split("+/-")
    assert float(Ea) == pytest.approx(0.3) and 0.005 < float(error) < 0.1

    def keys(value):
        return [k for k, v in value.items() for k in (k, *(keys(v) if isinstance(v, dict) else ()))]

    # spaces and punctuation are refused there, nested keys are joined by dots
    assert all(key.isalnum() and key.isascii() for one in found for key in keys(one["data"]))


def test_a_state_that_does_not_diffuse_is_exported_without_D(tmp_path):
    store = made_up_store(tmp_path / "db")
    store.keep(state(D=0.0, diffusive=0), features={}, elements={}, distribution=store.distribution("Li2O", 1000.0))
    limit = {
        "formula": "Li2O",
        "potential": "toy",
        "temperature_K": 1000.0,
        "frames": 2,
        "relaxed": 2,
        "energy_eV_per_atom": -4.0,
        "hull_eV_per_atom": -4.1,
        "above_hull_eV_per_atom": 0.1,
        "phases": {},
    }

    store.keep_limit(limit)
    oxide = next(one for one in contributions(store, project="mine") if one["formula"] == "Li2O")["data"]
    still = oxide["states"]["1500K"]
    assert "D" not in still and still["diffusive"] == "no" and "D" in oxide["states"]["2000K"]
    assert oxide["amorphousLimitAboveHullPerAtom"] == "0.1 eV"
    export_table(store, tmp_path / "table.csv")
    assert load_table(tmp_path / "table.csv").n_rows == 8
