"""Figures of states and compositions, drawn from what lies in the folder of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tammann.errors import DataError
from tammann.transport import fit_activation, load_correlations, measure_onsager
from tammann.workflows.melt.folder import CORRELATIONS, load_replicas
from tammann.workflows.melt.records import VolumeRecord
from tammann.workflows.melt.state import MeltState, split_crystallised


def draw_state(folder: Path, *, pressure_GPa: float = 0.0) -> None:
    """Draw ``volume.png`` and ``transport.png`` in the folder of a state, as far as there is something to draw."""
    from tammann.plot import plot_volume_search, save_figure, transport_figure

    volume = VolumeRecord.load(folder)
    if volume.fit.volume_A3 is not None:  # at constant pressure there is no curve
        drawn = plot_volume_search(volume.points, volume.atoms, pressure_GPa=pressure_GPa)
        save_figure(drawn, folder / "volume.png", dpi=120)
    try:
        used, _ = split_crystallised(load_replicas(folder))
        correlations = [load_correlations(replica.folder / CORRELATIONS) for replica in used]
        if correlations:
            figure = transport_figure(correlations, measure_onsager(correlations))
            save_figure(figure, folder / "transport.png", dpi=120)
    except (DataError, OSError):  # too few frames: the record of the state says so
        return


def draw_composition(states: Sequence[MeltState]) -> None:
    """Draw ``arrhenius.png`` above the folders of the states of a composition, where two or more are diffusive."""
    from tammann.plot import plot_arrhenius, save_figure

    diffusive = sorted((state for state in states if state.diffusive), key=lambda state: state.temperature_K)
    if fits := fit_activation([state.measurement for state in diffusive if state.measurement is not None]):
        save_figure(plot_arrhenius(fits), diffusive[0].folder.parent / "arrhenius.png", dpi=120)
