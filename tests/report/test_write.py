"""The report: whole, self-contained, and safe against what a recipe says."""

import base64
import gzip
import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest

from example import example_history
from histories import layered_history, with_lattice
from report.pages import parsed, recipe, said
from tammann.history import History
from tammann.report import write_report


def test_page_loads_nothing_from_anywhere(page):
    parser = parsed(page)
    for tag, attributes in parser.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), f"<{tag} {name}={value[:60]}>"
    policy = next(a["content"] for t, a in parser.tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy and "*" not in policy
    style = re.search(r"<style>(.*?)</style>", page.read_text(encoding="utf-8"), re.S).group(1)
    assert "url(" not in style and "@import" not in style
    own = parser.blocks["main"]
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?:", own)


def test_page_is_of_a_size_one_can_send(page):
    assert page.stat().st_size < 3_000_000


def test_what_a_recipe_says_is_escaped(page):
    text = page.read_text(encoding="utf-8")
    assert "s41563-026-02596-5" in text
    assert 'alert("x")</script>' not in text
    assert "<img src=x" not in text
    assert "<b>" not in text
    assert "&lt;Ba₄Ti₁₃O₃₀&gt;" in text
    scripts = [a.get("id", "main") for t, a in parsed(page).tags if t == "script"]
    assert sorted(scripts) == ["charts", "grid", "grid-info", "main", "plotly"]


def test_phase_names_from_a_users_file_are_escaped(tmp_path):
    run = example_history(size=4)
    names = tuple(n.replace("BaTiO3", "</script><b>X") for n in run.phases)
    texts = tuple(e.replace("BaTiO3", "</script><b>X") for e in run.equations)
    write_report(tmp_path / "r.html", replace(run, phases=names, equations=texts), recipe=recipe(), summary={})
    assert "<b>" not in (tmp_path / "r.html").read_text(encoding="utf-8")
    parsed(tmp_path / "r.html")


@pytest.mark.parametrize("calibrated", [True, False])
def test_report_of_a_run_without_a_lattice(tmp_path, calibrated):
    run = replace(example_history(calibrated=calibrated), lattice=None)
    write_report(tmp_path / "r.html", run, recipe=recipe(), summary={}, baselines={"null": run, "equilibrium": None})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "After 6.0 h, at 1500 K" in text and "In the grid" not in text
    assert "(sweeps" not in text and "sweeps;" not in said(run)
    assert ("the programme&#x27;s nominal hours" in text) != calibrated


def test_report_of_a_run_that_recorded_little(tmp_path):
    run = example_history(realizations=1, calibrated=False)
    run = replace(
        with_lattice(run, snapshots=run.lattice.snapshots[:0], snapshot_frame=run.lattice.snapshot_frame[:0]),
        extent=0 * run.extent,
        moles=np.repeat(run.moles[:, :1], run.lattice.sweep.size, axis=1),
    )
    write_report(tmp_path / "r.html", run, recipe=recipe(title=None), summary={})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Nothing has reacted." in text
    assert "<h1>BaO + TiO₂</h1>" in text
    assert "In the grid" not in text
    assert "The two baselines were not computed" in text
    parsed(tmp_path / "r.html")


def test_writing_is_whole_or_not_at_all(tmp_path, history, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("before")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(path, history, recipe=recipe(), summary={})
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_report_of_reactive_diffusion(tmp_path):
    run = History.example("reactive-diffusion")
    told = {"seed": 0, "bottleneck": [{"stage": 0, "phase": "Ba2TiO4", "share": 0.5}], "conductivity": "full"}
    path = tmp_path / "r.html"
    write_report(path, run, recipe=recipe(), summary=told, baselines={"null": run, "equilibrium": {"BaTiO3": 1.0}})
    text, blocks = path.read_text(encoding="utf-8"), parsed(path).blocks
    assert set(json.loads(blocks["charts"])) == {
        "phases", "baselines", "layers", "profile", "bottleneck", "thickness", "energy",
    }  # fmt: skip
    frames = json.loads(gzip.decompress(base64.b64decode(blocks["frames"])))
    assert list(frames) == ["profile"] and len(frames["profile"]) == 2
    assert "Where the driving force goes" in text and "the layer of Ba₂TiO₄ took" in text
    assert "Which reactions carried it" not in text and "In the powder" not in text
    assert "stage: 0; phase" not in text  # the bottleneck has a table of its own
    assert "geometric null" not in text and "pair reactions" not in text
    assert "particles of 0.1 µm radius" in text
    assert path.stat().st_size < 3_000_000


def test_report_of_a_powder_of_grains(tmp_path):
    run = History.example("reactive-diffusion")
    cube = {"snapshots": np.ones((2, 1, 8, 8), np.uint8), "snapshot_frame": np.array([0, 5]), "voxel_m": 5e-8}
    empty = {name: getattr(run.diffusion, name)[:0] for name in ("edges_m", "sites", "potential_eV")}
    write_report(
        tmp_path / "r.html",
        replace(run, diffusion=replace(run.diffusion, **cube, **empty)),
        recipe=recipe(),
        summary={},
    )
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "In the powder" in text and "8³ voxels of 50 nm" in text and "Layers in a particle" not in text


def test_report_of_a_diffusion_run_in_which_nothing_reacts(tmp_path):
    still = layered_history(np.tile([0.0, 5e-7, 1e-6], (3, 1)), ["BaO", "TiO2"], times_h=np.arange(3.0))
    write_report(tmp_path / "r.html", still, recipe=recipe(), summary={})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.count("Nothing has reacted.") == 2
    parsed(tmp_path / "r.html")
