"""The road from a composition to transport coefficients: packing, volume, production, trajectories, transport.

``melt`` carries a plan out in a folder and goes on where it was left::

    OUT/plan.json                              the plan
    OUT/BaTiO3/1500K/volume.json, melt.npz     the volume found, and the melt at it
    OUT/BaTiO3/1500K/structure.extxyz          the same for people and other programs
    OUT/BaTiO3/1500K/replica-1/                trajectory-STEPS.dump.gz, stress-STEPS.npy
                                               curves.npz, slow-stress.npz, replica.json
    OUT/BaTiO3/1500K/transport.json            Onsager coefficients of all its replicas with their errors
    OUT/BaTiO3/1500K/melt.json                 density, viscosity, coordination, and what is odd about it
    OUT/BaTiO3/1500K/volume.png, transport.png the same to look at; OUT/BaTiO3/arrhenius.png
    OUT/BaTiO3/1500K/failed.json               what has failed and not been made good since
    OUT/transport_table.json                           one table for the furnace, of all states that are diffusive

A state is measured from the small files of its replicas (displacement correlations, the stress averaged over half a
picosecond, and a record with sums), never from trajectories. So a folder that has lost its trajectories, as ``collect``
makes one, can be gone on with: replicas that are missing are added, and all are measured together.
"""

from tammann.workflows.melt.collect import Collected, collect
from tammann.workflows.melt.folder import Progress, stored_plan
from tammann.workflows.melt.run import find_melt, measure_melts, melt, record_replica, steps_left
from tammann.workflows.melt.state import Melting, MeltState, largest_error, load_melting

__all__ = [
    "Collected",
    "MeltState",
    "Melting",
    "Progress",
    "collect",
    "find_melt",
    "largest_error",
    "load_melting",
    "measure_melts",
    "melt",
    "record_replica",
    "steps_left",
    "stored_plan",
]
