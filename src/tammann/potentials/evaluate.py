"""Errors of a potential on labelled frames: energies, forces and stresses beside those of the label."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.potentials.calculators import Potential, calculator_of, muted, prepare
from tammann.potentials.response import VOIGT, judged, respond
from tammann.units import EV_PER_A3_IN_GPA

if TYPE_CHECKING:
    import pandas as pd

    from tammann.potentials.dataset import DataSet

Alignment = Literal["none", "constant", "elements"]
"""What is taken out of the differences of energies: nothing, one constant per atom, or one for each element."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(ShownAsTable):
    """Predictions of a potential beside the labels of a data set.

    Attributes:
        potential: Its name.
        frames: One row for each frame with an energy: ``frame`` (its number in the data set), ``formula``,
            ``config_type``, ``atoms``, ``reference_eV_per_atom``, ``predicted_eV_per_atom`` (aligned), ``grade``
            (the extrapolation grade, NaN where the potential gives none).
        forces: One row for each force component: ``frame``, ``element``, ``config_type``, ``reference_eV_per_A``,
            ``predicted_eV_per_A``.
        stresses: One row for each of the six components of each stress: ``frame``, ``config_type``, ``component``,
            ``reference_GPa``, ``predicted_GPa``.
        alignment: What has been taken out of the energies.
        offsets_eV: By element (or ``atom``), what was subtracted from predicted energies for each atom, eV.
        seconds_per_atom: Mean time of a single point with all three, s per atom.
        failed: One sentence for each frame on which the potential failed; these are in no other number.
    """

    potential: str
    frames: pd.DataFrame
    forces: pd.DataFrame
    stresses: pd.DataFrame
    alignment: Alignment
    offsets_eV: dict[str, float]
    seconds_per_atom: float
    failed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        row = self.table().iloc[0]
        return (
            f"Evaluation({self.potential}, {len(self.frames)} frames: {row['energy_rmse_meV_per_atom']:.1f} meV/atom, "
            f"{row['force_rmse_eV_per_A']:.3f} eV/Å)"
        )

    def table(self) -> pd.DataFrame:
        """Return the errors over all frames, then by configuration type, then of the forces on each element."""
        import pandas as pd

        parts = [
            self.errors().assign(by="all", value="all"),
            self.errors("config_type").reset_index().rename(columns={"config_type": "value"}).assign(by="config_type"),
            self.errors("element").reset_index().rename(columns={"element": "value"}).assign(by="element"),
        ]
        table = pd.concat(parts, ignore_index=True)
        return table[["by", "value", *(name for name in table.columns if name not in ("by", "value"))]]

    def errors(self, by: Literal["config_type", "formula", "element"] | None = None) -> pd.DataFrame:
        """Return root mean square and mean absolute errors, one row for each value of a column.

        Args:
            by: ``config_type`` or ``formula`` of frames, ``element`` of atoms (forces only); all together where None.

        Returns:
            ``frames``, ``energy_rmse_meV_per_atom``, ``energy_mae_meV_per_atom``, ``force_rmse_eV_per_A``,
            ``force_mae_eV_per_A``, ``force_rms_eV_per_A`` (of the reference), ``force_slope`` and
            ``stress_rmse_GPa``, ``stress_mae_GPa``. The slope s minimizes sum (F_predicted - s F_reference)²: below 1
            the potential is too soft.
        """
        import pandas as pd

        formulas = self.frames.set_index("frame")["formula"]
        whole = {"frames": self.frames, "forces": self.forces, "stresses": self.stresses}
        tables = {name: table.assign(formula=table["frame"].map(formulas)) for name, table in whole.items()}
        if by is None:
            return pd.DataFrame([_errors(**tables)])
        values = sorted(set(tables["forces"][by]) | (set() if by == "element" else set(tables["frames"][by])))
        rows = {
            value: _errors(**{n: t[t[by] == value] if by in t else t.iloc[:0] for n, t in tables.items()})
            for value in values
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(by)


def evaluate_potential(
    potential: Potential,
    dataset: DataSet,
    *,
    align: Alignment = "none",
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Compute energies, forces and stresses of all frames of a data set with a potential, beside their labels.

    Energies of different methods differ by a constant for each atom, which moves no atom. ``align`` takes it out of
    the predictions: ``elements`` subtracts sum_i n_i c_i with n_i atoms of element i, c from least squares (of least
    norm: at a single composition only one combination is determined). A data set of few compositions lets it hide
    errors of formation energies, so the alignment stands in the result.

    Args:
        potential: As ``load_potential`` returns it.
        dataset: Labelled frames; labels that a frame lacks are left out.
        align: ``none``, ``constant`` or ``elements``.
        progress: Called with the fraction of frames done.

    Raises:
        DataError: An element that the potential does not know, a data set without labels, or all frames fail.

    Example:
        >>> from tammann.potentials.dataset import DataSet, Frame
        >>> from tammann.potentials import imported_potential
        >>> from tammann.structures import Configuration
        >>> cell = 1.8 * (np.ones((3, 3)) - np.eye(3))
        >>> copper = Configuration(("Cu",), np.zeros((1, 3)), cell)
        >>> frame = Frame(copper, energy_eV=1.0, forces_eV_per_A=np.zeros((1, 3)))
        >>> found = evaluate_potential(imported_potential("ase.calculators.emt:EMT"), DataSet((frame,)))
        >>> round(float(found.frames["predicted_eV_per_atom"][0]), 3)
        -0.007
    """
    import pandas as pd

    if align not in get_args(Alignment):
        raise DataError(f"align: expected none, constant or elements, got {align!r}.")
    if not any(frame.energy_eV is not None or frame.forces_eV_per_A is not None for frame in dataset):
        raise DataError("dataset: expected frames with energies or forces, got none; label them first.")
    frames: list[tuple[Any, ...]] = []
    force_parts: list[pd.DataFrame] = []
    stress_parts: list[pd.DataFrame] = []
    failed: list[str] = []
    seconds, atoms = 0.0, 0
    made = prepare(potential, dataset.frames[0].configuration.symbols)
    calculator, kinds = judged(calculator_of(made)), set(dataset.frames[0].configuration.symbols)
    for k, frame in enumerate(dataset):
        configuration = frame.configuration
        if not set(configuration.symbols) <= kinds:
            kinds |= set(configuration.symbols)
            potential.check(kinds)
        start = time.perf_counter()
        try:
            response = respond(calculator, configuration, name=f"potential {potential.name}")
        except DataError as problem:
            failed.append(f"frame {k} ({frame.config_type}): {problem}")
            continue
        if k:  # the first call compiles and reads weights
            seconds, atoms = seconds + time.perf_counter() - start, atoms + configuration.n_atoms
        n = configuration.n_atoms
        if frame.energy_eV is not None:
            grade = np.nan if response.grade is None else response.grade
            per_atom = (frame.energy_eV / n, response.energy_eV / n)
            frames.append((k, frame.formula, frame.config_type, n, *per_atom, grade))
        if frame.forces_eV_per_A is not None:
            columns = {
                "frame": k,
                "element": np.repeat(configuration.symbols, 3),
                "config_type": frame.config_type,
                "reference_eV_per_A": np.asarray(frame.forces_eV_per_A, dtype=float).ravel(),
                "predicted_eV_per_A": response.forces_eV_per_A.ravel(),
            }
            force_parts.append(pd.DataFrame(columns))
        if frame.stress_eV_per_A3 is not None:
            pairs = [(frame.stress_eV_per_A3[a, b], response.stress_eV_per_A3[a, b]) for a, b in VOIGT]
            reference, predicted = (EV_PER_A3_IN_GPA * np.array(column) for column in zip(*pairs, strict=True))
            columns = {"frame": k, "config_type": frame.config_type, "component": ["xx", "yy", "zz", "yz", "xz", "xy"]}
            stress_parts.append(pd.DataFrame(columns | {"reference_GPa": reference, "predicted_GPa": predicted}))
        if progress is not None:
            progress((k + 1) / len(dataset))
    if len(failed) == len(dataset):
        raise DataError(f"potential {potential.name} failed on all {len(failed)} frames; the first: {failed[0]}")
    table = pd.DataFrame(frames, columns=FRAME_COLUMNS)
    symbols = [dataset.frames[k].configuration.symbols for k in table["frame"]]
    table, offsets = _aligned(table, symbols, align)
    return Evaluation(
        potential.name,
        table,
        pd.concat(force_parts, ignore_index=True) if force_parts else pd.DataFrame(columns=FORCE_COLUMNS),
        pd.concat(stress_parts, ignore_index=True) if stress_parts else pd.DataFrame(columns=STRESS_COLUMNS),
        align,
        offsets,
        seconds / atoms if atoms else float("nan"),
        tuple(failed),
    )


FRAME_COLUMNS = ["frame", "formula", "config_type", "atoms", "reference_eV_per_atom", "predicted_eV_per_atom", "grade"]
FORCE_COLUMNS = ["frame", "element", "config_type", "reference_eV_per_A", "predicted_eV_per_A"]
STRESS_COLUMNS = ["frame", "config_type", "component", "reference_GPa", "predicted_GPa"]


def calculator_errors(calculator: Any, dataset: DataSet) -> dict[str, float]:
    """Return the root mean square errors of an ASE calculator on labelled frames, in meV per atom and meV/Å.

    Frames without energy or forces are left out.

    Raises:
        DataError: None has both.
    """
    energies, forces = [], []
    with muted():
        for frame in dataset:
            if frame.energy_eV is None or frame.forces_eV_per_A is None:
                continue
            atoms = frame.configuration.to_ase()
            atoms.wrap()
            forces.append(calculator.get_property("forces", atoms) - frame.forces_eV_per_A)
            energies.append((calculator.get_property("energy", atoms) - frame.energy_eV) / frame.n_atoms)
    if not energies:
        raise DataError("test: expected frames with energy and forces, got none; label some.")
    return {
        "energy_meV_per_atom": 1000.0 * _rms(np.asarray(energies)),
        "forces_meV_per_A": 1000.0 * _rms(np.concatenate(forces)),
    }


def compare_potentials(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return the errors of several potentials on the same data set side by side, one row for each.

    The columns are those of ``Evaluation.errors``, with ``potential`` first and ``frames_failed`` and
    ``steps_per_s_100_atoms`` (from the mean time of a single point) last.

    Raises:
        DataError: None, or of different data sets.
    """
    import pandas as pd

    if not evaluations:
        raise DataError("evaluations: expected one or more, got none.")
    sizes = {len(one.frames) + len(one.failed) for one in evaluations}
    if len(sizes) > 1:
        raise DataError(f"evaluations: expected the same data set for all, got {sorted(sizes)} frames.")
    rows = []
    for one in evaluations:
        errors = one.errors().iloc[0].to_dict()
        errors["frames"] = int(errors["frames"])
        speed = 1.0 / (100.0 * one.seconds_per_atom) if one.seconds_per_atom > 0 else np.nan
        more = {"frames_failed": len(one.failed), "steps_per_s_100_atoms": speed}
        rows.append({"potential": one.potential} | errors | more)
    return pd.DataFrame(rows)


def _errors(frames: pd.DataFrame, forces: pd.DataFrame, stresses: pd.DataFrame) -> dict[str, float]:
    energy = 1000.0 * _difference(frames, "eV_per_atom")
    force, stress = _difference(forces, "eV_per_A"), _difference(stresses, "GPa")
    reference = forces["reference_eV_per_A"].to_numpy(dtype=float)
    square = float((reference**2).sum())
    product = float((reference * forces["predicted_eV_per_A"].to_numpy(dtype=float)).sum())
    return {
        "frames": max(len(frames), forces["frame"].nunique()),
        "energy_rmse_meV_per_atom": _rms(energy),
        "energy_mae_meV_per_atom": _mean(np.abs(energy)),
        "force_rmse_eV_per_A": _rms(force),
        "force_mae_eV_per_A": _mean(np.abs(force)),
        "force_rms_eV_per_A": _rms(reference),
        "force_slope": product / square if square else np.nan,
        "stress_rmse_GPa": _rms(stress),
        "stress_mae_GPa": _mean(np.abs(stress)),
    }


def _difference(table: pd.DataFrame, unit: str) -> np.ndarray:
    both = table[[f"predicted_{unit}", f"reference_{unit}"]].to_numpy(dtype=float)
    return both[:, 0] - both[:, 1]


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _aligned(
    table: pd.DataFrame, symbols: Sequence[Sequence[str]], align: Alignment
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Take constants out of the predicted energies; return the table, and the constants by element."""
    if align == "none" or table.empty:
        return table, {}
    difference = (table["predicted_eV_per_atom"] - table["reference_eV_per_atom"]).to_numpy(dtype=float)
    names = ["atom"] if align == "constant" else sorted({symbol for one in symbols for symbol in one})
    shares = np.ones((len(table), 1))
    if align == "elements":
        shares = np.array([[list(one).count(name) / len(one) for name in names] for one in symbols])
    offsets = np.linalg.lstsq(shares, difference, rcond=1e-9)[0]
    aligned = table.assign(predicted_eV_per_atom=table["predicted_eV_per_atom"] - shares @ offsets)
    return aligned, {name: float(value) for name, value in zip(names, offsets, strict=True)}
