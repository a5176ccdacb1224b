"""The shipped system Ba-Ti-O, with BaCO3 and CO2, and its three energy sets.

- ``materials-project``: formation energies as published, and the descriptor of Bartel et al. with the published
  volumes.
- ``experiment-anchored``: measured Gibbs energies where there are any. Every other phase is tied to measured ones by a
  reaction, X = sum_k nu_k A_k, with A_k the measured phases that its composition would fall into:
  g_X(T) = sum_k nu_k g_k(T) + [e_X - sum_k nu_k e_k], with e the computed energies at 0 K. Only the energy of a
  reaction between solids is computed, where errors cancel, and no computed reference is mixed with a measured one.
  Where a gas is among the A_k (BaO2 = BaO + O2/2) the reaction's entropy cannot be neglected, and the bracket is taken
  from the descriptor at T.
- ``assessed``: the former with shifts that satisfy the known phase equilibria of the BaO-TiO2 line, the mean of the
  draws that ``draw_energies`` takes. It is read from a table (``assess_again`` makes it; it takes a minute).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from tammann.composition import parse_formula
from tammann.systems import SYSTEMS, read_rows
from tammann.thermo.assessment import assess, described_shifts
from tammann.thermo.constraints import load_constraints
from tammann.thermo.draws import assessed_with, mean_of_draws
from tammann.thermo.experiment import GRAPH_NETWORK_SOURCE, measured_energy, measured_properties
from tammann.thermo.gases import gas, gas_named
from tammann.thermo.gibbs import COMPUTED_STANDARD_ERROR_EV_PER_ATOM, TEMPERATURES_K, THERMAL_PART, bartel_gibbs
from tammann.thermo.phase import EnergySet, FloatArray, Phase, Phases, energy_set_of
from tammann.thermo.volumes import volume_warnings

SYSTEM = SYSTEMS["Ba-Ti-O"]
_ANCHOR_TEMPERATURE_K = 1000.0
_SHIFTS = ("shift_eV_per_atom", "entropy_shift_eV_per_K_per_atom")
_INTERPOLATED = "interpolated between BaTi2O5 and Ba4Ti13O30"


def _phase(row: Mapping[str, str]) -> Phase:
    formula, composition = row["formula"], parse_formula(row["formula"])
    if gas_named(formula) is not None:
        return gas(formula)[0]
    measured = measured_properties(composition)
    volume, volume_source = float(row["volume_A3_per_atom"]), row["phase_volume"]
    melting, melting_source = float(row["melting_point_ml_K"]), GRAPH_NETWORK_SOURCE
    if measured is not None and volume_source == "measured":
        volume, volume_source = measured.volume_A3_per_atom, f"{measured.structure}: {measured.volume_source}"
    if measured is not None and np.isfinite(measured.melting_point_K):
        melting, melting_source = measured.melting_point_K, measured.melting_point_source
    return Phase(
        formula,
        composition,
        volume_A3_per_atom=volume,
        volume_source=volume_source,
        melting_point_K=melting,
        melting_point_source=melting_source,
        material_id=row["material_id"] or None,
        observed=row["experimentally_observed"] == "True",
    )


@cache
def ba_ti_o() -> Phases:
    """Build the shipped system; the default set is ``assessed``."""
    system = _before_assessment()
    shifts, entropies = np.zeros(len(system)), np.zeros(len(system))
    for row in read_rows(SYSTEM.assessed):
        p = system.index(row["formula"])
        shifts[p], entropies[p] = (float(row[key]) for key in _SHIFTS)
    constraints, reference = load_constraints(SYSTEM.name)
    start = system.energy_set()
    extent = "There is no melt in it: above a phase's melting point it extends the equilibria between solids."
    told = replace(
        start,
        name="assessed",
        description=f"{start.name} with shifts that satisfy {len(constraints)} known equilibria. {extent}",
        source=described_shifts(start.source, shifts),
        constraints=tuple(constraints),
        base=start.name,
        reference_temperature_K=reference,
    )
    return system.with_energies(assessed_with(start, told, shifts, entropies), default=True)


def assess_again(*, pairs: int = 2000, rng: int = 2026) -> str:
    """Return the text of the table of shifts of the set ``assessed``, from new draws; see ``mean_of_draws``.

    After the known equilibria or the energies before the assessment have changed, the table is written anew:

        python -c 'from tammann.thermo.ba_ti_o import *; print(assess_again())' > src/tammann/data/phases/...

    Example:
        >>> assess_again(pairs=1).splitlines()[1]
        'formula,shift_eV_per_atom,entropy_shift_eV_per_K_per_atom'
    """
    system = _before_assessment()
    constraints, reference = load_constraints(SYSTEM.name)
    smallest = assess(system, constraints, reference_temperature_K=reference)
    mean = mean_of_draws(system.with_energies(smallest, default=True), pairs=pairs, rng=rng)
    lines = [
        f"# Shifts of the set assessed at {reference:g} K and entropies: the mean of {2 * pairs} draws, seed {rng}",
        ",".join(("formula", *_SHIFTS)),
    ]
    for p, values in enumerate(
        zip(mean.shifts_eV_per_atom.tolist(), mean.entropy_shifts_eV_per_K_per_atom.tolist(), strict=True)
    ):
        if any(abs(value) > 1e-12 for value in values):
            lines.append(",".join((system[p].formula, *map(repr, values))))
    return "\n".join(lines)


def _before_assessment() -> Phases:
    """The system with the two sets that nothing is told; the default one is ``experiment-anchored``."""
    rows = read_rows(SYSTEM.phases)
    phases = tuple(_phase(row) for row in rows)
    energy = np.array([float(row["formation_energy_eV_per_atom"]) for row in rows])
    volume = {row["formula"]: float(row["volume_A3_per_atom"]) for row in rows}
    elements = tuple(sorted({element for phase in phases for element in phase.composition}))
    published = _materials_project(phases, energy, volume)
    system = Phases(
        SYSTEM.name, elements, phases, {published.name: published}, published.name, volume_warnings(phases, volume)
    )
    return system.with_energies(_experiment_anchored(system, energy), default=True)


def _materials_project(phases: Sequence[Phase], energy: FloatArray, volume: Mapping[str, float]) -> EnergySet:
    columns = []
    for phase, e in zip(phases, energy, strict=True):
        if phase.state == "gas":
            columns.append((*gas(phase.formula)[1:], False))
        elif len(phase.composition) == 1:
            columns.append((np.zeros(len(TEMPERATURES_K)), 0.0, "reference of its element", False))
        elif not np.isfinite(e):
            unknown, text = np.full(len(TEMPERATURES_K), np.nan), f"none: the published table has no {phase.formula}"
            columns.append((unknown, COMPUTED_STANDARD_ERROR_EV_PER_ATOM, text, False))
        else:
            text = f"Materials Project {phase.material_id}" if phase.material_id else _INTERPOLATED
            table = bartel_gibbs(phase.composition, e, volume[phase.formula])
            columns.append((table, COMPUTED_STANDARD_ERROR_EV_PER_ATOM, f"{text}, {THERMAL_PART}", True))
    return energy_set_of(
        "materials-project",
        f"Formation energies of the Materials Project as published, {THERMAL_PART}.",
        TEMPERATURES_K,
        columns,
        warnings=(
            "materials-project: the TiO2 row (mp-2420244, 17.1 A3/atom) is not rutile (10.4 A3/atom); the descriptor "
            "over-stabilises it when hot, and BaTi4O9, Ba2Ti9O20 and BaTi5O11 never reach the hull",
            f"materials-project: Ba6Ti17O40 is not in the published table; its energy and volume are {_INTERPOLATED}",
        ),
    )


def _experiment_anchored(phases: Phases, energy: FloatArray) -> EnergySet:
    from scipy.optimize import linprog

    n = len(phases)
    table = np.full((len(TEMPERATURES_K), n), np.nan)
    error = np.full(n, COMPUTED_STANDARD_ERROR_EV_PER_ATOM)
    source = [""] * n
    computed = np.ones(n, dtype=bool)
    for i, phase in enumerate(phases):
        measured = measured_energy(phase.composition)
        if len(phase.composition) == 1:
            table[:, i], error[i], source[i] = 0.0, 0.0, "reference of its element"
        elif measured is not None:
            table[:, i], error[i], source[i] = measured
        else:
            continue
        computed[i] = False
    # The carbonate has no computed energy to compare with, and no phase left over contains carbon.
    anchors = np.flatnonzero(~computed & np.isfinite(energy))
    fractions, published = phases.atom_fractions, phases.energy_set("materials-project").gibbs_eV_per_atom
    cost = table[TEMPERATURES_K == _ANCHOR_TEMPERATURE_K][0, anchors]
    for i in map(int, np.flatnonzero(computed)):
        result = linprog(cost, A_eq=fractions[anchors].T, b_eq=fractions[i], bounds=(0, None), method="highs")
        shares = np.where(result.x > 1e-9, result.x, 0.0)
        parts = [phases[int(a)] for a, share in zip(anchors, shares, strict=True) if share > 0.0]
        bracket = energy[i] - shares @ energy[anchors]
        if any(part.state == "gas" for part in parts):
            bracket = published[:, i] - published[:, anchors] @ shares
        table[:, i] = table[:, anchors] @ shares + bracket
        source[i] = f"computed (Materials Project, 0 K) relative to measured {' + '.join(p.formula for p in parts)}"
    far = [p.formula for i, p in enumerate(phases) if "extrapolated" in source[i]]
    return energy_set_of(
        "experiment-anchored",
        "Measured Gibbs energies where there are any; the other phases tied to them by computed reaction energies at "
        "0 K, the entropies of reactions between solids neglected.",
        TEMPERATURES_K,
        zip(table.T, error, source, computed, strict=True),
        warnings=(
            f"experiment: measured Gibbs energies of {', '.join(far)} end below 2000 K and are extrapolated along "
            "their last 200 K",
            f"experiment-anchored: Ba6Ti17O40 has no computed energy of its own; it is {_INTERPOLATED}",
        ),
    )
