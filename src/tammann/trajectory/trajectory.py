"""The positions of atoms in time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.files import whole_path
from tammann.trajectory.unwrap import check_cells, volumes


def check_symbols(symbols: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the symbols after checking that each is an element."""
    symbols = tuple(symbols)
    for symbol in dict.fromkeys(symbols):
        if symbol not in atomic_masses():
            raise DataError(
                f"{where} has {symbol!r}, which is not an element; give the elements (LAMMPS: types=('Ba', 'Ti', "
                "'O'), the element of each type)."
            )
    return symbols


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """Unwrapped positions of the atoms of a periodic system at equal intervals of time.

    Where the cell changes, unwrapped positions are sums of displacements (``unwrap``), right for diffusion, but no
    longer the crystal modulo the cell of their frame; ``offsets`` are what lies between, and ``cell_positions`` and
    ``frame``, from which all structure is measured, take them off.

    Attributes:
        symbols: Element of each atom, (N,).
        positions: Unwrapped, shape (F, N, 3), Å, float64, read-only; of a large file a memory-mapped array.
        cells: Rows are lattice vectors, shape (F, 3, 3), Å; (1, 3, 3) where the cell does not change.
        frame_interval_ps: Time from each frame to the next, ps.
        temperature_K: Temperature of the simulation, K, or None where it is not known.
        source: Where the frames come from.
        notes: What a user must know, one sentence each.
        offsets: Unwrapped positions less those that fit the cell of their frame, shape (F, N, 3), Å, float32,
            read-only; None for zero, as in a cell that does not change.

    Raises:
        DataError: Shapes that do not fit, fewer than two frames, an unknown element, a lattice without volume, an
            interval or temperature that is not above zero.

    Example:
        >>> import numpy as np
        >>> walk = Trajectory(("O", "O"), np.zeros((5, 2, 3)), 10.0 * np.eye(3)[None], 0.1, temperature_K=1500.0)
        >>> walk
        Trajectory(O2: 2 atoms, 5 frames 0.1 ps apart, 0.4 ps, 1500 K)
        >>> walk.volume_A3
        1000.0
    """

    symbols: tuple[str, ...]
    positions: np.ndarray
    cells: np.ndarray
    frame_interval_ps: float
    temperature_K: float | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    offsets: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(str(symbol) for symbol in self.symbols))
        object.__setattr__(self, "notes", tuple(self.notes))
        for name, kind in (("positions", np.float64), ("cells", np.float64), ("offsets", np.float32)):
            if getattr(self, name) is None and name == "offsets":
                continue
            array = np.asanyarray(getattr(self, name), dtype=kind).view()
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if self.positions.ndim != 3 or self.positions.shape[2] != 3 or self.positions.shape[1] != len(self.symbols):
            raise DataError(
                f"positions have shape {self.positions.shape}, expected (frames, {len(self.symbols)}, 3) for "
                f"{len(self.symbols)} symbols."
            )
        if not self.symbols:
            raise DataError("symbols are empty, expected the element of each atom, one or more.")
        if len(self.positions) < 2:
            raise DataError(f"positions have {len(self.positions)} frame(s), expected at least 2; give more frames.")
        if self.cells.shape not in {(1, 3, 3), (len(self.positions), 3, 3)}:
            raise DataError(
                f"cells have shape {self.cells.shape}, expected (1, 3, 3) or ({len(self.positions)}, 3, 3), one per "
                "frame."
            )
        if self.offsets is not None and self.offsets.shape != self.positions.shape:
            raise DataError(f"offsets have shape {self.offsets.shape}, expected that of positions.")
        check_cells(self.cells, 0, 1)
        check_symbols(self.symbols, "symbols")
        if not 1e-9 <= self.frame_interval_ps <= 1e9:
            raise DataError(f"frame_interval_ps is {self.frame_interval_ps}, expected a time above 0 ps, at most 1e9.")
        if self.temperature_K is not None and not 0 < self.temperature_K <= 1e5:
            raise DataError(
                f"temperature_K is {self.temperature_K}, expected a number above 0 K and up to 1e5, or none."
            )

    @classmethod
    def example(cls) -> Trajectory:
        """Return independent random walks at 3000 K, of 10 Mg and 10 O with D = 1.25e-10 m²/s, to try functions on.

        Example:
            >>> Trajectory.example()
            Trajectory(MgO: 20 atoms, 2000 frames 0.1 ps apart, 199.9 ps, 3000 K)
        """
        steps = 0.05 * np.random.default_rng(1).normal(size=(2000, 20, 3))  # Å along each axis
        return cls(("Mg", "O") * 10, steps.cumsum(axis=0), 20.0 * np.eye(3)[None], 0.1, temperature_K=3000.0)

    @property
    def n_frames(self) -> int:
        """Number of frames, F."""
        return len(self.positions)

    @property
    def n_atoms(self) -> int:
        """Number of atoms, N."""
        return len(self.symbols)

    @property
    def duration_ps(self) -> float:
        """Time from the first frame to the last, ps."""
        return (self.n_frames - 1) * self.frame_interval_ps

    @cached_property
    def species(self) -> tuple[str, ...]:
        """The elements, in the order of their first atoms."""
        return tuple(dict.fromkeys(self.symbols))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of atoms of each element, in the order of ``species``."""
        return {symbol: self.symbols.count(symbol) for symbol in self.species}

    @cached_property
    def formula(self) -> str:
        """Reduced formula, by electronegativity: cations first, oxygen last."""
        from pymatgen.core.composition import Composition

        with warnings.catch_warnings():
            # Noble gases have no electronegativity.
            warnings.simplefilter("ignore")
            return str(Composition(self.counts).reduced_formula)

    @cached_property
    def volume_A3(self) -> float:
        """Volume of the cell, Å³, the mean over the frames where it changes."""
        return float(volumes(self.cells).mean())

    def atoms_of(self, symbol: str) -> np.ndarray:
        """Return the indices of the atoms of an element, int64.

        Raises:
            DataError: There is none.
        """
        if symbol not in self.counts:
            raise DataError(
                f"there is no {symbol!r} in this trajectory of {', '.join(self.species)}; name one of them."
            )
        return np.flatnonzero(np.array(self.symbols) == symbol)

    def cell_positions(self, frames: int | slice) -> np.ndarray:
        """Return positions that are the structure modulo the cell of each frame, Å, shape (N, 3) or (frames, N, 3).

        They are continuous in time and not folded into the cell: the unwrapped ones less ``offsets``.
        """
        positions = np.asarray(self.positions[frames])
        return positions if self.offsets is None else positions - self.offsets[frames]

    def frame(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return positions as ``cell_positions``, shape (N, 3), Å, and cell, shape (3, 3), Å, of frame ``k``."""
        return self.cell_positions(k), self.cells[k if len(self.cells) > 1 else 0]

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Trajectory:
        """Return some of the frames, as a view: nothing is copied.

        Raises:
            DataError: Fewer than two frames are left, or a step below one.
        """
        if step < 1:
            raise DataError(f"step is {step}, expected 1 or more; frames cannot run backwards.")
        chosen = slice(start, stop, step)
        return replace(
            self,
            positions=self.positions[chosen],
            cells=self.cells if len(self.cells) == 1 else self.cells[chosen],
            frame_interval_ps=self.frame_interval_ps * step,
            offsets=None if self.offsets is None else self.offsets[chosen],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file .npz that ``read_trajectory`` gives back as it is, without ``notes``.

        Example:
            >>> import pathlib, tempfile
            >>> from tammann.trajectory import read_trajectory
            >>> file = pathlib.Path(tempfile.mkdtemp()) / "walk.npz"
            >>> Trajectory.example().save(file)
            >>> read_trajectory(file).formula
            'MgO'
        """
        known: dict[str, Any] = {"offsets": self.offsets, "temperature_K": self.temperature_K}
        known = {name: value for name, value in known.items() if value is not None}
        with whole_path(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                positions=self.positions,
                cells=self.cells,
                symbols=np.array(self.symbols),
                wrapped=False,
                frame_interval_ps=self.frame_interval_ps,
                **known,
            )

    def __repr__(self) -> str:
        warm = "" if self.temperature_K is None else f", {self.temperature_K:g} K"
        varying = "" if len(self.cells) == 1 else ", cell varying"
        source = f", from {self.source}" if self.source else ""
        text = (
            f"Trajectory({self.formula}: {self.n_atoms} atoms, {self.n_frames} frames {self.frame_interval_ps:g} ps "
            f"apart, {self.duration_ps:g} ps{warm}{varying}{source})"
        )
        return text if len(text) <= 120 else text[:116] + "...)"
