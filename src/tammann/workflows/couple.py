"""A diffusion couple: two solids face to face, the layers that grow between them, and which of them is in the way."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis.dissipation import dissipation_by_step
from tammann.analysis.layers import layers, thicknesses
from tammann.analysis.parabola import ParabolicFit, fit_parabola, hold_frames, parabolic_growth
from tammann.errors import RecipeError, check_argument
from tammann.files import json_safe, write_text
from tammann.history import History
from tammann.notebook import ShownAsTable
from tammann.reactive_diffusion.conductivity import site_volumes_m3
from tammann.reactive_diffusion.mesh import couple
from tammann.reactive_diffusion.powder import Powder
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.recipe import Recipe
from tammann.units import SECONDS_PER_HOUR
from tammann.workflows.prepared import UNTIMED, PreparedRecipe, prepare, stretches_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CELLS = 240
"""Cells across a couple with one component that moves."""
CELLS_GENERAL = 80
"""With several, where a step costs more."""
FEWEST_CELLS = 20
FILLED = (0.35, 0.9)
"""Share of a simulated side that has reacted at the end: less wastes cells, more may touch the end."""
AIM = 0.6
"""What a change of the simulated thickness aims at."""
THINNEST, THICKEST = 1e-10, 10.0
"""Bounds of a simulated side, m."""
TRIALS = 16
CHANGED = 0.05
"""Of the distance between the compositions of both ends: a cell that differs less from its start has not reacted."""
DRIVING_EV = 0.1
"""Per site: a first guess of what drives layers to grow."""
CARRIED = 0.005
"""Share of the dissipation that a phase without transport data must have carried to be named."""
SLIVER = 0.005
"""Share of all products below which a layer of a phase that comes back is none."""
COARSE = 0.2
"""Relative difference of a thickness between two meshes above which it is named."""
STATED = "stated as rate_factor"
"""In place of an observation where a factor was stated without one; time then does not count as calibrated."""
RELATIVE = (
    "Not calibrated: conductivities are nominal, so that thicknesses and k are right in order of magnitude at best. "
    "Between endless solids at one temperature the sequence of layers, the ratios of their thicknesses and the shares "
    "of dissipation do not depend on that."
)


@dataclass(frozen=True, eq=False)
class CoupleRun(ShownAsTable):
    """A diffusion couple that was run.

    Attributes:
        prepared: The recipe with its phases, components and conductivities.
        history: The run; amounts are moles per m^2 of contact, layers in ``history.diffusion``.
        thickness_um: Of both solids at the start, um; infinite where none was stated.
        simulated_um: What of it the mesh covers, um: the rest has not reacted.
        layers: One row a layer at the end, from the first solid to the second: ``phase`` (of a mixture all, the most
            first), ``thickness_um``,
            ``mesh_error_um`` (what it differs by with half of the cells), ``k_m2_per_s``, ``k_stderr_m2_per_s`` (of
            h^2 = 2 k t on the last hold; NaN where that does not hold), ``growth`` (``parabolic``, or why not),
            ``dissipation`` (share of the phase in what the last step dissipates), ``conductivity`` (what it comes
            from: ``table``, ``melting point``, ``largest`` of the others, or ``equal``).
        warnings: What the run says of itself and what changes the answer, sentences.
        notes: What there is to say of the data.
    """

    prepared: PreparedRecipe
    history: History
    thickness_um: tuple[float, float]
    simulated_um: tuple[float, float]
    layers: pd.DataFrame
    warnings: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def sequence(self) -> tuple[str, ...]:
        """Phases of the layers at the end, from the first solid to the second."""
        return tuple(self.layers["phase"])

    @property
    def bottleneck(self) -> str | None:
        """The phase with the largest share of the dissipation in the last step, None where nothing moves."""
        share = self.layers.set_index("phase")["dissipation"]
        return str(share.idxmax()) if share.max() > 0 else None

    def __repr__(self) -> str:
        return f"CoupleRun({' | '.join(self.sequence)})"

    def table(self) -> pd.DataFrame:
        """Return the layers at the end."""
        return self.layers

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how thick the layers have grown, against time."""
        from tammann.plot import plot_layer_thickness

        axes: Axes = plot_layer_thickness(self.history, ax=ax)
        return axes

    def to_dict(self) -> dict[str, Any]:
        """Return what ``tammann couple --json`` prints."""
        recipe, conduct = self.prepared.recipe, self.prepared.diffusion
        assert conduct is not None
        return {
            "precursors": [precursor.phase for precursor in recipe.precursors],
            "temperature_K": float(self.history.temperature_K[-1]),
            "duration_h": float(self.history.programme_h[-1]),
            "calibrated": self.history.calibrated,
            "rate_factor": recipe.rate_factor,
            "conductivity": recipe.diffusion.conductivity,
            "thickness_um": [None if np.isinf(h) else h for h in self.thickness_um],
            "simulated_um": list(self.simulated_um),
            "sequence": list(self.sequence),
            "bottleneck": self.bottleneck,
            "layers": self.layers.to_dict(orient="records"),
            "without_data_fraction": float(self._record.without_data_fraction[0]),
            "gas_mol_per_m2": dict(zip(self.history.gases, self.history.gas_moles[0, -1].tolist(), strict=True)),
            "element_drift": float(self.history.element_drift[0]),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    @property
    def _record(self) -> Any:
        assert self.history.diffusion is not None
        return self.history.diffusion


def couple_recipe(
    first: str,
    second: str,
    *,
    temperature_K: float,
    hold_h: float,
    ramp_K_per_min: float | None = None,
    energies: str | None = None,
    melting_points: str | None = None,
    transport: str | None = None,
    conductivity: str | None = None,
    rate_factor: float | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> Recipe:
    """Return the recipe of a diffusion couple: two solids, one ramp and one hold.

    Args:
        first: Formula.
        second: Formula.
        temperature_K: Of the hold, K.
        hold_h: Its length, h.
        ramp_K_per_min: Rate of heating from 300 K; the couple is at temperature at once if None.
        energies: As in a recipe: the name of a set, or a file of one's own.
        melting_points: A table of melting points.
        transport: Name of a table of Onsager coefficients, a file of one's own, or ``none``.
        conductivity: ``full``, ``self`` or ``equal``.
        rate_factor: Factor on the nominal conductivities; without the observation behind it, time stays uncalibrated.
        partial_pressure_Pa: Gases of the atmosphere, Pa; inert if None.

    Raises:
        RecipeError: An argument is out of range; the message names it as the key of a recipe.

    Example:
        >>> couple_recipe("BaO", "TiO2", temperature_K=1300, hold_h=10)
        Recipe(BaO + TiO2, in inert, 1300 -> 1300 K in 10 h, reactive diffusion, 8 realizations)
    """
    step: dict[str, Any] = {"temperature_K": temperature_K, "hold_h": hold_h}
    if ramp_K_per_min is not None:
        step["ramp_K_per_min"] = ramp_K_per_min
    entries = {
        "energies": energies,
        "melting_points": melting_points,
        "transport": transport,
        "atmosphere": {"partial_pressure_Pa": dict(partial_pressure_Pa)} if partial_pressure_Pa else None,
        "diffusion": {"conductivity": conductivity} if conductivity else None,
        "calibration": stated_factor(rate_factor) if rate_factor is not None else None,
    }
    if first == second:
        raise RecipeError(f"expected two different solids, got {first} twice")
    recipe = Recipe(
        precursors=[{"phase": first, "ratio": 1}, {"phase": second, "ratio": 1}],
        programme=[step],
        **{key: value for key, value in entries.items() if value is not None},
    )
    return recipe if ramp_K_per_min is not None else recipe.with_options(start_temperature_K=temperature_K)


def stated_factor(rate_factor: float) -> dict[str, Any]:
    """Return the calibration of a recipe with a factor that the user states."""
    return {"rate_factor": rate_factor, "observation": STATED}


def run_couple(
    recipe: Recipe | PreparedRecipe | str | os.PathLike[str],
    *,
    thickness_um: tuple[float, float] | None = None,
    cells: int | None = None,
) -> CoupleRun:
    """Let two solids react through one plane contact.

    Of the recipe count the formulas of its two precursors, energies, transport, atmosphere, programme, calibration,
    ``diffusion.conductivity`` and ``interface_energy_J_per_m2``; a couple has neither particles nor a ratio. Where no
    thickness is stated both solids are endless. Either way the mesh covers no more than reacts: some trial runs find
    how thick that is, since a solid that has not reacted carries nothing.

    Args:
        recipe: With two precursors, prepared or not, or the path of its YAML file.
        thickness_um: Of both solids, um.
        cells: Of the mesh, 20 or more; 240, or 80 where several components move.

    Raises:
        RecipeError: The recipe cannot be run as a couple.
        DataError: A file of energies or transport cannot be used.
        ResultError: A step did not converge.

    Example:
        >>> run = run_couple(couple_recipe("BaO", "TiO2", temperature_K=1300, hold_h=10, conductivity="equal"))
        >>> run.sequence[:3], run.bottleneck
        (('BaO', 'Ba2TiO4', 'BaTiO3'), 'Ba2TiO4')
    """
    stated = _stated_thickness(thickness_um)
    prepared = recipe if isinstance(recipe, PreparedRecipe) else prepare(_checked(recipe))
    _checked(prepared.recipe)
    assert prepared.diffusion is not None
    if cells is None:
        cells = CELLS if len(prepared.diffusion.system.directions) == 1 else CELLS_GENERAL
    if cells < FEWEST_CELLS:
        raise RecipeError(f"cells: expected {FEWEST_CELLS} or more, got {cells}")
    stretches = stretches_of(prepared.recipe)
    zone, coarse = _reaction_zone(prepared, stretches, np.array(stated), cells // 2)
    history = _simulate(prepared, stretches, zone, cells)
    run = CoupleRun(
        prepared=prepared,
        history=history,
        thickness_um=(1e6 * stated[0], 1e6 * stated[1]),
        simulated_um=(1e6 * float(zone[0]), 1e6 * float(zone[1])),
        layers=_layers(prepared, history, coarse, np.array(stated) - zone),
    )
    warnings = dict.fromkeys([*_warnings(run), *prepared.important_warnings])
    said = {UNTIMED, *warnings}
    notes = (note for note in prepared.warnings if note not in said and "van Liempt" not in note)
    return replace(run, warnings=tuple(warnings), notes=tuple(dict.fromkeys(notes)))


def write_couple(run: CoupleRun, out: str | os.PathLike[str]) -> None:
    """Write layers.csv, history.npz, summary.json and recipe.yaml to a folder, which is made.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "layers.csv", run.layers.to_csv(index=False))
    write_text(folder / "recipe.yaml", run.prepared.recipe.to_yaml())
    run.history.save(folder / "history.npz")
    write_text(folder / "summary.json", json.dumps(json_safe(run.to_dict()), indent=2, ensure_ascii=False) + "\n")


def _stated_thickness(thickness_um: tuple[float, float] | None) -> tuple[float, float]:
    """Return the thickness of both solids, m, infinite where none is stated."""
    if thickness_um is None:
        return inf, inf
    check_argument("thickness_um", thickness_um, (tuple, list), "two numbers, um", error=RecipeError)
    first, second = (float(h) for h in thickness_um) if len(thickness_um) == 2 else (0.0, 0.0)
    if not (1e-4 <= first <= 1e6 and 1e-4 <= second <= 1e6):
        raise RecipeError(f"thickness_um: expected two thicknesses from 1e-4 to 1e6 um, got {tuple(thickness_um)}")
    return 1e-6 * first, 1e-6 * second


def _checked(recipe: Recipe | str | os.PathLike[str]) -> Recipe:
    """Return a recipe that can be run as a couple, by reactive diffusion."""
    check_argument("recipe", recipe, (Recipe, str, os.PathLike, NoneType), "a Recipe, or the name of its file")
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.from_file(recipe)
    if len(recipe.precursors) != 2:
        raise RecipeError(f"precursors: expected two for a diffusion couple, got {len(recipe.precursors)}")
    if any(step.regrind for step in recipe.programme):
        raise RecipeError("programme: expected no step that regrinds, since a couple cannot be ground; leave it out")
    return recipe if recipe.engine == "reactive-diffusion" else recipe.with_options(engine="reactive-diffusion")


def _simulate(prepared: PreparedRecipe, stretches: list[Stretch], zone: np.ndarray, cells: int) -> History:
    """Run two slabs, of thicknesses in m, shape (2,)."""
    recipe, diffusion = prepared.recipe, prepared.diffusion
    assert diffusion is not None
    system = diffusion.system
    chain = couple(zone.tolist(), cells)
    content = np.zeros((cells, len(system.solids)))
    for layer, precursor in enumerate(recipe.precursors):
        there, k = chain.layer == layer, system.formulas.index(precursor.phase)
        volume = prepared.phases[int(system.solids[k])].molar_volume_m3_per_mol
        content[there, k] = chain.volume_m3[there] / volume
    known = recipe.calibration
    return simulate_powder(
        Powder((chain,), (content,)),
        replace(system, start=content.sum(axis=0)),
        diffusion.conductivities,
        stretches,
        calibrated=recipe.calibrated and known is not None and known.observation != STATED,
        interface_energy_J_per_m2=recipe.diffusion.interface_energy_J_per_m2,
        metadata={"geometry": "couple", "recipe": recipe.to_yaml()},
    )


def _reaction_zone(
    prepared: PreparedRecipe, stretches: list[Stretch], stated: np.ndarray, cells: int
) -> tuple[np.ndarray, History]:
    """Return what of both solids reacts, with something to spare, m, shape (2,), and a run of it on a coarse mesh.

    A mesh of many times that thickness would not resolve the layers; one that the reaction fills would not be endless.
    """
    zone = np.minimum(_first_guess(prepared, stretches), stated)
    for _ in range(TRIALS):
        history = _simulate(prepared, stretches, zone, cells)
        depth = _depth(prepared, history, zone)
        if not depth.any() and _has_nothing_to_do(history):
            break
        touched = depth > 0.98 * zone
        wanted = np.where(touched, 4.0 * zone, depth / AIM)
        wanted = np.clip(np.maximum(wanted, 0.2 * wanted.max()), THINNEST, THICKEST)
        if not depth.any():
            wanted = np.maximum(zone / 8.0, THINNEST)
        wanted = np.minimum(wanted, stated)
        filled = depth / zone
        fits = (filled > FILLED[0]) & (filled < FILLED[1])
        if (fits | (np.abs(np.log(wanted / zone)) < 0.5)).all() and not (touched & (zone < stated)).any():
            break
        zone = wanted
    return zone, history


def _first_guess(prepared: PreparedRecipe, stretches: list[Stretch]) -> np.ndarray:
    """Return the thickness that layers would reach by a typical conductivity and driving force, m, shape (2,)."""
    assert prepared.diffusion is not None
    conduct, system = prepared.diffusion.conductivities, prepared.diffusion.system
    typical = np.median(np.trace(conduct.mobility, axis1=2, axis2=3), axis=1)
    k = DRIVING_EV * typical * np.median(site_volumes_m3(system))
    square = sum(
        2.0 * float(np.interp((s.start_K + s.end_K) / 2.0, conduct.temperature_K, k)) * s.seconds for s in stretches
    )
    return np.full(2, np.clip(2.0 * np.sqrt(square), THINNEST, THICKEST))


def _depth(prepared: PreparedRecipe, history: History, zone: np.ndarray) -> np.ndarray:
    """Return how far from the contact both solids have reacted at the end, m, shape (2,)."""
    record, diffusion = history.diffusion, prepared.diffusion
    assert record is not None and diffusion is not None
    assert record.sites is not None and record.edges_m is not None
    system = diffusion.system
    of_solid = system.amounts / system.sites[:, None] @ system.directions.T
    start, end = (
        sites @ of_solid / sites.sum(axis=1, keepdims=True) for sites in record.sites[0, [0, -1]].astype(float)
    )
    apart = np.abs(start[0] - start[-1]).max()
    changed = np.flatnonzero(np.abs(end - start).max(axis=1) > CHANGED * max(apart, 1e-3))
    if not changed.size:
        return np.zeros(2)
    edges = record.edges_m[0, 0]
    return np.maximum([zone[0] - edges[changed[0]], edges[changed[-1] + 1] - zone[0]], 0.0)


def _has_nothing_to_do(history: History) -> bool:
    """Whether the couple is at its lowest Gibbs energy at all temperatures."""
    assert history.diffusion is not None
    return bool(history.diffusion.gibbs_left_eV_per_atom.max() < 1e-9)


def _layers(prepared: PreparedRecipe, history: History, coarse: History, beyond: np.ndarray) -> pd.DataFrame:
    """Tabulate the layers at the end; what the mesh does not cover belongs to the first and the last."""
    import pandas as pd

    assert prepared.diffusion is not None
    found = _stack(history)
    fine, half = thicknesses(history, 0), thicknesses(coarse, 0)
    spent = dissipation_by_step(history)
    shares = spent[spent["stage"] == history.stage[-1]].set_index("phase")["share"]
    origins = dict(zip(prepared.diffusion.system.formulas, prepared.diffusion.conductivities.origin, strict=True))
    solids = [precursor.phase for precursor in prepared.recipe.precursors]
    rows = []
    for number, (parts, h) in enumerate(found):
        side = {0: 0, len(found) - 1: 1}.get(number)
        at = [history.phases.index(part) for part in parts]
        k, error, growth = np.nan, np.nan, "reactant"
        if side is None or parts != (solids[side],):
            fit = _fit(history, parts, fine[:, at].sum(axis=1))
            k, error = fit.k_m2_per_s, fit.k_stderr_m2_per_s
            growth = "parabolic" if fit.described else fit.reason
        rows.append(
            {
                "phase": " + ".join(parts),
                "thickness_um": 1e6 * (h + (0.0 if side is None else beyond[side])),
                "mesh_error_um": 1e6 * abs(fine[-1, at].sum() - half[-1, at].sum()),
                "k_m2_per_s": k,
                "k_stderr_m2_per_s": error,
                "growth": growth,
                "dissipation": float(sum(shares.get(part, 0.0) for part in parts)),
                "conductivity": " + ".join(dict.fromkeys(origins[part] for part in parts)),
            }
        )
    return pd.DataFrame(rows)


def _stack(history: History) -> list[tuple[tuple[str, ...], float]]:
    """Return the phases and the thickness, m, of the layers at the end, in order.

    With several components phases can precipitate in each other, and cells hold now more of one, now more of the other:
    where phases come back they are one layer, a mixture.
    """
    last = layers(history)
    last = last[last["frame"] == last["frame"].max()]
    stack = [(tuple(row.phase.split(" + ")), float(row.outer_m - row.inner_m)) for row in last.itertuples()]
    inner = stack[1:-1]
    count = Counter(part for parts, _ in inner for part in parts)
    whole = sum(h for _, h in inner)
    inner = [(parts, h) for parts, h in inner if h > SLIVER * whole or max(count[part] for part in parts) == 1]
    merged: list[tuple[tuple[str, ...], float]] = []
    start = 0
    while start < len(inner):
        end, k = start, start
        while k <= end:  # as far as the phases met so far come back
            again = [n for n, (parts, _) in enumerate(inner) if set(parts) & set(inner[k][0])]
            end, k = max(end, *again), k + 1
        amount: Counter[str] = Counter()
        for parts, h in inner[start : end + 1]:
            amount.update({part: h / len(parts) for part in parts})
        merged.append((tuple(part for part, _ in amount.most_common()), sum(h for _, h in inner[start : end + 1])))
        start = end + 1
    return [*stack[:1], *merged, *stack[1:][-1:]]


def _fit(history: History, parts: tuple[str, ...], thickness_m: np.ndarray) -> ParabolicFit:
    """Return the fit of a parabola to a layer, of one phase or of a mixture, during the last hold."""
    if len(parts) == 1:
        return parabolic_growth(history, parts[0])
    frames = hold_frames(history, int(history.stage[-1]))
    time_s = history.programme_h[frames] * SECONDS_PER_HOUR
    return fit_parabola(time_s, thickness_m[frames], phase=" + ".join(parts))


def _warnings(run: CoupleRun) -> list[str]:
    """Return what the run says of itself."""
    prepared, history, record = run.prepared, run.history, run.history.diffusion
    assert prepared.diffusion is not None and record is not None
    notes = [] if history.calibrated else [RELATIVE]
    depth = _depth(prepared, history, 1e-6 * np.array(run.simulated_um))
    for precursor, reached, simulated in zip(prepared.recipe.precursors, depth, run.simulated_um, strict=True):
        if reached > 0.98e-6 * simulated:
            notes.append(
                f"{precursor.phase} is used up: layers grow no longer as between endless solids, and k is no property "
                "of the layers; make it thicker, or the hold shorter."
            )
    if _has_nothing_to_do(history):
        notes.append("Nothing reacts: the two solids are in equilibrium with each other.")
    heat = record.dissipated_eV_per_atom[0].sum(axis=0)
    share = heat / heat.sum() if heat.sum() > 0 else heat
    origins = dict(zip(prepared.diffusion.system.formulas, prepared.diffusion.conductivities.origin, strict=True))
    carried = {name: x for name, x in zip(history.phases, share, strict=True) if origins[name] == "melting point"}
    named = [f"{name} {100 * x:.0f} %" for name, x in sorted(carried.items(), key=lambda one: -one[1]) if x > CARRIED]
    if named:
        notes.append(
            f"Without transport data, so that melting points say how well they conduct (van Liempt's rule), with their "
            f"share of the dissipation: {', '.join(named)}."
        )
    thin = run.layers[run.layers["mesh_error_um"] > COARSE * run.layers["thickness_um"]]
    if len(thin):
        notes.append(
            f"Thin beside the cells of the mesh, with half of which they differ by more than {100 * COARSE:.0f} %: "
            f"{', '.join(thin['phase'])}."
        )
    return notes
