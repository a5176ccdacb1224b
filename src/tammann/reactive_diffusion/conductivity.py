"""How well each solid conducts the fluxes of the components: from Onsager coefficients, or from melting points.

With fluxes J of the free elements in the frame in which the lattice is at rest, J = B^T q, the dissipation per volume
of a solid is q.R q. R follows from its Onsager coefficients, R = B' L^+ B'^T with B' the same fluxes in the frame of
the centre of mass, and the mobility M = R^-1 gives q = -M grad mu. An element that the gas exchanges costs nothing to
move in or out, so its flux is the one that keeps the ions' charges balanced where the solid has the valences of the
mixture, and the one that dissipates least where it does not.

One component: Lambda = 1/R, per site and unit of y. Units: L in 1/(J m s), M and Lambda in sites^2/(eV m s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tammann.kinetics.growth import phase_number, table_layer
from tammann.reactive_diffusion.components import Components
from tammann.transport import TransportTable
from tammann.transport.arrhenius import arrhenius_weights
from tammann.units import A3_IN_M3, BOLTZMANN_EV_PER_K, EV_IN_J

Mode = Literal["full", "self", "equal"]

VAN_LIEMPT = 17.0
"""Activation energy of self-diffusion over kB times the melting point."""
NOMINAL_PREFACTOR_M2_PER_S = 2.853e-9
"""D at infinite temperature in van Liempt's rule, nominal: see ``conductivities``."""
NOMINAL_TABLE_OVER_RULE = 2.400
"""Geometric mean of what a table gives over what the rule gives, nominal: see ``conductivities``."""
EQUAL_ACTIVATION_ENERGY_EV = 1.8
"""Of the conductivity that all solids share in the mode ``equal``."""
EQUAL_D_M2_PER_S = 3.689e-20
"""D at 1300 K in the mode ``equal``, nominal: see ``conductivities``."""
REFERENCE_K = 1300.0


@dataclass(frozen=True, eq=False)
class Conductivities:
    """Mobilities of the components in every solid, against temperature.

    Attributes:
        temperature_K: Ascending, shape (nT,).
        mobility: Shape (nT, P, D, D), sites^2/(eV m s), symmetric and positive.
        origin: Of each solid: ``table``, ``melting point``, ``largest`` (of the others, for a solid that can
            carry none of the fluxes) or ``equal``.
        scale: Factor by which Onsager coefficients were multiplied.
    """

    temperature_K: np.ndarray
    mobility: np.ndarray
    origin: tuple[str, ...]
    scale: float

    @property
    def scalar(self) -> np.ndarray:
        """Lambda of one component, shape (nT, P)."""
        return self.mobility[:, :, 0, 0]


def conductivities(
    system: Components,
    transport: TransportTable | None,
    temperature_K: np.ndarray,
    *,
    mode: Mode = "full",
    scale: float | None = None,
) -> Conductivities:
    """Return the mobilities of every solid.

    ``full`` and ``self`` take the Onsager coefficients of the table, ln M linear in 1/T between its temperatures;
    solids without data follow van Liempt's rule, D = D0 exp(-17 Tm/T), its level set by those with data. ``equal``
    gives all solids one D with an activation energy of 1.8 eV.

    D stands for the metric of tracers: R = kB T / D sum_e b_e b_e / c_e, with b the fluxes and c_e the concentration of
    element e in equal numbers of sites of the precursors, the same for all solids and ratios (a reactant that lacks an
    element has none of its own).

    The magnitude is nominal unless a ``scale`` is given. Coefficients of a liquid-like layer are far above those that a
    powder shows, so they keep their ratios, while their geometric mean, at the table's own temperatures, is
    ``NOMINAL_TABLE_OVER_RULE`` times that of the rule. This factor, D0 = ``NOMINAL_PREFACTOR_M2_PER_S`` of the rule and
    D of ``equal`` at 1300 K rest on one observation: BaCO3 + TiO2 of 0.1 um in air, with the spreads that a recipe has
    by default, is 90 mol% BaTiO3 after 100 min at 1300 K, our reading of the "nearly pure" of Bondioli et al. (1998).
    Times in other chemistries and powders are then right in order of magnitude at best. The 1.8 eV of ``equal`` are a
    choice within the range of cation diffusion in oxides.

    Args:
        system: The solids and components.
        transport: Onsager coefficients, or None.
        temperature_K: Ascending, shape (nT,).
        mode: ``full``, ``self`` or ``equal``.
        scale: Factor on the Onsager coefficients (or on the rule, or on the equal conductivity).

    Reference:
        van Liempt, Z. Phys. 1935, 96, 534; Bondioli et al., 1998 (BaTiO3 from
        BaCO3 and TiO2).
    """
    T = np.asarray(temperature_K, dtype=float)
    basis = system.along[None, :] if system.along is not None else system.directions
    volume = site_volumes_m3(system)
    metric = _tracer_metric(system, basis, volume)
    isotropic = np.linalg.inv(metric)
    melting = np.array([system.phases[int(p)].melting_point_K or np.nan for p in system.solids], dtype=float)
    ruled = _by_melting_point(T, melting)
    P, D = len(system.solids), len(basis)
    if mode == "equal":
        D_T = EQUAL_D_M2_PER_S * np.exp(-EQUAL_ACTIVATION_ENERGY_EV / BOLTZMANN_EV_PER_K * (1 / T - 1 / REFERENCE_K))
        line = D_T / (BOLTZMANN_EV_PER_K * T) * (1.0 if scale is None else scale)
        mobility = np.broadcast_to(line[:, None, None, None] * isotropic, (T.size, P, D, D))
        return Conductivities(T, np.ascontiguousarray(mobility), ("equal",) * P, 1.0 if scale is None else scale)

    mobility = ruled[:, :, None, None] * isotropic
    origin = ["melting point"] * P
    found: dict[int, np.ndarray] = {}
    ratio: list[float] = []
    for k, formula in enumerate(system.formulas):
        if transport is None or phase_number(system.phases, formula) is None or not transport.of(formula):
            continue
        matrices = _from_table(system, k, basis, transport, T, mode)
        if matrices is not None:
            found[k] = matrices
            if np.isfinite(melting[k]):
                # at the table's own temperatures, so that the level is the same for every programme
                own = transport.temperatures_K()
                level = np.exp(np.linalg.slogdet(_from_table(system, k, basis, transport, own, mode) @ metric)[1] / D)
                ratio.append(float(np.log(level / _by_melting_point(own, melting[k : k + 1])[:, 0]).mean()))
    factor = scale
    if found:
        offset = float(np.mean(ratio)) if ratio else 0.0
        factor = NOMINAL_TABLE_OVER_RULE * np.exp(-offset) if scale is None else scale
        mobility = mobility * np.exp(offset) * factor
        for k in found:
            mobility[:, k] = found[k] * factor
            origin[k] = "table"
    else:
        factor = 1.0 if scale is None else scale
        mobility = mobility * factor
    idle = _carries_nothing(system, basis)
    if idle.any() and not idle.all():
        best = np.trace(mobility[:, ~idle], axis1=2, axis2=3).argmax(axis=1)
        mobility[:, idle] = mobility[:, ~idle][np.arange(T.size), best][:, None]
        origin = ["largest" if none else one for one, none in zip(origin, idle, strict=True)]
    return Conductivities(T, mobility, tuple(origin), float(factor))


def site_volumes_m3(system: Components) -> np.ndarray:
    """Return the volume of one lattice site of every solid, m^3, shape (P,)."""
    atoms = system.phases.composition_matrix[system.solids].sum(axis=1)
    each = np.array([system.phases[int(p)].volume_A3_per_atom for p in system.solids])
    return each * atoms / system.sites * A3_IN_M3


def _tracer_metric(system: Components, basis: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Return the resistance, times D / (kB T), that the fluxes meet where all atoms have the tracer diffusivity D.

    Each element has the concentration c_e of equal numbers of sites of the precursors: sum_e J_e^2 / c_e, the same for
    every solid and whatever the ratio of the mixture.
    """
    free = [system.phases.elements.index(element) for element in system.free]
    mixed = system.start > 0
    held = system.phases.composition_matrix[system.solids][:, free]
    # what a gas takes along, such as the O of SO2, is not in the balance of the solids, yet ions carry it
    per_site = np.maximum(system.amounts, held)[mixed] / system.sites[mixed, None]
    concentration = per_site.mean(axis=0) / volume[mixed].mean()
    moving = np.abs(basis).max(axis=0) > 1e-9
    return (basis[:, moving] / concentration[moving]) @ basis[:, moving].T


def _carries_nothing(system: Components, basis: np.ndarray) -> np.ndarray:
    """Return whether all fluxes move an element that a solid lacks, as in a pure oxide of one metal, shape (P,).

    Such a solid is no layer that fluxes cross: they end at its face, wherever that lies within a cell.
    """
    absent = np.abs(system.amounts) < 1e-9
    return np.array([gone.any() and np.linalg.matrix_rank(basis[:, gone]) == len(basis) for gone in absent])


def _by_melting_point(T: np.ndarray, melting: np.ndarray) -> np.ndarray:
    """Return D / (kB T) by van Liempt's rule, m^2/(eV s), shape (nT, P); the mean melting point where unknown."""
    known = np.where(np.isfinite(melting), melting, np.nanmean(melting) if np.isfinite(melting).any() else 1800.0)
    D = NOMINAL_PREFACTOR_M2_PER_S * np.exp(-VAN_LIEMPT * np.maximum(known / T[:, None], 1.0))
    return D / (BOLTZMANN_EV_PER_K * T[:, None])


def _from_table(
    system: Components, k: int, basis: np.ndarray, transport: TransportTable, T: np.ndarray, mode: Mode
) -> np.ndarray | None:
    """Return the mobility of one solid at every temperature, shape (nT, D, D), None where its ions cannot carry it."""
    layer = table_layer(transport, system.formulas[k], system.phases, "self" if mode == "self" else "full")
    elements = [system.phases.elements[c] for c in layer.columns]
    if any(np.abs(basis[:, f]).max() > 1e-9 and e not in elements for f, e in enumerate(system.free)):
        return None
    flux = np.zeros((len(basis), len(elements)))
    for f, element in enumerate(system.free):
        if element in elements:
            flux[:, elements.index(element)] = basis[:, f]
    loose = [i for i, element in enumerate(elements) if element not in system.free]
    x, m = layer.fractions, layer.masses
    to_centre = np.eye(len(x)) - np.outer(x, m) / (m @ x)
    moved = flux @ to_centre.T
    extra = np.eye(len(x))[loose] @ to_centre.T
    tabulated = np.empty((len(layer.L), len(basis), len(basis)))
    for t, L in enumerate(layer.L):
        centred = to_centre @ L @ to_centre.T
        resistance = np.linalg.pinv((centred + centred.T) / 2.0, rcond=1e-9, hermitian=True)
        R = moved @ resistance @ moved.T
        if loose and _neutral(system, k):
            # ions that keep their valences carry no net charge
            valence = np.array([system.valence[c] for c in layer.columns])
            balancing = -(flux @ valence)[:, None] * valence[loose] / (valence[loose] @ valence[loose])
            full = moved + balancing @ extra
            R = full @ resistance @ full.T
        elif loose:
            cross = moved @ resistance @ extra.T
            R = R - cross @ np.linalg.pinv(extra @ resistance @ extra.T, hermitian=True) @ cross.T
        tabulated[t] = np.linalg.inv(R) * EV_IN_J
    lower, upper, weight = arrhenius_weights(layer.temperature_K, T)
    logs = np.array([_log(M) for M in tabulated])
    step = logs[upper] - logs[lower]
    falling = (weight < 0) & (np.trace(step, axis1=1, axis2=2) < 0)
    exponent = logs[lower] + np.where(falling, 0.0, weight)[:, None, None] * step
    return np.array([_exp(E) for E in exponent])


def _neutral(system: Components, k: int) -> bool:
    """Whether a solid is neutral with the valences that the precursors give its elements."""
    row = system.phases.composition_matrix[system.solids[k]]
    return bool(abs(row[row > 0] @ system.valence[row > 0]) < 1e-6)


def _log(matrix: np.ndarray) -> np.ndarray:
    """Return the logarithm of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.log(np.maximum(values, 1e-12 * values[-1]))) @ vectors.T


def _exp(matrix: np.ndarray) -> np.ndarray:
    """Return the exponential of a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.exp(values)) @ vectors.T
