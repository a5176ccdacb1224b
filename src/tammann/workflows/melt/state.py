"""A state: one composition at one temperature, measured from the small files of its replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np

from tammann.characterization import Coordination, bragg_noise
from tammann.characterization.order import CRYSTALLINE
from tammann.composition import atomic_masses
from tammann.errors import DataError, ResultError
from tammann.structures import estimate_volume_per_atom
from tammann.transport import (
    OnsagerMeasurement,
    load_correlations,
    load_measurements,
    measure_onsager,
    save_measurements,
)
from tammann.units import AVOGADRO_PER_MOL, BOLTZMANN_J_PER_K
from tammann.workflows.melt.folder import CORRELATIONS, TRANSPORT, Replica, load_failures, load_replicas, state_folder
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import Estimate, MeltRecord, ReplicaRecord, Viscosity, VolumeRecord
from tammann.workflows.melt.replica import load_stress

CAVITY_A = 4.5
GLASS_A = 2.0
"""A displacement of about one bond."""
PRESSURE_GPA = 0.4
AGEING_EV = 0.002
"""Per atom; what the energy of a replica may fall from one half of it to the other."""
PIECES = 4
MEANS = ("volume_A3", "mean_temperature_K", "mean_energy_eV_per_atom", "mean_pressure_GPa")
"""Of a state: the plain means of its replicas."""
A3_IN_CM3 = 1e-24


@dataclass(frozen=True)
class MeltState:
    """One composition at one temperature, and what is known of it.

    Attributes:
        volume: The search for its volume, or None where it has not ended.
        melt: Density, viscosity, structure; None where no replica is finished.
        measurement: Its transport; None where none could be measured.
        failed: Sentences on what has failed and not been done since.
    """

    formula: str
    temperature_K: float
    folder: Path
    volume: VolumeRecord | None = None
    melt: MeltRecord | None = None
    measurement: OnsagerMeasurement | None = field(default=None, compare=False)
    failed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        known = "diffusive" if self.diffusive else "not diffusive"
        return f"MeltState({self.name}: {self.replicas} replicas, {self.duration_ps:g} ps, {known})"

    @property
    def name(self) -> str:
        """Composition and temperature."""
        return f"{self.formula} at {self.temperature_K:g} K"

    @property
    def converged(self) -> bool:
        """Whether the search for its volume has converged."""
        return self.volume is not None and self.volume.converged

    @property
    def diffusive(self) -> bool:
        """Whether it is a melt all of whose ions were shown to diffuse."""
        if self.melt is None or self.measurement is None:
            return False
        return self.measurement.diffusive and not self.melt.crystalline

    @property
    def replicas(self) -> int:
        """Number of replicas it is measured from."""
        return 0 if self.melt is None else self.melt.replicas

    @property
    def duration_ps(self) -> float:
        """Length of those together, ps."""
        return 0.0 if self.melt is None else self.melt.duration_ps

    @property
    def diffusivities_m2_per_s(self) -> dict[str, Estimate]:
        """Self-diffusivity by element, m²/s; NaN for an element that was not shown to diffuse."""
        if (m := self.measurement) is None:
            return {}
        rows = zip(m.species, m.D_m2_per_s.tolist(), m.D_stderr.tolist(), strict=True)
        return {symbol: Estimate(D, stderr) for symbol, D, stderr in rows}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of it, failures first."""
        known = (self.volume, self.melt, self.measurement)
        notes = (*self.failed, *(note for record in known if record is not None for note in record.notes))
        return notes if notes or None not in known else ("Not all of it has been computed.",)


def load_state(formula: str, temperature_K: float, folder: Path) -> MeltState:
    """Read what the folder of a state holds."""
    failures = load_failures(folder)
    failed = tuple(f"{step.replace('-', ' ').capitalize()} failed: {sentence}" for step, sentence in failures.items())
    volume = melt = measurement = None
    with suppress(ResultError, DataError, OSError):
        volume = VolumeRecord.load(folder)
        melt = MeltRecord.load(folder)
        (measurement,) = load_measurements(folder / TRANSPORT)
    return MeltState(formula, temperature_K, folder, volume, melt, measurement, failed)


def load_states(plan: MeltPlan, out: Path) -> tuple[MeltState, ...]:
    """Read what the folder of a plan holds of every state, in the order of the plan."""
    states = product(plan.melts, plan.temperatures_K)
    return tuple(load_state(formula, T, state_folder(out, formula, T)) for formula, T in states)


def largest_error(measurement: OnsagerMeasurement) -> float:
    """Return the largest relative standard error among D_i and L_ii, infinite where not all ions are diffusive."""
    if not measurement.diffusive:
        return math.inf
    L, L_stderr = measurement.apparent.L, measurement.apparent.L_stderr
    assert L_stderr is not None
    errors = measurement.D_stderr / measurement.D_m2_per_s
    if L.any():  # an element alone does not move against its own centre of mass
        own, own_stderr = np.diag(L), np.diag(L_stderr)
        errors = [*errors, *np.where(own > 0.0, own_stderr / np.where(own > 0.0, own, 1.0), math.inf)]
    return float(max(errors))


def measure_all(plan: MeltPlan, out: Path) -> None:
    """Measure every state, in a fraction of a second each: what lies there may be of another version."""
    for formula, temperature_K in product(plan.melts, plan.temperatures_K):
        measure_state(plan, formula, temperature_K, state_folder(out, formula, temperature_K))


def measure_state(plan: MeltPlan, formula: str, temperature_K: float, folder: Path) -> None:
    """Measure a state from its finished replicas and write ``transport.json`` and ``melt.json``, if there are any."""
    replicas = load_replicas(folder)
    if not replicas:
        return
    used, crystallised = split_crystallised(replicas)
    crystalline = len(crystallised) == len(replicas)
    records = [replica.record for replica in used]
    means = {name: float(np.mean([getattr(record, name) for record in records])) for name in MEANS}
    drift = _mean([Estimate(r.energy_drift_eV_per_atom, r.energy_drift_stderr_eV_per_atom) for r in records])
    n_atoms, volume_A3 = records[0].n_atoms, means["volume_A3"]
    mass = sum(atomic_masses()[symbol] * n for symbol, n in records[0].atoms.items())
    transport_notes = _measure_transport(used, folder)
    melt = MeltRecord(
        formula=formula,
        temperature_K=temperature_K,
        replicas=len(used),
        durations_ps={replica.folder.name: replica.record.duration_ps for replica in replicas},
        duration_ps=sum(record.duration_ps for record in records),
        atoms=n_atoms,
        volume_per_atom_A3=volume_A3 / n_atoms,
        density_g_per_cm3=mass / volume_A3 / (AVOGADRO_PER_MOL * A3_IN_CM3),
        mean_temperature_K=means["mean_temperature_K"],
        energy_eV_per_atom=means["mean_energy_eV_per_atom"],
        pressure_GPa=means["mean_pressure_GPa"],
        pressure_stderr_GPa=float(np.sqrt(np.sum([r.pressure_stderr_GPa**2 for r in records])) / len(used)),
        viscosity=_viscosity(temperature_K, used, volume_A3),
        coordination=tuple(_mean_coordination(each) for each in zip(*(r.coordination for r in records), strict=True)),
        bond_fractions=_means([record.bond_fractions for record in records]),
        crystal_nn=_means([record.crystal_nn for record in records]),
        bragg_order=max(record.bragg_order for record in records),
        largest_cavity_A=max(record.largest_cavity_A for record in records),
        displacement_A=float(np.sqrt(np.mean([record.displacement_A**2 for record in records]))),
        energy_drift_eV_per_atom=drift,
        ageing=drift.mean < -max(AGEING_EV, 3.0 * drift.stderr) and not crystalline,
        crystalline=crystalline,
        notes=(),
    )
    notes = (*_replica_notes(plan, replicas, crystallised), *transport_notes, *_melt_notes(plan, melt, records))
    replace(melt, notes=notes).save(folder)


def split_crystallised(replicas: Sequence[Replica]) -> tuple[list[Replica], list[str]]:
    """Return the replicas that a state is measured from, and the names of those that have crystallised.

    Crystallised ones are left out, unless all are: then the state is no melt, which its record says.
    """
    crystallised = [
        replica.folder.name
        for replica in replicas
        if replica.record.bragg_order > max(CRYSTALLINE, bragg_noise(replica.record.n_atoms, replica.record.volume_A3))
    ]
    liquid = [replica for replica in replicas if replica.folder.name not in crystallised]
    return liquid or list(replicas), crystallised


def _measure_transport(replicas: Sequence[Replica], folder: Path) -> list[str]:
    try:
        correlations = [load_correlations(replica.folder / CORRELATIONS) for replica in replicas]
        save_measurements(folder / TRANSPORT, [measure_onsager(correlations)])
    except (DataError, OSError) as error:  # too few frames, say
        (folder / TRANSPORT).unlink(missing_ok=True)
        return [f"No transport could be measured: {error}"]
    return []


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    """Mean over replicas; its standard error from their own, or from their scatter where that is larger."""
    means, errors = (np.array([getattr(each, name) for each in estimates], dtype=float) for name in ("mean", "stderr"))
    n = len(estimates)
    stated = float(np.sqrt(np.sum(errors**2))) / n
    scatter = float(np.std(means, ddof=1)) / math.sqrt(n) if n > 2 else 0.0
    return Estimate(float(means.mean()), max(stated, scatter))


def _means(replicas: Sequence[dict[str, Estimate]]) -> dict[str, Estimate]:
    return {key: _mean([each[key] for each in replicas]) for key in replicas[0]}


def _mean_coordination(each: Sequence[Coordination]) -> Coordination:
    number = _mean([Estimate(c.mean, c.stderr) for c in each])
    cutoff_A, nearest_A = (float(np.mean([getattr(c, name) for c in each])) for name in ("cutoff_A", "nearest_A"))
    return Coordination(each[0].centre, each[0].neighbour, cutoff_A, number.mean, number.stderr, nearest_A)


def _viscosity(temperature_K: float, replicas: Sequence[Replica], volume_A3: float) -> Viscosity:
    """Shear viscosity of all replicas together, from the stress averaged over short times.

    Averages keep the slope of the squared integral of the stress, and only that is used. Whether the stress was
    recorded often enough no longer shows in them; its correlation one record apart tells that.
    """
    from tammann.transport.viscosity import WITHIN_ONE_FRAME, shear_viscosity

    try:
        stresses, intervals = zip(*(load_stress(replica.folder) for replica in replicas), strict=True)
        found = shear_viscosity(
            # the integral is known at the ends of each average; a straight line between them
            [np.repeat(stress, PIECES, axis=0) for stress in stresses],
            volume_A3=volume_A3,
            temperature_K=temperature_K,
            frame_interval_ps=intervals[-1] / PIECES,
        )
    except (DataError, OSError, KeyError) as error:
        return Viscosity(None, None, False, (str(error),))
    notes, resolved = list(found.notes), True
    if found.converged:
        at_once, later = np.mean([replica.record.stress_correlation_GPa2 for replica in replicas], axis=0)
        record_s = max(replica.record.sample_interval_fs for replica in replicas) * 1e-15
        # V/(kB T) times the trapezoid over the time between two records
        inside = 1e-12 * volume_A3 / (BOLTZMANN_J_PER_K * temperature_K) * record_s * (at_once + later) / 2.0
        share = float(inside / found.value_Pa_s)
        resolved = bool(later >= 0.5 * at_once or share < WITHIN_ONE_FRAME)
        if not resolved:
            notes.append(
                "The stress loses half of its correlation or more between two records, and "
                f"{share:.0%} of the viscosity comes from there; give a shorter stress_fs."
            )
    value, stderr = (found.value_Pa_s, found.stderr_Pa_s) if resolved else (None, None)
    converged = found.converged and resolved
    return Viscosity(value, stderr, converged, tuple(notes), found.block_stderr_Pa_s, found.regime_ps)


def _replica_notes(plan: MeltPlan, replicas: Sequence[Replica], crystallised: Sequence[str]) -> list[str]:
    notes = []
    if crystallised:
        order = max(replica.record.bragg_order for replica in replicas)
        every = len(crystallised) == len(replicas)
        notes.append(
            f"{'It has' if every else ', '.join(crystallised) + ' has'} crystallised (strongest reflection "
            f"{100 * order:.0f} % of a perfect crystal's), so "
            + ("what is measured is no melt's." if every else "it is left out of what is measured.")
        )
    short = [replica for replica in replicas if replica.record.duration_ps < plan.production_ps - 1.0]
    if short:
        names = ", ".join(f"{replica.folder.name} ({replica.record.duration_ps:g} ps)" for replica in short)
        notes.append(f"Shorter than the plan's {plan.production_ps:g} ps: {names}.")
    return notes


def _melt_notes(plan: MeltPlan, melt: MeltRecord, records: Sequence[ReplicaRecord]) -> list[str]:
    notes = []
    expected = estimate_volume_per_atom(melt.formula, temperature_K=melt.temperature_K)
    if not 0.6 < melt.volume_per_atom_A3 / expected < 1.6:
        notes.append(
            f"The volume of {melt.volume_per_atom_A3:.1f} Å3 per atom is far from the {expected:.1f} expected of such "
            "a melt; check whether the potential suits it."
        )
    if (cavity := melt.largest_cavity_A) > CAVITY_A:
        notes.append(f"There is a cavity {2 * cavity:.1f} Å wide in it: the melt has torn open or evaporates.")
    moved = min(record.displacement_A for record in records)
    if moved < GLASS_A and not melt.crystalline:
        notes.append(f"Its atoms came no farther than {moved:.1f} Å: a glass rather than a melt on this time scale.")
    if abs(melt.pressure_GPa - plan.volume.pressure_GPa) > PRESSURE_GPA:
        notes.append(f"Its mean pressure is {melt.pressure_GPa:+.2f} GPa: the volume found is not quite right.")
    if melt.ageing:
        drift = melt.energy_drift_eV_per_atom
        notes.append(
            f"Its energy still fell while it was recorded, by {-1000 * drift.mean:.1f} ± {1000 * drift.stderr:.1f} meV "
            "per atom from one half to the other: it was not yet in equilibrium; give a longer settle_ps."
        )
    return notes
