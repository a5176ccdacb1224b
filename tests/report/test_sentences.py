"""What the page says of a run, and how it writes numbers and formulas."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from example import example_history
from histories import layered_history, with_lattice
from report.pages import said
from tammann.history import History
from tammann.report.sentences import formula_text, headline, layer_sentences, notices, percent


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


def test_a_run_in_which_nothing_opens_says_why_first(history):
    why = "Nothing reacts: of BaO and TiO2, every reaction is uphill up to 1500 K."
    idle = replace(history, extent=0 * history.extent, moles=np.repeat(history.moles[:, :1], 121, axis=1))
    assert headline(idle).startswith("Nothing has reacted. After 6.0 h")
    known = replace(idle, metadata={"nothing_opens": why, "important_warnings": [why, "H2 cannot act."]})
    assert headline(known).startswith("Nothing reacts: of BaO and TiO₂, every reaction is uphill up to 1500 K. After")
    assert notices(known)[0].text == "H2 cannot act." and why not in said(known)
    # a draw of the energies may open what the central ones do not
    assert headline(replace(known, extent=history.extent)).startswith("After")
    assert notices(replace(known, extent=history.extent))[0].text == why


def test_what_changes_the_answer_comes_first(history):
    told = replace(history, metadata={**history.metadata, "important_warnings": ["H2 cannot act on these phases."]})
    found = notices(told, null=example_history(seed=5), equilibrium={"BaTiO3": 1.0}, calibration="Bondioli 1998")
    assert found[0].text == "H2 cannot act on these phases."
    kinds = [notice.kind for notice in found]
    assert kinds == sorted(kinds) and "note" in kinds


@pytest.fixture(scope="module")
def diffusion():
    return History.example("reactive-diffusion")


def test_which_layer_was_in_the_way(diffusion):
    (text,) = layer_sentences(diffusion)
    assert text.startswith("Between 460 and 1200 K the layer of Ba₂TiO₄ took 35 % of the driving force (BaTiO₃")
    assert "though it made up only 11 % of the products' volume; on the hold at 1200 K 43 %;" in text
    heat = diffusion.diffusion.dissipated_eV_per_atom
    still = replace(diffusion, diffusion=replace(diffusion.diffusion, dissipated_eV_per_atom=0 * heat))
    assert layer_sentences(still) == []


def test_parts_of_a_hold_are_told_apart():
    frames = 11
    heat = np.zeros((frames, 11))
    heat[1:4, 9], heat[1:4, 1], heat[4:, 1] = 9, 1, 10  # BaTiO3, then Ba2TiO4
    run = layered_history(
        np.tile([0.0, 5e-7, 1e-6], (frames, 1)), ["BaO", "TiO2"], times_h=np.arange(frames), heat=heat
    )
    first, then = layer_sentences(run)
    assert first == "In the first 3.0 h on the hold at 1300 K the layer of BaTiO₃ took 90 % of the driving force."
    assert then == "After 3.0 h on the hold at 1300 K the layer of Ba₂TiO₄ took 100 % of the driving force."


def test_a_run_of_reactive_diffusion_says_what_its_time_and_layers_rest_on(diffusion):
    text = said(diffusion, null=diffusion, equilibrium={"BaTiO3": 1.0})
    assert "Time is in the programme's nominal hours, as no calibration was given" in text
    assert "their shares of the driving force can be read" in text
    assert "The null (all phases conduct equally well) gives" in text and "pair reactions" not in text
    assert "do not trust" not in text
    without = replace(diffusion.diffusion, without_data_fraction=np.full(3, 0.3))
    assert "30.0 % of the driving force was spent in phases without transport data" in said(
        replace(diffusion, diffusion=without)
    )
    assert "All phases conduct alike" in said(diffusion, summary={"conductivity": "equal"})
    assert "Only self-diffusion enters" in said(diffusion, summary={"conductivity": "self"})
    assert headline(diffusion).startswith("After 6.0 h, at 1500 K: 9")
    idle = replace(diffusion, moles=np.repeat(diffusion.moles[:, :1], diffusion.stage.size, axis=1))
    assert headline(idle).startswith("Nothing has reacted. After")
