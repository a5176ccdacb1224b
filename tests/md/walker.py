"""A run of one atom that moves a hundredth of an Å a step, recorded as every engine records: for tests of the folder.

As a program: FOLDER PICOSECONDS NAP; with "orphan" behind, in a child that leaves when its parent is gone.
"""

import gzip
import os
import subprocess
import sys
import time

import numpy as np

from tammann.md import recording
from tammann.md.conditions import Conditions
from tammann.md.recording import Segment, open_recording, record

OPTIONS = {"frame_fs": 10.0, "sample_fs": 5.0}
CONDITIONS = Conditions(300.0, timestep_fs=1.0)


def recorded(begin, end, fresh):
    steps = [step for step in range(begin, end + 1, 5) if step > begin or fresh]
    samples = np.array([[300.0, step, *[0.0] * 6, 729.0] for step in steps])
    header = "ITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\nITEM: ATOMS id element xu yu zu\n"
    frames = "".join(f"ITEM: TIMESTEP\n{s}\n{header}1 O {s / 100} 0 0\n" for s in steps if s % 10 == 0)
    return Segment(samples, gzip.compress(frames.encode()))


def walk(folder, picoseconds, *, nap=0.0, **options):
    """Record; every piece takes ``nap`` seconds."""
    with open_recording(folder, CONDITIONS, duration_ps=picoseconds, **OPTIONS) as recording:
        if recording.trajectory():
            return recording.trajectory()
        if recording.step:
            assert recording.restart.read_text() == str(recording.step)
        at = [recording.step or 0]

        def advance(steps):
            begin = at[0]
            time.sleep(nap)
            at[0] += steps
            return recorded(begin, at[0], begin == 0)

        return record(recording, CONDITIONS, advance, lambda path: path.write_text(str(at[0])), **options)


if __name__ == "__main__":
    folder, picoseconds, nap = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    recording.SEGMENT_SECONDS = 0.1
    match sys.argv[4:]:
        case ["orphan"]:
            subprocess.Popen([sys.executable, *sys.argv[:4], "child"]).wait()
        case ["child"]:
            parent = os.getppid()
            walk(folder, picoseconds, nap=nap, progress=lambda _: os.getppid() == parent or sys.exit())
        case _:
            walk(folder, picoseconds, nap=nap)
