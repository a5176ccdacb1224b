"""A database without molecular dynamics: made-up states in a file."""

import numpy as np

from tammann.characterization import pair_distribution
from tammann.diffusivity.features import structure_features
from tammann.structures import Configuration
from tammann.workflows.database.store import FILE, Store

KB = 8.617333262e-5
DEFAULT = {"Li2O": ({"Li": 2, "O": 1}, 0.3), "Li2S": ({"Li": 2, "S": 1}, 0.2), "LiF": ({"Li": 1, "F": 1}, 0.4)}


def atoms_of(formula_atoms, seed=0, a=8.0, count=24):
    rng = np.random.default_rng(seed)
    unit = [symbol for symbol, n in formula_atoms.items() for _ in range(n)]
    symbols = tuple((unit * (count // len(unit)))[:count])
    return Configuration(symbols, rng.uniform(size=(len(symbols), 3)) * a, a * np.eye(3))


def state(formula="Li2O", T=1500.0, D=1e-9, **changes):
    row = {
        "formula": formula, "temperature_K": T, "ion": "Li", "potential": "toy", "engine": "ase", "atoms": 24,
        "duration_ps": 20.0, "volume_per_atom_A3": 20.0, "density_g_per_cm3": 2.0, "pressure_GPa": 0.0,
        "energy_eV_per_atom": -4.0, "D_m2_per_s": D, "D_stderr_m2_per_s": 0.1 * D, "log_log_slope": 1.0, "diffusive": 1,
        "crystalline": 0, "volume_converged": 1, "frames": "frames/x", "n_frames": 1, "notes": [],
        "provenance": {"fingerprint": {}},
    }  # fmt: skip
    return row | changes


def made_up_store(folder, *, seed=0, shift=0.0, formulas=None):
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder / FILE)
    store.describe(tammann="0", plan={})
    compositions = formulas or DEFAULT
    for k, (formula, (counts, Ea)) in enumerate(compositions.items()):
        frame = atoms_of(counts, seed=seed + k)
        for T in (1000.0, 1500.0, 2000.0):
            D = 1e-7 * np.exp(-Ea / (KB * T) + shift)
            store.keep(
                state(formula, T, D),
                features=structure_features(frame, temperature_K=T),
                elements={s: {"fraction": n / sum(counts.values()), "D_m2_per_s": D, "D_stderr_m2_per_s": None,
                              "diffusive": 1} for s, n in counts.items()},
                distribution=pair_distribution(frame, cutoff_A=4.0, threads=1),
            )  # fmt: skip
    return store
