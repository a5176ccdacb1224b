"""Beside DebyeCalculator, where it is installed: the same form factors, the same sum."""

import numpy as np
import pytest

from tammann.characterization.diffraction import debye_pattern
from tammann.structures.configuration import Configuration

peer = pytest.importorskip("debyecalculator")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("radiation", ["xray", "neutron"])
def test_structure_factors_agree(radiation):
    import torch

    steps = np.indices((7, 7, 7)).reshape(3, -1)
    points = 2.82 * steps.T + np.random.default_rng(1).normal(0.0, 0.1, (343, 3))
    symbols = tuple(np.array(["Na", "Cl"])[steps.sum(axis=0) % 2])
    calculator = peer.DebyeCalculator(
        qmin=1.0, qmax=20.0, qstep=0.02, qdamp=0.0, biso=0.0, rmin=1.0, rmax=15.0, rstep=0.01, device="cpu",
        radiation_type=radiation,
    )  # fmt: skip
    q, s = calculator.sq((list(symbols), torch.tensor(points)))
    pattern = debye_pattern(
        Configuration(symbols, points, 100.0 * np.eye(3)), np.asarray(q, float), radiation=radiation
    )
    # the peer counts every pair once, and leaves out the 1
    np.testing.assert_allclose(pattern.structure_factor - 1.0, 2.0 * np.asarray(s), atol=2e-3)
