"""A small synthetic history, for analysis, figures and the report without a run.

Its numbers come from a few lines of mass-action kinetics with invented constants: it has the shape of a run and
keeps every element to round-off, and it says nothing about barium titanate.
"""

from __future__ import annotations

import numpy as np

from tammann.history import History, LatticeRecord
from tammann.units import BOLTZMANN_EV_PER_K

__all__ = ["example_history"]

_PHASES = {  # formula: atoms of Ba, C, O, Ti; m^3/mol; kg/mol; melting point, K
    "BaO": ((1, 0, 1, 0), 2.67e-5, 0.153326, 2286.0),
    "BaCO3": ((1, 1, 3, 0), 4.60e-5, 0.197336, 1828.0),
    "TiO2": ((0, 0, 2, 1), 1.88e-5, 0.079865, 2116.0),
    "BaTiO3": ((1, 0, 3, 1), 4.09e-5, 0.233191, 1891.0),
    "Ba2TiO4": ((2, 0, 4, 1), 7.79e-5, 0.386517, 2133.0),
    "BaTi2O5": ((1, 0, 5, 2), 6.88e-5, 0.313056, 1660.0),
}
_Channel = tuple[dict[str, int], dict[str, int], int, float, float, bool]
_CHANNELS: tuple[
    _Channel, ...
] = (  # reactants, products, CO2 released, prefactor per sweep, activation energy in eV, fallback
    ({"BaO": 2, "TiO2": 1}, {"Ba2TiO4": 1}, 0, 3.0e4, 1.20, False),
    ({"BaO": 1, "TiO2": 1}, {"BaTiO3": 1}, 0, 8.0e4, 1.40, False),
    ({"Ba2TiO4": 1, "TiO2": 1}, {"BaTiO3": 2}, 0, 4.0e6, 1.90, False),
    ({"BaTiO3": 2}, {"Ba2TiO4": 1, "TiO2": 1}, 0, 1.2e3, 1.55, False),
    ({"BaTiO3": 1, "TiO2": 1}, {"BaTi2O5": 1}, 0, 3.0e5, 1.75, True),
    ({"Ba2TiO4": 1, "BaTi2O5": 1}, {"BaTiO3": 3}, 0, 6.0e6, 2.00, True),
    ({"BaCO3": 1}, {"BaO": 1}, 1, 6.0e5, 1.65, False),
    ({"BaCO3": 1, "TiO2": 1}, {"BaTiO3": 1}, 1, 8.0e4, 1.40, False),
)


def example_history(
    *,
    realizations: int = 4,
    carbonate: bool = False,
    calibrated: bool = True,
    activity: float = 1.0,
    spread: float = 0.25,
    size: int = 16,
    seed: int = 0,
) -> History:
    """Return an invented run of BaO (or BaCO3) + TiO2, 1:1, held at 1100 K and then at 1500 K.

    Args:
        realizations: Number of realizations.
        carbonate: Start from BaCO3, which releases CO2, instead of BaO.
        calibrated: Give a time in hours; else time is in sweeps.
        activity: Factor on every rate; a small one leaves precursors behind.
        spread: Standard deviation of the logarithm of each rate constant between realizations.
        size: Cells per edge of the snapshots.
        seed: Of the spread and of the snapshots.

    Example:
        >>> history = example_history()
        >>> history.phases
        ('BaO', 'TiO2', 'BaTiO3', 'Ba2TiO4', 'BaTi2O5')
        >>> history.moles.shape
        (4, 121, 5)
    """
    rng = np.random.default_rng(seed)
    phases = tuple(name for name in _PHASES if carbonate or name != "BaCO3")
    elements, columns = (("Ba", "C", "O", "Ti"), [0, 1, 2, 3]) if carbonate else (("Ba", "O", "Ti"), [0, 2, 3])
    gases = ("CO2",) if carbonate else ()
    channels = [c for c in _CHANNELS if set(c[0]) <= set(phases)]
    codes = {name: k for k, name in enumerate(phases)}

    def pairs(sides: list[dict[str, int]]) -> tuple[np.ndarray, np.ndarray]:
        code, number = np.full((len(sides), 2), -1, dtype=np.int16), np.zeros((len(sides), 2))
        for c, side in enumerate(sides):
            for place, (name, n) in enumerate(side.items()):
                code[c, place], number[c, place] = codes[name], n
        return code, number

    reactants, reactant_coefficients = pairs([c[0] for c in channels])
    products, product_coefficients = pairs([c[1] for c in channels])
    released = np.array([c[2] for c in channels], dtype=float)
    change = np.zeros((len(channels), len(phases)))
    for c, channel in enumerate(channels):
        for name, n in channel[0].items():
            change[c, codes[name]] -= n
        for name, n in channel[1].items():
            change[c, codes[name]] += n

    # 10 K/min to 1100 K, 2 h; 10 K/min to 1500 K, 2 h; 100 sweeps an hour.
    corners_h = np.cumsum([0.0, 800 / 600, 2.0, 400 / 600, 2.0])
    fine_h = np.linspace(0, corners_h[-1], 3001)
    fine_K = np.interp(fine_h, corners_h, [300.0, 1100.0, 1100.0, 1500.0, 1500.0])
    fine_stage = (fine_h > corners_h[2]).astype(int)
    frames = np.linspace(0, fine_h.size - 1, 121).astype(int)
    step = 100 * (fine_h[1] - fine_h[0])

    start = np.zeros(len(phases))
    start[[codes["BaCO3" if carbonate else "BaO"], codes["TiO2"]]] = 1.0
    moles = np.empty((realizations, frames.size, len(phases)))
    gas = np.zeros((realizations, frames.size, len(gases)))
    extent = np.zeros((realizations, 2, len(channels)))
    for r in range(realizations):
        factor = activity * rng.lognormal(0.0, spread, len(channels))
        prefactor = factor * [c[3] for c in channels]
        barrier = np.array([c[4] for c in channels])
        total = np.zeros(len(channels))
        amounts, recorded = start.copy(), 0
        for k in range(fine_h.size):
            if k == frames[recorded]:
                moles[r, recorded] = amounts
                gas[r, recorded] = (total @ released)[None] if gases else ()
                recorded += 1
            rate = prefactor * np.exp(-barrier / (BOLTZMANN_EV_PER_K * fine_K[k])) * step
            for code in reactants.T:
                rate = rate * np.where(code >= 0, amounts[code], 1.0)
            wanted = -np.minimum(change, 0).T @ rate
            rate *= min(1.0, 0.5 / max(np.max(wanted / np.maximum(amounts, 1e-300)), 1e-300))
            total += rate
            extent[r, fine_stage[k]] += rate
            amounts = start + total @ change
    volume = np.array([_PHASES[name][1] for name in phases])
    melting = np.array([_PHASES[name][3] for name in phases])

    # One fixed random field, cut at the volume fractions, so that a snapshot resembles the one before it.
    order = np.argsort(rng.random(size**3))
    snapshot_frame = np.arange(0, frames.size, 15)
    snapshots = np.empty((snapshot_frame.size, size**3), dtype=np.uint8)
    for s, frame in enumerate(snapshot_frame):
        share = moles[0, frame] * volume
        edges = np.round(np.cumsum(share) / share.sum() * size**3).astype(int)
        snapshots[s, order] = 1 + np.searchsorted(edges, np.arange(size**3), side="right").clip(max=len(phases) - 1)

    def equation(channel: _Channel) -> str:
        sides = (
            channel[0].items(),
            [*channel[1].items(), *([("CO2", channel[2])] if channel[2] else [])],
        )
        return " -> ".join(" + ".join(f"{n} {name}" if n != 1 else name for name, n in side) for side in sides)

    return History(
        phases=phases,
        elements=elements,
        gases=gases,
        composition=np.array([[_PHASES[name][0][e] for e in columns] for name in phases], dtype=float),
        gas_composition=np.array([[0.0, 1.0, 2.0, 0.0]])[: len(gases), columns],
        molar_volume_m3=volume,
        molar_mass_kg=np.array([_PHASES[name][2] for name in phases]),
        programme_h=fine_h[frames],
        calibrated=calibrated,
        temperature_K=fine_K[frames],
        stage=fine_stage[frames],
        moles=moles,
        gas_moles=gas,
        extent=extent,
        reactants=reactants,
        reactant_coefficients=reactant_coefficients,
        products=products,
        product_coefficients=product_coefficients,
        gas_coefficients=released[:, None] if gases else np.zeros((len(channels), 0)),
        equations=tuple(equation(c) for c in channels),
        fallback=np.array([c[5] for c in channels]),
        molten=fine_K[frames][:, None] > melting,
        reactive_fraction=1 - _share(moles[:, -1], phases, "BaTiO3"),
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


def _share(moles: np.ndarray, phases: tuple[str, ...], name: str) -> np.ndarray:
    return moles[:, phases.index(name)] / moles.sum(axis=1)
