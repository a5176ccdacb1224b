"""The positions of atoms in time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
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

    Attributes:
        symbols: Element of each atom, (N,).
        positions: Unwrapped, shape (F, N, 3), Å, float64, read-only; of a large file a memory-mapped array.
        cells: Rows are lattice vectors, shape (F, 3, 3), Å; (1, 3, 3) where the cell does not change.
        frame_interval_ps: Time from each frame to the next, ps.
        temperature_K: Temperature of the simulation, K, or None where it is not known.
        source: Where the frames come from.
        notes: What a user must know, one sentence each.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(str(symbol) for symbol in self.symbols))
        object.__setattr__(self, "notes", tuple(self.notes))
        for name in ("positions", "cells"):
            array = np.asanyarray(getattr(self, name), dtype=np.float64).view()
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

    def frame(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return positions, shape (N, 3), Å, and cell, shape (3, 3), Å, of frame ``k``."""
        return np.asarray(self.positions[k]), self.cells[k if len(self.cells) > 1 else 0]

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
