"""The amorphous limit: how far the best of some relaxed frames of a melt lies above the hull of crystals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.md.engine import Engine
from tammann.md.relaxation import relax_structure
from tammann.potentials.calculators import Potential
from tammann.potentials.computed_entries import computed_entries
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.thermo.equilibrium import best_mixture


@dataclass(frozen=True)
class AmorphousLimit:
    """The lowest energy among disordered structures of a composition.

    Attributes:
        formula: Composition.
        frames: How many were relaxed.
        relaxed: How many of them ended with small forces.
        energy_eV_per_atom: The lowest.
        hull_eV_per_atom: Of the best mixture of crystals at this composition; None where the crystals do not span it.
        phases: Shares of that mixture by atoms.
    """

    formula: str
    frames: int
    relaxed: int
    energy_eV_per_atom: float
    hull_eV_per_atom: float | None
    phases: Mapping[str, float]

    @property
    def above_hull_eV_per_atom(self) -> float | None:
        """Energy of the limit above the hull, eV per atom."""
        return None if self.hull_eV_per_atom is None else self.energy_eV_per_atom - self.hull_eV_per_atom

    def row(self, potential: str, temperature_K: float) -> dict[str, Any]:
        """Return the limit as a row of the database, with the temperature of the melt whose frames were relaxed."""
        known = {"potential": potential, "temperature_K": temperature_K}
        return {**vars(self), **known, "above_hull_eV_per_atom": self.above_hull_eV_per_atom}


def crystal_energies(names: Sequence[str], potential: Potential) -> dict[str, tuple[dict[str, int], float]]:
    """Return composition and energy, eV per atom, of crystals relaxed with a potential, the lowest of each formula.

    Raises:
        DataError: A crystal is unknown, or the potential fails.
    """
    found: dict[str, tuple[dict[str, int], float]] = {}
    for name in names:
        (entry,) = computed_entries([load_crystal(name).to_ase()], potential)
        counts = entry["composition"]
        formula = "".join(f"{s}{n if n > 1 else ''}" for s, n in dict(composition_key(counts)).items())
        energy = entry["energy"] / sum(counts.values())
        if formula not in found or energy < found[formula][1]:
            found[formula] = (counts, energy)
    return found


def amorphous_limit(
    formula: str,
    frames: Sequence[Configuration],
    potential: Potential,
    engine: Engine,
    *,
    steps: int = 500,
    crystals: Mapping[str, tuple[Mapping[str, int], float]] | None = None,
) -> AmorphousLimit:
    """Relax frames of a melt and place the lowest of them above the hull of crystals of the same potential.

    Synthesizable polymorphs lie below the energy of the amorphous state; that of the best of a few frames quenched by
    relaxation is an upper bound of it. Positions are relaxed, in the cell of the melt.

    Args:
        formula: Composition.
        frames: Of the melt.
        potential: As ``load_potential`` returns it.
        engine: As ``load_engine`` returns it.
        steps: Of each relaxation, at most; 0 takes the frames as they are.
        crystals: As ``crystal_energies`` returns them.

    Raises:
        DataError: No frame could be relaxed.

    Reference:
        Aykol et al., Sci. Adv. 2018, 4, eaaq0148, doi 10.1126/sciadv.aaq0148.
    """
    energies, ended = [], 0
    for frame in frames:
        found = relax_structure(frame, potential, engine, steps=steps, per_atom=False)
        if not found.failure:
            energies.append(found.energy_eV_per_atom)
            ended += int(found.converged)
    if not energies:
        raise DataError(f"{formula}: expected frames that can be relaxed, got none of {len(frames)}.")
    lowest = float(min(energies))
    mixture = _mixture(frames[0], lowest, crystals or {})
    return AmorphousLimit(formula, len(frames), ended, lowest, *mixture)


def _mixture(
    frame: Configuration, energy: float, crystals: Mapping[str, tuple[Mapping[str, int], float]]
) -> tuple[float | None, dict[str, float]]:
    own = Counter(frame.symbols)
    usable = {name: one for name, one in crystals.items() if set(one[0]) <= set(own)}
    if not usable:
        return None, {}
    elements = sorted(own)
    rows = [own, *(counts for counts, _ in usable.values())]
    fractions = np.array([[row.get(symbol, 0) for symbol in elements] for row in rows], dtype=float)
    fractions /= fractions.sum(axis=1, keepdims=True)
    found = best_mixture(fractions, np.array([energy, *(e for _, e in usable.values())]), 0)
    if found is None:
        return None, {}
    shares = dict(zip(usable, found[0][1:].tolist(), strict=True))
    return found[1], {name: share for name, share in shares.items() if share > 1e-6}
