"""The table of all diffusive states, and growth constants from it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest

from tammann.transport import load_transport
from tammann.workflows.melt import (
    measure_melts,
)
from tammann.workflows.melt.folder import load_plan
from tammann.workflows.melt.table import write_growth
from workflows.melt.toys import fabricate


@pytest.mark.slow
def test_growth_constants_where_energies_are_known(tmp_path):
    """K_D of the table between the end members; none for other chemistries, and none left of an earlier table."""
    source = Path(__file__).parents[3] / "examples" / "melts" / "ba-ti-o"
    for name in ("plan.json", "transport_table.json"):
        shutil.copy(source / name, tmp_path)
    ba_ti_o = load_plan(tmp_path)
    rows = pandas.read_csv(write_growth(ba_ti_o, tmp_path))
    table = load_transport(tmp_path / "transport_table.json")
    assert set(zip(rows.phase, rows.temperature_K, strict=True)) == {
        (e.formula, e.temperature_K) for e in table.entries
    }
    assert (rows.K_D_m2_per_s > 0).all() and (rows.K_D_low < rows.K_D_high).all()
    assert write_growth(ba_ti_o.model_copy(update={"end_members": ("MgO", "SiO2")}), tmp_path) is None
    (tmp_path / "transport_table.json").unlink()
    assert write_growth(ba_ti_o, tmp_path) is None and not (tmp_path / "growth.csv").exists()


def test_what_is_odd_about_a_state_is_said_in_the_table(tmp_path):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(17))
    for k in (1, 2):
        file = state / f"replica-{k}" / "replica.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"mean_pressure_GPa": -0.6}))
    made = measure_melts(chosen.model_copy(update={"target_error": 0.001}), tmp_path / "o")
    first, second = load_transport(made.table).warnings
    assert first == "The mean pressure is more than 0.4 GPa from what was asked for: MgO 4500 K (-0.60 GPa)."
    assert second.startswith("The largest relative standard error of D_i and L_ii is above 0.1 %: MgO 4500 K (")
