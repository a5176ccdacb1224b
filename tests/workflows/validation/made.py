"""What tests of validation share: an invented evolution, observations of it, and files about one recipe."""

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tammann import TammannError
from tammann.errors import DataError
from tammann.workflows.validation import Judgement, Observation, Observations, PhaseEvolution, Validation, validate

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "examples" / "observations").glob("*.yaml"))

PHASES = ("BaO", "TiO2", "BaTiO3", "Ba2TiO4")
# 300 -> 1000 K, 2 h there; quenched and ground; 300 -> 1200 K, 1 h there. Frames at corners and in the middle of parts.
TEMPERATURE = np.array([300, 650, 1000, 1000, 1000, 300, 750, 1200, 1200, 1200], dtype=float)
STEP = np.array([1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
HOURS = np.array([0, 1, 2, 3, 4, 4, 5, 6, 6.5, 7], dtype=float)
# what is left of the precursors, and what has become of them: moles of BaO, TiO2, BaTiO3, Ba2TiO4
MOLES = np.array(
    [
        [1.00, 1.00, 0.00, 0.00],
        [0.80, 0.90, 0.00, 0.10],
        [0.60, 0.80, 0.00, 0.20],
        [0.40, 0.65, 0.10, 0.25],
        [0.20, 0.50, 0.20, 0.30],
        [0.20, 0.50, 0.20, 0.30],
        [0.20, 0.50, 0.20, 0.30],
        [0.00, 0.30, 0.40, 0.30],
        [0.00, 0.15, 0.70, 0.15],
        [0.00, 0.01, 0.98, 0.01],
    ]
)
WEIGHTS = {"mole": np.ones(4), "mass": np.array([153.3, 79.9, 233.2, 386.5]), "volume": np.array([27.0, 19, 41, 78])}


def evolution(moles: np.ndarray = MOLES, **changes: Any) -> PhaseEvolution:
    moles = moles if moles.ndim == 3 else moles[None]
    values: dict[str, Any] = {
        "phases": PHASES,
        "precursors": ("BaO", "TiO2"),
        "temperature_K": TEMPERATURE,
        "step": STEP,
        "time_h": HOURS,
        "hold_h": np.array([2.0, 1.0]),
        "moles": moles,
        "start": moles[:, 0],
        "weights": WEIGHTS,
    }
    return PhaseEvolution(**values | changes)


def observation(words: str = "something", **claims: Any) -> Observation:
    return Observation(observation=words, source="someone 1999", **claims)


def holds(claim: Observation, of: PhaseEvolution | None = None, *, limit: float = 1.0, basis: str = "mole") -> bool:
    answer = (of or evolution()).holds(claim, detection_limit_mass_percent=limit, basis=basis, target="BaTiO3")
    assert answer.shape == (len((of or evolution()).moles),)
    return bool(answer.all())


def still(**amounts: float) -> PhaseEvolution:
    """An evolution in which nothing changes."""
    moles = np.array([amounts.get(name, 0.0) for name in PHASES])
    return evolution(np.tile(moles, (10, 1)), start=np.ones((1, 4)))


NUMBER = count()


def judgement(full: float | None, null: float, equilibrium: float, **changes: Any) -> Judgement:
    shares = {"full": full, "self": 1.0, "equal": 0.0, "null": null, "equilibrium": equilibrium}
    return Judgement("1:1", observation(major="BaTiO3", words=str(next(NUMBER))), shares, {}, **changes)


ONE = """\
title: one to one
precursors:
  - phase: BaO
    ratio: 1
  - phase: TiO2
    ratio: 1
programme:
  - temperature_K: 1000
    hold_h: 2
  - temperature_K: 1200
    hold_h: 1
    regrind: true
grid:
  size: 6
ensemble:
  realizations: 1
"""
CALIBRATED = ONE + 'calibration:\n  hours_per_sweep: 0.01\n  observation: "{}"\n'


def file_of(*observations: str, recipe: str = "one.yaml", top: str = "") -> str:
    """A file of observations about one recipe."""
    lines = [top] if top else []
    lines += ["experiments:", f"  - recipe: {recipe}", "    target: BaTiO3", "    observations:"]
    for k, text in enumerate(observations):
        words = "" if "observation:" in text else f"observation: number {k}\n"
        source = "" if "source:" in text else "source: Nobody 1999\n"
        first, *rest = (words + source + text).rstrip().splitlines()
        lines += [f"      - {first}", *(f"        {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def judged(folder: Path, text: str) -> Validation:
    return validate(Observations.from_text(text, directory=folder), over_range=False, threads=1)


def refusal(folder: Path, text: str, kind: type[TammannError] = DataError) -> str:
    with pytest.raises(kind) as caught:
        judged(folder, text)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 800
    return message
