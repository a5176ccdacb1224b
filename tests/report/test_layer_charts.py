"""Charts of reactive diffusion: the numbers of the analysis, in what plotly understands."""

import json
from dataclasses import replace

import numpy as np
import pytest

from histories import layered_history
from tammann.analysis import gibbs_left, profile
from tammann.history import History
from tammann.report.layer_charts import (
    bottleneck_chart,
    energy_chart,
    growth_fits,
    has_particles,
    layer_chart,
    profile_chart,
    thickness_chart,
)


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def test_charts_are_valid_plotly(run):
    figure = pytest.importorskip("plotly.graph_objects").Figure
    charts = [draw(run) for draw in (layer_chart, profile_chart, bottleneck_chart, energy_chart)]
    for chart in (*charts, thickness_chart(run, growth_fits(run))):
        for variant in chart.variants:
            for data in [variant["data"], *(frame["data"] for frame in variant.get("frames", [])[:2])]:
                traces = [{k: v for k, v in t.items() if t["type"] != "bar" or k != "line"} for t in data]
                figure(data=traces, layout=variant["layout"])
            assert "NaN" not in json.dumps(variant)


def test_one_variant_a_core(run):
    for chart in (layer_chart(run), profile_chart(run), thickness_chart(run, [])):
        assert [variant["label"] for variant in chart.variants] == ["BaO inside", "TiO2 inside"]
    couple = layered_history([[0.0, 4e-7, 1e-6]] * 3, ["TiO2", "BaO"], times_h=[0.0, 1.0, 2.0])
    assert [variant["label"] for variant in layer_chart(couple).variants] == ["couple"]


def test_the_map_is_filled_by_its_layers(run):
    variant = layer_chart(run).variants[1]
    area = 0.0
    for trace in variant["data"]:
        if trace["name"] != "temperature":
            x, y = np.array(trace["x"], float), np.array(trace["y"], float)
            area += 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    radius = 1e9 * run.diffusion.edges_m[1, 0, -1]
    assert area == pytest.approx(radius * run.programme_h[-1], rel=1e-3)
    shown = [trace["name"] for trace in variant["data"] if trace.get("showlegend", True)]
    assert len(shown) == len(set(shown))


def test_the_slider_moves_through_profiles(run):
    variant = profile_chart(run).variants[0]
    assert variant["frames"][-1]["label"] == "6.00 h, 1500 K" and 0 < variant["at"] < len(variant["frames"]) - 1
    last = {trace["name"]: trace for trace in variant["frames"][-1]["data"]}
    one = profile(run)
    np.testing.assert_allclose(last["potential"]["y"], one.potential_eV[:, 0], rtol=1e-4, atol=1e-9)
    held = one.volume_fraction[:, run.phases.index("BaTiO3")]
    np.testing.assert_allclose(last["BaTiO₃"]["y"], held[held > 5e-4], atol=1e-3)
    names = [trace["name"] for trace in variant["frames"][0]["data"]]
    assert all([trace["name"] for trace in frame["data"]] == names for frame in variant["frames"])


def test_shares_stack_to_one_and_energies_to_what_was_spent(run):
    share, energy = bottleneck_chart(run).variants
    stack = [t for t in share["data"] if "stackgroup" in t]
    assert sum(t["y"][-1] for t in stack) == pytest.approx(1.0, abs=2e-3)
    spent = 1e3 * run.diffusion.dissipated_eV_per_atom.mean(axis=0).sum()
    assert sum(t["y"][-1] for t in energy["data"] if "stackgroup" in t) == pytest.approx(spent, rel=2e-3)


def test_energy_left_is_that_of_the_table(run):
    line = next(t for t in energy_chart(run).variants[0]["data"] if t["name"] == "energy left")
    np.testing.assert_allclose(line["y"], 1e3 * gibbs_left(run).gibbs_left_eV_per_atom, rtol=1e-4)


def test_fits_are_those_of_layers_that_are_there(run):
    fits = growth_fits(run)
    assert any(fit.described for _, _, fit in fits) and not all(fit.described for _, _, fit in fits)
    assert {fit.phase for _, _, fit in fits}.isdisjoint({"BaO", "TiO2"})


def test_nothing_spent_and_no_particles_give_no_charts(run):
    still = layered_history(np.tile([0.0, 5e-7, 1e-6], (3, 1)), ["BaO", "TiO2"], times_h=np.arange(3.0))
    assert bottleneck_chart(still) is None and thickness_chart(still, []) is None
    assert has_particles(run) and not has_particles(History.example())
    assert not has_particles(replace(run, diffusion=replace(run.diffusion, sites=run.diffusion.sites[:0])))
