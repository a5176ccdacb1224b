"""Numbers from histories: conversion, baselines, the flow of atoms, regimes, layers and what holds them up.

Functions take a ``History`` and return pandas tables or small frozen dataclasses. Bands are the
5th and 95th percentile over realizations (and, where the run drew energies and transport, over that ensemble).
"""

from tammann.analysis.dissipation import bottlenecks, dissipation, dissipation_by_step, gibbs_left
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
from tammann.analysis.layers import layer_thickness, layers
from tammann.analysis.parabola import ParabolicFit, fit_parabola, parabolic_growth
from tammann.analysis.profiles import Profile, frame_at, profile
from tammann.analysis.regimes import temperature_regimes

__all__ = [
    "JanderFit",
    "ParabolicFit",
    "Profile",
    "ReactionFlow",
    "beside_baselines",
    "bottlenecks",
    "conversion",
    "dissipation",
    "dissipation_by_step",
    "fallback_share",
    "final_mole_fractions",
    "fit_jander",
    "fit_parabola",
    "frame_at",
    "gibbs_left",
    "jander_curve",
    "jander_fit",
    "layer_thickness",
    "layers",
    "out_of_equilibrium",
    "parabolic_growth",
    "precursors",
    "profile",
    "reaction_flow",
    "temperature_regimes",
    "unreacted",
]
