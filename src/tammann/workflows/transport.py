"""From trajectories to a folder: Onsager coefficients, what follows from them, and figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from tammann._version import __version__
from tammann.composition import composition_key
from tammann.errors import DataError, ResultError
from tammann.files import check_empty, digest, json_safe, lock_folder, read_json, write_text
from tammann.parallel import Progress
from tammann.strict import Document
from tammann.trajectory import Trajectory, read_trajectory
from tammann.transport import (
    ArrheniusFit,
    Conductivity,
    Correlations,
    OnsagerMeasurement,
    TransportTable,
    charges_from_composition,
    correct_finite_size,
    correlations_of_stretches,
    displacement_correlations,
    find_regime,
    fit_activation,
    in_frame,
    ionic_conductivity,
    load_measurements,
    measure_onsager,
    natural_frame,
    save_measurements,
    save_transport,
    spread_lags,
    transport_table,
)
from tammann.transport.onsager import HOTTEST_K
from tammann.transport.record import RECORD_FILE
from tammann.transport.table import TABLE_FILE

BLOCKS = 8
"""Stretches of each trajectory for the check of the stated errors, where it is long enough."""

LEAST_BLOCK = 4.2
"""Length of a stretch over the start of the regime, at least: its half must hold twice that start."""

CURVE_POINTS = 200
"""Lags in a file of curves."""

SAME_PATHS = 0.99
"""Correlation of displacements above which two trajectories are one; that of independent ones is zero."""

PLAN = "plan.json"

READING = {"timestep_fs", "frame_interval_ps", "types", "start", "stop", "every", "wrapped"}
"""Keys of a plan that say how files are read."""


class TransportPlan(Document):
    """Trajectories to measure, and how; those of one composition and temperature are replicas.

    Raises:
        DataError: A key or value that cannot be used, by name.
    """

    ERROR = DataError

    trajectories: tuple[Path, ...] = Field(min_length=1, description="one or more files that read_trajectory reads")
    temperatures_K: tuple[float, ...] = Field(
        min_length=1, description="temperatures in K, one for all or one for each trajectory"
    )
    timestep_fs: float | None = Field(None, description="the length of a step in fs, where the file counts steps")
    frame_interval_ps: float | None = Field(
        None, description="the time between frames of the file in ps, where it does not say it"
    )
    types: tuple[str, ...] | None = Field(
        None, description="the elements of the atom types 1, 2, ... of a LAMMPS dump without elements"
    )
    skip_ps: float = Field(0.0, ge=0, description="the time in ps left out at the start of every trajectory")
    start: int = Field(0, ge=0, description="the first frame to read, counted from 0")
    stop: int | None = Field(None, description="the frame to stop before")
    every: int = Field(1, ge=1, description="a whole number n of 1 or more, to keep one frame in n")
    wrapped: bool = Field(
        True, description="false where positions were never folded back into the cell, as ASE's own dynamics leave them"
    )
    frame: str | None = Field(
        None,
        description="barycentric, laboratory or elements joined by +; by default the framework of a solid whose other "
        "ions diffuse, else barycentric",
    )
    regime_ps: tuple[float, float] | None = Field(
        None, description="two times in ps, first and last of the linear regime, found by rule by default"
    )
    charges: dict[str, float] | None = Field(
        None, description="the charge of each element in e, guessed from the composition by default"
    )
    viscosity_Pa_s: tuple[float, float] | None = Field(
        None,
        description="the shear viscosity of the model in Pa s and its standard error, which correct the diffusivities "
        "for the size of the cell",
    )

    @model_validator(mode="after")
    def _check(self) -> TransportPlan:
        paths, temperatures, viscosity = self.trajectories, self.temperatures_K, self.viscosity_Pa_s
        for number, path in enumerate(resolved := [path.resolve() for path in paths]):
            if path in resolved[:number]:
                raise ValueError(f"{path.name} was given twice; give every trajectory once")
        for T in temperatures:
            if not 0 < T <= HOTTEST_K:
                raise ValueError(f"temperature_K is {T:g}, expected a number above 0 K and up to {HOTTEST_K:g}")
        if len(temperatures) not in (1, len(paths)):
            raise ValueError(
                f"temperature_K was given {len(temperatures)} times for {len(paths)} trajectories; give it once, or "
                "once for each trajectory in their order"
            )
        if viscosity is not None and not (viscosity[0] > 0 and viscosity[1] >= 0):
            raise ValueError(
                f"viscosity_Pa_s is {viscosity[0]:g} with the error {viscosity[1]:g}, expected one above 0 Pa s and "
                "its standard error"
            )
        if viscosity is not None and len(set(temperatures)) > 1:
            raise ValueError(
                "viscosity_Pa_s was given for several temperatures; a viscosity holds at one, so measure each alone"
            )
        return self


@dataclass(frozen=True, eq=False)
class TransportRun:
    """Transport measured from trajectories of one or several systems and temperatures.

    Attributes:
        measurements: One for each composition and temperature, replicas combined, in order of both.
        correlations: The displacement correlations behind each, one for each replica; none where loaded from a folder.
        conductivities: Of each measurement; None where it is not diffusive or no charges are known.
        activation: Arrhenius fits of the diffusivities by composition and element, where there are two diffusive
            temperatures or more.
        table: The measurements that recipes can take, or None where there are none.
        notes: Remarks on the whole; those on one measurement are in its own notes.
    """

    measurements: tuple[OnsagerMeasurement, ...]
    correlations: tuple[tuple[Correlations, ...], ...]
    conductivities: tuple[Conductivity | None, ...]
    activation: Mapping[str, Mapping[str, ArrheniusFit]]
    table: TransportTable | None = None
    notes: tuple[str, ...] = ()


class _Replica(NamedTuple):
    """What is kept of a trajectory: its displacement correlations, those of its stretches, and coarse paths."""

    curves: Correlations
    pieces: list[Correlations]
    paths: np.ndarray


def run_transport(
    plan: TransportPlan,
    out: str | PathLike[str] | None = None,
    *,
    resume: bool = False,
    figures: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> TransportRun:
    """Read the trajectories of a plan, group them by composition and temperature, and measure each group.

    With ``out``, files appear in it together: ``plan.json``; ``transport.json``, one record for each composition and
    temperature (a single one as itself); ``transport_table.json``, those in the barycentric frame in which all ions
    diffuse, as recipes take them for ``transport``, or a note why there are none; ``arrhenius.json``, activation
    energies, where there are several temperatures; ``NAME.csv``, correlation curves in Å² against ps, and ``NAME.png``,
    the figure of each measurement, with NAME such as ``BaTiO3-1500K``; ``arrhenius-FORMULA.png``, diffusivities over
    1/T. While it is written, the folder is locked; a run that ends early leaves it as it was.

    Args:
        plan: What to measure.
        out: A new or empty folder for the results; nothing is written where None.
        resume: Return the results that ``out`` holds of this plan and these trajectories, where they are complete.
        figures: Whether to draw.
        threads: Cores for the transforms.
        progress: Called with the fraction done, what is being done, and the temperature, K.

    Raises:
        DataError: An input that cannot be used, by name.
        ResultError: The folder is not empty, is in use, is a file, or holds results of another plan or of other files.
        OSError: It cannot be written to.

    Example:
        >>> import numpy as np, tempfile
        >>> steps = 0.1 * np.random.default_rng(1).normal(size=(1000, 8, 3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "walk.npz"
        ...     np.savez(file, positions=steps.cumsum(axis=0), cells=12.0 * np.eye(3), symbols=["Na", "Cl"] * 4)
        ...     plan = TransportPlan(trajectories=[file], temperatures_K=[1200.0], frame_interval_ps=0.1)
        ...     found = run_transport(plan)
        >>> found.measurements[0].formula
        'NaCl'
    """
    report = progress or (lambda fraction, what, temperature_K: None)
    if out is None:
        return _derived(plan, *_measure(plan, threads, report), name=TABLE_FILE)
    folder = Path(out)
    name = f"{folder.name or 'measured'}/{TABLE_FILE}"
    _check_folder(plan, folder, resume=resume)
    if (folder / RECORD_FILE).exists():
        return _derived(plan, load_measurements(folder / RECORD_FILE), (), name=name)
    with _own_folder(plan, folder, resume=resume) as partial:
        run = _derived(plan, *_measure(plan, threads, report), name=name)
        _write_results(run, partial, figures=figures)
    return run


def _measure(
    plan: TransportPlan, threads: int | None, progress: Progress
) -> tuple[tuple[OnsagerMeasurement, ...], tuple[tuple[Correlations, ...], ...]]:
    """Measure every group of replicas, in the order of composition and temperature."""
    groups = _read_groups(plan, threads, progress)
    measurements, correlations = [], []
    for _, group in sorted(groups.items(), key=lambda item: (str(item[0][0]), item[0][1])):
        replicas = [replica.curves for replica in group]
        pieces = [piece for replica in group for piece in replica.pieces]
        if plan.frame is None:
            natural = natural_frame(replicas, regime_ps=plan.regime_ps)
            replicas, pieces = ([in_frame(curves, natural) for curves in some] for some in (replicas, pieces))
        measured = measure_onsager(replicas, regime_ps=plan.regime_ps, stretches=pieces)
        if plan.viscosity_Pa_s is not None:
            measured = _corrected(measured, replicas[0], plan.viscosity_Pa_s)
        measurements.append(measured)
        correlations.append(tuple(replicas))
    progress(1.0, "done", None)
    return tuple(measurements), tuple(correlations)


def _derived(
    plan: TransportPlan,
    measurements: tuple[OnsagerMeasurement, ...],
    correlations: tuple[tuple[Correlations, ...], ...],
    *,
    name: str,
) -> TransportRun:
    """Return measurements with what follows from them: conductivities, activation energies, the table of that name."""
    known, notes = _charges(measurements, plan.charges)
    conductivities = tuple(
        ionic_conductivity(m, charges=known[m.formula]) if m.usable and m.formula in known else None
        for m in measurements
    )
    by_formula = {m.formula: [other for other in measurements if other.formula == m.formula] for m in measurements}
    activation = {formula: fits for formula, some in by_formula.items() if (fits := fit_activation(some))}
    table = None
    try:
        table = transport_table(measurements, name=name)
    except DataError as error:
        notes += (f"No {TABLE_FILE}, as {error}",)
    return TransportRun(measurements, correlations, conductivities, activation, table, notes)


def _read_groups(
    plan: TransportPlan, threads: int | None, progress: Progress
) -> dict[tuple[object, float], list[_Replica]]:
    """Read every trajectory, by composition and temperature."""
    groups: dict[tuple[object, float], list[_Replica]] = {}
    files = plan.trajectories
    temperatures = plan.temperatures_K * (len(files) if len(plan.temperatures_K) == 1 else 1)
    for k, (path, temperature) in enumerate(zip(files, temperatures, strict=True)):

        def report(fraction: float, what: str = f"reading {path.name}", k: int = k, T: float = temperature) -> None:
            progress((k + 0.8 * fraction) / len(files), what, T)

        trajectory = read_trajectory(
            path, temperature_K=temperature, progress=report, **plan.model_dump(include=READING)
        )
        first = int(min(np.ceil(plan.skip_ps / trajectory.frame_interval_ps - 1e-9), trajectory.n_frames))
        if first > trajectory.n_frames - 2:
            raise DataError(
                f"skip_ps is {plan.skip_ps:g} ps, but {path} is only {trajectory.duration_ps:g} ps long; skip less."
            )
        trajectory = trajectory.frames(first) if first > 0 else trajectory
        paths = _coarse_paths(trajectory)
        group = groups.setdefault((composition_key(trajectory.formula), temperature), [])
        if any(_same_paths(paths, other.paths) for other in group):
            raise DataError(f"{path} holds the same positions as a trajectory before it; give every replica once.")
        report(1.0, f"correlations of {path.name}")
        group.append(_Replica(*_correlate(trajectory, plan, threads), paths))
        del trajectory
    return groups


def _correlate(
    trajectory: Trajectory, plan: TransportPlan, threads: int | None
) -> tuple[Correlations, list[Correlations]]:
    """Return the displacement correlations of a trajectory and of stretches of it that hold the regime."""
    frame = plan.frame or "barycentric"
    curves = displacement_correlations(trajectory, frame=frame, threads=threads)
    start_ps = find_regime(curves, regime_ps=plan.regime_ps).from_ps
    stretches = int(min(BLOCKS, trajectory.duration_ps / (LEAST_BLOCK * start_ps)))
    if stretches < 2:
        return curves, []
    return curves, correlations_of_stretches(trajectory, stretches=stretches, frame=frame, threads=threads)


def _coarse_paths(trajectory: Trajectory) -> np.ndarray:
    """Return the displacements of all ions between the frames 0, 1, 2, 4, 8 ..., less their mean, each of unit norm.

    Two trajectories of one run have the same ones, whatever their lengths and the rounding of their positions.
    """
    frames = np.unique(np.append(0, 2 ** np.arange(int(np.log2(trajectory.n_frames - 1)) + 1)))
    moved = np.diff(np.asarray(trajectory.positions[frames]), axis=0)
    if moved.shape[1] > 1:
        moved -= moved.mean(axis=1, keepdims=True)
    norm = np.sqrt((moved**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(moved / np.where(norm > 0, norm, 1.0))


def _same_paths(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the ions of two trajectories moved alike over most of the time that both hold."""
    steps = min(len(one), len(other))
    return one.shape[1:] == other.shape[1:] and float(np.vdot(one[:steps], other[:steps])) > SAME_PATHS * steps


def _charges(
    measurements: Sequence[OnsagerMeasurement], charges: Mapping[str, float] | None
) -> tuple[dict[str, Mapping[str, float]], tuple[str, ...]]:
    """Charges of the elements by composition, as given or guessed, and why there are none of some."""
    there = {symbol for measurement in measurements for symbol in measurement.species}
    for symbol in charges or {}:
        if symbol not in there:
            raise DataError(f"charges name {symbol!r}, which is in no trajectory; expected {', '.join(sorted(there))}.")
    known: dict[str, Mapping[str, float]] = {}
    notes = []
    for formula, m in {m.formula: m for m in measurements}.items():
        try:
            if charges is None:
                known[formula] = charges_from_composition(formula)
            else:
                known[formula] = {symbol: charges[symbol] for symbol in m.species}
        except KeyError as error:
            raise DataError(
                f"charges has no {error.args[0]}, which is in {formula}; give the charge of every element, such as "
                f"{error.args[0]}=2."
            ) from None
        except DataError as error:
            notes.append(f"No conductivity of {formula}: {error}")
    return known, tuple(notes)


def _corrected(
    measured: OnsagerMeasurement, curves: Correlations, viscosity_Pa_s: tuple[float, float]
) -> OnsagerMeasurement:
    """With the diffusivities of an infinite box, or with a note that there are none for this cell."""
    try:
        corrected = correct_finite_size(
            measured.D_m2_per_s,
            D_stderr=measured.D_stderr,
            cell_A=curves.cell_A,
            temperature_K=measured.temperature_K,
            viscosity_Pa_s=viscosity_Pa_s[0],
            viscosity_stderr=viscosity_Pa_s[1],
        )
    except DataError as error:
        return replace(measured, notes=(*measured.notes, f"Not corrected for the size of the box: {error}"))
    return replace(measured, finite_size=corrected, notes=(*measured.notes, *corrected.notes))


# --------------------------------------------------------------------------------------------------------------- files


def _check_folder(plan: TransportPlan, folder: Path, *, resume: bool) -> None:
    """Refuse a folder that is in the way, or that holds another plan, or other files, than those to resume."""
    file = folder / PLAN
    if not resume or not file.exists():
        there = "name another folder, or add --resume (in Python resume=True) for the results in it"
        check_empty(folder, advice=there if file.exists() else "name a new or empty folder")
        return
    before, asked = read_json(file, error=ResultError), _plan_record(plan)
    for key, value in asked.items():
        found = before.get(key) if isinstance(before, dict) else None
        if key != "sha256" and found != value:
            raise ResultError(f"{folder}: holds a plan with {key} {found}, got {value}; name another folder.")
    known = [*dict(before.get("sha256") or {}).values()]
    for k, (path, own) in enumerate(zip(plan.trajectories, asked["sha256"].values(), strict=True)):
        if known[k : k + 1] != [own]:
            raise ResultError(f"{folder}: belongs to a run of another {path.name}; name another folder.")


def _plan_record(plan: TransportPlan) -> dict[str, Any]:
    """Return what tells a run from any other: the version, the plan, and digests of whole files by resolved path."""
    try:
        digests = {path.resolve(): digest(path) for path in plan.trajectories}
    except OSError as error:
        raise DataError(f"{error.filename or 'a file'} cannot be read: {error.strerror}; check its name.") from None
    return dict(json_safe({"version": __version__, **plan.model_dump(), "sha256": digests}))


@contextmanager
def _own_folder(plan: TransportPlan, folder: Path, *, resume: bool) -> Iterator[Path]:
    """Make and lock the folder of a plan and yield where to write: the files appear together at the end, or none."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / ".partial"
    try:
        with lock_folder(folder):
            _check_folder(plan, folder, resume=resume)
            shutil.rmtree(partial, ignore_errors=True)
            try:
                _write_json(folder / PLAN, _plan_record(plan))
                partial.mkdir()
                yield partial
                for file in sorted(partial.iterdir(), key=lambda file: file.name == RECORD_FILE):
                    file.replace(folder / file.name)
            except BaseException:
                (folder / PLAN).unlink(missing_ok=True)
                raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _write_results(run: TransportRun, folder: Path, *, figures: bool) -> None:
    if figures:
        from tammann.plot import plot_arrhenius, save_figure, transport_figure

        for measurement, curves in zip(run.measurements, run.correlations, strict=True):
            save_figure(transport_figure(curves, measurement), folder / f"{_system(measurement)}.png")
        for formula, fits in run.activation.items():
            save_figure(plot_arrhenius(fits), folder / f"arrhenius-{formula}.png")
    for measurement, curves in zip(run.measurements, run.correlations, strict=True):
        write_text(folder / f"{_system(measurement)}.csv", _curves_csv(curves))
    if run.table is not None:
        save_transport(run.table, folder / TABLE_FILE)
    if run.activation:
        _write_json(folder / "arrhenius.json", _activation_record(run))
    save_measurements(folder / RECORD_FILE, run.measurements, conductivities=run.conductivities)


def _system(measurement: OnsagerMeasurement) -> str:
    return f"{measurement.formula}-{measurement.temperature_K:g}K"


def _write_json(path: Path, data: Any) -> None:
    write_text(path, json.dumps(json_safe(data), indent=2, allow_nan=False) + "\n")


def _activation_record(run: TransportRun) -> dict[str, Any]:
    """Activation energies and prefactors by composition and element, with their errors and notes."""
    return {
        formula: {
            symbol: {
                "activation_energy_eV": fit.activation_energy_eV,
                "activation_energy_stderr_eV": fit.activation_energy_stderr_eV,
                "ln_D0_m2_per_s": fit.ln_prefactor,
                "ln_D0_stderr": fit.ln_prefactor_stderr,
                "temperatures_K": fit.temperatures_K,
                "notes": fit.notes,
            }
            for symbol, fit in fits.items()
        }
        for formula, fits in run.activation.items()
    }


def _curves_csv(replicas: Sequence[Correlations]) -> str:
    """Displacement correlations at lags spread in the logarithm, the mean over replicas."""
    last = min(replica.self_A2.shape[-1] for replica in replicas) - 1
    lags = spread_lags(1, last, CURVE_POINTS)
    weights = np.stack([replica.n_frames - lags for replica in replicas]).astype(float)
    weights /= weights.sum(axis=0)
    tables = [replica.table().iloc[lags].mul(w, axis=0) for w, replica in zip(weights, replicas, strict=True)]
    return str(sum(tables[1:], tables[0]).to_csv(index=False, float_format="%.8g", lineterminator="\n"))
