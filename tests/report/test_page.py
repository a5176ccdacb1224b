"""The report: whole, self-contained, safe against what a recipe says, and in words that fit the run."""

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from histories import with_lattice
from tammann.analysis import reaction_flow
from tammann.example import example_history
from tammann.recipe import Recipe
from tammann.report import write_report
from tammann.report.charts import baseline_chart, flow_chart, growth_chart, phase_chart
from tammann.report.sentences import formula_text, headline, notices, percent

HOSTILE = '</script><script>alert("x")</script> <img src=x onerror=alert(1)> & "1:1"'


def recipe(**changes):
    entries = {
        "title": HOSTILE,
        "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        "programme": [{"temperature_K": 1100, "hold_h": 2}, {"temperature_K": 1500, "hold_h": 2}],
    }
    return Recipe(**{**entries, **changes})


def rates(history):
    T = np.linspace(300, 1500, 13)
    shape = (T.size, len(history.equations))
    growth = np.full(shape, 1e-8)
    growth[:, history.fallback] = np.nan
    return SimpleNamespace(
        equations=history.equations,
        phases=history.phases,
        composition=history.composition,
        products=history.products,
        product_coefficients=history.product_coefficients,
        temperature_K=T,
        growth_constant_m2_per_s=growth,
        score=np.full(shape, 0.5),
        dG_eV_per_atom=np.full(shape, -0.05),
        metadata={"sources": {"transport": "Karan et al. 2026, https://doi.org/10.1038/s41563-026-02596-5"}},
        warnings=("L of <Ba4Ti13O30> repaired",),
    )


@pytest.fixture(scope="module")
def history():
    return example_history()


@pytest.fixture(scope="module")
def page(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(
        path,
        history,
        recipe=recipe(),
        summary={"seed": 0, "energies": "assessed <b>", "version": "0.1.0", "final_mole_fractions": {}},
        baselines={"null": example_history(seed=9), "equilibrium": {"BaTiO3": 1.0}},
        rates=rates(history),
    )
    return path


class Tags(HTMLParser):
    """Every tag with its attributes, and the text inside scripts by their id."""

    VOID = {"meta", "img", "input", "br", "link"}

    def __init__(self):
        super().__init__()
        self.tags, self.blocks, self.open, self._id = [], {}, [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self._id = dict(attrs).get("id", "main")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> does not close what is open"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.blocks[self._id] = self.blocks.get(self._id, "") + data


def parsed(path):
    parser = Tags()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    return parser


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


def test_library_and_grid_unpack(page, history):
    blocks = parsed(page).blocks
    library = gzip.decompress(base64.b64decode(blocks["plotly"])).decode()
    assert "plotly.js v" in library[:200]
    info = json.loads(blocks["grid-info"])
    cells = np.frombuffer(gzip.decompress(base64.b64decode(blocks["grid"])), dtype=np.uint8)
    cells = cells.reshape(len(info["times"]), len(info["layers"]), info["height"], info["width"])
    np.testing.assert_array_equal(cells, history.lattice.snapshots)
    assert len(info["phases"]) == len(info["colours"]) == 5


def test_large_grids_are_cut_to_a_window(tmp_path, history):
    cells = np.random.default_rng(0).integers(1, 6, (3, 264, 264, 264), dtype=np.uint8)
    big = with_lattice(history, snapshots=cells, snapshot_frame=np.array([0, 60, 120]))
    write_report(tmp_path / "r.html", big, recipe=recipe(), summary={})
    assert (tmp_path / "r.html").stat().st_size < 4_000_000
    info = json.loads(parsed(tmp_path / "r.html").blocks["grid-info"])
    assert info["width"] == 256 and len(info["layers"]) == 10
    assert "A window of 256 x 256 cells is shown." in (tmp_path / "r.html").read_text(encoding="utf-8")


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


def said(run, **options):
    return " ".join(notice.text for notice in notices(run, **options))


def test_arrest_is_called_geometry(history):
    stuck = replace(
        with_lattice(history, arrested=np.array([True, True, False, True])), reactive_fraction=np.full(4, 0.12)
    )
    text = said(stuck)
    assert "No reactive contacts are left in 3 of 4 realizations; 12.0 % of the atoms" in text
    assert "this is geometry, not selectivity" in text
    assert notices(stuck)[0].kind == "caution"
    assert "in all of 4" in said(with_lattice(stuck, arrested=np.ones(4, bool)))
    assert "geometry" not in said(replace(history, reactive_fraction=np.zeros(4)), null=None)


def test_an_unfinished_run_says_so(history):
    assert "still reacting: 30.0 % of the atoms" in said(replace(history, reactive_fraction=np.full(4, 0.3)))
    assert "still reacting" not in said(replace(history, reactive_fraction=np.zeros(4)))


def test_fallback_calibration_and_single_realizations_are_announced(history):
    assert "of the conversion was carried by reactions" in said(history)
    assert "of the conversion was carried" not in said(replace(history, fallback=np.zeros_like(history.fallback)))
    assert "Time is in sweeps; no calibration was given" in said(replace(history, calibrated=False))
    assert "Hours rest on one calibration" in said(history, calibration="Bondioli 1998")
    assert "no band" in said(example_history(realizations=1))
    assert "Transport was left out" in said(history, summary={"kinetics": "none"})
    assert "do not trust this run" in said(replace(history, element_drift=np.full(4, 1e-6)))


def test_baselines_are_put_into_words(history):
    null = example_history(seed=5)
    text = said(history, null=null, equilibrium={"BaTiO3": 1.0})
    assert "The geometric null (all pair reactions equal) gives 8" in text
    assert "plain equilibrium gives 100.0 % BaTiO₃" in text
    assert "evidence of kinetics only where it differs from both: here none does." in text
    other = replace(null, moles=np.roll(null.moles, 1, axis=2))
    assert "differs from both: here BaTiO₃" in said(history, null=other, equilibrium={"BaTiO3": 0.5, "TiO2": 0.5})
    assert "only one of them was computed" in said(history, null=null)
    table = pd.DataFrame({"temperature_K": [1500.0], "phase": ["BaTiO3"], "mole_fraction": [1.0]})
    assert "Plain equilibrium gives 100.0 % BaTiO₃. A result" in said(history, equilibrium=table)


def test_words_and_numbers():
    assert formula_text("11 BaTi2O5 -> 5 BaTiO3 + Ba6Ti17O40") == "11 BaTi₂O₅ → 5 BaTiO₃ + Ba₆Ti₁₇O₄₀"
    assert formula_text("held at 1500 K for 2.5 h") == "held at 1500 K for 2.5 h"
    assert formula_text("Ca(OH)2, (NH4)2CO3; O2") == "Ca(OH)₂, (NH₄)₂CO₃; O₂"
    for text in ("version v0.1.0", "1e5 Pa", "mp-2420244", "83b3d2b", "step X2", "r0 = 1E7", "monoclinic C2", "Xy2O3"):
        assert formula_text(text) == text
    assert percent(0.0004) == "below 0.1 %"
    assert percent(1.0) == "100.0 %"
    assert headline(example_history(calibrated=False)).startswith("After 600 sweeps, at 1500 K: ")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_page_draws_its_charts_in_a_browser(page, tmp_path):
    command = "chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    command += f" --disable-component-update --disable-sync --user-data-dir={tmp_path} --virtual-time-budget=8000"
    command += f" --enable-logging=stderr --dump-dom file://{page}"
    done = subprocess.run(command.split(), capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr  # neither errors nor anything the policy had to refuse
    assert done.stdout.count('class="main-svg"') >= 4
    assert 'id="no-charts" class="soft" hidden' in done.stdout
    assert '<span id="slice-when">6.00 h, 1500 K</span>' in done.stdout
