"""Molecular dynamics: trajectories, from files and from what other packages hold."""

from tammann.md.converters import (
    trajectory_from_arrays,
    trajectory_from_ase,
    trajectory_from_mdanalysis,
    trajectory_from_pymatgen,
)
from tammann.md.readers import read_trajectory
from tammann.md.trajectory import Trajectory
from tammann.md.unwrapping import unwrap

__all__ = [
    "Trajectory",
    "read_trajectory",
    "trajectory_from_arrays",
    "trajectory_from_ase",
    "trajectory_from_mdanalysis",
    "trajectory_from_pymatgen",
    "unwrap",
]
