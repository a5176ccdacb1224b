"""The package as it is imported."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import tammann

NAMES = {
    "DataError",
    "History",
    "RateTable",
    "Recipe",
    "RecipeError",
    "ResultError",
    "TammannError",
    "displacement_correlations",
    "enumerate_reactions",
    "equilibrium",
    "growth_constants",
    "load_phases",
    "load_transport",
    "measure_onsager",
    "rate_table",
    "read_trajectory",
    "run_recipe",
    "simulate",
    "validate",
}


def test_public_names_are_these():
    assert set(tammann.__all__) == NAMES
    assert set(tammann._HOMES) == NAMES
    assert tammann.__all__ == sorted(tammann.__all__)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_public_names_can_be_had(name):
    value = getattr(tammann, name)
    assert callable(value)
    assert value.__module__.startswith(f"tammann.{tammann._HOMES[name]}")
    assert name in dir(tammann)


def test_other_names_are_missed_plainly():
    with pytest.raises(AttributeError, match="no attribute 'anneal'"):
        tammann.anneal  # noqa: B018


def test_import_is_light(environment):
    script = "import sys, tammann; print(*sorted(set(sys.modules) & {'numpy', 'scipy', 'pandas', 'numba', 'pydantic'}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == []


def test_one_version_everywhere():
    cff = (Path(__file__).parents[1] / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {tammann.__version__}\n" in cff
    try:
        installed = version("tammann")
    except PackageNotFoundError:  # run from a checkout
        return
    assert installed == tammann.__version__


def test_type_information_ships():
    assert (Path(tammann.__file__).parent / "py.typed").is_file()


@pytest.mark.slow
def test_the_example_of_the_package_runs_as_written(recipes, tmp_path, environment):
    doc = tammann.__doc__ or ""
    block = doc.split("readable aloud::")[1]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    assert len(lines) == 7 and lines[0].startswith("recipe") and lines[-1] == "history.phase_fractions()"
    lines[0] = lines[0].replace("batio3-1-1.yaml", (recipes / "batio3-1-1.yaml").as_posix())
    script = "\n".join(
        ["from tammann import *", "if __name__ == '__main__':"]
        + [f"    {line}" for line in lines[:-1]]
        + [f"    table = {lines[-1]}", "    print(table['mole_fraction'].groupby(table['sweep']).sum().iloc[-1])"]
    )
    (tmp_path / "aloud.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "aloud.py"], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("wrong", [5, None, [5], "no-such.thing", object()], ids=["5", "None", "[5]", "text", "object"])
def test_objects_of_the_wrong_type_are_refused_in_one_sentence(wrong, tmp_path):
    calls = [
        tammann.History.open, tammann.RateTable.open, tammann.Recipe.from_file, tammann.displacement_correlations,
        tammann.enumerate_reactions, tammann.load_phases, tammann.read_trajectory, tammann.run_recipe, tammann.validate,
        lambda it: tammann.History.join([it]), lambda it: tammann.equilibrium(it, {"BaO": 1}, 1300.0),
        lambda it: tammann.growth_constants(it, None), lambda it: tammann.measure_onsager(it, temperature_K=1000.0),
        lambda it: tammann.rate_table(it, it, it), lambda it: tammann.simulate(it, it),
    ]  # fmt: skip
    if wrong is not None:  # no transport at all
        calls.append(tammann.load_transport)
    for call in calls:
        with pytest.raises(tammann.TammannError) as caught:
            call(wrong)
        said = str(caught.value)
        assert "\n" not in said and "pickle" not in said and len(said) < 300


def test_a_history_of_pickled_objects_is_no_history(tmp_path):
    (tmp_path / "history.npz").write_text("hello")
    with pytest.raises(tammann.ResultError, match="history.npz is not a whole history; run the recipe again"):
        tammann.History.open(tmp_path / "history.npz")


def test_an_argument_in_the_wrong_place_is_named():
    phases = tammann.load_phases("Ba-Ti-O")
    with pytest.raises(tammann.DataError, match=r"transport: expected what load_transport returns.*got 'karan-2026'"):
        tammann.growth_constants(phases, "karan-2026")
    with pytest.raises(tammann.DataError, match=r"amounts: expected moles by formula.*got 'BaO'"):
        tammann.equilibrium(phases, "BaO", 1300.0)
    assert repr(tammann.load_transport("karan-2026")) == (
        "TransportTable('karan-2026', 11 compositions, 750 to 1750 K)"
    )


WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


@pytest.mark.parametrize(
    ("given", "kept"), [({}, "20000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")]
)
def test_threads_of_a_kernel_do_not_spin_for_long_unless_asked_to(given, kept):
    environment = {key: value for key, value in os.environ.items() if key not in WAITING} | given
    code = "import tammann.reactive_diffusion.grid, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == kept
