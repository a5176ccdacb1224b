"""Charts: the numbers of the tables, in what plotly understands."""

import json

import numpy as np
import pytest

from example import example_history
from report.pages import parsed, rates
from tammann.analysis import reaction_flow
from tammann.report.charts import baseline_chart, flow_chart, growth_chart, phase_chart


def test_charts_hold_the_numbers_of_the_csv(page, history):
    charts = json.loads(parsed(page).blocks["charts"])
    assert set(charts) == {"phases", "baselines", "flow", "growth"}
    moles, mass, volume = charts["phases"]["variants"]
    table = history.phase_fractions()
    for variant, column in ((moles, "mole_fraction"), (mass, "mass_fraction"), (volume, "volume_fraction")):
        line = next(trace for trace in variant["data"] if trace.get("name") == "BaTiO₃")
        np.testing.assert_allclose(line["y"], table[table.phase == "BaTiO3"][column], rtol=1e-4)
    final = charts["baselines"]["variants"][0]["data"]
    assert [trace["name"] for trace in final] == ["this run", "geometric null", "plain equilibrium"]
    assert final[2]["x"][0] == 1.0


def test_charts_are_valid_plotly(history):
    figure = pytest.importorskip("plotly.graph_objects").Figure
    null = example_history(seed=3)
    charts = [
        phase_chart(history, null=null),
        phase_chart(example_history(realizations=1, calibrated=False)),
        baseline_chart(history, null=null, equilibrium={"BaTiO3": 1.0}),
        flow_chart(example_history(carbonate=True)),
        growth_chart(reaction_flow(history), rates(history)),
    ]
    for chart in charts:
        for variant in chart.variants:
            figure(data=variant["data"], layout=variant["layout"])
            assert "NaN" not in json.dumps(variant)
    assert [v["label"] for v in charts[3].variants] == ["whole run", "step 1, to 1100 K", "step 2, to 1500 K"]
    assert [v["label"] for v in charts[4].variants] == ["growth constant", "score", "driving force"]
