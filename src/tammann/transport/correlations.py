"""Displacement correlations of the ions of a trajectory, from all time origins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, islice
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError, check_argument
from tammann.notebook import html_table
from tammann.transport.onsager import species_masses
from tammann.transport.slope_fit import spread_lags

if TYPE_CHECKING:
    import pandas as pd

    from tammann.trajectory import Trajectory

TENSOR = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""The six Cartesian components kept, in Voigt's order: xx, yy, zz, yz, xz, xy."""

CHUNK_BYTES = 16e6
"""Size of the transforms held at a time, about that of a cache."""

ION_LAGS = 128
"""Lags, spread in the logarithm, at which every single ion is kept."""

FETCH_BYTES = 5e8
"""Positions read at a time from a file on disk."""

MOST_VOLUME = 0.05
"""How far the mean volumes of replicas may differ; cells at constant pressure differ by a per cent or so."""

MOST_THREADS = 1024


@dataclass(frozen=True, eq=False, repr=False)
class Correlations:
    """Mean squared displacements of the ions of each species, and collective ones of species, against time.

    With dr_a(t) the displacement of ion a and dX_i(t) = sum over the ions a of species i of dr_a(t):
    self_i(t) = 1/N_i sum_a <dr_a dr_a> and collective_ij(t) = <dX_i dX_j>, both tensors, averaged over all time
    origins.

    Attributes:
        formula: Reduced formula of the trajectory.
        species: The S elements, in the order of the formula.
        counts: Ions of each, shape (S,).
        frame: ``"barycentric"``, ``"laboratory"``, or the elements whose mean position is at rest, such as ``"O"`` or
            ``"La+O"``.
        frame_interval_ps: Time between frames, ps.
        n_frames: Frames in the trajectory.
        volume_A3: Mean volume of the cell, Å³.
        cell_A: Mean lattice vectors in rows, Å, shape (3, 3).
        self_A2: Per ion, Å², shape (S, 6, K): xx, yy, zz, yz, xz, xy; lags of 0 to K - 1 frames.
        collective_A2: Å², shape (S, S, 6, K), symmetric in the species; not divided by a number of ions.
        ion_lags: Lags, frames, at which single ions were kept, shape (G,).
        ion_A2: <dr_a²> of every ion there, Å², one array of shape (N_i, G) for each species: their scatter shows
            whether ions differ more than independent Gaussian walkers would.
        temperature_K: Of the trajectory, K, or None where it does not say.
        source: Where the trajectory came from.
        notes: Remarks of the reader of the trajectory.
    """

    formula: str
    species: tuple[str, ...]
    counts: np.ndarray
    frame: str
    frame_interval_ps: float
    n_frames: int
    volume_A3: float
    cell_A: np.ndarray
    self_A2: np.ndarray
    collective_A2: np.ndarray
    ion_lags: np.ndarray
    ion_A2: tuple[np.ndarray, ...]
    temperature_K: float | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lags = f"{self.self_A2.shape[-1]} lags of {self.frame_interval_ps:g} ps"
        return f"Correlations({_ions(self)}: {lags}, {self.frame} frame)"

    def _repr_html_(self) -> str:
        return html_table(repr(self), self.table().iloc[:: max(1, self.self_A2.shape[-1] // 10)])

    def table(self) -> pd.DataFrame:
        """Return one row for each lag: time (ps), <dr²> of each ion and <dX_i . dX_j> of each pair, Å²."""
        import pandas as pd

        columns = {"time_ps": self.times_ps}
        columns |= {f"msd_{ion}_A2": curve for ion, curve in zip(self.species, self.self_part(), strict=True)}
        together = self.collective_part()
        for (i, one), (j, other) in combinations_with_replacement(enumerate(self.species), 2):
            columns[f"collective_{one}_{other}_A2"] = together[i, j]
        return pd.DataFrame(columns)

    @property
    def times_ps(self) -> np.ndarray:
        """The lags, ps, shape (K,)."""
        return np.arange(self.self_A2.shape[-1]) * self.frame_interval_ps

    @property
    def duration_ps(self) -> float:
        """From the first frame to the last, ps."""
        return (self.n_frames - 1) * self.frame_interval_ps

    def self_part(self) -> np.ndarray:
        """Return the mean squared displacement of each species, Å², shape (S, K)."""
        return self.self_A2[:, :3].sum(axis=1)

    def collective_part(self) -> np.ndarray:
        """Return <dX_i . dX_j>, Å², shape (S, S, K)."""
        return self.collective_A2[:, :, :3].sum(axis=2)


def displacement_correlations(
    trajectory: Trajectory, *, frame: str = "barycentric", max_lag_ps: float | None = None, threads: int | None = None
) -> Correlations:
    """Return the self and collective displacement correlations of every pair of species, over all time origins.

    collective_ij(n) = 1/(F-n) sum_p dX_i dX_j with dX_i = X_i(p+n) - X_i(p), X_i = sum of the positions of the ions of
    species i, F frames; self_i the same for single ions, averaged over them. Products of sums over origins become
    Fourier transforms, so that all lags cost little more than one.

    Args:
        trajectory: Unwrapped positions, Å.
        frame: What is at rest: the centre of mass, the laboratory (positions as they are), or the mean position of the
            ions of some elements, joined by ``+``.
        max_lag_ps: Longest lag kept, ps; all of them where None.
        threads: Cores for the transforms, one or more; all of them where None.

    Raises:
        DataError: An element that is not there, positions that are not finite.

    Reference:
        Fong, Self, McCloskey, Persson, Macromolecules 2021, 54, 2575, doi 10.1021/acs.macromol.0c02545; the transform:
        Calandrini, Pellegrini, Calligari, Hinsen, Kneller, Collect. SFN 2011, 12, 201, doi 10.1051/sfn/201112010.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> walk = Trajectory.example()
        >>> curves = displacement_correlations(walk, frame="laboratory")
        >>> curves.self_part()[0, :3].round(3).tolist()
        [0.0, 0.007, 0.015]
    """
    from scipy import fft

    check_argument("trajectory", trajectory, "Trajectory", "what read_trajectory returns")
    # in the order of the formula, so that replicas agree however their atoms are numbered
    species = tuple(parse_formula(trajectory.formula))
    n_frames = trajectory.n_frames
    members = [np.flatnonzero(np.array(trajectory.symbols) == symbol) for symbol in species]
    counts = np.array([len(atoms) for atoms in members])
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise DataError(f"threads is {threads}, expected a whole number from 1 to {MOST_THREADS}.")
    longest = n_frames - 1 if max_lag_ps is None else max_lag_ps / trajectory.frame_interval_ps + 1e-9
    if not longest >= 1:
        raise DataError(
            f"max_lag_ps is {max_lag_ps:g}, expected at least the time between frames, "
            f"{trajectory.frame_interval_ps:g} ps."
        )
    kept = int(min(n_frames - 1, longest)) + 1
    sums = _sums(trajectory.positions, members)
    if not np.isfinite(sums).all():
        first = int(np.argmin(np.isfinite(sums).all(axis=(0, 2))))
        raise DataError(f"positions in frame {first} are not all finite; the run may have blown up, leave it out.")
    rest = np.einsum("i,ita->ta", _origin(species, counts, frame), sums)
    length = int(fft.next_fast_len(n_frames + kept - 1, real=True))
    workers = threads or -1
    origins = np.arange(n_frames, n_frames - kept, -1)

    def curves(products: np.ndarray, spectra: np.ndarray) -> np.ndarray:
        """[sum of x(p+n) y(p+n) + x(p) y(p)] - [x(p+n) y(p) + x(p) y(p+n)], over the origins p."""
        running = np.pad(np.cumsum(products, axis=-1), ((0, 0), (1, 0)))
        late = running[..., -1:] - running[..., :kept]  # frames n to F - 1
        early = running[..., ::-1][..., :kept]  # frames 0 to F - 1 - n
        cross = fft.irfft(spectra, length, axis=-1, workers=workers)[..., :kept]
        result = (late + early - 2.0 * cross) / origins
        result[..., 0] = 0.0
        return result

    ion_lags = spread_lags(1, kept - 1, ION_LAGS)
    ion_A2 = tuple(np.empty((n, len(ion_lags))) for n in counts)
    self_A2 = np.empty((len(species), 6, kept))
    chunk = max(1, int(CHUNK_BYTES / (16.0 * length * 1.5)))

    def of_some(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Products and spectra summed over some ions, and the curve of each at some lags."""
        paths = np.ascontiguousarray((positions - rest[:, None]).transpose(2, 1, 0))
        paths -= paths.mean(axis=-1, keepdims=True)
        waves = fft.rfft(paths, length, axis=-1)
        real, imaginary = waves.real, waves.imag
        # einsum makes no arrays in between: this is bound by memory
        products = [np.einsum("nt,nt->t", paths[a], paths[b]) for a, b in TENSOR]
        spectra = [
            np.einsum("nk,nk->k", real[a], real[b]) + np.einsum("nk,nk->k", imaginary[a], imaginary[b])
            for a, b in TENSOR
        ]
        power = np.einsum("ank,ank->nk", real, real) + np.einsum("ank,ank->nk", imaginary, imaginary)
        cross = fft.irfft(power, length, axis=-1)[:, ion_lags]
        running = np.cumsum(np.einsum("ant,ant->nt", paths, paths), axis=-1)
        both = running[:, -1:] - running[:, ion_lags - 1] + running[:, n_frames - 1 - ion_lags]
        return np.stack(products), np.stack(spectra), (both - 2.0 * cross) / (n_frames - ion_lags)

    cores = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        for i, atoms in enumerate(members):
            products, spectra = np.zeros((6, n_frames)), np.zeros((6, length // 2 + 1))
            chunks = _in_chunks(trajectory.positions, atoms, chunk)
            # as many at a time as there are cores, added up in their order: the same on any number of threads
            while group := list(islice(chunks, cores)):
                each = map if cores == 1 else pool.map
                parts = each(of_some, [positions for _, positions in group])
                for (start, _), (some_products, some_spectra, some_ions) in zip(group, parts, strict=True):
                    products += some_products
                    spectra += some_spectra
                    ion_A2[i][start : start + len(some_ions)] = some_ions
            self_A2[i] = curves(products, spectra) / len(atoms)

    paths = sums - counts[:, None, None] * rest
    paths = np.ascontiguousarray((paths - paths.mean(axis=1, keepdims=True)).transpose(0, 2, 1))
    waves = fft.rfft(paths, length, axis=-1, workers=workers)
    collective = np.empty((len(species), len(species), 6, kept))
    for i, j in combinations_with_replacement(range(len(species)), 2):
        spectra = _symmetric(waves[i].real, waves[j].real) + _symmetric(waves[i].imag, waves[j].imag)
        collective[i, j] = collective[j, i] = curves(_symmetric(paths[i], paths[j]), spectra)
    same = ("formula", "frame_interval_ps", "n_frames", "volume_A3", "temperature_K", "source", "notes")
    return Correlations(
        species=species,
        counts=counts,
        frame=frame,
        cell_A=trajectory.cells.mean(axis=0),
        self_A2=self_A2,
        collective_A2=collective,
        ion_lags=ion_lags,
        ion_A2=ion_A2,
        **{name: getattr(trajectory, name) for name in same},
    )


def correlations_of_stretches(
    trajectory: Trajectory, *, stretches: int = 8, frame: str = "barycentric", threads: int | None = None
) -> list[Correlations]:
    """Return the displacement correlations of equal, separate stretches of a trajectory, for ``block_errors``.

    Args:
        trajectory: Unwrapped positions, Å.
        stretches: How many, two or more; frames left over at the end are not used.
        frame: As ``displacement_correlations``.
        threads: Cores for the transforms; all of them where None.

    Returns:
        One for each, with lags up to half of a stretch; none where a stretch would have fewer than 20 frames.

    Raises:
        DataError: Fewer than two stretches, or an element that is not there.
    """
    if stretches < 2:
        raise DataError(f"stretches is {stretches}, expected two or more.")
    frames = trajectory.n_frames // stretches
    if frames < 20:
        return []
    longest = frames // 2 * trajectory.frame_interval_ps
    return [
        displacement_correlations(
            trajectory.frames(k * frames, (k + 1) * frames), frame=frame, max_lag_ps=longest, threads=threads
        )
        for k in range(stretches)
    ]


def _symmetric(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Symmetric products of components: <X_a Y_b> and <X_b Y_a> agree by isotropy or by reversal."""
    return np.stack([0.5 * (x[a] * y[b] + x[b] * y[a]) for a, b in TENSOR])


def _in_chunks(positions: np.ndarray, atoms: np.ndarray, chunk: int) -> Iterator[tuple[int, np.ndarray]]:
    """Positions of a few atoms at a time, shape (F, n, 3), and where they start among the atoms."""
    # on disk positions lie frame by frame, and every access to some atoms reads the whole file: fetch many at once
    fetched = max(chunk, int(FETCH_BYTES / (24.0 * len(positions)))) if isinstance(positions, np.memmap) else chunk
    for first in range(0, len(atoms), fetched):
        block = positions[:, atoms[first : first + fetched]]
        for start in range(0, block.shape[1], chunk):
            yield first + start, block[:, start : start + chunk]


def _sums(positions: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    """Sum of the positions of the ions of each species, shape (S, F, 3), a few frames at a time."""
    n_frames, n_atoms = positions.shape[:2]
    selection = np.array([np.bincount(atoms, minlength=n_atoms) for atoms in members], dtype=float)
    sums = np.empty((len(members), n_frames, 3))
    step = max(1, int(CHUNK_BYTES / (24.0 * n_atoms)))
    for start in range(0, n_frames, step):
        block = positions[start : start + step]
        sums[:, start : start + step] = np.matmul(selection, block).transpose(1, 0, 2)
    return sums


def same_system(correlations: Correlations | Sequence[Correlations]) -> list[Correlations]:
    """Return replicas as a list, having checked that they fit together.

    Raises:
        DataError: None at all, something that is no ``Correlations``, or other ions, another frame, interval,
            temperature or volume.
    """
    made = "what displacement_correlations returns"
    check_argument("correlations", correlations, (Correlations, Sequence), f"{made}, or a list of these")
    replicas = [correlations] if isinstance(correlations, Correlations) else list(correlations)
    if not replicas:
        raise DataError("there are no correlations, as no trajectory was given; give one or more.")
    for replica in replicas:
        if not isinstance(replica, Correlations):
            raise DataError(f"correlations hold a {type(replica).__name__}, expected {made}.")
    first = replicas[0]
    for other in replicas[1:]:
        if other.species != first.species or not np.array_equal(other.counts, first.counts):
            raise DataError(
                f"replicas hold different ions, {_ions(first)} and {_ions(other)}; combine only those of one cell."
            )
        if other.frame != first.frame:
            raise DataError(f"replicas have the frames {first.frame} and {other.frame}; use one frame for all.")
        if not np.isclose(other.frame_interval_ps, first.frame_interval_ps, rtol=1e-6):
            raise DataError(
                f"replicas have {first.frame_interval_ps:g} and {other.frame_interval_ps:g} ps between frames; "
                "thin the denser one so that they agree."
            )
        T, U = first.temperature_K, other.temperature_K
        if T is not None and U is not None and not np.isclose(T, U, rtol=1e-4):
            raise DataError(f"replicas have the temperatures {T:g} and {U:g} K; measure each temperature by itself.")
        if not np.isclose(other.volume_A3, first.volume_A3, rtol=MOST_VOLUME):
            raise DataError(
                f"replicas have the volumes {first.volume_A3:g} and {other.volume_A3:g} Å³, more than "
                f"{MOST_VOLUME:.0%} apart; they are not replicas of one state, measure each by itself."
            )
    return replicas


def _ions(correlations: Correlations) -> str:
    return " ".join(f"{symbol}{n}" for symbol, n in zip(correlations.species, correlations.counts, strict=True))


def frame_elements(frame: str) -> tuple[str, ...]:
    """Return the elements whose mean position is at rest in a frame of reference.

    Example:
        >>> frame_elements("La+O"), frame_elements("barycentric")
        (('La', 'O'), ())
    """
    return () if frame in ("barycentric", "laboratory") else tuple(frame.split("+"))


def in_frame(correlations: Correlations, frame: str) -> Correlations:
    """Return displacement correlations in another frame of reference.

    With dc = sum_k w_k dX_k the displacement of the origin of the new frame against the old, dX_i' = dX_i - N_i dc, so
    that <dX_i' dX_j'> and <dr_i'^2> follow from <dX_i dX_j> and <dr_i^2> exactly. The curves of single ions are scaled
    to the new mean; their scatter relative to it stays.

    Args:
        correlations: In any frame.
        frame: As ``displacement_correlations`` takes it; not the laboratory, whose motion other frames have lost.

    Raises:
        DataError: The laboratory, or an element that is not there.
    """
    if frame == correlations.frame:
        return correlations
    if frame == "laboratory":
        raise DataError("frame is 'laboratory', which correlations in another frame cannot give; compute them anew.")
    old, N = correlations, correlations.counts.astype(float)
    w = _origin(old.species, old.counts, frame)
    change = np.eye(len(N)) - np.outer(N, w)
    collective = np.einsum("ik,klcn,jl->ijcn", change, old.collective_A2, change)
    cross = np.einsum("k,ikcn->icn", w, old.collective_A2)
    self_A2 = old.self_A2 - 2.0 * cross / N[:, None, None] + np.einsum("i,icn->cn", w, cross)
    before, after = (curves[:, :3].sum(axis=1)[:, old.ion_lags] for curves in (old.self_A2, self_A2))
    ions = tuple(each * b / np.maximum(a, 1e-300) for each, a, b in zip(old.ion_A2, before, after, strict=True))
    return replace(old, frame=frame, self_A2=self_A2, collective_A2=collective, ion_A2=ions)


def _origin(species: tuple[str, ...], counts: np.ndarray, frame: str) -> np.ndarray:
    """Weights w with which the sums X_k of the positions give the origin of a frame, sum_k w_k X_k, shape (S,)."""
    if frame == "laboratory":
        return np.zeros(len(species))
    if frame == "barycentric":
        m = species_masses(species)
        return m / float(m @ counts)
    elements = frame_elements(frame)
    if not set(elements) <= set(species):
        raise DataError(
            f"frame is {frame!r}, expected barycentric, laboratory or one of the elements of the trajectory "
            f"({', '.join(species)}), or several of them joined by +."
        )
    at_rest = np.array([symbol in elements for symbol in species])
    return at_rest / float(counts[at_rest].sum())
