"""The time over which motion is diffusive, found by a stated rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from tammann.errors import DataError
from tammann.transport.correlations import Correlations, frame_elements, in_frame, same_system
from tammann.transport.slope_fit import SlopeWeights, lag_covariance, slope_weights, spread_lags

TOLERANCE = 0.1
"""How far from 1 the log-log slope may lie, beyond its own noise."""

RELATIVE_DRIFT = 0.005
"""How far a slope may move as the regime starts later, beyond its own noise."""

LONGEST = 0.25
"""The longest lag used, over the length of the trajectory."""

LEAST_SLOPE = 0.7
"""A log-log slope below this is not diffusion, however straight the curve."""

STRAIGHT = 0.77
"""How far a slope may have moved, noise included, as the start grows by a factor k, over the 1 - k^-0.2 of t^0.8."""

IMMOBILE_SLOPE = 0.3
"""A bounded curve has a log-log slope below this at its end."""

HOPPED = 0.1
NO_HOP = 0.01
"""What share of ions a bounded curve may show to have hopped while time doubles, noise included, and without it."""

MOTIONLESS_A2 = 1e-6
"""Below this a mean squared displacement is round-off."""

DEVIATION = 4.0
"""By how many standard errors of its logarithm a collective curve may leave the line of its first slope."""

FULL_WEIGHTS = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
"""Components of a symmetric tensor in the sum over all nine."""

CLEAR = 0.3
"""Largest useful standard error of a log-log slope."""


@dataclass(frozen=True, eq=False)
class LogLogSlope:
    """d ln <dr²> / d ln t of each species, over windows from a time to its double.

    Attributes:
        times_ps: Where the windows start, ps, shape (W,).
        value: Shape (S, W): 2 for free flight, 0 for rattling in a cage, 1 for diffusion.
        stderr: As a Brownian process would have it, shape (S, W).
    """

    times_ps: np.ndarray
    value: np.ndarray
    stderr: np.ndarray


@dataclass(frozen=True)
class Regime:
    """The times over which slopes are taken, and which species were diffusive there.

    Attributes:
        from_ps: First time, ps.
        to_ps: Last time, ps.
        rule: How it was found, in a sentence.
        diffusive: For each species, whether its motion is diffusive there.
        immobile: For each species, whether its ions rattle or rotate about fixed places.
        slope: Log-log slope of each species over the regime.
        slope_stderr: Its standard error.
    """

    from_ps: float
    to_ps: float
    rule: str
    diffusive: tuple[bool, ...]
    immobile: tuple[bool, ...]
    slope: tuple[float, ...]
    slope_stderr: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Displacement curves of one or several replicas as one, with what their errors depend on."""

    own: np.ndarray  # self curves, (S, 6, K), Å²
    sums: np.ndarray  # collective curves of each species with itself, (S, 6, K), Å²
    ions: np.ndarray  # (S,)
    n_frames: int
    length: float  # of all replicas together, over the longest
    interval_ps: float
    frame: tuple[bool, ...]  # species that is the frame of reference
    site_A2: float  # square of the mean distance between ions

    @property
    def msd(self) -> np.ndarray:
        return self.own[:, :3].sum(axis=1)

    @property
    def about_centre(self) -> _Pool:
        """The same with every ion seen from the centre of its own sublattice, which no frame of reference moves.

        <|dr - dX/N|²> = <dr²> - <dX²>/N², over (N - 1)/N, its share of the motion of independent ions.
        """
        n = self.ions[:, None, None]
        own = np.where(n > 1, (self.own - self.sums / n**2) * n / np.maximum(n - 1.0, 1.0), self.own)
        return replace(self, own=own, sums=n * own)

    def anisotropy(self, lag: int) -> np.ndarray:
        """sum_ab B_ab² / (tr B)²: 1/3 for isotropic motion."""
        return np.asarray(self.own[..., lag] ** 2 @ FULL_WEIGHTS / np.maximum(self.msd[:, lag] ** 2, 1e-300))

    def series(self, lag: int) -> np.ndarray:
        """Independent series behind the mean over ions: their number, less where they move together."""
        alone = self.own[..., lag] ** 2 @ FULL_WEIGHTS
        pairs = np.where(self.ions > 1, self.ions * (self.ions - 1.0), np.inf)
        rest = self.sums[..., lag] - self.ions[:, None] * self.own[..., lag]
        together = (rest / pairs[:, None]) ** 2 @ FULL_WEIGHTS
        return np.asarray(self.length * self.ions / (1.0 + (self.ions - 1.0) * together / np.maximum(alone, 1e-300)))


def log_log_slope(correlations: Correlations | Sequence[Correlations]) -> LogLogSlope:
    """Return the local log-log slope of the mean squared displacement of each species.

    ln <dr²> = c + alpha ln t is fitted over lags from t to 2 t by generalised least squares, its covariance that of a
    Brownian process, 2 G_nm sum_ab B_ab² / [N (tr B)² n m].

    Returns:
        Slopes at starts spread evenly in the logarithm, a factor of the square root of two apart.

    Raises:
        DataError: Too few frames for a single window: fewer than 9.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations
        >>> walk = Trajectory.example()
        >>> slope = log_log_slope(displacement_correlations(walk, frame="laboratory"))
        >>> bool(np.all(np.abs(slope.value - 1.0) < 5.0 * slope.stderr))
        True
    """
    pool = _pool(same_system(correlations))
    last = pool.own.shape[-1] - 1
    if last < 8:
        raise DataError(f"the trajectory has {pool.n_frames} frames; local slopes need at least 9.")
    starts = _starts(last / 2)
    slopes = np.array([_log_slope(pool, spread_lags(start, 2 * start, 6)) for start in starts])
    return LogLogSlope(starts * pool.interval_ps, slopes[:, 0].T, slopes[:, 1].T)


def find_regime(
    correlations: Correlations | Sequence[Correlations], *, regime_ps: tuple[float, float] | None = None
) -> Regime:
    """Return the times over which motion is diffusive, found by rule or given, and the evidence for it.

    The regime ends at a quarter of the trajectory (the longest replica). It starts at twice the earliest time from
    which, for each species that is diffusive at all,

    1. no local log-log slope lies above 1.1, or below 0.7 in the last factor of four, by more than three of its
       standard errors;
    2. the slope of <dr²> no longer moves by more than 0.5 % and two standard errors when the start is doubled or
       quadrupled (the variance of such a difference is the difference of the variances: Hausman 1978);
    3. the curve is shown to be straight: either its log-log slope is within 0.1 and two standard errors of 1, or,
       where rattling leaves an offset that lowers log-log slopes for long, the slope of <dr²> moves by less than 0.77
       of what t^0.8 would move it, 1 - k^-0.2, two standard errors included, when the start grows by some power of
       two k (10 % for k = 2), and the log-log slope over the last factor of four is above 0.7.

    The factor of two is for what noise hides: motion becomes diffusive gradually; half of the end is the latest start,
    and a later one than twice the earliest is taken where only there all species pass what follows. Over the regime
    itself the standard error of the log-log slope must be below 0.3, the diffusion coefficient more than two standard
    errors above zero, the motion of the ions against the centre of their own sublattice no slower than t^0.7, and the
    collective curve of the species, from which L follows, must keep to its first slope within four standard errors of
    its logarithm.

    A species is immobile, part of the framework of a solid, if the mean squared displacement of its ions against the
    centre of their own sublattice (of the framework, for a lone ion) is bounded, however large: rattling, or rotation
    of a rigid group. In the last factor of four its log-log slope is below 0.3; as time doubles to the end it grows by
    less than 0.1 a², two standard errors included, a³ the volume of an ion, as it would if one ion in ten hopped; and
    its slope has fallen to half or less over the same doubling, as that of a logarithm, or the growth is below 0.01 a²,
    either within two standard errors.

    Args:
        correlations: One trajectory's, or those of replicas.
        regime_ps: First and last time, ps, where they are given; they are judged in the same way.

    Raises:
        DataError: Times that the trajectory does not hold, too few frames to judge, replicas that are none.

    Reference:
        Hausman, Econometrica 1978, 46, 1251, doi 10.2307/1913827.
    """
    replicas = same_system(correlations)
    pool = _pool(replicas)
    last_possible = pool.own.shape[-1] - 1
    if regime_ps is not None:
        if len(regime_ps) != 2 or not np.isfinite(regime_ps).all():
            raise DataError(f"regime_ps is {tuple(regime_ps)}, expected two times in ps, the first and the last.")
        first, last = (round(time / pool.interval_ps) for time in regime_ps)
        if not (1 <= first < last <= last_possible):
            raise DataError(
                f"regime_ps is {regime_ps[0]:g} to {regime_ps[1]:g} ps, expected a first and a later last time between "
                f"{pool.interval_ps:g} ps, the time between frames, and {last_possible * pool.interval_ps:g} ps, the "
                "longest lag there is."
            )
        return _judge(pool, first, last, "given", _immobile(replicas, last))
    last = min(int(LONGEST * (pool.n_frames - 1)), last_possible)
    if last < 4:
        raise DataError(
            f"there are {pool.n_frames} frames and lags up to {last_possible}; a diffusive regime is sought within a "
            "quarter of the trajectory and needs at least 17 frames and 4 lags: run longer, write frames more often, "
            "or keep more lags."
        )
    starts = _starts(last / 4)
    immobile = _immobile(replicas, last)
    earliest = _earliest(pool, starts, last) * ~immobile
    mobile, start = earliest > 0, int(earliest.max())
    if not start:
        return _judge(pool, max(1, last // 4), last, "no diffusive regime was found", immobile, mobile)
    # with a later start the curves are shown to be straight less surely; take one at which all of them still are
    later = [min(2 * int(each), last // 2) for each in starts if each >= start]
    first = next((each for each in later if _sound(pool, each, last)[mobile].all()), later[0])
    rule = "twice the earliest start from which <dr²> is a straight line"
    if first > 2 * start:
        rule = f"later than {rule}, the first at which the collective curves are straight as well"
    elif first < 2 * start:
        rule = f"half of the end, earlier than {rule}"
    return _judge(pool, first, last, rule, immobile, mobile)


def _pool(replicas: list[Correlations]) -> _Pool:
    frames = max(replica.n_frames for replica in replicas)
    kept = max(replica.self_A2.shape[-1] for replica in replicas)
    weights = np.zeros(kept)
    own, sums = np.zeros((2, len(replicas[0].species), 6, kept))
    for replica in replicas:  # each counts at the lags that it holds
        lags = replica.self_A2.shape[-1]
        origins = replica.n_frames - np.arange(lags, dtype=float)
        weights[:lags] += origins
        own[..., :lags] += origins * replica.self_A2
        sums[..., :lags] += origins * np.einsum("iicn->icn", replica.collective_A2)
    return _Pool(
        own / weights,
        sums / weights,
        replicas[0].counts.astype(float),
        frames,
        sum(replica.n_frames - 1 for replica in replicas) / (frames - 1),
        replicas[0].frame_interval_ps,
        tuple(symbol in frame_elements(replicas[0].frame) for symbol in replicas[0].species),
        (replicas[0].volume_A3 / replicas[0].counts.sum()) ** (2.0 / 3.0),
    )


def _starts(last: float) -> np.ndarray:
    """Lags from 1 on, a factor of the square root of two apart."""
    return np.unique(np.round(2.0 ** np.arange(0.0, np.log2(last) + 1e-9, 0.5)).astype(np.int64))


def _log_slope(pool: _Pool, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-log slope of each species over some lags and its standard error, shape (S,)."""
    relative = lag_covariance(lags, pool.n_frames) / np.outer(lags, lags)
    design = np.stack([np.ones(len(lags)), np.log(lags)], axis=1)
    whitened = np.linalg.solve(relative, design)
    parameters = np.linalg.inv(design.T @ whitened)
    logarithm = np.log(np.maximum(pool.msd[:, lags], 1e-300))
    slope = logarithm @ (whitened @ parameters)[:, 1]
    variance = 2.0 * parameters[1, 1] * pool.anisotropy(int(lags[0])) / pool.series(int(lags[0]))
    return slope, np.sqrt(variance)


def fit_weights(msd: np.ndarray, ions: np.ndarray, lags: np.ndarray, n_frames: int) -> SlopeWeights:
    """Return slope weights that allow for the motion of ions before they diffuse.

    A first fit as of pure Brownian motion to ``msd`` (Å², shape (S, K), from lag 0) gives slope and offset of each
    species; the curves below the first lag, less their lines, give the rise of the offsets, averaged over the ``ions``
    (shape (S,)). The second fit uses both.
    """
    plain = slope_weights(lags, n_frames)
    slope, offset = msd[:, plain.lags] @ plain.weights, msd[:, plain.lags] @ plain.offset_weights
    share = ions * np.sign(offset)
    total_slope, total_offset = float(ions @ slope), float(ions @ np.abs(offset))
    first = int(plain.lags[0])
    if first < 2 or total_slope <= 0 or total_offset < 0.05 * first * total_slope:
        return plain
    early = np.arange(1, first)
    rise = (share @ (msd[:, early] - slope[:, None] * early)) / total_offset
    ratio = float(np.sign(ions @ offset)) * total_offset / total_slope
    return slope_weights(lags, n_frames, offset_over_slope=ratio, rise=rise)


def _slopes(pool: _Pool, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Slope of <dr²> of each species per frame and its variance, shape (S,), from a few lags."""
    fit = fit_weights(pool.msd, pool.ions, spread_lags(first, min(last, 8 * first), 8), pool.n_frames)
    v1, v2, v3 = fit.variances
    B = pool.own[..., fit.lags] @ fit.weights
    A = pool.own[..., fit.lags] @ fit.offset_weights
    variance = 2.0 * (v1 * B**2 + 2.0 * v2 * B * A + v3 * A**2) @ FULL_WEIGHTS
    return B[:, :3].sum(axis=1), np.maximum(variance, 0.0) / pool.series(first)


def _collective_linear(pool: _Pool, first: int, last: int) -> np.ndarray:
    """Whether the collective curve of each species follows its first slope, within its noise, to the last lag, (S,).

    Compared are logarithms: far out the curve of a single sum is as skewed as a chi-square of few degrees of freedom.
    """
    fit = fit_weights(pool.msd, pool.ions, spread_lags(first, min(last, 8 * first), 8), pool.n_frames)
    sums = pool.sums[:, :3].sum(axis=1)
    slope, offset = sums[:, fit.lags] @ fit.weights, sums[:, fit.lags] @ fit.offset_weights
    later = spread_lags(min(8 * first, last), last, 8)
    noise = np.sqrt(2.0 / 3.0 * np.diag(lag_covariance(later, pool.n_frames)) / pool.length) / later
    expected = offset[:, None] + slope[:, None] * later
    floor = 1e-9 * pool.ions * pool.msd[:, last]
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.abs(np.log(np.maximum(sums[:, later], 1e-300) / np.maximum(expected, 1e-300)))
    # a species at rest in this frame has no collective motion to test
    at_rest = np.array(pool.frame) | (sums[:, last] < floor)
    return (deviation <= DEVIATION * noise).all(axis=1) | at_rest


def _earliest(pool: _Pool, starts: np.ndarray, last: int) -> np.ndarray:
    """Return the earliest of some starts from which each species is diffusive, or 0, (S,)."""
    windows = [int(start) for start in starts if 2 * start <= last]
    alpha, error = np.array([_log_slope(pool, spread_lags(start, 2 * start, 6)) for start in windows]).swapaxes(0, 1)
    # an offset lowers the slopes of early windows, but not of those where motion has left it behind
    least = np.where(4 * np.array(windows) >= last, LEAST_SLOPE, 0.0)[:, None]
    within = (alpha >= least - 3.0 * error) & (alpha <= 1.0 + TOLERANCE + 3.0 * error)
    # from the end: all later windows must pass too
    within = np.logical_and.accumulate(within[::-1])[::-1] & (error <= CLEAR)
    slopes = cache(partial(_slopes, pool, last=last))
    earliest = np.zeros(len(pool.ions), dtype=np.int64)
    for start, passed in zip(windows, within, strict=True):
        passed &= earliest == 0
        if not passed.any():
            continue
        value, variance = slopes(start)
        passed &= value > 0
        for later in (2 * start, 4 * start):
            if later > last // 2:
                break
            other, wider = slopes(later)
            noise = np.sqrt(np.maximum(wider - variance, 0.0))
            passed &= np.abs(other - value) <= RELATIVE_DRIFT * value + 2.0 * noise
        if passed.any():
            earliest[passed & _shown(pool, start, last) & _sound(pool, start, last)] = start
    return earliest


def _shown(pool: _Pool, first: int, last: int) -> np.ndarray:
    """Whether the curve of each species is shown to be straight over some lags, (S,)."""
    alpha, error = _log_slope(pool, spread_lags(first, last))
    shown = np.abs(alpha - 1.0) <= TOLERANCE + 2.0 * error
    end, _ = _log_slope(pool, spread_lags(max(first, last // 4), last))
    value, variance = _slopes(pool, first, last)
    factor = 2
    while 2 * factor * first <= last:
        other, wider = _slopes(pool, factor * first, last)
        noise = np.sqrt(np.maximum(wider - variance, 0.0))
        straight = np.abs(other - value) + 2.0 * noise <= STRAIGHT * (1.0 - factor**-0.2) * value
        shown |= straight & (end >= LEAST_SLOPE) & (alpha <= 1.0 + TOLERANCE)
        factor *= 2
    return shown


def _sound(pool: _Pool, first: int, last: int) -> np.ndarray:
    """Whether each species moves clearly over some lags, against its own centre and all its ions together, (S,)."""
    _, error = _log_slope(pool, spread_lags(first, last))
    value, variance = _slopes(pool, first, last)
    # a sublattice that moves as a whole moves with the frame of reference only
    own, own_error = _log_slope(pool.about_centre, spread_lags(max(first, last // 4), last))
    clear = (error <= CLEAR) & (value > 2.0 * np.sqrt(variance)) & (own >= LEAST_SLOPE - 2.0 * own_error)
    return clear & _collective_linear(pool, first, last)


def _immobile(replicas: list[Correlations], last: int) -> np.ndarray:
    """Whether the ions of each species stay about fixed places, whatever the frame of reference, (S,)."""
    stays = _bounded(_pool(replicas), last)
    # a lone ion is the centre of its own sublattice; it is seen from the framework, which may then be more than before
    while stays.any() and (lone := ~stays & (replicas[0].counts == 1)).any():
        framework = "+".join(symbol for symbol, stay in zip(replicas[0].species, stays, strict=True) if stay)
        found = lone & _bounded(_pool([in_frame(replica, framework) for replica in replicas]), last)
        if not found.any():
            break
        stays |= found
    return stays


def _bounded(pool: _Pool, last: int) -> np.ndarray:
    """Whether the curve of each species against its own centre has saturated, (S,)."""
    about = pool.about_centre
    alpha, _ = _log_slope(about, spread_lags(max(1, last // 4), last))
    bounded = about.msd[:, last] < MOTIONLESS_A2
    for i in np.flatnonzero((alpha < IMMOBILE_SLOPE) & ~bounded):
        growth, error = _growth(about, int(i), last)
        before, _ = _growth(about, int(i), max(last // 2, 2))
        saturated = growth - 2.0 * error <= max(before / 2.0, NO_HOP * pool.site_A2)
        bounded[i] = saturated and growth + 2.0 * error < HOPPED * pool.site_A2
    return bounded


def _growth(pool: _Pool, species: int, last: int) -> tuple[float, float]:
    """Growth of a bounded curve as time doubles to the last lag, Å², and its standard error, from a factor of four."""
    curve = pool.msd[species]
    lags = spread_lags(max(1, last // 4), last, 16)
    rise = curve[1 : max(2, lags[0])] / curve[lags].mean()
    fit = slope_weights(lags, pool.n_frames, offset_over_slope=10.0 * last, rise=rise)
    offset = pool.own[species][:, fit.lags] @ fit.offset_weights
    variance = 2.0 * fit.variances[2] * offset**2 @ FULL_WEIGHTS / pool.series(int(lags[0]))[species]
    return float(curve[fit.lags] @ fit.weights) * last / 2, float(np.sqrt(max(variance, 0.0))) * last / 2


def _judge(
    pool: _Pool, first: int, last: int, rule: str, immobile: np.ndarray, mobile: np.ndarray | None = None
) -> Regime:
    """Return a regime with what is known of each species; ``mobile``: those that the rule found diffusive."""
    lags = spread_lags(first, last)
    diffusive = _sound(pool, first, last) & ~immobile & (_shown(pool, first, last) if mobile is None else mobile)
    alpha, error = np.where(immobile, _log_slope(pool.about_centre, lags), _log_slope(pool, lags))
    return Regime(
        first * pool.interval_ps,
        last * pool.interval_ps,
        rule,
        *(tuple(values.tolist()) for values in (diffusive, immobile, alpha, error)),
    )


def natural_frame(
    correlations: Correlations | Sequence[Correlations], *, regime_ps: tuple[float, float] | None = None
) -> str:
    """Return the frame of reference in which a system is at rest.

    That is the framework of a solid, where some species are immobile and others are not; else the frame that the
    correlations have. In the barycentric frame of a small cell a framework recoils from every hop of the mobile ions.

    Returns:
        Elements joined by ``+``, or a name.

    Raises:
        DataError: As ``find_regime``.
    """
    replicas = same_system(correlations)
    immobile = find_regime(replicas, regime_ps=regime_ps).immobile
    if all(immobile) or not any(immobile):
        return replicas[0].frame
    return "+".join(symbol for symbol, stays in zip(replicas[0].species, immobile, strict=True) if stays)
