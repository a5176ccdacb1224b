"""Rings of crystals whose rings are known, and against a slow twin."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from characterization.crystals import diamond, perovskite, repeated
from tammann.characterization import bond_network, ring_statistics, rings
from tammann.errors import DataError
from tammann.structures import Configuration


def simple_cubic():
    return repeated(["Po"], [[0, 0, 0]], 3.3)


@pytest.mark.parametrize(
    ("crystal", "bond", "cutoff", "expected"),
    [
        (diamond(), ("Si", "Si"), 2.5, {6: 16}),  # twelve through each of eight atoms
        (simple_cubic(), ("Po", "Po"), 3.5, {4: 3, 6: 4}),  # faces, and around the four diagonals of a cube
        (perovskite(), ("Zr", "O"), 2.2, {8: 3, 12: 4}),  # the same with an oxygen on every bond
    ],
)
def test_rings_of_crystals(crystal, bond, cutoff, expected):
    found = ring_statistics(bond_network(crystal, {bond: cutoff}), longest=12 if bond[1] == "O" else 7)
    assert found.rings == expected
    assert sum(found.fractions.values()) == pytest.approx(1.0)


def test_honeycomb_and_triangles():
    """A sheet of graphene has half a six-ring per atom, a triangular one two triangles."""
    a = 2.46
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 20.0]])
    sheet = Configuration(("C", "C"), np.array([[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0]]) @ cell, cell)
    assert ring_statistics(bond_network(sheet, {("C", "C"): 1.6}), longest=10).rings == {6: 1}
    triangular = Configuration(("C",), np.zeros((1, 3)), cell)
    assert ring_statistics(bond_network(triangular, {("C", "C"): 2.6}), longest=5).rings == {3: 2}


def slow_rings(network, longest):
    """Franzblau's rings of a cluster: every cycle, kept if all its atoms are as far apart as along it."""
    graph = nx.Graph(zip(network.pairs.centres.tolist(), network.pairs.indices.tolist(), strict=True))
    far = dict(nx.all_pairs_shortest_path_length(graph))
    found = {}
    for cycle in nx.simple_cycles(graph, length_bound=longest):
        n = len(cycle)
        if all(far[cycle[i]][cycle[j]] == min(j - i, n - j + i) for i, j in combinations(range(n), 2)):
            found[n] = found.get(n, 0) + 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_against_every_cycle_of_a_cluster(seed):
    x = np.random.default_rng(seed).random((16, 3)) * 5.0
    cluster = Configuration(("Si",) * 16, x, 60.0 * np.eye(3))
    network = bond_network(cluster, {("Si", "Si"): 2.6})
    assert ring_statistics(network, longest=8).rings == slow_rings(network, 8)


def test_a_supercell_has_as_many_rings_per_atom():
    x = np.random.default_rng(1).random((12, 3)) * 5.0
    small = Configuration(("Si",) * 12, x, 5.0 * np.eye(3))
    shifts = np.array([[0, 0, 0], [5.0, 0, 0]])
    large = Configuration(("Si",) * 24, (x + shifts[:, None]).reshape(-1, 3), np.diag([10.0, 5, 5]))
    one, two = (ring_statistics(bond_network(c, {("Si", "Si"): 2.6}), longest=6) for c in (small, large))
    np.testing.assert_array_equal(np.tile(one.through, (2, 1)), two.through)
    assert len(one.rings) > 1


def test_none_and_nonsense(monkeypatch):
    network = bond_network(diamond(), {("Si", "Si"): 1.0})
    assert ring_statistics(network).rings == {} and repr(ring_statistics(network)).endswith("no rings)")
    with pytest.raises(DataError, match="longest: expected a number of bonds from 3 to 40, got 2"):
        ring_statistics(network, longest=2)
    with pytest.raises(DataError, match="rings that fit into"):
        ring_statistics(bond_network(diamond(), {("Si", "Si"): 12.0}), longest=40)
    monkeypatch.setattr(rings, "MOST_PATHS", 5)
    with pytest.raises(DataError, match="more than 5 shortest paths between two atoms in rings of up to 6"):
        ring_statistics(bond_network(simple_cubic(), {("Po", "Po"): 3.5}), longest=6)
