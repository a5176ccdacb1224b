"""A small synthetic history, for analysis, figures and the report without a run.

Its numbers come from a few lines of mass-action kinetics with invented constants: it has the shape of a run and
keeps every element to round-off, and it says nothing about barium titanate.
``History.example()`` is the default one, saved:

    PYTHONPATH=tests python -c 'from example import *; example_history().save("src/tammann/data/example-history.npz")'

``History.example("reactive-diffusion")`` is a run of that engine, BaO + TiO2 with conductivities of a size that makes
most of it react within the programme; ``diffusion_history()``, saved as ``example-diffusion.npz``.
"""

from __future__ import annotations

import numpy as np

from tammann import load_phases, load_transport
from tammann.history import History, LatticeRecord
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.conductivity import conductivities
from tammann.reactive_diffusion.powder import mix
from tammann.reactive_diffusion.programme import Stretch, table_temperatures
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.units import BOLTZMANN_EV_PER_K

_PHASES = {  # formula: atoms of Ba, C, O, Ti; m^3/mol; kg/mol; melting point, K
    "BaO": ((1, 0, 1, 0), 2.67e-5, 0.153326, 2286.0),
    "BaCO3": ((1, 1, 3, 0), 4.60e-5, 0.197336, 1828.0),
    "TiO2": ((0, 0, 2, 1), 1.88e-5, 0.079865, 2116.0),
    "BaTiO3": ((1, 0, 3, 1), 4.09e-5, 0.233191, 1891.0),
    "Ba2TiO4": ((2, 0, 4, 1), 7.79e-5, 0.386517, 2133.0),
    "BaTi2O5": ((1, 0, 5, 2), 6.88e-5, 0.313056, 1660.0),
}
_CHANNELS = (  # equation, prefactor per sweep, activation energy in eV, fallback
    ("2 BaO + TiO2 -> Ba2TiO4", 3.0e4, 1.20, False),
    ("BaO + TiO2 -> BaTiO3", 8.0e4, 1.40, False),
    ("Ba2TiO4 + TiO2 -> 2 BaTiO3", 4.0e6, 1.90, False),
    ("2 BaTiO3 -> Ba2TiO4 + TiO2", 1.2e3, 1.55, False),
    ("BaTiO3 + TiO2 -> BaTi2O5", 3.0e5, 1.75, True),
    ("Ba2TiO4 + BaTi2O5 -> 3 BaTiO3", 6.0e6, 2.00, True),
    ("BaCO3 -> BaO + CO2", 6.0e5, 1.65, False),
    ("BaCO3 + TiO2 -> BaTiO3 + CO2", 8.0e4, 1.40, False),
)


def example_history(
    *,
    realizations: int = 4,
    carbonate: bool = False,
    calibrated: bool = True,
    activity: float = 1.0,
    size: int = 16,
    seed: int = 0,
) -> History:
    """Return an invented run of BaO (or BaCO3) + TiO2, 1:1, held at 1100 K and then at 1500 K.

    Args:
        realizations: Number of realizations.
        carbonate: Start from BaCO3, which releases CO2, instead of BaO.
        calibrated: Give a time in hours; else time is in sweeps.
        activity: Factor on every rate; a small one leaves precursors behind.
        size: Cells per edge of the snapshots.
        seed: Of the spread of the rate constants between realizations (0.25 in their logarithm) and of the snapshots.

    Example:
        >>> history = example_history()
        >>> history.phases
        ('BaO', 'TiO2', 'BaTiO3', 'Ba2TiO4', 'BaTi2O5')
        >>> history.moles.shape
        (4, 121, 5)
    """
    rng = np.random.default_rng(seed)
    phases = tuple(name for name in _PHASES if carbonate or name != "BaCO3")
    composition, volume, mass, melting = (np.array(column) for column in zip(*map(_PHASES.get, phases), strict=True))
    elements, columns = (("Ba", "C", "O", "Ti"), [0, 1, 2, 3]) if carbonate else (("Ba", "O", "Ti"), [0, 2, 3])
    gases = ("CO2",) if carbonate else ()
    equations, prefactor, barrier, fallback = zip(*_CHANNELS[: None if carbonate else 6], strict=True)
    codes = np.full((2, len(equations), 2), -1, dtype=np.int16)
    coefficients = np.zeros(codes.shape)
    released = np.zeros(len(equations))
    change = np.zeros((len(equations), len(phases)))
    for c, equation in enumerate(equations):
        for side, terms in enumerate(equation.split(" -> ")):
            for place, term in enumerate(terms.split(" + ")):
                *number, name = term.split()
                if name == "CO2":
                    released[c] = 1
                    continue
                n, k = int(*number or (1,)), phases.index(name)
                codes[side, c, place], coefficients[side, c, place] = k, n
                change[c, k] += n if side else -n

    # 10 K/min to 1100 K, 2 h; 10 K/min to 1500 K, 2 h; 100 sweeps an hour.
    corners_h = np.cumsum([0.0, 800 / 600, 2.0, 400 / 600, 2.0])
    fine_h = np.linspace(0, corners_h[-1], 3001)
    fine_K = np.interp(fine_h, corners_h, [300.0, 1100.0, 1100.0, 1500.0, 1500.0])
    fine_stage = (fine_h > corners_h[2]).astype(int)
    frames = np.linspace(0, fine_h.size - 1, 121).astype(int)
    step = 100 * (fine_h[1] - fine_h[0])

    start = np.isin(phases, ["BaCO3" if carbonate else "BaO", "TiO2"]).astype(float)
    moles = np.empty((realizations, frames.size, len(phases)))
    gas = np.zeros((realizations, frames.size, len(gases)))
    extent = np.zeros((realizations, 2, len(equations)))
    for r in range(realizations):
        factor = activity * rng.lognormal(0.0, 0.25, len(equations)) * prefactor
        total, amounts, recorded = np.zeros(len(equations)), start, 0
        for k in range(fine_h.size):
            if k == frames[recorded]:
                moles[r, recorded] = amounts
                gas[r, recorded] = total @ released
                recorded += 1
            rate = factor * np.exp(-np.array(barrier) / (BOLTZMANN_EV_PER_K * fine_K[k])) * step
            for code in codes[0].T:
                rate = rate * np.where(code >= 0, amounts[code], 1.0)
            wanted = -np.minimum(change, 0).T @ rate
            rate *= min(1.0, 0.5 / max(np.max(wanted / np.maximum(amounts, 1e-300)), 1e-300))
            total += rate
            extent[r, fine_stage[k]] += rate
            amounts = start + total @ change

    # One fixed random field, cut at the volume fractions, so that a snapshot resembles the one before it.
    order = np.argsort(rng.random(size**3))
    snapshot_frame = np.arange(0, frames.size, 15)
    snapshots = np.empty((snapshot_frame.size, size**3), dtype=np.uint8)
    for s, frame in enumerate(snapshot_frame):
        share = moles[0, frame] * volume
        edges = np.round(np.cumsum(share) / share.sum() * size**3).astype(int)
        snapshots[s, order] = 1 + np.searchsorted(edges, np.arange(size**3), side="right").clip(max=len(phases) - 1)

    return History(
        phases=phases,
        elements=elements,
        gases=gases,
        composition=composition[:, columns].astype(float),
        gas_composition=np.array([[0.0, 1.0, 2.0, 0.0]])[: len(gases), columns],
        molar_volume_m3=volume,
        molar_mass_kg=mass,
        programme_h=fine_h[frames],
        calibrated=calibrated,
        temperature_K=fine_K[frames],
        stage=fine_stage[frames],
        moles=moles,
        gas_moles=gas,
        extent=extent,
        reactants=codes[0],
        reactant_coefficients=coefficients[0],
        products=codes[1],
        product_coefficients=coefficients[1],
        gas_coefficients=released[:, None][:, : len(gases)],
        equations=equations,
        fallback=np.array(fallback),
        molten=fine_K[frames][:, None] > melting,
        reactive_fraction=1 - moles[:, -1, phases.index("BaTiO3")] / moles[:, -1].sum(axis=1),
        element_drift=np.full(realizations, 1e-15),
        metadata={"version": "synthetic", "seed": seed, "kinetics": "full", "warnings": []},
        lattice=LatticeRecord(
            sweep=np.round(100 * fine_h[frames], 6),
            ledger_moles=np.zeros_like(moles),
            snapshots=snapshots.reshape(-1, size, size, size),
            snapshot_frame=snapshot_frame,
            arrested=np.zeros(realizations, dtype=bool),
            saturated_fraction=np.zeros(realizations),
            visits=np.full(realizations, 16**3 * 600),
            kernel_seconds=np.full(realizations, 0.05),
        ),
    )


def diffusion_history(*, realizations: int = 3, mode: str = "full", cells: int = 48, scale: float = 9e-12) -> History:
    """Return a run of reactive diffusion: BaO + TiO2, 0.2 um, held at 1200 K and then at 1500 K.

    Args:
        realizations: The first has even sizes and ratios, the others spread.
        mode: Of the conductivities.
        cells: Of a particle.
        scale: Factor on the conductivities of the table.
    """
    phases, precursors = load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}
    stretches, begin = [], 300.0
    for stage, end in enumerate((1200.0, 1500.0)):  # 10 K/min, a frame every 20 K; 2 h, at squares of time
        edges = np.linspace(begin, end, round((end - begin) / 20) + 1)
        stretches += [Stretch(a, b, 6 * (b - a), stage) for a, b in zip(edges, edges[1:], strict=False)]
        stretches += [Stretch(end, end, s, stage) for s in np.diff((np.arange(17) / 16) ** 2 * 7200.0)]
        begin = end
    system = components(phases, precursors, [300.0, 1500.0])
    grid = table_temperatures(stretches, system.temperature_K)
    transport = load_transport("karan-2026")
    conduct = conductivities(system, transport, grid, mode=mode, scale=scale)
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
    solids = [system.formulas.index(name) for name in precursors]
    told = {"version": "example", "seed": 0, "engine": "reactive-diffusion", "conductivity": mode, "warnings": []}
    runs = []
    for number in range(realizations):
        spread = {"size_spread": 0.3, "mixing_spread": 0.05} if number else {}
        rng = np.random.default_rng(number)
        powder = mix([1.0, 1.0], solids, volumes, [2e-7, 2e-7], cells=cells, rng=rng, **spread)
        runs.append(simulate_powder(powder, system, conduct, stretches, metadata=told))
    return History.join(runs)
