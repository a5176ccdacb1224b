"""Phonons of a crystal, by finite displacements with phonopy (the extra ``phonons``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.potentials.calculators import muted
from tammann.potentials.response import respond
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    import pandas as pd

DISPLACEMENT_A = 0.02
"""Displacement of each atom, Å: what phonopy takes for others, 0.01, is little for forces in single precision."""
IMAGINARY_THZ = -0.1
"""Frequencies below are called imaginary; above it acoustic modes near the centre have numerical noise."""
POINTS = 51


@dataclass(frozen=True, eq=False, repr=False)
class Phonons(ShownAsTable):
    """Phonon bands of a crystal along the lines of its Brillouin zone, and the mean over the zone.

    Attributes:
        distances: Length along the path, |q|/(2 pi), shape (Q,), 1/Å.
        frequencies_THz: Shape (Q, 3 n) for n atoms in the primitive cell; negative for imaginary ones.
        labels: Name and distance of each corner of the path.
        density_frequencies_THz: Frequencies of the density of states, shape (G,).
        density: Density of states, states per THz and primitive cell, shape (G,).
        lowest_THz: Lowest frequency on a mesh over the whole zone, and on the path.
        supercell: Repeats of the cell that was given, along its three axes.
        displacements: Single points that were needed.
    """

    distances: np.ndarray
    frequencies_THz: np.ndarray
    labels: tuple[tuple[str, float], ...]
    density_frequencies_THz: np.ndarray
    density: np.ndarray
    lowest_THz: float
    supercell: tuple[int, int, int]
    displacements: int

    @property
    def stable(self) -> bool:
        """Whether there is no imaginary mode."""
        return self.lowest_THz >= IMAGINARY_THZ

    @property
    def imaginary_modes(self) -> tuple[str, ...]:
        """Where on the path the lowest mode is imaginary, the lowest frequency at each corner in one sentence each."""
        found = []
        for name, distance in self.labels:
            k = int(np.argmin(np.abs(self.distances - distance)))
            lowest = float(self.frequencies_THz[k].min())
            if lowest < IMAGINARY_THZ:
                found.append(f"{name}: {-lowest:.2f}i THz")
        return tuple(dict.fromkeys(found))

    def table(self) -> pd.DataFrame:
        """Return one row for each point of the path: distance and frequencies, THz."""
        import pandas as pd

        columns = {f"mode_{k + 1}_THz": mode for k, mode in enumerate(self.frequencies_THz.T)}
        return pd.DataFrame({"distance_per_A": self.distances} | columns)

    def __repr__(self) -> str:
        state = "no imaginary mode" if self.stable else f"imaginary down to {-self.lowest_THz:.2f}i THz"
        return f"Phonons({self.frequencies_THz.shape[1]} modes up to {self.frequencies_THz.max():.1f} THz, {state})"


def crystal_phonons(
    calculator: Any,
    crystal: Configuration,
    *,
    supercell: Sequence[int] = (2, 2, 2),
    displacement_A: float = DISPLACEMENT_A,
    progress: Callable[[float], None] | None = None,
) -> Phonons:
    """Return the phonons of a relaxed crystal in the harmonic approximation, symmetry used where there is any.

    Omega² e = D(q) e with D the Fourier transform of force constants from displaced atoms in a supercell. Long-range
    electric fields are left out: no splitting of longitudinal and transverse optical modes at the zone's centre.

    Args:
        calculator: ASE calculator.
        crystal: Relaxed with the same calculator (``crystals.relax_crystal``): forces at rest are subtracted.
        supercell: Repeats along the axes of the cell.
        displacement_A: Å.
        progress: Called with the fraction done.

    Raises:
        DataError: Phonopy is not installed, or the calculator fails.

    Reference:
        Togo, J. Phys. Soc. Jpn. 2023, 92, 012001, doi 10.7566/JPSJ.92.012001; the path: Hinuma et al., Comput. Mater.
        Sci. 2017, 128, 140, doi 10.1016/j.commatsci.2016.10.015.
    """
    try:
        from phonopy import Phonopy
        from phonopy.structure.atoms import PhonopyAtoms
    except ImportError:
        raise DataError("phonons: phonopy is not installed; pip install 'tammann[phonons]' brings it.") from None
    repeats = tuple(int(n) for n in supercell)
    if len(repeats) != 3 or min(repeats) < 1:
        raise DataError(f"supercell: expected three whole numbers above 0, got {supercell}.")
    cell = PhonopyAtoms(symbols=list(crystal.symbols), cell=crystal.cell_A, positions=crystal.positions_A)
    with muted():
        phonon = Phonopy(cell, supercell_matrix=np.diag(repeats), primitive_matrix="auto", symprec=1e-3)
        phonon.generate_displacements(distance=displacement_A)
        displaced: Any = phonon.supercells_with_displacements
    rest = _forces(calculator, phonon.supercell)
    forces = []
    for k, one in enumerate(displaced):
        forces.append(_forces(calculator, one) - rest)
        if progress is not None:
            progress((k + 1) / len(displaced))
    with muted():
        phonon.forces = np.array(forces)
        phonon.produce_force_constants()
        phonon.symmetrize_force_constants()
        distances, frequencies, labels = _bands(phonon)
        phonon.run_mesh(60.0)
        mesh: Any = phonon.get_mesh_dict()
        phonon.run_total_dos()
        density = phonon.get_total_dos_dict()
    return Phonons(
        distances,
        frequencies,
        labels,
        np.array(density["frequency_points"], dtype=float),
        np.array(density["total_dos"], dtype=float),
        float(min(mesh["frequencies"].min(), frequencies.min())),
        (repeats[0], repeats[1], repeats[2]),
        len(displaced),
    )


def _forces(calculator: Any, cell: Any) -> np.ndarray:
    atoms = Configuration(tuple(cell.symbols), cell.positions, cell.cell)
    return respond(calculator, atoms, name="phonons: the potential").forces_eV_per_A


def _bands(phonon: Any) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, float], ...]]:
    """Return distances, frequencies and labelled corners along the path that symmetry suggests."""
    from phonopy.phonon.band_structure import get_band_qpoints_by_seekpath

    points, names, connected = get_band_qpoints_by_seekpath(phonon.primitive, POINTS, is_const_interval=True)
    phonon.run_band_structure(points, path_connections=connected, labels=names)
    bands = phonon.get_band_structure_dict()
    # names hold both ends of a segment where the path jumps, one shared end where it goes on
    labels: list[tuple[str, float]] = []
    left = iter(names)
    begin = True
    for segment, goes_on in zip(bands["distances"], connected, strict=True):
        if begin:
            labels.append((_plain(next(left)), float(segment[0])))
        labels.append((_plain(next(left)), float(segment[-1])))
        begin = not goes_on
    return (
        np.concatenate(bands["distances"]),
        np.concatenate(bands["frequencies"]),
        tuple(labels),
    )


def _plain(label: str) -> str:
    """Return a label of a corner without TeX."""
    text = label.replace("$", "").replace("\\mathrm", "").replace("{", "").replace("}", "")
    return text.replace("\\Gamma", "Γ").replace("GAMMA", "Γ").replace("\\Sigma", "Σ").replace("\\Delta", "Δ")
