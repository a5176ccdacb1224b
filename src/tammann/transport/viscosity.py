"""Shear viscosity from the fluctuations of the stress in a fluid at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.transport.slope_fit import slope_weights, spread_lags
from tammann.units import BOLTZMANN_J_PER_K

SERIES = 5
"""Independent components of a symmetric tensor without trace."""

SPAN = 16
"""End over start of the regime found; a longer one makes the slope no more precise."""

RESOLUTION = 8
"""Frames up to the start of the regime after thinning, which costs under 1 % of precision."""

LONGEST = 0.25
"""The longest lag used, over the length of the run."""

DRIFT = 0.02
"""How far a slope may move as the regime starts later, beyond its own noise."""

GROWTH = 0.3
"""The least growth over the regime of what should grow in proportion to time; in a solid it is 0 but for noise."""

BLOCKS = 5

WITHIN_ONE_FRAME = 0.2
"""Share of the viscosity that may come from the first frame of the correlation, where it is not resolved."""


@dataclass(frozen=True, eq=False)
class Viscosity:
    """Shear viscosity, the regime of the fit, and the running integral that shows whether it has converged.

    Attributes:
        value_Pa_s: Pa s; NaN where ``converged`` is false.
        stderr_Pa_s: Its standard error, that of a Brownian process; NaN where ``converged`` is false.
        converged: Whether the integrated stress was diffusive over the regime.
        regime_ps: First and last time of the fit, ps.
        block_stderr_Pa_s: Standard error from the spread over stretches of the run (or over replicas), as a check;
            NaN where the run is too short for two.
        times_ps: Of the running integral, shape (K,), ps.
        running_Pa_s: Green-Kubo integral up to each time, shape (K,), Pa s.
        running_stderr_Pa_s: Its standard error, shape (K,), Pa s.
        notes: Remarks, one sentence each.
    """

    value_Pa_s: float
    stderr_Pa_s: float
    converged: bool
    regime_ps: tuple[float, float]
    block_stderr_Pa_s: float
    times_ps: np.ndarray
    running_Pa_s: np.ndarray
    running_stderr_Pa_s: np.ndarray
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("times_ps", "running_Pa_s", "running_stderr_Pa_s"):
            getattr(self, name).setflags(write=False)


def shear_viscosity(
    stress_GPa: ArrayLike | Sequence[ArrayLike],
    *,
    volume_A3: float,
    temperature_K: float,
    frame_interval_ps: float,
    regime_ps: tuple[float, float] | None = None,
) -> Viscosity:
    """Return the shear viscosity of an isotropic fluid from its stress in a cell of constant volume.

    eta = V/(kB T) int_0^inf <P(0) P(t)> dt = V/(2 kB T) d/dt <[G(t) - G(0)]^2>, with P = ``stress_GPa``, averaged over
    the five independent components of its symmetric part without trace: xy, xz, yz, (xx - yy)/2 and
    (2 zz - xx - yy)/sqrt(12), whose mean square is the same in an isotropic fluid and whose sum of squares is the same
    in every orientation of the axes. G is the integral of P over time. It is a Brownian coordinate beyond
    the correlation time of the stress, so the slope and its error are those of ``slope_weights``, with five independent
    series. The pressure drops out with the trace. The mean shear stress of a fluid is zero and is not subtracted: its
    noise is a part of the viscosity.

    The regime, where it is not given, starts at the earliest of the times 1, 2, 4... frames at which the slope up to
    sixteen times the start no longer moves by more than 2 % and two standard errors when the start is doubled or
    quadrupled, and then at the double of that. It ends at sixteen times its start, or a quarter of the run. A slow tail
    that is small beside the noise is not seen by this or any rule; look at the running integral.

    ``converged`` is false, and the value NaN, where no such start is found; where, over a regime found or given, the
    slope moves by more than 2 % and three standard errors on quadrupling its start, or is less than two standard errors
    above zero; or where the mean square grows over the regime by less than 0.3 of what is in proportion to time (a
    solid).

    Args:
        stress_GPa: Shape (F, 6), GPa, in Voigt's order xx, yy, zz, yz, xz, xy (that of ASE; LAMMPS writes xx, yy, zz,
            xy, xz, yz), of either sign; or one such array for each replica.
        volume_A3: Volume of the cell, cubic Angstrom.
        temperature_K: K.
        frame_interval_ps: Time between rows, ps; short compared with the decay of the stress (10 fs or less is usual).
        regime_ps: First and last time of the fit, ps.

    Raises:
        DataError: A shape that does not fit, a value that is not finite, a run of fewer than 65 frames, or a regime
            outside it.

    Reference:
        Daivis & Evans, J. Chem. Phys. 1994, 100, 541, doi 10.1063/1.466970 (all components); Helfand, Phys. Rev. 1960,
        119, 1, doi 10.1103/PhysRev.119.1 (the integrated form).

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> stress = np.zeros((20000, 6))
        >>> for k in range(1, 20000):  # forgets in about five frames
        ...     stress[k] = 0.8 * stress[k - 1] + rng.normal(size=6)
        >>> eta = shear_viscosity(stress, volume_A3=1000.0, temperature_K=1000.0, frame_interval_ps=0.01)
        >>> eta.converged
        True
    """
    from scipy.integrate import cumulative_trapezoid

    for name, number, of in (
        ("volume_A3", volume_A3, "cubic Angstrom"),
        ("temperature_K", temperature_K, "K"),
        ("frame_interval_ps", frame_interval_ps, "ps"),
    ):
        if not (np.isfinite(number) and number > 0):
            raise DataError(f"{name} is {number}, expected a number above 0 {of}.")
    runs = [shear_components(run) for run in _replicas(stress_GPa)]
    frames = min(run.shape[1] for run in runs)
    if frames < 65:
        raise DataError(f"stress_GPa has {frames} frames, expected 65 or more; run longer, or write them more often.")
    paths = [cumulative_trapezoid(run, dx=frame_interval_ps, initial=0) for run in runs]  # G, (5, F), GPa ps
    longest = int(LONGEST * (frames - 1))
    # (GPa ps)^2 per ps to Pa s
    unit = volume_A3 * 1e-30 * 1e18 * 1e-12 / (2 * BOLTZMANN_J_PER_K * temperature_K)

    notes: list[str] = []
    if regime_ps is not None:
        first, last = (round(time / frame_interval_ps) for time in regime_ps)
        if not (1 <= first and 2 * first <= last < frames):
            raise DataError(
                f"regime_ps is {regime_ps[0]:g} to {regime_ps[1]:g} ps, expected a first time of at least "
                f"{frame_interval_ps:g} ps and a last one of at least twice that and below "
                f"{(frames - 1) * frame_interval_ps:g} ps."
            )
        found = True
    else:
        start = _settled(paths, longest)
        found, first = start > 0, 2 * start or max(1, longest // 4)
        last = min(SPAN * first, longest)
        if not found:
            notes.append("The slope of the integrated stress never settles: run longer, or this is no simple fluid.")

    slope, relative, moved = _fit(paths, first, last)
    begin, end = np.mean([_curve(path, np.array([first, last])) for path in paths], axis=0)
    doubts = []
    if relative >= 0.5:
        doubts.append("The viscosity is less than two standard errors above zero; run longer.")
    elif slope <= 0 or (end - begin) * first < GROWTH * begin * (last - first):
        doubts.append("The integrated stress stays bounded: a solid, or a run too short to see it flow.")
    elif found and moved > 3:
        doubts.append(
            f"The integrated stress is not linear in time from {first * frame_interval_ps:.3g} to "
            f"{last * frame_interval_ps:.3g} ps; start the regime later, or run longer."
        )
    value = slope / frame_interval_ps * unit
    converged = found and not doubts
    notes += [*doubts, *_mean_stress(runs)]
    lags, running, running_error = _running(runs, first, last)
    per_frame = 2 * frame_interval_ps * unit
    product = sum(float((run[:, 1:] * run[:, :-1]).sum()) for run in runs)
    if converged and product < 0.5 * sum(float((run**2).sum()) for run in runs):
        # the trapezoid over the first frame
        share = float(running[np.argmax(lags > 0)]) * per_frame / value
        converged = share < WITHIN_ONE_FRAME
        notes.append(
            f"The stress loses half of its correlation or more within one frame, and {share:.0%} of the viscosity "
            "comes from there; write it more often."
        )
    return Viscosity(
        value_Pa_s=value if converged else float("nan"),
        stderr_Pa_s=value * relative if converged else float("nan"),
        converged=converged,
        regime_ps=(first * frame_interval_ps, last * frame_interval_ps),
        block_stderr_Pa_s=_block_spread(paths, first, last) / frame_interval_ps * unit,
        times_ps=lags * frame_interval_ps,
        running_Pa_s=running * per_frame,
        running_stderr_Pa_s=running_error * per_frame,
        notes=tuple(notes),
    )


def _replicas(stress: ArrayLike | Sequence[ArrayLike]) -> list[np.ndarray]:
    try:
        whole = np.asarray(stress, dtype=float)
    except ValueError:  # replicas of different lengths
        whole = np.empty(0)
    runs = [whole] if whole.ndim == 2 else [np.asarray(run, dtype=float) for run in stress]  # type: ignore
    if not runs:
        raise DataError("stress_GPa holds no run; give an array of shape (frames, 6).")
    for run in runs:
        if run.ndim != 2 or run.shape[1] != 6:
            raise DataError(
                f"stress_GPa has shape {run.shape}, expected (frames, 6): xx, yy, zz, yz, xz, xy of every frame."
            )
        if not np.isfinite(run).all():
            raise DataError("stress_GPa has a value that is not finite; expected numbers in GPa in every frame.")
    return runs


def shear_components(run: np.ndarray) -> np.ndarray:
    """Return five components, (5, F), of one mean square in an isotropic fluid; twice their squares sum to P:P."""
    xx, yy, zz, yz, xz, xy = run.T
    return np.stack([yz, xz, xy, (xx - yy) / 2, (2 * zz - xx - yy) / np.sqrt(12)])


def _curve(path: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Mean squared displacement over all origins and components at some lags, shape (K,)."""
    return np.array([np.mean((path[:, lag:] - path[:, :-lag]) ** 2) for lag in lags])


def _slopes(paths: list[np.ndarray], starts: tuple[int, ...], last: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes per frame from several starts to one end, and their relative variances, both of shape (n,)."""
    # thinned so that the earliest start is a few frames away
    thin = max(1, starts[0] // RESOLUTION)
    lags = spread_lags(starts[0] // thin, last // thin)
    slopes, variances = np.zeros((2, len(paths), len(starts)))
    for r, path in enumerate(paths):
        thinned = path[:, ::thin]
        curve = _curve(thinned, lags)
        for k, start in enumerate(starts):
            inside = lags >= start // thin
            fit = slope_weights(lags[inside], thinned.shape[1])
            slopes[r, k] = fit.weights @ curve[inside] / thin
            variances[r, k] = fit.variances[0]
    weights = 1 / variances
    weights /= weights.sum(axis=0)
    # A Brownian series of slope s has the variance 2 v s^2 of its slope, a fifth of it with five.
    return (weights * slopes).sum(axis=0), 2 / SERIES * (weights**2 * variances).sum(axis=0)


def _fit(paths: list[np.ndarray], first: int, last: int) -> tuple[float, float, float]:
    """Slope per frame, its relative standard error, and its change beyond 2 %, in errors, on quadrupling the start."""
    later = min(4 * first, (first + last) // 2)
    slopes, factors = _slopes(paths, (first, max(later, first + 1)), last)
    slope = float(slopes[0])
    noise = np.sqrt(max(factors[1] - factors[0], 1e-300)) * abs(slope)
    moved = max(abs(float(slopes[1]) - slope) - DRIFT * abs(slope), 0.0)
    return slope, float(np.sqrt(factors[0])), moved / noise if slope else 0.0


def _settled(paths: list[np.ndarray], longest: int) -> int:
    """The earliest start, in frames, from which the slope is constant, or 0."""
    start = 1
    while SPAN * start <= longest:
        slopes, factors = _slopes(paths, (start, 2 * start, 4 * start), SPAN * start)
        noise = np.sqrt(np.maximum(factors - factors[0], 0)) * abs(slopes[0])
        if slopes[0] > 0 and (np.abs(slopes - slopes[0]) <= DRIFT * slopes[0] + 2 * noise).all():
            return start
        start *= 2
    return 0


def _block_spread(paths: list[np.ndarray], first: int, last: int) -> float:
    """Standard error of the slope per frame from stretches of the runs."""
    stretches = []
    for path in paths:
        pieces = min(BLOCKS if len(paths) < BLOCKS else 1, path.shape[1] // (2 * last))
        stretches += np.array_split(path, max(pieces, 1), axis=1)
    if len(stretches) < 2:
        return float("nan")
    slopes = [_slopes([piece], (first,), last)[0][0] for piece in stretches]
    return float(np.std(slopes, ddof=1) / np.sqrt(len(slopes)))


def _autocorrelation(runs: list[np.ndarray], kept: int) -> np.ndarray:
    """<P(0) P(t)> over all origins, components and replicas, shape (kept,), GPa^2."""
    from scipy import fft

    total, origins = np.zeros((2, kept))
    for run in runs:
        frames = run.shape[1]
        length = fft.next_fast_len(frames + kept, real=True)
        for component in run:
            total += fft.irfft(np.abs(fft.rfft(component, length)) ** 2, length)[:kept]
        origins += len(run) * (frames - np.arange(kept))
    return total / origins


def _running(runs: list[np.ndarray], first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lags, the running integral of the autocorrelation in GPa^2 frames, and its standard error.

    For Gaussian stress with the autocorrelation C the integral up to t has the variance
    1/(n T) int_0^2t (2t - x) Q(x) dx, with Q(x) = int C(u) C(u + x) du over both sides, n series of length T: Wick's
    theorem for T far beyond the memory of the stress. C is taken up to the start of the regime, as noise follows.
    """
    from scipy import integrate, signal

    C = _autocorrelation(runs, last + 1)
    running = integrate.cumulative_trapezoid(C, initial=0)
    memory = C[: first + 1]
    both = np.concatenate([memory[:0:-1], memory])
    Q = np.zeros(2 * last + 1)
    overlap = signal.fftconvolve(both, both)[len(both) - 1 :]
    Q[: len(overlap)] = overlap[: len(Q)]
    Q[0] /= 2  # the end of the trapezoid
    double = np.cumsum(np.cumsum(Q))
    variance = np.concatenate([[0.0], double[1::2]])[: last + 1]  # sum over x < 2t of (2t - x) Q(x)
    length = sum(run.shape[1] for run in runs) * SERIES
    error = np.sqrt(np.maximum(variance, 0) / length)
    lags = np.unique(np.concatenate([np.linspace(0, last, 400), np.geomspace(1, last, 400)]).round().astype(int))
    return lags, running[lags], error[lags]


def _mean_stress(runs: list[np.ndarray]) -> list[str]:
    """A sentence where a mean shear stress is far above its noise, that of the means over ten stretches of each run."""
    means = np.stack([piece.mean(axis=1) for run in runs for piece in np.array_split(run, 10, axis=1)])
    noise = np.sqrt(np.mean(np.var(means, axis=0, ddof=1)) / len(means))
    mean = np.abs(means.mean(axis=0)).max()
    if mean <= 5 * noise:
        return []
    return [
        f"A mean shear stress of {mean:.3g} GPa remains, {mean / max(noise, 1e-300):.2g} times its error: the cell "
        "is strained or has frozen."
    ]
