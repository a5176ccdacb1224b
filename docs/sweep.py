"""Fire a hundred random pairs of oxides of the measured library, and write ``docs/sweep.csv``.

Every oxide of one cation with measured energies takes part; pairs of two cations are drawn with a fixed seed, about
half of them fired in air, the others in an inert gas. A pair ends with a report or is refused in one sentence.
Anything else is a fault of the software, and stands in the table as one. Run from the repository:
``python docs/sweep.py [pairs]``; a hundred take three minutes on one core. FREED, where installed, adds oxides, and
with them other pairs.
"""

import csv
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from tammann import Recipe
from tammann.analysis import final_mole_fractions
from tammann.composition import atomic_masses
from tammann.errors import DataError, TammannError
from tammann.thermo import measured_phases
from tammann.workflows.furnace import run_recipe

TABLE = Path(__file__).with_name("sweep.csv")
SEED = 20
PAIRS = 100
CELLS = 12
HOLD_H = 4
SHARE_OF_MELTING_POINT = 2.0 / 3.0
COLDEST_K, HOTTEST_K = 400.0, 1950.0
LARGEST_DRIFT = 1e-9
"""Relative change of the amount of an element, solids and gas together, above which a report is a fault."""
LARGEST_BACK = 2e-3
"""Moles of a gas that the atmosphere does not hold which a report may have taken up."""
SMALLEST = 0.005
"""Mole fraction below which a product is not listed."""
OUTCOMES = ("report", "refused", "fault")


@dataclass(frozen=True)
class Fired:
    """One pair: what it was asked to do, and how that ended.

    Attributes:
        first: Formula of an oxide.
        second: Of the other.
        atmosphere: ``air`` or ``inert``.
        temperature_K: Of the hold: 2/3 of the lower melting point, from 400 to 1950 K; 1300 where none is known.
        outcome: ``report``, ``refused`` or ``fault``.
        products: Phases at the end with their mole percent, or the sentence.
        seconds: Wall time, s.
    """

    first: str
    second: str
    atmosphere: str
    temperature_K: float
    outcome: str
    products: str
    seconds: float


def oxides() -> dict[str, tuple[str, float]]:
    """Return every measured solid oxide of one cation, with that cation and its melting point, K (NaN: unknown)."""
    found = {}
    for cation in sorted(set(atomic_masses()) - {"O"}):
        try:
            phases = measured_phases([cation, "O"])
        except DataError:
            continue
        for phase in phases:
            if phase.state == "solid" and set(phase.composition) == {cation, "O"}:
                found[phase.formula] = (cation, phase.melting_point_K)
    return found


def pairs(known: dict[str, tuple[str, float]], number: int = PAIRS, seed: int = SEED) -> list[tuple[str, str, str]]:
    """Return random pairs of oxides of two cations, each with an atmosphere."""
    rng = np.random.default_rng(seed)
    names = sorted(known)
    drawn: dict[frozenset[str], tuple[str, str, str]] = {}
    while len(drawn) < number:
        first, second = (names[k] for k in rng.choice(len(names), 2, replace=False))
        atmosphere = ("air", "inert")[int(rng.integers(2))]
        if known[first][0] != known[second][0]:
            drawn.setdefault(frozenset((first, second)), (first, second, atmosphere))
    return list(drawn.values())


def recipe_text(first: str, second: str, atmosphere: str, known: dict[str, tuple[str, float]]) -> tuple[str, float]:
    """Return the recipe of a pair, one cation to one, and where it is held, K."""
    from tammann.composition import parse_formula

    cations = {name: parse_formula(name)[known[name][0]] for name in (first, second)}
    melting = [known[name][1] for name in (first, second) if np.isfinite(known[name][1])]
    hold = SHARE_OF_MELTING_POINT * min(melting) if melting else 1300.0
    hold = float(np.clip(np.floor(hold / 25.0) * 25.0, COLDEST_K, HOTTEST_K))
    return (
        f"energies: measured\natmosphere: {atmosphere}\ntransport: none\nparticle_radius_um: 0.5\n"
        f"precursors:\n  - {{phase: {first}, ratio: {cations[second]}}}\n"
        f"  - {{phase: {second}, ratio: {cations[first]}}}\n"
        f"programme:\n  - {{temperature_K: {hold:g}, ramp_K_per_min: 10, hold_h: {HOLD_H}}}\n"
        f"ensemble: {{realizations: 1}}\ndiffusion: {{cells: {CELLS}}}\n"
    ), hold


def fire(first: str, second: str, atmosphere: str, known: dict[str, tuple[str, float]]) -> Fired:
    """Fire one pair, and say how it ended."""
    text, hold = recipe_text(first, second, atmosphere, known)
    begun = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as place:
            run = run_recipe(Recipe.from_text(text), Path(place) / "out", null=False, threads=1)
            written = (Path(place) / "out" / "report.html").stat().st_size > 0
        shares = sorted(final_mole_fractions(run.history).items(), key=lambda item: -item[1])
        history, supplied = run.history, run.prepared.furnace.supplied
        back = [history.gas_moles[0, :, k].min() for k, gas in enumerate(history.gases) if gas not in supplied]
        conserved = history.element_drift.max() < LARGEST_DRIFT and min(back, default=0.0) > -LARGEST_BACK
        outcome = "report" if written and conserved else "fault"
        said = ", ".join(f"{formula} {100 * share:.1f}" for formula, share in shares if share >= SMALLEST)
        if not conserved:
            said = f"elements are lost: {run.history.element_drift.max():.1e} of what there is; {said}"
    except TammannError as error:
        outcome, said = "refused", str(error)
        if "\n" in said.strip():
            outcome = "fault"
    except Exception as error:  # what the sweep is for
        outcome, said = "fault", f"{type(error).__name__}: {error}"
    return Fired(first, second, atmosphere, hold, outcome, said, round(time.perf_counter() - begun, 1))


def main() -> None:
    known = oxides()
    number = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    rows = []
    for first, second, atmosphere in pairs(known, number):
        rows.append(fire(first, second, atmosphere, known))
        print(f"{len(rows)}/{number} of {len(known)} oxides: {rows[-1]}", flush=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Fired)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
