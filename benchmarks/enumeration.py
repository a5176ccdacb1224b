"""Time to enumerate all balanced reactions against the number of phases.

Up to 32 phases are those of the shipped system Ba-Ti-O (with BaCO3, CO2 and O2); beyond that formulas BaO . n TiO2 that
nobody has seen are added, which is the worst case: all of them lie on one line and react with each other.
"""

import time
from dataclasses import replace
from math import gcd
from statistics import median

from record import record

from tammann import enumerate_reactions, load_phases
from tammann.thermo import Phase, Phases

NUMBERS = (10, 20, 32, 45, 60)
REPEATS = 5


def of_size(shipped: Phases, number: int) -> Phases:
    """The first phases of the shipped system, filled up with invented ones."""
    phases = list(shipped.phases[:number])
    taken = {tuple(sorted(p.composition.items())) for p in shipped}
    ratios = ((a, b) for total in range(2, 100) for a in range(1, total) if gcd(a, b := total - a) == 1)
    while len(phases) < number:
        barium, titanium = next(ratios)
        composition = {"Ba": barium, "Ti": titanium, "O": barium + 2 * titanium}
        if tuple(sorted(composition.items())) not in taken:
            formula = "".join(f"{element}{count}" for element, count in composition.items())
            phases.append(Phase(formula, composition))
    return replace(shipped, phases=tuple(phases))


def main() -> None:
    shipped = load_phases("Ba-Ti-O")
    rows = []
    for number in NUMBERS:
        phases = of_size(shipped, number)
        seconds = []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            reactions = enumerate_reactions(phases)
            seconds.append(time.perf_counter() - begun)
        rows.append(
            {
                "phases": number,
                "directed reactions": len(reactions),
                "seconds": round(median(seconds), 4),
                "fastest": round(min(seconds), 4),
                "slowest": round(max(seconds), 4),
            }
        )
    record("enumeration", rows)


if __name__ == "__main__":
    main()
