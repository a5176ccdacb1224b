"""Numbers and degeneracies of orderings beside SHRY (Prayogo et al., doi 10.1021/acs.jcim.2c00389), where installed."""

from collections import Counter

import pytest
from pymatgen.core import Lattice, Structure

from tammann.structures.ordering import DisorderedStructure, enumerate_orderings, ordering_block

shry = pytest.importorskip("shry")

CASES = [
    (Structure(Lattice.orthorhombic(3, 4, 5), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]]), (2, 2, 3)),
    (Structure([[0, 2, 2], [2, 0, 2], [2, 2, 0]], [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]]), (2, 2, 3)),
    (
        Structure(Lattice.cubic(4), [{"Cu": 0.5, "Au": 0.5}, {"Ag": 0.25, "Pd": 0.75}], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        (2, 2, 1),
    ),
    (
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(4), [{"Cu": 0.25, "Au": 0.25, "Ag": 0.5}], [[0, 0, 0]]),
        (1, 1, 2),
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("structure", "repeat"), CASES)
def test_shry(structure, repeat):
    charges = {"Cu": 0, "Au": 0, "Ag": 0, "Pd": 0}
    found = enumerate_orderings(
        ordering_block(DisorderedStructure.from_pymatgen(structure).with_charges(charges), repeat)
    )
    theirs = list(shry.Substitutor(structure * repeat).weights())
    assert Counter(found.degeneracies.tolist()) == Counter(theirs)
