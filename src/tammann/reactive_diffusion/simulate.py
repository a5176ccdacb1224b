"""A powder of particles through a programme, as a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tammann.history import DiffusionRecord, History
from tammann.reactive_diffusion.components import Components
from tammann.reactive_diffusion.conductivity import Conductivities
from tammann.reactive_diffusion.engine import TOLERANCE, ChainRun, run
from tammann.reactive_diffusion.powder import Powder, regrind
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.tables import Tables, tabulate
from tammann.units import SECONDS_PER_HOUR


def simulate_powder(
    powder: Powder,
    system: Components,
    conduct: Conductivities,
    stretches: Sequence[Stretch],
    *,
    calibrated: bool = False,
    tolerance: float = TOLERANCE,
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
        rng: Seed of the grinding.
        metadata: Written into the history.

    Raises:
        ResultError: A step did not converge.

    Example:
        >>> from tammann.reactive_diffusion import simulate
        >>> simulate.simulate_powder.__name__
        'simulate_powder'
    """
    generator = np.random.default_rng(rng)
    tables = tabulate(system, conduct)
    volume = tables.volume_m3 * system.sites
    cells = [content * system.sites for content in powder.contents]
    before: list[ChainRun | None] = [None] * len(cells)
    edges = [[chain.edges_m] for chain in powder.particles]
    held = [[content] for content in cells]
    potential = [[np.zeros((len(content), len(system.directions)))] for content in cells]
    heat: list[np.ndarray] = []
    steps = np.zeros(2, dtype=int)
    for part in _between_grindings(stretches):
        if part[0].regrind:
            ground = Powder(powder.particles, tuple(content / system.sites for content in cells))
            powder = regrind(ground, volume, generator)
            cells = [content * system.sites for content in powder.contents]
        runs = [
            run(chain, content, tables, part, tolerance=tolerance, before=last)
            for chain, content, last in zip(powder.particles, cells, before, strict=True)
        ]
        for c, (chain, done) in enumerate(zip(powder.particles, runs, strict=True)):
            edges[c] += [chain.edges_m] * len(part)
            held[c] += list(done.sites)
            potential[c] += list(done.potential_eV)
            steps += done.steps
        heat += list(np.sum([done.dissipated_eV for done in runs], axis=0))
        cells, before = [done.sites[-1] for done in runs], list(runs)
    sites = np.array(held)
    dissipated = np.concatenate([np.zeros((1, len(system.sites))), np.array(heat)])
    history = _history(system, tables, stretches, sites.sum(axis=(0, 2)), calibrated, dict(metadata or {}))
    atoms = (system.phases.composition_matrix[system.solids].sum(axis=1) * system.start).sum()
    left = _energy_left(tables, history.temperature_K, sites.sum(axis=(0, 2)))
    lacks = np.array([origin == "melting point" for origin in conduct.origin])
    total = dissipated.sum()
    record = DiffusionRecord(
        gibbs_left_eV_per_atom=left[None] / atoms,
        dissipated_eV_per_atom=dissipated[None] / atoms,
        without_data_fraction=np.array([dissipated[:, lacks].sum() / total if total > 0 else 0.0]),
        steps=steps[:1],
        refused_steps=steps[1:],
        edges_m=np.array(edges),
        sites=sites.astype(np.float32),
        potential_eV=np.array(potential, dtype=np.float32),
    )
    return replace(history, diffusion=record)


def _between_grindings(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Return the stretches in parts that begin where the powder is ground."""
    parts: list[list[Stretch]] = []
    for stretch in stretches:
        if stretch.regrind or not parts:
            parts.append([])
        parts[-1].append(stretch)
    return parts


def _energy_left(tables: Tables, temperature_K: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Return the Gibbs energy above that of the best mixture, shape (F,), eV per site times moles of sites.

    Energies of the amounts at the temperature of each frame, shapes (F,) and (F, P).
    """
    from scipy.optimize import linprog

    balance = np.column_stack([np.ones(len(tables.volume_m3)), tables.composition]).T
    left = np.empty(len(sites))
    for f, (T, amounts) in enumerate(zip(temperature_K, sites, strict=True)):
        g, _ = tables.at(float(T))
        scale = amounts.sum()
        best = linprog(g, A_eq=balance, b_eq=balance @ amounts / scale, bounds=(0, None), method="highs")
        left[f] = g @ amounts - best.fun * scale
    return left


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
    from scipy.optimize import linprog

    balance = np.column_stack([np.ones(len(sites)), tables.composition]).T
    best = linprog(tables.at(T)[0], A_eq=balance, b_eq=balance @ sites / sites.sum(), bounds=(0, None), method="highs")
    return float(atoms[best.x > 1e-9].sum() / atoms.sum())
