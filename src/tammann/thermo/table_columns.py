"""Columns of a user's table of energies: quantity and unit in the name, from there to eV and Angstrom^3 per atom."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import FloatArray
from tammann.units import A3_IN_M3, AVOGADRO_PER_MOL, GAS_CONSTANT_J_PER_MOL_K, KJ_PER_MOL_IN_EV

ENERGY_UNITS = ("eV_per_atom", "eV_per_formula", "kJ_per_mol", "kJ_per_mol_of_atoms")
"""``kJ_per_mol`` is per mole of the formula as the table writes it."""
VOLUMES = ("volume_A3_per_atom", "volume_A3_per_formula", "volume_cm3_per_mol", "density_g_per_cm3")
HEAT_CAPACITY = ("cp_a", "cp_b", "cp_c", "cp_d", "cp_e")
"""Cp = a + b T + c T^-2 + d T^-1/2 + e T^2, J/(K mol), as in the literature and in the package's own table."""
ENTROPY = "entropy_298K_J_per_K_per_mol"
_QUANTITIES = {
    "formation_energy": "at 0 K",
    "formation_enthalpy_298K": "at 298 K",
    "standard_error": "of the energy",
}
_TEXTS = ("formula", "melting_point_K", "melting_point_source", "material_id", "observed", "source")
_AT = re.compile(r"gibbs_(.+)_at_(\d+(?:\.\d+)?)K")
_STEEPEST_EV_PER_K = (-0.2e-3, 2.2e-3)
# Per atom. The elements have more entropy than a solid of them, gases and vapours most: 0.9e-3 is what half an O2 per
# atom gives, 2e-3 a compound of vapours; nothing has less entropy than -0.2e-3.
_ROUGHEST_EV_PER_K = 0.15e-3
"""How far dG/dT may turn one way and back, per atom: 15 J/K per mole of atoms, which no heat capacity does."""


@dataclass(frozen=True)
class Columns:
    """What the header of a table offers.

    Attributes:
        energy: Column of each energy that is there by quantity: ``formation_energy``, ``formation_enthalpy_298K``.
        standard_error: Column of the standard error, if any.
        gibbs: Columns of G by temperature in K, ascending.
        volume: Column of volume or density, if any.
    """

    energy: Mapping[str, str]
    standard_error: str | None
    gibbs: Mapping[float, str]
    volume: str | None
    others: tuple[str, ...] = field(default=())


def read_header(header: Sequence[str], file: str) -> Columns:
    """Sort the columns of a table.

    Raises:
        DataError: A column is unknown or repeated, has an unknown unit, or says the same as another; none has energies.
    """
    found: dict[str, str] = {}
    gibbs: dict[float, str] = {}
    volume: str | None = None
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"energies file {file!r} has the column {name} twice: keep one of them")
        quantity = next((q for q in _QUANTITIES if name.startswith(f"{q}_")), None)
        at = _AT.fullmatch(name)
        if quantity is not None:
            _check_unit(name, name.removeprefix(f"{quantity}_"), quantity, file)
            if quantity in found:
                raise DataError(
                    f"energies file {file!r} has {found[quantity]} and {name}, the same quantity in two units: keep one"
                )
            found[quantity] = name
        elif at is not None:
            _check_unit(name, at[1], "gibbs", file)
            T = float(at[2])
            if not 290.0 <= T <= 3000.0:
                raise DataError(f"energies file {file!r}: column {name} is for {T:g} K, expected 290 to 3000 K")
            if T in gibbs:
                raise DataError(f"energies file {file!r} has {gibbs[T]} and {name}, both at {T:g} K: keep one")
            gibbs[T] = name
        elif name in VOLUMES:
            if volume is not None:
                raise DataError(f"energies file {file!r} has {volume} and {name}: keep one of them")
            volume = name
        elif name not in (*_TEXTS, ENTROPY, *HEAT_CAPACITY):
            raise DataError(_unknown(name, header, file))
    if len(gibbs) == 1:
        raise DataError(
            f"energies file {file!r} has G at one temperature only, {next(iter(gibbs.values()))}: expected two or more"
        )
    if not gibbs and not {"formation_energy", "formation_enthalpy_298K"} & set(found):
        raise DataError(
            f"energies file {file!r} lacks the column formation_energy_eV_per_atom: expected it, or one such as "
            "formation_enthalpy_298K_kJ_per_mol or gibbs_kJ_per_mol_at_1000K"
        )
    energy = {quantity: name for quantity, name in found.items() if quantity != "standard_error"}
    return Columns(energy, found.get("standard_error"), dict(sorted(gibbs.items())), volume, tuple(header))


def _check_unit(name: str, unit: str, quantity: str, file: str) -> None:
    if unit not in ENERGY_UNITS:
        raise DataError(
            f"energies file {file!r}: column {name} has the unknown unit {unit!r} of {quantity}: expected "
            f"{', '.join(ENERGY_UNITS)}"
        )


def _unknown(name: str, header: Sequence[str], file: str) -> str:
    offered = [*(f"{q}_eV_per_atom" for q in _QUANTITIES), "gibbs_kJ_per_mol_at_1000K", *VOLUMES, *_TEXTS, ENTROPY]
    close = difflib.get_close_matches(name, [*offered, *(f"{q}_kJ_per_mol" for q in _QUANTITIES)], n=1, cutoff=0.6)
    hint = f"; is {close[0]} meant?" if close else ""
    return (
        f"energies file {file!r} has the columns {', '.join(header)}; {name!r} is unknown: expected some of "
        f"{', '.join(offered)}, {HEAT_CAPACITY[0]} to {HEAT_CAPACITY[-1]}{hint}"
    )


def energy_per_atom(column: str, value: float, composition: Mapping[str, int]) -> float:
    """Return an energy in eV per atom, from the unit at the end of its column's name.

    Example:
        >>> round(energy_per_atom("formation_enthalpy_298K_kJ_per_mol", -601.6, {"Mg": 1, "O": 1}), 4)
        -3.1176
    """
    atoms = sum(composition.values())
    at = _AT.fullmatch(column)
    name = at[1] if at is not None else column
    unit = next(u for u in sorted(ENERGY_UNITS, key=len, reverse=True) if name.endswith(u))
    return (
        value
        * {
            "eV_per_atom": 1.0,
            "eV_per_formula": 1.0 / atoms,
            "kJ_per_mol": KJ_PER_MOL_IN_EV / atoms,
            "kJ_per_mol_of_atoms": KJ_PER_MOL_IN_EV,
        }[unit]
    )


def volume_per_atom(column: str, value: float, composition: Mapping[str, int]) -> float:
    """Return a volume in Angstrom^3 per atom, from the unit at the end of its column's name.

    Example:
        >>> round(volume_per_atom("density_g_per_cm3", 3.58, {"Mg": 1, "O": 1}), 2)
        9.35
    """
    atoms = sum(composition.values())
    per_mole = 1e-6 / (A3_IN_M3 * AVOGADRO_PER_MOL)
    if column == "density_g_per_cm3":
        mass = sum(atomic_masses()[e] * n for e, n in composition.items())
        return mass / value * per_mole / atoms if value else 0.0
    return (
        value
        * {"volume_A3_per_atom": 1.0, "volume_A3_per_formula": 1 / atoms, "volume_cm3_per_mol": per_mole / atoms}[
            column
        ]
    )


def gibbs_curve(values_eV_per_atom: Mapping[float, float], where: str) -> tuple[FloatArray, str]:
    """Return G at ``TEMPERATURES_K`` from some temperatures, and what to say of those it was extended to.

    Linear between the temperatures given, and along the outermost two beyond them.

    Args:
        values_eV_per_atom: G of formation from the elements at T, eV per atom, by temperature in K, two or more.
        where: The line of the table, for messages.

    Raises:
        DataError: It has too few values, or jumps as no Gibbs energy of formation does.

    Example:
        >>> curve, said = gibbs_curve({300.0: -2.95, 1300.0: -2.39}, "line 2")
        >>> round(float(curve[3]), 3), said
        (-2.782, 'extended from 1300 K')
    """
    T, G = np.array(list(values_eV_per_atom)), np.array(list(values_eV_per_atom.values()))
    if len(T) < 2:
        raise DataError(f"{where}: G is given at {len(T)} temperature, expected two or more")
    check_slopes(T, G, where)
    slopes = np.diff(G) / np.diff(T)
    turns = np.diff(slopes)
    rough = np.flatnonzero(
        (turns[:-1] * turns[1:] < 0.0) & (np.minimum(*np.abs([turns[:-1], turns[1:]])) > _ROUGHEST_EV_PER_K)
    )
    if len(rough):
        raise DataError(f"{where}: G is not smooth near {T[int(rough[0]) + 1]:g} K; check the digits of its neighbours")
    curve = np.interp(TEMPERATURES_K, T, G)
    below, above = TEMPERATURES_K < T[0], TEMPERATURES_K > T[-1]
    curve[below] = G[0] + slopes[0] * (TEMPERATURES_K[below] - T[0])
    curve[above] = G[-1] + slopes[-1] * (TEMPERATURES_K[above] - T[-1])
    ends = [f"{T[0]:g} K down"] if T[0] > TEMPERATURES_K[0] + 10.0 else []
    ends += [f"{T[-1]:g} K"] if T[-1] < TEMPERATURES_K[-1] else []
    return curve, f"extended from {' and '.join(ends)}" if ends else ""


def check_slopes(temperature_K: FloatArray, gibbs_eV_per_atom: FloatArray, where: str) -> None:
    """Refuse a curve that falls or rises as no Gibbs energy of formation of a solid does.

    Raises:
        DataError: The message names the first two temperatures between which it does.
    """
    low, high = _STEEPEST_EV_PER_K
    slopes = np.diff(gibbs_eV_per_atom) / np.diff(temperature_K)
    steep = np.flatnonzero(~((slopes >= low) & (slopes <= high)))
    if len(steep):
        k = int(steep[0])
        (T, further), (G, other) = temperature_K[k : k + 2], gibbs_eV_per_atom[k : k + 2]
        raise DataError(
            f"{where}: G goes from {G:.4g} eV/atom at {T:g} K to {other:.4g} at {further:g} K, an entropy that no "
            "formation of a solid has; expected the Gibbs energy of formation from the elements at the same "
            "temperature, check the digits"
        )


def einstein_gibbs(entropy_298K_J_per_K_per_mol_atoms: float) -> FloatArray:
    """Return what the heat capacity adds to G of a solid of which only the entropy at 298.15 K is known.

    The solid is taken to vibrate at one frequency, k theta / h, the one that gives its entropy: with x = theta / T, per
    mole of atoms, U = 3 R theta / (e^x - 1), S = 3 R [x / (e^x - 1) - ln(1 - e^-x)], and what is returned is [U(T) -
    U(298)] - T [S(T) - S(298)].

    Args:
        entropy_298K_J_per_K_per_mol_atoms: Per mole of atoms.

    Returns:
        J per mole of atoms at ``TEMPERATURES_K``, shape (nT,).

    Example:
        >>> einstein_gibbs(13.5)[7].round(-2) + 0.0  # MgO at 1000 K; its measured heat capacity gives -11,150
        np.float64(-11200.0)
    """
    from scipy.optimize import brentq

    def entropy(T: FloatArray, theta: float) -> FloatArray:
        x = theta / T
        return np.asarray(3.0 * GAS_CONSTANT_J_PER_MOL_K * (x / np.expm1(x) - np.log(-np.expm1(-x))))

    room = np.array([298.15])
    theta = brentq(lambda guess: entropy(room, guess)[0] - entropy_298K_J_per_K_per_mol_atoms, 0.1, 2.0e4)
    T = TEMPERATURES_K
    energy = [3.0 * GAS_CONSTANT_J_PER_MOL_K * theta / np.expm1(theta / at) for at in (T, room)]
    return np.asarray(energy[0] - energy[1] - T * (entropy(T, theta) - entropy(room, theta)))
