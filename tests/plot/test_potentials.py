"""Figures of potentials draw what they are given."""

import numpy as np
import pandas as pd
import pytest

from potentials.broken import copper, sound
from tammann.errors import DataError
from tammann.md.energy_drift import EnergyDrift
from tammann.plot.potentials import (
    plot_crystal_curves,
    plot_diffusivities,
    plot_energy_conservation,
    plot_errors,
    plot_pair_distribution,
    plot_parity,
    plot_phonons,
    plot_total_energy,
    plot_watched_runs,
    potential_colours,
)
from tammann.plot.style import INK
from tammann.potentials import imported_potential
from tammann.potentials.crystals import CrystalCurve
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.evaluate import evaluate_potential
from tammann.potentials.phonons import Phonons
from tammann.potentials.response import respond


@pytest.fixture(scope="module")
def evaluation():
    frames = []
    for k in range(4):
        truth = respond(sound(), copper(seed=k))
        frames.append(Frame(copper(seed=k), truth.energy_eV + 0.04, truth.forces_eV_per_A + 0.1,
                            config_type=("melt", "crystal")[k % 2]))  # fmt: skip
    return evaluate_potential(imported_potential("potentials.broken:sound"), DataSet(tuple(frames)))


def test_parity_draws_every_component_once_and_states_the_error(evaluation):
    ax = plot_parity(evaluation, "force")
    points = np.concatenate([np.asarray(one.get_offsets()) for one in ax.collections])
    assert len(points) == 4 * 4 * 3
    np.testing.assert_allclose(points[:, 0] - points[:, 1], 0.1, atol=1e-9)
    assert "RMSE 0.1 eV/Å" in ax.texts[0].get_text() and "melt 0.1" in ax.texts[0].get_text()
    assert ax.get_xlim() == ax.get_ylim()
    energies = plot_parity(evaluation, "energy")
    assert "RMSE 10 meV/atom" in energies.texts[0].get_text()


def test_many_points_become_a_density(evaluation, monkeypatch):
    from tammann.plot import potentials

    monkeypatch.setattr(potentials, "DENSE", 10)
    ax = plot_parity(evaluation, "force", element="Cu")
    counts = ax.collections[0].get_array()
    assert counts.sum() == 4 * 4 * 3


def test_parity_of_what_was_not_labelled_is_refused(evaluation):
    with pytest.raises(DataError, match="no stress component"):
        plot_parity(evaluation, "stress")
    with pytest.raises(DataError, match="no force component"):
        plot_parity(evaluation, "force", element="O")


def test_errors_have_a_mark_for_every_potential_and_row(evaluation):
    ax = plot_errors([evaluation, evaluation], by="config_type")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["crystal", "melt"]
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 2]
    assert "eV/Å" in ax.get_xlabel()


def test_pair_distributions_have_bands_and_the_reference_is_black():
    r = np.linspace(0.05, 6.0, 60)
    g = np.where(r > 2.0, 1.0, 0.0)
    ax = plot_pair_distribution({"a": (r, g, 0.1 + 0 * r), "b": (r, g, 0.1 + 0 * r)}, "Ba-O", reference="b")
    assert len(ax.collections) == 2 and ax.get_ylabel() == "g(r), Ba-O"
    assert {line.get_label(): line.get_color() for line in ax.lines[:2]}["b"] == INK
    assert ax.get_xlim()[0] > 1.0


def test_diffusivities_that_are_not_shown_are_hollow():
    ax = plot_diffusivities({"a": {"Ba": (1e-9, 1e-10, True), "O": (4e-9, 3e-10, False)}})
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == ["#0072B2", "white"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Ba", "O"]


def test_runs_end_with_a_cross_where_they_failed():
    series = pd.DataFrame({"time_ps": np.linspace(0, 1, 50), "grade": np.linspace(1, 200, 50)})
    ax = plot_watched_runs({"a": series}, "grade", limit=100.0, failed=["a"])
    assert ax.get_yscale() == "log"
    cross = next(line for line in ax.lines if line.get_marker() == "X")
    assert cross.get_xdata()[0] == 1.0 and cross.get_ydata()[0] == 200.0
    nothing = plot_watched_runs({"a": series.assign(grade=np.nan)}, "grade")
    assert not nothing.collections


def test_energy_conservation_states_the_order():
    t = np.linspace(0, 1, 10)
    drift = EnergyDrift(8, 1.0, np.array([300.0, 300.0]), np.array([2.0, 1.0]), np.zeros(2), np.zeros(2),
                        np.array([0.4, 0.1]), np.array([t, t]), np.zeros((2, 10)))  # fmt: skip
    ax = plot_energy_conservation({"a": drift})
    assert ax.lines[0].get_label() == "a, dt$^{2.0}$"
    assert len(plot_total_energy(drift, name="a").lines) == 2


def test_curves_stand_on_their_minimum_and_imaginary_modes_below_zero():
    v = np.linspace(10, 12, 7)
    curve = CrystalCurve(v, -3.0 + 0.1 * (v - 11) ** 2, 11.0, -3.0, 100.0, 0.0, True)
    ax = plot_crystal_curves({"a": curve})
    assert ax.lines[1].get_ydata().min() == pytest.approx(0.0, abs=1e-9)
    assert "11.00 Å³, 100 GPa" in ax.lines[1].get_label()
    q = np.linspace(0, 1, 5)
    bands = np.stack([q - 0.5, q + 1.0, q + 2.0], axis=1)
    phonons = Phonons(q, bands, (("Γ", 0.0), ("X", 1.0)), q, q, -0.5, (2, 2, 2), 1)
    ax = plot_phonons({"a": phonons})
    assert ax.get_ylim()[0] < 0 and any("imaginary" in text.get_text() for text in ax.texts)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Γ", "X"]


def test_colours_do_not_change_with_the_reference():
    assert potential_colours(["r", "a"], reference="r")["a"] == potential_colours(["a"])["a"]
