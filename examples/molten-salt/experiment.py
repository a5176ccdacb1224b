"""Measured properties of molten sodium chloride, as the compilations give them, against which the run is compared.

Nothing here was adjusted, and of all this only the density enters the simulation.
"""

from __future__ import annotations

import math

GAS_CONSTANT = 8.314462618  # J/(mol K)
CALORIE = 4.184  # J


def density_g_per_cm3(temperature_K: float) -> float:
    """Janz et al., Molten Salts: Volume 1, NSRDS-NBS 15 (1968), 1080 to 1290 K."""
    return 2.1393 - 0.5430e-3 * temperature_K


def conductivity_S_per_m(temperature_K: float) -> float:
    """Janz et al., Molten Salts: Volume 1, NSRDS-NBS 15 (1968), 1080 to 1290 K."""
    return 100.0 * (-2.4975 + 8.0431e-3 * temperature_K - 2.2227e-6 * temperature_K**2)


def viscosity_mPa_s(temperature_K: float) -> float:
    """Janz, J. Phys. Chem. Ref. Data 9, 791 (1980), doi:10.1063/1.555634."""
    return 0.08931 * math.exp(5248.1 * CALORIE / (GAS_CONSTANT * temperature_K))


def sodium_diffusion_m2_per_s(temperature_K: float) -> float:
    """Tracer Na-22, 1073 to 1273 K: Ejima, Yamamura, Arita, J. Japan Inst. Metals 38, 859 (1974)."""
    return 1.84e-3 * math.exp(-6320.0 * CALORIE / (GAS_CONSTANT * temperature_K)) * 1e-4
