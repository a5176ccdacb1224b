"""Measured patterns: reading the usual columns, and how well a computed curve agrees with them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tammann.errors import DataError

SEPARATORS = re.compile(r"[\s,;]+")
COMMENTS = ("#", "!", "'", "/", "*", "%", "[", "_", '"')
FEWEST = 3
"""Rows of a pattern."""


@dataclass(frozen=True, eq=False)
class MeasuredPattern:
    """Columns of a file: Q, two theta or r; what was measured; and its standard uncertainty where the file has it.

    Attributes:
        x: Shape (K,), rising.
        y: Shape (K,).
        sigma: Shape (K,), above 0, or None.
        header: Lines before and between the numbers.
    """

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray | None = None
    header: tuple[str, ...] = ()

    def __repr__(self) -> str:
        third = ", with uncertainties" if self.sigma is not None else ""
        return f"MeasuredPattern({len(self.x)} points from {self.x[0]:g} to {self.x[-1]:g}{third})"

    def within(self, low: float, high: float) -> MeasuredPattern:
        """Return the part between two values of x.

        Raises:
            DataError: Fewer than three points there.
        """
        kept = (self.x >= low) & (self.x <= high)
        if kept.sum() < FEWEST:
            raise DataError(f"between {low:g} and {high:g} are {kept.sum()} measured points, expected 3 or more: "
                            f"it goes from {self.x[0]:g} to {self.x[-1]:g}.")  # fmt: skip
        sigma = None if self.sigma is None else self.sigma[kept]
        return MeasuredPattern(self.x[kept], self.y[kept], sigma, self.header)


@dataclass(frozen=True, eq=False)
class Agreement:
    """A computed curve beside a measured one.

    Attributes:
        r_w: R_w = sqrt( sum w (y - y_calc)² / sum w y² ), 0 for a perfect fit.
        scale: Factor on the computed curve.
        background: Shape (K,), what was added to it.
        calculated: Shape (K,), scale times the curve plus background, at the measured x.
        measured: The part of the measurement compared.
    """

    r_w: float
    scale: float
    background: np.ndarray
    calculated: np.ndarray
    measured: MeasuredPattern

    def __repr__(self) -> str:
        return f"Agreement(R_w {self.r_w:.4f}, scale {self.scale:.4g}, {len(self.calculated)} points)"


def read_measured(path: str | os.PathLike[str]) -> MeasuredPattern:
    r"""Return the pattern in a file of two or three columns (.xy, .xye, .dat, .chi, .csv, .gr, .sq, .iq).

    Columns are x, y and, where there is a third, the standard uncertainty of y; more columns are ignored. They are
    separated by spaces, tabs, commas or semicolons. Lines that begin with a sign of comment, and all lines before the
    first two rows of numbers of equal length, are the header.

    Raises:
        DataError: No such file, a line that is no numbers among those that are, numbers that are not finite, x that
            does not rise, or fewer than three points.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "film.xye"
        ...     _ = path.write_text("# CuKa1\n20.0 105 10\n20.1 121 11\n20.2 98 10\n")
        ...     read_measured(path)
        MeasuredPattern(3 points from 20 to 20.2, with uncertainties)
    """
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give the path of a measured pattern.") from None
    rows: list[list[float]] = []
    header: list[str] = []
    numbers = [None if line.lstrip().startswith(COMMENTS) else _numbers(line) for line in lines]
    for k, (line, row) in enumerate(zip(lines, numbers, strict=True)):
        if not line.strip():
            continue
        # .chi and .xye files have a line with the number of points, or the wavelength, among their words
        alike = row is not None and len(row) >= 2
        if alike and not rows:
            following = next((n for n in numbers[k + 1 :] if n is not None or n == []), None)
            alike = following is not None and len(following) == len(row or ())
        if alike:
            assert row is not None
            if rows and len(row) != len(rows[0]):
                raise DataError(f"{path}, line {k + 1}: {len(row)} columns, expected {len(rows[0])} as before.")
            rows.append(row)
        elif rows and not line.lstrip().startswith(COMMENTS):
            raise DataError(
                f"{path}, line {k + 1}: expected numbers as in the lines before, got {line.strip()[:40]!r}."
            )
        else:
            header.append(line)
    if len(rows) < FEWEST:
        raise DataError(f"{path} has {len(rows)} rows of two or three numbers, expected a pattern of 3 or more.")
    table = np.array([row[:3] for row in rows])
    if not np.isfinite(table).all():
        bad = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
        raise DataError(f"{path}: point {bad + 1} has a value that is not finite; leave it out.")
    if (np.diff(table[:, 0]) <= 0.0).any():
        bad = int(np.flatnonzero(np.diff(table[:, 0]) <= 0.0)[0]) + 1
        raise DataError(f"{path}: the first column falls from {table[bad - 1, 0]:g} to {table[bad, 0]:g} at point "
                        f"{bad + 1}, expected it to rise; sort the file.")  # fmt: skip
    sigma = table[:, 2] if table.shape[1] > 2 else None
    if sigma is not None and not (sigma > 0.0).all():
        if (sigma != 0.0).any():
            raise DataError(f"{path}: the third column has values of {sigma.min():g}, expected uncertainties above 0.")
        sigma = None  # .gr files of some programs carry a column of zeros
    return MeasuredPattern(table[:, 0], table[:, 1], sigma, tuple(header))


def compare_with_measured(
    measured: MeasuredPattern,
    x: np.ndarray,
    y: np.ndarray,
    *,
    scale: bool = True,
    background_degree: int | None = None,
) -> Agreement:
    """Return R_w of a computed curve against a measured one, over the part of x that both cover.

    The curve is interpolated linearly at the measured points. Its scale, and the coefficients of a polynomial
    background, are those of least squares with the weights w = 1/sigma², 1 where there are no uncertainties; nothing
    else is fitted.

    Args:
        measured: Intensities against Q or two theta, or G(r) against r.
        x: Shape (K,), rising, of the same quantity and unit as the measured one.
        y: Shape (K,).
        scale: Fit the scale; 1 where not.
        background_degree: Of the polynomial, 0 for a constant; no background where None.

    Raises:
        DataError: Fewer than three common points, or a degree out of range.

    Example:
        >>> x = np.linspace(0.0, 6.0, 61)
        >>> compare_with_measured(MeasuredPattern(x, 3.0 * np.sin(x) + 1.0), x, np.sin(x), background_degree=0)
        Agreement(R_w 0.0000, scale 3, 61 points)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    part = measured.within(x[0], x[-1])
    if background_degree is not None and not 0 <= background_degree < min(20, len(part.x) - 1):
        raise DataError(f"background_degree is {background_degree}, expected 0 to 19 and fewer than the points.")
    weight = np.ones_like(part.y) if part.sigma is None else 1.0 / part.sigma
    curve = np.interp(part.x, x, y)
    middle = (2.0 * part.x - part.x[0] - part.x[-1]) / (part.x[-1] - part.x[0])
    powers = np.polynomial.chebyshev.chebvander(middle, background_degree or 0)
    columns = [curve[:, None]] * scale + [powers] * (background_degree is not None)
    factor, background = 1.0, np.zeros_like(curve)
    if columns:
        design = np.hstack(columns)
        target = part.y - (0.0 if scale else curve)
        found = np.linalg.lstsq(design * weight[:, None], target * weight, rcond=None)[0]
        factor = float(found[0]) if scale else 1.0
        if background_degree is not None:
            background = powers @ found[int(scale) :]
    calculated = factor * curve + background
    off, size = weight * (part.y - calculated), weight * part.y
    if not size.any():
        raise DataError("the measured values are all 0, so R_w is not defined.")
    return Agreement(float(np.sqrt(off @ off / (size @ size))), factor, background, calculated, part)


def _numbers(line: str) -> list[float] | None:
    """Return the numbers of a line, or None where it holds a word."""
    try:
        return [float(word) for word in SEPARATORS.split(line.strip()) if word]
    except ValueError:
        return None
