"""Files of densities, as other programs read them."""

import numpy as np
import pytest

from characterization.boxes import SKEWED
from characterization.test_density import gaussian
from tammann.characterization import ion_density, write_density
from tammann.characterization.density_files import BOHR_A
from tammann.errors import DataError
from tammann.structures import Configuration


@pytest.fixture(scope="module")
def density():
    return ion_density(gaussian(SKEWED)[1], "Li", spacing_A=0.7, smoothing_A=0.5)


def test_a_cube_as_ase_reads_it(density, tmp_path):
    from ase.io.cube import read_cube

    ions = Configuration(("Li",), np.zeros((1, 3)), SKEWED)
    write_density(density, tmp_path / "li.cube", ions=ions)
    with (tmp_path / "li.cube").open() as file:
        found = read_cube(file)
    assert np.allclose(found["atoms"].cell.array, SKEWED, atol=1e-6)
    assert found["atoms"].get_chemical_symbols() == ["Cl"] * 5 + ["Li"]
    assert np.allclose(found["data"], density.values_per_A3 * BOHR_A**3, rtol=1e-5, atol=1e-12)
    voxel = abs(np.linalg.det(SKEWED)) / BOHR_A**3 / found["data"].size
    assert found["data"].sum() * voxel == pytest.approx(4.0, rel=1e-5)


def test_a_chgcar_as_pymatgen_reads_it(density, tmp_path):
    from pymatgen.io.vasp.outputs import Chgcar

    write_density(density, tmp_path / "CHGCAR-li")
    found = Chgcar.from_file(tmp_path / "CHGCAR-li")
    assert found.structure.composition.formula == "Cl5"
    assert np.allclose(found.structure.lattice.matrix, SKEWED, atol=1e-6)
    data = found.data["total"]
    assert data.shape == density.shape and data.sum() / data.size == pytest.approx(4.0, rel=1e-5)
    assert np.allclose(data / np.linalg.det(SKEWED), density.values_per_A3, rtol=1e-5, atol=1e-12)


def test_another_name_is_refused(density, tmp_path):
    with pytest.raises(DataError, match="ends in .cube"):
        write_density(density, tmp_path / "li.txt")
