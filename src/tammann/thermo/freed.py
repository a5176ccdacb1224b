"""The Gibbs energies of the FREED database, read where the package that carries them is installed.

FREED (thermart.net) is distributed by the package ``reaction-network`` without a licence of its own, therefore nothing
of it ships here; its file is read without importing the package. Each series holds whatever state is stable at the
temperature, crystal, liquid or gas, and has slips. A series is used as far as it is a solid's, and if it passes the
tests of :func:`examined`.
"""

import gzip
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tammann.composition import atomic_masses, composition_key, conventional_formula, elements_of, parse_formula
from tammann.thermo.condensed_elements import HEAT_CAPACITY_J_PER_K_PER_MOL_ATOMS, continued
from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.gibbs import TEMPERATURES_K, elemental_gibbs_energies
from tammann.thermo.phase import FloatArray
from tammann.units import GAS_CONSTANT_J_PER_MOL_K, KJ_PER_MOL_IN_EV, ROOM_TEMPERATURE_K

SOURCE = "FREED (thermart.net), as carried by reaction-network"
STANDARD_ERROR_KJ_PER_MOL_ATOMS = 3.0
_ENTRY = re.compile(r'"([^"]+)":\s*(\{[^{}]*\})')
_FILE = ("data", "freed", "compounds.json.gz")
_COLUMNS = tuple(f"{T:g}" for T in TEMPERATURES_K)
_SLIPS = {  # beside NIST-JANAF and the CRC Handbook where these have the compound, else beside oxides and carbides
    "Li2B4O7": "its energy in FREED is 38 kJ/mol of atoms below that of other tables",
    "Be(OH)2": "its energy in FREED is 33 kJ/mol of atoms below that of other tables",
    "ZrC": "its energy in FREED is 36 kJ/mol of atoms above that of other tables",
    "Be2SiO4": "its energy in FREED is 12 kJ/mol of atoms above that of other tables",
    "CuCl": "its energy in FREED is 9 kJ/mol of atoms below that of other tables",
    "Ca3B2O6": "FREED has it 90 kJ/mol of atoms above CaO and B2O3, and it is a stable compound",
    "BaFe2O4": "FREED has it 11 kJ/mol of atoms above BaO and Fe2O3, and it is a stable compound",
    "Al4SiC4": "FREED has it 10 kJ/mol of atoms above Al4C3 and SiC, and it is a stable compound",
}
_LIQUID_ACIDS = {"H", "S", "O"}
_LARGEST_FORMULA = 200  # atoms; larger ones are mineral compositions with decimals


class _Series(NamedTuple):
    formula: str
    composition: dict[str, int]
    gibbs_kJ_per_mol: FloatArray  # NaN where the series has no value


def is_installed() -> bool:
    """Tell whether the package that carries FREED is installed, with its file."""
    return bool(_text())


@cache
def _text() -> Mapping[str, str]:
    """Return the series of the file, still as text, by formula; empty where the package is not installed.

    Each is a JSON object, eV per formula by temperature; to parse all 1,700 would take longer than all else.
    """
    found = find_spec("rxn_network")
    if found is None or found.origin is None:
        return {}
    try:
        text = gzip.decompress(Path(found.origin).parent.joinpath(*_FILE).read_bytes()).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError):  # another version of the package
        return {}
    return dict(_ENTRY.findall(text))


@cache
def _formulas() -> tuple[tuple[frozenset[str], str], ...]:
    """Return the formulas of the file that have energies of the elements to go with, and their elements."""
    known = elemental_gibbs_energies().keys()
    return tuple((held, formula) for formula in _text() if len(held := elements_of(formula)) > 1 and held <= known)


def _series(formula: str) -> _Series:
    values = json.loads(_text()[formula])
    gibbs = np.array([float(values.get(T, math.nan)) for T in _COLUMNS]) / KJ_PER_MOL_IN_EV
    composition = parse_formula(formula)
    return _Series(conventional_formula(composition), composition, gibbs)


def freed_solids(
    elements: Iterable[str],
    *,
    melting_point: Callable[[Mapping[str, int]], float] = lambda composition: math.nan,
) -> tuple[Mapping[tuple[tuple[str, int], ...], MeasuredSolid], Mapping[str, str]]:
    """Return the solids of FREED made of some elements, and why others are not trusted; empty without the package.

    Args:
        elements: Symbols; a solid may hold any of them, and no other.
        melting_point: The melting point of a composition in K, NaN if not known; a series ends there.

    Returns:
        Solids by ``composition_key``, and reasons by formula.
    """
    wanted, found, refused = frozenset(elements), {}, {}
    for held, formula in _formulas():
        if not held <= wanted:
            continue
        series = _series(formula)
        if sum(series.composition.values()) > _LARGEST_FORMULA or held == _LIQUID_ACIDS:
            continue
        result = _SLIPS.get(series.formula) or examined(series, melting_point(series.composition))
        if isinstance(result, str):
            refused[series.formula] = result
        elif result is not None:
            found[composition_key(series.composition)] = result
    return found, refused


_MOLECULE_J_PER_K_PER_MOL_ATOMS = 6.0
_CRYSTAL_J_PER_K_PER_MOL_ATOMS = -31.0
_HEAVY_G_PER_MOL_ATOMS = 45.0
_SLIP_J_PER_K_PER_MOL_ATOMS = 4.0
_TRANSITION_J_PER_K_PER_MOL_ATOMS = 10.0
_OTHER_STATE_J_PER_K_PER_MOL_ATOMS = 40.0


def examined(series: _Series, melting_point_K: float) -> MeasuredSolid | str | None:
    """Return the solid of a series, None for a molecule or a liquid, or the reason why the series is not trusted.

    With the elements' own Gibbs energies, that of the substance follows, G(T), and its entropy, -dG/dT:

    * The entropy per atom at 350 K, less 3/2 R ln M of the mean atomic mass M, is below 5 J/(K mol) in crystals and
      above 6 in molecules. A crystal of light atoms below -31 has a slip.
    * Its growth from one interval of 100 K to the next, less that of a heat capacity of 27 J/(K mol) of atoms, is
      positive at a transition and never below -4, apart from where an element melts or boils, which tables put at
      different temperatures. A drop is a slip; a jump of more than 40 either way is another state of matter.

    The series counts up to the melting point or the first jump, and continues with the heat capacity of solids. Jumps
    of less than 10 more than 100 K below a known melting point are transitions between crystals.

    Args:
        series: Formula, composition and Gibbs energies of formation.
        melting_point_K: NaN if not known.
    """
    grid, n = TEMPERATURES_K, sum(series.composition.values())
    energies = elemental_gibbs_energies()
    elements = sum(count * energies[e] for e, count in series.composition.items()) / KJ_PER_MOL_IN_EV
    own = series.gibbs_kJ_per_mol + elements
    entropy = -1e3 * np.diff(own) / np.diff(grid) / n
    mass = sum(count * atomic_masses()[e] for e, count in series.composition.items()) / n
    if not np.isfinite(own[:2]).all():
        return "FREED has it at one temperature only"
    excess = entropy[0] - 1.5 * GAS_CONSTANT_J_PER_MOL_K * math.log(mass)
    if excess > _MOLECULE_J_PER_K_PER_MOL_ATOMS:
        return None
    if excess < _CRYSTAL_J_PER_K_PER_MOL_ATOMS and mass < _HEAVY_G_PER_MOL_ATOMS:
        return f"the entropy in FREED, {entropy[0]:.0f} J/(K mol) of atoms at 350 K, is too small for its atomic mass"
    jump = np.diff(entropy) - _growth()
    doubt = _doubt(series.composition)
    if melting_point_K < ROOM_TEMPERATURE_K:
        return None
    known = np.flatnonzero(np.isfinite(series.gibbs_kJ_per_mol))
    gaps = np.flatnonzero(np.diff(known) > 1)
    last = int(known[gaps[0]] if gaps.size else known[-1])
    if melting_point_K >= grid[1]:
        last = min(last, int(np.flatnonzero(grid <= melting_point_K)[-1]))
    for i in range(last - 1):
        if jump[i] < -_SLIP_J_PER_K_PER_MOL_ATOMS - doubt[i] and jump[i] > -_OTHER_STATE_J_PER_K_PER_MOL_ATOMS:
            return f"the entropy in FREED falls by {-jump[i]:.0f} J/(K mol) of atoms at {grid[i + 1]:g} K"
        solid = 0.0 < jump[i] < _TRANSITION_J_PER_K_PER_MOL_ATOMS and grid[i + 1] < melting_point_K - 100.0
        if abs(jump[i]) > _SLIP_J_PER_K_PER_MOL_ATOMS + 1.0 + doubt[i] and not solid:
            last = i + 1
            break
    gibbs = continued(own, last, n) - elements
    source = SOURCE if last == len(grid) - 1 else f"{SOURCE}, extrapolated above {grid[last]:g} K"
    return MeasuredSolid(series.formula, gibbs, STANDARD_ERROR_KJ_PER_MOL_ATOMS * n, source)


@cache
def _growth() -> FloatArray:
    middle = 0.5 * (TEMPERATURES_K[1:] + TEMPERATURES_K[:-1])
    return HEAT_CAPACITY_J_PER_K_PER_MOL_ATOMS * np.diff(np.log(middle))


@cache
def _transitions() -> Mapping[str, FloatArray]:
    """Return by how much the entropy of each element jumps near each temperature, J/(K mol), shape (nT - 2,)."""
    energies = elemental_gibbs_energies()
    own = np.array(list(energies.values())) / KJ_PER_MOL_IN_EV
    entropy = -1e3 * np.diff(own, axis=1) / np.diff(TEMPERATURES_K)
    jump = np.maximum(0.0, np.abs(np.diff(entropy, axis=1) - _growth()) - 3.0)
    wide = np.pad(jump, ((0, 0), (1, 1)))
    return dict(zip(energies, wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:], strict=True))


def _doubt(composition: Mapping[str, int]) -> FloatArray:
    n = sum(composition.values())
    return np.asarray(sum(count / n * _transitions()[e] for e, count in composition.items()))
