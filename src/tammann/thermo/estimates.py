"""Volumes and melting points of compounds that nobody has measured, or whose measured ones are not at hand.

Both are small regressions whose coefficients ship as tables; `docs/estimates.py` made them from handbook values and
measured their errors by leaving each compound out.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.systems import data_file, read_rows
from tammann.thermo.oxidation_states import known_states, oxidation_states

VOLUME_TABLE = "estimates/volume_increments.csv"
MELTING_TABLE = "estimates/melting_point.csv"
ATOMIZATION_TABLE = "estimates/atomization.csv"
_TYPICAL_STATE = {"C": 4, "N": 5, "S": 6}
_OXYANION_CENTRES = ("B", "C", "N", "Si", "P", "S")

_FAMILIES = {"oxides": ("O",), "fluorides": ("F",), "halides": ("Cl", "Br", "I"), "chalcogenides": ("S", "Se", "Te")}
_CORRECTIONS = (" per ", " in ", "around")


class Estimate(NamedTuple):
    """An estimate: its value, its relative standard error, and how it was made."""

    value: float
    relative_error: float
    source: str


class _Term(NamedTuple):
    """One term of a regression: coefficient, its standard error, and what is subtracted and divided before."""

    coefficient: float
    error: float
    mean: float
    scale: float


@cache
def _terms(table: str) -> Mapping[str, _Term]:
    return {
        row["term"]: _Term(*(float(row.get(key) or default) for key, default in _COLUMNS)) for row in read_rows(table)
    }


_COLUMNS = (("coefficient", 0.0), ("standard_error", 0.0), ("mean", 0.0), ("scale", 1.0))


@cache
def _quoted(table: str, name: str) -> float:
    """Return a number that the comment at the head of a table states as ``# name: value``."""
    for line in data_file(table).read_text("utf-8").splitlines():
        if line.startswith(f"# {name}:"):
            return float(line.split(":")[1])
    raise DataError(f"table {table} states no {name}: make it again with docs/estimates.py")


def is_correction(term: str) -> bool:
    """Tell whether a term of a volume corrects that of an ion, rather than being one."""
    return any(word in term for word in _CORRECTIONS)


def volume_terms(composition: Mapping[str, int]) -> dict[str, float]:
    """Return how often each increment counts in the volume of one formula unit.

    A compound is the sum of its ions: ``Ti cation``, ``O anion``, or ``Al metal`` where no element is an anion.
    Corrections are linear in what they name: ``Ti cation per charge`` in how far the oxidation state lies from the
    commonest one, ``O anion per cation charge`` in how far the mean charge of the cations lies from 2, ``Ti cation in
    halides`` in the cations where the anion with most charge is no oxygen, and ``O around P`` in the oxygen of an
    oxyanion. A pure element is ``Ti element``, its own measured volume.

    Example:
        >>> volume_terms({"Ti": 1, "O": 2})
        {'Ti cation': 1.0, 'O anion': 2.0, 'O anion per cation charge': 4.0}
    """
    if len(composition) == 1:
        ((element, n),) = composition.items()
        return {f"{element} element": float(n)}
    states = oxidation_states(composition)
    terms: dict[str, float] = {}
    charge = sum(n * states[e] for e, n in composition.items() if states[e] > 0)
    cations = sum(n for e, n in composition.items() if states[e] > 0)
    family = _family(composition, states)
    for element, n in composition.items():
        state = states[element]
        kind = "cation" if state > 0 else "anion" if state < 0 else "metal"
        terms[f"{element} {kind}"] = float(n)
        if state > 0 and state != _usual_state(element):
            terms[f"{element} cation per charge"] = n * (state - _usual_state(element))
        if state > 0 and family != "oxides":
            terms[f"{element} cation in {family}"] = float(n)
        if state < 0 and cations:
            terms[f"{element} anion per cation charge"] = n * (min(charge / cations, 6.0) - 2.0)
        is_centre = state >= 5 or (state > 0 and element in _OXYANION_CENTRES)
        if is_centre and len(composition) > 2 and "O" in composition:
            terms[f"O around {element}"] = float(composition["O"])
    return terms


def _family(composition: Mapping[str, int], states: Mapping[str, float]) -> str:
    """Return what kind of compound it is by the anion that carries most charge."""
    anion = min(composition, key=lambda e: (composition[e] * states[e], e))
    return next((name for name, members in _FAMILIES.items() if anion in members), "other compounds")


@cache
def _usual_state(element: str) -> int:
    return _TYPICAL_STATE.get(element) or known_states().get(element, (3,))[0]


def _increment(name: str) -> _Term:
    """Return an increment; for an ion that no compound of the fit has, the volume of its element, a third uncertain."""
    known = _terms(VOLUME_TABLE)
    if name in known:
        return known[name]
    if is_correction(name):
        return _Term(0.0, 0.0, 0.0, 1.0)
    element = known.get(f"{name.split()[0]} element")
    if element is None:
        raise DataError(
            f"{name} has no increment of volume, so the volume cannot be estimated: give volume_A3_per_atom or "
            "density_g_per_cm3"
        )
    return _Term(element.coefficient, element.coefficient / 3.0, 0.0, 1.0)


def estimated_volume(composition: Mapping[str, int]) -> Estimate:
    """Estimate the volume of a solid at room temperature from increments of its ions, Angstrom^3 per atom.

    V = sum_k n_k v_k / N, with n_k from ``volume_terms``, v_k the increments, and N the atoms of the formula. The
    standard error joins the scatter of compounds left out of the fit with the errors of the increments that are used:
    what hangs on an increment that few compounds have is less certain.

    Args:
        composition: Atoms by element, any multiple of the formula.

    Returns:
        Volume in Angstrom^3 per atom, its relative standard error, and the source.

    Raises:
        DataError: An element has no increment.

    Example:
        >>> volume = estimated_volume({"Sr": 1, "Ti": 1, "O": 3})
        >>> 10.0 < volume.value < 14.0, volume.relative_error < 0.15
        (True, True)
    """
    terms = {name: (n, _increment(name)) for name, n in volume_terms(composition).items()}
    atoms = sum(composition.values())
    volume = sum(n * increment.coefficient for n, increment in terms.values()) / atoms
    if len(composition) == 1:
        return Estimate(volume, 0.01, "density of the element: CRC Handbook, as carried by the package chemicals")
    if not 3.0 <= volume <= 70.0:
        raise DataError(
            f"the volume estimated from increments is {volume:.3g} Angstrom^3 per atom, which no solid has: give "
            "volume_A3_per_atom or density_g_per_cm3"
        )
    spread = math.sqrt(sum((n * increment.error) ** 2 for n, increment in terms.values())) / atoms
    scatter, median = (_quoted(VOLUME_TABLE, name) for name in ("scatter", "median error"))
    source = (
        f"estimated from additive increments fitted to handbook densities (median error {median:.0%} for compounds "
        "left out)"
    )
    return Estimate(volume, math.hypot(scatter, spread / volume), source)


@cache
def _atomization() -> Mapping[str, float]:
    return {row["element"]: float(row["atomization_eV_per_atom"]) for row in read_rows(ATOMIZATION_TABLE)}


def melting_terms(
    composition: Mapping[str, int], formation_energy_eV_per_atom: float, volume_A3_per_atom: float
) -> dict[str, float]:
    """Return the descriptors of a melting point, by name, before they are centred and scaled.

    They are the energy that takes the solid apart into atoms, E = sum_i x_i E_i - E_f, its logarithm and that of the
    volume; mean charges z+ and z- of cations and anions, and z+ z- / V^(1/3), which goes as the lattice energy of an
    ionic solid; the share of anions, and the mean mass; squares and products of the first; and the atom fraction of
    each element. With x_i atom fractions, E_i the enthalpy of atomization of the elements, E_f
    ``formation_energy_eV_per_atom`` and V ``volume_A3_per_atom``.

    Raises:
        DataError: An element has no enthalpy of atomization.

    Example:
        >>> terms = melting_terms({"Mg": 1, "O": 1}, -3.12, 9.3)
        >>> round(terms["atomization"], 2), terms["cation charge"]
        (5.17, 2.0)
    """
    elements = _atomization()
    for element in composition:
        if element not in elements:
            raise DataError(f"{element} has no tabulated enthalpy of atomization, so no melting point can be estimated")
    states, masses = oxidation_states(composition), atomic_masses()
    atoms = sum(composition.values())
    share = {e: n / atoms for e, n in composition.items()}
    atomization = max(sum(x * elements[e] for e, x in share.items()) - formation_energy_eV_per_atom, 0.05)
    charge = sum(x * states[e] for e, x in share.items() if states[e] > 0)
    cations = sum(x for e, x in share.items() if states[e] > 0)
    anions = sum(x for e, x in share.items() if states[e] < 0)
    positive, negative = (charge / part if part else 0.0 for part in (cations, anions))
    main = {
        "atomization": atomization,
        "formation": formation_energy_eV_per_atom,
        "ln atomization": math.log(atomization),
        "ln volume": math.log(volume_A3_per_atom),
        "cation charge": positive,
        "anion charge": negative,
        "ionic energy": positive * negative / volume_A3_per_atom ** (1 / 3),
        "anions": anions,
    }
    names = [name for name in main if name != "ln atomization"]
    products = {f"{a} * {b}": main[a] * main[b] for i, a in enumerate(names) for b in names[i:]}
    mass = math.log(sum(x * masses[e] for e, x in share.items()))
    highest = max((state for state in states.values() if state > 0), default=0.0)
    other = {"ln mass": mass, "highest charge": highest, "no anion": float(not charge)}
    return main | products | other | {f"share of {e}": x for e, x in share.items()}


def estimated_melting_point(
    composition: Mapping[str, int], formation_energy_eV_per_atom: float, volume_A3_per_atom: float | None = None
) -> Estimate:
    """Estimate the melting point of a compound, K, from its formation energy, volume and composition.

    ln T = c_0 + sum_k c_k (d_k - m_k) / s_k, with d_k from ``melting_terms``, and coefficients c_k, means m_k and
    scales s_k of a ridge regression. It knows nothing of decomposition: a carbonate or a hydrate may not live to see
    the temperature that comes out.

    Args:
        composition: Atoms by element, any multiple of the formula.
        formation_energy_eV_per_atom: From the elements, at 298 K or 0 K.
        volume_A3_per_atom: Angstrom^3 per atom; estimated from increments if None.

    Returns:
        Melting point in K, its relative standard error, and the source.

    Raises:
        DataError: An element is outside the data, or the volume cannot be estimated.

    Example:
        >>> melting = estimated_melting_point({"Mg": 1, "O": 1}, -3.12, 9.3)
        >>> 2000.0 < melting.value < 4000.0
        True
    """
    volume = estimated_volume(composition).value if volume_A3_per_atom is None else volume_A3_per_atom
    known, described = _terms(MELTING_TABLE), melting_terms(composition, formation_energy_eV_per_atom, volume)
    logarithm = known["constant"].coefficient
    logarithm += sum(
        term.coefficient * (described.get(name, 0.0) - term.mean) / term.scale
        for name, term in known.items()
        if name != "constant"
    )
    lowest, highest, scatter, median = (
        _quoted(MELTING_TABLE, name) for name in ("lowest", "highest", "scatter", "median error")
    )
    unseen = _quoted(MELTING_TABLE, "error of an element")
    errors = [
        x * (known[name].error / known[name].scale if name in known else unseen)
        for name, x in described.items()
        if name.startswith("share of ")
    ]
    source = (
        f"estimated by a regression on formation energy, volume and composition (median error {median:.0%} for "
        "compounds left out)"
    )
    value = min(max(math.exp(logarithm), lowest), highest)
    return Estimate(value, math.hypot(scatter, *errors), source)
