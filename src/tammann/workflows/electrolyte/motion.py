"""The stages that follow the ions: molecular dynamics at several temperatures, their transport, and their ways."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tammann.characterization import (
    IonSites,
    SiteJumps,
    find_jumps,
    find_sites,
    ion_density,
    join_jumps,
    lowest_path,
    mean_density,
    percolation_thresholds,
    write_density,
)
from tammann.errors import DataError, ResultError
from tammann.files import digest, json_safe, read_json, write_text
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.potentials.dataset import read_dataset
from tammann.structures import Configuration
from tammann.structures.candidates import repeated
from tammann.trajectory import Trajectory, read_trajectory
from tammann.transport import OnsagerMeasurement, load_measurements
from tammann.transport.record import RECORD_FILE
from tammann.workflows.electrolyte.plan import ElectrolytePlan
from tammann.workflows.electrolyte.structures import (
    DYNAMICS,
    RELAXED,
    composition_of,
    crystal_sites,
    read_record,
    selected,
)
from tammann.workflows.transport import TransportPlan, run_transport

TRANSPORT, PATHWAYS = "transport", "pathways"
OF_THE_RUN = "exploded", "left its training data"
"""What errors say that concern one run, not all of them."""
POTENTIAL, FAILED, SUMMARY = "potential.json", "failed.txt", "pathways.json"


class Run(NamedTuple):
    """A run of molecular dynamics."""

    structure: str
    temperature_K: float
    replica: int

    @property
    def name(self) -> str:
        """What tells it from others."""
        return f"{self.structure}, {self.temperature_K:g} K, run {self.replica}"


def runs_of(plan: ElectrolytePlan, out: Path) -> list[Run]:
    """Return all runs of a plan, those of the hottest temperature first."""
    hot = sorted(plan.temperatures_K, reverse=True)
    return [Run(s, T, r + 1) for T in hot for s in selected(out) for r in range(plan.dynamics.replicas)]


def run_folder(out: Path, run: Run) -> Path:
    """Return the folder of a run."""
    return out / DYNAMICS / run.structure / f"{run.temperature_K:.10g}K-{run.replica}"


def starting_configuration(plan: ElectrolytePlan, out: Path, structure: str) -> Configuration:
    """Return the relaxed structure, repeated and at the volume asked for."""
    relaxed = read_dataset(out / RELAXED / f"{structure}.extxyz")[0].configuration
    start = repeated(relaxed, plan.dynamics.repeat)  # type: ignore[arg-type]
    return start.at_volume(start.volume_A3 * plan.dynamics.volume_scale)


def keep_potential(plan: ElectrolytePlan, out: Path) -> None:
    """Note by which potential the runs of a folder are made, and refuse another one.

    Raises:
        ResultError: The runs were made with another.
    """
    potential = load_potential(plan.moving_potential)
    stamp = str(getattr(potential, "digest", "") or potential.source)
    file = out / DYNAMICS / POTENTIAL
    if file.exists():
        if read_json(file, error=ResultError).get("potential") != stamp:
            raise ResultError(f"{out}: holds runs with another potential for dynamics; name another folder.")
        return
    file.parent.mkdir(exist_ok=True)
    write_text(file, json.dumps({"potential": stamp}) + "\n")


def move(
    plan: ElectrolytePlan, out: Path, structure: str, temperature_K: float, replica: int,
    progress: Callable[..., None] | None = None,
) -> None:  # fmt: skip
    """Make one run of molecular dynamics, or the rest of it; one that fails by itself leaves the reason."""
    run = Run(structure, temperature_K, replica)
    folder = run_folder(out, run)
    if (folder / FAILED).exists():
        return
    mark = int(digest(f"{structure} {temperature_K:g} {replica} {plan.seed}".encode())[:12], 16)
    try:
        load_engine(plan.engine).produce(
            starting_configuration(plan, out, structure),
            load_potential(plan.moving_potential),
            plan.conditions(temperature_K),
            folder,
            duration_ps=plan.dynamics.times_ps(temperature_K)[0],
            frame_fs=plan.dynamics.frame_fs,
            sample_fs=plan.dynamics.frame_fs,
            rng=np.random.default_rng(mark),
            progress=progress,
        )
    except DataError as error:
        if not any(reason in str(error) for reason in OF_THE_RUN):
            raise
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FAILED, f"{error}\n")


def trajectories(plan: ElectrolytePlan, out: Path, structure: str, temperature_K: float) -> list[Path]:
    """Return the finished trajectories of a structure at a temperature."""
    found = []
    for replica in range(plan.dynamics.replicas):
        folder = run_folder(out, Run(structure, temperature_K, replica + 1))
        frames = round(plan.dynamics.times_ps(temperature_K)[0] * 1000 / plan.dynamics.frame_fs)
        every = round(plan.dynamics.frame_fs / plan.dynamics.timestep_fs)
        file = folder / f"trajectory-{frames * every}.dump.gz"
        if file.exists():
            found.append(file)
    return found


def finished(plan: ElectrolytePlan, out: Path) -> Iterator[tuple[str, float, list[Path]]]:
    """Yield the structures and temperatures of which there is a trajectory, with these."""
    for structure in selected(out):
        for T in sorted(plan.temperatures_K):
            if files := trajectories(plan, out, structure, T):
                yield structure, T, files


def transport_folder(out: Path, structure: str, temperature_K: float) -> Path:
    """Return the folder of the transport of a structure at a temperature."""
    return out / TRANSPORT / structure / f"{temperature_K:.10g}K"


def measure(plan: ElectrolytePlan, out: Path, structure: str, temperature_K: float, files: list[Path]) -> None:
    """Measure the transport of a structure at a temperature, in the framework of all ions but the mobile one."""
    folder = transport_folder(out, structure, temperature_K)
    marks = {"trajectories": [f"{f.parent.name}/{f.name}" for f in files]}
    if (folder / "measured.json").exists() and read_json(folder / "measured.json", error=ResultError) == marks:
        return
    symbols = starting_configuration(plan, out, structure).symbols
    asked = TransportPlan(
        trajectories=tuple(files),
        temperatures_K=(temperature_K,),
        timestep_fs=plan.dynamics.timestep_fs,
        skip_ps=plan.dynamics.times_ps(temperature_K)[1],
        frame="+".join(sorted({s for s in symbols if s != plan.mobile})),
        charges=None if plan.charges is None else {s: q for s, q in plan.charges.items() if s in symbols},
    )
    shutil.rmtree(folder, ignore_errors=True)  # of fewer trajectories, or of a run that was killed
    folder.mkdir(parents=True)
    try:
        run_transport(asked, folder / "measurement", figures=False, threads=1)
    except DataError as error:
        write_text(folder / FAILED, f"{error}\n")
    write_text(folder / "measured.json", json.dumps(marks) + "\n")


def measurements(plan: ElectrolytePlan, out: Path, structure: str) -> list[OnsagerMeasurement]:
    """Return what has been measured of a structure, in order of temperature."""
    found: list[OnsagerMeasurement] = []
    for T in sorted(plan.temperatures_K):
        file = transport_folder(out, structure, T) / "measurement" / RECORD_FILE
        if file.exists():
            found += load_measurements(file)
    return found


def pathways_folder(out: Path, structure: str, temperature_K: float) -> Path:
    """Return the folder of the ways of the ions of a structure at a temperature."""
    return out / PATHWAYS / structure / f"{temperature_K:.10g}K"


def find_pathways(plan: ElectrolytePlan, out: Path, structure: str, temperature_K: float, files: list[Path]) -> None:
    """Write density, sites, jumps and ways of the mobile ion of a structure at a temperature."""
    folder = pathways_folder(out, structure, temperature_K)
    marks = [f"{f.parent.name}/{f.name}" for f in files]
    if (folder / SUMMARY).exists() and read_json(folder / SUMMARY, error=ResultError).get("trajectories") == marks:
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _find(plan, structure, temperature_K, files, folder, marks)
    except DataError as error:
        write_text(folder / FAILED, f"{error}\n")


def _find(
    plan: ElectrolytePlan, structure: str, temperature_K: float, files: list[Path], folder: Path, marks: list[str]
) -> None:
    walks = [_read(plan, file, temperature_K) for file in files]
    asked = plan.pathways
    for old in folder.iterdir():
        old.unlink()
    grid: dict[str, Any] = {"spacing_A": asked.spacing_A, "smoothing_A": asked.smoothing_A}
    first = ion_density(walks[0], plan.mobile, **grid)
    others = [ion_density(walk, plan.mobile, framework=first.framework, **grid) for walk in walks[1:]]
    density = mean_density([first, *others])
    crystal = crystal_sites(plan, composition_of(plan, structure))
    known: dict[str, Any] = {}
    if crystal is not None:
        times = plan.dynamics.repeat
        known = {"crystal": repeated(crystal[0], times), "names": crystal[1] * int(np.prod(times))}  # type: ignore[arg-type]
    sites = find_sites(
        density, within_A=asked.within_A, depth_kT=asked.depth_kT, least_ions=asked.least_ions, **known
    )  # fmt: skip
    jumps = join_jumps([find_jumps(walk, sites) for walk in walks])
    write_density(density, folder / f"density-{plan.mobile}.cube", ions=sites.configuration())
    write_density(density, folder / f"CHGCAR-{plan.mobile}.vasp", ions=sites.configuration())
    write_text(folder / "sites.csv", sites.table().to_csv(index=False))
    write_text(folder / "kinds.csv", sites.by_kind().to_csv(index=False))
    write_text(folder / "rates.csv", jumps.rates().to_csv(index=False))
    summary = _summary(sites, jumps)
    try:
        path = lowest_path(sites)
        write_text(folder / "path.csv", path.table().to_csv(index=False))
        summary["path_barrier_eV"] = path.barrier_eV
    except DataError as error:
        summary["notes"].append(str(error))
    write_text(folder / SUMMARY, json.dumps(json_safe(summary | {"trajectories": marks}), indent=1) + "\n")


def _read(plan: ElectrolytePlan, file: Path, temperature_K: float) -> Trajectory:
    walk = read_trajectory(file, timestep_fs=plan.dynamics.timestep_fs, temperature_K=temperature_K)
    drop = plan.dynamics.times_ps(temperature_K)[1]
    return walk.frames(int(np.ceil(drop / walk.frame_interval_ps - 1e-9)))


def _summary(sites: IonSites, jumps: SiteJumps) -> dict[str, Any]:
    dimension, directions = jumps.dimension()
    thresholds = percolation_thresholds(sites)
    notes = []
    if jumps.returned > 0.5:
        notes.append(f"{jumps.returned:.0%} of the jumps are taken back by the next one: ions rattle between sites.")
    if sites.split:
        parted = ", ".join(dict.fromkeys(sites.split))
        notes.append(f"sites of the crystal with more than one maximum of the density: {parted}.")
    return {
        "temperature_K": sites.density.temperature_K,
        "ions": jumps.n_ions,
        "duration_ps": jumps.duration_ps,
        "sites": len(sites),
        "elsewhere": sites.elsewhere,
        "unvisited": len(sites.unvisited),
        "jumps": len(jumps),
        "returned": jumps.returned,
        "jump_D_m2_per_s": jumps.jump_diffusivity_m2_per_s(),
        "dimension": dimension,
        "directions": directions,
        "barriers_eV": {str(t.dimension): t.barrier_eV for t in thresholds},
        "notes": notes,
    }


def pathways_summary(out: Path, structure: str, temperature_K: float) -> dict[str, Any] | None:
    """Return what was found of the ways of the ions, or None."""
    file = pathways_folder(out, structure, temperature_K) / SUMMARY
    if not file.exists():
        return None
    return read_record(file, {"notes": list, "barriers_eV": dict, "jumps": int, "dimension": int})
