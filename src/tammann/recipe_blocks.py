"""The blocks of a recipe: powders, furnace, calibration, and what each engine can be told.

Every key carries its limits and the words that messages use for it; ``tammann.recipe`` puts the blocks together.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from tammann.composition import parse_formula
from tammann.strict import Block, shown


def _formula(text: str) -> str:
    parse_formula(text)
    return text.strip()


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(f"expected one line of printable text, got {shown(text)}")
    return text


def number_field(description: str, **limits: Any) -> Any:
    """Return the field of a number within limits, described for messages."""
    return Field(strict=True, description=description, **limits)


Text = Annotated[str, Field(strict=True, max_length=1000), AfterValidator(_printable)]
Formula = Annotated[str, Field(strict=True), AfterValidator(_formula)]
Radius = Annotated[
    float, number_field("a radius in micrometres from 0.001 (some ten atoms across) to 10000", ge=0.001, le=10_000)
]
Temperature = Annotated[float, number_field("a temperature from 300 to 2000 K", ge=300, le=2000)]
Pressure = Annotated[float, number_field("a pressure in Pa from 1e-100 to 1e8", ge=1e-100, le=1e8)]
Share = Annotated[float, number_field("a fraction above 0 and at most 1", gt=0, le=1)]
PerSweep = Annotated[float, number_field("exchanges per sweep, from 0 to 1", ge=0, le=1)]
Flag = Annotated[bool, Field(strict=True, description="true or false")]


class Precursor(Block):
    """One powder of the mixture."""

    phase: Formula = Field(description="the formula of a phase of the system, such as BaO")
    ratio: Annotated[float, number_field("moles of formula units, a number from 1e-6 to 1e6", ge=1e-6, le=1e6)]
    particle_radius_um: Radius | None = None


class Step(Block):
    """One step of the heating programme: a ramp to a temperature, then a hold."""

    temperature_K: Temperature
    ramp_K_per_min: Annotated[
        float, number_field("a rate from 0.01 to 1e6 K/min, the same figure for heating and cooling", ge=0.01, le=1e6)
    ] = 10.0
    hold_h: Annotated[float, number_field("a time from 0 to 10000 h", ge=0, le=10_000)]
    regrind: Flag = False


class GasMixture(Block):
    """An atmosphere given by its partial pressures."""

    partial_pressure_Pa: dict[Formula, Pressure] = Field(
        min_length=1, description="gases with their pressures in Pa, each from 1e-100 to 1e8, such as CO2: 40.5"
    )


class Calibration(Block):
    """The one figure that gives a powder's time its hours, and the observation it came from; one for each engine.

    ``rate_factor`` multiplies the nominal conductivities of reactive diffusion, ``hours_per_sweep`` is the automaton's.
    """

    rate_factor: Annotated[float | None, number_field("a factor from 1e-12 to 1e12", ge=1e-12, le=1e12)] = None
    hours_per_sweep: Annotated[
        float | None, number_field("a time in hours above 0 and at most 1000", gt=0, le=1000)
    ] = None
    observation: Text = Field(description="the observation it was fitted to, which validation then leaves out")

    @model_validator(mode="after")
    def _has_a_figure(self) -> "Calibration":
        if self.rate_factor is None and self.hours_per_sweep is None:
            raise ValueError(
                "expected rate_factor (reactive diffusion) or hours_per_sweep (automaton), got neither; run tammann "
                "calibrate to find it"
            )
        return self


class ScoreConstants(Block):
    r"""The constants of the score of a reaction (eq. 9 of Karan et al. 2026, doi 10.1038/s41563-026-02596-5).

    sigma1(x) = (1/a) ln(1 + exp(a x)), sigma2 = p2 ln(1 + exp(b T/Tm - c)), dG* = pG [1 + erf(-d (dG + e))], with
    x = K_D dG* / (r0**2 kB T s). The values of a to e are those of the authors' public code.
    ``tammann.kinetics.KineticsOptions`` says what each of the others does.
    """

    a: Annotated[float, number_field("a number above 0 and at most 1000", gt=0, le=1000)] = 3.0
    b: Annotated[float, number_field("a number from 0 to 1000", ge=0, le=1000)] = 14.0
    c: Annotated[float, number_field("a number from -1000 to 1000", ge=-1000, le=1000)] = 11.2
    d: Annotated[float, number_field("a number from 0 to 1e5, per eV/atom", ge=0, le=1e5)] = 35.0
    e: Annotated[float, number_field("an energy from -10 to 10 eV per atom", ge=-10, le=10)] = 0.03
    scale: Annotated[
        float | None, number_field("s in 1/(s eV), a number above 0, or null for the convention", gt=0)
    ] = None
    cap: Annotated[float | None, number_field("the largest score, a number above 0, or null for none", gt=0)] = None
    sigma2_prefactor: Annotated[float, number_field("p2, a number above 0 and at most 1000", gt=0, le=1000)] = 0.5
    driving_prefactor: Annotated[float, number_field("pG, a number above 0 and at most 1000", gt=0, le=1000)] = 1.0
    sigma1_linear_above: Annotated[
        float | None, number_field("an x of at least 0 above which sigma1 is x, or null for nowhere", ge=0)
    ] = None
    thermodynamic_above_eV_per_atom: Annotated[
        float | None, number_field("an energy from -10 to 10 eV per atom, or null for nowhere", ge=-10, le=10)
    ] = None
    molten_flux_per_kT_per_m_s: Annotated[
        float | None, number_field("a flux over kB T above 0 in 1/(m s), or null for the product's L", gt=0)
    ] = None
    missing_L_per_kT_per_m_s: Annotated[
        float | None, number_field("L over kB T above 0 in 1/(m s eV2), or null for the thermodynamic score", gt=0)
    ] = None
    reference_radius_m: Annotated[float, number_field("a radius in metres from 1e-9 to 0.01", ge=1e-9, le=0.01)] = 1e-7
    reference_temperature_K: Temperature = 1100.0
    melt_exchange_above: Annotated[
        float | None, number_field("a T/Tm from 0 to below 2, or null for the whole sigmoid", ge=0, lt=2)
    ] = None
    uphill_limit_eV_per_atom: Annotated[float, number_field("an energy from 0 to 10 eV per atom", ge=0, le=10)] = 0.1
    smallest_score: Annotated[float, number_field("a number from 0 to 1", ge=0, le=1)] = 1e-9


class KineticsChoices(Block):
    """The choices of the kinetics; ``tammann.kinetics.KineticsOptions`` says what each of them does."""

    transport: Literal["full", "self", "none"] = Field(default="full", description="full, self or none")
    form: Literal["paper", "signed", "electroneutral"] = Field(
        default="paper", description="paper, signed or electroneutral"
    )
    potential_difference: Literal["local-equilibrium", "reactants", "end-members"] = Field(
        default="local-equilibrium", description="local-equilibrium, reactants or end-members"
    )
    end_members: Annotated[tuple[Formula, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="a list of two formulas, such as BaO and TiO2"
    )
    score: Literal["repaired", "literal"] = Field(default="repaired", description="repaired or literal")
    two_products: Literal["harmonic", "largest"] = Field(default="harmonic", description="harmonic or largest")
    decomposition: Flag = True
    contact_area: Literal["shared", "each"] = Field(default="shared", description="shared or each")
    nucleation_barrier_J_per_m2: Annotated[
        float, number_field("an interface energy from 0 to 10 J/m2", ge=0, le=10)
    ] = 0.0
    metastable_limit_eV_per_atom: Annotated[
        float | None, number_field("an energy from 0 to 10 eV per atom, or null for no limit", ge=0, le=10)
    ] = 0.067
    coupled_release: Flag = False
    residual_pressure_Pa: Pressure = 1.0
    nearest_temperature: Flag = False
    below_range: Literal["continue", "hold", "refuse"] = Field(
        default="continue", description="continue, hold or refuse"
    )
    above_range: Literal["hold", "refuse"] = Field(default="hold", description="hold or refuse")


LITERAL: Mapping[str, Any] = {
    "potential_difference": "reactants",
    "decomposition": False,
    "contact_area": "each",
    "metastable_limit_eV_per_atom": None,
    "coupled_release": True,
    "constants": {"thermodynamic_above_eV_per_atom": 0.01},
}
"""What ``score: literal`` changes where the recipe does not say.

The published model has neither filter and no decomposition, and it means uphill reactions to be slow: its authors give
those above 0.01 eV/atom the thermodynamic score.
"""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "public-code": {
        "score": "literal",
        "two_products": "largest",
        "nearest_temperature": True,
        "constants": {
            "cap": 20.0,
            "sigma1_linear_above": 2.0,
            "sigma2_prefactor": 1.0,
            "driving_prefactor": 0.5,
            "thermodynamic_above_eV_per_atom": 0.01,
            "molten_flux_per_kT_per_m_s": 1e22,
            "missing_L_per_kT_per_m_s": 1e16,
            "reference_radius_m": 1e-8,
        },
    },
}
"""What a preset changes where the recipe does not say."""


class Kinetics(KineticsChoices):
    """How the rate of a reaction follows from transport and energies.

    ``preset`` and ``score: literal`` set the keys that the recipe leaves out; what it states counts.

    Example:
        >>> Kinetics(score="literal").coupled_release, Kinetics(preset="public-code", score="repaired").two_products
        (True, 'largest')
    """

    preset: Literal["paper", "public-code"] = Field(default="paper", description="paper or public-code")
    constants: ScoreConstants = Field(default=ScoreConstants(), description="a block with some of a, b, c, d, e")
    transport_relative_error: Annotated[float, number_field("a standard error of ln L from 0 to 5", ge=0, le=5)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Put in what the preset and the score say of keys that are left out."""
        if not isinstance(data, dict):
            return data
        chosen = PRESETS.get(str(data.get("preset", "paper")), {})
        literal = LITERAL if {**chosen, **data}.get("score") == "literal" else {}
        filled = {**literal, **chosen, **data}
        stated = data.get("constants", {})
        if isinstance(stated, ScoreConstants):
            stated = stated.model_dump(exclude_unset=True)
        if isinstance(stated, dict):
            filled["constants"] = {**literal.get("constants", {}), **chosen.get("constants", {}), **stated}
        return filled

    @model_validator(mode="after")
    def _names_end_members(self) -> "Kinetics":
        if (self.potential_difference == "end-members") != (self.end_members is not None):
            raise ValueError(
                "potential_difference 'end-members' goes with end_members, a list of two formulas such as BaO and "
                f"TiO2, and got potential_difference {self.potential_difference!r} with end_members "
                f"{shown(self.end_members and list(self.end_members))}"
            )
        return self


class Grid(Block):
    """The powder as the automaton sees it: a periodic cube of cells."""

    size: Annotated[int, number_field("cells per edge, a whole number from 4 to 1000", ge=4, le=1000)] = 30
    grain_cells: Annotated[
        float, number_field("a mean grain diameter in cells from 1 (a random mixture) to 1000", ge=1, le=1000)
    ] = 1.0
    grain_spread: Annotated[float, number_field("the standard deviation of ln diameter, from 0 to 2", ge=0, le=2)] = 0.0
    packing_fraction: Share = 1.0
    melt_exchange_per_sweep: PerSweep = 1.0
    solid_exchange_per_sweep: PerSweep = 0.0
    minimum_fill: Share = 0.125


OF_GEOMETRY: Mapping[str, tuple[str, ...]] = {
    "particles": ("cells", "interface_energy_J_per_m2"),
    "grains": ("voxels", "voxels_per_grain"),
}
"""The keys of the block ``diffusion`` that only one geometry has."""


def _other_geometry(geometry: str) -> str:
    return next(name for name in OF_GEOMETRY if name != geometry)


class Diffusion(Block):
    """Reactive diffusion: what layers conduct, and how the powder is cut into volumes.

    ``tammann.reactive_diffusion`` says what each of the choices does.
    """

    conductivity: Literal["full", "self", "equal"] = Field(default="full", description="full, self or equal")
    geometry: Literal["particles", "grains"] = Field(default="particles", description="particles or grains")
    cells: Annotated[int, number_field("cells along a particle, a whole number from 10 to 1000", ge=10, le=1000)] = 120
    voxels: Annotated[
        int, number_field("voxels per edge, an even number from 8 to 512", ge=8, le=512, multiple_of=2)
    ] = 32
    voxels_per_grain: Annotated[
        int, number_field("voxels across the smallest grains, a whole number from 2 to 64", ge=2, le=64)
    ] = 8
    interface_energy_J_per_m2: Annotated[float, number_field("an interface energy from 0 to 10 J/m2", ge=0, le=10)] = (
        0.0
    )
    residual_pressure_Pa: Pressure = 1.0
    transport_relative_error: Annotated[float, number_field("a standard error of ln L from 0 to 5", ge=0, le=5)] = 0.0

    @model_validator(mode="after")
    def _keys_of_one_geometry(self) -> "Diffusion":
        for key in OF_GEOMETRY[_other_geometry(self.geometry)]:
            if key in self.model_fields_set:
                raise ValueError(
                    f"expected no {key} with geometry {self.geometry}, which does not know it, got "
                    f"{getattr(self, key):g}; leave it out"
                )
        return self

    @model_serializer(mode="wrap")
    def _of_one_geometry(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the keys of the other geometry."""
        return {k: value for k, value in handler(self).items() if k not in OF_GEOMETRY[_other_geometry(self.geometry)]}


class Ensemble(Block):
    """How many times the run is repeated, and what varies between the repetitions."""

    realizations: Annotated[int, number_field("a whole number from 1 to 100000", ge=1, le=100_000)] = 8
    energies: Flag = True
    transport: Flag = True
