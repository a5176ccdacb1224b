"""Conduction of a solid by one ion: diffusivities at several temperatures, and the law through them and beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.transport.arrhenius import CHANCE, ArrheniusFit, fit_arrhenius
from tammann.transport.conductivity import charges_from_composition
from tammann.transport.measurement import OnsagerMeasurement
from tammann.units import A3_IN_M3, BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    import pandas as pd

FEWEST_HOPS = 100
"""So many make a tenth of relative error by counting alone; with fewer a warning is due."""


@dataclass(frozen=True)
class Extrapolation:
    """A conductivity at a stated temperature, from the law through those at others.

    Attributes:
        temperature_K: K.
        sigma_S_per_m: S/m.
        low_S_per_m: Lower end of the 95 % band, S/m.
        high_S_per_m: Its upper end, S/m.
        haven_ratio: What sigma of Nernst and Einstein was divided by; 1 where correlations are left out.
        nearest_K: The nearest temperature of a measurement, K.
    """

    temperature_K: float
    sigma_S_per_m: float
    low_S_per_m: float
    high_S_per_m: float
    haven_ratio: float
    nearest_K: float


@dataclass(frozen=True, eq=False, repr=False)
class IonConduction(ShownAsTable):
    """How a solid conducts by one ion in a framework at rest.

    Attributes:
        formula: Composition.
        ion: The element.
        charge: Of it, e.
        measurements: At each temperature, in rising order.
        hops: Hops seen at each temperature, shape (n,).
        diffusion: Arrhenius' law of D, m²/s, or None where the ion is diffusive at fewer than two temperatures.
        inverse_haven: Mean of 1/H over the temperatures and its standard error, or None where none is known.
        notes: Remarks, one sentence each.
    """

    formula: str
    ion: str
    charge: float
    measurements: tuple[OnsagerMeasurement, ...]
    hops: np.ndarray
    diffusion: ArrheniusFit | None
    inverse_haven: tuple[float, float] | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fit = self.diffusion
        law = "no activation energy" if fit is None else f"{fit.activation_energy_eV:.3f} eV"
        return (
            f"IonConduction({self.formula}: {self.ion}{self.charge:+g}, {len(self.measurements)} temperatures, {law})"
        )

    @property
    def density_per_m3(self) -> float:
        """Ions per volume, 1/m³, the mean over the measurements."""
        return float(np.mean([_density(m, self.ion) for m in self.measurements]))

    def table(self) -> pd.DataFrame:
        """Return one row for each temperature, with standard errors.

        D of single ions and of all together (m²/s), the conductivity by Nernst and Einstein as if ions were independent
        (H = 1) and with the measured Haven ratio H (S/m), H itself, and the number of hops. NaN where the ion is not
        diffusive.
        """
        import pandas as pd

        rows = []
        for m, hops in zip(self.measurements, self.hops.tolist(), strict=True):
            k = m.species.index(self.ion)
            to_sigma = _density(m, self.ion) * self._e2 / (BOLTZMANN_J_PER_K * m.temperature_K)
            D, error = float(m.D_m2_per_s[k]), float(m.D_stderr[k])
            together = float(m.collective_D_m2_per_s[k])
            assert m.apparent.L_stderr is not None
            together_error = float(m.apparent.L_stderr[k, k] * m.kT_over_c[k]) if together == together else np.nan
            rows.append(
                {
                    "temperature_K": m.temperature_K, "D_m2_per_s": D, "D_stderr": error,
                    "D_collective_m2_per_s": together, "D_collective_stderr": together_error,
                    "sigma_NE_S_per_m": D * to_sigma, "sigma_NE_stderr": error * to_sigma,
                    "sigma_S_per_m": together * to_sigma, "sigma_stderr": together_error * to_sigma,
                    "haven_ratio": float(m.haven_ratio[k]), "haven_stderr": float(m.haven_ratio_stderr[k]),
                    "hops": hops, "diffusive": bool(m.regime.diffusive[k]),
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    def conductivity_at(self, temperature_K: float, *, haven_ratio: float | None = 1.0) -> Extrapolation:
        """Return the conductivity at any temperature by Nernst, Einstein and Arrhenius, with its 95 % band.

        sigma = c z² e² D(T) / (kB T H), ln D = ln D0 - Ea/(kB T). The band is that of the line, symmetric in the
        logarithm, with the error of 1/H where H is the measured one; it knows nothing of a phase transition or of
        another mechanism on the way.

        Args:
            temperature_K: K.
            haven_ratio: H; the mean of those measured where None.

        Raises:
            DataError: No law, or no Haven ratio that could be measured.
        """
        if self.diffusion is None:
            raise DataError(
                f"{self.formula}: {self.ion} diffuses at fewer than two temperatures, so there is no law; run longer "
                "or hotter."
            )
        if not 0 < temperature_K < np.inf or (haven_ratio is not None and not 0 < haven_ratio < np.inf):
            raise DataError(
                f"temperature_K, haven_ratio: expected numbers above 0, got {temperature_K}, {haven_ratio}."
            )
        inverse, relative = (0.0, 0.0) if haven_ratio is None else (1.0 / haven_ratio, 0.0)
        if haven_ratio is None:
            if self.inverse_haven is None:
                raise DataError(f"{self.formula}: no Haven ratio was measured; run longer, or take haven_ratio=1.")
            inverse, relative = self.inverse_haven[0], self.inverse_haven[1] / self.inverse_haven[0]
        D, error = (float(x) for x in self.diffusion.predict(temperature_K))
        sigma = self.density_per_m3 * self._e2 * D * inverse / (BOLTZMANN_J_PER_K * temperature_K)
        spread = self.diffusion.quantile() * np.hypot(error / D, relative)
        measured = np.array([m.temperature_K for m in self.measurements])
        nearest = float(measured[np.abs(measured - temperature_K).argmin()])
        low, high = sigma * np.exp(-spread), sigma * np.exp(spread)
        return Extrapolation(float(temperature_K), sigma, float(low), float(high), 1.0 / inverse, nearest)

    @property
    def _e2(self) -> float:
        return (self.charge * ELEMENTARY_CHARGE_C) ** 2


def ion_conduction(
    measurements: Sequence[OnsagerMeasurement],
    ion: str,
    *,
    charges: Mapping[str, float] | None = None,
    hops: Mapping[float, int] | None = None,
) -> IonConduction:
    """Return how a solid conducts by one ion, from measurements at several temperatures in a framework at rest.

    The frame of reference of the measurements must be that of all other elements (``frame="Br+Cl+In+Y"``), in which
    the ion alone carries current: sigma = z² e² L_ii, and H = L_self_i / L_ii. The mean of 1/H is weighted with its
    relative errors (the error of a collective slope is in proportion to what was measured, so that absolute ones would
    favour low values), and its error widened where the temperatures lie further apart than chance allows (p < 0.01).

    Args:
        measurements: Of one composition, each temperature once.
        ion: The element that moves.
        charges: Of each element, e; guessed from the composition where None.
        hops: Counted at each temperature, K. Where there is none, n = 6 D t N / d², d the mean distance of atoms: as
            many hops of that length as would make the same D without correlation.

    Raises:
        DataError: Other compositions or frames, a temperature twice, an unknown element or charge.

    Reference:
        He, Zhu, Epstein, Mo, npj Comput. Mater. 2018, 4, 18, doi 10.1038/s41524-018-0074-y (errors from hops).

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations, measure_onsager
        >>> curves = displacement_correlations(Trajectory.example(), frame="O")
        >>> ion_conduction([measure_onsager(curves)], "Mg", charges={"Mg": 2.0, "O": -2.0})
        IonConduction(MgO: Mg+2, 1 temperatures, no activation energy)
    """
    rows = sorted(measurements, key=lambda m: m.temperature_K)
    _check(rows, ion)
    formula = rows[0].formula
    known = charges_from_composition(formula) if charges is None else charges
    if not known.get(ion):
        raise DataError(f"charges of {formula} give {ion} none; give its charge, such as {ion}=1.")
    k = rows[0].species.index(ion)
    free = [_hops(m, k) for m in rows]
    counted = np.array([(hops or {}).get(m.temperature_K, n) for m, n in zip(rows, free, strict=True)])
    good = [m for m in rows if m.regime.diffusive[k] and m.D_m2_per_s[k] > 0]
    fit = None
    if len(good) > 1:
        D, error = ([float(getattr(m, name)[k]) for m in good] for name in ("D_m2_per_s", "D_stderr"))
        fit = fit_arrhenius([m.temperature_K for m in good], D, error)
    notes = [m.not_diffusive_sentence() for m in rows if not m.regime.diffusive[k]]
    few = [f"{n} at {m.temperature_K:g} K" for m, n in zip(rows, counted.tolist(), strict=True) if n < FEWEST_HOPS]
    if few:
        notes.append(
            f"Few hops of {ion} were seen ({', '.join(few)}; {FEWEST_HOPS} and more make numbers that mean something): "
            "run longer, hotter or larger."
        )
    rattling = [
        f"{n} at {m.temperature_K:g} K, as far as {own}"
        for m, n, own in zip(rows, counted.tolist(), free, strict=True)
        if m.regime.diffusive[k] and own < FEWEST_HOPS <= n
    ]
    if rattling:
        notes.append(
            f"Most hops of {ion} are taken back ({', '.join(rattling)} independent ones): the few others make D; run "
            "longer, hotter or larger."
        )
    if fit is None:
        notes.append(
            f"{ion} is shown to diffuse at {len(good)} of {len(rows)} temperatures; an activation energy needs two."
        )
    inverse, more = _inverse_haven(good, k)
    notes += [*more, *(() if fit is None else fit.notes)]
    return IonConduction(formula, ion, float(known[ion]), tuple(rows), counted, fit, inverse, tuple(notes))


def _check(rows: list[OnsagerMeasurement], ion: str) -> None:
    if not rows:
        raise DataError("measurements: expected one or more, got none.")
    temperatures = [m.temperature_K for m in rows]
    if len({m.formula for m in rows}) > 1 or len(set(temperatures)) < len(temperatures):
        raise DataError("measurements: expected one composition and each temperature once; measure replicas together.")
    if ion not in rows[0].species:
        raise DataError(f"there is no {ion!r} in {rows[0].formula}; name one of {', '.join(rows[0].species)}.")
    others = {symbol for symbol in rows[0].species if symbol != ion}
    for m in rows:
        if set(m.frame.split("+")) != others:
            raise DataError(
                f"measurements: expected the frame {'+'.join(sorted(others))} of all other elements, got {m.frame}."
            )


def _density(m: OnsagerMeasurement, ion: str) -> float:
    assert m.apparent.volume_A3 is not None
    return float(m.counts[m.species.index(ion)] / (m.apparent.volume_A3 * A3_IN_M3))


def _hops(m: OnsagerMeasurement, k: int) -> int:
    """Hops over the mean distance of atoms that would make the same D."""
    assert m.apparent.volume_A3 is not None
    site_A2 = (m.apparent.volume_A3 / m.counts.sum()) ** (2.0 / 3.0)
    D = float(m.apparent.L_self[k] * m.kT_over_c[k]) if m.regime.diffusive[k] else 0.0
    return int(6.0 * D * 1e8 * m.duration_ps * m.counts[k] / site_A2)


def _inverse_haven(good: list[OnsagerMeasurement], k: int) -> tuple[tuple[float, float] | None, list[str]]:
    """Mean of L_ii / L_self_i over the temperatures, its standard error, and what there is to say."""
    from scipy.special import chdtrc

    if not good:
        return None, []
    values = np.array([float(m.correlation_factor[k]) + 1.0 for m in good])
    errors = np.array([float(m.correlation_factor_stderr[k]) for m in good])
    fine = np.isfinite(values) & (values > 0) & (errors > 0)
    if not fine.any():
        return None, []
    relative = errors[fine] / values[fine]
    weights = relative**-2
    mean = float(weights @ values[fine] / weights.sum())
    error, notes = mean * float(weights.sum() ** -0.5), []
    freedom = int(fine.sum()) - 1
    if freedom:
        chi2 = float((weights * (values[fine] / mean - 1.0) ** 2).sum())
        if chdtrc(freedom, chi2) < CHANCE:
            error *= (chi2 / freedom) ** 0.5
            notes.append("The Haven ratios differ between temperatures; the error of their mean is widened to that.")
    if not mean > 2.0 * error:
        notes.append("The Haven ratio is not known within a factor of two; collective motion needs longer runs.")
    return (mean, error), notes
