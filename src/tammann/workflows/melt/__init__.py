"""From compositions to transport coefficients: packing, volume, production, trajectories, transport.

``run_melts`` carries a plan out in a folder, which can be resumed::

    OUT/plan.json                              the plan
    OUT/BaTiO3/1500K/volume.json, melt.npz     the volume found, and the melt at it
    OUT/BaTiO3/1500K/structure.extxyz          the same for people and other programs
    OUT/BaTiO3/1500K/replica-1/                trajectory-STEPS.dump.gz, stress-STEPS.npy
                                               curves.npz, slow-stress.npz, replica.json
    OUT/BaTiO3/1500K/transport.json            Onsager coefficients of all its replicas with their errors
    OUT/BaTiO3/1500K/melt.json                 density, viscosity, coordination, and what is odd about it
    OUT/BaTiO3/1500K/volume.png, transport.png figures; OUT/BaTiO3/arrhenius.png
    OUT/BaTiO3/1500K/failed.json               what has failed and not been done since
    OUT/transport_table.json                   the transport table of all diffusive states, for recipes

A state is measured from the small files of its replicas (displacement correlations, the stress averaged over half a
picosecond, and a record of means), never from trajectories. So a folder without trajectories, as ``collect`` makes one,
can be resumed too: missing replicas are added, and all are measured together.
"""

from tammann.workflows.melt.collect import CollectResult, collect
from tammann.workflows.melt.folder import load_plan
from tammann.workflows.melt.records import MeltRecord, ReplicaRecord, VolumeRecord
from tammann.workflows.melt.run import (
    MeltResult,
    load_melts,
    measure_melts,
    record_replica,
    run_melts,
    steps_left,
)
from tammann.workflows.melt.state import MeltState, largest_error

__all__ = [
    "CollectResult",
    "MeltRecord",
    "MeltResult",
    "MeltState",
    "ReplicaRecord",
    "VolumeRecord",
    "collect",
    "largest_error",
    "load_melts",
    "load_plan",
    "measure_melts",
    "record_replica",
    "run_melts",
    "steps_left",
]
