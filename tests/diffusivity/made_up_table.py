"""A small synthetic table: compositions, features and diffusivities that follow a known law."""

import numpy as np

from tammann.diffusivity.composition_features import composition_features
from tammann.diffusivity.table import DiffusivityTable

FORMULAS = ("LiF", "Li2O", "Li2S", "Li3N", "LiCl", "Li3PO4", "Li2SiO3", "LiAlO2", "Li3PS4", "Li4SiO4", "LiBH4",
            "Li2CO3", "LiNaS", "Li5Br", "Li3OCl", "Li7P3S11", "LiPO3", "Li2SO4", "LiTiO2", "LiZnP")  # fmt: skip
EXTRA = ("LNC", "LLB", "PF")
COEFFICIENTS = {"LNC": -0.1, "LLB": 0.11, "PF": -2.0}


def made_up_table(noise=0.0, seed=1, temperatures=(1000.0, 1500.0, 2000.0, 2500.0), spread_eV=0.0):
    """ln D (m²/s) = -0.33 eV/(kB T) - 0.1 LNC + 0.11 LLB - 2 PF - 13, with noise of a composition and of a row.

    Activation energies of compositions differ with a standard deviation of ``spread_eV``.
    """
    rng = np.random.default_rng(seed)
    rows, formulas, ln_D = [], [], []
    for formula in FORMULAS:
        known = composition_features(formula)
        own = {"LNC": rng.uniform(8, 28), "LLB": rng.uniform(1, 15), "PF": rng.uniform(0.2, 0.7)}
        shift = rng.normal(0, noise)
        energy = 0.33 + (rng.normal(0, spread_eV) if spread_eV else 0.0)
        for T in temperatures:
            local = {name: value * rng.normal(1, 0.02) for name, value in own.items()}
            rows.append({"temperature_K": T, **local, **known})
            formulas.append(formula)
            law = -energy / (8.617333262e-5 * T) + sum(c * local[name] for name, c in COEFFICIENTS.items()) - 13.0
            ln_D.append(law + shift + rng.normal(0, 0.3 * noise))
    names = tuple(rows[0])
    features = np.array([[row[name] for name in names] for row in rows])
    return DiffusivityTable(tuple(formulas), names, features, np.exp(ln_D), "made up")
