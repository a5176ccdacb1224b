"""What a campaign of electrolytes has found so far: one row for each structure that was set in motion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tammann.errors import DataError, ResultError
from tammann.files import read_json
from tammann.notebook import ShownAsTable
from tammann.transport import IonConduction, PlanarDiffusion, ion_conduction, planar_diffusion
from tammann.transport.ion_conduction import FEWEST_HOPS
from tammann.workflows.electrolyte.motion import (
    FAILED,
    measurements,
    pathways_folder,
    pathways_summary,
    run_folder,
    runs_of,
    starting_configuration,
    transport_folder,
)
from tammann.workflows.electrolyte.plan import ElectrolytePlan
from tammann.workflows.electrolyte.structures import (
    HULL,
    HULL_TABLE,
    ORDERINGS,
    RECORD,
    SELECTED,
    composition_of,
    formula_units_of,
    orderings_record,
    selected,
)

if TYPE_CHECKING:
    import pandas as pd

S_PER_M_IN_S_PER_CM = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class ElectrolyteResult(ShownAsTable):
    """What a folder of ``run_electrolytes`` holds.

    Attributes:
        plan: Plan.
        out: Folder.
        orderings: What is known of the orderings of each composition by name.
        hull: One row for each relaxed structure, or None before that stage.
        structures: Those set in motion.
        conductions: By structure, where something was measured.
        planar: By structure and temperature, K.
        pathways: By structure and temperature, K.
        failures: What went wrong, one sentence each.
    """

    plan: ElectrolytePlan
    out: Path
    orderings: Mapping[str, Mapping[str, Any]]
    hull: pd.DataFrame | None
    structures: tuple[str, ...]
    conductions: Mapping[str, IonConduction]
    planar: Mapping[tuple[str, float], PlanarDiffusion]
    pathways: Mapping[tuple[str, float], Mapping[str, Any]]
    failures: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"ElectrolyteResult({self.out}: {len(self.orderings)} of {len(self.plan.names)} compositions ordered, "
            f"{len(self.conductions)} of {len(self.structures)} structures measured)"
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each structure that was set in motion.

        Energy above the hull (eV/atom), activation energy of D (eV), the conductivity (S/cm) at ``conductivity_at_K``
        by Nernst and Einstein with H = 1 and with the measured Haven ratio, each with its 95 % band, the fewest hops
        behind a temperature, and of the hottest temperature the dimension of the network of jumps, the barriers (eV) at
        which the density opens in one, two and three directions, and the diffusivities in and across the plane of a
        and b (m²/s). NaN for what is not known.
        """
        import pandas as pd

        return pd.DataFrame([self._row(each) for each in self.structures], columns=COLUMNS)

    def temperatures(self) -> pd.DataFrame:
        """Return one row for each structure and temperature (``IonConduction.table``)."""
        import pandas as pd

        parts = []
        for name, each in self.conductions.items():
            table = each.table()
            table.insert(0, "structure", name)
            parts.append(table)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def notes(self) -> list[str]:
        """Return what there is to say of structures, one sentence for all of which the same is true."""
        found: dict[str, dict[str, list[float]]] = {}

        def say(text: str, structure: str, temperature_K: float | None = None) -> None:
            temperatures = found.setdefault(text, {}).setdefault(structure, [])
            if temperature_K is not None and temperature_K not in temperatures:
                temperatures.append(temperature_K)

        for name, each in self.conductions.items():
            told = []
            for m, hops in zip(each.measurements, each.hops.tolist(), strict=True):
                if not m.regime.diffusive[m.species.index(each.ion)]:
                    told.append(m.not_diffusive_sentence())
                    lost = f"{each.ion} is not shown to be diffusive, nor to stay in place; run longer or hotter."
                    say(lost, name, m.temperature_K)
                if hops < FEWEST_HOPS:
                    few = f"{FEWEST_HOPS} and more make numbers that mean something: run longer, hotter or larger."
                    say(f"few hops of {each.ion} were seen; {few}", name, m.temperature_K)
            for note in each.notes:
                if note not in told and not note.startswith("Few hops of"):
                    say(note, name)
        if self.hull is not None and "relaxed" in self.hull:
            asked = self.plan.relaxation
            for name in self.hull.loc[~self.hull["relaxed"], "structure"]:
                say(
                    f"not converged, with a force above {asked.force_eV_per_A:g} eV/Å after {asked.steps} steps of "
                    "relaxation.",
                    name,
                )
        for (name, T), way in self.pathways.items():
            for note in way["notes"]:
                say(note, name, T)
        return [f"{'; '.join(_at(*each) for each in where.items())}: {text}" for text, where in found.items()]

    def _row(self, structure: str) -> dict[str, Any]:
        at = self.plan.conductivity_at_K
        row: dict[str, Any] = {"structure": structure, "composition": composition_of(self.plan, structure)}
        row["sigma_at_K"] = at
        if self.hull is not None:
            mine = self.hull[self.hull["structure"] == structure].iloc[0]
            row |= {"formula": mine["formula"], "above_hull_eV_per_atom": float(mine["above_hull_eV_per_atom"])}
        conduction = self.conductions.get(structure)
        if conduction is not None:
            row["temperatures"] = int(conduction.table()["diffusive"].sum())
            row["fewest_hops"] = int(conduction.hops.min())
            if (fit := conduction.diffusion) is not None:
                row |= {"Ea_eV": fit.activation_energy_eV, "Ea_stderr_eV": fit.activation_energy_stderr_eV}
                row |= self._sigma(conduction, 1.0, "sigma_NE")
                if conduction.inverse_haven is not None:
                    row |= self._sigma(conduction, None, "sigma_haven")
                    row["haven_ratio"] = 1.0 / conduction.inverse_haven[0]
        hottest = max(self.plan.temperatures_K)
        if (way := self.pathways.get((structure, hottest))) is not None:
            row["dimension"] = way["dimension"]
            row |= {f"barrier_{d}d_eV": barrier for d, barrier in way["barriers_eV"].items()}
        if (planar := self.planar.get((structure, hottest))) is not None:
            row |= {"D_in_plane_m2_per_s": planar.in_plane, "D_in_plane_stderr": planar.in_plane_stderr}
            row |= {"D_across_m2_per_s": planar.across, "D_across_stderr": planar.across_stderr}
        return row

    def _sigma(self, conduction: IonConduction, haven: float | None, name: str) -> dict[str, float]:
        found = conduction.conductivity_at(self.plan.conductivity_at_K, haven_ratio=haven)
        values = {"": found.sigma_S_per_m, "_low": found.low_S_per_m, "_high": found.high_S_per_m}
        return {f"{name}{part}_S_per_cm": value * S_PER_M_IN_S_PER_CM for part, value in values.items()}


COLUMNS = [
    "composition", "formula", "structure", "above_hull_eV_per_atom", "Ea_eV", "Ea_stderr_eV", "sigma_at_K",
    "sigma_NE_S_per_cm", "sigma_NE_low_S_per_cm", "sigma_NE_high_S_per_cm", "sigma_haven_S_per_cm",
    "sigma_haven_low_S_per_cm", "sigma_haven_high_S_per_cm", "haven_ratio", "temperatures", "fewest_hops", "dimension",
    "barrier_1d_eV", "barrier_2d_eV", "barrier_3d_eV", "D_in_plane_m2_per_s", "D_in_plane_stderr", "D_across_m2_per_s",
    "D_across_stderr",
]  # fmt: skip


def gather(plan: ElectrolytePlan, out: Path) -> ElectrolyteResult:
    """Read what a folder holds of each stage.

    Raises:
        ResultError: Files that cannot be understood.
    """
    orderings = {name: orderings_record(out, name) for name in plan.names if (out / ORDERINGS / name / RECORD).exists()}
    chosen: tuple[str, ...] = ()
    hull, failures = None, []
    if (out / HULL / SELECTED).exists():
        hull, chosen = _read_hull(plan, out / HULL / HULL_TABLE), selected(out)
        if lost := [name for name in chosen if name not in set(hull["structure"])]:
            raise ResultError(
                f"{out / HULL / HULL_TABLE}: expected a row of {lost[0]}, got none; run the stage hull again."
            )
        failed = read_json(out / HULL / SELECTED, error=ResultError)["failures"]
        failures += [f"{name} was not relaxed: {reason}" for name, reason in failed.items()]
        unfinished = [run for run in runs_of(plan, out) if (run_folder(out, run) / FAILED).exists()]
        failures += [f"{run.name}: {(run_folder(out, run) / FAILED).read_text().strip()}" for run in unfinished]
    conductions: dict[str, IonConduction] = {}
    planar: dict[tuple[str, float], PlanarDiffusion] = {}
    pathways: dict[tuple[str, float], Mapping[str, Any]] = {}
    for structure in chosen:
        for T in sorted(plan.temperatures_K):
            if (way := pathways_summary(out, structure, T)) is not None:
                pathways[structure, T] = way
            for folder in (transport_folder(out, structure, T), pathways_folder(out, structure, T)):
                if (folder / FAILED).exists():
                    failures.append(f"{structure}, {T:g} K: {(folder / FAILED).read_text().strip()}")
        if found := measurements(plan, out, structure):
            hops = {T: int(way["jumps"]) for (name, T), way in pathways.items() if name == structure}
            counted = hops if all(m.temperature_K in hops for m in found) else None
            try:
                conductions[structure] = ion_conduction(found, plan.mobile, charges=plan.charges, hops=counted)
            except DataError as error:
                failures.append(f"{structure}: {error}")
            cell = starting_configuration(plan, out, structure).cell_A
            for m in found:
                planar[structure, m.temperature_K] = planar_diffusion(m, plan.mobile, cell)
    return ElectrolyteResult(
        plan, out, orderings, hull, chosen, conductions, planar, pathways, tuple(dict.fromkeys(failures))
    )


def _read_hull(plan: ElectrolytePlan, file: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise ResultError(f"{file}: expected a table of the hull ({error}); run the stage hull again.") from None
    for column in ("structure", "formula", "energy_eV_per_atom", "above_hull_eV_per_atom", "selected"):
        if column not in table:
            raise ResultError(f"{file}: expected a column {column}, got none; run the stage hull again.")
    if "formula_unit" not in table and "atoms" in table:  # written before there was this column
        table["formula_unit"] = formula_units_of(plan, table)
    return table


def _at(structure: str, temperatures_K: Sequence[float]) -> str:
    if not temperatures_K:
        return structure
    return f"{structure} at {', '.join(f'{T:g}' for T in sorted(temperatures_K))} K"


def two_digits(value: float) -> str:
    """Return a number with two significant digits, a dash where it is unknown.

    Example:
        >>> [two_digits(value) for value in (0.886, 1.0, 12.3, 4.1e-7, float("nan"))]
        ['0.89', '1.0', '12', '4.1e-07', '-']
    """
    return f"{value:#.2g}".rstrip(".") if math.isfinite(value) else "-"


def shown_conductivity(value: float, low: float, high: float) -> str:
    """Return a conductivity with its band, such as ``0.89 (0.73 to 1.1)``.

    Example:
        >>> shown_conductivity(0.886, 0.727, 1.08), shown_conductivity(float("nan"), 0.0, 0.0)
        ('0.89 (0.73 to 1.1)', '-')
    """
    return "-" if not math.isfinite(value) else f"{two_digits(value)} ({two_digits(low)} to {two_digits(high)})"


def shown_share(share: float) -> str:
    """Return a share in percent.

    Example:
        >>> shown_share(0.0286), shown_share(1.0), shown_share(1.1e-16)
        ('2.86 %', '100 %', '1.1e-14 %')
    """
    return f"{100.0 * float(share):.3g} %"
