"""Random packings of atoms, the initial configurations of melts."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.systems import read_rows
from tammann.units import A3_IN_CM3_PER_MOL

AMORPHOUS_VOLUMES: Mapping[str, tuple[float, float, float]] = {
    "Ba": (1.118395, 2.334e-5, 64.999),
    "Ti": (1.005639, 7.432e-6, 17.478),
    "O": (0.490478, 3.108e-5, 14.714),
}
"""Factor a, expansion c in 1/K and volume v in Å3 of ``estimate_volume_per_atom`` (the tools of Karan et al.,
Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, for non-crystalline Ba-Ti-O)."""
REFERENCE_K = 5000.0
CATION_FACTOR, CATION_EXPANSION_PER_K = 1.06, 1.5e-5
"""a and c of other cations: the mean of Ba and Ti."""
_ANIONS = read_rows("structures/anions.csv")
FILLED = {row["element"]: float(row["filled"]) for row in _ANIONS if row["filled"]}
CHARGES = {row["element"]: -int(row["charge_e"]) for row in _ANIONS}
LOOSE = 0.7
"""Smallest distance in a packing over the cube root of the volume per atom: large enough that no pair of ions is on its
repulsive wall, small enough that any composition can be packed."""
PACKMOL_SECONDS = 120.0


def atoms_in_box(formula: str, atoms: int) -> dict[str, int]:
    """Return the numbers of atoms by element in whole formula units, at least one, nearest to a number of atoms.

    Raises:
        DataError: The formula cannot be read, or fewer than one atom is asked for.

    Example:
        >>> atoms_in_box("Ba4Ti13O30", 300)
        {'Ba': 24, 'Ti': 78, 'O': 180}
    """
    if atoms < 1:
        raise DataError(f"atoms: expected a whole number above 0, got {atoms}.")
    unit = dict(composition_key(parse_formula(formula)))
    units = max(1, round(atoms / sum(unit.values())))
    return {symbol: units * unit[symbol] for symbol in parse_formula(formula)}


def estimate_volume_per_atom(formula: str, *, temperature_K: float) -> float:
    """Estimate the volume per atom of a non-crystalline solid or melt, Å3, as an initial value only.

    Oxides and compounds without an anion: v = sum_i x_i a_i v_i [1 + c_i (T - 5000 K)], with atom fractions x_i, T =
    ``temperature_K``, and a, c, v of Ba, Ti and O as published. For any other element v is the volume of its own solid,
    and a and c are the means of Ba and Ti.

    Halides, nitrides, sulfides, selenides and tellurides: the volume of the ions as spheres, divided by the fraction of
    the volume that they fill, 0.45 in halides and 0.55 in the others; accurate to about 30 %, without thermal
    expansion. The radius of a cation is the mean over its charges. With several anions each cation is divided among
    them in proportion to their charges. Beside more electronegative anions an element counts as an anion only where
    the others can balance its charge: sulfur in Y2O2S, but not in BaSO4.

    Raises:
        DataError: The formula cannot be read, or an element has no known volume.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5; Shannon, Acta Cryst. A 1976, 32, 751,
        doi 10.1107/S0567739476001551.

    Example:
        >>> round(estimate_volume_per_atom("BaTiO3", temperature_K=2000.0), 1)
        20.9
        >>> round(estimate_volume_per_atom("NaCl", temperature_K=1100.0), 1)
        28.9
    """
    counts = parse_formula(formula)
    shares = _anions(counts)
    oxide = 1.0 - sum(shares.values())
    volume = 0.0
    for symbol, count in counts.items():
        if symbol in shares:
            volume += count * _sphere(symbol, -CHARGES[symbol]) / FILLED[symbol]
            continue
        own = 1.0 if symbol == "O" else oxide
        if own > 1e-9:
            volume += count * own * _oxide_volume(symbol, temperature_K)
        if own < 1.0 - 1e-9:
            volume += count * sum(share * _sphere(symbol) / FILLED[anion] for anion, share in shares.items())
    return volume / sum(counts.values())


def _oxide_volume(symbol: str, temperature_K: float) -> float:
    if symbol in AMORPHOUS_VOLUMES:
        factor, expansion, solid = AMORPHOUS_VOLUMES[symbol]
    else:
        factor, expansion, solid = CATION_FACTOR, CATION_EXPANSION_PER_K, _solid_volume(symbol)
    return factor * solid * (1.0 + expansion * (temperature_K - REFERENCE_K))


def _anions(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the fraction of the negative charge carried by each anion except oxygen."""
    if not FILLED.keys() & counts.keys():
        return {}
    from pymatgen.core.periodic_table import Element

    positive = {symbol: n * max(0, Element(symbol).max_oxidation_state) for symbol, n in counts.items()}
    negative: dict[str, float] = {}
    for symbol in sorted(CHARGES.keys() & counts.keys(), key=lambda symbol: -Element(symbol).X):
        charge = CHARGES[symbol] * counts[symbol]
        others = sum(n for other, n in positive.items() if other != symbol)
        if symbol == "O" or sum(negative.values()) + charge <= others:
            negative[symbol] = charge
            del positive[symbol]
    total = sum(negative.values())
    return {symbol: charge / total for symbol, charge in negative.items() if symbol != "O"}


def _sphere(symbol: str, charge: int | None = None) -> float:
    """Return the volume of an ion, Å3; a cation has the mean radius over its charges, a proton no volume."""
    from pymatgen.core.periodic_table import Element

    element = Element(symbol)
    radius = element.average_cationic_radius if charge is None else element.ionic_radii[charge]
    if not radius and symbol != "H":
        raise DataError(f"{symbol}: no radius is known to start a packing from; give the volume per atom in Å3.")
    return 4.0 / 3.0 * np.pi * float(radius) ** 3


def _solid_volume(symbol: str) -> float:
    from pymatgen.core.periodic_table import Element

    molar = Element(symbol).data.get("Molar volume")
    try:
        return float(str(molar).split()[0]) / A3_IN_CM3_PER_MOL
    except ValueError:
        raise DataError(
            f"{symbol}: no volume is known to start a packing from; give the volume per atom in Å3."
        ) from None


def random_packing(
    formula: str,
    *,
    atoms: int = 300,
    volume_per_atom_A3: float | None = None,
    temperature_K: float = 2000.0,
    minimum_distances_A: Mapping[tuple[str, str], float] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Configuration:
    """Pack whole formula units at random into a periodic cube, keeping minimum distances (packmol).

    Packmol packs spheres with one radius per element: the smallest radii whose sums reach all minimum distances, so
    that some pairs are farther apart than required. Atoms are grouped by element in the order of the formula.

    Args:
        formula: Composition.
        atoms: Approximate number of atoms.
        volume_per_atom_A3: Å3; estimated at ``temperature_K`` where None.
        temperature_K: For the estimate, K.
        minimum_distances_A: Smallest distances by pair of elements, Å, such as {("Ti", "O"): 1.6}, in either order; by
            default 0.7 times the cube root of the volume per atom.
        rng: Seed or generator; the same seed gives the same packing.

    Raises:
        DataError: The formula cannot be read, packmol is not installed, or there is no room for the atoms.

    Reference:
        Martinez et al., J. Comput. Chem. 2009, 30, 2157, doi 10.1002/jcc.21224.
    """
    counts = atoms_in_box(formula, atoms)
    if volume_per_atom_A3 is None:
        volume_per_atom_A3 = estimate_volume_per_atom(formula, temperature_K=temperature_K)
    if not np.isfinite(volume_per_atom_A3) or volume_per_atom_A3 <= 0:
        raise DataError(f"volume_per_atom_A3: expected a volume above 0 Å3, got {volume_per_atom_A3}.")
    n = sum(counts.values())
    edge = (n * volume_per_atom_A3) ** (1.0 / 3.0)
    distances = _distances(tuple(counts), LOOSE * volume_per_atom_A3 ** (1.0 / 3.0), minimum_distances_A or {})
    radii = _radii(tuple(counts), distances)
    filled = sum(count * 4.0 / 3.0 * np.pi * radii[symbol] ** 3 for symbol, count in counts.items()) / edge**3
    if filled > 0.6:  # random close packing of spheres is 0.64
        raise DataError(
            f"packing of {formula}: the distances asked for fill {100 * filled:.0f} % of the volume and at most 60 % "
            "can be packed at random; ask for shorter distances or more volume per atom."
        )
    positions = _packmol(formula, counts, radii, edge, int(np.random.default_rng(rng).integers(1, 10**6)))
    return Configuration(tuple(Counter(counts).elements()), positions, edge * np.eye(3))


def _distances(
    species: tuple[str, ...], default: float, given: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    distances = {pair: default for pair in combinations_with_replacement(species, 2)}
    for (a, b), value in given.items():
        pair = (a, b) if (a, b) in distances else (b, a)
        if pair not in distances:
            raise DataError(f"minimum_distances_A: {a}-{b} is no pair of the elements {', '.join(species)}; remove it.")
        if not np.isfinite(value) or value < 0:
            raise DataError(f"minimum_distances_A: expected a distance of 0 Å or more for {a}-{b}, got {value}.")
        distances[pair] = float(value)
    return distances


def _radii(species: tuple[str, ...], distances: Mapping[tuple[str, str], float]) -> dict[str, float]:
    from scipy.optimize import linprog

    rows = [[-float(s == a) - float(s == b) for s in species] for a, b in distances]
    found = linprog(np.ones(len(species)), A_ub=rows, b_ub=[-d for d in distances.values()], method="highs")
    return dict(zip(species, (float(r) for r in found.x), strict=True))


def _packmol(formula: str, counts: Mapping[str, int], radii: Mapping[str, float], edge: float, seed: int) -> np.ndarray:
    try:
        from packmol.cli import get_binary_path

        binary = str(get_binary_path())
    except (ImportError, FileNotFoundError):
        raise DataError("packmol is not installed; pip install 'tammann[lammps]' brings it.") from None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # packmol keeps distances only to within its tolerance, so ask for a little more
        text = f"tolerance {2.02 * max(min(radii.values()), 0.1):.6f}\nfiletype xyz\noutput packed.xyz\n"
        text += f"seed {seed}\npbc {edge:.8f} {edge:.8f} {edge:.8f}\n"
        for symbol, count in counts.items():
            (folder / f"{symbol}.xyz").write_text(f"1\n\n{symbol} 0.0 0.0 0.0\n", encoding="utf-8")
            radius = f"{1.01 * radii[symbol]:.6f}"
            text += f"structure {symbol}.xyz\n  number {count}\n  radius {radius}\nend structure\n"
        (folder / "input").write_text(text, encoding="utf-8")
        try:
            with (folder / "input").open("rb") as file:  # not a pipe: packmol rewinds its input
                done = subprocess.run(
                    [binary], stdin=file, cwd=folder, capture_output=True, timeout=PACKMOL_SECONDS, check=False
                )
            output = done.stdout[-2000:].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            output = ""
        except OSError as reason:
            raise DataError(f"packmol cannot be run ({reason}); pip install 'tammann[lammps]' brings it.") from None
        packed = folder / "packed.xyz"
        if "Success!" not in output or not packed.exists():
            raise DataError(
                f"packing of {formula}: packmol found no room for {sum(counts.values())} atoms in a cube of "
                f"{edge:.2f} Å; ask for shorter distances or more volume per atom."
            )
        rows = packed.read_text(encoding="utf-8").splitlines()[2:]
    return np.array([[float(x) for x in row.split()[1:4]] for row in rows if row.strip()])
