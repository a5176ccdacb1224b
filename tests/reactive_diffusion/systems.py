"""Small tables of energies, made up, and powders for the tests of reactive diffusion."""

from types import SimpleNamespace

import numpy as np

from tammann import load_phases
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.conductivity import conductivities
from tammann.reactive_diffusion.powder import mix
from tammann.reactive_diffusion.programme import Stretch, table_temperatures
from tammann.reactive_diffusion.tables import Tables, tabulate

HEADER = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
CAS = """CaO,-3.290,13.9,2886
Al2O3,-3.473,8.5,2345
SiO2,-3.147,12.6,1996
CaSiO3,-3.390,13.3,1817
Ca2SiO4,-3.425,12.6,2403
Ca3Si2O7,-3.415,12.7,1737
Ca3SiO5,-3.390,13.3,2343
CaAl2O4,-3.445,12.6,1878
CaAl4O7,-3.455,12.0,2038
Ca3Al2O6,-3.405,13.4,1815
Al6Si2O13,-3.375,10.7,2123
Ca2Al2SiO7,-3.444,12.4,1863
CaAl2Si2O8,-3.375,12.9,1826
Ca3Al2Si3O12,-3.436,10.4,1500
Ca4Al6O13,-3.430,12.5,1800"""
SALTS = "LiCl,-2.117,17.0,883\nNaF,-2.974,12.3,1269\nLiF,-3.192,8.1,1118\nNaCl,-2.130,22.4,1074"
REDOX = """NiO,-1.242,9.1,2228
Fe2O3,-1.711,10.0,1838
Fe3O4,-1.660,10.6,1870
FeO,-1.410,10.0,1650
NiFe2O4,-1.610,10.4,1933
Fe,0,11.8,1811
Ni,0,10.9,1728"""


def phases_of(rows, folder):
    """The phases of a table of energies, written to a folder."""
    path = folder / "energies.csv"
    path.write_text(HEADER + "\n".join(f"{row},0.01" for row in rows.splitlines()) + "\n")
    return load_phases(str(path))


def hold(temperature_K, seconds, frames=1):
    return [Stretch(temperature_K, temperature_K, seconds / frames, 0) for _ in range(frames)]


def prepare(phases, precursors, stretches, *, gas=None, transport=None, mode="full", scale=None, cells=60, radius=1e-7):
    """System, conductivities, tables and a powder, as a workflow would put them together."""
    temperatures = [T for s in stretches for T in (s.start_K, s.end_K)]
    system = components(phases, precursors, temperatures, partial_pressure_Pa=gas)
    grid = table_temperatures(stretches, system.temperature_K)
    conduct = conductivities(system, transport, grid, mode=mode, scale=scale)
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
    solids = [system.formulas.index(f) for f in precursors]
    powder = mix(list(precursors.values()), solids, volumes, [radius] * len(solids), cells=cells)
    return SimpleNamespace(system=system, conduct=conduct, tables=tabulate(system, conduct), powder=powder)


def toy_tables(y, g, conductivity, volume=1.0, temperature_K=(900.0, 1100.0)):
    """Tables of one component with energies and conductivities that do not depend on temperature."""
    P = len(y)
    return Tables(
        temperature_K=np.array(temperature_K),
        gibbs_eV=np.tile(np.asarray(g, float), (2, 1)),
        mobility=np.tile(np.broadcast_to(np.asarray(conductivity, float), P)[:, None, None], (2, 1, 1, 1)),
        volume_m3=np.broadcast_to(np.asarray(volume, float), P).copy(),
        composition=np.asarray(y, float)[:, None],
        gas_content=np.zeros((P, 0)),
        release_only=np.zeros(0, dtype=bool),
        start=np.array([k in (0, P - 1) for k in range(P)]),
        scalar=True,
    )


def filled(chain, tables, ends=(0, -1)):
    """Moles of sites of two solids in the two layers of a chain."""
    content = np.zeros((len(chain.volume_m3), len(tables.volume_m3)))
    for layer, solid in enumerate(ends):
        here = chain.layer == layer
        content[here, solid] = chain.volume_m3[here] / tables.volume_m3[solid]
    return content
