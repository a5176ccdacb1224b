"""Diffraction by powders of clusters, crystals, glasses and polycrystals: patterns, pair functions, grain sizes."""

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.debye import debye_pattern
from tammann.characterization.diffraction.form_factors import debye_waller, scattering_amplitudes
from tammann.characterization.diffraction.measured import (
    Agreement,
    MeasuredPattern,
    compare_with_measured,
    read_measured,
)
from tammann.characterization.diffraction.pattern import PowderPattern
from tammann.characterization.diffraction.periodic import periodic_pattern
from tammann.characterization.diffraction.powder import Diffraction, diffract
from tammann.characterization.diffraction.real_space import (
    PairFunction,
    pair_function,
    pair_function_of_distances,
)
from tammann.characterization.diffraction.size import (
    Peak,
    WilliamsonHall,
    fit_peaks,
    scherrer_diameter,
    williamson_hall,
    without_instrument,
)
from tammann.characterization.diffraction.two_theta import polarization, q_of, two_theta_of, wavelength_of

__all__ = [
    "Agreement",
    "Diffraction",
    "MeasuredPattern",
    "PairFunction",
    "Peak",
    "PowderPattern",
    "Resolution",
    "WilliamsonHall",
    "compare_with_measured",
    "debye_pattern",
    "debye_waller",
    "diffract",
    "fit_peaks",
    "pair_function",
    "pair_function_of_distances",
    "periodic_pattern",
    "polarization",
    "q_of",
    "read_measured",
    "scattering_amplitudes",
    "scherrer_diameter",
    "two_theta_of",
    "wavelength_of",
    "williamson_hall",
    "without_instrument",
]
