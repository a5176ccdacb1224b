"""Files of observations: recipes, and what experiment found of their phases."""

import os
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tammann.errors import DataError
from tammann.recipe_blocks import Calibration, Flag, Formula, Temperature
from tammann.strict import Block, Document, shown

CLAIMS = ("present", "absent", "only", "major", "main_impurity", "more", "amounts", "sooner", "grows", "shrinks")
RANGE_CLAIMS = ("sooner", "grows", "shrinks")
"""Claims about a range of temperatures or conversions as a whole; the others are about each moment of it."""


def _printable(text: str) -> str:
    words = text.strip()  # a folded block of YAML ends with a line break
    if not words or not words.isprintable():
        raise ValueError(f"expected some printable text on one line, got {shown(text)}")
    return words


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[str, Field(strict=True, max_length=1000), AfterValidator(_printable)]
Formulas = Annotated[
    tuple[Formula, ...],
    Field(min_length=1, max_length=20, description="a formula such as Ba2TiO4, or a list of them"),
    BeforeValidator(_listed),
]
Ranking = Annotated[tuple[Formula, ...], Field(min_length=2, max_length=20)]
Percent = Annotated[float | None, Field(strict=True, ge=0, le=100, description="a percentage from 0 to 100")]
Limit = Field(strict=True, ge=0, le=50, description="a percentage from 0 to 50")
Kelvin = Annotated[Temperature | None, Field(description="a temperature from 300 to 2000 K")]
OneFormula = Field(description="a formula such as Ba2TiO4")
Factors = Annotated[
    tuple[Annotated[float, Field(strict=True, ge=1e-3, le=1e3)], ...],
    Field(min_length=1, max_length=20, description="a list of factors from 0.001 to 1000"),
]
Spreads = Annotated[
    tuple[Annotated[float, Field(strict=True, ge=0, le=2)], ...],
    Field(min_length=1, max_length=20, description="a list of standard deviations from 0 to 2"),
]
Rates = Annotated[
    tuple[Annotated[float, Field(strict=True, gt=0, le=1e6)], ...],
    Field(min_length=1, max_length=20, description="a list of numbers above 0 and at most 1e6"),
]
Basis = Literal["mole", "mass", "volume"]


class When(Block):
    """The moment or the range of the programme at which something was observed; by default its end."""

    step: int | None = Field(
        default=None, strict=True, ge=1, le=200, description="the number of a step of the programme, counted from 1"
    )
    temperature_K: Kelvin = None
    hold_h: float | None = Field(
        default=None, strict=True, ge=0, le=10_000, description="hours into the hold of the step, from 0 to 10000"
    )
    from_temperature_K: Kelvin = None
    to_temperature_K: Kelvin = None
    from_conversion_percent: Percent = None
    to_conversion_percent: Percent = None
    conversion_of: Formula | None = Field(default=None, description="the formula of a precursor")
    sometime: Flag = False

    @property
    def by_temperature(self) -> bool:
        """Whether it is a range of temperatures."""
        return self.from_temperature_K is not None or self.to_temperature_K is not None

    @property
    def by_conversion(self) -> bool:
        """Whether it is a range of conversions."""
        return self.from_conversion_percent is not None or self.to_conversion_percent is not None

    @property
    def is_range(self) -> bool:
        """Whether it is a range, not a single moment."""
        return self.by_temperature or self.by_conversion

    @model_validator(mode="after")
    def _is_one_time(self) -> "When":
        named = [self.temperature_K is not None, self.hold_h is not None, self.by_temperature, self.by_conversion]
        if sum(named) > 1:
            raise ValueError(
                "expected one of temperature_K, hold_h, a range of temperatures or a range of conversions, got "
                f"{sum(named)} of them"
            )
        for quantity in ("temperature_K", "conversion_percent"):
            low, high = f"from_{quantity}", f"to_{quantity}"
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and first > last:
                raise ValueError(f"expected {low} to be at most {high}, got {first:g} and {last:g}")
        if self.hold_h is not None and self.step is None:
            raise ValueError("expected the step whose hold is meant beside hold_h, got none; add step")
        if self.conversion_of is not None and not self.by_conversion:
            raise ValueError(
                "expected conversion_of with from_conversion_percent or to_conversion_percent, got neither"
            )
        if self.sometime and not self.is_range:
            raise ValueError("expected sometime with a range of temperatures or conversions, got a single moment")
        return self

    @property
    def words(self) -> str:
        """The moment or range in words.

        Example:
            >>> When(from_temperature_K=1000, to_temperature_K=1050).words
            '1000 to 1050 K'
            >>> When(step=2).words
            'end of step 2'
            >>> When(to_conversion_percent=70, conversion_of="BaCO3", sometime=True).words
            'sometime up to 70 % of BaCO3 converted'
        """
        text = "end"
        if self.by_temperature:
            text = _range(self.from_temperature_K, self.to_temperature_K, " K")
        elif self.by_conversion:
            of = f" of {self.conversion_of}" if self.conversion_of else ""
            text = _range(self.from_conversion_percent, self.to_conversion_percent, " %") + f"{of} converted"
        elif self.temperature_K is not None:
            text = f"at {self.temperature_K:g} K"
        elif self.hold_h is not None:
            text = f"{self.hold_h:g} h into the hold"
        if self.step is not None:
            text += f" of step {self.step}"
        return f"sometime {text}" if self.sometime else text


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is None:
        return f"up to {high:g}{unit}"
    return f"from {low:g}{unit} on" if high is None else f"{low:g} to {high:g}{unit}"


class Amount(Block):
    """Bounds on the amount of a phase."""

    phase: Annotated[Formula, OneFormula]
    at_least_percent: Percent = None
    at_most_percent: Percent = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Amount":
        low, high = self.at_least_percent, self.at_most_percent
        if low is None and high is None:
            raise ValueError("expected at_least_percent or at_most_percent, got neither")
        if low is not None and high is not None and low > high:
            raise ValueError(f"expected at_least_percent to be at most at_most_percent, got {low:g} and {high:g}")
        return self


class Observation(Block):
    """One observation of the phases of a recipe; where it makes several claims, all of them have to hold."""

    observation: Words = Field(description="what was observed, in words")
    source: Words = Field(description="who saw it, and where it is published")
    when: When = Field(default=When(), description="a block with a step, a temperature, a hold or a range")
    present: Formulas = ()
    absent: Formulas = ()
    only: Formulas = ()
    major: Annotated[Formula | None, OneFormula] = None
    main_impurity: Annotated[Formula | None, OneFormula] = None
    more: Ranking | None = Field(default=None, description="a list of at least two formulas, most first")
    amounts: Annotated[tuple[Amount, ...], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="a list of amounts, each with phase and at_least_percent or at_most_percent"
    )
    sooner: Ranking | None = Field(default=None, description="a list of at least two formulas, first to appear first")
    grows: Formulas = ()
    shrinks: Formulas = ()
    detection_limit_mass_percent: Annotated[float | None, Limit] = None
    basis: Basis | None = Field(default=None, description="mole, mass or volume")
    follows_from: Words | None = Field(
        default=None, description="an equilibrium that constrains the energies, as 'tammann energies' prints it"
    )
    calibration: Flag = False
    counted_with: Words | None = Field(
        default=None, description="the words of another observation of the same recipe that says nearly the same"
    )

    @model_validator(mode="after")
    def _claims_something(self) -> "Observation":
        claims = self.claims
        if not claims:
            raise ValueError(f"expected at least one claim ({', '.join(CLAIMS)}), got none")
        of_range = [claim for claim in claims if claim in RANGE_CLAIMS]
        if of_range and not self.when.is_range:
            raise ValueError(
                f"expected a range of temperatures or conversions in when for {of_range[0]}, got a single moment; "
                "add from_temperature_K"
            )
        if of_range and self.when.sometime:
            raise ValueError(f"expected {of_range[0]} without sometime: it is about the whole range")
        return self

    @model_validator(mode="after")
    def _can_be_true(self) -> "Observation":
        """Refuse claims that exclude each other, whatever the phases are."""
        both = set(self.present) & set(self.absent)
        if both:
            raise ValueError(f"expected a phase to be present or absent, got {sorted(both)[0]} as both")
        needed = {phase: key for key in ("grows", "shrinks", "present", "only") for phase in getattr(self, key)}
        needed |= {ranking[0]: key for key in ("sooner", "more") if (ranking := getattr(self, key))}
        needed |= {phase: key for key in ("main_impurity", "major") if (phase := getattr(self, key))}
        at_least, at_most = self._bounds()
        needed |= {phase: "amounts" for phase, low in at_least.items() if low > 0}
        for phase, key in needed.items():
            if phase in self.absent or at_most.get(phase) == 0:
                self._exclude(f"{key} and {'absent' if phase in self.absent else 'amounts'}", phase)
            if self.only and phase not in self.only:
                self._exclude(f"{key} and only", phase)
        for key in ("more", "sooner"):
            ranking = getattr(self, key) or ()
            if len(set(ranking)) < len(ranking):
                self._exclude(f"two places in {key}", next(f for f in ranking if ranking.count(f) > 1))
        for phase in set(self.grows) & set(self.shrinks):
            self._exclude("grows and shrinks", phase)
        if self.more is not None and self.major in self.more[1:]:
            self._exclude("major and more", str(self.major))
        for phase, low in at_least.items():
            if low > at_most.get(phase, 100):
                self._exclude("two amounts", phase)
            if self.major not in (None, phase) and low >= 50:
                self._exclude(f"major of {self.major} and amounts", phase)
        if sum(at_least.values()) > 100 * (1 + 1e-9):
            raise ValueError(f"expected amounts of at most 100 % in all, got at least {sum(at_least.values()):g} %")
        return self

    def _bounds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the highest lower and the lowest upper bound of each phase, percent."""
        at_least: dict[str, float] = {}
        at_most: dict[str, float] = {}
        for amount in self.amounts or ():
            at_least[amount.phase] = max(at_least.get(amount.phase, 0), amount.at_least_percent or 0)
            if amount.at_most_percent is not None:
                at_most[amount.phase] = min(at_most.get(amount.phase, 100), amount.at_most_percent)
        return at_least, at_most

    @staticmethod
    def _exclude(claims: str, phase: str) -> NoReturn:
        raise ValueError(f"expected claims that can hold together, got {claims} of {phase}; make them two observations")

    @property
    def claims(self) -> tuple[str, ...]:
        """The keys that make a claim."""
        return tuple(key for key in CLAIMS if getattr(self, key))

    @property
    def phases(self) -> tuple[str, ...]:
        """The formulas in its claims, in their order."""
        return tuple(dict.fromkeys(formula for _, formula in self.formulas()))

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Yield the key of each formula in the claims, and the formula."""
        for key in self.claims:
            value = getattr(self, key)
            if isinstance(value, str):
                yield key, value
            else:
                for k, item in enumerate(value):
                    yield (f"{key}[{k}].phase", item.phase) if isinstance(item, Amount) else (f"{key}[{k}]", item)


class Range(Block):
    """The inputs that nobody knows, over which every observation is judged: all combinations of the values listed.

    Sizes and times are factors on what the recipe says (nominal hours where it has no calibration); ``mixing`` stands
    in place of the recipe's. The automaton, whose progress is a number of sweeps, takes ``mixing`` and
    ``sweeps_per_hour``, or ``time`` where it is calibrated; plain equilibrium takes ``mixing``.
    """

    particle_size: Factors = (0.5, 1.0, 2.0)
    mixing: Spreads = (0.0, 0.02, 0.05, 0.1)
    time: Factors = (1 / 3, 1.0, 3.0)
    sweeps_per_hour: Rates = (30.0, 100.0, 160.0, 300.0, 1000.0)

    @model_validator(mode="after")
    def _each_value_once(self) -> "Range":
        for key in ("particle_size", "mixing", "time", "sweeps_per_hour"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: expected each value once, got {', '.join(f'{v:g}' for v in values)}")
        return self


class Experiment(Block):
    """One recipe and what was observed of it."""

    name: Words | None = Field(default=None, description="a short name for the tables")
    recipe: Words = Field(description="the file of a recipe, relative to this one")
    target: Formula | None = Field(default=None, description="the phase that was to be made, a formula")
    observations: tuple[Observation, ...] = Field(
        min_length=1, max_length=200, description="a list of observations, each with observation, source and a claim"
    )

    @model_validator(mode="after")
    def _has_a_target_for_its_impurities(self) -> "Experiment":
        for k, observation in enumerate(self.observations):
            if observation.main_impurity is None:
                continue
            if self.target is None:
                raise ValueError(f"observations[{k}].main_impurity: expected a target beside the recipe, got none")
            if observation.main_impurity == self.target:
                raise ValueError(f"observations[{k}].main_impurity: expected another phase than the target, got it")
        return self

    @model_validator(mode="after")
    def _counts_with_its_own(self) -> "Experiment":
        alone = [o.observation for o in self.observations if o.counted_with is None]
        for k, observation in enumerate(self.observations):
            if observation.counted_with is not None and alone.count(observation.counted_with) != 1:
                raise ValueError(
                    f"observations[{k}].counted_with: expected the words of one other observation of this recipe, "
                    f"which counts by itself, got {shown(observation.counted_with)}"
                )
        return self


class Observations(Document):
    """A file of observations: recipes, and what experiment found of each.

    Example:
        >>> read = Observations.from_text('''
        ... experiments:
        ...   - recipe: batio3-1-1.yaml
        ...     target: BaTiO3
        ...     observations:
        ...       - observation: Ba2TiO4 is the main impurity
        ...         source: Beauger 1983, doi 10.1007/BF00700786
        ...         when: {from_temperature_K: 1000, to_temperature_K: 1050}
        ...         main_impurity: Ba2TiO4
        ... ''')
        >>> read.experiments[0].observations[0].when.words, read.detection_limit_mass_percent
        ('1000 to 1050 K', 1.0)
    """

    ERROR = DataError

    title: Words | None = Field(default=None, description="one line of text")
    detection_limit_mass_percent: Annotated[float, Limit] = 1.0  # what laboratory X-ray diffraction sees
    basis: Basis = Field(default="mole", description="mole, mass or volume")
    realizations: int | None = Field(
        default=None, strict=True, ge=1, le=100_000, description="a whole number from 1 to 100000"
    )
    calibration: Calibration | None = Field(
        default=None, description="a block with observation and rate_factor or hours_per_sweep"
    )  # of the recipes that have none
    range: Range = Field(default=Range(), description="a block of keys such as particle_size: [0.5, 1, 2]")
    experiments: tuple[Experiment, ...] = Field(
        min_length=1, max_length=100, description="a list of experiments, each with recipe and observations"
    )

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the recipes in a directory; a recipe itself is refused."""
        if "precursors" in data and "experiments" not in data:
            raise DataError("expected observations, got a recipe; run it with tammann run, or list it in experiments.")
        experiments = data.get("experiments")
        for experiment in experiments if isinstance(experiments, list) else ():
            if isinstance(experiment, dict) and isinstance(experiment.get("recipe"), str):
                experiment["recipe"] = os.path.join(directory, experiment["recipe"])
        return data
