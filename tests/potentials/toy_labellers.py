"""Labellers that label, hang, die, raise or answer nonsense, by the first element of a configuration."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from tammann.errors import DataError
from tammann.potentials.dataset import Frame
from tammann.potentials.labellers import Answer
from tammann.structures import Configuration


def cell_of(symbol, x=0.0):
    return Configuration((symbol, "O"), np.array([[x, 0, 0], [0, 0, 2.0]]), 5.0 * np.eye(3))


def frames_of(symbols):
    return [Frame(cell_of(s, 0.01 * n), config_type="melt", trajectory=f"run {n}") for n, s in enumerate(symbols)]


@dataclass(frozen=True)
class ToyLabeller:
    """Energy is the first coordinate; what goes wrong depends on the first element."""

    folder: str = ""
    method: str = "toy"
    scale: float = 1.0

    def describe(self):
        return {"toy": self.scale}

    def open(self, elements):
        if self.method == "broken":
            raise DataError("labeller: the toy is broken; mend it.")
        if self.method == "crash":
            os._exit(7)
        return self.label

    def label(self, configuration):
        kind = configuration.symbols[0]
        if self.folder:
            with open(os.path.join(self.folder, "calls"), "a") as file:
                file.write(f"{configuration.positions_A[0, 0]:.2f}\n")
        if kind == "He":  # hangs, with a program that it has started
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open(os.path.join(self.folder, "child"), "w") as file:
                file.write(str(child.pid))
            time.sleep(600)
        if kind == "Ne":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "Ar":
            raise RuntimeError("density did\nnot converge")
        if kind == "Kr":
            return Answer(float("nan"), np.zeros((2, 3)), np.zeros((3, 3)), "toy")
        if kind == "Xe":
            return Answer(0.0, np.zeros((1, 3)), np.zeros((3, 3)), "toy")
        x = float(configuration.positions_A[0, 0])
        return Answer(self.scale * x, np.full((2, 3), x / 3), np.eye(3) * x / 7, "toy 1.0")
