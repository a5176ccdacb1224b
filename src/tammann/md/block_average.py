"""Standard errors of means of correlated samples."""

from __future__ import annotations

import math

import numpy as np


def block_stderr(series: np.ndarray, *, blocks: int = 5) -> float:
    """Return the standard error of the mean of a correlated series, shape (M,), by block averaging.

    stderr = s/sqrt(b), with s the standard deviation of the means of b = ``blocks`` equal blocks, at least 2; valid
    where a block is several correlation times long.

    Reference:
        Flyvbjerg, Petersen, J. Chem. Phys. 1989, 91, 461, doi 10.1063/1.457480.

    Example:
        >>> import numpy as np
        >>> block_stderr(np.array([1.0, 1.0, 3.0, 3.0]), blocks=2)
        1.0
    """
    means = [float(np.mean(part)) for part in np.array_split(np.asarray(series, dtype=float), blocks) if part.size]
    if len(means) < 2:
        return math.inf
    return float(np.std(means, ddof=1) / math.sqrt(len(means)))
