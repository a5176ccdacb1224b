"""The stages that choose structures: orderings of each composition, relaxed energies, the hull and a selection."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError, ResultError
from tammann.files import json_safe, read_json, write_text
from tammann.md.relaxation_batch import RELAXED as CONVERGED
from tammann.md.relaxation_batch import RelaxationBatch, is_relaxed, relax_batch
from tammann.parallel import Progress
from tammann.potentials import load_potential
from tammann.structures import Configuration, read_structure
from tammann.structures.crystals import load_crystal
from tammann.structures.ordering import (
    OrderingBlock,
    Orderings,
    count_orderings,
    enumerate_orderings,
    sample_by_energy,
    sample_orderings,
    select_orderings,
    with_ewald,
)
from tammann.thermo.composition_hull import CompositionHull, composition_hull
from tammann.workflows.electrolyte.plan import REFERENCE, ElectrolytePlan, OrderingsBlock

if TYPE_CHECKING:
    import pandas as pd

ORDERINGS, RELAXED, HULL, DYNAMICS = "orderings", "relaxed", "hull", "dynamics"
RECORD, SELECTED, HULL_TABLE = "orderings.json", "selected.json", "hull.csv"
CHAIN_SWEEPS = 8


def find_orderings(plan: ElectrolytePlan, out: Path, name: str) -> None:
    """Write the orderings of a composition that are kept, or those that are there already stay."""
    folder = out / ORDERINGS / name
    if (folder / RECORD).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if plan.host:
        found = _ordered(plan.blocks[name], plan.orderings, seed=[plan.seed, plan.names.index(name)])
        configurations = list(found)
        energies = found.energies_eV if found.energies_eV is not None else np.full(len(found), np.nan)
        record: dict[str, Any] = {
            "arrangements": str(found.count.raw), "distinct": str(found.count.distinct), "kept": len(found),
            "fraction_covered": found.fraction_covered, "origin": found.origin,
            "degeneracies": [int(g) for g in found.degeneracies], "ewald_eV": energies,
        }  # fmt: skip
    else:
        configurations = [load_crystal(plan.structures[plan.names.index(name)])]
        record = {"arrangements": "1", "distinct": "1", "kept": 1, "fraction_covered": 1.0, "origin": "given"}
        record |= {"degeneracies": [1], "ewald_eV": [np.nan]}
    names = [f"{name}-{k + 1:03d}" for k in range(len(configurations))]
    for each, configuration in zip(names, configurations, strict=True):
        write_text(folder / f"{each}.extxyz", configuration.to_extxyz())
    write_text(folder / RECORD, json.dumps(json_safe(record | {"structures": names}), indent=1) + "\n")


def _ordered(block: OrderingBlock, asked: OrderingsBlock, *, seed: list[int]) -> Orderings:
    """Return the orderings of the lowest electrostatic energy among all, or among those sampled."""
    count, rng = count_orderings(block), np.random.default_rng(seed)
    if count.raw <= asked.enumerate_up_to:
        found = enumerate_orderings(block, most_raw=asked.enumerate_up_to)
    elif asked.sampling == "random":
        found = sample_orderings(block, asked.samples, rng=rng)
    else:
        sweeps = max(1, asked.samples // CHAIN_SWEEPS)
        T = asked.sampling_temperature_K
        found = sample_by_energy(block, temperature_K=T, sweeps=sweeps, chains=CHAIN_SWEEPS, rng=rng)
    if len(found) > 1 and found.energies_eV is None:
        found = with_ewald(found)
    # of orderings alike in electrostatic energy any: the first in order would have like ions side by side
    return found.lowest(asked.keep, rng=rng) if len(found) > 1 else found


def orderings_record(out: Path, name: str) -> dict[str, Any]:
    """Return what is known of the orderings of a composition.

    Raises:
        DataError: The stage before has not been run.
    """
    file = out / ORDERINGS / name / RECORD
    if not file.exists():
        raise DataError(f"{name}: expected its orderings, got none in {out}; run the stage orderings first.")
    return read_record(file, {"structures": list, "degeneracies": list, "arrangements": str, "distinct": str,
                              "kept": int, "fraction_covered": float, "origin": str})  # fmt: skip


def read_record(file: Path, keys: Mapping[str, type]) -> dict[str, Any]:
    """Return what a JSON file of a stage holds.

    Raises:
        ResultError: It is no JSON, or lacks a key.
    """
    found = read_json(file, error=ResultError)
    for key, kind in keys.items():
        if not isinstance(found, dict) or not isinstance(found.get(key), kind):
            raise ResultError(
                f"{file}: expected a record with {key}, got another file; remove it and run its stage again."
            )
    return dict(found)


def relax_orderings(
    plan: ElectrolytePlan, out: Path, *, executor: Executor | None, progress: Progress | None
) -> RelaxationBatch:
    """Relax all orderings and references that are not relaxed yet."""
    return _relax(plan, out, _starts(plan, out), executor=executor, progress=progress)


def _starts(plan: ElectrolytePlan, out: Path) -> dict[str, Configuration]:
    """Return what is to be relaxed, by name."""
    starts: dict[str, Configuration] = {}
    for name in plan.names:
        for each in orderings_record(out, name)["structures"]:
            starts[each] = read_structure(out / ORDERINGS / name / f"{each}.extxyz")
    for name, text in zip(plan.reference_names, plan.references, strict=True):
        starts[REFERENCE + name] = load_crystal(text)
    return starts


def _relax(
    plan: ElectrolytePlan, out: Path, starts: Mapping[str, Configuration], *, executor: Executor | None = None,
    progress: Progress | None = None,
) -> RelaxationBatch:  # fmt: skip
    settings = plan.relaxation.model_dump()
    return relax_batch(starts, load_potential(plan.potential), out / RELAXED, executor=executor, progress=progress,
                       **settings)  # fmt: skip


def choose_structures(plan: ElectrolytePlan, out: Path) -> None:
    """Put all relaxed structures on one hull, and write which are set in motion.

    The lowest of every composition of the plan is, whether or not one of another name or a reference has its formula.

    Raises:
        DataError: A structure has not been relaxed, or as ``hull_of``.
    """
    starts = _starts(plan, out)
    for each in starts:
        if not is_relaxed(out / RELAXED, each):
            raise DataError(f"{each}: expected its relaxed structure, got none in {out}; run the stage energies first.")
    batch = _relax(plan, out, starts)
    hull, names = hull_of(plan, batch)
    degeneracies = _degeneracies(plan, out)
    groups = [None if each.startswith(REFERENCE) else composition_of(plan, each) for each in names]
    least = len(set(groups) - {None})
    held = [degeneracies.get(each, 1) for each in names]
    chosen = select_orderings(
        hull, max(plan.selection.structures or least, least), per=plan.selection.per, groups=groups,
        degeneracies=held if plan.selection.degeneracy else None, temperature_K=plan.selection.temperature_K,
        rng=plan.seed,
    ).chosen  # fmt: skip
    # what has been set in motion stays, also where compositions were added and others are drawn
    moved = [k for k, each in enumerate(names) if groups[k] is not None and (out / DYNAMICS / each).is_dir()]
    chosen = np.union1d(chosen, moved).astype(int)
    (out / HULL).mkdir(exist_ok=True)
    table = hull_table(hull, names, degeneracies)
    table["formula_unit"] = formula_units_of(plan, table)
    table["relaxed"] = [batch.frames[each].config_type == CONVERGED for each in names]
    table["selected"] = np.isin(np.arange(len(names)), chosen)
    write_text(out / HULL / HULL_TABLE, table.to_csv(index=False))
    record = {"selected": [names[k] for k in chosen], "failures": dict(batch.failures)}
    write_text(out / HULL / SELECTED, json.dumps(json_safe(record), indent=1) + "\n")


def hull_of(plan: ElectrolytePlan, batch: RelaxationBatch) -> tuple[CompositionHull, list[str]]:
    """Return the hull of all structures that were relaxed, and their names.

    Raises:
        DataError: None was, or an end member is not there.
    """
    names = [each for each in batch.names if each in batch.frames]
    if not any(not each.startswith(REFERENCE) for each in names):
        first = next(iter(batch.failures.values()), "")
        raise DataError(f"no structure could be relaxed; the first failed because {first or 'there is none'}")
    frames = [batch.frames[each] for each in names]
    counts = [{s: f.configuration.symbols.count(s) for s in set(f.configuration.symbols)} for f in frames]
    energies = [f.energy_eV for f in frames]
    # of one host every composition by the same formula, ten atoms for Li3InCl6 and for Li6InYBr6Cl6
    units = [
        plan.formula_units if plan.formula_units and not name.startswith(REFERENCE) else math.gcd(*own.values())
        for name, own in zip(names, counts, strict=True)
    ]
    total = np.array(energies, dtype=float)
    ends = plan.selection.end_members or own_end_members(names, counts, total)
    return composition_hull(counts, total, end_members=ends, formula_units=units), names


def own_end_members(names: Sequence[str], counts: Sequence[Mapping[str, int]], energies_eV: np.ndarray) -> list[str]:
    """Return the formulas of the extreme compositions of all structures but references."""
    own = [k for k, name in enumerate(names) if not name.startswith(REFERENCE)]
    hull = composition_hull([counts[k] for k in own], energies_eV[own])
    return [hull.formulas[k] for k in hull.end_members]


def hull_table(hull: CompositionHull, names: list[str], degeneracies: Mapping[str, int]) -> pd.DataFrame:
    """Return one row for each relaxed structure, with its name and degeneracy."""
    table = hull.table()
    table.insert(0, "structure", names)
    table["degeneracy"] = [degeneracies.get(each, 1) for each in names]
    return table


def formula_units_of(plan: ElectrolytePlan, table: pd.DataFrame) -> list[str]:
    """Return the formula unit that energies are per, of each row of a hull: that of the host, such as Li0.5Mg0.25Cl.

    A structure that is ordered already and a reference have their reduced formula.
    """
    found = []
    for row in table.to_dict("records"):
        name, formula = str(row["structure"]), str(row["formula"])
        if plan.formula_units and not name.startswith(REFERENCE):
            reduced = parse_formula(formula)
            per_unit = int(row["atoms"]) / sum(reduced.values()) / plan.formula_units
            formula = "".join(
                f"{element}{'' if n * per_unit == 1 else format(n * per_unit, '.4g')}" for element, n in reduced.items()
            )
        found.append(formula)
    return found


def selected(out: Path) -> tuple[str, ...]:
    """Return the names of the structures that are set in motion.

    Raises:
        DataError: The stage before has not been run.
    """
    file = out / HULL / SELECTED
    if not file.exists():
        raise DataError(f"expected the structures that are set in motion, got none in {out}; run the stage hull first.")
    return tuple(read_record(file, {"selected": list, "failures": dict})["selected"])


def composition_of(plan: ElectrolytePlan, structure: str) -> str:
    """Return the name of the composition that a structure is an ordering of.

    Example:
        >>> plan = ElectrolytePlan(structures=["BaTiO3-cubic"], mobile="O", potential="pedone-2006", engine="ase")
        >>> composition_of(plan, "BaTiO3-cubic-001")
        'BaTiO3-cubic'
    """
    return next(name for name in plan.names if structure.rpartition("-")[0] == name)


def crystal_sites(plan: ElectrolytePlan, composition: str) -> tuple[Configuration, list[str]] | None:
    """Return all sites of the mobile ion in the block of a composition, occupied or not, and the labels of each."""
    if not plan.host:
        return None
    host = plan.hosts[composition]
    mine = [k for k, occupancy in enumerate(host.occupancies) if any(_is(s, plan.mobile) for s in occupancy)]
    repeat = np.array(plan.repeat)
    shifts = np.stack(np.meshgrid(*[np.arange(n) for n in repeat], indexing="ij"), axis=-1).reshape(-1, 3)
    places = ((host.fractional[mine][:, None] + shifts) / repeat).reshape(-1, 3)
    cell = host.cell_A * repeat[:, None]
    labels = [host.labels[k] for k in mine for _ in shifts]
    return Configuration((plan.mobile,) * len(places), places @ cell, cell), labels


@cache
def _is(species: str, element: str) -> bool:
    return species.rstrip("+-0123456789.") == element


def _degeneracies(plan: ElectrolytePlan, out: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in plan.names:
        record = orderings_record(out, name)
        found |= dict(zip(record["structures"], record["degeneracies"], strict=True))
    return found
