"""Balanced reactions between phases, and the Gibbs energy each releases."""

from tammann.reactions.enumeration import balanced_combinations, enumerate_reactions, most_exergonic, reaction_blocks
from tammann.reactions.reaction import Reaction, Reactions, reaction_energy

__all__ = [
    "Reaction",
    "Reactions",
    "balanced_combinations",
    "enumerate_reactions",
    "most_exergonic",
    "reaction_blocks",
    "reaction_energy",
]
