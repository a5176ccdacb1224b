"""Make the tables of ``src/tammann/data/estimates`` again: increments of volume and coefficients of melting points.

Training data are facts of the CRC Handbook as the package ``chemicals`` carries them (MIT), densities, melting points
and enthalpies of formation of inorganic solids, and the NIST-JANAF tables in the package ``janaf`` (public domain) for
melting points and enthalpies that the handbook lacks. Run from the repository: ``python docs/estimates.py``.

Both regressions are robust ridges: sum_i w_i (y_i - a_i b)^2 + sum_k p_k (b_k - b0_k)^2, with weights w_i of Huber that
keep slips in the handbook (an ScBr3 of twice its density) from pulling. Errors are those of compounds left out, from
the leverage h_i of each: r_i / (1 - h_i).
"""

import math
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from handbook_formulas import SYMBOLS, densities, rows

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo.estimates import estimated_volume, is_correction, melting_terms, volume_terms

TARGET = Path(__file__).parents[1] / "src/tammann/data/estimates"
EV_PER_KJ_PER_MOL = 1.0 / 96.485332
STRENGTH = 1.0  # of the ridge of melting points; 0.3 and 3 give the same errors within 1 %
Key = tuple[tuple[str, int], ...]
SOURCE = "as carried by the package chemicals 1.5.2 (MIT)"
# Enthalpies of atomization that the handbook's table has for no atom, kJ/mol: CODATA key values (1989); As: NBS (1982).
ATOMS = {
    "H": 218.0, "N": 472.7, "O": 249.2, "F": 79.4, "Cl": 121.3, "Br": 111.9, "I": 106.8, "C": 716.7, "S": 277.2,
    "P": 316.5, "Se": 227.1, "Si": 450.0, "Sn": 301.2, "As": 302.5,
}  # fmt: skip


class Fit:
    """A robust ridge, and its errors for observations that are left out."""

    def __init__(self, matrix: np.ndarray, target: np.ndarray, prior: np.ndarray, penalty: np.ndarray) -> None:
        """Fit ``matrix @ coefficients`` to ``target``."""
        rest = target - matrix @ prior
        weight = np.ones(len(target))
        for _ in range(30):
            normal = matrix.T @ (weight[:, None] * matrix) + np.diag(penalty)
            shift = np.linalg.solve(normal, matrix.T @ (weight * rest))
            residual = rest - matrix @ shift
            spread = 1.4826 * np.median(np.abs(residual))
            weight = np.minimum(1.0, 1.345 * spread / np.maximum(np.abs(residual), 1e-12))
        inverse = np.linalg.inv(normal)
        leverage = weight * np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
        self.coefficients = prior + shift
        self.left_out = residual / (1.0 - np.minimum(leverage, 0.999))
        self.errors = spread * np.sqrt(np.diag(inverse))
        self.single_errors = spread / np.sqrt(np.diag(normal))  # of each coefficient if the others are right


def quantiles(errors: np.ndarray) -> tuple[float, float, float]:
    """Return median, 68th and 90th percentile of magnitudes."""
    median, two_thirds, ninety = np.quantile(np.abs(errors), (0.5, 0.683, 0.9))
    return float(median), float(two_thirds), float(ninety)


def measured_volumes() -> dict[Key, float]:
    """Return volumes, Angstrom^3 per reduced formula, of elements and compounds without organic groups."""
    found: dict[Key, list[float]] = {}
    for _, _, counts, volume in densities():
        if not {"C", "H"} <= set(counts):
            units = sum(counts.values()) / sum(n for _, n in composition_key(counts))
            found.setdefault(composition_key(counts), []).append(volume / units)
    return {key: float(np.median(volumes)) for key, volumes in found.items()}


def write_volumes(volumes: dict[Key, float]) -> None:
    """Fit the increments and write their table."""
    compounds = {key: volume for key, volume in volumes.items() if len(key) > 1}
    terms = [volume_terms(dict(key)) for key in compounds]
    names = sorted({name for one in terms for name in one})
    V = np.array(list(compounds.values()))
    counts = np.array([[one.get(name, 0.0) for name in names] for one in terms])
    correction = np.array([is_correction(name) for name in names])
    typical = {"cation": 8.0, "anion": 22.0, "metal": 18.0}
    prior = np.array([0.0 if c else typical[n.split()[-1]] for n, c in zip(names, correction, strict=True)])
    fit = Fit(counts / V[:, None], np.ones(len(V)), prior, np.where(correction, 1e-3, 3e-5))
    median, two_thirds, ninety = quantiles(fit.left_out)
    scatter = estimated_scatter(fit, counts, V)
    lines = [
        "# Increments of the volume of inorganic solids at room temperature, Angstrom^3; see docs/estimates.py.",
        f"# Fitted to the densities of {len(V)} compounds in the CRC Handbook, {SOURCE}.",
        f"# Left out one by one, two thirds of them are within {two_thirds:.1%}, nine of ten within {ninety:.0%}.",
        f"# median error: {median:.4f}",
        f"# scatter: {scatter:.4f}",
        "term,coefficient,standard_error,compounds",
    ]
    used = (counts != 0.0).sum(axis=0)
    for name, value, error, n in zip(names, fit.coefficients, fit.errors, used, strict=True):
        lines.append(f"{name},{value:.3f},{error:.3f},{n}")
    for key in sorted(key for key in volumes if len(key) == 1):
        lines.append(f"{key[0][0]} element,{volumes[key]:.3f},,1")
    (TARGET / "volume_increments.csv").write_text("\n".join(lines) + "\n", "utf-8")
    print(f"volumes: {len(V)} compounds, {len(names)} terms, median {median:.3f}, 68 % {two_thirds:.3f}, {ninety:.3f}")


def estimated_scatter(fit: Fit, counts: np.ndarray, volume: np.ndarray) -> float:
    """Return the scatter beside the errors of the increments that makes two thirds of the left-out fall within one."""
    spread = np.sqrt(((counts * fit.errors) ** 2).sum(axis=1)) / volume
    return within(fit.left_out, spread)


def within(left_out: np.ndarray, spread: np.ndarray) -> float:
    """Return the scatter s for which 68.3 % of magnitudes lie within hypot(s, spread)."""
    low, high = 0.0, 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        inside = float((np.abs(left_out) <= np.hypot(middle, spread)).mean())
        low, high = (middle, high) if inside < 0.683 else (low, middle)
    return high


def write_atomization() -> None:
    """Write the enthalpies of atomization of the elements."""
    found = dict(ATOMS)
    for row in rows("Heat Capacity/CRC Standard Thermodynamic Properties of Chemical Substances.tsv"):
        symbol = SYMBOLS.get(row["Chemical"].lower())
        if symbol and row["Hfg"] and float(row["Hfg"]) > 0.0:
            found.setdefault(symbol, float(row["Hfg"]) / 1e3)
    lines = [
        "# Enthalpies of the elements' atoms at 298 K, from the elements in their stable state, by docs/estimates.py.",
        f"# Source: CRC Handbook, {SOURCE}; {', '.join(ATOMS)}: CODATA key values (1989), As: NBS tables (1982).",
        "element,atomization_eV_per_atom",
        *(f"{e},{kilojoules * EV_PER_KJ_PER_MOL:.4f}" for e, kilojoules in sorted(found.items())),
    ]
    (TARGET / "atomization.csv").write_text("\n".join(lines) + "\n", "utf-8")


def melting_points() -> dict[Key, tuple[float, float]]:
    """Return melting points, K, and enthalpies of formation, eV per atom, of compounds that are no hydrates."""
    found: dict[Key, tuple[float, float]] = {}
    physical = {row["CAS"]: row for row in rows("Misc/Physical Constants of Inorganic Compounds.csv")}
    table = rows("Heat Capacity/CRC Standard Thermodynamic Properties of Chemical Substances.tsv")
    enthalpy = {row["CAS"]: float(row["Hfs"]) / 1e3 for row in table if row["Hfs"]}
    for cas, name, counts, _ in densities():
        melting = physical[cas].get("Tm")
        usable = len(counts) > 1 and not {"C", "H"} <= set(counts) and "hydrate" not in name
        if melting and cas in enthalpy and usable:
            per_atom = enthalpy[cas] * EV_PER_KJ_PER_MOL / sum(counts.values())
            found.setdefault(composition_key(counts), (float(melting), per_atom))
    return janaf_melting_points() | found


def janaf_melting_points() -> dict[Key, tuple[float, float]]:
    """Return the same from the melting lines of NIST-JANAF."""
    found: dict[Key, tuple[float, float]] = {}
    folder = Path(str(find_spec("janaf").origin)).parent / "data"  # type: ignore[union-attr]
    for file in sorted(folder.glob("*.txt")):
        lines = file.read_text("utf-8").splitlines()
        match = re.fullmatch(r"((?:[A-Z][a-z]?\d*)+)\(cr(?:,l)?\)", lines[0].split("\t")[-1])
        at_room = [line.split("\t") for line in lines if line.startswith("298.15\t")]
        melting = [float(line.split("\t")[0]) for line in lines if "CRYSTAL <--> LIQUID" in line]
        if match and at_room and melting and "D" not in parse_or_none(match[1]):
            counts = parse_or_none(match[1])
            if len(counts) > 1 and not {"C", "H"} <= set(counts):
                per_atom = float(at_room[0][5]) * EV_PER_KJ_PER_MOL / sum(counts.values())
                found.setdefault(composition_key(counts), (melting[0], per_atom))
    return found


def parse_or_none(formula: str) -> dict[str, int]:
    """Return the atoms of a formula, none where it has deuterium."""
    try:
        return parse_formula(formula)
    except DataError:
        return {}


def write_melting(volumes: dict[Key, float]) -> None:
    """Fit the coefficients of melting points and write their table."""
    described, logarithm, keys = [], [], []
    for key, (melting, energy) in melting_points().items():
        counts = dict(key)
        atoms = sum(counts.values())
        try:
            volume = volumes[key] / atoms if key in volumes else estimated_volume(counts).value
            described.append(melting_terms(counts, energy, volume))
        except DataError:
            continue
        logarithm.append(math.log(melting))
        keys.append(key)
    names = sorted({name for one in described for name in one})
    raw = np.array([[one.get(name, 0.0) for name in names] for one in described])
    kept = raw.std(axis=0) > 0.0
    names, raw = [name for name, k in zip(names, kept, strict=True) if k], raw[:, kept]
    mean, scale = raw.mean(axis=0), raw.std(axis=0)
    matrix = np.column_stack([np.ones(len(raw)), (raw - mean) / scale])
    y = np.array(logarithm)
    penalty = np.append(0.0, np.full(len(names), STRENGTH))
    fit = Fit(matrix, y, np.zeros(len(penalty)), penalty)
    median, two_thirds, ninety = quantiles(np.exp(-fit.left_out) - 1.0)
    is_share = np.array([name.startswith("share of ") for name in names])
    errors = np.where(is_share, fit.single_errors[1:], 0.0)
    spread = np.sqrt(((raw * errors / scale) ** 2).sum(axis=1))
    T = np.exp(y)
    lines = [
        "# Coefficients of ln(melting point in K) in centred and scaled descriptors (ridge): docs/estimates.py.",
        f"# Trained on {len(T)} compounds: CRC Handbook, {SOURCE}, and melting lines of NIST-JANAF (public domain).",
        f"# Left out one by one, two thirds of them are within {two_thirds:.0%}, nine of ten within {ninety:.0%}.",
        f"# median error: {median:.4f}",
        f"# scatter: {within(fit.left_out, spread):.4f}",
        f"# error of an element: {float(np.max(errors / scale)):.4f}",
        f"# lowest: {T.min():.2f}",
        f"# highest: {T.max():.2f}",
        "term,coefficient,standard_error,mean,scale",
        f"constant,{fit.coefficients[0]:.5f},,,",
    ]
    for k, name in enumerate(names):
        shown = f"{errors[k]:.5f}" if is_share[k] else ""
        lines.append(f"{name},{fit.coefficients[k + 1]:.5f},{shown},{mean[k]:.6g},{scale[k]:.6g}")
    (TARGET / "melting_point.csv").write_text("\n".join(lines) + "\n", "utf-8")
    print(f"melting points: {len(T)} compounds, {len(names)} terms, {median:.3f}, {two_thirds:.3f}, {ninety:.3f}")


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    known = measured_volumes()
    write_volumes(known)
    write_atomization()
    write_melting(known)
