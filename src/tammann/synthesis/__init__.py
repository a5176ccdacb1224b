"""Precursors of a target: sets that balance, and published criteria to choose among them."""

from tammann.synthesis.exchange import OpenSystem, Surroundings
from tammann.synthesis.precursor_list import Precursor, choose_precursors, load_precursors
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.synthesis.ranking import CRITERIA, rank_precursors
from tammann.synthesis.sets import precursor_sets

__all__ = [
    "CRITERIA",
    "OpenSystem",
    "Precursor",
    "PrecursorSet",
    "Surroundings",
    "choose_precursors",
    "load_precursors",
    "precursor_sets",
    "rank_precursors",
]
