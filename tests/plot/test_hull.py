"""The convex hull between two end members."""

from types import SimpleNamespace

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot import (
    plot_hull,
)
from tammann.plot._style import atoms_of
from tammann.plot.hull import hull_line


class FewPhases(list):
    """As much of ``tammann.thermo.Phases`` as the hull needs."""

    def __init__(self, energies):
        super().__init__(SimpleNamespace(formula=name, composition=atoms_of(name)) for name in energies)
        self.values = np.array(list(energies.values()))

    def gibbs(self, temperature_K, *, energies=None):
        return self.values


def test_hull_line_by_hand():
    phases = FewPhases({"BaO": -3.0, "TiO2": -3.5, "BaTiO3": -3.6, "Ba2TiO4": -3.3, "Ti": 0.0, "BaTi2O5": -3.55})
    line = hull_line(phases, 1000.0)
    assert line["phase"].tolist() == ["BaO", "Ba2TiO4", "BaTiO3", "BaTi2O5", "TiO2"]
    np.testing.assert_allclose(line["x"], [0, 1 / 3, 1 / 2, 2 / 3, 1])
    np.testing.assert_allclose(line["z"], [0, 3 / 7, 3 / 5, 6 / 8, 1])
    # BaTiO3: -3.6 - (2 * -3.0 + 3 * -3.5)/5 = -0.3
    np.testing.assert_allclose(line["energy_eV_per_atom"][2], -0.3)
    # Ba2TiO4 at -0.0857 against -0.214 on the line from BaO to BaTiO3; BaTi2O5 at -0.175 against -0.1875.
    assert line["stable"].tolist() == [True, False, True, False, True]
    ax = plot_hull(phases, [1000.0, 1200.0])
    assert ax.get_xlim() == (0, 1)
    assert "eV/atom" in ax.get_ylabel()
    with pytest.raises(DataError, match="'SrO' is not among the phases"):
        hull_line(phases, 1000.0, between=("SrO", "TiO2"))
