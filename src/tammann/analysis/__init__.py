"""Numbers from histories: conversion, baselines, the flow of atoms, temperature regimes, Jander's law.

Functions take a ``History`` and return pandas tables or small frozen dataclasses. Bands are the
5th and 95th percentile over realizations (and, where the run drew energies and transport, over that ensemble).
"""

from tammann.analysis.flow import ReactionFlow, fallback_share, reaction_flow
from tammann.analysis.fractions import (
    beside_baselines,
    conversion,
    final_mole_fractions,
    out_of_equilibrium,
    precursors,
    unreacted,
)
from tammann.analysis.jander import JanderFit, fit_jander, jander_curve, jander_fit
from tammann.analysis.regimes import temperature_regimes

__all__ = [
    "JanderFit",
    "ReactionFlow",
    "beside_baselines",
    "conversion",
    "fallback_share",
    "final_mole_fractions",
    "fit_jander",
    "jander_curve",
    "jander_fit",
    "out_of_equilibrium",
    "precursors",
    "reaction_flow",
    "temperature_regimes",
    "unreacted",
]
