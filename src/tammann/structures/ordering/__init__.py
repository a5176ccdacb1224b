"""Orderings of disordered crystals: counted, enumerated, sampled and ranked by their electrostatic energy."""

from tammann.structures.ordering.block import OrderingBlock, Sublattice, ordering_block, smallest_multiple
from tammann.structures.ordering.counting import OrderingCount, count_orderings
from tammann.structures.ordering.disordered import (
    VACANCY,
    DisorderedStructure,
    disordered_crystal,
    read_disordered,
)
from tammann.structures.ordering.enumeration import enumerate_orderings
from tammann.structures.ordering.ewald import EwaldEnergies, ewald_energies, ewald_matrix, with_ewald
from tammann.structures.ordering.orderings import Orderings
from tammann.structures.ordering.sampling import canonical_arrangements, sample_by_energy, sample_orderings
from tammann.structures.ordering.selection import Selection, select_orderings, selection_probabilities

__all__ = [
    "VACANCY",
    "DisorderedStructure",
    "EwaldEnergies",
    "OrderingBlock",
    "OrderingCount",
    "Orderings",
    "Selection",
    "Sublattice",
    "canonical_arrangements",
    "count_orderings",
    "disordered_crystal",
    "enumerate_orderings",
    "ewald_energies",
    "ewald_matrix",
    "ordering_block",
    "read_disordered",
    "sample_by_energy",
    "sample_orderings",
    "select_orderings",
    "selection_probabilities",
    "smallest_multiple",
    "with_ewald",
]
