"""Tables: which phases they name, and what they say of a difference."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from example import example_history
from report.pages import recipe
from tammann.history import History
from tammann.report import write_report
from tammann.report.layer_charts import growth_fits
from tammann.report.sentences import headline
from tammann.report.tables import baseline_table, bottleneck_table, growth_table, stage_table


def with_final_fractions(**shares):
    """A run whose phases end with these mole fractions, one for each realization."""
    history = example_history(realizations=5)
    moles = np.zeros((5, len(history.phases)))
    for name, share in shares.items():
        moles[:, history.phases.index(name)] = share
    return replace(history, moles=np.concatenate([history.moles[:, :-1], moles[:, None]], axis=1))


@pytest.fixture
def uncertain():
    """BaTi2O5 is a trace in most realizations and 30 % in one: a median of 0.1 %, a band up to 24 %."""
    rare = np.array([0.0, 0.0, 0.001, 0.002, 0.3])
    return with_final_fractions(BaTi2O5=rare, BaTiO3=0.9 - rare, Ba2TiO4=0.06, BaO=0.02, TiO2=0.02)


def test_a_phase_with_a_wide_band_is_named(uncertain, tmp_path):
    band = 100 * np.quantile([0.0, 0.0, 0.001, 0.002, 0.3], [0.05, 0.5, 0.95])
    assert band.round(2).tolist() == [0.0, 0.1, 24.04]
    assert "0.1 % BaTi₂O₅ (band 0.0 to 24.0 %)" in headline(uncertain)
    text = stage_table(uncertain)
    assert "<td>BaTi₂O₅</td>" in text and "<span>0.1 %</span> <span>(0.0 to 24.0)</span>" in text
    write_report(tmp_path / "r.html", uncertain, recipe=recipe(), summary={})
    assert '"name": "BaTi\\u2082O\\u2085"' in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_large_formula_differs_by_its_mass(uncertain):
    """0.7 mol % of Ba6Ti17O40 beside BaTiO3: 2278.1 g/mol, so 6.4 % of the mass."""
    phases = (*uncertain.phases[:-1], "Ba6Ti17O40")
    run = with_final_fractions(BaTi2O5=0.007, BaTiO3=0.993)
    mass = np.where(np.array(phases) == "Ba6Ti17O40", 2.2781, run.molar_mass_kg)
    run = replace(run, phases=phases, molar_mass_kg=mass)
    pure = replace(with_final_fractions(BaTiO3=1.0), phases=phases, molar_mass_kg=mass)
    rows = re.findall(r"<tr><td>(\S+)</td>.*?<td>(yes|no)</td></tr>", baseline_table(run, pure, {"BaTiO3": 1.0}))
    assert dict(rows) == {"BaTiO₃": "yes", "Ba₆Ti₁₇O₄₀": "yes"}
    small = replace(run, molar_mass_kg=np.where(mass == 2.2781, 0.3, mass))  # 0.9 % of the mass
    small_pure = replace(pure, molar_mass_kg=small.molar_mass_kg)
    assert "yes" not in baseline_table(small, small_pure, {"BaTiO3": 1.0})


def test_the_tolerance_is_stated(uncertain):
    text = baseline_table(
        uncertain, uncertain, pd.DataFrame({"temperature_K": [1500.0], "phase": ["BaO"], "mole_fraction": [1.0]})
    )
    assert "more than 1 % of the formula units or of the mass apart" in text


def test_layers_have_their_shares_and_their_constants():
    run = History.example("reactive-diffusion")
    text = bottleneck_table(run)
    first, *_, last = re.findall(r"<tr><td[^>]*>(.*?)</td>", text)
    assert first == "Ba₂TiO₄" and last == "Gibbs energy spent in the step"
    assert "<span>53.3 %</span>" in text and "step 2, to 1500 K" in text
    text = growth_table(run, growth_fits(run))
    assert "BaTiO₃, around TiO₂" in text and "m² per nominal s" in text and "1.95e-19 ± 4e-21" in text
    assert "layers have no parabolic constant" in text and "around BaO, 1200 K: growth of BaTiO₃ is not" in text
    assert growth_table(run, []) == ""


def test_the_null_has_the_name_of_its_engine(uncertain):
    run = History.example("reactive-diffusion")
    assert "equal conductivities" in baseline_table(run, run, None)
    assert "geometric null" in baseline_table(uncertain, uncertain, None)
