"""What structures are measured on: one configuration, several, or frames of a trajectory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

MOST_FRAMES = 200
"""Frames of a trajectory analysed, evenly spread over it; more would be correlated."""
MOST_POSITIONS = 400_000
"""Frames times atoms of a trajectory analysed: each frame of a large box holds many neighbourhoods."""
FEWEST_FRAMES = 10


def chosen_frames(source: Configuration | Sequence[Configuration] | Trajectory, most: int = MOST_FRAMES) -> list[int]:
    """Return the numbers of the frames to analyse: all configurations, or evenly spread frames of a trajectory.

    Args:
        source: One configuration, several, or a trajectory.
        most: Frames of a trajectory; fewer where it has more than 400,000 / ``most`` atoms.

    Raises:
        DataError: Something else, or no configuration.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> chosen_frames(Trajectory.example(), 3)
        [0, 1000, 1999]
    """
    check_argument("source", source, "Configuration|Trajectory|list|tuple", "configurations or a trajectory")
    if isinstance(source, Configuration):
        return [0]
    if isinstance(source, Sequence):
        if not source:
            raise DataError("source: expected one configuration or more, got none.")
        for one in source:
            check_argument("source", one, "Configuration", "configurations")
        return list(range(len(source)))
    most = min(most, max(FEWEST_FRAMES, MOST_POSITIONS // source.n_atoms))
    return np.unique(np.linspace(0, source.n_frames - 1, min(source.n_frames, most)).round().astype(int)).tolist()


def frames_of(
    source: Configuration | Sequence[Configuration] | Trajectory, most: int = MOST_FRAMES
) -> Iterator[Configuration]:
    """Yield the frames to analyse; see ``chosen_frames``.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> len(list(frames_of(Trajectory.example(), 3)))
        3
    """
    for k in chosen_frames(source, most):
        if isinstance(source, Configuration):
            yield source
        elif isinstance(source, Sequence):
            yield source[k]
        else:
            yield Configuration(source.symbols, *source.frame(k))


def species_of(source: Configuration | Sequence[Configuration] | Trajectory) -> tuple[str, ...]:
    """Return the elements, in the order of their first atoms.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> species_of(Trajectory.example())
        ('Mg', 'O')
    """
    chosen_frames(source)
    parts = source if isinstance(source, Sequence) else (source,)
    return tuple(dict.fromkeys(symbol for part in parts for symbol in part.symbols))


def check_elements(wanted: Sequence[str], species: Sequence[str]) -> None:
    """Refuse elements that a structure does not have.

    Raises:
        DataError: One is missing.

    Example:
        >>> check_elements(["Ba"], ["Mg", "O"])
        Traceback (most recent call last):
        tammann.errors.DataError: there is no 'Ba' in this structure of Mg, O; name one of them.
    """
    for symbol in wanted:
        if symbol not in species:
            raise DataError(f"there is no {symbol!r} in this structure of {', '.join(species)}; name one of them.")
