"""A measurement of Onsager coefficients: numbers, errors and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.transport.arrhenius import ArrheniusFit, fit_arrhenius
from tammann.transport.correlations import frame_elements
from tammann.transport.finite_size import FiniteSizeCorrection
from tammann.transport.onsager import OnsagerCoefficients
from tammann.transport.regime import Regime
from tammann.units import A3_IN_M3, BOLTZMANN_J_PER_K

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class BlockErrors:
    """Standard errors from the spread of separate stretches of one trajectory, a check on the stated ones.

    Attributes:
        blocks: How many stretches.
        L_stderr: Shape (S, S), 1/(J m s).
        D_stderr: Shape (S,), m²/s.
    """

    blocks: int
    L_stderr: np.ndarray
    D_stderr: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class OnsagerMeasurement(ShownAsTable):
    """Onsager coefficients measured from trajectories, with errors and the evidence for them.

    Attributes:
        apparent: Coefficients from the slopes, diffusive or not; ``coefficients`` are the same and refuse if not.
        counts: Ions of each species, shape (S,).
        frame: Frame of reference.
        regime: Times over which slopes were taken, and the log-log slopes there.
        covariance: Cov(L_ij, L_kl), shape (S, S, S, S), (1/(J m s))².
        self_covariance: Cov(L_self_i, L_kl), shape (S, S, S), (1/(J m s))².
        self_self_covariance: Cov(L_self_i, L_self_j), shape (S, S), (1/(J m s))².
        D_tensor_m2_per_s: Tracer diffusivities along the Cartesian axes, shape (S, 3, 3), m²/s, diffusive or not; a
            third of the trace is D.
        n_replicas: Trajectories combined.
        duration_ps: Their lengths together, ps.
        frame_interval_ps: Time between frames, ps.
        L_replica_stderr: Standard error of the mean of L from the spread over replicas, shape (S, S), or None for
            one alone.
        D_replica_stderr: The same for D, shape (S,), m²/s, or None.
        blocks: Spread over stretches of a trajectory, or None where it was not asked for.
        finite_size: Diffusivities of an infinite box, where a viscosity was stated.
        notes: Remarks, one sentence each.
    """

    apparent: OnsagerCoefficients
    counts: np.ndarray
    frame: str
    regime: Regime
    covariance: np.ndarray
    self_covariance: np.ndarray
    self_self_covariance: np.ndarray
    D_tensor_m2_per_s: np.ndarray
    n_replicas: int
    duration_ps: float
    frame_interval_ps: float
    L_replica_stderr: np.ndarray | None = None
    D_replica_stderr: np.ndarray | None = None
    blocks: BlockErrors | None = None
    finite_size: FiniteSizeCorrection | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        state = "diffusive" if self.diffusive else "not diffusive"
        return (
            f"OnsagerMeasurement({self.formula} {self.temperature_K:g} K: {' '.join(self.species)}, {self.frame} "
            f"frame, {self.n_replicas} x {self.duration_ps / self.n_replicas:g} ps, {state} "
            f"{self.regime.from_ps:g} to {self.regime.to_ps:g} ps)"
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each ion: D (m²/s) and f with standard errors, and whether it diffuses."""
        import pandas as pd

        return pd.DataFrame(
            {
                "ion": self.species,
                "D_m2_per_s": self.D_m2_per_s,
                "D_stderr": self.D_stderr,
                "f": self.correlation_factor,
                "f_stderr": self.correlation_factor_stderr,
                "log_log_slope": self.regime.slope,
                "diffusive": self.regime.diffusive,
                "immobile": self.regime.immobile,
            }
        )

    @property
    def coefficients(self) -> OnsagerCoefficients:
        """The Onsager coefficients; those of immobile ions are what their rattling leaves, zero within its error.

        Raises:
            DataError: The motion of a species was neither diffusive nor bounded over the regime.
        """
        if not self.usable:
            raise DataError(f"{self.not_diffusive_sentence()} The slopes themselves are in apparent.")
        return self.apparent

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return self.apparent.formula

    @property
    def temperature_K(self) -> float:
        """Temperature, K."""
        return self.apparent.temperature_K

    @property
    def species(self) -> tuple[str, ...]:
        """The S elements, in the order of all arrays."""
        return self.apparent.species

    @property
    def regime_ps(self) -> tuple[float, float]:
        """First and last time of the regime, ps."""
        return self.regime.from_ps, self.regime.to_ps

    @property
    def diffusive(self) -> bool:
        """Whether every species moved diffusively over the regime; those that are the frame need not."""
        return not self._not_diffusive

    @property
    def immobile(self) -> tuple[str, ...]:
        """Species whose ions rattle or rotate about fixed places: the framework, where others diffuse."""
        return tuple(s for s, stays in zip(self.species, self.regime.immobile, strict=True) if stays)

    @property
    def usable(self) -> bool:
        """Whether L can be used: some species is diffusive, and every other is immobile or is the frame."""
        return any(self.regime.diffusive) and {*self._not_diffusive} <= {*self.immobile}

    @property
    def _not_diffusive(self) -> list[str]:
        moving = {s for s, moves in zip(self.species, self.regime.diffusive, strict=True) if moves}
        return [s for s in self.species if s not in moving and s not in frame_elements(self.frame)]

    @property
    def D_m2_per_s(self) -> np.ndarray:
        """Tracer diffusivities D_i = L_self_i kB T / c_i, m²/s, shape (S,); NaN for a species that is not diffusive."""
        return np.where(self.regime.diffusive, self.apparent.L_self * self.kT_over_c, np.nan)

    @property
    def D_stderr(self) -> np.ndarray:
        """Standard errors of ``D_m2_per_s``, m²/s, shape (S,)."""
        assert self.apparent.L_self_stderr is not None
        return np.where(self.regime.diffusive, self.apparent.L_self_stderr * self.kT_over_c, np.nan)

    @property
    def collective_D_m2_per_s(self) -> np.ndarray:
        """Collective diffusivities L_ii kB T / c_i, m²/s, shape (S,), no thermodynamic factor; NaN if not diffusive."""
        return np.where(self.regime.diffusive, np.diag(self.apparent.L) * self.kT_over_c, np.nan)

    @property
    def correlation_factor(self) -> np.ndarray:
        """f_i = L_ii / L_self_i - 1, shape (S,); NaN for a species that is not diffusive."""
        return np.where(self.regime.diffusive, self._ratio - 1.0, np.nan)

    @property
    def correlation_factor_stderr(self) -> np.ndarray:
        """Standard errors of ``correlation_factor``, shape (S,)."""
        i, f, L = np.arange(len(self.species)), self._ratio, self.apparent
        assert L.L_self_stderr is not None
        own, cross = self.covariance[i, i, i, i], self.self_covariance[i, i, i]
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (own - 2.0 * f * cross + f**2 * L.L_self_stderr**2) / L.L_self**2
        return np.where(self.regime.diffusive, np.sqrt(np.maximum(variance, 0.0)), np.nan)

    @property
    def haven_ratio(self) -> np.ndarray:
        """L_self_i / L_ii of each species, shape (S,); NaN where it is not diffusive, or L_ii is not above zero.

        It is 1 for ions that move independently in the frame of reference: the laboratory, or a heavy framework. In the
        barycentric frame momentum ties the ions, and the Haven ratio of the charge (``ionic_conductivity``), which is
        the same in every frame, is the one to quote.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((self._ratio > 0) & np.array(self.regime.diffusive), 1.0 / self._ratio, np.nan)

    @property
    def haven_ratio_stderr(self) -> np.ndarray:
        """Standard errors of ``haven_ratio``, shape (S,)."""
        return self.haven_ratio**2 * self.correlation_factor_stderr

    @cached_property
    def _ratio(self) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.diag(self.apparent.L) / self.apparent.L_self)

    @property
    def kT_over_c(self) -> np.ndarray:
        """The factor kB T / c_i, J m³, shape (S,): from a coefficient in 1/(J m s) to a diffusivity in m²/s."""
        assert self.apparent.volume_A3 is not None
        return BOLTZMANN_J_PER_K * self.temperature_K * (self.apparent.volume_A3 * A3_IN_M3) / self.counts

    def not_diffusive_sentence(self) -> str:
        """Say which species were not diffusive, and what to do about it."""
        regime, unresolved = self.regime, [s for s in self._not_diffusive if s not in self.immobile]
        slopes = zip(self.species, regime.slope, regime.slope_stderr, strict=True)
        shown = {s: f"{s} (log-log slope {slope:.2f} ± {error:.2f})" for s, slope, error in slopes}
        advice = "; run longer or hotter, or give another regime"
        if unresolved:
            advice = f", nor to stay in place{advice}"
        elif self.usable:
            advice = "; they rattle about fixed places, or rotate in place, as the framework of a solid does"
        names = ", ".join(shown[s] for s in unresolved or self._not_diffusive)
        return (
            f"{self.formula} at {self.temperature_K:g} K: {names} not shown to be diffusive between "
            f"{regime.from_ps:g} and {regime.to_ps:g} ps{advice}."
        )


def fit_activation(measurements: Sequence[OnsagerMeasurement]) -> dict[str, ArrheniusFit]:
    """Fit Arrhenius' law to the D of each element of one composition, over the temperatures at which it is diffusive.

    Elements that are diffusive at fewer than two temperatures are left out.
    """
    fits = {}
    for i, symbol in enumerate(measurements[0].species if measurements else ()):
        good = [m for m in measurements if m.regime.diffusive[i] and m.D_m2_per_s[i] > 0]
        if len(good) > 1:
            D, stderr = [float(m.D_m2_per_s[i]) for m in good], [float(m.D_stderr[i]) for m in good]
            fits[symbol] = fit_arrhenius([m.temperature_K for m in good], D, stderr)
    return fits
