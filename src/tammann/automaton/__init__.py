"""The kinetics of reacting grains on a grid: a cellular automaton driven by a table of rates."""

from tammann.automaton.engine import simulate
from tammann.automaton.microstructure import Microstructure, mix_powders, regrind

__all__ = ["Microstructure", "mix_powders", "regrind", "simulate"]
