"""Figures of a state and of a composition."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tammann.workflows.melt.figures import draw_composition, draw_state
from tammann.workflows.melt.state import MeltState, load_state, measure_state
from workflows.melt.toys import fabricate, measurement


@pytest.mark.slow
def test_figures_of_a_folder(tmp_path):
    """What was searched, measured and fitted is drawn; what is not there is not."""
    _, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(5))
    searched = json.loads((state / "volume.json").read_text())
    searched["points"][0]["pressure_stderr_GPa"] = None  # infinite
    (state / "volume.json").write_text(json.dumps(searched))
    draw_state(state)
    assert sorted(f.name for f in state.glob("*.png")) == ["transport.png", "volume.png"]
    (state / "volume.png").unlink()
    nothing = {"volume_A3": None, "bulk_modulus_GPa": None}
    (state / "volume.json").write_text(json.dumps(searched | {"fit": nothing}))  # as of constant pressure
    draw_state(state)
    assert not (state / "volume.png").exists()


def test_figures_of_a_composition(tmp_path):
    """Drawn where two states or more are melts whose ions diffuse."""
    chosen, folder, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(5))
    measure_state(chosen, "MgO", 4500.0, folder)
    cold = load_state("MgO", 4500.0, folder)
    hot = replace(
        cold, temperature_K=5000.0, measurement=measurement((3e-9, 6e-9), (1e-10, 1e-10), temperature_K=5000.0)
    )
    cold = replace(cold, measurement=measurement((2e-9, 4e-9), (1e-10, 1e-10)))
    draw_composition([hot, cold, MeltState("MgO", 5500.0, tmp_path)])
    assert (folder.parent / "arrhenius.png").stat().st_size > 5000
    (folder.parent / "arrhenius.png").unlink()
    draw_composition([hot, replace(cold, melt=replace(cold.melt, crystalline=True))])
    assert not (folder.parent / "arrhenius.png").exists()
