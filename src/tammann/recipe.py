"""What goes into the furnace: precursors, atmosphere, heating programme, and how the run is to be computed.

A recipe is YAML, one key a line, with the unit in the key; ``tammann new`` writes a commented one. Reading is strict:
an unknown key, a number out of range or a unit in a value is refused with one sentence that names the key.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)
from ruamel.yaml import YAML

from tammann.composition import parse_formula
from tammann.files import DATA_SUFFIXES
from tammann.recipe_blocks import (
    Calibration,
    Diffusion,
    Ensemble,
    GasMixture,
    Grid,
    Kinetics,
    Precursor,
    Radius,
    Step,
    Temperature,
    Text,
    number_field,
)
from tammann.strict import Document, shown
from tammann.units import ATMOSPHERE_PA

MAX_SWEEPS = 10_000_000
MAX_VISITS = 1e14
"""Cells times sweeps times realizations: some ten days of one core, if every sweep were one visit of each cell."""

ATMOSPHERES: Mapping[str, Mapping[str, float]] = {
    "inert": {},
    # dry air, 20.95 % oxygen, with 400 ppm of carbon dioxide
    "air": {"O2": 0.2095 * ATMOSPHERE_PA, "CO2": 400e-6 * ATMOSPHERE_PA},
    # a mechanical pump: 1e-5 atm of either gas
    "vacuum": {"O2": 1e-5 * ATMOSPHERE_PA, "CO2": 1e-5 * ATMOSPHERE_PA},
    "CO2": {"CO2": ATMOSPHERE_PA},
    "oxygen": {"O2": ATMOSPHERE_PA},
}
"""Partial pressures in Pa of the atmospheres that have a name; a gas that is not listed is closed off."""


FILES = ("energies", "computed", "equilibria", "melting_points", "transport")
"""Keys that may name files, relative to the recipe."""


@dataclass(frozen=True)
class Segment:
    """A part of the programme: a hold at one temperature, or a slice of a ramp.

    Attributes:
        stage: Number of the step of the programme, from 0.
        temperature_start_K: Temperature at its beginning.
        temperature_end_K: Temperature at its end.
        duration_h: How long it takes.
        ramp: Whether it belongs to a ramp.
        regrind: Whether the powder is ground before it (true on the first segment of a step at most).
    """

    stage: int
    temperature_start_K: float
    temperature_end_K: float
    duration_h: float
    ramp: bool
    regrind: bool


Engine = Literal["reactive-diffusion", "automaton"]

OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "reactive-diffusion": ("size_spread", "mixing", "diffusion"),
    "automaton": ("sweeps_per_hour", "kinetics", "grid"),
}
"""The keys that only one engine has."""


def _other(engine: str) -> str:
    return next(name for name in OWN_KEYS if name != engine)


def _of_the_automaton(data: Mapping[str, Any]) -> bool:
    """Return whether some entry of a recipe means nothing to reactive diffusion."""
    calibration = data.get("calibration")
    figures = calibration if isinstance(calibration, dict) else {}
    timed = "hours_per_sweep" in figures and "rate_factor" not in figures
    return timed or any(key in data for key in OWN_KEYS["automaton"])


def _usual_transport(data: Mapping[str, Any]) -> str:
    """The published table where it has something to say, otherwise none."""
    elements = frozenset().union(*(parse_formula(p.phase) for p in data.get("precursors", ())))
    return "karan-2026" if {"Ba", "Ti"} <= elements <= {"Ba", "Ti", "O", "C"} else "none"


class Recipe(Document):
    r"""A solid-state synthesis as a chemist would write it down, and how it is to be computed.

    All keys but ``precursors`` and ``programme`` have a default. Amounts are moles of formula units, temperatures K,
    pressures Pa, radii micrometres, times hours. Without ``engine`` a recipe runs by reactive diffusion, unless it has
    a key that only the automaton knows.

    Raises:
        RecipeError: A key is unknown, missing, of the wrong kind or out of range; the message names it.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "ramp_K_per_min": 10, "hold_h": 0.2}],
        ... )
        >>> recipe.transport, round(recipe.duration_h, 2)
        ('karan-2026', 2.2)
        >>> recipe.engine, recipe.with_options(size=12, seed=3).engine
        ('reactive-diffusion', 'automaton')
        >>> Recipe.from_text("precursors:\n  - phase: BaO\n    ratio: one\nprogramme: []")
        Traceback (most recent call last):
        ...
        tammann.errors.RecipeError: precursors[0].ratio: expected moles of formula units, a number from 1e-6 to 1e6, got
        'one' (and 1 more error).
    """

    title: Text | None = Field(default=None, description="one line of text")
    precursors: tuple[Precursor, ...] = Field(
        min_length=1, max_length=20, description="a list of 1 to 20 precursors, each with phase and ratio"
    )
    engine: Engine = Field(default="reactive-diffusion", description="reactive-diffusion or automaton")
    energies: Text = Field(
        default="assessed",
        description="the name of an energy set such as assessed, measured, a .csv or .json file, or mp-api",
    )
    fill: bool = Field(default=False, description="true or false")
    computed: Text | None = Field(default=None, description="a .json or .csv file of computed energies, or null")
    equilibria: Text | None = Field(default=None, description="a .yaml file of known equilibria, or null")
    melting_points: Text | None = Field(
        default=None, description="a .csv file with the columns formula, melting_point_K and source, or null"
    )
    transport: Text = Field(
        default_factory=_usual_transport,
        description="karan-2026, tammann-2026, the .json file of a transport table, or none",
    )
    particle_radius_um: Radius = 0.1
    size_spread: Annotated[float, number_field("the standard deviation of ln radius, from 0 to 2", ge=0, le=2)] = 0.3
    mixing: Annotated[
        float, number_field("the standard deviation of ln of the local ratio, from 0 (perfect) to 2", ge=0, le=2)
    ] = 0.02
    atmosphere: Annotated[
        Annotated[Literal["inert", "air", "vacuum", "CO2", "oxygen"], Tag("<name>")]
        | Annotated[GasMixture, Tag("<block>")],
        Discriminator(lambda value: "<name>" if isinstance(value, str) else "<block>"),
    ] = Field(default="inert", description="inert, air, vacuum, CO2, oxygen, or a block partial_pressure_Pa")
    start_temperature_K: Temperature = 300.0
    programme: tuple[Step, ...] = Field(
        min_length=1, max_length=200, description="a list of 1 to 200 steps, each with temperature_K and hold_h"
    )
    calibration: Calibration | None = Field(
        default=None, description="a block with observation and rate_factor or hours_per_sweep"
    )
    diffusion: Diffusion = Field(default=Diffusion(), description="a block of keys such as conductivity: full")
    sweeps_per_hour: Annotated[float, number_field("a number above 0 and at most 1e6", gt=0, le=1e6)] = 100.0
    kinetics: Kinetics = Field(default=Kinetics(), description="a block of keys such as transport: full")
    grid: Grid = Field(default=Grid(), description="a block of keys such as size: 30")
    ensemble: Ensemble = Field(default=Ensemble(), description="a block of keys such as realizations: 8")
    seed: Annotated[int, number_field("a whole number from 0 to 9223372036854775807", ge=0, lt=2**63)] = 0

    @model_validator(mode="wrap")
    @classmethod
    def _choose_engine(cls, data: Any, handler: ModelWrapValidatorHandler["Recipe"]) -> "Recipe":
        """Take the engine that the keys belong to where none is stated; it then does not count as stated."""
        stated = not isinstance(data, dict) or "engine" in data
        if not stated and _of_the_automaton(data):
            one, other = (
                [key for key in OWN_KEYS[engine] if key in data] for engine in ("automaton", "reactive-diffusion")
            )
            if one and other:
                raise ValueError(
                    f"{one[0]}: expected keys of one engine, got {one[0]} of the automaton beside {other[0]} of "
                    "reactive diffusion; state engine, and leave out what the other knows"
                )
            data = {**data, "engine": "automaton"}
        recipe = handler(data)
        if not stated:
            recipe.model_fields_set.discard("engine")
        return recipe

    @model_serializer(mode="wrap")
    def _without_the_other(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the keys of the engine that does not run it."""
        grains = self.engine != "automaton" and self.diffusion.geometry == "grains"
        unknown = (*OWN_KEYS[_other(self.engine)], *(("mixing",) if grains else ()))
        return {key: value for key, value in handler(self).items() if key not in unknown}

    @field_validator("melting_points")
    @classmethod
    def _is_a_table(cls, name: str | None) -> str | None:
        if name is not None and not name.lower().endswith(".csv"):
            raise ValueError(
                f"expected a .csv file with the columns formula, melting_point_K and source, got {shown(name)}"
            )
        return name

    @field_validator("precursors")
    @classmethod
    def _each_phase_once(cls, precursors: tuple[Precursor, ...]) -> tuple[Precursor, ...]:
        phases = [p.phase for p in precursors]
        twice = [phase for phase in phases if phases.count(phase) > 1]
        if twice:
            raise ValueError(f"expected each phase once, got {twice[0]} {phases.count(twice[0])} times; add its ratios")
        return precursors

    @model_validator(mode="after")
    def _keys_of_one_engine(self) -> "Recipe":
        other = _other(self.engine)
        for key in OWN_KEYS[other]:
            if key in self.model_fields_set:
                raise ValueError(
                    f"{key}: expected no such key with engine {self.engine}, which does not know it; leave it out, or "
                    f"write engine: {other}"
                )
        if self.diffusion.geometry == "grains" and "mixing" in self.model_fields_set:
            raise ValueError(
                f"mixing: expected no such key with diffusion.geometry grains, which mix as they lie, got "
                f"{self.mixing:g}; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _is_feasible(self) -> "Recipe":
        if self.duration_h <= 0:
            raise ValueError("programme: expected some time in the furnace, got 0 h; give a step a hold_h above 0")
        if self.engine != "automaton":
            return self
        sweeps = self.duration_h / self.hours_per_sweep
        if sweeps > MAX_SWEEPS:
            key = "calibration.hours_per_sweep" if self.calibrated else "sweeps_per_hour"
            raise ValueError(
                f"{key}: expected a programme of at most {MAX_SWEEPS} sweeps, got {sweeps:.4g} for "
                f"{self.duration_h:.4g} h; shorten the programme or coarsen the time"
            )
        visits = self.grid.size**3 * sweeps * self.ensemble.realizations
        if visits > MAX_VISITS:
            raise ValueError(
                f"grid.size: expected at most {MAX_VISITS:g} visits of cells, got {visits:.2g}, which is "
                f"{self.grid.size}^3 cells times {sweeps:.4g} sweeps times {self.ensemble.realizations} realizations; "
                "take a smaller grid, fewer realizations or fewer sweeps"
            )
        return self

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files that it names in a directory."""
        files = {key: data[key] for key in FILES if key in data}
        return data | {key: _absolute(name, directory) for key, name in files.items() if isinstance(name, str)}

    def to_yaml(self) -> str:
        """Return the whole recipe as YAML, defaults written out; ``from_text`` makes an equal recipe of it."""
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.width = 100_000
        stream = StringIO()
        data = self.model_dump(mode="json", exclude_none=True)
        if "kinetics" in data:  # null is a choice in this block, and not always the default
            data["kinetics"] = self.kinetics.model_dump(mode="json")
        yaml.dump(data, stream)
        return stream.getvalue()

    def with_options(
        self,
        *,
        engine: Engine | None = None,
        realizations: int | None = None,
        size: int | None = None,
        kinetics: str | None = None,
        conductivity: str | None = None,
        energies: str | None = None,
        transport: str | None = None,
        **entries: Any,
    ) -> "Recipe":
        """Return a copy with some entries changed; None leaves an entry alone.

        Args:
            engine: The engine; keys of the recipe that only the other one knows are left out. Where neither the
                recipe nor this says which, an entry that only the automaton knows chooses it.
            realizations: Entry ``ensemble.realizations``.
            size: Entry ``grid.size``, of the automaton.
            kinetics: Entry ``kinetics.transport`` of the automaton: full, self or none.
            conductivity: Entry ``diffusion.conductivity`` of reactive diffusion: full, self or equal.
            energies: Entry ``energies``; a file name is taken relative to the current directory.
            transport: Entry ``transport``; file names as in ``energies``.
            **entries: Any other entries of a recipe, each replaced as a whole, such as ``seed`` or ``programme``.

        Raises:
            RecipeError: A new entry is out of range, or a recipe has no entry of that name.

        Example:
            >>> recipe = Recipe(
            ...     precursors=[{"phase": "BaO", "ratio": 1}],
            ...     programme=[{"temperature_K": 1300, "hold_h": 1}],
            ... )
            >>> recipe.with_options(atmosphere="air", programme=[{"temperature_K": 1400, "hold_h": 2}])
            Recipe(BaO, in air, 300 -> 1400 K in 3.83 h, reactive diffusion, 8 realizations)
        """
        entries |= {
            "energies": energies and _absolute(energies, None),
            "transport": transport and _absolute(transport, None),
        }
        entries = {key: value for key, value in entries.items() if value is not None}
        blocks = [
            (block, key, value)
            for block, key, value in (
                ("ensemble", "realizations", realizations),
                ("grid", "size", size),
                ("kinetics", "transport", kinetics),
                ("diffusion", "conductivity", conductivity),
            )
            if value is not None
        ]
        data = self.model_dump(exclude_unset=True)
        if engine is not None:
            data = {key: value for key, value in data.items() if key not in OWN_KEYS[_other(engine)]}
            data["engine"] = engine
        data |= entries
        for block, key, value in blocks:
            data.setdefault(block, {})[key] = value
        return Recipe(**data)

    def __repr__(self) -> str:
        mixture = " + ".join(f"{p.ratio:g} {p.phase}" if p.ratio != 1 else p.phase for p in self.precursors)
        gas = self.atmosphere if isinstance(self.atmosphere, str) else " + ".join(self.partial_pressure_Pa)
        steps = " -> ".join(f"{T:g}" for T in (self.start_temperature_K, *(s.temperature_K for s in self.programme)))
        engine = f"{self.grid.size}^3 cells" if self.engine == "automaton" else "reactive diffusion"
        return (
            f"Recipe({mixture}, in {gas}, {steps} K in {self.duration_h:.3g} h, {engine}, "
            f"{self.ensemble.realizations} realization{'s' * (self.ensemble.realizations != 1)})"
        )

    __str__ = __repr__

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements of the precursors, in alphabetical order."""
        return tuple(sorted(frozenset().union(*(parse_formula(p.phase) for p in self.precursors))))

    @property
    def partial_pressure_Pa(self) -> dict[str, float]:
        """Gas to partial pressure in Pa; empty in an inert atmosphere."""
        if isinstance(self.atmosphere, GasMixture):
            return dict(self.atmosphere.partial_pressure_Pa)
        return dict(ATMOSPHERES[self.atmosphere])

    @property
    def calibrated(self) -> bool:
        """Whether the engine's time rests on an observation; otherwise it is in sweeps, or in nominal hours."""
        figure = "hours_per_sweep" if self.engine == "automaton" else "rate_factor"
        return self.calibration is not None and getattr(self.calibration, figure) is not None

    @property
    def hours_per_sweep(self) -> float:
        """Hours of the programme that one sweep of the automaton stands for: calibrated, or nominal."""
        stated = None if self.calibration is None else self.calibration.hours_per_sweep
        return 1.0 / self.sweeps_per_hour if stated is None else stated

    @property
    def rate_factor(self) -> float:
        """Factor on the nominal conductivities of reactive diffusion: calibrated, or 1."""
        stated = None if self.calibration is None else self.calibration.rate_factor
        return 1.0 if stated is None else stated

    @property
    def duration_h(self) -> float:
        """Length of the whole programme in hours, ramps included."""
        return math.fsum(ramp_h + step.hold_h for step, _, ramp_h in self.steps())

    def steps(self) -> list[tuple[Step, float, float]]:
        """Return each step with the temperature that it starts from, K, and the hours of its ramp.

        Powder is ground cold: a step that regrinds starts from the start temperature again. Cooling before it is a
        quench and takes no time.
        """
        steps = []
        before = self.start_temperature_K
        for step in self.programme:
            if step.regrind:
                before = self.start_temperature_K
            steps.append((step, before, abs(step.temperature_K - before) / step.ramp_K_per_min / 60.0))
            before = step.temperature_K
        return steps

    def segments(self, max_step_K: float = 10.0) -> list[Segment]:
        """Return the programme cut into holds and slices of ramps.

        Args:
            max_step_K: The widest slice of a ramp, in K.

        Returns:
            Segments in order; each hold is one, and parts that take no time are left out. Where a step regrinds, the
            powder has been quenched and the ramp starts from the start temperature.

        Example:
            >>> recipe = Recipe(
            ...     precursors=[{"phase": "BaO", "ratio": 1}],
            ...     programme=[{"temperature_K": 320, "ramp_K_per_min": 10, "hold_h": 1}],
            ... )
            >>> [(s.temperature_start_K, s.temperature_end_K, s.ramp) for s in recipe.segments()]
            [(300.0, 310.0, True), (310.0, 320.0, True), (320.0, 320.0, False)]
        """
        segments: list[Segment] = []
        for stage, (step, start_K, ramp_h) in enumerate(self.steps()):
            slices = math.ceil(abs(step.temperature_K - start_K) / max_step_K - 1e-9)
            edges = np.linspace(start_K, step.temperature_K, slices + 1).tolist()
            parts = [(low, high, ramp_h / slices, True) for low, high in pairwise(edges)]
            if step.hold_h > 0:
                parts.append((step.temperature_K, step.temperature_K, step.hold_h, False))
            segments += [Segment(stage, *part, regrind=step.regrind and n == 0) for n, part in enumerate(parts)]
        return segments

    def temperatures_K(self, step: float = 25.0) -> np.ndarray:
        """Return temperatures that cover the programme, with the start and every hold among them exactly.

        Rates are tabulated at these and interpolated between them; what vanishes at the temperature of a hold must do
        so in the table.

        Args:
            step: The widest spacing, in K; between two temperatures of the programme the spacing is even.

        Returns:
            Ascending temperatures in K, shape (nT,).

        Example:
            >>> recipe = Recipe(
            ...     precursors=[{"phase": "BaO", "ratio": 1}],
            ...     programme=[{"temperature_K": 341.5, "hold_h": 1}, {"temperature_K": 360, "hold_h": 1}],
            ... )
            >>> recipe.temperatures_K().tolist()
            [300.0, 320.75, 341.5, 360.0]
        """
        visited = np.unique([self.start_temperature_K, *(s.temperature_K for s in self.programme)])
        parts = [
            np.linspace(low, high, max(1, math.ceil((high - low) / step - 1e-9)), endpoint=False)
            for low, high in pairwise(visited.tolist())
        ]
        return np.concatenate([*parts, visited[-1:]])


def _absolute(name: str, directory: str | os.PathLike[str] | None) -> str:
    """A file name, made absolute so that the recipe as run can be read from anywhere; any other name as it is."""
    if not name.lower().endswith((*DATA_SUFFIXES, ".yaml", ".yml")):
        return name
    return os.path.abspath(os.path.join(directory or ".", name))
