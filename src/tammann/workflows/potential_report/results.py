"""What a report says of each potential, and the table of all of them side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tammann.md.energy_drift import EnergyDrift
from tammann.notebook import ShownAsTable
from tammann.potentials.consistency import Consistency
from tammann.potentials.crystals import CrystalCurve
from tammann.potentials.evaluate import Evaluation
from tammann.potentials.phonons import Phonons
from tammann.workflows.potential_report.melts import MeltStructure, diffusivity_ratios, distribution_difference
from tammann.workflows.potential_report.plan import PotentialReportPlan

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Judgement:
    """All that was found out about one potential.

    Attributes:
        name: Short name, as in tables.
        source: Reference or architecture.
        digest: SHA-256 of its file, or an empty string.
        evaluation: Errors on the data set.
        consistency: Checks of gradients, invariances and smoothness.
        drift: Energy at constant energy.
        crystals: Equations of state by name of the crystal.
        phonons: By name of the crystal.
        melts: Runs by name of the melt.
        refused: Why a part could not be computed, by its name.
    """

    name: str
    source: str
    digest: str
    evaluation: Evaluation | None
    consistency: Consistency | None
    drift: EnergyDrift | None
    crystals: Mapping[str, CrystalCurve]
    phonons: Mapping[str, Phonons]
    melts: Mapping[str, MeltStructure]
    refused: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Judgement({self.name})"

    @property
    def survived_ps(self) -> float:
        """Time of all melts together, ps; NaN without melts."""
        return sum(run.survived_ps for run in self.melts.values()) if self.melts else math.nan

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence for each way in which it failed: checks, runs, and parts that could not be computed."""
        found = list(self.consistency.failures) if self.consistency else []
        found += [f"{name}: {run.failure.sentence}" for name, run in self.melts.items() if run.failure]
        found += [f"{name}: {sentence}" for name, sentence in self.refused.items()]
        if self.evaluation is not None and self.evaluation.failed:
            found.append(f"{len(self.evaluation.failed)} frames failed; the first: {self.evaluation.failed[0]}")
        return tuple(found)

    @property
    def steps_per_s(self) -> float:
        """Steps of molecular dynamics per second of 100 atoms, scaled linearly from its runs; NaN where not timed."""
        speeds = [run.steps_per_s * run.n_atoms / 100.0 for run in self.melts.values() if run.steps_per_s > 0]
        if speeds:
            return float(np.mean(speeds))
        seconds = math.nan if self.evaluation is None else self.evaluation.seconds_per_atom
        return 1.0 / (100.0 * seconds) if seconds > 0 else math.nan


@dataclass(frozen=True, eq=False, repr=False)
class PotentialReport(ShownAsTable):
    """Potentials side by side.

    Attributes:
        plan: What was asked for.
        folder: Where it lies.
        potentials: One judgement for each potential of the plan, in its order.
        reference: The same of the labelling potential, or None.
        labels: Who made the labels, as the data set says.
    """

    plan: PotentialReportPlan
    folder: Path
    potentials: tuple[Judgement, ...]
    reference: Judgement | None
    labels: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self.potentials)
        return f"PotentialReport({names})"

    @property
    def all(self) -> tuple[Judgement, ...]:
        """The potentials, then the reference where it is not among them."""
        names = {one.name for one in self.potentials}
        more = self.reference is not None and self.reference.name not in names
        return (*self.potentials, self.reference) if more and self.reference else self.potentials

    @property
    def page(self) -> Path:
        """The report as one HTML file."""
        return self.folder / "report.html"

    def table(self) -> pd.DataFrame:
        """Return one row for each potential; NaN for what was not done.

        Errors on the data set, checks passed and made, drift of the energy at the longest time step and the power of
        the time step with which its fluctuation falls, time survived in melts and runs that failed, the largest
        difference of a pair distribution from the reference beyond noise, the ratio of diffusivities farthest from 1,
        errors of volume and bulk modulus against the reference, the lowest phonon, and speed.
        """
        import pandas as pd

        return pd.DataFrame([_row(one, self.reference) for one in self.all])


def _row(one: Judgement, reference: Judgement | None) -> dict[str, object]:
    nan = math.nan
    errors = one.evaluation.errors().iloc[0].to_dict() if one.evaluation else {}
    row: dict[str, object] = {"potential": one.name}
    for name in ("energy_rmse_meV_per_atom", "force_rmse_eV_per_A", "force_slope", "stress_rmse_GPa"):
        row[name] = float(errors.get(name, nan))
    checks = one.consistency.checks if one.consistency else ()
    row["checks_passed"], row["checks"] = sum(check.passed for check in checks), len(checks)
    drift = one.drift
    row["drift_meV_per_atom_ps"] = float(drift.drift_meV_per_atom_ps[0]) if drift else nan
    row["drift_order"] = drift.order if drift else nan
    row["survived_ps"], row["failed_runs"] = one.survived_ps, sum(r.failure is not None for r in one.melts.values())
    grades = [run.highest_grade for run in one.melts.values() if math.isfinite(run.highest_grade)]
    row["highest_grade"] = max(grades, default=nan)
    others = {} if reference is None or reference.name == one.name else reference.melts
    gaps, ratios = [], []
    for name in one.melts.keys() & others.keys():
        gaps += [max(0.0, d - noise) for d, noise in distribution_difference(one.melts[name], others[name]).values()]
        ratios += [ratio for ratio, _ in diffusivity_ratios(one.melts[name], others[name]).values()]
    row["g_difference"] = max(gaps, default=nan)
    row["D_ratio"] = max(ratios, key=lambda x: abs(math.log(x)), default=nan)
    curves = {} if reference is None or reference.name == one.name else reference.crystals
    pairs = [(one.crystals[name], curves[name]) for name in one.crystals.keys() & curves.keys()]
    volumes = [a.volume_A3_per_atom / b.volume_A3_per_atom - 1.0 for a, b in pairs]
    moduli = [a.bulk_modulus_GPa / b.bulk_modulus_GPa - 1.0 for a, b in pairs]
    row["volume_error_percent"] = 100.0 * max(volumes, key=abs, default=nan)
    row["bulk_modulus_error_percent"] = 100.0 * max(moduli, key=abs, default=nan)
    row["lowest_phonon_THz"] = min((p.lowest_THz for p in one.phonons.values()), default=nan)
    row["steps_per_s_100_atoms"] = one.steps_per_s
    row["failures"] = len(one.failures)
    return row
