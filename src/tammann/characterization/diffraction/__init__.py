"""Diffraction by powders of clusters, crystals, glasses and polycrystals: patterns, pair functions, grain sizes."""

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.debye import debye_pattern
from tammann.characterization.diffraction.form_factors import debye_waller, scattering_amplitudes
from tammann.characterization.diffraction.pattern import PowderPattern
from tammann.characterization.diffraction.periodic import periodic_pattern

__all__ = [
    "PowderPattern",
    "Resolution",
    "debye_pattern",
    "debye_waller",
    "periodic_pattern",
    "scattering_amplitudes",
]
