"""A powder through a programme, as a history: particles one by one, or grains on a periodic cube."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import RecipeError
from tammann.history import DiffusionRecord, History
from tammann.parallel import Progress
from tammann.reactive_diffusion.checkpoint import read_state, run_identity, write_state
from tammann.reactive_diffusion.components import Components
from tammann.reactive_diffusion.conductivity import Conductivities
from tammann.reactive_diffusion.engine import TOLERANCE, ChainRun, run
from tammann.reactive_diffusion.local import convex_hull
from tammann.reactive_diffusion.powder import Grains, Powder, regrind
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.tables import Tables, tabulate
from tammann.reactive_diffusion.voxels import run_grid
from tammann.units import SECONDS_PER_HOUR

TAKEN_BACK = 1e-3
"""Moles of a gas that can only leave which solids may take up beyond it, per mole of formula units."""


def simulate_powder(
    powder: Powder,
    system: Components,
    conduct: Conductivities,
    stretches: Sequence[Stretch],
    *,
    calibrated: bool = False,
    tolerance: float = TOLERANCE,
    contact_resistance: float = 0.0,
    interface_energy_J_per_m2: float = 0.0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    rng: np.random.Generator | int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> History:
    """Run every particle of a powder through a programme; one realization (``History.join`` puts several together).

    Args:
        powder: Particles and what they hold.
        system: The solids and components.
        conduct: Mobilities, tabulated at temperatures that cover the programme.
        stretches: In order.
        calibrated: Whether the conductivities' magnitude rests on an observation, so that hours are hours.
        tolerance: Error of a step, as in ``engine.run``.
        contact_resistance: Of the faces at which two layers of a particle were put together, beside that of the solids,
            eV m^2 s per site squared; products grow linearly with time while it is the larger.
        interface_energy_J_per_m2: Of the nuclei that solids wait for (``nucleation``); zero lets all form at once.
        checkpoint: File for what the particles did so far; a run that finds it continues to the same bits. It stays
            when the run is done.
        progress: Called after every particle.
        rng: Seed of the grinding.
        metadata: Written into the history.

    Raises:
        RecipeError: Solids took up more of a gas than had left, where it is not in the atmosphere.
        ResultError: A step did not converge, or the checkpoint belongs to another run or is cut off.

    Example:
        >>> from tammann import load_phases
        >>> from tammann.reactive_diffusion.components import components
        >>> from tammann.reactive_diffusion.conductivity import conductivities
        >>> from tammann.reactive_diffusion.powder import mix
        >>> from tammann.reactive_diffusion.programme import ramp_and_hold, table_temperatures
        >>> phases, stretches = load_phases("Ba-Ti-O"), ramp_and_hold(1000.0, 1300.0, 10.0, 2.0)
        >>> system = components(phases, {"BaO": 1.0, "TiO2": 1.0}, [1000.0, 1300.0])
        >>> temperatures = table_temperatures(stretches, system.temperature_K)
        >>> conduct = conductivities(system, None, temperatures, mode="equal")
        >>> solids = [system.formulas.index("BaO"), system.formulas.index("TiO2")]
        >>> volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
        >>> powder = mix([1.0, 1.0], solids, volumes, [1e-7, 1e-7])
        >>> history = simulate_powder(powder, system, conduct, stretches)
        >>> history.phases[int(history.fractions()[0, -1].argmax())]
        'BaTiO3'
    """
    generator = np.random.default_rng(rng)
    tables = tabulate(system, conduct)
    volume = tables.volume_m3 * system.sites
    cells = [content * system.sites for content in powder.contents]
    own = [chain.edges_m for chain in powder.particles]
    settings = tolerance, contact_resistance, interface_energy_J_per_m2
    finished = _Finished(checkpoint, run_identity(tables, stretches, [*own, *cells], *settings))
    if finished.rng:
        generator.bit_generator.state = finished.rng
    else:
        finished.rng = dict(generator.bit_generator.state)
    before: list[ChainRun | None] = [None] * len(cells)
    edges = [[chain.edges_m] for chain in powder.particles]
    held = [[content] for content in cells]
    potential = [[np.zeros((len(content), len(system.directions)))] for content in cells]
    heat: list[np.ndarray] = []
    steps = np.zeros(2, dtype=int)
    parts = _between_grindings(stretches)
    for number, part in enumerate(parts):
        if part[0].regrind:
            ground = Powder(powder.particles, tuple(content / system.sites for content in cells))
            powder = regrind(ground, volume, generator)
            cells = [content * system.sites for content in powder.contents]
            before = [_mixed(before)] * len(cells)
        runs: list[ChainRun] = []
        for c, (chain, content) in enumerate(zip(powder.particles, cells, strict=True)):
            done = finished.next()
            if done is None:
                contact = contact_resistance * (np.diff(chain.layer) != 0)
                done = run(
                    chain, content, tables, part, tolerance=tolerance, contact_resistance=contact,
                    interface_energy_J_per_m2=interface_energy_J_per_m2, before=before[c],
                )  # fmt: skip
                finished.add(done)
            runs.append(done)
            edges[c] += [chain.edges_m] * len(part)
            held[c] += list(done.sites)
            potential[c] += list(done.potential_eV)
            steps += done.steps
            if progress is not None:
                share = (number + (c + 1) / len(cells)) / len(parts)
                progress(share, f"particle {c + 1} of {len(cells)}", part[-1].end_K)
        _refuse_taken_back(system, np.sum([np.sum(one, axis=1) for one in held], axis=0))
        heat += list(np.sum([done.dissipated_eV for done in runs], axis=0))
        cells, before = [done.sites[-1] for done in runs], list(runs)
    sites = np.array(held)
    record = replace(
        _record(system, conduct, tables, stretches, sites.sum(axis=(0, 2)), np.array(heat), (steps[0], steps[1])),
        edges_m=np.array(edges),
        sites=sites.astype(np.float32),
        potential_eV=np.array(potential, dtype=np.float32),
    )
    history = _history(system, tables, stretches, sites.sum(axis=(0, 2)), calibrated, dict(metadata or {}))
    return replace(history, diffusion=record)


def simulate_grains(
    grains: Grains,
    system: Components,
    conduct: Conductivities,
    stretches: Sequence[Stretch],
    *,
    layers: int = 1,
    calibrated: bool = False,
    tolerance: float = TOLERANCE,
    threads: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    rng: np.random.Generator | int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> History:
    """Run grains on a periodic cube through a programme, for one component that moves; one realization.

    Args:
        grains: What every voxel holds; the moles are those of the system.
        system: The solids and components.
        conduct: Mobilities, tabulated at temperatures that cover the programme.
        stretches: In order.
        layers: Layers of the cube that the snapshots keep.
        calibrated: Whether the conductivities' magnitude rests on an observation.
        tolerance: Error of a step, as in ``engine.run``.
        threads: Of the kernels; the history does not depend on it.
        checkpoint: File for the state after every stretch; a run that finds it continues to the same bits. It stays
            when the run is done.
        progress: Called after every stretch.
        rng: Seed of the grinding.
        metadata: Written into the history.

    Raises:
        RecipeError: Several components can move, the cube has an odd edge, or solids took up more of a gas than had
            left.
        ResultError: The checkpoint belongs to another run or is cut off.

    Example:
        >>> from tammann import load_phases
        >>> from tammann.reactive_diffusion.components import components
        >>> from tammann.reactive_diffusion.conductivity import conductivities
        >>> from tammann.reactive_diffusion.powder import mix_grains
        >>> from tammann.reactive_diffusion.programme import ramp_and_hold, table_temperatures
        >>> phases, stretches = load_phases("Ba-Ti-O"), ramp_and_hold(1000.0, 1300.0, 10.0, 0.0)
        >>> system = components(phases, {"BaO": 1.0, "TiO2": 1.0}, [1000.0, 1300.0])
        >>> temperatures = table_temperatures(stretches, system.temperature_K)
        >>> conduct = conductivities(system, None, temperatures, mode="equal")
        >>> solids = [system.formulas.index("BaO"), system.formulas.index("TiO2")]
        >>> volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
        >>> grains = mix_grains([1.0, 1.0], solids, volumes, [1e-7, 1e-7], size=16, rng=1)
        >>> history = simulate_grains(grains, system, conduct, stretches)
        >>> history.diffusion.snapshots.shape
        (24, 1, 16, 16)
    """
    tables = tabulate(system, conduct)
    done = run_grid(
        grains.solid, system.start * system.sites, grains.voxel_m, tables, stretches,
        block=grains.block, layers=layers, tolerance=tolerance, threads=threads, checkpoint=checkpoint,
        progress=progress, inspect=lambda sites: _refuse_taken_back(system, sites), rng=rng,
    )  # fmt: skip
    record = replace(
        _record(system, conduct, tables, stretches, done.sites, done.dissipated_eV, done.steps),
        snapshots=done.snapshots,
        snapshot_frame=done.snapshot_frame,
        voxel_m=grains.voxel_m,
    )
    history = _history(system, tables, stretches, done.sites, calibrated, dict(metadata or {}))
    return replace(history, diffusion=record)


class _Finished:
    """What particles did, in order, and in a file where there is one."""

    ARRAYS = tuple(field.name for field in fields(ChainRun))

    def __init__(self, checkpoint: str | os.PathLike[str] | None, identity: str) -> None:
        self.path, self.identity = None if checkpoint is None else Path(checkpoint), identity
        self.arrays: dict[str, np.ndarray] = {}
        self.rng: dict[str, Any] | None = None
        self.there = self.taken = 0
        if self.path is not None and self.path.exists():
            numbers, self.arrays = read_state(self.path, identity)
            self.there, self.rng = numbers["runs"], numbers["rng"]

    def next(self) -> ChainRun | None:
        """Return the next run that is finished."""
        if self.taken == self.there:
            return None
        values: dict[str, Any] = {name: self.arrays[f"{self.taken}.{name}"] for name in self.ARRAYS}
        values["steps"] = tuple(values["steps"].tolist())
        self.taken += 1
        return ChainRun(**values)

    def add(self, run: ChainRun) -> None:
        """Keep a run."""
        if self.path is None:
            return
        self.arrays |= {f"{self.there}.{name}": np.asarray(getattr(run, name)) for name in self.ARRAYS}
        self.there = self.taken = self.there + 1
        write_state(self.path, self.identity, {"runs": self.there, "rng": self.rng}, self.arrays)


def _mixed(runs: Sequence[ChainRun | None]) -> ChainRun | None:
    """Return one of the runs with the gases and the nuclei that any of them holds, as all do once ground together."""
    known = [done for done in runs if done is not None]
    if not known:
        return None
    ceiling = np.max([done.ceiling for done in known], axis=0)
    may_form, nucleated = (np.any([getattr(done, n) for done in known], axis=0) for n in ("may_form", "nucleated"))
    return replace(known[0], ceiling=ceiling, may_form=may_form, nucleated=nucleated)


def _between_grindings(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Return the stretches in parts that begin where the powder is ground."""
    parts: list[list[Stretch]] = []
    for stretch in stretches:
        if stretch.regrind or not parts:
            parts.append([])
        parts[-1].append(stretch)
    return parts


def _record(
    system: Components,
    conduct: Conductivities,
    tables: Tables,
    stretches: Sequence[Stretch],
    sites: np.ndarray,
    heat: np.ndarray,
    steps: tuple[int, int],
) -> DiffusionRecord:
    """Return what can be told of a realization in any geometry, without a particle.

    From sites of every phase at the start and after every stretch, (F + 1, P), and energies dissipated in each, (F, P).
    """
    atoms = (system.phases.composition_matrix[system.solids].sum(axis=1) * system.start).sum()
    temperature = np.array([stretches[0].start_K, *(s.end_K for s in stretches)])
    lacks = np.array([origin == "melting point" for origin in conduct.origin])
    total = heat.sum()
    return DiffusionRecord(
        gibbs_left_eV_per_atom=_energy_left(tables, temperature, sites)[None] / atoms,
        dissipated_eV_per_atom=np.concatenate([np.zeros((1, heat.shape[1])), heat])[None] / atoms,
        without_data_fraction=np.array([heat[:, lacks].sum() / total if total > 0 else 0.0]),
        steps=np.array(steps[:1]),
        refused_steps=np.array(steps[1:]),
        edges_m=np.zeros((0, len(sites), 1)),
        sites=np.zeros((0, len(sites), 0, sites.shape[1]), dtype=np.float32),
        potential_eV=np.zeros((0, len(sites), 0, len(system.directions)), dtype=np.float32),
    )


def _energy_left(tables: Tables, temperature_K: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Return the Gibbs energy above that of the best mixture, shape (F,), eV per site times moles of sites.

    Energies of the amounts at the temperature of each frame, shapes (F,) and (F, P).
    """
    left = np.empty(len(sites))
    for f, (T, amounts) in enumerate(zip(temperature_K, sites, strict=True)):
        g, _ = tables.at(float(T))
        left[f] = g @ amounts - g @ _best_mixture(tables, g, amounts)
    return left


def _best_mixture(tables: Tables, g: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return the sites of every phase, shape (P,), of least Gibbs energy that some amounts can turn into."""
    from scipy.optimize import linprog

    scale = amounts.sum()
    z = amounts @ tables.composition / scale
    gas = tables.gas_content[:, tables.release_only].T
    if tables.scalar and not len(gas):
        y = tables.composition[:, 0]
        order = np.argsort(y, kind="stable")
        hull = order[convex_hull(y[order], g[order])]
        k = min(max(int(np.searchsorted(y[hull], z[0])) - 1, 0), max(len(hull) - 2, 0))
        best = np.zeros(len(g))
        if len(hull) == 1:
            best[hull[0]] = scale
        else:
            share = min(1.0, max(0.0, (z[0] - y[hull[k]]) / (y[hull[k + 1]] - y[hull[k]])))
            best[hull[k]], best[hull[k + 1]] = (1.0 - share) * scale, share * scale
        return best
    # a gas that can only leave is there as far as the solids still hold it
    limits = {"A_ub": gas, "b_ub": gas @ amounts / scale + 1e-12} if len(gas) else {}
    balance = np.column_stack([np.ones(len(g)), tables.composition]).T
    found = linprog(g, A_eq=balance, b_eq=np.append(1.0, z), bounds=(0, None), method="highs", **limits)
    return np.asarray(found.x) * scale


def _refuse_taken_back(system: Components, sites: np.ndarray) -> None:
    """Refuse to go on once solids hold more of a gas than has left; ``sites`` of each solid so far, shape (F, P).

    Raises:
        RecipeError: They do, and the gas is not in the atmosphere.
    """
    moles = sites / system.sites
    released = (moles[0] - moles) @ system.gas_content
    for k in np.flatnonzero(system.release_only):
        if released[:, k].min() < -TAKEN_BACK * moles[0].sum():
            name = system.gases[k]
            raise RecipeError(
                f"{name}: the powder gives it off, and elsewhere solids would form that hold more of it than has left, "
                f"which reactive diffusion cannot keep apart; raise diffusion.residual_pressure_Pa until {name} stays, "
                f"state its pressure in the atmosphere, or write engine: automaton"
            )


def _history(
    system: Components,
    tables: Tables,
    stretches: Sequence[Stretch],
    sites: np.ndarray,
    calibrated: bool,
    metadata: dict[str, Any],
) -> History:
    """Return the history of amounts, shape (F, P) in sites, without what only this engine can tell."""
    phases = [system.phases[int(p)] for p in system.solids]
    gas = [system.phases[g] for g in system.gases]
    composition = system.phases.composition_matrix[system.solids].astype(float)
    gas_composition = system.phases.composition_matrix[[system.phases.index(g) for g in system.gases]].astype(float)
    moles = sites / system.sites
    released = (moles[0] - moles) @ system.gas_content
    temperature = np.array([stretches[0].start_K, *(s.end_K for s in stretches)])
    elements = composition.any(axis=0) | gas_composition.any(axis=0)
    now = moles @ composition + released @ gas_composition
    start = now[0]
    there = np.abs(now).max(axis=0) > 1e-12
    drift = np.abs(now - start)[:, there] / np.maximum(start, 1e-3 * start.max())[there]
    empty = np.zeros((0, 2))
    atoms = moles[-1] * composition.sum(axis=1)
    melting = np.array([np.nan if p.melting_point_K is None else p.melting_point_K for p in phases], dtype=float)
    return History(
        phases=tuple(p.formula for p in phases),
        elements=tuple(e for e, known in zip(system.phases.elements, elements, strict=True) if known),
        gases=tuple(g.formula for g in gas),
        composition=composition[:, elements],
        gas_composition=gas_composition[:, elements].reshape(len(gas), int(elements.sum())),
        molar_volume_m3=np.array([p.molar_volume_m3_per_mol for p in phases]),
        molar_mass_kg=np.array([p.molar_mass_kg_per_mol for p in phases]),
        programme_h=np.cumsum([0.0, *(s.seconds for s in stretches)]) / SECONDS_PER_HOUR,
        calibrated=calibrated,
        temperature_K=temperature,
        stage=np.array([stretches[0].stage, *(s.stage for s in stretches)]),
        moles=moles[None],
        gas_moles=released[None],
        extent=np.zeros((1, max(s.stage for s in stretches) + 1, 0)),
        reactants=empty.astype(int),
        reactant_coefficients=empty,
        products=empty.astype(int),
        product_coefficients=empty,
        gas_coefficients=np.zeros((0, len(gas))),
        equations=(),
        fallback=np.zeros(0, dtype=bool),
        molten=temperature[:, None] > melting,
        reactive_fraction=np.array([1.0 - _overlap(tables, temperature[-1], sites[-1], atoms)]),
        element_drift=np.array([float(drift.max())]),
        metadata=metadata,
    )


def _overlap(tables: Tables, T: float, sites: np.ndarray, atoms: np.ndarray) -> float:
    """Return the share of the atoms in phases that the best mixture at a temperature holds, too."""
    best = _best_mixture(tables, tables.at(T)[0], sites)
    return float(atoms[best > 1e-9 * sites.sum()].sum() / atoms.sum())
