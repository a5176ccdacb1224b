"""Energies of grain boundaries: a plan, a folder that can be resumed, relaxed bicrystals and a table."""

from tammann.workflows.grain_boundaries.plan import Boundary, GrainBoundaryPlan
from tammann.workflows.grain_boundaries.run import GrainBoundaryResult, load_grain_boundaries, run_grain_boundaries
from tammann.workflows.grain_boundaries.search import boundary_folder

__all__ = [
    "Boundary",
    "GrainBoundaryPlan",
    "GrainBoundaryResult",
    "boundary_folder",
    "load_grain_boundaries",
    "run_grain_boundaries",
]
