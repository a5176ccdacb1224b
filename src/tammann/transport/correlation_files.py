"""Displacement correlations in small files, to measure again without the trajectories."""

from __future__ import annotations

import json
import zipfile
from os import PathLike

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import whole_file
from tammann.transport.correlations import Correlations
from tammann.transport.slope_fit import spread_lags

__all__ = ["load_correlations", "save_correlations"]

STORED_LAGS = 96
"""Lags in the file, spread in the logarithm: between them curves are straight within a small part of their error."""

ION_LAGS = 32

WORDS = (
    "formula",
    "species",
    "frame",
    "frame_interval_ps",
    "n_frames",
    "volume_A3",
    "temperature_K",
    "source",
    "notes",
)


def save_correlations(
    path: str | PathLike[str], correlations: Correlations, *, max_lag_ps: float | None = None
) -> None:
    """Write displacement correlations at some lags to a compressed .npz file of some tens of kilobytes.

    Kept are 96 lags, spread in the logarithm up to ``max_lag_ps`` and rounded to single precision, and every single ion
    at 32 of them in half precision.

    Args:
        path: Of the file.
        correlations: What ``displacement_correlations`` returned.
        max_lag_ps: Longest lag kept, ps; by default a quarter of the trajectory, which is as far as a regime reaches.

    Raises:
        DataError: No lags up to ``max_lag_ps``.
        OSError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> from tammann.transport import displacement_correlations
        >>> steps = np.random.default_rng(1).normal(size=(500, 8, 3))
        >>> walk = trajectory_from_arrays(steps.cumsum(axis=0), 20.0 * np.eye(3), ["Li"] * 8, frame_interval_ps=0.1,
        ...                               wrapped=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_correlations(Path(folder) / "walk.npz", displacement_correlations(walk, frame="laboratory"))
        ...     load_correlations(Path(folder) / "walk.npz")
        <Correlations Li8: 125 lags of 0.1 ps, laboratory frame>
    """
    wanted = 0.25 * correlations.duration_ps if max_lag_ps is None else max_lag_ps
    last = min(int(wanted / correlations.frame_interval_ps + 1e-9), correlations.self_A2.shape[-1] - 1)
    if last < 1:
        raise DataError(f"max_lag_ps is {wanted:g} ps, expected at least {correlations.frame_interval_ps:g} ps.")
    lags = spread_lags(1, last, STORED_LAGS)
    upper = np.triu_indices(len(correlations.species))
    ions = spread_lags(1, last, ION_LAGS)
    words = {name: getattr(correlations, name) for name in WORDS} | {"tammann_version": __version__}
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            words=np.array(json.dumps(words)),
            counts=correlations.counts,
            cell_A=correlations.cell_A,
            lags=lags,
            self_A2=correlations.self_A2[..., lags].astype(np.float32),
            collective_A2=correlations.collective_A2[upper][..., lags].astype(np.float32),
            ion_lags=ions,
            # relative to the mean, so that half precision is enough
            **{
                f"ion_{i}": (
                    _between(each, correlations.ion_lags, ions) / _mean(each, correlations.ion_lags, ions)
                ).astype(np.float16)
                for i, each in enumerate(correlations.ion_A2)
            },
        )


def load_correlations(path: str | PathLike[str]) -> Correlations:
    """Read what ``save_correlations`` wrote; lags between the stored ones are interpolated.

    C(n)/n is linear in ln n between stored lags, which moves a slope by a small part of its standard error.

    Raises:
        DataError: Not such a file.
        OSError: It cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            words = json.loads(str(stored["words"]))
            data = {name: stored[name] for name in stored.files if name != "words"}
        lags = data["lags"]
        kept = int(lags[-1]) + 1
        every = np.arange(kept)
        number = len(words["species"])
        upper = np.triu_indices(number)
        collective = np.empty((number, number, 6, kept))
        collective[upper] = _spread(data["collective_A2"], lags, every)
        collective[upper[::-1]] = collective[upper]
        self_A2 = _spread(data["self_A2"], lags, every)
        ion_lags = data["ion_lags"]
        msd = self_A2[:, :3].sum(axis=1)
        return Correlations(
            formula=words["formula"],
            species=tuple(words["species"]),
            counts=data["counts"],
            frame=words["frame"],
            frame_interval_ps=float(words["frame_interval_ps"]),
            n_frames=int(words["n_frames"]),
            volume_A3=float(words["volume_A3"]),
            cell_A=data["cell_A"],
            self_A2=self_A2,
            collective_A2=collective,
            ion_lags=ion_lags,
            ion_A2=tuple(data[f"ion_{i}"].astype(float) * msd[i, ion_lags] for i in range(number)),
            temperature_K=words["temperature_K"],
            source=words["source"],
            notes=tuple(words["notes"]),
        )
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no displacement correlations ({error}); write it with save_correlations."
        ) from None


def _spread(curves: np.ndarray, lags: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Curves at all lags from 0, from those at some."""
    shape = curves.shape[:-1]
    rows = (curves.astype(float) / lags).reshape(-1, len(lags))
    logarithm = np.log(np.maximum(every, 1))
    full = np.stack([np.interp(logarithm, np.log(lags), row) for row in rows]) * every
    return full.reshape(*shape, len(every))


def _between(ions: np.ndarray, lags: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(np.log(wanted), np.log(lags), row / lags) for row in ions]) * wanted


def _mean(ions: np.ndarray, lags: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.maximum(_between(ions, lags, wanted).mean(axis=0), 1e-30)
