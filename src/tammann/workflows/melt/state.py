"""A state is measured from the small files of its replicas; all diffusive states make one table."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.composition import atomic_masses
from tammann.errors import DataError, ResultError
from tammann.files import whole_file, write_text
from tammann.md.block_average import block_stderr
from tammann.potentials import load_potential
from tammann.structures import estimate_volume_per_atom
from tammann.systems import DEFAULT_SYSTEM
from tammann.units import BOLTZMANN_J_PER_K
from tammann.workflows.melt.folder import Task, failures_in, folder_of, plain, read_plan, replicas_in
from tammann.workflows.melt.plan import MeltPlan

__all__ = [
    "CAVITY_A",
    "CRYSTAL",
    "GLASS_A",
    "PRESSURE_GPA",
    "MeltState",
    "Melting",
    "check_potential",
    "describe",
    "first_correlations",
    "largest_error",
    "load_melting",
    "measure",
    "measure_all",
    "melts_among",
    "state_of",
    "states_of",
    "write_growth",
    "write_table",
]

CRYSTAL = 0.2
"""Order above which a melt counts as crystallised, in boxes that are not so small that disorder reaches it by chance:
melts of 100 atoms and more stay below 0.1, crystals near their melting point keep more than 0.3 of a perfect crystal's
reflection."""
CAVITY_A = 4.5
GLASS_A = 2.0
"""A displacement of about one bond."""
PRESSURE_GPA = 0.4
AGEING_EV = 0.002
"""Per atom; what the energy of a replica may fall from one half of it to the other."""
SLOW_PS = 0.5
"""The stress kept is averaged over this: long beside vibrations, short beside the times that viscosity is read from."""
PIECES = 4
SHA256 = "sha256:"


@dataclass(frozen=True)
class MeltState:
    """One composition at one temperature.

    Attributes:
        formula: Composition.
        temperature_K: K.
        folder: Where everything about it is.
        converged: Whether its volume converged.
        diffusive: Whether all its ions were shown to diffuse, so that it is in the table.
        replicas: How many it is measured from.
        duration_ps: Of those together.
        density_g_per_cm3: g/cm³; None where nothing is measured, as below.
        viscosity_Pa_s: Shear viscosity, Pa s; None where it has not settled.
        viscosity_stderr_Pa_s: Its standard error.
        D_m2_per_s: Self-diffusivity by element, m²/s; None for an element that was not shown to diffuse.
        D_stderr_m2_per_s: Their standard errors.
        notes: What is to be known about it, failures included.
        failed: Sentences on what of it has failed and not been made good since.
    """

    formula: str
    temperature_K: float
    folder: Path
    converged: bool
    diffusive: bool
    replicas: int
    duration_ps: float
    density_g_per_cm3: float | None
    viscosity_Pa_s: float | None
    viscosity_stderr_Pa_s: float | None
    D_m2_per_s: dict[str, float | None]
    D_stderr_m2_per_s: dict[str, float | None]
    notes: tuple[str, ...]
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Melting:
    """What ``melt`` has made, or what a folder of it holds.

    Attributes:
        plan: As carried out.
        out: The folder.
        states: Every composition and temperature, in the order of the plan.
        table: The table for the furnace, or None where no state is diffusive.
    """

    plan: MeltPlan
    out: Path
    states: tuple[MeltState, ...]
    table: Path | None

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes, each with the state that it belongs to."""
        named = []
        for state in self.states:
            name = f"{state.formula} at {state.temperature_K:g} K"
            named += [note if note.startswith(name) else f"{name}: {note}" for note in state.notes]
        return tuple(named)


def state_of(formula: str, temperature_K: float, folder: Path) -> MeltState:
    """What is known of a state from its folder.

    Args:
        formula: Composition.
        temperature_K: K.
        folder: Of the state.
    """
    failed = tuple(
        f"{of.replace('-', ' ').capitalize()} failed: {sentence}" for of, sentence in failures_in(folder).items()
    )
    notes = list(failed)
    converged = diffusive = False
    state: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    try:
        found = json.loads((folder / "volume.json").read_text(encoding="utf-8"))
        converged = bool(found["converged"])
        notes += [str(note) for note in found["notes"]]
        state = json.loads((folder / "melt.json").read_text(encoding="utf-8"))
        notes += [str(note) for note in state["notes"]]
        measured = json.loads((folder / "transport.json").read_text(encoding="utf-8"))
        diffusive = bool(measured["diffusive"]) and not state["crystalline"]
        notes += [str(note) for note in measured["notes"]]
    except (OSError, ValueError, KeyError, TypeError):
        if not notes:
            notes.append("Not all of it has been computed.")
    viscosity = state.get("viscosity", {})
    return MeltState(
        formula=formula,
        temperature_K=temperature_K,
        folder=folder,
        converged=converged,
        diffusive=diffusive,
        replicas=int(state.get("replicas", 0)),
        duration_ps=float(state.get("duration_ps", 0.0)),
        density_g_per_cm3=state.get("density_g_per_cm3"),
        viscosity_Pa_s=viscosity.get("value_Pa_s"),
        viscosity_stderr_Pa_s=viscosity.get("stderr_Pa_s"),
        D_m2_per_s=dict(measured.get("D_m2_per_s", {})),
        D_stderr_m2_per_s=dict(measured.get("D_stderr", {})),
        notes=tuple(notes),
        failed=failed,
    )


def states_of(plan: MeltPlan, out: Path) -> tuple[MeltState, ...]:
    """What is known of all states of a plan from its folder."""
    return tuple(
        state_of(formula, temperature, folder_of(out, formula, temperature))
        for formula in plan.melts
        for temperature in plan.temperatures_K
    )


def load_melting(out: str | os.PathLike[str]) -> Melting:
    """Read what a folder of ``melt`` or ``collect`` holds; nothing is computed.

    Args:
        out: The folder.

    Raises:
        ResultError: It holds no plan.
    """
    place = Path(out)
    plan = read_plan(place / "plan.json")
    states = states_of(plan, place)
    table = place / "transport_table.json"
    known = table.exists() and any(state.diffusive for state in states)  # one left of an earlier plan is not its table
    return Melting(plan, place, states, table if known else None)


def describe(plan: MeltPlan, task: Task, file: Path, target: Path) -> None:
    """Sum a trajectory up in the small files that its replica is measured from, the record last."""
    from tammann.characterization import (
        bond_fractions,
        bragg_order,
        coordination_numbers,
        crystal_nn_coordination,
        largest_cavity,
    )
    from tammann.trajectory.read import read_trajectory
    from tammann.transport import displacement_correlations, save_correlations

    steps = int(file.name.removesuffix(".dump.gz").partition("-")[2])
    trajectory = read_trajectory(file, timestep_fs=plan.timestep_fs, temperature_K=task.temperature_K)
    name = f"{task}, {plan.potential}"
    with suppress(DataError):  # two frames, say; what is missing is said where all replicas are measured
        curves = displacement_correlations(trajectory)
        save_correlations(target / "curves.npz", replace(curves, source=name))
    stress = np.load(file.with_name(f"stress-{steps}.npy"))
    each = max(1, round(1000.0 * SLOW_PS / plan.stress_fs))
    slow = stress[1:, 2:8][: (len(stress) - 1) // each * each].reshape(-1, each, 6).mean(axis=1)
    with whole_file(target / "slow-stress.npz") as whole:
        np.savez_compressed(whole, stress_GPa=slow.astype(np.float16), interval_ps=each * plan.stress_fs / 1000.0)
    cations = [symbol for symbol in trajectory.species if symbol != "O"]
    pairs = [(symbol, "O") for symbol in cations] if "O" in trajectory.species else []
    moved = float(np.sqrt(((trajectory.positions[-1] - trajectory.positions[0]) ** 2).sum(axis=1).mean()))
    drift, drift_stderr = _drift(stress[1:, 1])
    record: dict[str, Any] = {
        "tammann": __version__,
        "engine": plan.engine,
        "engine_version": _version("torch-sim-atomistic" if plan.engine == "torch-sim" else plan.engine),
        "formula": task.formula,
        "temperature_K": task.temperature_K,
        "replica": task.replica,
        "potential": plan.potential,
        "potential_version": _potential_version(plan.potential),
        "seed": plan.seed,
        "thermostat": plan.thermostat,
        "timestep_fs": plan.timestep_fs,
        "frame_interval_ps": plan.frame_fs / 1000.0,
        "sample_interval_fs": plan.stress_fs,
        "duration_ps": steps * plan.timestep_fs / 1000.0,
        "trajectory": file.name,
        "atoms": dict(trajectory.counts),
        "volume_A3": float(stress[:, 8].mean()),
        "mean_temperature_K": float(stress[:, 0].mean()),
        "mean_energy_eV_per_atom": float(stress[:, 1].mean()),
        "energy_drift_eV_per_atom": drift,
        "energy_drift_stderr_eV_per_atom": drift_stderr,
        "stress_correlation_GPa2": first_correlations(stress[1:, 2:8]),
        "mean_pressure_GPa": float(stress[:, 2:5].mean()),
        "pressure_stderr_GPa": block_stderr(stress[:, 2:5].mean(axis=1)),
        "coordination": [asdict(c) for c in coordination_numbers(trajectory, pairs)],
        "bond_fractions": {
            f"{a}-{b}": {"mean": mean, "stderr": error} for (a, b), (mean, error) in bond_fractions(trajectory).items()
        },
        "crystal_nn": {
            symbol: {"mean": mean, "stderr": error}
            for symbol, (mean, error) in crystal_nn_coordination(trajectory, frames=2).items()
        },
        "bragg_order": bragg_order(trajectory),
        "largest_cavity_A": largest_cavity(trajectory),
        "displacement_A": moved,
    }
    write_text(target / "replica.json", json.dumps(plain(record), indent=1) + "\n")


def _drift(series: np.ndarray) -> tuple[float, float]:
    """Mean of the second half minus that of the first, and its standard error from blocks."""
    first, second = np.array_split(series.astype(float), 2)
    return float(second.mean() - first.mean()), float(np.hypot(block_stderr(first), block_stderr(second)))


def first_correlations(stress_GPa: np.ndarray) -> list[float]:
    """<P(0)P(0)> and <P(0)P(t)> of the shear stress one record apart, GPa², mean over its five components."""
    xx, yy, zz, xy, xz, yz = stress_GPa.astype(float).T
    shear = np.array([xy, xz, yz, (xx - yy) / 2.0, (2.0 * zz - xx - yy) / math.sqrt(12.0)])
    return [float((shear**2).mean()), float((shear[:, 1:] * shear[:, :-1]).mean())]


def check_potential(plan: MeltPlan, out: Path) -> None:
    """Refuse to go on where the file of the potential is not what it was when replicas were recorded with it.

    Raises:
        ResultError: It has changed.
        OSError: It cannot be read.
    """
    now = _potential_version(plan.potential)
    if now is None or not now.startswith(SHA256):
        return
    for formula in plan.melts:
        for temperature in plan.temperatures_K:
            for place, record in replicas_in(folder_of(out, formula, temperature)):
                then = record.get("potential_version")
                if then is not None and then != now:
                    raise ResultError(
                        f"{place}: was recorded with another {plan.potential} than there is now; bring that file back, "
                        "or name another folder."
                    )


def _potential_version(potential: str) -> str | None:
    """The version of the package that it comes from, or what its file held."""
    if potential.lower().endswith((".yaml", ".yml")):
        return f"{SHA256}{hashlib.sha256(Path(potential).read_bytes()).hexdigest()[:16]}"
    return _version(potential.partition(":")[0].partition(".")[0])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def measure_all(plan: MeltPlan, out: Path) -> None:
    """Measure every state, in a fraction of a second each: what was written before may be another version's."""
    for formula in plan.melts:
        for temperature in plan.temperatures_K:
            measure(plan, formula, temperature, folder_of(out, formula, temperature))


def melts_among(
    records: list[tuple[Path, dict[str, Any]]],
) -> tuple[list[tuple[Path, dict[str, Any]]], list[str]]:
    """The replicas that a state is measured from, and the names of those that have crystallised.

    Crystallised ones are left out, unless all are: then nothing is a melt's, and what is measured says so.
    """
    from tammann.characterization import bragg_noise

    frozen = [
        place.name
        for place, record in records
        if record["bragg_order"] > max(CRYSTAL, bragg_noise(sum(record["atoms"].values()), record["volume_A3"]))
    ]
    liquid = [(place, record) for place, record in records if place.name not in frozen]
    return liquid or records, frozen


def measure(plan: MeltPlan, formula: str, temperature_K: float, folder: Path) -> None:
    """Write what the replicas there are say of a state."""
    from tammann.transport import load_correlations, measure_onsager, save_measurements

    records = replicas_in(folder)
    durations = {place.name: record["duration_ps"] for place, record in records}
    if not records:
        return
    notes = []
    used, frozen = melts_among(records)
    crystalline = len(frozen) == len(records)
    if frozen:
        order = max(record["bragg_order"] for _, record in records)
        notes.append(
            f"{'It has' if crystalline else ', '.join(frozen) + ' has'} crystallised (strongest reflection "
            f"{100 * order:.0f} % of a perfect crystal's), so "
            + ("what is measured is no melt's." if crystalline else "it is left out of what is measured.")
        )
    short = [f"{name} ({length:g} ps)" for name, length in durations.items() if length < plan.production_ps - 1.0]
    if short:
        notes.append(f"Shorter than the plan's {plan.production_ps:g} ps: {', '.join(short)}.")
    atoms = used[0][1]["atoms"]
    n_atoms = sum(atoms.values())
    volume = float(np.mean([record["volume_A3"] for _, record in used]))
    mass = sum(atomic_masses()[symbol] * n for symbol, n in atoms.items())
    try:
        measurement = measure_onsager([load_correlations(place / "curves.npz") for place, _ in used])
        save_measurements(folder / "transport.json", [measurement])
    except (DataError, OSError) as error:  # too few frames, say
        notes.append(f"No transport could be measured: {error}")
        (folder / "transport.json").unlink(missing_ok=True)
    notes += _oddities(plan, formula, temperature_K, used, crystalline)
    drift = _mean_drift(used)
    ageing = drift is not None and drift["mean"] < -max(AGEING_EV, 3.0 * drift["stderr"]) and not crystalline
    if ageing:
        assert drift is not None
        notes.append(
            f"Its energy still fell while it was recorded, by {-1000 * drift['mean']:.1f} ± "
            f"{1000 * drift['stderr']:.1f} meV per atom from one half to the other: it had not come to rest; give a "
            "longer settle_ps."
        )
    of = {name: [record[name] for _, record in used] for name in set.intersection(*(set(r) for _, r in used))}
    pairs = [(c["centre"], c["neighbour"]) for c in of["coordination"][0]]
    record = {
        "formula": formula,
        "temperature_K": temperature_K,
        "replicas": len(used),
        "durations_ps": durations,
        "duration_ps": sum(of["duration_ps"]),
        "atoms": n_atoms,
        "volume_per_atom_A3": volume / n_atoms,
        "density_g_per_cm3": mass / volume / 0.602214076,
        "mean_temperature_K": float(np.mean(of["mean_temperature_K"])),
        "energy_eV_per_atom": float(np.mean(of["mean_energy_eV_per_atom"])),
        "pressure_GPa": float(np.mean(of["mean_pressure_GPa"])),
        "pressure_stderr_GPa": float(np.sqrt(np.sum(np.square(of["pressure_stderr_GPa"]))) / len(used)),
        "viscosity": _viscosity(temperature_K, used, volume),
        "coordination": [
            {
                "centre": pair[0],
                "neighbour": pair[1],
                "cutoff_A": float(np.mean([each[k]["cutoff_A"] for each in of["coordination"]])),
                "nearest_A": float(np.mean([each[k]["nearest_A"] for each in of["coordination"]])),
                **_mean([each[k] for each in of["coordination"]]),
            }
            for k, pair in enumerate(pairs)
        ],
        "bond_fractions": {b: _mean([each[b] for each in of["bond_fractions"]]) for b in of["bond_fractions"][0]},
        "crystal_nn": {symbol: _mean([each[symbol] for each in of["crystal_nn"]]) for symbol in atoms},
        "bragg_order": max(of["bragg_order"]),
        "largest_cavity_A": max(of["largest_cavity_A"]),
        "displacement_A": float(np.sqrt(np.mean(np.square(of["displacement_A"])))),
        "energy_drift_eV_per_atom": drift,
        "ageing": ageing,
        "crystalline": crystalline,
        "notes": notes,
    }
    write_text(folder / "melt.json", json.dumps(plain(record), indent=1, ensure_ascii=False) + "\n")


def _mean_drift(used: list[tuple[Path, dict[str, Any]]]) -> dict[str, float] | None:
    """How the energy moved from one half of the replicas to the other, their mean."""
    each = [
        {"mean": record["energy_drift_eV_per_atom"], "stderr": record["energy_drift_stderr_eV_per_atom"]}
        for _, record in used
        if "energy_drift_eV_per_atom" in record
    ]
    return _mean(each) if each else None


def _mean(each: list[dict[str, Any]]) -> dict[str, float]:
    """Mean over replicas; its standard error from their own, or from their scatter where that says more."""
    means = np.array([one["mean"] for one in each], dtype=float)
    errors = np.array([one["stderr"] if one["stderr"] is not None else math.nan for one in each])
    stated = float(np.sqrt(np.sum(errors**2))) / len(each)
    scatter = float(np.std(means, ddof=1)) / math.sqrt(len(each)) if len(each) > 2 else 0.0
    return {"mean": float(means.mean()), "stderr": max(stated, scatter)}


def _viscosity(temperature_K: float, used: list[tuple[Path, dict[str, Any]]], volume_A3: float) -> dict[str, Any]:
    """Shear viscosity of all replicas merge_plans, from the stress averaged over short times.

    Averages leave the slope of the squared integral of the stress as it is, and only that is used. Whether the stress
    was recorded often enough they cannot tell any more; that is seen by its first correlations.
    """
    from tammann.transport.viscosity import WITHIN_ONE_FRAME, shear_viscosity

    try:
        runs = []
        for place, _ in used:
            with np.load(place / "slow-stress.npz") as held:
                # the integral is known at the ends of each average; a straight line between them
                runs.append(np.repeat(held["stress_GPa"].astype(float), PIECES, axis=0))
                interval = float(held["interval_ps"]) / PIECES
        found = shear_viscosity(runs, volume_A3=volume_A3, temperature_K=temperature_K, frame_interval_ps=interval)
    except (DataError, OSError, KeyError) as error:
        return {"value_Pa_s": None, "stderr_Pa_s": None, "converged": False, "notes": [str(error)]}
    notes, resolved = list(found.notes), True
    first = [record["stress_correlation_GPa2"] for _, record in used if "stress_correlation_GPa2" in record]
    if found.converged and first:
        at_once, later = np.mean(first, axis=0)
        record_s = max(record["sample_interval_fs"] for _, record in used) * 1e-15
        # V/(kB T) times the trapezoid over the time between two records
        inside = 1e-12 * volume_A3 / (BOLTZMANN_J_PER_K * temperature_K) * record_s * (at_once + later) / 2.0
        share = float(inside / found.value_Pa_s)
        resolved = bool(later >= 0.5 * at_once or share < WITHIN_ONE_FRAME)
        if not resolved:
            notes.append(
                "The stress loses half of its correlation or more between two records, and "
                f"{share:.0%} of the viscosity comes from there; give a shorter stress_fs."
            )
    return {
        "value_Pa_s": found.value_Pa_s if resolved else None,
        "stderr_Pa_s": found.stderr_Pa_s if resolved else None,
        "block_stderr_Pa_s": found.block_stderr_Pa_s,
        "converged": found.converged and resolved,
        "regime_ps": list(found.regime_ps),
        "notes": notes,
    }


def _oddities(
    plan: MeltPlan, formula: str, temperature_K: float, used: list[tuple[Path, dict[str, Any]]], crystalline: bool
) -> list[str]:
    notes = []
    n_atoms = sum(used[0][1]["atoms"].values())
    volume_per_atom_A3 = float(np.mean([record["volume_A3"] for _, record in used])) / n_atoms
    expected = estimate_volume_per_atom(formula, temperature_K=temperature_K)
    if not 0.6 < volume_per_atom_A3 / expected < 1.6:
        notes.append(
            f"The volume of {volume_per_atom_A3:.1f} Å3 per atom is far from the {expected:.1f} expected of such a "
            "melt; see whether the potential knows it."
        )
    cavity = max(record["largest_cavity_A"] for _, record in used)
    if cavity > CAVITY_A:
        notes.append(f"There is a cavity {2 * cavity:.1f} Å wide in it: the melt has torn open or evaporates.")
    moved = min(record["displacement_A"] for _, record in used)
    if moved < GLASS_A and not crystalline:
        notes.append(f"Its atoms came no farther than {moved:.1f} Å: a glass rather than a melt on this time scale.")
    pressure = float(np.mean([record["mean_pressure_GPa"] for _, record in used]))
    if abs(pressure - plan.volume.pressure_GPa) > PRESSURE_GPA:
        notes.append(f"Its mean pressure is {pressure:+.2f} GPa: the volume found is not quite right.")
    return notes


def largest_error(measured: dict[str, Any]) -> float:
    """The largest relative standard error among D_i and L_ii of a state, infinite where it is not diffusive.

    Args:
        measured: The record in its ``transport.json``.
    """
    if not measured["diffusive"]:
        return math.inf
    own = [measured["D_stderr"][s] / measured["D_m2_per_s"][s] for s in measured["species"]]
    L, stderr = (np.diag(np.array(measured[name], dtype=float)) for name in ("L", "L_stderr"))
    if not L.any():  # one element alone has no motion against its own mass
        return float(max(own))
    return float(max([*own, *np.where(L > 0.0, stderr / np.where(L > 0.0, L, 1.0), math.inf)]))


def write_table(plan: MeltPlan, out: Path) -> Path | None:
    """Write the table for the furnace from what is known of every state; nothing where no state is diffusive."""
    from tammann.transport import OnsagerCoefficients, TransportTable, save_transport

    entries = []
    absent: list[str] = []
    crystallised: list[str] = []
    stuck: list[str] = []
    unsettled: list[str] = []
    inexact: list[str] = []
    ageing: list[str] = []
    squeezed: list[str] = []
    alone: list[str] = []
    for formula in plan.melts:
        for temperature in sorted(plan.temperatures_K):
            folder = folder_of(out, formula, temperature)
            name = f"{formula} {temperature:g} K"
            try:
                state = json.loads((folder / "melt.json").read_text(encoding="utf-8"))
                converged = json.loads((folder / "volume.json").read_text(encoding="utf-8"))["converged"]
                m = json.loads((folder / "transport.json").read_text(encoding="utf-8"))
            except (OSError, ValueError, KeyError, TypeError):
                absent.append(name)
                continue
            if state["crystalline"]:
                crystallised.append(name)
                continue
            if not m["diffusive"]:
                stuck.append(name)
                continue
            if not np.any(m["L"]):
                alone.append(name)
                continue
            if not converged:
                unsettled.append(name)
            if state.get("ageing"):
                ageing.append(name)
            if abs(state["pressure_GPa"] - plan.volume.pressure_GPa) > PRESSURE_GPA:
                squeezed.append(f"{name} ({state['pressure_GPa']:+.2f} GPa)")
            if largest_error(m) > plan.target_error:
                inexact.append(f"{name} ({100 * largest_error(m):.3g} %)")
            species = tuple(m["species"])
            entries.append(
                OnsagerCoefficients(
                    formula=formula,
                    temperature_K=temperature,
                    species=species,
                    L=np.array(m["L"], dtype=float),
                    L_self=np.array([m["L_self"][s] for s in species], dtype=float),
                    L_stderr=np.array(m["L_stderr"], dtype=float),
                    L_self_stderr=np.array([m["L_self_stderr"][s] for s in species], dtype=float),
                    volume_A3=float(m["volume_A3"]),
                    source=f"{plan.potential}, {m['n_replicas']} x {m['duration_ps'] / m['n_replicas']:g} ps",
                )
            )
    if not entries:
        (out / "transport_table.json").unlink(missing_ok=True)  # one of states that are no longer in it
        return None
    odd = {
        "Not measured": absent,
        "Left out, crystallised": crystallised,
        "Left out, their ions were not shown to diffuse": stuck,
        "Left out, one element alone has no motion against its own mass": alone,
        "The search for the volume had not converged": unsettled,
        f"The mean pressure is more than {PRESSURE_GPA:g} GPa from what was asked for": squeezed,
        "The energy still fell while it was recorded": ageing,
        f"The largest relative standard error of D_i and L_ii is above {100 * plan.target_error:g} %": inexact,
    }
    potential = load_potential(plan.potential)
    table = TransportTable(
        name=out.name,
        source=f"molecular dynamics with {potential.name} ({potential.source}), {plan.atoms} atoms, {plan.engine}",
        entries=tuple(entries),
        end_members=plan.end_members,
        warnings=tuple(f"{what}: {', '.join(names)}." for what, names in odd.items() if names),
    )
    save_transport(table, out / "transport_table.json")
    return out / "transport_table.json"


def write_growth(plan: MeltPlan, out: Path) -> Path | None:
    """Write K_D of the table between its end members, with 5 and 95 % of draws within the errors of L and energies.

    Needs energies of the phases, shipped for Ba-Ti-O up to 2000 K; nothing is written elsewhere, where ``tammann kd``
    takes the table together with a file of energies.

    Args:
        plan: With ``end_members``.
        out: Its folder, with ``transport_table.json``; gets ``growth.csv``.
    """
    from tammann.kinetics import growth_constants
    from tammann.thermo import load_phases
    from tammann.transport import load_transport

    file = out / "growth.csv"
    if plan.end_members is None or not (out / "transport_table.json").exists():
        file.unlink(missing_ok=True)
        return None
    phases, table = load_phases(DEFAULT_SYSTEM), load_transport(out / "transport_table.json")
    assert table is not None
    if not all(end in phases for end in plan.end_members) or (known := growth_constants(phases, table)).empty:
        file.unlink(missing_ok=True)
        return None
    with whole_file(file) as whole:
        known.to_csv(whole, index=False, float_format="%.6g")
    return file
