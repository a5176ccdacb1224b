"""From compositions to transport coefficients: packing, volume, production, trajectories, transport.

``run_melts`` carries a plan out in a folder, which can be resumed; docs/melts.md lists the files. A state is measured
from the small files of its replicas (displacement correlations, the stress averaged over half a picosecond, and a
record of means), never from trajectories, so a folder that ``collect`` has made without them can be resumed too.
"""

from tammann.workflows.melt.collect import CollectResult, collect
from tammann.workflows.melt.folder import load_plan
from tammann.workflows.melt.records import MeltRecord, ReplicaRecord, VolumeRecord
from tammann.workflows.melt.run import MeltResult, load_melts, measure_melts, record_replica, run_melts, steps_left
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
