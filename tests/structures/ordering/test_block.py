"""Blocks: counts of species, symmetry, charges, and what no block can hold."""

import numpy as np
import pytest

from disordered_hosts import HOST, alloy, primitive_fcc
from tammann.errors import DataError
from tammann.structures.ordering import DisorderedStructure, count_orderings, ordering_block, smallest_multiple

HALF = {"Cu": 0.5, "Au": 0.5}


def test_sublattices_of_the_host():
    block = ordering_block(HOST)
    assert [(s.name, dict(zip(s.species, s.counts, strict=True))) for s in block.sublattices] == [
        ("M", {"In": 1, "Y": 1}),
        ("Li2", {"Li": 2, "vacancy": 2}),
        ("X1+X2", {"Br": 6, "Cl": 6}),
    ]
    assert block.fixed == ("Li",) * 4
    assert block.composition == {"Li": 6, "In": 1, "Y": 1, "Br": 6, "Cl": 6}
    assert len(block.permutations) == 8  # those of C2/m in its centred cell


def test_apart_by_label():
    """Half of 4i and half of 8j, in the place of half of all: fewer arrangements, all of them among the others."""
    apart = ordering_block(HOST, together="label")
    assert [s.counts for s in apart.sublattices] == [(1, 1), (2, 2), (2, 2), (4, 4)]
    assert count_orderings(apart).raw == 2 * 6 * 6 * 70
    assert count_orderings(apart).distinct < count_orderings(ordering_block(HOST)).distinct


def test_permutations_are_a_group():
    group = ordering_block(HOST, (1, 1, 2)).permutations
    rows = {tuple(row) for row in group.tolist()}
    assert len(rows) == len(group) == 16
    assert tuple(range(group.shape[1])) in rows
    assert all(tuple(a[b].tolist()) in rows for a in group for b in group)


def test_permutations_keep_distances():
    """What an operation brings to each site has the surroundings of that site."""
    block = ordering_block(HOST, [[1, 0, 0], [0, 1, 0], [1, 0, 2]])
    apart = block.fractional[:, None] - block.fractional[None]
    shifts = np.array([[a, b, c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)])
    distance = np.linalg.norm((apart[:, :, None] + shifts) @ block.cell_A, axis=-1).min(axis=-1)
    for row in block.permutations:
        assert distance[np.ix_(row, row)] == pytest.approx(distance, abs=1e-6)


def test_the_same_block_in_other_vectors():
    cubic = ordering_block(alloy("Fm-3m", (4, 4, 4, 90, 90, 90), HALF))
    primitive = ordering_block(primitive_fcc(HALF), [[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    assert len(cubic.permutations) == len(primitive.permutations) == 24
    assert count_orderings(cubic) == count_orderings(primitive) == (1, 6)


def test_configurations():
    block = ordering_block(HOST)
    row = np.concatenate([np.repeat(np.arange(2), s.counts) for s in block.sublattices])
    atoms = block.configuration(row)
    # atoms of an element stand together, elements in the order of the sites
    first = [symbol for k, symbol in enumerate(atoms.symbols) if symbol not in atoms.symbols[:k]]
    assert list(atoms.symbols) == [s for symbol in first for s in atoms.symbols if s == symbol]
    assert (np.diff(atoms.labels["site"]) > 0).sum() >= atoms.n_atoms - len(first)
    assert atoms.labels["site"][0] == 0
    assert atoms.n_atoms == 20
    assert {s: atoms.symbols.count(s) for s in set(atoms.symbols)} == block.composition
    assert len(set(atoms.labels["site"].tolist())) == 20
    nearest = [a.get_all_distances(mic=True) for a in (atoms.to_ase(),)][0]
    assert np.min(nearest[np.triu_indices(20, 1)]) > 2.7
    with pytest.raises(DataError, match="expected 18 numbers"):
        block.configuration(row[:-1])


def test_no_block_of_that_size():
    quarter = HOST.with_occupancies({"M": {"In": 0.25, "Y": 0.75}})
    said = r"sites M: .* 0.5 In on the 2 sites .* nearest that fits, In 1/2 = 0.5, Y 1/2 = 0.5, or .* block of 2 cells"
    with pytest.raises(DataError, match=said):
        ordering_block(quarter)
    assert smallest_multiple(quarter) == 2
    assert smallest_multiple(HOST.with_occupancies({"M": {"In": 0.3333, "Y": 0.6667}})) == 3
    assert ordering_block(quarter, (1, 1, 2)).sublattices[0].counts == (1, 3)


def test_no_block_at_all():
    odd = HOST.with_occupancies({"M": {"In": 0.31416, "Y": 0.68584}})
    with pytest.raises(DataError, match="no supercell of up to 100 cells"):
        smallest_multiple(odd)
    with pytest.raises(DataError, match=r"nearest that fits, In 1/2 = 0.5, Y 1/2 = 0.5\.$"):
        ordering_block(odd)
    assert ordering_block(odd, tolerance=0.2).sublattices[0].counts == (1, 1)


def test_published_occupancies_are_rounded():
    """A share that differs by the tolerance fits; beyond, no block of 25 cells is proposed."""
    row = [[k / 8, 0, 0] for k in range(8)]
    halides = [({"Cl": x, "Br": 1 - x},) * 8 for x in (0.37, 0.36)]
    rounded, other = (
        DisorderedStructure(np.diag([40.0, 5, 5]), row, o, ("X",) * 8, {"Cl": 0, "Br": 0}) for o in halides
    )
    assert ordering_block(rounded).sublattices[0].counts == (3, 5)
    with pytest.raises(DataError, match=r"got 2.88 Cl on the 8 sites .*, Cl 3/8 = 0.375, Br 5/8 = 0.625\.$"):
        ordering_block(other)


def test_one_label_for_each_site_is_no_wall_of_text():
    row = [[k / 96, 0, 0] for k in range(96)]
    labels = tuple(f"Li{k}" for k in range(96))
    garnet = DisorderedStructure(np.diag([300.0, 5, 5]), row, ({"Li": 0.4427},) * 96, labels, {"Li": 0})
    with pytest.raises(DataError, match=r"^sites Li0 ... Li95 \(96 labels\): .* got 42.4992 Li .* Li 42/96 = 0.4375"):
        ordering_block(garnet)
    with pytest.raises(DataError, match=r"site 'M': expected one of Li0 ... Li95 \(96 labels\);"):
        garnet.with_occupancies({"M": {"Li": 1.0}})
    half = garnet.with_occupancies({label: {"Li": 0.5} for label in labels})
    assert repr(ordering_block(half)).startswith("OrderingBlock(48 Li 48 vacancy on Li0 ... Li95 (96 labels);")


def test_charges():
    assert ordering_block(HOST).charges["In"] == 3.0
    with pytest.raises(DataError, match=r"expected a neutral block, got -2 e .*2 In of \+2"):
        ordering_block(HOST.with_occupancies({"M": {"In": 1.0}}).with_charges({"Li": 1, "In": 2, "Br": -1, "Cl": -1}))
    with pytest.raises(DataError, match="expected one of Y as well"):
        ordering_block(HOST.with_charges({"Li": 1, "In": 3, "Br": -1, "Cl": -1}))


def test_charges_that_no_oxidation_states_balance():
    with pytest.raises(DataError, match="expected a neutral block"):
        ordering_block(HOST.with_occupancies({"M": {"Y": 1.0}, "Li2": {"Li": 1.0}}))


@pytest.mark.parametrize("repeat", [(1, 1), (0, 1, 1), (1.5, 1, 1), np.zeros((3, 3)), "two"])
def test_what_is_no_block(repeat):
    with pytest.raises(DataError, match="repeat: expected three whole numbers"):
        ordering_block(HOST, repeat)


def test_two_sites_at_one_place():
    near = DisorderedStructure(
        4.0 * np.eye(3), [[0, 0, 0], [0.01, 0, 0]], ({"Li": 0.5}, {"Li": 0.5}), ("A", "B"), {"Li": 0}
    )
    with pytest.raises(DataError, match="are two sites nearer than that"):
        ordering_block(near, symprec_A=0.1)


@pytest.mark.parametrize(("repeat", "units"), [((1, 1, 1), 2), ((1, 1, 2), 4), ((2, 1, 2), 8)])
def test_formula_units_are_those_of_the_host_whatever_is_on_it(repeat, units):
    pure = HOST.with_occupancies({"M": {"In": 1.0}, "X1": {"Cl": 1.0}, "X2": {"Cl": 1.0}})
    assert ordering_block(HOST, repeat).formula_units == ordering_block(pure, repeat).formula_units == units


def test_a_block_too_large_is_refused_at_once():
    with pytest.raises(DataError, match="repeat: expected at most 1000 disordered sites, got 13122"):
        ordering_block(HOST, (9, 9, 9))
