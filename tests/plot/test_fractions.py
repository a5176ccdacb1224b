"""Figures checked by the numbers in them, not by their pixels."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tammann.analysis import phase_fractions, reaction_flow
from tammann.errors import DataError, ResultError
from tammann.example import example_history
from tammann.plot import (
    formula_label,
    phase_colours,
    plot_baselines,
    plot_correlation_factors,
    plot_growth_constants,
    plot_hull,
    plot_phase_fractions,
    plot_reaction_flow,
    plot_slices,
    save_figure,
)
from tammann.plot._style import atoms_of, new_axes, rising, spread_out
from tammann.plot.flow import flow_columns
from tammann.plot.hull import hull_line

BA_TI_O = "BaO TiO2 BaTiO3 Ba2TiO4 BaTi2O5 Ba6Ti17O40 Ba4Ti13O30 BaTi4O9 Ba2Ti9O20 BaTi5O11 Ba3TiO5 Ba4TiO6 BaCO3"


@pytest.fixture(scope="module")
def history():
    return example_history()


class FewPhases(list):
    """As much of ``tammann.thermo.Phases`` as the hull needs."""

    def __init__(self, energies):
        super().__init__(SimpleNamespace(formula=name, composition=atoms_of(name)) for name in energies)
        self.values = np.array(list(energies.values()))

    def gibbs(self, temperature_K, *, energies=None):
        return self.values


def luminance(colour):
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_colours_are_stable_distinct_and_dark_enough():
    names = BA_TI_O.split()
    colours = phase_colours(names)
    assert len(set(colours.values())) == len(names)
    assert phase_colours(reversed(names)) == colours
    assert phase_colours(["BaTiO3"])["BaTiO3"] == colours["BaTiO3"]
    others = phase_colours(["LiCoO2", "Li2CO3", "Co3O4", "CoO"])
    assert len(set(others.values())) == 4
    for colour in {*colours.values(), *others.values()}:
        assert 1.05 / (luminance(colour) + 0.05) > 2.2, f"{colour} is too light on white"


def test_formulas_have_subscripts_and_text_is_left_alone():
    assert formula_label("Ba6Ti17O40") == r"$\mathregular{Ba_{6}Ti_{17}O_{40}}$"
    assert formula_label("Ca(OH)2") == r"$\mathregular{Ca(OH)_{2}}$"
    assert formula_label("50 $") == r"50 \$"
    assert atoms_of("Ca3(PO4)2") == {"Ca": 3, "P": 2, "O": 8}


def test_labels_are_moved_apart_and_stay_inside():
    placed = spread_out([0.5, 0.01, 0.02, 0.015, 0.99], 0.1, 0.0, 1.0)
    assert np.all(np.diff(np.sort(placed)) >= 0.1 - 1e-12)
    assert placed.min() >= 0 and placed.max() <= 1
    assert np.argsort(placed).tolist() == [1, 3, 2, 0, 4]
    assert spread_out([], 0.1, 0, 1).size == 0
    np.testing.assert_allclose(rising([1, 3, 2, 2, 5, 0]), [1, 7 / 3, 7 / 3, 7 / 3, 2.5, 2.5])


def test_phase_fractions_shows_the_table(history):
    table = phase_fractions(history)
    ax = plot_phase_fractions(history)
    lines = {line.get_label(): line for line in ax.lines}
    for name in ("BaTiO3", "BaO"):
        rows = table[table.phase == name]
        np.testing.assert_array_equal(lines[name].get_xdata(), rows.time_h)
        np.testing.assert_array_equal(lines[name].get_ydata(), rows.mole_fraction)
    assert ax.get_xlabel() == "time (h)"
    assert ax.get_ylabel() == "mole fraction of formula units"
    (strip,) = ax.child_axes
    assert strip.get_ylabel() == "T (K)"
    np.testing.assert_array_equal(strip.lines[0].get_ydata(), history.temperature_K)


def test_phase_fractions_says_what_it_leaves_out_and_what_time_is(tmp_path):
    run = example_history(calibrated=False)
    path = tmp_path / "phase_fractions.csv"
    phase_fractions(run).to_csv(path, index=False)
    ax = plot_phase_fractions(pd.read_csv(path), smallest=0.2, programme=False)
    assert "not calibrated" in ax.get_xlabel()
    assert any("1 phase with a median below 0.2 not drawn" in text.get_text() for text in ax.texts)
    assert not ax.child_axes


def test_every_figure_draws_on_the_axes_it_is_given(history):
    for draw in (plot_phase_fractions, plot_baselines, plot_slices, plot_reaction_flow):
        ax = new_axes()
        assert draw(history, ax=ax) is ax
        ax.figure.canvas.draw()


def test_a_phase_keeps_its_colour_from_figure_to_figure():
    run = example_history(size=4)
    # Names without a fixed colour, of which two want the same.
    names = ("SrO", "TiO2", "SrTiO3", "Sr2TiO4", "Sr3Ti2O7")
    run = replace(run, phases=names, equations=tuple(str(k) for k in range(6)))
    colours = phase_colours(names)
    fractions = plot_phase_fractions(run, smallest=0.05)
    for line in fractions.lines:
        if line.get_label() in names:
            assert line.get_color() == colours[line.get_label()]
    assert reaction_flow(run).species == names
    beside = plot_baselines(run, equilibrium={"SrTiO3": 1.0, "Sr4Ti3O10": 0.0})
    drawn = {line.get_color() for line in beside.lines if line.get_marker() == "o"}
    assert drawn <= set(colours.values())


def test_baselines_stand_on_the_rows_of_their_phases(history):
    ax = plot_baselines(history, null=example_history(seed=2), equilibrium={"BaTiO3": 0.75, "Ba3TiO5": 0.25})
    rows = {label.get_text(): place for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    row = rows[formula_label("Ba3TiO5")]  # only equilibrium has it
    strokes = [line for line in ax.lines if np.allclose(line.get_xdata(), 0.25) and len(line.get_xdata()) == 2]
    assert np.mean(strokes[0].get_ydata()) == pytest.approx(row)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["this run (median and 5-95 % of 4)", "geometric null", "plain equilibrium"]


def test_slices_show_the_snapshots(history):
    ax = plot_slices(history, snapshots=[0, -1], depth=3)
    images = [panel.images[0].get_array() for panel in ax.child_axes]
    np.testing.assert_array_equal(images[0], history.snapshots[0][3])
    np.testing.assert_array_equal(images[1], history.snapshots[-1][3])
    assert ax.child_axes[0].get_title() == "0.00 h, 300 K"
    with pytest.raises(ResultError, match="recorded no snapshots"):
        plot_slices(replace(history, snapshots=history.snapshots[:0], snapshot_frame=history.snapshot_frame[:0]))
    with pytest.raises(ResultError, match="not all there"):
        plot_slices(history, snapshots=[99])


def test_flow_runs_from_left_to_right_and_nodes_have_their_size(history):
    flow = reaction_flow(history)
    nodes = flow.nodes.set_index("name")
    columns = flow_columns(nodes, flow.links)
    for link in flow.links.itertuples():
        assert columns[link.source] < columns[link.target]
    ax = plot_reaction_flow(flow)
    heights = sorted(patch.get_height() for patch in ax.patches if hasattr(patch, "get_height"))
    total = nodes.atoms_start_mol.sum()
    expected = sorted((nodes.atoms_start_mol + nodes.atoms_in_mol) / total)
    np.testing.assert_allclose(heights, expected)
    places = {}
    for patch in ax.patches:
        if hasattr(patch, "get_height"):
            places.setdefault(round(patch.get_x()), []).append((patch.get_y(), patch.get_y() + patch.get_height()))
    for column in places.values():
        column.sort()
        assert all(below[1] < above[0] for below, above in zip(column, column[1:], strict=False)), "nodes overlap"
    idle = replace(flow, links=flow.links.iloc[:0])
    assert plot_reaction_flow(idle).texts[0].get_text() == "nothing has reacted"


def test_growth_constants_are_ordered_by_composition():
    rows = [(name, T, 1e-8 * T) for T in (1000.0, 1500.0) for name in ("BaTi2O5", "Ba2TiO4", "BaTiO3")]
    table = pd.DataFrame(rows, columns=["phase", "temperature_K", "K_D_m2_per_s"])
    table["K_D_low"], table["K_D_high"] = 0.9 * table.K_D_m2_per_s, 1.1 * table.K_D_m2_per_s
    ax = plot_growth_constants(table)
    assert [t.get_text() for t in ax.get_xticklabels()] == [formula_label(n) for n in ("Ba2TiO4", "BaTiO3", "BaTi2O5")]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e-5)
    assert "m$^2$/s" in ax.get_ylabel()
    assert [text.get_text() for text in ax.texts] == ["1000 K", "1500 K"]
    with pytest.raises(DataError, match="above zero"):
        plot_growth_constants(table.assign(K_D_m2_per_s=0.0))


def test_correlation_factors_by_hand():
    def entry(formula, T, diagonal):
        L = np.diag(diagonal) + 0.01
        np.fill_diagonal(L, diagonal)
        return SimpleNamespace(
            formula=formula, temperature_K=T, species=("Ba", "O", "Ti"), L=L, L_self=np.array([2.0, 4.0, 1.0])
        )

    table = SimpleNamespace(entries=(entry("BaTi2O5", 1500.0, [1, 2, 3]), entry("Ba2TiO4", 1500.0, [2, 4, 1])))
    ax = plot_correlation_factors(table)
    heights = np.array([bar.get_height() for bar in ax.patches]).reshape(3, 2)
    np.testing.assert_allclose(heights, [[0, -0.5], [0, -0.5], [0, 2]])  # Ba2TiO4 first
    with pytest.raises(DataError, match="temperature_K 900 is not in this transport table; choose one of 1500"):
        plot_correlation_factors(table, temperature_K=900)


def test_hull_line_by_hand():
    phases = FewPhases({"BaO": -3.0, "TiO2": -3.5, "BaTiO3": -3.6, "Ba2TiO4": -3.3, "Ti": 0.0, "BaTi2O5": -3.55})
    line = hull_line(phases, 1000.0)
    assert line["phase"].tolist() == ["BaO", "Ba2TiO4", "BaTiO3", "BaTi2O5", "TiO2"]
    np.testing.assert_allclose(line["x"], [0, 1 / 3, 1 / 2, 2 / 3, 1])
    np.testing.assert_allclose(line["z"], [0, 3 / 7, 3 / 5, 6 / 8, 1])
    # BaTiO3: -3.6 - (2 * -3.0 + 3 * -3.5)/5 = -0.3
    np.testing.assert_allclose(line["energy_eV_per_atom"][2], -0.3)
    # Ba2TiO4 at -0.0857 against -0.214 on the line from BaO to BaTiO3; BaTi2O5 at -0.175 against -0.1875.
    assert line["stable"].tolist() == [True, False, True, False, True]
    ax = plot_hull(phases, [1000.0, 1200.0])
    assert ax.get_xlim() == (0, 1)
    assert "eV/atom" in ax.get_ylabel()
    with pytest.raises(DataError, match="'SrO' is not among the phases"):
        hull_line(phases, 1000.0, between=("SrO", "TiO2"))


def test_saving_is_whole_or_not_at_all_and_repeatable(tmp_path, history):
    for kind in ("png", "svg", "pdf"):
        for name in "ab":
            ax = plot_phase_fractions(history)
            save_figure(ax, tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 6
    before = (tmp_path / "a.png").read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    ax.figure.savefig = fail
    with pytest.raises(OSError, match="No space left"):
        save_figure(ax, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


def test_no_global_state_of_pyplot_is_touched(history):
    import sys

    had = "matplotlib.pyplot" in sys.modules
    plot_phase_fractions(history)
    plot_reaction_flow(history)
    if not had:
        assert "matplotlib.pyplot" not in sys.modules
    else:
        import matplotlib.pyplot as plt

        assert plt.get_fignums() == []
