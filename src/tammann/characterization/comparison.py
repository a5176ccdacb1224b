"""How well the pair distributions of a model agree with those of a reference: R², of two files or folders of them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.frames import read_frames
from tammann.characterization.rdf import BIN_A, PairDistribution, pair_distribution
from tammann.errors import DataError
from tammann.files import read_text, write_text

if TYPE_CHECKING:
    import pandas as pd


NO_STRUCTURES = (".png", ".pdf", ".svg", ".html", ".json", ".yaml", ".yml", ".md", ".log")
"""Files of these endings in a folder are passed over."""


@dataclass(frozen=True, eq=False, repr=False)
class DistributionComparison:
    """Agreement of two sets of pair distributions.

    Attributes:
        r_squared: 1 - sum (g - g_ref)² / sum (g_ref - <g_ref>)² over all pairs of elements and distances together; 1
            for equal ones, 0 for a model as far off as the mean of the reference, below 0 for worse.
        by_pair: The same for each pair of elements alone.
        cutoff_A: Largest distance compared, Å.
        bin_A: Width of the common bins, Å.
    """

    r_squared: float
    by_pair: dict[tuple[str, str], float]
    cutoff_A: float
    bin_A: float

    def __repr__(self) -> str:
        return f"DistributionComparison(R² = {self.r_squared:.4f} to {self.cutoff_A:g} Å)"


def r_squared(reference: PairDistribution, model: PairDistribution) -> float:
    """Return R² between the pair distributions of a model and of a reference, all pairs of elements together.

    Raises:
        DataError: They are of other elements, or have no distance in common.
    """
    return compare_distributions(reference, model).r_squared


def compare_distributions(
    reference: PairDistribution, model: PairDistribution, *, from_A: float = 0.0, cutoff_A: float | None = None
) -> DistributionComparison:
    """Compare all partial g(r) of a model with those of a reference, on the wider bins of the two.

    The finer distribution is averaged over the wider bins so that pairs are kept.

    Args:
        reference: Of ab initio dynamics or a measurement, say.
        model: Of a potential, say; of the same elements, in any order.
        from_A: Least distance, Å. Distances below the first contact, where both are 0, add nothing to the difference
            and something to the spread.
        cutoff_A: Largest distance, Å; that of the shorter one where None.

    Raises:
        DataError: They are of other elements, have no distance in common, or no pair of atoms there.

    Example:
        >>> from tammann.structures import Configuration
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> one, finer = (pair_distribution(cscl, cutoff_A=6.0, bin_A=b) for b in (0.1, 0.05))
        >>> compare_distributions(one, finer)
        DistributionComparison(R² = 1.0000 to 6 Å)
    """
    if set(reference.species) != set(model.species):
        raise DataError(
            f"model: expected pair distributions of {', '.join(reference.species)}, got those of "
            f"{', '.join(model.species)}; compare structures of the same elements."
        )
    width = max(reference.bin_A, model.bin_A)
    end = min(one.r_A[-1] + 0.5 * one.bin_A for one in (reference, model))
    if cutoff_A is not None:
        end = min(end, cutoff_A)
    bins = int((end - from_A) / width + 1e-9)
    if from_A < 0 or bins < 2:
        raise DataError(
            f"from_A, cutoff_A: expected two bins of {width:g} Å or more between them, got {from_A:g} to {end:g} Å."
        )
    edges = from_A + width * np.arange(bins + 1)
    references = np.array([_averaged(reference, pair, edges) for pair in reference.pairs])
    models = np.array([_averaged(model, pair, edges) for pair in reference.pairs])
    if not references.any() and not models.any():
        raise DataError(
            f"cutoff_A: expected a pair of atoms between {from_A:g} and {end:g} Å, got none; give a longer one."
        )
    by_pair = {pair: _r_squared(a, b) for pair, a, b in zip(reference.pairs, references, models, strict=True)}
    return DistributionComparison(_r_squared(references, models), by_pair, float(edges[-1]), width)


def compare_files(
    reference: str | os.PathLike[str],
    model: str | os.PathLike[str],
    *,
    cutoff_A: float | None = None,
    bin_A: float = BIN_A,
    from_A: float = 0.0,
    threads: int | None = None,
) -> DistributionComparison:
    """Compare the pair distributions of two files.

    Args:
        reference: A table as ``save_distribution`` writes it, or frames in any format that ASE reads.
        model: The same.
        cutoff_A: Largest distance, Å; where None that of the tables, half the height of the cells, 20 Å at most.
        bin_A: Width of the bins of distributions made of frames, Å.
        from_A: Least distance, Å.
        threads: Cores; all of them where None.

    Raises:
        DataError: A file cannot be read, or they have nothing to compare.
    """
    one, other = (
        load_distribution(path, cutoff_A=cutoff_A, bin_A=bin_A, threads=threads) for path in (reference, model)
    )
    return compare_distributions(one, other, from_A=from_A, cutoff_A=cutoff_A)


def compare_folders(
    reference: str | os.PathLike[str],
    model: str | os.PathLike[str],
    *,
    cutoff_A: float | None = None,
    bin_A: float = BIN_A,
    from_A: float = 0.0,
    threads: int | None = None,
) -> pd.DataFrame:
    """Compare files of the same name, whatever its ending, in two folders.

    Args:
        reference: Folder of references.
        model: Folder of models; further files in it are left out.
        cutoff_A: As for ``compare_files``, and so are the others.
        bin_A: Å.
        from_A: Å.
        threads: Cores.

    Returns:
        A row for each pair of files: ``name``, ``r_squared``, ``cutoff_A`` and R² of each pair of elements, such as
        ``Zr-S``.

    Raises:
        DataError: No folder, no reference, a reference without a model, or files that cannot be compared.
    """
    import pandas as pd

    references, models = _files_of(reference), _files_of(model)
    if missing := sorted(set(references) - set(models)):
        raise DataError(
            f"{Path(model).name}: expected a file named {missing[0]}, as in {Path(reference).name}, got none."
        )
    rows = []
    for name, path in references.items():
        try:
            found = compare_files(path, models[name], cutoff_A=cutoff_A, bin_A=bin_A, from_A=from_A, threads=threads)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        pairs = {"-".join(pair): value for pair, value in found.by_pair.items()}
        rows.append({"name": name, "r_squared": found.r_squared, "cutoff_A": found.cutoff_A} | pairs)
    return pd.DataFrame(rows)


def save_distribution(distribution: PairDistribution, path: str | os.PathLike[str]) -> None:
    """Write pair distributions and running coordination numbers as a CSV table; see ``PairDistribution.table``."""
    write_text(path, distribution.table().to_csv(index=False, float_format="%.9g"))


def load_distribution(
    path: str | os.PathLike[str], *, cutoff_A: float | None = None, bin_A: float = BIN_A, threads: int | None = None
) -> PairDistribution:
    """Return the pair distributions in a CSV table, or of the frames in a file of structures.

    Args:
        path: A table with the columns ``r_A`` (middles of bins of equal width from 0) and ``A-B`` for each pair of
            elements, or frames in any format of ``read_frames``, of which at most 200 evenly spread ones count.
        cutoff_A: Largest distance, Å, of distributions made of frames.
        bin_A: Width of their bins, Å.
        threads: Cores; all of them where None.

    Raises:
        DataError: The file cannot be read, or lacks a column.
    """
    file = Path(path)
    if file.suffix.lower() == ".csv":
        return _from_table(file)
    return pair_distribution(read_frames(file), cutoff_A=cutoff_A, bin_A=bin_A, threads=threads)


def _from_table(file: Path) -> PairDistribution:
    import pandas as pd

    text = read_text(file, error=DataError)
    expected = "a table with the columns r_A (middles of bins of equal width from 0) and A-B for each pair of elements"
    try:
        table = pd.read_csv(io.StringIO(text)).astype(float)
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{file.name}: expected {expected}, got something else ({error}).") from None
    pairs = [tuple(name.split("-")) for name in table if "-" in name and " " not in name]
    species = tuple(dict.fromkeys(symbol for pair in pairs for symbol in pair))
    r = table["r_A"].to_numpy() if "r_A" in table else np.empty(0)
    n = len(species)
    if (
        len(r) < 2
        or not np.allclose(r, r[0] * (2 * np.arange(len(r)) + 1), rtol=1e-6)
        or not table.notna().all(axis=None)
    ):
        raise DataError(f"{file.name}: expected {expected}, got other distances or empty places.")
    if {frozenset(pair) for pair in pairs} != {frozenset((a, b)) for a in species for b in species} or not n:
        raise DataError(f"{file.name}: expected {expected}, got {', '.join('-'.join(p) for p in pairs) or 'none'}.")
    partial, coordination = np.empty((n, n, len(r))), np.full((n, n, len(r)), np.nan)
    for a, b in pairs:
        i, j = species.index(a), species.index(b)
        partial[i, j] = partial[j, i] = table[f"{a}-{b}"]
    for i, a in enumerate(species):
        for j, b in enumerate(species):
            if f"n {a}-{b}" in table:
                coordination[i, j] = table[f"n {a}-{b}"]
    total = table["total"].to_numpy() if "total" in table else np.full(len(r), np.nan)
    return PairDistribution(species, r, partial, total, coordination, None, np.full(n, np.nan), 0)


def _files_of(folder: str | os.PathLike[str]) -> dict[str, Path]:
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"{place.name}: expected a folder, got none of this name; check its spelling.")
    files: dict[str, Path] = {}
    for file in sorted(place.iterdir()):
        if not file.is_file() or file.name.startswith("."):
            continue
        if file.suffix.lower() in NO_STRUCTURES or _other_table(file):
            continue
        if file.stem in files:
            raise DataError(f"{place.name}: expected one file named {file.stem}, got two; take one of them away.")
        files[file.stem] = file
    if not files:
        raise DataError(f"{place.name}: expected files to compare, got an empty folder.")
    return files


def _other_table(file: Path) -> bool:
    """Whether it is a table of something else than g(r), as ``tammann structure analyse`` writes several."""
    if file.suffix.lower() != ".csv":
        return False
    with file.open(encoding="utf-8", errors="replace") as lines:
        return not lines.readline().startswith("r_A,")


def _averaged(distribution: PairDistribution, pair: tuple[str, str], edges: np.ndarray) -> np.ndarray:
    """Return g(r) averaged over bins with other edges, so that the integral of g r² is kept."""
    own = np.append(0.0, distribution.r_A + 0.5 * distribution.bin_A)
    integral = np.append(0.0, np.cumsum(distribution.g(*pair) * np.diff(own**3)))
    # within a bin g is constant, so the integral is linear in r³
    return np.asarray(np.diff(np.interp(edges**3, own**3, integral)) / np.diff(edges**3))


def _r_squared(reference: np.ndarray, model: np.ndarray) -> float:
    spread = float(((reference - reference.mean()) ** 2).sum())
    off = float(((model - reference) ** 2).sum())
    if spread <= 1e-18 * float((reference**2).sum()):  # a flat reference has nothing to explain
        return 1.0 if off <= spread else -np.inf
    return 1.0 - off / spread
