"""Figures of local structure, checked by the numbers in them."""

import numpy as np
import pytest

from characterization.crystals import barium_zirconium_sulfide, diamond, perovskite, rock_salt
from tammann.characterization import (
    bond_angles,
    bond_network,
    coordination_shell,
    pair_distribution,
    polyhedra_connectivity,
    ring_statistics,
)
from tammann.errors import DataError
from tammann.plot import (
    plot_bond_angles,
    plot_bond_lengths,
    plot_connectivity,
    plot_coordination,
    plot_partials,
    plot_rings,
    plot_running_coordination,
)
from tammann.structures import Configuration


def warm(seed=1):
    salt = rock_salt(2)
    x = salt.positions_A + np.random.default_rng(seed).normal(scale=0.35, size=salt.positions_A.shape)
    return Configuration(salt.symbols, x, salt.cell_A)


def test_partials_stand_one_above_the_other():
    found = {"cold": pair_distribution(rock_salt(2), cutoff_A=5.0), "hot": pair_distribution(warm(), cutoff_A=5.0)}
    ax = plot_partials(found)
    curves = [line for line in ax.lines if len(line.get_xdata()) == 100]
    assert len(curves) == 6  # three pairs of two structures
    bases = [line.get_ydata().min() for line in curves[::2]]
    assert bases[0] == 0.0 and np.diff(bases) == pytest.approx(bases[1])
    assert all(line.get_ydata().max() < base + bases[1] for line, base in zip(curves[::2], bases, strict=True))
    assert [text.get_text() for text in ax.texts] == ["Na-Na", "Na-Cl", "Cl-Cl"]
    assert ax.get_legend_handles_labels()[1] == ["cold", "hot"]
    assert plot_partials(found, pairs=[("Na", "Cl")], cutoff_A=4.0).get_xlim() == (0.0, 4.0)


def test_running_coordination_ends_at_the_shell():
    ax = plot_running_coordination({"salt": pair_distribution(rock_salt(), cutoff_A=5.0)}, "Na", "Cl", cutoff_A=4.0)
    x, y = ax.lines[0].get_data()
    assert np.interp(3.5, x, y) == 6.0 and ax.get_ylabel() == "Cl within r of Na"


def test_histograms_add_up_to_all_atoms():
    shells = {name: coordination_shell(c, "Na", "Cl", cutoff_A=3.3) for name, c in (("a", rock_salt()), ("b", warm()))}
    ax = plot_coordination(shells)
    heights = [patch.get_height() for patch in ax.patches]
    assert heights[0] == 100.0 and sum(heights[1:]) == pytest.approx(100.0)
    assert ax.get_xlabel() == "Cl within 3.3 Å of Na"


def test_bond_lengths_by_coordination():
    shell = coordination_shell(warm(), "Na", "Cl", cutoff_A=3.3)
    ax = plot_bond_lengths(shell)
    points = [float(line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx(list(shell.bond_lengths_A.values()))


def test_angles_joints_and_rings():
    sulfide = barium_zirconium_sulfide()
    ax = plot_bond_angles({"crystal": bond_angles(sulfide, ("S", "Zr", "S"), cutoffs_A={("Zr", "S"): 3.1})})
    assert ax.lines[0].get_ydata().sum() == pytest.approx(100.0) and ax.get_xlabel() == "S-Zr-S angle (°)"
    joints = {
        "perovskite": polyhedra_connectivity(perovskite(), "Zr", "O", cutoff_A=2.2),
        "salt": polyhedra_connectivity(rock_salt(), "Na", "Cl", cutoff_A=3.0),
    }
    assert [patch.get_width() for patch in plot_connectivity(joints).patches] == [6.0, 6.0, 0.0, 12.0, 0.0, 0.0]
    rings = {"Si": ring_statistics(bond_network(diamond(), {("Si", "Si"): 2.5}), longest=7)}
    assert [patch.get_height() for patch in plot_rings(rings).patches] == [2.0]


def test_rings_are_counted_by_atoms_of_the_network():
    """Barium has no part in the network of zirconium and oxygen."""
    found = ring_statistics(bond_network(perovskite(), {("Zr", "O"): 2.2}), longest=8)
    assert [patch.get_height() for patch in plot_rings({"ReO3": found}).patches] == [3 / 4]


def test_nothing_to_draw():
    none = coordination_shell(rock_salt(), "Na", "Cl", cutoff_A=1.0)
    for draw, nothing in (
        (plot_partials, {}),
        (plot_coordination, {}),
        (plot_connectivity, {}),
        (plot_rings, {}),
        (plot_bond_angles, {}),
        (plot_bond_lengths, none),
    ):
        with pytest.raises(DataError, match="expected .*, got none"):
            draw(nothing)
