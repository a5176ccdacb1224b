"""What atoms did: trajectories, from files and from what other packages hold."""

from tammann.trajectory.convert import (
    trajectory_from_arrays,
    trajectory_from_ase,
    trajectory_from_mdanalysis,
    trajectory_from_pymatgen,
)
from tammann.trajectory.read import read_trajectory
from tammann.trajectory.trajectory import Trajectory
from tammann.trajectory.unwrap import unwrap

__all__ = [
    "Trajectory",
    "read_trajectory",
    "trajectory_from_arrays",
    "trajectory_from_ase",
    "trajectory_from_mdanalysis",
    "trajectory_from_pymatgen",
    "unwrap",
]
