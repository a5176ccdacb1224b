"""What the figures share, and files."""

from dataclasses import replace

import numpy as np
import pytest

from example import example_history
from tammann.analysis import reaction_flow
from tammann.plot import (
    formula_label,
    phase_colours,
    plot_baselines,
    plot_phase_fractions,
    plot_reaction_flow,
    plot_slices,
    save_figure,
)
from tammann.plot.style import atoms_of, new_axes, rising, species_colours, spread_out, temperature_strip

BA_TI_O = "BaO TiO2 BaTiO3 Ba2TiO4 BaTi2O5 Ba6Ti17O40 Ba4Ti13O30 BaTi4O9 Ba2Ti9O20 BaTi5O11 Ba3TiO5 Ba4TiO6 BaCO3"


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


def oklab(colour):
    """Lightness and two opponent axes in which distances are near to perceived ones (Ottosson 2020)."""
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    red, green, blue = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        [
            0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue,
            0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue,
            0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue,
        ]
    )
    return np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    ) @ cones  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        [*BA_TI_O.split(), "BaTi6O13", "BaO2", "Ba4Ti12O27"],
        [f"Li{n}Mn{n + 1}O{m}" for n in (1, 3) for m in range(4, 12)],
    ],
)
def test_sixteen_phases_are_told_apart(names):
    assert np.linalg.norm(oklab("#FFFFFF") - oklab("#000000")) == pytest.approx(1.0, abs=1e-3)
    place = np.array([oklab(colour) for colour in phase_colours(names).values()])
    assert len(place) == 16
    distance = np.linalg.norm(place[:, None] - place, axis=-1) + 9.0 * np.eye(16)
    assert distance.min() > 0.12  # twice what neighbours had before; a just noticeable difference is 0.02


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


def test_species_keep_their_colours():
    assert species_colours(("O", "Ti", "Ba")) == {"O": "#D55E00", "Ti": "#56B4E9", "Ba": "#117733"}
    others = species_colours(("Li", "La", "Zr", "O"))
    assert len(set(others.values())) == 4
    assert species_colours(("Zr", "O", "La", "Li")) == others


def test_numbers_of_the_strip_do_not_touch():
    ax = new_axes()
    T = np.array([300.0, 1500, 1500, 1520, 1520, 1550, 1550])
    strip = temperature_strip(ax, np.arange(7.0), T)
    assert strip.get_yticks().tolist() == [300, 1550]
