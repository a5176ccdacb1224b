"""The score of a reaction: how often a contact of its reactants reacts, from its growth constant and Gibbs energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tammann.kinetics.options import KineticsOptions
from tammann.units import BOLTZMANN_EV_PER_K, BOLTZMANN_J_PER_K, EV_IN_J


def sigma1(x: ArrayLike, *, a: float = 3.0, linear_above: float | None = None) -> np.ndarray:
    """Return the softplus (1/a) ln(1 + exp(a x)), which is max(0, x) but for a smooth corner, without overflow.

    Args:
        x: Reduced growth constant, any shape, dimensionless.
        a: Sharpness of the corner.
        linear_above: x above which it is x itself, None for nowhere.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, eq. 9.

    Example:
        >>> sigma1([0.0, 1e6]).round(4).tolist()
        [0.231, 1000000.0]
    """
    value = np.asarray(x, dtype=float)
    smooth = np.logaddexp(0.0, a * value) / a
    return smooth if linear_above is None else np.where(value < linear_above, smooth, value)


def sigma2(temperature_ratio: ArrayLike, *, b: float = 14.0, c: float = 11.2, prefactor: float = 0.5) -> np.ndarray:
    """Return Tammann's rule as a smooth onset, prefactor times ln(1 + exp(b T/Tm - c)).

    Args:
        temperature_ratio: T/Tm, any shape.
        b: Slope.
        c: Offset; the onset lies at T/Tm = c/b.
        prefactor: 1/2 in the paper, 1 in its authors' code.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, eq. 9; Gallant et al., Chem. Mater. 2025, 37,
        210.

    Example:
        >>> sigma2([0.5, 0.8, 1.0]).round(3).tolist()
        [0.007, 0.347, 1.43]
    """
    return prefactor * np.logaddexp(0.0, b * np.asarray(temperature_ratio, dtype=float) - c)


def onset(temperature_ratio: ArrayLike, options: KineticsOptions) -> np.ndarray:
    """Return ``sigma2`` with the constants of the options."""
    return sigma2(temperature_ratio, b=options.b, c=options.c, prefactor=options.sigma2_prefactor)


def driving_factor(dG_eV_per_atom: ArrayLike, *, d: float = 35.0, e: float = 0.03) -> np.ndarray:
    """Return dG* = 1 + erf(-d (dG + e)), between 0 (uphill) and 2 (downhill).

    Args:
        dG_eV_per_atom: Gibbs energy of the reaction, eV per atom, any shape.
        d: Slope, per (eV/atom).
        e: Offset, eV per atom.

    Example:
        >>> driving_factor([-0.2, -0.03, 0.0]).round(3).tolist()
        [2.0, 1.0, 0.138]
    """
    from scipy.special import erfc

    return np.asarray(erfc(d * (np.asarray(dG_eV_per_atom, dtype=float) + e)))


def net_factor(dG_eV_per_atom: ArrayLike, temperature_K: ArrayLike) -> np.ndarray:
    """Return the net over the forward rate, max(0, 1 - exp(dG / kB T)): 0 at equilibrium and uphill, 1 far downhill.

    Args:
        dG_eV_per_atom: Gibbs energy of the reaction, eV per atom.
        temperature_K: Temperature, K, of a shape that broadcasts with it.

    Example:
        >>> net_factor([-1.0, 0.0, 0.1], 1000.0).round(3).tolist()
        [1.0, 0.0, 0.0]
    """
    ratio = np.asarray(dG_eV_per_atom, dtype=float) / (BOLTZMANN_EV_PER_K * np.asarray(temperature_K, dtype=float))
    return np.abs(np.expm1(np.minimum(ratio, 0.0)))


def nucleation_factor(
    dG_eV_per_atom: ArrayLike, temperature_K: ArrayLike, *, gamma_J_per_m2: float, volume_A3_per_atom: ArrayLike
) -> np.ndarray:
    """Return exp(-16 pi gamma³ / (3 dg_v² kB T)), the share of attempts that pass the barrier of classical nucleation.

    dg_v is the Gibbs energy per volume of product, ``dG_eV_per_atom`` over ``volume_A3_per_atom``; 0 where dG is not
    negative, 1 where gamma is zero.

    Args:
        dG_eV_per_atom: Gibbs energy of the reaction, eV per atom.
        temperature_K: Temperature, K.
        gamma_J_per_m2: Interface energy gamma.
        volume_A3_per_atom: Volume of the solid products per atom of the reaction, cubic Angstrom.

    Example:
        >>> nucleation_factor([-0.1, 0.0], 1000.0, gamma_J_per_m2=0.01, volume_A3_per_atom=13.0).round(3).tolist()
        [0.999, 0.0]
    """
    dG = np.asarray(dG_eV_per_atom, dtype=float)
    if gamma_J_per_m2 == 0.0:
        return np.ones(np.broadcast_shapes(dG.shape, np.shape(temperature_K), np.shape(volume_A3_per_atom)))
    per_volume = np.minimum(dG, 0.0) * EV_IN_J / (np.asarray(volume_A3_per_atom) * 1e-30)
    thermal = BOLTZMANN_J_PER_K * np.asarray(temperature_K, dtype=float)
    with np.errstate(divide="ignore"):
        return np.exp(-16.0 * np.pi * gamma_J_per_m2**3 / (3.0 * per_volume**2 * thermal))


def reduced_growth(
    growth_constant_m2_per_s: ArrayLike,
    dG_eV_per_atom: ArrayLike,
    temperature_K: ArrayLike,
    *,
    scale: float,
    radius_m: ArrayLike = 1e-7,
    options: KineticsOptions | None = None,
    local_equilibrium: ArrayLike = False,
) -> np.ndarray:
    """Return x = K_D dG* / (r0² kB T s), dimensionless, without dG* where K_D vanishes with dG itself.

    Args:
        growth_constant_m2_per_s: K_D.
        dG_eV_per_atom: Gibbs energy of the reaction, eV per atom.
        temperature_K: T; kB T is in eV.
        scale: s, 1/(s eV).
        radius_m: r0, m.
        options: The constants d and e, the prefactor of dG*, and whether the score is literal, which always has dG*.
        local_equilibrium: Where K_D comes from the difference between local equilibria, and holds the driving force.

    Example:
        >>> float(reduced_growth(1e-8, -0.3, 1100.0, scale=2e7).round(2))
        1.05
    """
    chosen = options or KineticsOptions()
    star = chosen.driving_prefactor * driving_factor(dG_eV_per_atom, d=chosen.d, e=chosen.e)
    if chosen.score == "repaired":
        star = np.where(local_equilibrium, 1.0, star)
    thermal = BOLTZMANN_EV_PER_K * np.asarray(temperature_K, dtype=float)
    return np.asarray(growth_constant_m2_per_s) * star / (np.asarray(radius_m) ** 2 * thermal * scale)


def score(
    x: ArrayLike,
    dG_eV_per_atom: ArrayLike,
    temperature_K: ArrayLike,
    melting_point_K: ArrayLike,
    *,
    options: KineticsOptions,
    local_equilibrium: ArrayLike = False,
) -> np.ndarray:
    """Return the score of a reaction, dimensionless and 0 or more.

    Where ``x`` is NaN, there are no transport data and (1/2)[1 + erf(-d (dG + e))] replaces sigma1; see
    ``KineticsOptions`` for both forms. All arguments broadcast.

    Args:
        x: Reduced growth constant; NaN for the thermodynamic score.
        dG_eV_per_atom: Gibbs energy of the reaction, eV per atom.
        temperature_K: T, K.
        melting_point_K: The lowest melting point among the solid reactants, K.
        options: Constants and form.
        local_equilibrium: Where the growth constant comes from the difference between local equilibria. It is in
            proportion to -dG and so net already: the repaired score then has a step for its net factor, 1 downhill and
            0 uphill, as ``reduced_growth`` leaves out dG*, or the driving force would count twice and three times.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, eq. 9; the thermodynamic score: Gallant et al.,
        Chem. Mater. 2025, 37, 210.

    Example:
        >>> score(1.0, [-0.1, 0.0], 1500.0, 1891.0, options=KineticsOptions()).round(3).tolist()
        [0.137, 0.0]
    """
    reduced = np.asarray(x, dtype=float)
    dG = np.asarray(dG_eV_per_atom, dtype=float)
    temperature = np.asarray(temperature_K, dtype=float)
    thermodynamic = 0.5 * driving_factor(dG, d=options.d, e=options.e)
    no_data = np.isnan(reduced)
    diffusive = sigma1(np.where(no_data, 0.0, reduced), a=options.a, linear_above=options.sigma1_linear_above)
    if options.score == "repaired":
        diffusive = np.maximum(diffusive - sigma1(0.0, a=options.a), 0.0)
    elif options.thermodynamic_above_eV_per_atom is not None:
        diffusive = np.where(dG > options.thermodynamic_above_eV_per_atom, thermodynamic, diffusive)
    value = onset(temperature / np.asarray(melting_point_K), options) * np.where(no_data, thermodynamic, diffusive)
    if options.score == "repaired":
        net = np.where(np.asarray(local_equilibrium) & ~no_data, (dG < 0.0).astype(float), net_factor(dG, temperature))
        value = value * net
    return value if options.cap is None else np.minimum(value, options.cap)


def melt_exchange(temperature_ratio: ArrayLike, *, above: float | None = 0.8) -> np.ndarray:
    """Return the share of visits in which a cell changes place with a neighbour because it is molten, 0 to 1.

    max(0, [f(T/Tm) - f(c)] / [1 - f(c)]) with c ``above`` and f = 1/2 + y / (2 sqrt(1 + y²)), y = 20 T/Tm - 18.5, the
    algebraic sigmoid of ReactCA, which is one half at T/Tm = 0.925. That falls off so slowly (0.04 at T/Tm = 0.8, 0.001
    at 0.2) that with it alone cold solids would never stop changing places and a mixture would never arrest.

    Args:
        temperature_ratio: T/Tm, any shape.
        above: c, T/Tm at and below which nothing moves; None for ReactCA's sigmoid as it is.

    Reference:
        Gallant, McDermott, Li, Persson, Chem. Mater. 2025, 37, 210; form and constants as in its public code
        (mcgalcode/rxn-ca, core/liquid_swap_controller.py).

    Example:
        >>> melt_exchange([0.5, 0.8, 0.925, 1.1]).round(3).tolist()
        [0.0, 0.0, 0.481, 0.98]
        >>> melt_exchange([0.5, 0.8, 0.925, 1.1], above=None).round(3).tolist()
        [0.003, 0.036, 0.5, 0.981]
    """

    def sigmoid(ratio: ArrayLike) -> np.ndarray:
        y = 20.0 * np.asarray(ratio, dtype=float) - 18.5
        return np.asarray(0.5 + y / (2.0 * np.sqrt(1.0 + y * y)))

    share = sigmoid(temperature_ratio)
    if above is None:
        return share
    floor = sigmoid(above)
    return np.maximum(share - floor, 0.0) / (1.0 - floor)
