"""Convert objects of other packages to trajectories, by duck typing: none of those packages is imported."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.trajectory.assemble import Snapshot, check_choice, collect, in_blocks, snapshots_as_frames
from tammann.trajectory.trajectory import Trajectory
from tammann.trajectory.unwrap import Frames, arrays_as_frames


def trajectory_from_arrays(
    positions: Any,
    cells: Any,
    symbols: Sequence[str],
    *,
    frame_interval_ps: float,
    images: Any = None,
    wrapped: bool = True,
    offsets: Any = None,
    temperature_K: float | None = None,
    source: str = "",
) -> Trajectory:
    """Convert plain arrays to a trajectory, unwrapping where needed (``unwrap``).

    Args:
        positions: Cartesian, shape (F, N, 3), Å.
        cells: Rows are lattice vectors, shape (3, 3) or (F, 3, 3), Å.
        symbols: Element of each atom, (N,).
        frame_interval_ps: Time from each frame to the next, ps.
        images: Shape (F, N, 3), whole numbers of lattice vectors to add to unwrap, or None for minimum images.
        wrapped: False where the positions are unwrapped already.
        offsets: Those of a ``Trajectory`` whose ``positions`` these are, shape (F, N, 3), Å, or None; with them nothing
            is unwrapped.
        temperature_K: Temperature of the simulation, K.
        source: Where the arrays are from.

    Raises:
        DataError: Shapes that do not fit, coordinates that are not finite, what ``unwrap`` and ``Trajectory`` refuse.

    Example:
        >>> import numpy as np
        >>> x = np.array([[[9.0, 0, 0]], [[0.5, 0, 0]]])
        >>> trajectory_from_arrays(x, 10.0 * np.eye(3), ["O"], frame_interval_ps=0.1).positions[:, 0, 0].tolist()
        [9.0, 10.5]
    """
    blocks = in_blocks(arrays_as_frames(positions, cells, symbols, images=images, wrapped=wrapped, offsets=offsets))
    return collect(
        blocks, wrapped=wrapped, frame_interval_ps=frame_interval_ps, temperature_K=temperature_K, source=source
    )


def trajectory_from_ase(
    frames: Iterable[Any],
    *,
    frame_interval_ps: float,
    wrapped: bool = True,
    temperature_K: float | None = None,
    source: str = "",
) -> Trajectory:
    """Convert ``Atoms`` of ASE, one for each frame, to a trajectory.

    ``frames`` may be any iterable, such as an open ``ase.io.Trajectory``; it is iterated once. Steps across the cell
    are undone by minimum images, which is right for wrapped and unwrapped positions; with ``wrapped=False`` positions
    are taken as they are, never folded back into the cell, as ASE's own dynamics leave them.

    Raises:
        DataError: Not ``Atoms``, not periodic, atoms that change, and what ``trajectory_from_arrays`` refuses.

    Example:
        >>> from ase import Atoms
        >>> frames = [Atoms("O", [[x, 0, 0]], cell=[10, 10, 10], pbc=True) for x in (9.0, 0.5)]
        >>> trajectory_from_ase(frames, frame_interval_ps=0.1).positions[:, 0, 0].tolist()
        [9.0, 10.5]
    """
    blocks = snapshots_as_frames(ase_snapshots(_iterate(frames, "ASE Atoms")), source)
    return collect(
        blocks, wrapped=wrapped, frame_interval_ps=frame_interval_ps, temperature_K=temperature_K, source=source
    )


def ase_snapshots(frames: Iterable[Any]) -> Iterator[Snapshot]:
    """Yield the snapshots of ``Atoms`` that are periodic in all directions."""
    numbers: np.ndarray | None = None
    symbols: tuple[str, ...] = ()
    for index, atoms in enumerate(frames):
        try:
            cell, periodic = np.array(atoms.cell, dtype=float), np.broadcast_to(atoms.pbc, 3)
            if numbers is None or not np.array_equal(numbers, atoms.numbers):
                numbers, symbols = atoms.numbers.copy(), tuple(atoms.get_chemical_symbols())
            positions = atoms.positions
        except AttributeError:
            raise DataError(f"frame {index} is a {type(atoms).__name__}, expected Atoms of ASE.") from None
        if not periodic.all():
            raise DataError(
                f"frame {index} has pbc {periodic.tolist()}, expected all of them true, as transport is per volume of "
                "a melt or solid without surfaces; set atoms.pbc and the cell."
            )
        yield positions, cell, symbols, None


def trajectory_from_pymatgen(
    frames: Any, *, frame_interval_ps: float, temperature_K: float | None = None, source: str = ""
) -> Trajectory:
    """Convert an object of pymatgen (``Trajectory``, ``Xdatcar``, or one ``Structure`` for each frame) to a trajectory.

    Fractional coordinates there may or may not be wrapped; steps across the cell are undone by minimum images, which is
    right for both. A ``time_step`` of the object is ignored, as it is that of the dynamics, not of the frames.

    Raises:
        DataError: Another object, molecules, sites of mixed occupation, and what ``trajectory_from_arrays`` refuses.

    Example:
        >>> from pymatgen.core import Structure
        >>> frames = [Structure(10.0 * np.eye(3), ["O"], [[x, 0, 0]]) for x in (0.9, 0.05)]
        >>> trajectory_from_pymatgen(frames, frame_interval_ps=0.1).positions[:, 0, 0].round(6).tolist()
        [9.0, 10.5]
    """
    if hasattr(frames, "coords_are_displacement"):
        blocks = in_blocks(_pymatgen_trajectory(frames))
    else:
        structures = getattr(frames, "structures", frames)
        blocks = snapshots_as_frames(_pymatgen_snapshots(_iterate(structures, "pymatgen Structures")), source)
    return collect(
        blocks, wrapped=True, frame_interval_ps=frame_interval_ps, temperature_K=temperature_K, source=source
    )


def _pymatgen_trajectory(frames: Any) -> Frames:
    # Its own conversions change the object, so they are done here on arrays.
    if frames.lattice is None:
        raise DataError(
            "this pymatgen Trajectory holds molecules without a lattice, expected one of a periodic system."
        )
    fractional = np.asarray(frames.coords, dtype=float)
    if frames.coords_are_displacement:
        if frames.base_positions is None:
            raise DataError("this pymatgen Trajectory has displacements without base_positions; give those, too.")
        fractional = np.asarray(frames.base_positions, dtype=float) + np.cumsum(fractional, axis=0)
    lattice = np.asarray(frames.lattice, dtype=float).reshape(-1, 3, 3)
    return arrays_as_frames(np.matmul(fractional, lattice), lattice, [_symbol(kind) for kind in frames.species])


def _pymatgen_snapshots(structures: Iterable[Any]) -> Iterator[Snapshot]:
    for index, structure in enumerate(structures):
        try:
            symbols = tuple(_symbol(site.specie) for site in structure)
            yield structure.cart_coords, structure.lattice.matrix, symbols, None
        except (AttributeError, TypeError):
            raise DataError(
                f"frame {index} is a {type(structure).__name__}, expected a Structure of pymatgen whose sites are "
                "fully occupied by one element."
            ) from None


def _symbol(kind: Any) -> str:
    """Return the element of a species: ``Ba``, ``Ba2+`` or an object with a symbol."""
    return re.sub(r"\d*[+-]?$", "", str(getattr(kind, "symbol", kind)))


def trajectory_from_mdanalysis(
    universe: Any,
    *,
    frame_interval_ps: float | None = None,
    types: Sequence[str] | None = None,
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    wrapped: bool = True,
    temperature_K: float | None = None,
) -> Trajectory:
    """Convert a ``Universe`` or an ``AtomGroup`` of MDAnalysis to a trajectory.

    Its lengths are Å, its times ps, its positions of single precision (about 1e-6 of their size). Without
    ``frame_interval_ps`` the universe must know its times; ``types`` are the elements of its types 1, 2, ... where the
    atoms have no elements. The other arguments are those of ``read_trajectory``.

    Raises:
        DataError: Another object, no cell, no elements, times that are unknown, and what ``trajectory_from_arrays``
            refuses.
    """
    check_choice(start, stop, every)
    atoms = getattr(universe, "atoms", None)
    frames = getattr(getattr(universe, "universe", universe), "trajectory", None)
    if atoms is None or frames is None:
        raise DataError(f"this is a {type(universe).__name__}, expected a Universe or AtomGroup of MDAnalysis.")
    symbols = _mdanalysis_symbols(atoms, types)
    timed = frame_interval_ps is None and _knows_times(frames)

    def snapshots() -> Iterator[Snapshot]:
        for frame in frames[start:stop:every]:
            cell = frame.triclinic_dimensions
            if cell is None:
                raise DataError(f"frame {frame.frame} has no cell (dimensions), expected that of a periodic system.")
            with warnings.catch_warnings():
                # MDAnalysis warns where it knows no times.
                warnings.simplefilter("ignore")
                time_ps = float(frame.time) if timed else None
            yield atoms.positions, np.array(cell, dtype=float), symbols, time_ps

    return collect(
        snapshots_as_frames(snapshots(), ""),
        wrapped=wrapped,
        frame_interval_ps=frame_interval_ps,
        temperature_K=temperature_K,
        source=str(getattr(frames, "filename", None) or ""),
        start=start,
        every=every,
    )


def _knows_times(frames: Any) -> bool:
    """Return whether MDAnalysis knows the times, rather than assuming 1 ps between frames."""
    if str(getattr(frames, "format", "")).upper() == "LAMMPSDUMP":
        # It assumes 1 ps a step unless told otherwise, and warns only once.
        return "dt" in getattr(frames, "_ts_kwargs", {})
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        known = "time" in frames.ts.data or float(frames.dt) > 0
    return known and not warned


def _mdanalysis_symbols(atoms: Any, types: Sequence[str] | None) -> tuple[str, ...]:
    if types is not None:
        try:
            elements = dict(enumerate(types, start=1))
            return tuple(elements[int(kind)] for kind in atoms.types)
        except (ValueError, KeyError, AttributeError):
            raise DataError(
                f"types names {len(types)} element(s), but the atoms have the types "
                f"{sorted(set(getattr(atoms, 'types', [])))[:8]}; name the element of each type 1, 2, ... in order."
            ) from None
    for name in ("elements", "types", "names"):
        # An attribute that a topology lacks raises an error of MDAnalysis that is an AttributeError.
        symbols = tuple(str(symbol).capitalize() for symbol in getattr(atoms, name, ()))
        if symbols and set(symbols) <= set(atomic_masses()):
            return symbols
    raise DataError(
        "the atoms of this universe have no elements (nor types or names that are elements); add them with "
        "add_TopologyAttr('elements', ...) or give types=('Ba', 'Ti', 'O'), the element of each type."
    )


def _iterate(frames: Any, what: str) -> Iterator[Any]:
    try:
        return iter(frames)
    except TypeError:
        raise DataError(f"this is a {type(frames).__name__}, expected {what}, one for each frame.") from None
