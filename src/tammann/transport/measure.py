"""From displacement correlations to Onsager coefficients with standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tammann.errors import DataError
from tammann.transport.arrhenius import CHANCE
from tammann.transport.correlations import Correlations, frame_elements, same_system
from tammann.transport.measurement import BlockErrors, OnsagerMeasurement
from tammann.transport.onsager import OnsagerCoefficients
from tammann.transport.regime import FULL_WEIGHTS, Regime, find_regime, fit_weights
from tammann.transport.slope_fit import SlopeWeights, spread_lags
from tammann.units import A3_IN_M3, BOLTZMANN_J_PER_K

A2_PER_PS_IN_SI = 1e-8
"""m²/s in 1 Å²/ps."""

FEWEST_IONS = 5
"""With fewer ions of a kind their scatter says too little."""

FULL = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
"""Where the nine components of a symmetric tensor stand among xx, yy, zz, yz, xz, xy."""


def measure_onsager(
    correlations: Correlations | Sequence[Correlations],
    *,
    temperature_K: float | None = None,
    regime_ps: tuple[float, float] | None = None,
    stretches: Sequence[Correlations] = (),
) -> OnsagerMeasurement:
    """Return the Onsager coefficients of a trajectory, or of several replicas together, with standard errors.

    L_ij = 1/(6 kB T V) d/dt <dX_i . dX_j>; L_self_i = N_i/(6 kB T V) d/dt <dr²>_i. Slopes are generalised least squares
    over the regime, offsets free, with the covariance of Brownian motion and of what the offsets show of the motion
    before it. For the collective slopes b_ij = tr B_ij of a Gaussian process Cov(b_ij, b_kl) follows from Wick's
    theorem as ``SlopeWeights`` states, the estimates standing for the truth; their own noise widens the intervals a
    little, which keeps a 95 % interval covering 93 to 97 % also where the trajectory holds few independent stretches.

    Real ions are not independent Gaussian walkers. Where the scatter of the single ions of a species, the spread over
    three or more replicas, or that over stretches of the trajectories is larger than chance allows (p < 0.01), the
    errors are widened to it, and a note says so.

    Args:
        correlations: Of one trajectory, or of replicas: the same ions, frame and interval.
        temperature_K: K; needed where the correlations do not carry one.
        regime_ps: First and last time of the linear regime, ps; found by the rule of ``find_regime`` where None.
        stretches: Of all replicas, as ``correlations_of_stretches`` returns them; their spread checks the errors.

    Raises:
        DataError: No temperature, replicas that do not fit together, a regime outside the data.

    Reference:
        Bullerjahn, von Bülow, Hummer, J. Chem. Phys. 2020, 153, 024116, doi 10.1063/5.0008312 (single particles);
        the covariances between species follow from Wick's theorem.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations
        >>> walk = Trajectory.example()
        >>> measured = measure_onsager(displacement_correlations(walk, frame="laboratory"))
        >>> bool(abs(measured.D_m2_per_s[0] - 1.25e-10) < 3 * measured.D_stderr[0])
        True
    """
    replicas = same_system(correlations)
    first = replicas[0]
    temperature = first.temperature_K if temperature_K is None else temperature_K
    if temperature is None:
        raise DataError("temperature_K is not known; the trajectory does not say it, so give temperature_K.")
    if not np.isfinite(temperature) or temperature <= 0:
        raise DataError(f"temperature_K is {temperature}, expected a number above 0 K.")
    regime = find_regime(replicas, regime_ps=regime_ps)
    # the longest one always is: the regime lies within it
    needed_ps = min(2.0 * regime.from_ps, regime.to_ps) * (1.0 - 1e-9)
    long_enough = [replica for replica in replicas if replica.times_ps[-1] >= needed_ps]
    measurement, uneven = _estimate(long_enough, float(temperature), regime, stretches)
    measurement = replace(measurement, blocks=block_errors(stretches, measurement))
    measurement, spread = _widened(measurement)
    short = len(replicas) - len(long_enough)
    return replace(measurement, notes=_notes(measurement, long_enough, uneven, spread, short))


def _estimate(
    replicas: list[Correlations], temperature: float, regime: Regime, stretches: Sequence[Correlations] = ()
) -> tuple[OnsagerMeasurement, tuple[str, ...]]:
    """Slopes over a regime with the errors of a Gaussian process, and the species whose ions scatter more than that."""
    first = replicas[0]
    lags = spread_lags(round(regime.from_ps / first.frame_interval_ps), round(regime.to_ps / first.frame_interval_ps))
    fits = [
        fit_weights(replica.self_part(), first.counts, lags[lags < replica.self_A2.shape[-1]], replica.n_frames)
        for replica in replicas
    ]
    shares = np.array([1.0 / fit.variances[0] for fit in fits])
    shares /= shares.sum()
    # the same weight for the same lag in every replica, as nearly as their lengths allow
    v = np.einsum("r,rv->v", shares**2, np.array([fit.variances for fit in fits]))

    def pooled(curves: list[np.ndarray], weights: str = "weights") -> tuple[np.ndarray, np.ndarray]:
        """Slopes (or offsets) of each replica, and their mean as tensors."""
        each = np.stack([c[..., fit.lags] @ getattr(fit, weights) for c, fit in zip(curves, fits, strict=True)])
        return each, np.einsum("r,r...->...", shares, each)[..., FULL]

    own, together = [replica.self_A2 for replica in replicas], [replica.collective_A2 for replica in replicas]
    self_slopes, B_self = pooled(own)  # (S, 3, 3), Å² per frame, per ion
    slopes, B = pooled(together)  # (S, S, 3, 3), Å² per frame
    A_self, A = (pooled(curves, "offset_weights")[1] for curves in (own, together))  # Å²
    N = first.counts.astype(float)

    covariance, self_covariance, self_self, alone = _gaussian_covariances((B, A), (B_self, A_self), v, N)
    # the scatter of single ions shows what Gaussian motion leaves out: rare jumps, fast and slow ions
    expected = 2.0 * alone / N
    excess = _uneven_paths(stretches, regime)
    beyond = N**2 * (_uneven_ions(replicas, fits, shares, expected) if excess is None else expected * excess)
    i = np.arange(len(N))
    self_self[i, i] += beyond
    own_variance = covariance[i, i, i, i]
    wider = (1.0 + beyond / np.where(own_variance > 0, own_variance, np.inf)) ** 0.25
    covariance *= np.einsum("i,j,k,l->ijkl", wider, wider, wider, wider)
    self_covariance[i, i, i] += beyond

    volume = float(np.mean([replica.volume_A3 for replica in replicas]))
    to_SI = A2_PER_PS_IN_SI / (6.0 * BOLTZMANN_J_PER_K * temperature * volume * A3_IN_M3 * first.frame_interval_ps)
    L = np.einsum("ijaa->ij", B) * to_SI
    L_self = N * np.einsum("iaa->i", B_self) * to_SI
    # what the frame makes zero is zero, not the round-off that is left of it
    exact = np.abs(L) > 1e-9 * np.sqrt(np.outer(np.abs(L_self), np.abs(L_self)))
    L *= exact
    covariance *= np.einsum("ij,kl->ijkl", exact, exact)
    self_covariance *= exact[None]
    apparent = OnsagerCoefficients(
        formula=first.formula,
        temperature_K=temperature,
        species=first.species,
        L=(L + L.T) / 2.0,
        L_self=np.maximum(L_self, 0.0),
        L_stderr=np.sqrt(np.maximum(np.einsum("ijij->ij", covariance), 0.0)) * to_SI,
        L_self_stderr=np.sqrt(self_self[i, i]) * to_SI,
        volume_A3=volume,
        source="; ".join(dict.fromkeys(replica.source for replica in replicas if replica.source)),
    )
    spread_L = spread_D = None
    if len(replicas) > 1:
        # shares go as the inverse of the variances: the weighted scatter over R - 1 is the variance of the mean
        weights = shares / (len(replicas) - 1.0)
        traces = slopes[..., :3].sum(axis=-1) * to_SI
        spread_L = np.sqrt(np.einsum("r,rij->ij", weights, (traces - np.einsum("r,rij->ij", shares, traces)) ** 2))
        diffusivities = self_slopes[..., :3].sum(axis=-1) / 6.0 * A2_PER_PS_IN_SI / first.frame_interval_ps
        spread_D = np.sqrt(weights @ (diffusivities - shares @ diffusivities) ** 2)
    measurement = OnsagerMeasurement(
        apparent=apparent,
        counts=first.counts,
        frame=first.frame,
        regime=regime,
        covariance=covariance * to_SI**2,
        self_covariance=self_covariance * to_SI**2,
        self_self_covariance=self_self * to_SI**2,
        D_tensor_m2_per_s=B_self / 2.0 * A2_PER_PS_IN_SI / first.frame_interval_ps,
        n_replicas=len(replicas),
        duration_ps=sum(replica.duration_ps for replica in replicas),
        frame_interval_ps=first.frame_interval_ps,
        L_replica_stderr=spread_L,
        D_replica_stderr=spread_D,
    )
    return measurement, tuple(symbol for symbol, more in zip(first.species, beyond, strict=True) if more > 0)


def _gaussian_covariances(
    process: tuple[np.ndarray, np.ndarray], own: tuple[np.ndarray, np.ndarray], v: np.ndarray, N: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Covariances of the slopes of a Gaussian process, (Å² per frame)², by Wick's theorem, v as ``SlopeWeights``.

    From slopes B (Å² per frame) and offsets A (Å²) of the collective curves, shape (S, S, 3, 3), and those of single
    ions, (S, 3, 3): of collective slopes with each other, of self slopes times N with collective ones, of self slopes
    times N with each other, and half the variance of the slope of a single ion.
    """

    def product(indices: str, one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """v1 B B' + v2 (B A' + A B') + v3 A A', summed over Cartesian components."""
        terms = [np.einsum(indices, x, y) for x, y in ((one[0], other[0]), (one[0], other[1]), (one[1], other[0]))]
        return np.asarray(v[0] * terms[0] + v[1] * (terms[1] + terms[2]) + v[2] * np.einsum(indices, one[1], other[1]))

    covariance = product("ikab,jlab->ijkl", process, process) + product("ilab,jkab->ijkl", process, process)
    self_covariance = 2.0 * product("ikab,ilab->ikl", process, process) / N[:, None, None]
    self_self = 2.0 * product("ikab,ikab->ik", process, process) / np.outer(N, N)
    # ions are correlated: the excess of the collective curves over the self curves is shared evenly by their pairs
    pairs = np.where(N > 1, N * (N - 1.0), np.inf)
    rest = tuple(np.einsum("iiab->iab", X) - N[:, None, None] * X_self for X, X_self in zip(process, own, strict=True))
    alone = product("iab,iab->i", own, own)
    shared = product("iab,iab->i", (rest[0], rest[1]), (rest[0], rest[1])) / pairs
    i = np.arange(len(N))
    self_self[i, i] = 2.0 * np.maximum(N * alone + shared, 0.0)
    return covariance, self_covariance, self_self, alone


def _widened(measurement: OnsagerMeasurement) -> tuple[OnsagerMeasurement, tuple[str, ...]]:
    """Errors widened to the spread over replicas or stretches where that is too large for chance, and of whom."""
    from scipy.special import chdtri

    m, apparent = measurement, measurement.apparent
    assert apparent.L_stderr is not None and apparent.L_self_stderr is not None
    own, together = np.ones(len(m.species)), np.ones(len(m.species))  # factors of the variances
    spreads = [(m.D_replica_stderr, m.L_replica_stderr, m.n_replicas)]
    if m.blocks is not None:
        spreads.append((m.blocks.D_stderr, m.blocks.L_stderr, m.blocks.blocks))
    for D_spread, L_spread, number in spreads:
        if D_spread is None or L_spread is None:
            continue
        limit = chdtri(number - 1, CHANCE) / (number - 1)
        for factor, spread, stated in (
            (own, D_spread, apparent.L_self_stderr * m.kT_over_c),
            (together, np.diag(L_spread), np.diag(apparent.L_stderr)),
        ):
            ratio = (spread / np.where(stated > 0, stated, np.inf)) ** 2
            np.maximum(factor, np.where(ratio > limit, ratio, 1.0), out=factor)
    if (own == 1.0).all() and (together == 1.0).all():
        return m, ()
    # every element by the root of the product of its ions' factors, which keeps a covariance one
    root = together**0.25
    covariance = m.covariance * np.einsum("i,j,k,l->ijkl", root, root, root, root)
    L_error = np.sqrt(np.maximum(np.einsum("ijij->ij", covariance), 0.0))
    wider = replace(
        m,
        apparent=replace(apparent, L_stderr=L_error, L_self_stderr=apparent.L_self_stderr * np.sqrt(own)),
        covariance=covariance,
        self_covariance=m.self_covariance * np.einsum("i,k,l->ikl", np.sqrt(own), root, root),
        self_self_covariance=m.self_self_covariance * np.sqrt(np.outer(own, own)),
    )
    return wider, tuple(s for s, a, b in zip(m.species, own, together, strict=True) if a > 1.0 or b > 1.0)


def _uneven_ions(
    replicas: list[Correlations], fits: list[SlopeWeights], shares: np.ndarray, expected: np.ndarray
) -> np.ndarray:
    """Variance of the mean slope of each species beyond the expected one, from the scatter over its ions, (S,)."""
    # the variance over ions that are alike, over their number, is that of their mean, however their jumps are spread
    beyond = np.zeros(len(expected))
    for i, ions in enumerate(replicas[0].counts):
        if ions < FEWEST_IONS:
            continue
        each = zip(replicas, fits, shares, strict=True)
        variance = sum(share**2 * _ion_slopes(r, i, fit).var(ddof=1) / ions for r, fit, share in each)
        if _too_large(variance, expected[i], len(replicas) * (ions - 1)):
            beyond[i] = variance - expected[i]
    return beyond


def _uneven_paths(stretches: Sequence[Correlations], regime: Regime) -> np.ndarray | None:
    """Relative excess of the scatter of an ion's slope over stretches beyond a Gaussian walker's, shape (S,), or None.

    Ions that differ from each other for good, on places of different kinds, do not count: only their own paths do.
    """
    if len(stretches) < 2:
        return None
    interval, counts = stretches[0].frame_interval_ps, stretches[0].counts
    last = min(stretch.self_A2.shape[-1] for stretch in stretches) - 1
    start, stop = round(regime.from_ps / interval), min(round(regime.to_ps / interval), last)
    if stop < 2 * start:
        return None
    excess = np.zeros(len(counts))
    lags = spread_lags(start, stop)
    pairs = [(s, fit_weights(s.self_part(), counts, lags, s.n_frames)) for s in stretches]
    v1, v2, v3 = np.mean([fit.variances for _, fit in pairs], axis=0)
    for i in range(len(excess)):
        slopes = np.stack([_ion_slopes(s, i, fit) for s, fit in pairs])
        B = np.mean([s.self_A2[i][:, fit.lags] @ fit.weights for s, fit in pairs], axis=0)
        A = np.mean([s.self_A2[i][:, fit.lags] @ fit.offset_weights for s, fit in pairs], axis=0)
        expected = 2.0 * float((v1 * B**2 + 2.0 * v2 * A * B + v3 * A**2) @ FULL_WEIGHTS)
        variance = float(slopes.var(axis=0, ddof=1).mean())
        if _too_large(variance, expected, slopes.shape[1] * (len(stretches) - 1)):
            excess[i] = variance / expected - 1.0
    return excess


def _ion_slopes(correlations: Correlations, species: int, fit: SlopeWeights) -> np.ndarray:
    """The slope of <dr²> of every single ion of a species, Å² per frame, shape (N,)."""
    curves = correlations.ion_A2[species]
    return np.stack([np.interp(fit.lags, correlations.ion_lags, curve) for curve in curves]) @ fit.weights


def _too_large(variance: float, expected: float, freedom: int) -> bool:
    """Whether a variance estimated with some degrees of freedom exceeds the expected one with p < ``CHANCE``."""
    from scipy.special import chdtri

    return bool(expected > 0 and variance > expected * chdtri(freedom, CHANCE) / freedom)


def _notes(
    m: OnsagerMeasurement, replicas: list[Correlations], uneven: tuple[str, ...], spread: tuple[str, ...], short: int
) -> tuple[str, ...]:
    notes = [note for replica in replicas for note in replica.notes]
    notes += [*_notes_on_motion(m), *_notes_on_replicas(m, replicas, short)]
    if uneven:
        notes.append(
            f"Single ions of {', '.join(uneven)} differ more than Gaussian walkers would (rare jumps, or fast and slow "
            "ions); the stated errors include that."
        )
    if spread:
        notes.append(
            f"Replicas or stretches of the run lie further apart than independent Gaussian ions would, for "
            f"{', '.join(spread)}; the stated errors are widened to their spread."
        )
    return tuple(dict.fromkeys([*notes, *_notes_on_matrix(m)]))


def _notes_on_motion(m: OnsagerMeasurement) -> list[str]:
    notes = [] if m.diffusive else [m.not_diffusive_sentence()]
    if m.immobile and any(m.regime.diffusive):
        names, frame = ", ".join(m.immobile), "+".join(m.immobile)
        notes.append(
            f"{names}: a framework at rest, whose mean position is the frame of reference; D and L are relative to it."
            if m.frame == frame
            else f"{names}: a framework at rest, whose recoil adds noise in the {m.frame} frame; the natural frame is "
            f"that of the framework, {frame}."
        )
    assert m.apparent.volume_A3 is not None
    site_A2 = (m.apparent.volume_A3 / m.counts.sum()) ** (2.0 / 3.0)
    moved_A2 = 6.0 * m.D_m2_per_s / A2_PER_PS_IN_SI * m.regime.to_ps
    little = [f"{s} ({moved:.2g} Å²)" for s, moved in zip(m.species, moved_A2, strict=True) if moved < site_A2]
    if little:
        notes.append(
            f"{', '.join(little)} diffused by less than the square of the distance between ions, {site_A2:.2g} Å², in "
            "the time of the regime; ions of groups that rotate slowly look the same, run longer."
        )
    slopes = zip(m.species, m.regime.slope, m.regime.slope_stderr, m.regime.diffusive, strict=True)
    gradual = [f"{s} ({a:.2f})" for s, a, error, moves in slopes if moves and abs(a - 1.0) > max(0.05, 3.0 * error)]
    if gradual:
        notes.append(
            f"The log-log slope is not 1 for {', '.join(gradual)}: the curve is straight with an offset; see whether a "
            "later regime changes D."
        )
    return notes


def _notes_on_replicas(m: OnsagerMeasurement, replicas: list[Correlations], short: int) -> list[str]:
    notes = []
    if short:
        notes.append(
            f"{short} replica{'s were' if short > 1 else ' was'} left out, shorter than twice the start of the regime."
        )
    volumes = np.array([replica.volume_A3 for replica in replicas])
    if np.ptp(volumes) > 0.01 * volumes.mean():
        notes.append(f"The volumes of the replicas differ by {np.ptp(volumes) / volumes.mean():.1%}.")
    shortest = min(replica.duration_ps for replica in replicas)
    if m.regime.to_ps > 0.5 * shortest:
        notes.append(
            f"The regime ends at {m.regime.to_ps:g} ps, more than half of the {shortest:g} ps there are; few "
            "independent stretches stand behind its last points."
        )
    return notes


def _notes_on_matrix(m: OnsagerMeasurement) -> list[str]:
    notes = []
    if not m.apparent.L.any() and len(m.species) == 1:
        notes.append(
            f"In the {m.frame} frame one species alone has no collective motion: L is zero; use the laboratory frame."
        )
    ratio = m.apparent.smallest_eigenvalue_ratio
    if ratio < -1e-3:
        notes.append(
            f"L is not positive semidefinite within its noise (smallest over largest eigenvalue {ratio:.3f}); it is "
            "given as measured, and fluxes use the nearest matrix that is."
        )
    assert m.apparent.L_stderr is not None
    for i, symbol in enumerate(m.species):
        error, value = m.apparent.L_stderr[i, i], m.apparent.L[i, i]
        if m.regime.diffusive[i] and symbol not in frame_elements(m.frame) and error > max(0.5 * value, 0.0):
            size = f"{error / value:.0%}" if value > 0 else "more than its value"
            notes.append(f"L of {symbol} has a standard error of {size}; add replicas or make them longer.")
    return notes


def block_errors(stretches: Sequence[Correlations], measurement: OnsagerMeasurement) -> BlockErrors | None:
    """Return standard errors from the spread of separate stretches, or None where they are too few or too short.

    Every stretch is measured over the regime of ``measurement``, cut at half of the stretch; the spread over the B
    stretches is divided by the square root of B. It assumes no Brownian motion and is itself uncertain by
    1/sqrt(2 (B - 1)): a quarter for eight.

    Args:
        stretches: As ``correlations_of_stretches`` returns them, of all replicas together.
        measurement: What ``measure_onsager`` gave for the whole.

    Reference:
        Flyvbjerg, Petersen, J. Chem. Phys. 1989, 91, 461, doi 10.1063/1.457480.
    """
    if len(stretches) < 3:
        return None
    to_ps = min(measurement.regime.to_ps, *(stretch.times_ps[-1] for stretch in stretches))
    if to_ps < 2.0 * measurement.regime.from_ps:
        return None
    regime = replace(measurement.regime, to_ps=to_ps)
    parts = [_estimate([stretch], measurement.temperature_K, regime)[0].apparent for stretch in stretches]
    root = np.sqrt(len(parts))
    L, L_self = (np.std([getattr(part, name) for part in parts], axis=0, ddof=1) / root for name in ("L", "L_self"))
    return BlockErrors(len(parts), L, L_self * measurement.kT_over_c)
