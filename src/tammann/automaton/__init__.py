"""The automaton of reacting grains: a microstructure, a Markov process on it, and the history it leaves."""

from tammann.automaton.history import History
from tammann.automaton.microstructure import Microstructure, mix_powders, regrind
from tammann.automaton.simulate import simulate

__all__ = ["History", "Microstructure", "mix_powders", "regrind", "simulate"]
