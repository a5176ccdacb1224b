"""What layers dissipate is what the powder loses, and shares add up."""

import numpy as np
import pytest

from histories import layered_history
from tammann.analysis import bottlenecks, dissipation, dissipation_by_step, gibbs_left
from tammann.analysis.parabola import hold_frames
from tammann.errors import ResultError
from tammann.history import History


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def test_a_hold_dissipates_what_the_powder_loses(run):
    left = gibbs_left(run).gibbs_left_eV_per_atom.to_numpy()
    spent = dissipation(run).groupby("programme_h").dissipated_eV_per_atom.sum().to_numpy()
    for stage in (0, 1):
        frames = hold_frames(run, stage)
        # backward Euler loses a little more than flux times difference of potential
        assert spent[frames[1:]].sum() == pytest.approx(left[frames[0]] - left[frames[-1]], rel=0.03)


def test_shares_add_up(run):
    table = dissipation(run)
    sums = table.groupby("programme_h").share.sum(min_count=1)
    np.testing.assert_allclose(sums.dropna(), 1.0)
    steps = dissipation_by_step(run)
    np.testing.assert_allclose(steps.groupby("stage").of_run.first().sum(), 1.0)
    assert (steps.share_low <= steps.share + 1e-12).all() and (steps.share <= steps.share_high + 1e-12).all()
    assert (steps.groupby("stage").share.diff().dropna() <= 0).all()


def _run_of(heat, frames):
    run = layered_history(np.tile([0.0, 5e-7, 1e-6], (frames, 1)), ["BaO", "TiO2"], times_h=np.arange(frames))
    full = np.zeros((frames, len(run.phases)))
    for phase, values in heat.items():
        full[:, run.phases.index(phase)] = values
    return layered_history(
        np.tile([0.0, 5e-7, 1e-6], (frames, 1)), ["BaO", "TiO2"], times_h=np.arange(frames), heat=full
    )


def test_bottlenecks_follow_the_lead():
    run = _run_of({"BaTiO3": [0, 8, 8, 1, 1, 1], "Ba2TiO4": [0, 2, 2, 9, 4, 4]}, 6)
    table = bottlenecks(run)
    assert table.phase.tolist() == ["BaTiO3", "Ba2TiO4"]
    assert table.share.tolist() == [0.8, pytest.approx(17 / 20)]
    assert table.of_run.sum() == pytest.approx(1.0)
    assert table[["start", "end"]].to_numpy().tolist() == [[0.0, 2.0], [2.0, 5.0]]


def test_a_short_change_of_the_lead_is_no_stretch():
    run = _run_of({"BaTiO3": [0, 50, 0.1, 50], "Ba2TiO4": [0, 1, 0.2, 1]}, 4)
    assert bottlenecks(run).phase.tolist() == ["BaTiO3"]


def test_a_run_in_which_nothing_goes_on_has_no_bottleneck():
    run = _run_of({}, 3)
    assert bottlenecks(run).empty and dissipation_by_step(run).empty and dissipation(run).empty


def test_another_engine_is_refused():
    for function in (bottlenecks, dissipation, dissipation_by_step, gibbs_left):
        with pytest.raises(ResultError, match="only a run of the engine reactive-diffusion"):
            function(History.example())
