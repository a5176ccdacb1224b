"""Transport coefficients: how fast the ions of a phase move when their chemical potentials differ."""

from tammann.transport.arrhenius import arrhenius_weights, interpolate_arrhenius
from tammann.transport.onsager import OnsagerCoefficients, atomic_masses, nearest_positive_semidefinite
from tammann.transport.table import (
    TransportTable,
    draw_transport,
    load_transport,
    reduced_composition,
    save_transport,
)

__all__ = [
    "OnsagerCoefficients",
    "TransportTable",
    "arrhenius_weights",
    "atomic_masses",
    "draw_transport",
    "interpolate_arrhenius",
    "load_transport",
    "nearest_positive_semidefinite",
    "reduced_composition",
    "save_transport",
]
