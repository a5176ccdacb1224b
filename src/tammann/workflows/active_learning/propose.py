"""The runs of a round: random cells to relax, melts, quenches, strained crystals, interfaces of crystal and melt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tammann.structures import Configuration
from tammann.structures.candidates import crystal_glass_interface, random_cell, rattled, strained, supercell
from tammann.structures.crystals import load_crystal
from tammann.workflows.active_learning.explore import Exploration, explore
from tammann.workflows.active_learning.plan import ActiveLearningPlan

Kind = Literal["search", "melt", "quench", "crystal", "interface"]
KINDS: tuple[Kind, ...] = ("search", "melt", "quench", "crystal", "interface")


@dataclass(frozen=True, eq=False)
class Task:
    """One run of a round.

    Attributes:
        name: Unique in its round, fit for a file.
        kind: What it is of; a search is relaxed and not set in motion.
        configuration: Where it begins.
        temperature_K: Of the thermostat, K.
        final_temperature_K: Of the thermostat at the end of a quench, K.
        duration_ps: Time of molecular dynamics, ps; 0 for a search.
        relax_steps: Most steps of the relaxation.
        seed: For velocities.
    """

    name: str
    kind: Kind
    configuration: Configuration
    temperature_K: float
    final_temperature_K: float | None
    duration_ps: float
    relax_steps: int
    seed: int

    def __repr__(self) -> str:
        return f"Task({self.name}, {self.configuration!r}, {self.duration_ps:g} ps at {self.temperature_K:g} K)"

    @property
    def cost(self) -> float:
        """Expected cost in atoms times ps; a relaxation counts as half its steps of 2 fs."""
        return self.configuration.n_atoms * (self.duration_ps + 0.001 * self.relax_steps)


def propose(plan: ActiveLearningPlan, number: int) -> tuple[Task, ...]:
    """Return the runs of a round, numbered from 1 on; the same plan and number give the same runs.

    Melts and quenches begin from a random packing at the estimated volume, which varies by ``volume_spread``, and are
    relaxed before they move. Crystals are repeated to ``atoms``, strained and rattled. Interfaces pair each crystal
    with one composition, another one every time.

    Example:
        >>> plan = ActiveLearningPlan(compositions=("TiO2",), proposals={"searches": 2, "quenches": 0})
        >>> [task.name for task in propose(plan, 1)]
        ['search-TiO2-1', 'search-TiO2-2', 'melt-TiO2-1']
    """
    return tuple(_tasks(plan, number))


def initial_configurations(plan: ActiveLearningPlan) -> tuple[tuple[str, Kind, Configuration], ...]:
    """Return name, kind and configuration of what is labelled first where a plan names no initial frames.

    They are the starting points of a round 0, ten of every run asked for; quenches begin as melts do, and are left
    out.
    """
    found: list[tuple[str, Kind, Configuration]] = []
    for copy in range(10):
        for task in _tasks(plan, 0, copy=copy):
            if task.kind != "quench":
                found.append((f"{task.name}-{copy + 1}", task.kind, task.configuration))
    return tuple(found)


def _tasks(plan: ActiveLearningPlan, number: int, *, copy: int = 0) -> Iterator[Task]:
    hot, runs = plan.temperature_K(max(number, 1)), plan.proposals
    spread = (1.0 - plan.volume_spread, 1.0 + plan.volume_spread)
    crystals = [(Path(name).stem, load_crystal(name)) for name in plan.crystals]

    def streams(kind: Kind, index: int, count: int) -> Iterator[tuple[int, np.random.Generator, int]]:
        for k in range(count):
            rng = np.random.default_rng([plan.seed, number, copy, KINDS.index(kind), index, k])
            yield k, rng, int(rng.integers(2**31))

    def task(kind: Kind, label: str, k: int, configuration: Configuration, seed: int) -> Task:
        moves = kind != "search"
        return Task(
            f"{kind}-{label}-{k + 1}",
            kind,
            configuration,
            plan.crystal_temperature_K if kind == "crystal" else hot,
            plan.quench_to_K if kind == "quench" else None,
            (plan.crystal_picoseconds if kind == "crystal" else plan.picoseconds) * moves,
            0 if kind == "crystal" else plan.relax_steps,
            seed,
        )

    def packing(formula: str, rng: np.random.Generator) -> Configuration:
        return random_cell(formula, atoms=plan.atoms, volume_scales=spread, cubic=True, rng=rng)

    def searched(formula: str, rng: np.random.Generator) -> Configuration:
        return random_cell(formula, atoms=int(rng.integers(plan.search_atoms // 2, plan.search_atoms + 1)), rng=rng)

    makers: list[tuple[Kind, int, Callable[[str, np.random.Generator], Configuration]]] = [
        ("search", runs.searches, searched),
        ("melt", runs.melts, packing),
        ("quench", runs.quenches, packing),
    ]
    for kind, count, make in makers:
        for index, formula in enumerate(plan.compositions):
            for k, rng, seed in streams(kind, index, count):
                yield task(kind, formula, k, make(formula, rng), seed)
    for index, (label, crystal) in enumerate(crystals):
        for k, rng, seed in streams("crystal", index, runs.crystals):
            cell = rattled(
                strained(supercell(crystal, plan.atoms), limit=plan.strain, rng=rng),
                displacement_A=plan.rattle_A,
                rng=rng,
            )
            yield task("crystal", label, k, cell, seed)
    for index, (label, crystal) in enumerate(crystals):
        for k, rng, seed in streams("interface", index, runs.interfaces):
            formula = plan.compositions[(index + k + number + copy) % len(plan.compositions)]
            both = crystal_glass_interface(crystal, formula, atoms=plan.atoms, rng=rng)
            yield task("interface", f"{label}-{formula}", k, both, seed)


def run_task(
    plan: ActiveLearningPlan, task: Task, calculator: Any, *, progress: Callable[[float], None] | None = None
) -> Exploration:
    """Make one run of a round with an ASE calculator, watched as the plan says."""
    return explore(
        task.configuration,
        calculator,
        plan.conditions(task.temperature_K),
        duration_ps=task.duration_ps,
        watch=plan.watch(),
        final_temperature_K=task.final_temperature_K,
        relax_steps=task.relax_steps,
        name=task.name,
        progress=progress,
        rng=task.seed,
    )
