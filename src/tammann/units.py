"""Physical constants (CODATA 2018, exact by the SI of 2019 but for atomic masses) and conversions.

Inside the library energies are eV, temperatures K, pressures Pa; lengths are Angstrom and times ps until
transport coefficients have been computed, metres and seconds afterwards.
"""

BOLTZMANN_J_PER_K = 1.380649e-23
BOLTZMANN_EV_PER_K = 8.617333262e-5
AVOGADRO_PER_MOL = 6.02214076e23
ELEMENTARY_CHARGE_C = 1.602176634e-19
EV_IN_J = ELEMENTARY_CHARGE_C
GAS_CONSTANT_J_PER_MOL_K = 8.31446261815324
KJ_PER_MOL_IN_EV = 1e3 / (AVOGADRO_PER_MOL * EV_IN_J)
"""eV per particle in 1 kJ/mol."""

STANDARD_PRESSURE_PA = 1e5
ATMOSPHERE_PA = 101325.0

A3_IN_M3 = 1e-30
A3_IN_CM3_PER_MOL = 0.602214076
"""Molar volume of 1 Å3 per particle."""
ONSAGER_PER_CM_S_EV_IN_SI = 100.0 / EV_IN_J
"""1/(J m s) in 1/(eV cm s)."""

ROOM_TEMPERATURE_K = 298.15
SECONDS_PER_HOUR = 3600.0

COULOMB_EV_A = 14.399645478425668
"""e2/(4 pi eps0), eV Å."""
EV_PER_A3_IN_GPA = 160.21766339999998
"""GPa in 1 eV/Å3."""
EV_PER_A_U_IN_A_PER_PS2 = 9648.533212331002
"""Acceleration in Å/ps2 of one atomic mass unit under a force of 1 eV/Å."""
BAR_IN_GPA = 1e-4
