"""Figures of the states and compositions of a plan, drawn from what lies in its folder."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from tammann.errors import DataError
from tammann.md.equation_of_state import VolumePoint
from tammann.workflows.melt.folder import replicas_in
from tammann.workflows.melt.state import melts_among

__all__ = ["draw_composition", "draw_state"]


def draw_state(folder: Path, *, pressure_GPa: float = 0.0) -> None:
    """Draw the search for the volume and the transport of a state, as far as they are there.

    Args:
        folder: Of the state; gets ``volume.png`` and ``transport.png``.
        pressure_GPa: That the volume was searched for, GPa.
    """
    from tammann.plot import plot_volume_search, save_figure, transport_figure
    from tammann.transport import load_correlations, measure_onsager

    found = json.loads((folder / "volume.json").read_text(encoding="utf-8"))
    # what JSON has no number for was infinite
    points = [
        VolumePoint(**{name: math.inf if number is None else number for name, number in point.items()})
        for point in found["points"]
    ]
    if any(number is not None for number in found["fit"].values()):  # with constant pressure there is no curve
        figure = plot_volume_search(points, int(found["atoms"]), pressure_GPa=pressure_GPa)
        save_figure(figure, folder / "volume.png", dpi=120)
    try:
        used, _ = melts_among(replicas_in(folder))
        curves = [load_correlations(place / "curves.npz") for place, _ in used]
        if curves:
            save_figure(transport_figure(curves, measure_onsager(curves)), folder / "transport.png", dpi=120)
    except (DataError, OSError):  # too few frames: melt.json says so
        return


def draw_composition(folders: Sequence[Path]) -> None:
    """Draw the diffusivities of a composition against temperature, where two states of it are diffusive.

    Args:
        folders: Of its states; the folder above gets ``arrhenius.png``.
    """
    from tammann.plot import plot_arrhenius, save_figure
    from tammann.transport import fit_arrhenius

    states = []
    for folder in folders:
        try:
            crystalline = json.loads((folder / "melt.json").read_text(encoding="utf-8"))["crystalline"]
            record = json.loads((folder / "transport.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        if record["diffusive"] and not crystalline:
            states.append(record)
    states.sort(key=lambda record: float(record["temperature_K"]))
    if len(states) < 2:
        return
    fits = {
        symbol: fit_arrhenius(
            [record["temperature_K"] for record in states],
            [record["D_m2_per_s"][symbol] for record in states],
            [record["D_stderr"][symbol] for record in states],
        )
        for symbol in states[0]["species"]
    }
    save_figure(plot_arrhenius(fits), folders[0].parent / "arrhenius.png", dpi=120)
