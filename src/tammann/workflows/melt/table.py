"""The transport table of all diffusive states of a plan, and the growth constants that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tammann.files import whole_file
from tammann.potentials import load_potential
from tammann.systems import SYSTEMS
from tammann.transport import OnsagerMeasurement, load_transport, save_transport, transport_table
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.state import PRESSURE_GPA, MeltState, largest_error, load_states

TABLE = "transport_table.json"
GROWTH = "growth.csv"
LEFT_OUT = NOT_MEASURED, CRYSTALLISED, NOT_DIFFUSIVE, ALONE = (
    "Not measured",
    "Left out, crystallised",
    "Left out, their ions were not shown to diffuse",
    "Left out, one element alone does not move against its own centre of mass",
)


def write_table(plan: MeltPlan, out: Path) -> Path | None:
    """Write the table of all diffusive states into the folder of a plan, or remove it where there are none."""
    states = sorted(load_states(plan, out), key=lambda state: (plan.melts.index(state.formula), state.temperature_K))
    measurements = [_measurement(plan, state) for state in states if _left_out(state) is None]
    if not measurements:
        (out / TABLE).unlink(missing_ok=True)
        return None
    potential = load_potential(plan.potential)
    source = f"molecular dynamics with {potential.name} ({potential.source}), {plan.atoms} atoms, {plan.engine}"
    table = transport_table(measurements, name=out.name, source=source, end_members=plan.end_members)
    save_transport(replace(table, warnings=_warnings(plan, states)), out / TABLE)
    return out / TABLE


def _measurement(plan: MeltPlan, state: MeltState) -> OnsagerMeasurement:
    """The transport of a state under the name that the plan gives it."""
    m = state.measurement
    assert m is not None
    source = f"{plan.potential}, {m.n_replicas} x {m.duration_ps / m.n_replicas:g} ps"
    known = replace(m.apparent, formula=state.formula, temperature_K=state.temperature_K, source=source)
    return replace(m, apparent=known)


def _left_out(state: MeltState) -> str | None:
    """Why a state is not in the table, or None."""
    if state.volume is None or state.melt is None or state.measurement is None:
        return NOT_MEASURED
    if state.melt.crystalline:
        return CRYSTALLISED
    if not state.measurement.diffusive:
        return NOT_DIFFUSIVE
    return None if state.measurement.apparent.L.any() else ALONE


def _caveats(plan: MeltPlan, state: MeltState) -> dict[str, str | None]:
    """What may be odd about a state in the table: a number or nothing to add where it is, None where it is not."""
    assert state.melt is not None and state.measurement is not None
    pressure_GPa, error = state.melt.pressure_GPa, largest_error(state.measurement)
    squeezed = abs(pressure_GPa - plan.volume.pressure_GPa) > PRESSURE_GPA
    return {
        "The search for the volume had not converged": None if state.converged else "",
        f"The mean pressure is more than {PRESSURE_GPA:g} GPa from what was asked for": (
            f" ({pressure_GPa:+.2f} GPa)" if squeezed else None
        ),
        "The energy still fell while it was recorded": "" if state.melt.ageing else None,
        f"The largest relative standard error of D_i and L_ii is above {100 * plan.target_error:g} %": (
            f" ({100 * error:.3g} %)" if error > plan.target_error else None
        ),
    }


def _warnings(plan: MeltPlan, states: Sequence[MeltState]) -> tuple[str, ...]:
    """A sentence on each thing that is odd, with the states that it concerns."""
    remarks: dict[str, list[str]] = {kind: [] for kind in LEFT_OUT}
    for state in states:
        reason = _left_out(state)
        for kind, detail in {reason: ""}.items() if reason else _caveats(plan, state).items():
            named = remarks.setdefault(kind, [])
            if detail is not None:
                named.append(f"{state.formula} {state.temperature_K:g} K{detail}")
    return tuple(f"{kind}: {', '.join(named)}." for kind, named in remarks.items() if named)


def write_growth(plan: MeltPlan, out: Path) -> Path | None:
    """Write K_D of the table between its end members, with 5 and 95 % of draws within the errors of L and energies.

    The energies are those of a system that ships with the package; for others ``tammann kd`` takes the table together
    with a file of energies. Where there is nothing to write, an older file is removed.
    """
    from tammann.composition import parse_formula
    from tammann.kinetics import growth_constants
    from tammann.thermo import load_phases

    ends = plan.end_members or ()
    elements = {element for end in ends for element in parse_formula(end)}
    system = next((name for name in SYSTEMS if elements and elements <= set(name.split("-"))), None)
    if system is not None and (out / TABLE).exists():
        phases, table = load_phases(system), load_transport(out / TABLE)
        assert table is not None
        if all(end in phases for end in ends) and not (known := growth_constants(phases, table)).empty:
            with whole_file(out / GROWTH) as whole:
                known.to_csv(whole, index=False, float_format="%.6g")
            return out / GROWTH
    (out / GROWTH).unlink(missing_ok=True)
    return None
