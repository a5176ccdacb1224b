"""What structures are measured on: one configuration, several, or frames of a trajectory; and how files hold them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.structures.configuration import Configuration
from tammann.structures.read import is_dump, read_samples, read_structures

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

MOST_FRAMES = 200
"""Frames of a trajectory analysed, evenly spread over it; more would be correlated."""
MOST_POSITIONS = 400_000
"""Frames times atoms of a trajectory analysed: each frame of a large box holds many neighbourhoods."""
FEWEST_FRAMES = 10
TRAJECTORIES = (".npz", ".lammpstrj", ".dump", ".gz", ".bz2", ".xz")
"""Files that are read as trajectories, whatever ASE would make of them."""


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
    return _spread(source.n_frames, _most_of(source.n_atoms, most))


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


def read_frames(
    path: str | os.PathLike[str], *, frames: int = MOST_FRAMES, frame: int | None = None, types: str | None = None
) -> tuple[Configuration, ...]:
    r"""Return evenly spread frames of a file, or a single one.

    Dumps of LAMMPS and compressed files are read as trajectories, one frame at a time; the rest as structures, whose
    frames may have different atoms.

    Args:
        path: A trajectory in any format of ``read_trajectory``, or structures in any that ASE reads.
        frames: Most frames; fewer of those with more than 400,000 / ``frames`` atoms.
        frame: Only this one, counted from 0, or from the end where it is below 0.
        types: Elements of the atom types of a dump that does not name them, separated by commas.

    Raises:
        DataError: The file cannot be read, has no cell or no such frame, or does not tell the elements of its atoms.

    Example:
        >>> import pathlib, tempfile
        >>> text = '2\nLattice="4 0 0 0 4 0 0 0 4"\nCs 0 0 0\nCl 2 2 2\n'
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "run.xyz"
        >>> _ = file.write_text(5 * text)
        >>> len(read_frames(file, frames=3)), len(read_frames(file, frame=-1))
        (3, 1)
    """
    return _frames_in(Path(path), lambda file: (read_structures(file), True), frames, frame, types)[0]


def read_sample_frames(
    path: str | os.PathLike[str], *, frames: int = MOST_FRAMES, frame: int | None = None, types: str | None = None
) -> tuple[tuple[Configuration, ...], bool]:
    r"""Return frames of a file as ``read_frames``, in vacuum where they have no cell, and whether they are periodic.

    Raises:
        DataError: As ``read_frames``, or only some of the frames are periodic.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "dimer.xyz"
        >>> _ = file.write_text("2\n\nAr 0 0 0\nAr 0 0 3.8\n")
        >>> read_sample_frames(file)
        ((Configuration(Ar, 2 atoms, 9520.0 Å3),), False)
    """
    return _frames_in(Path(path), read_samples, frames, frame, types)


def _frames_in(
    file: Path,
    read: Callable[[Path], tuple[tuple[Configuration, ...], bool]],
    frames: int,
    frame: int | None,
    types: str | None,
) -> tuple[tuple[Configuration, ...], bool]:
    if frames < 1:
        raise DataError(f"frames: expected a number from 1, got {frames}.")
    if types is None and file.suffix.lower() not in TRAJECTORIES and not is_dump(file):
        every, periodic = read(file)
        if frame is not None:
            _check_frame(file, frame, len(every))
            return (every[frame],), periodic
        return tuple(every[k] for k in _spread(len(every), _most_of(every[0].n_atoms, frames))), periodic
    from tammann.trajectory.read import iterate_configurations

    configurations = iterate_configurations(file, types=None if types is None else types.split(","))
    if frame is not None:
        held: deque[Configuration] = deque(maxlen=max(1, -frame))
        n = 0
        for one in configurations:
            held.append(one)
            n += 1
            if n == frame + 1:
                break
        _check_frame(file, frame, n)
        return (held[0],), True
    kept: list[Configuration] = []
    step = 1
    for k, one in enumerate(configurations):
        if k % step == 0:
            kept.append(one)
            if len(kept) == 2 * _most_of(one.n_atoms, frames):  # of a longer file fewer are kept
                kept, step = kept[::2], 2 * step
    if not kept:
        raise DataError(f"{file.name}: expected a whole frame, got none; has the run begun?")
    return tuple(kept[k] for k in _spread(len(kept), _most_of(kept[0].n_atoms, frames))), True


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


def _most_of(n_atoms: int, most: int) -> int:
    return min(most, max(FEWEST_FRAMES, MOST_POSITIONS // n_atoms))


def _spread(n_frames: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, n_frames - 1, min(n_frames, most)).round().astype(int)).tolist()


def _check_frame(file: Path, frame: int, n_frames: int) -> None:
    if not -n_frames <= frame < n_frames:
        raise DataError(
            f"{file.name}: expected a frame from 0 to {n_frames - 1}, or from -{n_frames} to -1 counted from the end, "
            f"got {frame}."
        )
