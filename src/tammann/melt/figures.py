"""Figures of the states and compositions of a plan, drawn from what lies in its folder."""

from __future__ import annotations

import json
from pathlib import Path

from tammann.errors import DataError
from tammann.md.equation_of_state import VolumePoint
from tammann.melt.folder import replicas_in

__all__ = ["draw_composition", "draw_state"]


def draw_state(folder: Path) -> None:
    """Draw the search for the volume and the transport of a state, as far as they are there.

    Args:
        folder: Of the state; gets ``volume.png`` and ``transport.png``.
    """
    from tammann.plot import plot_volume_search, save_figure, transport_figure
    from tammann.transport import load_correlations, measure_onsager

    found = json.loads((folder / "volume.json").read_text(encoding="utf-8"))
    points = [VolumePoint(**point) for point in found["points"]]
    if found["fit"]["volume_A3"] is not None:  # with constant pressure there is no curve
        save_figure(plot_volume_search(points, int(found["atoms"])), folder / "volume.png", dpi=120)
    try:
        curves = [load_correlations(place / "curves.npz") for place, _ in replicas_in(folder)]
        if curves:
            save_figure(transport_figure(curves, measure_onsager(curves)), folder / "transport.png", dpi=120)
    except (DataError, OSError):  # too few frames: melt.json says so
        return


def draw_composition(folder: Path) -> None:
    """Draw the diffusivities of a composition against temperature, where two states of it are diffusive.

    Args:
        folder: Of the composition; gets ``arrhenius.png``.
    """
    from tammann.plot import plot_arrhenius, save_figure
    from tammann.transport import fit_arrhenius

    states = []
    for file in folder.glob("*K/transport.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["diffusive"]:
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
    save_figure(plot_arrhenius(fits), folder / "arrhenius.png", dpi=120)
