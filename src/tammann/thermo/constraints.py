"""Known equilibria, in a small YAML file that can be read aloud."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.files import read_text
from tammann.strict import finite_number, read_block
from tammann.systems import SYSTEMS, data_file
from tammann.thermo.phase import Constraint

_KINDS = ("equality", "left-stable", "right-stable")


def load_constraints(path: str | Path) -> tuple[tuple[Constraint, ...], float]:
    """Read known equilibria from a YAML file.

    The file has ``reference_temperature_K``, at which shifts are counted, and a list ``constraints``; each entry has
    either ``equilibrium`` (such as ``11 BaTi2O5 = 5 BaTiO3 + Ba6Ti17O40``) with ``kind`` (equality, left-stable or
    right-stable), or ``on_hull`` (a list of formulas); and ``temperature_K`` (a number or a list), ``source``, and
    optionally ``margin_eV_per_atom``, and ``entropy_J_per_K_per_mol_atoms`` with ``entropy_origin`` and
    ``entropy_spread``; see ``Constraint``.

    Args:
        path: The file, or the name of a shipped one (``Ba-Ti-O``).

    Returns:
        The constraints and the reference temperature, K.

    Raises:
        DataError: The file cannot be read, or an entry has an unknown key, kind or an unreadable equation.

    Example:
        >>> constraints, reference = load_constraints("Ba-Ti-O")
        >>> constraints[0].equation
        '11 BaTi2O5 = 5 BaTiO3 + Ba6Ti17O40'
    """
    name = str(path)
    shipped = SYSTEMS.get(name)
    text = data_file(shipped.constraints).read_text("utf-8") if shipped else read_text(path, error=DataError)
    try:
        content = read_block(text, error=DataError)
    except DataError as problem:
        raise DataError(f"constraints file {name!r} cannot be read: {problem}") from None
    if not isinstance(content.get("constraints"), list):
        raise DataError(
            f"constraints file {name!r} has no list 'constraints': expected entries with 'equilibrium' or 'on_hull'"
        )
    _refuse_unknown(content, {"constraints", "reference_temperature_K"}, f"constraints file {name!r}")
    reference = finite_number(content.get("reference_temperature_K", 300.0), "reference_temperature_K")
    return tuple(_constraint(entry, i) for i, entry in enumerate(content["constraints"])), reference


def _constraint(entry: Any, position: int) -> Constraint:
    where = f"constraints[{position}]"
    if not isinstance(entry, dict):
        raise DataError(f"{where} is {entry!r}: expected keys such as equilibrium, kind, temperature_K and source")
    known = {
        "equilibrium", "kind", "on_hull", "temperature_K", "source", "margin_eV_per_atom",
        "entropy_J_per_K_per_mol_atoms", "entropy_origin", "entropy_spread",
    }  # fmt: skip
    _refuse_unknown(entry, known, where)
    if ("equilibrium" in entry) == ("on_hull" in entry):
        raise DataError(f"{where} needs either 'equilibrium' or 'on_hull', and not both")
    T = tuple(finite_number(t, f"{where}.temperature_K") for t in _listed(entry.get("temperature_K")))
    source = str(entry.get("source", "")).strip()
    if not source or not T:
        raise DataError(f"{where} needs a 'source' that says who observed it and a 'temperature_K' at which it holds")
    margin = finite_number(entry.get("margin_eV_per_atom", 0.0), f"{where}.margin_eV_per_atom")
    if margin < 0.0:
        raise DataError(f"{where}.margin_eV_per_atom is {margin:g}: expected zero or more")
    if "on_hull" in entry:
        if "entropy_J_per_K_per_mol_atoms" in entry:
            raise DataError(f"{where} has an entropy without an equilibrium: state it with the reaction it belongs to")
        return Constraint(
            "on-hull", T, source, phases=tuple(map(str, _listed(entry["on_hull"]))), margin_eV_per_atom=margin
        )
    kind = entry.get("kind")
    if kind not in _KINDS:
        raise DataError(f"{where}.kind is {kind!r}: expected {', '.join(_KINDS)}")
    entropy = entry.get("entropy_J_per_K_per_mol_atoms")
    origin = str(entry.get("entropy_origin", "")).strip()
    if entropy is not None and not origin:
        raise DataError(f"{where}.entropy_J_per_K_per_mol_atoms needs an 'entropy_origin' that says where it is from")
    spread = finite_number(entry.get("entropy_spread", 0.0), f"{where}.entropy_spread")
    if not 0.0 <= spread <= 3.0:
        raise DataError(f"{where}.entropy_spread is {spread:g}: expected a standard deviation of its ln from 0 to 3")
    left, right = _sides(str(entry["equilibrium"]), where)
    if not any(_net(left, right).values()):
        raise DataError(
            f"{where}.equilibrium is {entry['equilibrium']!r}, the same on both sides, which says nothing: write what "
            "turns into what"
        )
    entropy = None if entropy is None else finite_number(entropy, f"{where}.entropy_J_per_K_per_mol_atoms")
    return Constraint(kind, T, source, left, right, (), margin, entropy, origin, spread)


def _net(left: Sequence[tuple[str, float]], right: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the moles of each formula that there are more of on the right than on the left."""
    net: dict[str, float] = {}
    for sign, side in ((-1.0, left), (1.0, right)):
        for formula, moles in side:
            net[formula] = round(net.get(formula, 0.0) + sign * moles, 9)
    return net


def _refuse_unknown(block: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(map(str, set(block) - known))
    if unknown:
        raise DataError(f"{where} has the unknown key {unknown[0]!r}: expected one of {', '.join(sorted(known))}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _sides(equation: str, where: str) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
    sides = equation.split("=")
    if len(sides) != 2:
        raise DataError(f"{where}.equilibrium is {equation!r}: expected two sides with one = between them")
    result = []
    for side in sides:
        terms = []
        for term in side.split("+"):
            match = re.fullmatch(r"\s*(\d+(?:\.\d+)?(?:/\d+)?)?\s*([A-Z(][A-Za-z0-9()]*)\s*", term)
            if match is None:
                raise DataError(f"{where}.equilibrium has the term {term.strip()!r}: expected an amount and a formula")
            amount, formula = match.groups()
            number, _, divisor = (amount or "1").partition("/")
            terms.append((formula, float(Fraction(number) / Fraction(divisor or "1"))))
        result.append(tuple(terms))
    return result[0], result[1]
