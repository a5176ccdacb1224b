"""Displacement correlations in small files, to measure again without the trajectories."""

from __future__ import annotations

import json
import zipfile
from os import PathLike
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError
from tammann.files import whole_file
from tammann.transport.correlations import Correlations
from tammann.transport.slope_fit import spread_lags

STORED_LAGS = 96
"""Lags in the file, spread in the logarithm: between them curves are straight within a small part of their error."""

ION_LAGS = 32

WORDS = "formula species frame frame_interval_ps n_frames volume_A3 temperature_K source notes".split()


def save_correlations(path: str | PathLike[str], correlations: Correlations) -> None:
    """Write displacement correlations at some lags to a compressed .npz file of some tens of kilobytes.

    Kept are 96 lags, spread in the logarithm up to a quarter of the trajectory, which is as far as a regime reaches,
    and rounded to single precision, and every single ion at 32 of them in half precision.

    Args:
        path: Of the file.
        correlations: What ``displacement_correlations`` returned.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations
        >>> walk = Trajectory.example()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_correlations(Path(folder) / "walk.npz", displacement_correlations(walk, frame="laboratory"))
        ...     load_correlations(Path(folder) / "walk.npz")
        Correlations(Mg10 O10: 500 lags of 0.1 ps, laboratory frame)
    """
    last = min(max(1, (correlations.n_frames - 1) // 4), correlations.self_A2.shape[-1] - 1)
    lags = spread_lags(1, last, STORED_LAGS)
    upper = np.triu_indices(len(correlations.species))
    ions = spread_lags(1, last, ION_LAGS)
    words = {name: getattr(correlations, name) for name in WORDS} | {"tammann_version": __version__}
    single: dict[str, Any] = {
        f"ion_{i}": _relative(each, correlations.ion_lags, ions).astype(np.float16)
        for i, each in enumerate(correlations.ion_A2)
    }
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
            **single,
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
        number, ion_lags = len(words["species"]), data["ion_lags"]
        upper = np.triu_indices(number)
        self_A2, pairs = (_spread(data[name], data["lags"]) for name in ("self_A2", "collective_A2"))
        collective = np.empty((number, number, *pairs.shape[1:]))
        collective[upper] = collective[upper[::-1]] = pairs
        msd = self_A2[:, :3].sum(axis=1)
        text: dict[str, Any] = {name: tuple(v) if isinstance(v := words[name], list) else v for name in WORDS}
        return Correlations(
            **text,
            counts=data["counts"],
            cell_A=data["cell_A"],
            self_A2=self_A2,
            collective_A2=collective,
            ion_lags=ion_lags,
            ion_A2=tuple(data[f"ion_{i}"].astype(float) * msd[i, ion_lags] for i in range(number)),
        )
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no displacement correlations ({error}); write it with save_correlations."
        ) from None


def _spread(curves: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Curves at all lags from 0, from those at some."""
    every = np.arange(lags[-1] + 1)
    rows = (curves.astype(float) / lags).reshape(-1, len(lags))
    logarithm = np.log(np.maximum(every, 1))
    full = np.stack([np.interp(logarithm, np.log(lags), row) for row in rows]) * every
    return full.reshape(*curves.shape[:-1], len(every))


def _relative(ions: np.ndarray, lags: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Curves of single ions at some lags over their mean, for which half precision is enough."""
    curves = np.stack([np.interp(np.log(wanted), np.log(lags), row / lags) for row in ions]) * wanted
    return curves / np.maximum(curves.mean(axis=0), 1e-30)
