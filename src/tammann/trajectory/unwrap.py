"""Unwrap positions across the walls of a periodic cell of any shape, constant or fluctuating."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.errors import DataError

LARGEST_STEP = 0.4
"""Largest step between two frames, in heights of the cell, that minimum images are trusted with; at one half a step
cannot be told from one through the opposite wall, and where 0.4 occurs, one half is not far."""

_SAME = 1e-9
"""Relative difference up to which two lattices are the same."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Some consecutive frames, as a file holds them.

    Attributes:
        positions: Shape (F, N, 3), Å, Cartesian.
        cells: Shape (F, 3, 3) or (1, 3, 3), Å, rows are lattice vectors.
        symbols: Element of each atom.
        origins: Corner of the cell, shape (F, 3), Å, or None for zero.
        images: Shape (F, N, 3), numbers of lattice vectors to add to unwrap, or None.
        steps: Number of the time step of each frame, shape (F,), or None.
        times_ps: Time of each frame, shape (F,), ps, or None.
        offsets: Of positions that are sums of displacements, as those of ``Trajectory``, shape (F, N, 3), Å, or None.
    """

    positions: np.ndarray
    cells: np.ndarray
    symbols: tuple[str, ...] = ()
    origins: np.ndarray | None = None
    images: np.ndarray | None = None
    steps: np.ndarray | None = None
    times_ps: np.ndarray | None = None
    offsets: np.ndarray | None = None


def unwrap(
    positions: np.ndarray, cells: np.ndarray, *, images: np.ndarray | None = None, wrapped: bool = True
) -> np.ndarray:
    """Return unwrapped positions: paths that do not jump at the walls of the periodic cell.

    In a cell h that stays as it is, u = x + n·h with the images n: those given, or else counted by minimum images,
    which is right for steps shorter than half a height of the cell, however skewed it is, and refused beyond 0.4
    heights. Where the cell changes from frame to frame, the displacements of the wrapped positions w are added up,

        u(t+1) = u(t) + w(t+1) - w(t) + [n(t+1) - n(t)]·h(t+1),

    since x + n·h also moves by n·(h(t+1) - h(t)), without any diffusion and the more the farther the atom has gone.
    Lattice vectors that are exchanged for others of the same lattice (a flip of a triclinic box) change nothing.

    Args:
        positions: X, shape (F, N, 3), Å.
        cells: H, rows are lattice vectors, shape (F, 3, 3), (1, 3, 3) or (3, 3), Å.
        images: N, whole numbers, shape (F, N, 3), or None.
        wrapped: False where the positions are x + n·h already; ``images`` must then be None.

    Returns:
        u, shape (F, N, 3), Å.

    Raises:
        DataError: Shapes that do not fit, a lattice without volume or one that jumps, steps too long for minimum
            images.

    Reference:
        von Bülow, Bullerjahn & Hummer, J. Chem. Phys. 2020, 153, 021101, doi 10.1063/5.0008316; what goes wrong
        otherwise: Kulke & Vermaas, J. Chem. Theory Comput. 2022, 18, 6161, doi 10.1021/acs.jctc.2c00327.

    Example:
        >>> import numpy as np
        >>> x = np.array([[[9.0, 0, 0]], [[0.5, 0, 0]], [[2.0, 0, 0]]])
        >>> unwrap(x, 10.0 * np.eye(3))[:, 0, 0].tolist()
        [9.0, 10.5, 12.0]
    """
    block = arrays_as_frames(positions, cells, images=images, wrapped=wrapped)
    check_cells(block.cells, 0, 1)
    ((result, _),) = unwrapped([block], wrapped=wrapped, notes=[])
    return result


def arrays_as_frames(
    positions: Any,
    cells: Any,
    symbols: Sequence[str] | None = None,
    *,
    images: Any = None,
    wrapped: bool = True,
    offsets: Any = None,
) -> Frames:
    """Return plain arrays as frames after checking that their shapes fit."""
    try:
        positions = np.asarray(positions, dtype=float)
        cells = np.asarray(cells, dtype=float)
        images = None if images is None else np.asarray(images, dtype=float)
        offsets = None if offsets is None else np.asarray(offsets, dtype=np.float32)
    except (TypeError, ValueError):
        raise DataError(
            "positions, cells, images or offsets are not arrays of numbers of one shape per frame."
        ) from None
    cells = cells[None] if cells.ndim == 2 else cells
    atoms = positions.shape[1] if symbols is None and positions.ndim == 3 else len(symbols or ())
    if positions.ndim != 3 or positions.shape[1:] != (atoms, 3) or 0 in positions.shape:
        for_atoms = f"(frames, {atoms}, 3) for {atoms} symbols" if symbols else "(frames, atoms, 3), none of them zero"
        raise DataError(f"positions have shape {positions.shape}, expected {for_atoms}.")
    if cells.shape not in {(1, 3, 3), (len(positions), 3, 3)}:
        raise DataError(f"cells have shape {cells.shape}, expected (3, 3) or ({len(positions)}, 3, 3), one per frame.")
    if images is not None and not wrapped:
        raise DataError("images are given with wrapped=False; give images for wrapped positions, or neither.")
    if images is not None and images.shape != positions.shape:
        raise DataError(f"images have shape {images.shape}, expected that of positions, {positions.shape}.")
    if offsets is not None and images is not None:
        raise DataError("images are given with offsets, which belong to unwrapped positions; leave out one of them.")
    if offsets is not None and offsets.shape != positions.shape:
        raise DataError(f"offsets have shape {offsets.shape}, expected that of positions, {positions.shape}.")
    return Frames(positions, cells, tuple(map(str, symbols or ())), images=images, offsets=offsets)


def volumes(cells: np.ndarray) -> np.ndarray:
    """Return a·(b x c) of cells of shape (F, 3, 3), shape (F,), Å³; negative for left-handed lattice vectors."""
    return np.asarray(np.einsum("fi,fi->f", cells[:, 0], np.cross(cells[:, 1], cells[:, 2])))


def check_cells(cells: np.ndarray, first: int, every: int) -> None:
    """Refuse lattices whose volume is not above zero; ``first`` and ``every`` say which frames of the file they are."""
    with np.errstate(over="ignore", invalid="ignore"):
        volume = volumes(cells)
        lengths = np.prod(np.linalg.norm(cells, axis=2), axis=1)
        wrong = ~((volume > 1e-9 * lengths) & np.isfinite(lengths))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(
            f"frame {first + every * k}: the lattice {cells[k].tolist()} has the volume {volume[k]:g} Å³, expected "
            "more than zero (three right-handed lattice vectors, Å); correct the cell."
        )


def unwrapped(
    blocks: Iterable[Frames], *, wrapped: bool, notes: list[str], first: int = 0, every: int = 1, advice: str = ""
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Unwrap frames block by block, as ``unwrap``, and say in ``notes`` what was done.

    With each block come its offsets (``Trajectory``), float32, or None as long as the cell has not changed. Frames that
    have offsets already stay as they are. ``first`` and ``every`` number the frames in messages.
    """
    # Of the last frame: fractional coordinates and images of the wrapped position, the lattice-view position, the path.
    s_before = n_before = x_before = u_before = cell_before = basis_before = origin_before = np.empty(0)
    constant = True
    longest: float | None = None
    for number, block in enumerate(blocks):
        if block.offsets is not None:
            constant = False
            yield block.positions, block.offsets
            continue
        count = len(block.positions)
        cells = np.broadcast_to(block.cells, (count, 3, 3))
        origins = np.broadcast_to(np.zeros(3) if block.origins is None else block.origins, (count, 3))
        if number == 0:
            cell_before, basis_before, origin_before = cells[0], cells[0], origins[0]
        basis = _continuous_bases(cells, cell_before, basis_before, first, every)
        same = np.abs(basis - basis_before).max() <= _SAME * np.abs(basis_before).max()

        if block.images is not None:
            x = block.positions + np.matmul(block.images, cells)
        elif not wrapped:
            x = block.positions
        else:
            s = np.matmul(block.positions - origins[:, None], np.linalg.inv(basis))
            if number == 0:
                s_before, n_before = s[0], np.zeros_like(s[0])
            steps = np.diff(s, axis=0, prepend=s_before[None])
            walls = np.rint(steps)
            steps -= walls
            longest = max(longest or 0.0, _longest(steps, first, every, advice))
            n = n_before - np.cumsum(walls, axis=0)
            x = block.positions + np.matmul(n, basis)
            s_before, n_before = s[-1], n[-1]

        offsets = None
        if constant and same:
            u = x
        else:
            if number == 0:
                x_before, u_before = x[0], x[0]
            # The lattice-view positions are wrapped again; what counts is how the number of images changes.
            x_all = np.concatenate([x_before[None], x])
            h = np.concatenate([basis_before[None], basis])
            corner = np.concatenate([origin_before[None], origins])
            images = np.floor(np.matmul(x_all - corner[:, None], np.linalg.inv(h)))
            w = x_all - np.matmul(images, h)
            u = np.diff(w, axis=0) + np.matmul(np.diff(images, axis=0), h[1:])
            u[0] += u_before
            np.cumsum(u, axis=0, out=u)
            offsets = (u - x).astype(np.float32)
            constant = False
        x_before, u_before = x[-1].copy(), u[-1].copy()
        cell_before, basis_before, origin_before = cells[-1].copy(), basis[-1].copy(), origins[-1].copy()
        first += every * count
        yield u, offsets
    if longest is not None:
        notes.append(
            f"Unwrapped by minimum images: the longest step between two frames is {longest:.2f} heights of the cell; "
            "steps of more than half a height would not be seen."
        )
    if not constant:
        notes.append(
            "The cell changes from frame to frame: displacements of the wrapped positions were added up (doi "
            "10.1063/5.0008316)."
        )


def _continuous_bases(
    cells: np.ndarray, cell_before: np.ndarray, basis_before: np.ndarray, first: int, every: int
) -> np.ndarray:
    """Return the lattices in bases that vary continuously, shape (F, 3, 3)."""
    before = np.concatenate([cell_before[None], cells[:-1]])
    change = np.matmul(cells, np.linalg.inv(before))
    whole = np.rint(change)
    # Other vectors of the same lattice have the same volume.
    strange = (np.abs(change - whole).max(axis=(1, 2)) > 0.25) | (np.abs(np.abs(np.linalg.det(whole)) - 1) > 0.5)
    if strange.any():
        k = first + every * int(np.argmax(strange))
        raise DataError(
            f"frame {k}: its lattice differs from that of the frame before by more than a quarter, expected one that "
            "changes little from frame to frame; are these frames of one run?"
        )
    if (whole == np.eye(3)).all() and (cell_before == basis_before).all():
        return cells
    basis = np.empty_like(cells)
    # basis = turned·cell; a flip multiplies the cell by a whole matrix and ``turned`` by its inverse.
    turned = np.matmul(basis_before, np.linalg.inv(cell_before))
    for k in range(len(cells)):
        turned = np.rint(np.matmul(turned, np.linalg.inv(whole[k])))
        basis[k] = turned @ cells[k]
    return basis


def _longest(steps: np.ndarray, first: int, every: int, advice: str) -> float:
    """Return the longest of steps, shape (F, N, 3), in heights of the cell; refuse one too long for minimum images."""
    longest = float(max(steps.max(), -steps.min()))
    if longest <= LARGEST_STEP:
        return longest
    frame, atom, _ = np.unravel_index(np.argmax(np.abs(steps)), steps.shape)
    raise DataError(
        f"frame {first + every * int(frame)}: atom {int(atom) + 1} moved by {longest:.2f} heights of the cell since "
        f"the frame before, and beyond {LARGEST_STEP:g} minimum images cannot tell through which wall; "
        f"{advice or 'give unwrapped positions or images (LAMMPS: xu yu zu, or ix iy iz)'}, or write frames closer in "
        "time."
    )
