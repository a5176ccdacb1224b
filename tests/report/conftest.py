"""A run and its page."""

import pytest

from example import example_history
from report.pages import rates, recipe
from tammann.history import History
from tammann.report import write_report


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


@pytest.fixture(scope="module")
def layers_page(tmp_path_factory):
    run = History.example("reactive-diffusion")
    path = tmp_path_factory.mktemp("report") / "layers.html"
    write_report(path, run, recipe=recipe(), summary={"seed": 0}, baselines={"null": run, "equilibrium": {"BaTiO3": 1}})
    return path
